/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Campaigns have many writers: what is counted of a text in a period of six hours stands in one hash of few, and is
 * only added to. Which accounts were counted stands in a map of bits beside it. Both names are by a keyed hash: nobody
 * outside can fill the bucket of one text. A flood of texts pushes texts out of their buckets, and no more.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/campaign.h"
#include "policy/hash.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	WHO_BITS = 16384, /* of a bucket: accounts that sent its texts */
	FIELDS_MAX = 120, /* of a bucket, two of each text: Redis keeps so many in a listpack */
	DRAWN = 6,
	NAME = 8, /* bytes of a text's field; the one of its accounts has one more */
	KEEP_S = 2 * CAMPAIGN_PERIOD_S + 60,
	BAD_SHIFT = 32, /* messages and bad ones are one number, */
	BOTH_SHIFT = 21,
	BAD_ACCOUNTS_SHIFT = 42, /* accounts another one */
};

/* Where the answers stand. */
enum { AT_SENT, AT_WHO, AT_ACCOUNTS, AT_BEFORE, AT_BAD };

struct campaign_ask {
	struct store *store;
	store_campaign_done *done;
	void *arg;
	bool bad, late;
	bool counts, counts_bad; /* the account, as one that sent it, and as one whose message was bad */
	long long period;
	unsigned bucket, who;
	int64_t now_s;
	char name[NAME + 1]; /* of the field, and of the one of its accounts */
};

static int64_t campaign_number(const struct wire_answer *answer, int item)
{
	int64_t number = 0;
	if (answer->blame == BLAME_NOBODY && item < answer->count && answer->text[item] != NULL)
		text_to_int(answer->text[item], 0, INT64_MAX, &number);
	return number;
}

static void campaign_key(struct request *request, const struct campaign_ask *ask, long long period)
{
	request_text(request, KEY_CAMPAIGN, ask->store->settings.prefix, period, ask->bucket);
}

static void campaign_key_who(struct request *request, const struct campaign_ask *ask, long long period)
{
	request_text(request, KEY_CAMPAIGN_WHO, ask->store->settings.prefix, period, ask->bucket);
}

static void campaign_unpack(int64_t sent, int64_t accounts, struct campaign_counts *counts)
{
	enum { LOW = (1 << BOTH_SHIFT) - 1 };
	counts->messages = sent & UINT32_MAX;
	counts->bad = sent >> BAD_SHIFT;
	counts->accounts = accounts & LOW;
	counts->both = accounts >> BOTH_SHIFT & LOW;
	counts->bad_accounts = accounts >> BAD_ACCOUNTS_SHIFT & LOW;
}

/* ---- an account that was not counted yet */

static void campaign_count_account(struct campaign_ask *ask, bool was_there)
{
	struct request request;
	request_begin(&request);
	request_command(&request, "HINCRBY");
	campaign_key(&request, ask, ask->period);
	request_bytes(&request, ask->name, NAME + 1);
	request_number(&request, (int64_t)ask->counts + ((int64_t)(ask->counts && was_there) << BOTH_SHIFT) +
					 ((int64_t)ask->counts_bad << BAD_ACCOUNTS_SHIFT));
	request_command(&request, "EXPIRE");
	campaign_key_who(&request, ask, ask->period);
	request_number(&request, KEEP_S);
	store_send_behind(ask->store, &request);
}

static void campaign_was_there(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct campaign_ask *ask = arg;
	store_noted(ask->store, end);
	if (end == WIRE_OK && count == 1)
		campaign_count_account(ask, campaign_number(&answers[0], 0) == 1);
	free(ask);
}

/* Did it send the text in the period before, too? */
static void campaign_ask_before(struct campaign_ask *ask)
{
	struct request request;
	request_begin(&request);
	request_command(&request, "GETBIT");
	campaign_key_who(&request, ask, ask->period - 1);
	request_number(&request, ask->who);
	if (!store_send(ask->store, &request, campaign_was_there, NULL, ask))
		free(ask);
}

/* ---- a text that is new in its bucket */

/* How often it was sent; of a field of accounts how many sent it, which is no more. */
static int64_t campaign_weight(const struct wire_answer *drawn, int at)
{
	int bits = drawn->length[at] == NAME ? BAD_SHIFT : BOTH_SHIFT;
	return campaign_number(drawn, at + 1) & (((int64_t)1 << bits) - 1);
}

static int campaign_least(const struct wire_answer *drawn, int but)
{
	int least = -1;
	for (int i = 0; i + 1 < drawn->count; i += 2)
		if (i != but && drawn->text[i] != NULL && drawn->length[i] >= NAME &&
		    (least < 0 || campaign_weight(drawn, i) < campaign_weight(drawn, least)))
			least = i;
	return least;
}

/* Of those that were drawn, the two that were sent least give way, with their accounts. */
static void campaign_push_out(struct campaign_ask *ask, const struct wire_answer *drawn)
{
	char accounts[2][NAME + 1];
	int first = campaign_least(drawn, -1), out[2] = { first, campaign_least(drawn, first) };
	struct request request;
	request_begin(&request);
	request_command(&request, "HDEL");
	campaign_key(&request, ask, ask->period);
	for (int i = 0; i < 2 && out[i] >= 0; i++) {
		memcpy(accounts[i], drawn->text[out[i]], NAME);
		accounts[i][NAME] = 'a';
		request_bytes(&request, accounts[i], NAME);
		request_bytes(&request, accounts[i], NAME + 1);
	}
	if (first >= 0)
		store_send_behind(ask->store, &request);
}

static void campaign_drawn(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct campaign_ask *ask = arg;
	store_noted(ask->store, end);
	if (end == WIRE_OK && count == 1 && answers[0].blame == BLAME_NOBODY)
		campaign_push_out(ask, &answers[0]);
	free(ask);
}

static void campaign_noted(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct campaign_ask *ask = arg;
	struct request request;
	store_noted(ask->store, end);
	request_begin(&request);
	request_command(&request, "HRANDFIELD");
	campaign_key(&request, ask, ask->period);
	request_number(&request, DRAWN);
	request_word(&request, "WITHVALUES");
	bool full = end == WIRE_OK && count == 2 && campaign_number(&answers[1], 0) > FIELDS_MAX;
	if (!full || !store_send(ask->store, &request, campaign_drawn, NULL, ask))
		free(ask);
}

static void campaign_note_new(const struct campaign_ask *asked)
{
	struct request request;
	struct campaign_ask *ask = malloc(sizeof *ask);
	if (ask == NULL)
		return;
	*ask = *asked;
	request_begin(&request);
	request_command(&request, "EXPIRE");
	campaign_key(&request, ask, ask->period);
	request_number(&request, KEEP_S);
	request_command(&request, "HLEN");
	campaign_key(&request, ask, ask->period);
	if (!store_send(ask->store, &request, campaign_noted, NULL, ask))
		free(ask);
}

/* ---- the message */

static void campaign_tell(struct campaign_ask *ask, const struct campaign *campaign)
{
	if (!ask->late)
		ask->done(ask->arg, campaign);
}

static bool campaign_bit_was_clear(const struct wire_answer *answer)
{
	return answer->blame == BLAME_NOBODY && campaign_number(answer, 0) == 0;
}

/* The message itself is not counted in what it is told. */
static void campaign_answered(struct campaign_ask *ask, const struct wire_answer *answers)
{
	int64_t sent = campaign_number(&answers[AT_SENT], 0), this = 1 + ((int64_t)ask->bad << BAD_SHIFT);
	bool fine = answers[AT_SENT].blame == BLAME_NOBODY && sent >= this;
	struct campaign_counts present = { 0 }, before = { 0 };
	campaign_unpack(fine ? sent - this : 0, campaign_number(&answers[AT_ACCOUNTS], 0), &present);
	campaign_unpack(campaign_number(&answers[AT_BEFORE], 0), campaign_number(&answers[AT_BEFORE], 1), &before);
	struct campaign campaign = campaign_of(&present, &before, ask->now_s);
	if (!fine)
		campaign = (struct campaign){ .known = KNOWLEDGE_NONE };
	campaign_tell(ask, &campaign);
	if (sent == this)
		campaign_note_new(ask);
	ask->counts = campaign_bit_was_clear(&answers[AT_WHO]);
	ask->counts_bad = ask->bad && campaign_bit_was_clear(&answers[AT_BAD]);
	if (ask->counts || ask->counts_bad)
		campaign_ask_before(ask);
	else
		free(ask);
}

static void campaign_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct campaign_ask *ask = arg;
	store_noted(ask->store, end);
	(void)count;
	if (end == WIRE_OK) {
		campaign_answered(ask, answers);
		return;
	}
	campaign_tell(ask, &(struct campaign){ .known = KNOWLEDGE_NONE });
	ask->late = end == WIRE_LATE && !ask->late;
	if (!ask->late)
		free(ask);
}

static void campaign_name(struct campaign_ask *ask, const struct message_charge *asked)
{
	struct store *store = ask->store;
	uint64_t both[2] = { asked->fingerprint, asked->who }, name = hash_keyed(store->secret, both, sizeof both[0]);
	ask->bucket = (unsigned)(name % CAMPAIGN_BUCKETS);
	/* the bit behind it: as one that sends bad ones */
	ask->who = (unsigned)(hash_keyed(store->secret, both, sizeof both) % (WHO_BITS / 2) * 2);
	for (int i = 0; i < NAME; i++)
		ask->name[i] = (char)(unsigned char)(name >> 8 * i);
	ask->name[NAME] = 'a';
}

/* The first time on this connection that a bucket is written in a period, its keys get their time to live in the same
 * piece: what is sent behind the answer may be lost with the connection, and nobody comes to these keys again. */
static void campaign_add_expire(struct request *request, const struct campaign_ask *ask)
{
	struct store *store = ask->store;
	unsigned char *byte = &store->buckets[ask->bucket / 8], bit = (unsigned char)(1U << ask->bucket % 8);
	if (store->buckets_period != ask->period)
		memset(store->buckets, 0, sizeof store->buckets);
	store->buckets_period = ask->period;
	if (*byte & bit)
		return;
	*byte |= bit;
	for (int who = 0; who <= 1; who++) {
		request_command(request, "EXPIRE");
		(who ? campaign_key_who : campaign_key)(request, ask, ask->period);
		request_number(request, KEEP_S);
	}
}

bool store_campaign_ask(struct store *store, const struct message_charge *asked, store_campaign_done *done, void *arg)
{
	struct request request;
	struct campaign_ask *ask =
		asked->fingerprint != 0 && store->serving && store->secret_shared ? malloc(sizeof *ask) : NULL;
	if (ask == NULL)
		return false;
	*ask = (struct campaign_ask){ .store = store, .done = done, .arg = arg, .bad = asked->bad };
	ask->now_s = store_now_ms(store, asked->charge.now_ms) / 1000;
	ask->period = ask->now_s / CAMPAIGN_PERIOD_S;
	campaign_name(ask, asked);
	request_begin(&request);
	request_command(&request, "HINCRBY");
	campaign_key(&request, ask, ask->period);
	request_bytes(&request, ask->name, NAME);
	request_number(&request, 1 + ((int64_t)ask->bad << BAD_SHIFT));
	request_command(&request, "SETBIT");
	campaign_key_who(&request, ask, ask->period);
	request_number(&request, ask->who);
	request_word(&request, "1");
	request_command(&request, "HGET");
	campaign_key(&request, ask, ask->period);
	request_bytes(&request, ask->name, NAME + 1);
	request_command(&request, "HMGET");
	campaign_key(&request, ask, ask->period - 1);
	request_bytes(&request, ask->name, NAME);
	request_bytes(&request, ask->name, NAME + 1);
	if (ask->bad) {
		request_command(&request, "SETBIT");
		campaign_key_who(&request, ask, ask->period);
		request_number(&request, ask->who + 1);
		request_word(&request, "1");
	}
	campaign_add_expire(&request, ask);
	if (store_send(store, &request, campaign_come, campaign_come, ask))
		return true;
	free(ask);
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store and a real Redis against policy/: the same charges, the same record, byte by byte, the same known
 * recipients and what panels read of them; and groups and campaigns against counts of their own. Time is the one that
 * the store took; records are aged by writing older ones, as another daemon would, so that windows roll.
 * usage: store_arithmetic unix:/path-of-redis
 */
#include "policy/campaign.h"
#include "policy/history.h"
#include "policy/known.h"
#include "redis-schema/account_record.h"
#include "redis-schema/keys.h"
#include "t/live/store_fixture.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHARGES = 2000, ACCOUNTS = 7, CUSTOMERS = 3, TEXTS = 40, RCPTS_MAX = 100, TTL_S = 3600 };

static redisContext *plain; /* for what no store writes, and to see what it wrote */

/* What must stand in Redis. */
static struct {
	char name[32];
	struct history history;
	unsigned char known[KNOWN_MAP_BYTES];
	size_t known_length;
} mirror[ACCOUNTS];

static int64_t of_customer[CUSTOMERS][COUNTED_SUMS];
static struct {
	int64_t messages, bad, accounts, bad_accounts;
	bool sent[TEXTS][ACCOUNTS], sent_bad[TEXTS][ACCOUNTS];
} texts;

static int64_t pick(int64_t most)
{
	return random() % most;
}

static redisReply *ask(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	redisReply *reply = redisvCommand(plain, format, args);
	va_end(args);
	if (reply == NULL || reply->type == REDIS_REPLY_ERROR) {
		fprintf(stderr, "%s: %s\n", format, reply == NULL ? "Redis is gone" : reply->str);
		exit(2);
	}
	return reply;
}

static int64_t ask_number(const char *command, const char *account, const char *part)
{
	redisReply *reply = ask("%s arithmetic:{%s}:%s", command, account, part);
	int64_t number = reply->integer;
	freeReplyObject(reply);
	return number;
}

/* ---- one account */

/* What is read of Redis has the digits that a record keeps; what the store goes on with has all. */
static bool read_mirror(int at)
{
	struct account_record record;
	redisReply *reply = ask("GET arithmetic:{%s}:record", mirror[at].name);
	bool fine = record_read(reply->str, reply->len, &record) == RECORD_FINE;
	freeReplyObject(reply);
	mirror[at].history = record.history;
	return fine;
}

/* Writes the record as if all of it had happened `seconds` ago, and another daemon had written it. */
static void age(int at, int64_t seconds)
{
	struct account_record record;
	char bytes[RECORD_MAX];
	redisReply *reply = ask("GET arithmetic:{%s}:record", mirror[at].name);
	ok(record_read(reply->str, reply->len, &record) == RECORD_FINE, "%s is aged by %" PRId64 " s", mirror[at].name,
	   seconds);
	freeReplyObject(reply);
	record.history.rates.at_ms -= seconds * 1000;
	record.history.counters.at_ms = record.history.rates.at_ms;
	record_sign(&record, (struct record_write){ 4711, 1 + (uint64_t)pick(1000000) });
	size_t length = record_write(&record, bytes);
	freeReplyObject(ask("SET arithmetic:{%s}:record %b KEEPTTL", mirror[at].name, bytes, length));
	read_mirror(at);
}

static const char *const domains[] = {
	/* one of the longest kind */
	"",
	"-",
	"example.org",
	"a-domain-of-sixty-bytes.a-domain-of-sixty-bytes.example.orga",
};

static struct charge random_charge(const char *account)
{
	int64_t sign = pick(12) == 0 ? -1 : 1;
	struct charge charge = { .limits = limits_unset,
				 .checked = true,
				 .quota = pick(10) > 0,
				 .level = (enum level)pick(LEVEL_COUNT),
				 .score = (double)(pick(2000) - 1000) / 100,
				 .amounts = {
					 .of = { sign, sign * (1 + pick(60)), sign * pick(3000), sign * pick(9) } } };
	snprintf(charge.account, sizeof charge.account, "%s", account);
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (pick(4) == 0)
			charge.limits.window[i] = pick(window_counted((enum window)i) == COUNTED_MESSAGES ? 40
						       : window_counted((enum window)i) == COUNTED_KBYTES ? 90000
													  : 1500);
	charge.limits.over = pick(3) == 0 ? OVER_SLOW : OVER_DEFER;
	charge.counts[COUNTER_MESSAGES] = charge.quota ? (double)sign : 0;
	charge.counts[COUNTER_RCPTS] = charge.quota ? (double)charge.amounts.of[COUNTED_RECIPIENTS] : 0;
	for (int i = COUNTER_SPAM; i < COUNTER_COUNT; i++)
		if (pick(4) == 0)
			charge.counts[i] = (double)(pick(400) - 100) / 64.0;
	charge.pardoned_s = pick(20) == 0 ? 1700000000 + pick(1000) : 0;
	snprintf(charge.unauthorised, sizeof charge.unauthorised, "%s", domains[pick(4)]);
	charge.habits_changed = (unsigned)pick(8);
	charge.habits.networks[0] = (uint16_t)pick(60000);
	charge.habits.hours[pick(24)] = (uint8_t)pick(200);
	charge.habits.known[0] = (uint32_t)pick(60000);
	return charge;
}

/* Is the record in Redis the mirror's, byte by byte? Who wrote it is the store's own. */
static const char *record_differs(int at)
{
	struct account_record stored;
	char bytes[RECORD_MAX];
	const char *what = NULL;
	redisReply *reply = ask("GET arithmetic:{%s}:record", mirror[at].name);
	if (record_read(reply->str, reply->len, &stored) != RECORD_FINE) {
		what = "no record";
	} else {
		stored.history = mirror[at].history;
		size_t length = record_write(&stored, bytes);
		if (length != reply->len || memcmp(bytes, reply->str, length) != 0)
			what = "record";
	}
	freeReplyObject(reply);
	return what;
}

static const char *known_differs(int at)
{
	redisReply *reply = ask("GET arithmetic:{%s}:known", mirror[at].name);
	size_t length = reply->type == REDIS_REPLY_STRING ? reply->len : 0;
	bool same =
		length == mirror[at].known_length && (length == 0 || memcmp(reply->str, mirror[at].known, length) == 0);
	freeReplyObject(reply);
	return same ? NULL : "known recipients";
}

static bool shown_is(const char *account, const char *field, const char *value)
{
	redisReply *reply = ask("HGET arithmetic:{%s}:state %s", account, field);
	bool same = strcmp(reply->type == REDIS_REPLY_STRING ? reply->str : "", value) == 0;
	freeReplyObject(reply);
	return same;
}

/* What a panel reads. */
static const char *shown_differs(int at)
{
	const struct history *history = &mirror[at].history;
	char since[32], score[32];
	snprintf(since, sizeof since, "%" PRId64, history->level_since_s);
	snprintf(score, sizeof score, "%.2f", history->score);
	if (!shown_is(mirror[at].name, "level", history->level == LEVEL_UNKNOWN ? "" : level_word(history->level)))
		return "level in state";
	if (!shown_is(mirror[at].name, "since", history->level != LEVEL_UNKNOWN ? since : "0"))
		return "since in state";
	if (!shown_is(mirror[at].name, "score", score))
		return "score in state";
	return shown_is(mirror[at].name, "spf", history->unauthorised) ? NULL : "spf in state";
}

/* ---- many charges, with their customers and texts */

static void learn(int at, const struct message_charge *message)
{
	unsigned char more[KNOWN_MAP_BYTES];
	struct known before = { mirror[at].known, mirror[at].known_length };
	if (message->new_known_count == 0)
		return;
	mirror[at].known_length = known_add(&before, message->new_known, message->new_known_count, more);
	memcpy(mirror[at].known, more, mirror[at].known_length);
}

static void add_customer(struct message_charge *message, int customer)
{
	struct group_charge *group = &message->groups[message->group_count++];
	*group = (struct group_charge){ .scope = SCOPE_CUSTOMER, .limits = limits_unset };
	for (int i = 0; i < WINDOW_SUMS; i++)
		group->limits.window[i] = LIMIT_MAX;
	snprintf(group->limits.plan, sizeof group->limits.plan, "default");
	snprintf(group->name, sizeof group->name, "customer:many%d", customer);
}

static void note_text(int at, int text, bool bad)
{
	texts.messages++;
	texts.bad += bad;
	texts.accounts += !texts.sent[text][at];
	texts.sent[text][at] = true;
	texts.bad_accounts += bad && !texts.sent_bad[text][at];
	texts.sent_bad[text][at] = texts.sent_bad[text][at] || bad;
}

static int backs, overs;

static const char *run_charge(int at)
{
	uint32_t rcpts[RCPTS_MAX];
	struct message_charge message = { .charge = random_charge(mirror[at].name), .new_known = rcpts };
	struct charge *charge = &message.charge;
	bool back = charge->amounts.of[COUNTED_MESSAGES] < 0, bad = pick(3) == 0;
	int customer = (int)pick(CUSTOMERS), text = (int)pick(TEXTS);
	if (!back && pick(3) == 0)
		message.new_known_count = (int)pick(RCPTS_MAX);
	if (message.new_known_count > 0) /* the store reads those that are known, and the record with them */
		read_mirror(at);
	for (int i = 0; i < message.new_known_count; i++)
		rcpts[i] = (uint32_t)(pick(20000) + 1) * 2654435761U;
	if (!back)
		add_customer(&message, customer);
	message.fingerprint = (uint64_t)(text + 1) * 11400714819323198485U;
	message.who = (uint64_t)(at + 1) * 14029467366897019727U;
	message.bad = bad;
	note_text(at, text, bad);
	charge_message(&message);
	charge->now_ms = result.rates.at_ms; /* the time that the store took */
	struct breach breach = history_judge(&mirror[at].history, charge);
	bool away = charge_turned_away(charge, &breach);
	if (!away)
		learn(at, &message);
	for (int i = 0; i < COUNTED_SUMS && !away && !back && charge->quota; i++)
		of_customer[customer][i] += charge->amounts.of[i];
	backs += back;
	overs += breach.window != WINDOW_COUNT;
	if (result.known != KNOWLEDGE_FULL || result.breach.window != breach.window)
		return "answer";
	const char *what = record_differs(at);
	what = what != NULL ? what : known_differs(at);
	return what != NULL ? what : shown_differs(at);
}

static void check_ends(const char *account, const char *part)
{
	int64_t ttl_s = ask_number("TTL", account, part);
	ok(ttl_s > TTL_S - 60 && ttl_s <= TTL_S, "%s of %s ends in %" PRId64 " s", part, account, ttl_s);
}

static void check_all(void)
{
	static const int64_t ages[] = { 1, 59, 61, 3599, 3601, 40000, 90000, 200000 };
	int wrong = 0;
	for (int i = 0; i < ACCOUNTS; i++)
		snprintf(mirror[i].name, sizeof mirror[i].name, "account%d", i);
	for (int i = 0; i < CHARGES; i++) {
		int at = (int)pick(ACCOUNTS);
		const char *what = run_charge(at);
		if (what != NULL && wrong++ < 5)
			printf("# charge %d, %s: %s differs; over %d\n", i, mirror[at].name, what,
			       (int)result.breach.window);
		if (i % 100 == 99)
			age(at, ages[(i / 100) % 8]);
	}
	ok(wrong == 0, "%d of %d charges came out otherwise than policy/ says", wrong, CHARGES);
	ok(backs > 50, "%d were given back", backs);
	ok(overs > CHARGES / 20 && overs < CHARGES, "%d charges passed a limit: both ways were taken", overs);
	ok(store_stats(store).conflicts > 0, "another writer came first %" PRIu64 " times",
	   store_stats(store).conflicts);
	for (int i = 0; i < ACCOUNTS; i++) {
		check_ends(mirror[i].name, "record");
		check_ends(mirror[i].name, "state");
		check_ends(mirror[i].name, "known");
	}
	ok(mirror[0].known_length == KNOWN_MAP_BYTES, "known recipients became a map");
}

/* Over all periods that the test saw. */
static int64_t sum_of_customer(int customer, const char *span, int64_t seconds, const char *field)
{
	int64_t sum = 0, now = (int64_t)time(NULL) / seconds;
	for (int64_t period = now - 600 / seconds - 1; period <= now; period++) {
		redisReply *reply =
			ask("HGET arithmetic:{customer:many%d}:%s:%" PRId64 " %s", customer, span, period, field);
		sum += reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
		freeReplyObject(reply);
	}
	return sum;
}

static void check_customers(void)
{
	static const char *const fields[COUNTED_SUMS] = { "messages", "rcpts", "kbytes", "new_rcpts" };
	fetch("account0"); /* what is given back was sent before */
	for (int customer = 0; customer < CUSTOMERS; customer++)
		for (int i = 0; i < COUNTED_SUMS; i++) {
			int64_t day = sum_of_customer(customer, "day", 86400, fields[i]);
			is_int(day, of_customer[customer][i], "customer %d: %s of the day", customer, fields[i]);
			if (i == COUNTED_NEW_RCPTS) /* only a day's are limited */
				continue;
			is_int(sum_of_customer(customer, "hour", 3600, fields[i]), day, "... of the hour");
			is_int(sum_of_customer(customer, "minute", 60, fields[i]), day, "... of the minutes");
		}
}

/* Adds up all buckets: a text's field of eight bytes, and the one of its accounts. */
static void add_bucket(const char *key, struct campaign_counts *counts, int *texts_out)
{
	redisReply *reply = ask("HGETALL %s", key);
	for (size_t i = 0; i + 1 < reply->elements; i += 2) {
		int64_t value = strtoll(reply->element[i + 1]->str, NULL, 10);
		bool of_text = reply->element[i]->len == 8;
		*texts_out += of_text;
		counts->messages += of_text ? value & UINT32_MAX : 0;
		counts->bad += of_text ? value >> 32 : 0;
		counts->accounts += of_text ? 0 : value & 0x1fffff;
		counts->bad_accounts += of_text ? 0 : value >> 42;
	}
	freeReplyObject(reply);
}

static void check_campaigns(void)
{
	struct campaign_counts counts = { 0 };
	int found = 0;
	fetch("account0");
	redisReply *keys = ask("KEYS arithmetic:campaign:*");
	for (size_t i = 0; i < keys->elements; i++) {
		const char *key = keys->element[i]->str;
		if (strstr(key, ":who") == NULL)
			add_bucket(key, &counts, &found);
		redisReply *ttl = ask("TTL %s", key);
		if (ttl->integer <= 0 || ttl->integer > 2 * CAMPAIGN_PERIOD_S + 60)
			ok(false, "%s ends in %lld s", key, ttl->integer);
		freeReplyObject(ttl);
	}
	freeReplyObject(keys);
	ok(found == TEXTS || found == 2 * TEXTS, "%d texts of %d: the test may see two periods", found, TEXTS);
	is_int(counts.messages, texts.messages, "messages of campaigns");
	is_int(counts.bad, texts.bad, "... bad ones");
	if (found == TEXTS) {
		/* two accounts may share a bit, by the secret of the run */
		enum { SHARE = 4 };
		ok(counts.accounts <= texts.accounts && counts.accounts >= texts.accounts - SHARE,
		   "... %lld accounts that sent them, of %lld", (long long)counts.accounts, (long long)texts.accounts);
		ok(counts.bad_accounts <= texts.bad_accounts && counts.bad_accounts >= texts.bad_accounts - SHARE,
		   "... and %lld who sent bad ones, of %lld", (long long)counts.bad_accounts,
		   (long long)texts.bad_accounts);
	}
}

/* One message of `member`, in a group whose plan allows three a day. */
static void charge_member(void)
{
	struct message_charge message = { .group_count = 1, .fingerprint = 4711, .bad = true };
	message.charge = (struct charge){ .account = "member",
					  .limits = limits_unset,
					  .checked = true,
					  .quota = true,
					  .amounts = { .of = { 1, 2, 3, 1 } } };
	message.groups[0] =
		(struct group_charge){ .scope = SCOPE_CUSTOMER, .name = "customer:7", .limits = limits_unset };
	message.groups[0].limits.window[WINDOW_MSGS_PER_DAY] = 3;
	snprintf(message.groups[0].limits.plan, sizeof message.groups[0].limits.plan, "default");
	charge_message(&message);
}

static void check_groups(void)
{
	for (int i = 0; i < 3; i++)
		charge_member();
	ok(result.breach.window == WINDOW_COUNT && result.campaign.known == KNOWLEDGE_FULL,
	   "three are within the plan");
	ok(fabs(result.campaign.messages - 2) < 0.01 && fabs(result.campaign.bad - 2) < 0.01 &&
		   fabs(result.campaign.accounts - 1) < 0.1 && fabs(result.campaign.bad_accounts - 1) < 0.1,
	   "the campaign has two messages of one account behind it");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.scope == SCOPE_CUSTOMER &&
		   result.breach.limit == 3,
	   "the fourth is over the group's limit");
	ok(used("member") == 3, "its account got it back");
	command("customer:7", "HSET", "limits", "msgs_per_day", "5");
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("member") == 4, "the group's own limit holds");
	command("customer:7", "HSET", "limits", "plan", "unheard-of");
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("customer:7") == 5,
	   "a plan that nobody knows leaves what was given");
	command("customer:7", "HSET", "limits", "over", "slow");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_SLOW && used("member") == 6,
	   "what the group's own word lets pass is over and charged");
	command("customer:7", "HSET", "limits", "over", "defer reject");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_UNSET && used("member") == 6,
	   "a word that is none leaves the plan's");
	command("customer:7", "SET", "block", "unpaid", NULL);
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.limit == 0 && result.breach.over == OVER_REJECT,
	   "a blocked group refuses");
	command("customer:7", "DEL", "block", NULL, NULL);
	command("customer:7", "SET", "exempt", "a friend", NULL);
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("member") == 7, "an exempt one passes");
}

/* A record of another version. */
static void check_versions(void)
{
	struct message_charge message = { .charge = { .account = "old",
						      .limits = limits_unset,
						      .quota = true,
						      .amounts = { .of = { 1, 1, 9, 0 } } } };
	char bytes[] = { RECORD_VERSION + 1, 'l', 'a', 't', 'e', 'r' };
	freeReplyObject(ask("SET arithmetic:{old}:record %b", bytes, sizeof bytes));
	charge_message(&message);
	ok(result.known == KNOWLEDGE_LOCAL, "an account whose record is of another version is counted here");
	redisReply *reply = ask("GET arithmetic:{old}:record");
	ok(reply->len == sizeof bytes && memcmp(reply->str, bytes, sizeof bytes) == 0, "and it is left alone");
	freeReplyObject(reply);
	store_feedback(store, "member", COUNTER_DEAD, 3, 1);
	fetch("member");
	for (int i = 0; i < 100 && state.history.counters.value[COUNTER_DEAD] == 0; i++)
		fetch("member");
	ok(fabs(state.history.counters.value[COUNTER_DEAD] - 3) < 0.01, "what is reported is counted");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s unix:/path-of-redis\n", argv[0]);
		return 2;
	}
	store_begin(argv[1], "arithmetic");
	plain = redisConnectUnix(argv[1] + strlen("unix:"));
	if (plain == NULL || plain->err != 0) {
		fprintf(stderr, "%s does not answer\n", argv[1]);
		return 2;
	}
	uint64_t secret[2];
	while (!store_secret(store, secret)) /* no text has a name before */
		event_base_loop(base, EVLOOP_ONCE);
	srandom(4711);
	check_all();
	check_customers();
	check_campaigns();
	check_groups();
	check_versions();
	redisFree(plain);
	store_end();
	return done_testing();
}

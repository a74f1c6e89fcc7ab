/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Redis and the store do with a message: the account's record and its recipients, and campaigns, counted as
 * redis-schema/store/store_campaign.c does, but that no text is pushed out and no two accounts share a bit.
 */
#include "t/eval/quick.h"

#include "policy/campaign.h"
#include "policy/hash.h"
#include "redis-schema/account_record.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct breach quick_store_charge(struct quick_account *account, const struct charge *charge)
{
	return history_judge(&account->history, charge);
}

void quick_store_learn(struct quick_account *account, const uint32_t *rcpts, int count)
{
	unsigned char more[KNOWN_MAP_BYTES];
	const struct known known = { account->known_length > 0 ? account->known : NULL, account->known_length };
	if (count == 0)
		return;
	account->known_length = known_add(&known, rcpts, count, more);
	memcpy(account->known, more, account->known_length);
}

void quick_store_round(struct quick_account *account)
{
	struct account_record record = { .history = account->history }, read;
	char bytes[RECORD_MAX];
	if (quick_options.no_rounding)
		return;
	record_sign(&record, (struct record_write){ 1, 1 });
	if (record_read(bytes, record_write(&record, bytes), &read) != RECORD_FINE)
		quick_die("%s: its record cannot be read again", account->name);
	account->history = read.history;
}

/* ---- campaigns: two tables with open addressing that double */

struct quick_text_counts {
	uint64_t key; /* of text and period; 0: free */
	struct campaign_counts counts;
};

struct quick_sets {
	uint64_t *keys; /* 0: free */
	size_t size, used;
};

static struct quick_text_counts *texts;
static size_t texts_size, texts_used;
static struct quick_sets sent_by;

static uint64_t quick_store_mix(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t all[3] = { a, b, c };
	uint64_t key = hash_bytes(all, sizeof all, 1);
	return key != 0 ? key : 1;
}

static bool quick_store_set_find(const struct quick_sets *set, uint64_t key, size_t *at)
{
	for (*at = key % set->size; set->keys[*at] != 0; *at = (*at + 1) % set->size)
		if (set->keys[*at] == key)
			return true;
	return false;
}

static bool quick_store_set_has(const struct quick_sets *set, uint64_t key)
{
	size_t at;
	return set->size > 0 && quick_store_set_find(set, key, &at);
}

/* True where it was not there. */
static bool quick_store_set_add(struct quick_sets *set, uint64_t key)
{
	size_t at;
	if (set->used * 2 >= set->size) {
		struct quick_sets more = { .size = set->size == 0 ? 1024 : set->size * 2, .used = set->used };
		more.keys = quick_take(more.size * sizeof more.keys[0]);
		for (size_t i = 0; i < set->size; i++)
			if (set->keys[i] != 0) {
				quick_store_set_find(&more, set->keys[i], &at);
				more.keys[at] = set->keys[i];
			}
		free(set->keys);
		*set = more;
	}
	if (quick_store_set_find(set, key, &at))
		return false;
	set->keys[at] = key;
	set->used++;
	return true;
}

static struct quick_text_counts *quick_store_text_at(struct quick_text_counts *table, size_t size, uint64_t key)
{
	size_t at = key % size;
	while (table[at].key != 0 && table[at].key != key)
		at = (at + 1) % size;
	return &table[at];
}

static struct campaign_counts *quick_store_text(uint64_t key)
{
	if (texts_used * 2 >= texts_size) {
		size_t size = texts_size == 0 ? 1024 : texts_size * 2;
		struct quick_text_counts *more = quick_take(size * sizeof *more);
		for (size_t i = 0; i < texts_size; i++)
			if (texts[i].key != 0)
				*quick_store_text_at(more, size, texts[i].key) = texts[i];
		free(texts);
		texts = more;
		texts_size = size;
	}
	struct quick_text_counts *text = quick_store_text_at(texts, texts_size, key);
	texts_used += text->key == 0;
	text->key = key;
	return &text->counts;
}

struct campaign quick_store_campaign(uint64_t fingerprint, uint64_t who, bool bad, int64_t now_s)
{
	uint64_t period = (uint64_t)(now_s / CAMPAIGN_PERIOD_S);
	struct campaign_counts before = *quick_store_text(quick_store_mix(fingerprint, period - 1, 0));
	struct campaign_counts *present = quick_store_text(quick_store_mix(fingerprint, period, 0));
	struct campaign campaign = campaign_of(present, &before, now_s);
	present->messages++;
	present->bad += bad;
	if (quick_store_set_add(&sent_by, quick_store_mix(fingerprint, period, who))) {
		present->accounts++;
		present->both += quick_store_set_has(&sent_by, quick_store_mix(fingerprint, period - 1, who));
	}
	if (bad && quick_store_set_add(&sent_by, quick_store_mix(fingerprint, period, ~who)))
		present->bad_accounts++;
	return campaign;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spf/spf_table.h"

#include "milter/dns/engine.h"
#include "milter/spf/spf_record.h"
#include "milter/base/own_hash.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { BUCKETS = 64, EARLY_MOST = SPF_QUESTIONS_MAX / 2 };

struct spf_table {
	struct engine *engine; /* borrowed */
	int count, most;
	struct spf_fact *wanted, **wanted_end;
	struct spf_fact *buckets[BUCKETS]; /* owned */
};

struct spf_table *spf_table_new(struct engine *engine, int most)
{
	struct spf_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->engine = engine;
	table->most = most;
	table->wanted_end = &table->wanted;
	return table;
}

static void free_fact(struct spf_fact *fact)
{
	free((void *)(uintptr_t)fact->answer.data);
	free(fact);
}

void spf_table_free(struct spf_table **table)
{
	struct spf_table *old = *table;
	*table = NULL;
	for (int i = 0; old != NULL && i < BUCKETS; i++)
		for (struct spf_fact *fact = old->buckets[i], *next; fact != NULL; fact = next) {
			next = fact->next_in_bucket;
			free_fact(fact);
		}
	free(old);
}

/* Two SPF records are as good as more: both are permerror. */
static bool is_needed(const struct dns_answer *answer, const struct dns_record *record, int kept)
{
	return answer->type != DNS_TXT || (kept < 2 && spf_record_is(record->text, record->length));
}

void spf_fact_fill(struct spf_fact *fact, const struct dns_answer *answer)
{
	struct dns_record record;
	uint8_t *data = answer->size > 0 ? malloc(answer->size) : NULL;
	size_t size = 0, at = 0, start = 0;
	fact->state = SPF_FACT_KNOWN;
	fact->answer = *answer;
	fact->answer.count = 0;
	if (answer->size > 0 && data == NULL)
		fact->answer.outcome = DNS_UNKNOWN;
	for (; data != NULL && dns_answer_next(answer, &at, &record); start = at) {
		if (!is_needed(answer, &record, fact->answer.count))
			continue;
		memcpy(data + size, answer->data + start, at - start);
		size += at - start;
		fact->answer.count++;
	}
	uint8_t *shrunk = size > 0 ? realloc(data, size) : NULL;
	if (size == 0)
		free(data);
	fact->answer.data = shrunk != NULL ? shrunk : size > 0 ? data : NULL;
	fact->answer.size = size;
}

static struct spf_fact *spf_table_add_fact(struct spf_table *table, struct spf_fact **bucket, const char *name,
					   enum dns_type type)
{
	static const struct dns_answer nothing = { .rcode = DNS_RCODE_NONE };
	size_t length = strlen(name) + 1;
	struct spf_fact *fact = table->count < table->most ? malloc(sizeof *fact + length) : NULL;
	if (fact == NULL)
		return NULL;
	*fact = (struct spf_fact){ .answer = nothing, .next_in_bucket = *bucket };
	memcpy(fact->name, name, length);
	fact->answer.type = type;
	*bucket = fact;
	table->count++;
	return fact;
}

struct spf_fact *spf_table_get(struct spf_table *table, const char *name, enum dns_type type)
{
	char lower[DNS_NAME_MAX + 1];
	struct dns_data data;
	struct dns_answer answer;
	text_copy(lower, sizeof lower, name);
	for (char *c = lower; *c != '\0'; c++)
		*c = text_lower(*c);
	struct spf_fact **bucket = &table->buckets[own_hash_string(lower, (uint64_t)type) % BUCKETS];
	for (struct spf_fact *fact = *bucket; fact != NULL; fact = fact->next_in_bucket)
		if (fact->answer.type == type && strcmp(fact->name, lower) == 0)
			return fact;
	struct spf_fact *fact = spf_table_add_fact(table, bucket, lower, type);
	if (fact == NULL)
		return NULL;
	if (engine_find(table->engine, lower, type, &data, &answer)) {
		spf_fact_fill(fact, &answer);
		return fact;
	}
	*table->wanted_end = fact;
	table->wanted_end = &fact->next_wanted;
	return fact;
}

void spf_table_want(struct spf_table *table, const char *name, enum dns_type type)
{
	if (table->count < EARLY_MOST)
		spf_table_get(table, name, type);
}

struct spf_fact *spf_table_next(struct spf_table *table)
{
	struct spf_fact *fact = table->wanted;
	if (fact == NULL)
		return NULL;
	table->wanted = fact->next_wanted;
	if (table->wanted == NULL)
		table->wanted_end = &table->wanted;
	fact->state = SPF_FACT_ASKED;
	return fact;
}

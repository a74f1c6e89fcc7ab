/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/rests_table.h"

#include "milter/base/json_read.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct rests_reading {
	struct rests_table *table;
	char *error;
	size_t error_size;
};

static bool rests_table_fails(const struct rests_reading *reading, const char *where, size_t index,
			      const char *expected)
{
	snprintf(reading->error, reading->error_size, "it has in \"%s\", element %zu, something else than %s", where,
		 index, expected);
	return false;
}

/* Printable ASCII without blanks, quotes and backslashes: it stands in log lines, labels and events. */
static bool rests_table_name(const json_t *json, char *to, size_t size)
{
	const char *name = json_string_value(json);
	if (name == NULL || *name == '\0' || !text_copy(to, size, name))
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' || *name == '"' || *name == '\\')
			return false;
	return true;
}

static bool rests_table_time(const json_t *row, const char *name, int64_t *ms_out)
{
	const json_t *json = json_object_get(row, name);
	*ms_out = json_integer_value(json);
	return json_is_integer(json) && *ms_out >= 0;
}

static bool rests_table_real(const json_t *json, double most, double *out)
{
	*out = json_number_value(json);
	return json_is_number(json) && *out >= 0 && *out <= most;
}

static bool rests_table_state(const json_t *json, enum receiver_state *out)
{
	const char *word = json_string_value(json);
	for (int i = 0; word != NULL && i < RECEIVER_STATES; i++)
		if (strcmp(word, receiver_state_word((enum receiver_state)i)) == 0) {
			*out = (enum receiver_state)i;
			return true;
		}
	return false;
}

/* Counts of a kind that we do not know are a newer follower's. */
static bool rests_table_counts(const json_t *json, double counts[RECEIVER_COUNTS])
{
	for (int i = 0; i < RECEIVER_COUNTS; i++) {
		const json_t *count = json_object_get(json, receiver_count_word((enum receiver_count)i));
		if (count != NULL && !rests_table_real(count, 1e12, &counts[i]))
			return false;
	}
	return json_is_object(json);
}

static void rests_table_words(const json_t *json, char *to, size_t size)
{
	text_copy(to, size, json_is_string(json) ? json_string_value(json) : "");
	for (; *to != '\0'; to++)
		if (*to < ' ' || *to > '~')
			*to = '?';
}

static bool rests_table_add_row(const struct rests_reading *reading, size_t index, const json_t *json)
{
	struct rests_row *row = &reading->table->rows[index];
	int64_t latest_ms = reading->table->head.at_ms + (int64_t)RESTS_AHEAD_MAX_S * 1000;
	if (!rests_table_name(json_object_get(json, "transport"), row->transport, sizeof row->transport) ||
	    !rests_table_name(json_object_get(json, "receiver"), row->receiver, sizeof row->receiver))
		return rests_table_fails(reading, "rows", index, "a transport and a receiver");
	if (!rests_table_state(json_object_get(json, "state"), &row->row.state) ||
	    !rests_table_time(json, "since_ms", &row->row.since_ms) ||
	    !rests_table_time(json, "until_ms", &row->row.until_ms) || row->row.since_ms > latest_ms ||
	    row->row.until_ms > latest_ms)
		return rests_table_fails(reading, "rows", index, "a state and its times");
	if (!rests_table_real(json_object_get(json, "refused"), 1, &row->refused) ||
	    !rests_table_counts(json_object_get(json, "counts"), row->row.counts))
		return rests_table_fails(reading, "rows", index, "counts and their share");
	int64_t senders;
	if (rests_table_time(json, "senders", &senders))
		row->senders = senders < RECEIVER_SENDERS ? (int)senders : RECEIVER_SENDERS;
	if (!rests_table_time(json, "worded_ms", &row->row.worded_ms))
		row->row.worded_ms = 0;
	rests_table_words(json_object_get(json, "wording"), row->row.wording, sizeof row->row.wording);
	reading->table->row_count++;
	return true;
}

static bool rests_table_add_rows(const struct rests_reading *reading, const json_t *rows)
{
	size_t index, count = json_array_size(rows);
	json_t *row;
	if (!json_is_array(rows) || count > RESTS_ROWS_MAX) {
		snprintf(reading->error, reading->error_size, "it has no \"rows\", an array of at most %d",
			 RESTS_ROWS_MAX);
		return false;
	}
	reading->table->rows = calloc(count + 1, sizeof *reading->table->rows);
	if (reading->table->rows == NULL)
		return rests_table_fails(reading, "rows", 0, "there is memory for");
	json_array_foreach(rows, index, row) if (!rests_table_add_row(reading, index, row)) return false;
	return true;
}

static int rests_table_compare(const void *a, const void *b)
{
	return strcmp(((const struct rests_domain *)a)->name, ((const struct rests_domain *)b)->name);
}

static size_t rests_table_count_domains(json_t *domains)
{
	const char *receiver;
	json_t *list;
	size_t count = 0;
	json_object_foreach(domains, receiver, list) count += json_array_size(list);
	return count;
}

static bool rests_table_add_domains(const struct rests_reading *reading, json_t *domains)
{
	struct rests_table *table = reading->table;
	const char *receiver;
	json_t *list, *domain;
	size_t index, count = rests_table_count_domains(domains);
	if (!json_is_object(domains) || count > RESTS_DOMAINS_MAX) {
		snprintf(reading->error, reading->error_size, "it has no \"domains\", an object of at most %d",
			 RESTS_DOMAINS_MAX);
		return false;
	}
	table->domains = calloc(count + 1, sizeof *table->domains);
	if (table->domains == NULL)
		return rests_table_fails(reading, "domains", 0, "there is memory for");
	json_object_foreach(domains, receiver, list) json_array_foreach(list, index, domain)
	{
		struct rests_domain *row = &table->domains[table->domain_count++];
		if (!rests_table_name(domain, row->name, sizeof row->name) ||
		    !text_copy(row->receiver, sizeof row->receiver, receiver))
			return rests_table_fails(reading, "domains", index, "a domain");
	}
	qsort(table->domains, (size_t)table->domain_count, sizeof *table->domains, rests_table_compare);
	return true;
}

/* An older follower tells none; whatever else stands there is none. */
static void rests_table_add_troubles(struct rests_table *table, const json_t *troubles)
{
	size_t index;
	json_t *trouble;
	json_array_foreach(troubles, index, trouble) if (table->trouble_count < RESTS_TROUBLES_MAX)
		rests_table_words(trouble, table->troubles[table->trouble_count++], RESTS_TROUBLE_BYTES);
}

static bool rests_table_fill(const struct rests_reading *reading, const char *bytes, size_t length)
{
	size_t head = follow_head_read(bytes, length, &reading->table->head);
	if (head == 0) {
		snprintf(reading->error, reading->error_size,
			 "it does not begin with \"penstock-follow 1\" and six whole numbers");
		return false;
	}
	json_t *json = json_read(JSON_OF_FOLLOWER, bytes + head, length - head, reading->error, reading->error_size);
	bool filled = json != NULL && rests_table_add_rows(reading, json_object_get(json, "rows")) &&
		      rests_table_add_domains(reading, json_object_get(json, "domains"));
	if (filled)
		rests_table_add_troubles(reading->table, json_object_get(json, "troubles"));
	reading->table->quits = filled && json_is_true(json_object_get(json, "quits")); /* an older one never says it */
	json_decref(json);
	return filled;
}

struct rests_table *rests_table_read(const char *bytes, size_t length, char *error, size_t error_size)
{
	struct rests_reading reading = { calloc(1, sizeof *reading.table), error, error_size };
	if (reading.table == NULL) {
		snprintf(error, error_size, "it is more than there is memory for");
		return NULL;
	}
	atomic_store(&reading.table->references, 1);
	if (!rests_table_fill(&reading, bytes, length))
		rests_table_drop(&reading.table);
	return reading.table;
}

void rests_table_hold(struct rests_table *table)
{
	atomic_fetch_add(&table->references, 1);
}

void rests_table_drop(struct rests_table **table)
{
	struct rests_table *dropped = *table;
	*table = NULL;
	if (dropped == NULL || atomic_fetch_sub(&dropped->references, 1) > 1)
		return;
	free(dropped->rows);
	free(dropped->domains);
	free(dropped);
}

const char *rests_table_receiver(const struct rests_table *table, const char *domain)
{
	struct rests_domain wanted;
	if (!text_copy(wanted.name, sizeof wanted.name, domain))
		return NULL;
	const struct rests_domain *found = bsearch(&wanted, table->domains, (size_t)table->domain_count,
						   sizeof *table->domains, rests_table_compare);
	return found == NULL ? NULL : found->receiver;
}

const struct rests_row *rests_table_find(const struct rests_table *table, const char *transport, const char *receiver)
{
	for (int i = 0; i < table->row_count; i++)
		if (strcmp(table->rows[i].transport, transport) == 0 && strcmp(table->rows[i].receiver, receiver) == 0)
			return &table->rows[i];
	return NULL;
}

enum receiver_state rests_row_state(const struct rests_row *row, int64_t now_ms)
{
	return receiver_rests(&row->row, now_ms);
}

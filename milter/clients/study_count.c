/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/study_count.h"

#include "milter/base/own_hash.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SLOTS_FIRST = 1 << 14 };

/* ---- the table */

/* One to one, and 0 for 0 alone: multiplications by odd numbers, and shifts that can be undone. */
static uint64_t study_hash(const struct study_table *table, uint64_t client)
{
	uint64_t hash = client * table->odd[0];
	hash = (hash ^ hash >> 32) * table->odd[1];
	hash = (hash ^ hash >> 29) * table->odd[2];
	return hash ^ hash >> 32;
}

bool study_table_begin(struct study_table *table, size_t slots_most)
{
	*table = (struct study_table){ .to = UINT64_MAX, .slots_most = slots_most };
	for (uint64_t i = 0; i < 3; i++)
		table->odd[i] = own_hash(&i, sizeof i, 0x7374756479) | 1;
	table->slots = slots_most < SLOTS_FIRST ? slots_most : SLOTS_FIRST;
	table->clients = calloc(table->slots, sizeof *table->clients);
	return table->clients != NULL;
}

void study_table_end(struct study_table *table)
{
	free(table->clients);
	table->clients = NULL;
}

void study_table_next(struct study_table *table, uint64_t from)
{
	/* the part of the hash that fitted before fits again, more or less */
	uint64_t width = table->to - table->from;
	table->from = from;
	table->to = width < UINT64_MAX - from ? from + width : UINT64_MAX;
	table->count = 0;
	memset(table->clients, 0, table->slots * sizeof *table->clients);
}

/* Where `hash` is, or would be. */
static struct study_client *study_slot(struct study_client *clients, size_t slots, uint64_t hash)
{
	size_t at = (size_t)hash & (slots - 1);
	while (clients[at].hash != 0 && clients[at].hash != hash)
		at = (at + 1) & (slots - 1);
	return &clients[at];
}

/* A table of `slots` with all that are still in the range. */
static bool study_rebuild(struct study_table *table, size_t slots)
{
	struct study_client *clients = calloc(slots, sizeof *clients);
	if (clients == NULL)
		return false;
	table->count = 0;
	for (size_t i = 0; i < table->slots; i++) {
		const struct study_client *client = &table->clients[i];
		if (client->hash == 0 || client->hash > table->to)
			continue;
		*study_slot(clients, slots, client->hash) = *client;
		table->count++;
	}
	free(table->clients);
	table->clients = clients;
	table->slots = slots;
	return true;
}

static bool study_make_room(struct study_table *table)
{
	while (table->count >= table->slots - table->slots / 8) {
		bool grows = table->slots < table->slots_most;
		if (!grows)
			table->to = table->from + (table->to - table->from) / 2;
		if (!study_rebuild(table, grows ? table->slots * 2 : table->slots))
			return false;
	}
	return true;
}

static void study_note_first(uint32_t *first, uint32_t time_s)
{
	if (*first == 0 || time_s < *first)
		*first = time_s;
}

static void study_note_row(struct study_client *client, const struct history_row *row)
{
	switch ((enum history_kind)row->kind) {
	case HISTORY_REFUSED:
		study_note_first(&client->first_refused, row->time_s);
		client->refused += client->refused < UINT32_MAX ? 1 : 0;
		break;
	case HISTORY_SLOWED:
		client->slowed = (uint16_t)(client->slowed + (client->slowed < UINT16_MAX ? 1 : 0));
		break;
	case HISTORY_GAVE_UP:
		study_note_first(&client->first_gave_up, row->time_s);
		break;
	case HISTORY_TAKEN:
		client->taken = 1;
		break;
	}
}

bool study_table_add(struct study_table *table, const struct history_row *rows, int count)
{
	uint64_t hash[STUDY_ROWS_AT_ONCE];
	for (int i = 0; i < count; i++) {
		hash[i] = study_hash(table, rows[i].client);
		if (hash[i] >= table->from && hash[i] <= table->to)
			__builtin_prefetch(&table->clients[(size_t)hash[i] & (table->slots - 1)], 1);
	}
	for (int i = 0; i < count; i++) {
		if (hash[i] < table->from || hash[i] > table->to)
			continue;
		struct study_client *client = study_slot(table->clients, table->slots, hash[i]);
		if (client->hash == 0) {
			client->hash = hash[i];
			table->count++;
		}
		study_note_row(client, &rows[i]);
		if (!study_make_room(table))
			return false;
	}
	return true;
}

/* ---- rows of histograms */

/* clang-format off */
static const struct { const char *word; int64_t from; } spans[] = {
#define STUDY_ROW(id, word, from) { word, from },
	STUDY_SPAN_ROWS(STUDY_ROW)
}, times_rows[] = {
	STUDY_TIMES_ROWS(STUDY_ROW)
#undef STUDY_ROW
};
/* clang-format on */

const char *study_span_word(enum study_span_row row)
{
	return spans[row].word;
}

int64_t study_span_from(enum study_span_row row)
{
	return spans[row].from;
}

const char *study_times_word(enum study_times_row row)
{
	return times_rows[row].word;
}

uint64_t study_times_from(enum study_times_row row)
{
	return (uint64_t)times_rows[row].from;
}

/* ---- what is counted of a client */

static void study_count_span(struct study_span *span, uint64_t seconds)
{
	int row = STUDY_SPAN_COUNT - 1;
	while (row > 0 && seconds < (uint64_t)study_span_from((enum study_span_row)row))
		row--;
	span->row[row]++;
	span->least_s = span->clients == 0 || seconds < span->least_s ? seconds : span->least_s;
	span->most_s = seconds > span->most_s ? seconds : span->most_s;
	span->sum_s += seconds;
	span->clients++;
}

static void study_count_times(struct study_times *times, uint64_t count)
{
	int row = STUDY_TIMES_COUNT - 1;
	while (row > 0 && count < study_times_from((enum study_times_row)row))
		row--;
	times->row[row]++;
	times->most = count > times->most ? count : times->most;
	times->sum += count;
	times->clients++;
}

static void study_count_given_up(const struct study_client *client, struct study *study)
{
	uint32_t refused = client->first_refused, gave_up = client->first_gave_up;
	study->gave_up++;
	study->gave_up_taken += client->taken;
	if (refused == 0)
		study->gave_up_never_listed++;
	else if (gave_up < refused)
		study_count_span(&study->given_up_first, refused - gave_up);
	else
		study_count_span(&study->listed_first, gave_up - refused);
}

static void study_count_client(const struct study_client *client, struct study *study)
{
	/* its wait may stand in a file that is gone already */
	bool gave_up = client->first_gave_up != 0, slowed = client->slowed > 0 || gave_up,
	     refused = client->refused > 0;
	uint64_t times = client->slowed > 0 ? client->slowed : 1;
	study->clients++;
	if (refused)
		study_count_times(&study->refusals, client->refused);
	if (slowed && !refused) {
		study_count_times(&study->slowed_never_refused, times);
		study->slowed_below_10 += times < 10;
		study->slowed_below_5 += times < 5;
	}
	if (gave_up)
		study_count_given_up(client, study);
	else if (slowed && refused)
		study->refused_and_slowed++;
	else if (slowed)
		study->slowed_only++;
	else if (refused && client->taken)
		study->refused_and_taken++;
	else if (refused)
		study->always_refused++;
	else
		study->taken_only++;
}

void study_count(const struct study_table *table, struct study *study)
{
	for (size_t i = 0; i < table->slots; i++)
		if (table->clients[i].hash != 0)
			study_count_client(&table->clients[i], study);
}

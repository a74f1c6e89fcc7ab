/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What follow.c has learnt, as rows of the checkpoint file.
 */
#include "milter/follow/follow.h"

#include "milter/follow/checkpoint.h"

#include <string.h>

#include "policy/base/banned.h"

#define FOLLOW_ROW "follow"
#define FOLLOW_COUNT_ROW "count"
#define FOLLOW_KIND_ROW "kind"
#define FOLLOW_OUTCOME_ROW "outcome"
#define FOLLOW_CLIENT_ROW "client"
#define FOLLOW_STAGE_ROW "stage"

struct follow_count_row {
	const char *word;
	size_t offset; /* in struct follow_counts */
};

static const struct follow_count_row follow_count_rows[] = {
	{ "lines", offsetof(struct follow_counts, lines) },	  { "ours", offsetof(struct follow_counts, ours) },
	{ "others", offsetof(struct follow_counts, others) },	  { "lost", offsetof(struct follow_counts, lost) },
	{ "wordings", offsetof(struct follow_counts, wordings) },
};

enum { FOLLOW_COUNT_ROWS = sizeof follow_count_rows / sizeof *follow_count_rows };

static void follow_save_count(struct checkpoint *to, const char *row, const char *word, uint64_t count)
{
	if (count == 0)
		return;
	checkpoint_row_begin(to, row);
	checkpoint_add_string(to, word);
	checkpoint_add_int(to, (int64_t)count);
	checkpoint_row_end(to);
}

void follow_save(const struct follow *follow, struct checkpoint *to)
{
	checkpoint_row_begin(to, FOLLOW_ROW);
	checkpoint_add_int(to, (int64_t)follow->ordinal);
	checkpoint_add_int(to, follow->time_us);
	checkpoint_row_end(to);
	for (int i = 0; i < FOLLOW_COUNT_ROWS; i++) {
		uint64_t count;
		memcpy(&count, (const char *)&follow->counts + follow_count_rows[i].offset, sizeof count);
		follow_save_count(to, FOLLOW_COUNT_ROW, follow_count_rows[i].word, count);
	}
	for (int i = 0; i < LOG_KINDS; i++)
		follow_save_count(to, FOLLOW_KIND_ROW, log_kind_word((enum log_kind)i), follow->counts.kinds[i]);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		follow_save_count(to, FOLLOW_OUTCOME_ROW, outcome_word((enum outcome)i), follow->counts.outcomes[i]);
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		follow_save_count(to, FOLLOW_CLIENT_ROW, client_event_word((enum client_event)i),
				  follow->counts.clients[i]);
	for (int i = 0; i < CLIENT_STAGE_COUNT; i++)
		follow_save_count(to, FOLLOW_STAGE_ROW, client_stage_word((enum client_stage)i),
				  follow->counts.stages[i]);
	queue_map_save(follow->map, to);
	waiting_save(follow->waiting, to);
	sessions_save(follow->sessions, to);
	quits_save(follow->quits, to);
}

/* A count of a name that this version does not know is forgotten. */
static bool follow_load_count(struct follow *follow, const struct checkpoint_row *row)
{
	int64_t count;
	const char *word = checkpoint_string(row, 1);
	if (row->count != 3 || !checkpoint_int(row, 2, &count) || count < 0)
		return false;
	for (int i = 0; i < FOLLOW_COUNT_ROWS && span_is(row->fields[0], FOLLOW_COUNT_ROW); i++)
		if (strcmp(follow_count_rows[i].word, word) == 0)
			memcpy((char *)&follow->counts + follow_count_rows[i].offset, &count, sizeof count);
	for (int i = 0; i < LOG_KINDS && span_is(row->fields[0], FOLLOW_KIND_ROW); i++)
		if (strcmp(log_kind_word((enum log_kind)i), word) == 0)
			follow->counts.kinds[i] = (uint64_t)count;
	if (span_is(row->fields[0], FOLLOW_OUTCOME_ROW) && outcome_find(word) != OUTCOME_COUNT)
		follow->counts.outcomes[outcome_find(word)] = (uint64_t)count;
	if (span_is(row->fields[0], FOLLOW_CLIENT_ROW) && client_event_find(word) != CLIENT_EVENT_COUNT)
		follow->counts.clients[client_event_find(word)] = (uint64_t)count;
	if (span_is(row->fields[0], FOLLOW_STAGE_ROW) && client_stage_find(word) != CLIENT_STAGE_COUNT)
		follow->counts.stages[client_stage_find(word)] = (uint64_t)count;
	return true;
}

bool follow_load(struct follow *follow, const struct checkpoint_row *row)
{
	int64_t ordinal;
	struct span word = row->fields[0];
	if (span_is(word, FOLLOW_COUNT_ROW) || span_is(word, FOLLOW_KIND_ROW) || span_is(word, FOLLOW_OUTCOME_ROW) ||
	    span_is(word, FOLLOW_CLIENT_ROW) || span_is(word, FOLLOW_STAGE_ROW))
		return follow_load_count(follow, row);
	if (!span_is(word, FOLLOW_ROW))
		return queue_map_load(follow->map, row) || waiting_load(follow->waiting, row) ||
		       sessions_load(follow->sessions, row) || quits_load(follow->quits, row);
	if (row->count != 3 || !checkpoint_int(row, 1, &ordinal) || ordinal < 0 ||
	    !checkpoint_int(row, 2, &follow->time_us))
		return false;
	follow->ordinal = (uint64_t)ordinal;
	return true;
}

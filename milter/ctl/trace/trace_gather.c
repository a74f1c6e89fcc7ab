/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_gather.h"

#include "milter/ctl/tool/memory.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* One more element; the array grows by powers of two. */
static void *trace_gather_grow(void *array, int count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return have_memory(reallocarray(array, count == 0 ? 1 : (size_t)count * 2, size));
}

/* ---- queue ids */

void trace_ids_add(struct trace_ids *ids, const char *id)
{
	if (id == NULL)
		return;
	if (ids->set == NULL)
		ids->set = have_memory(json_object());
	if (json_object_get(ids->set, id) != NULL || json_object_set_new(ids->set, id, json_true()) != 0)
		return;
	ids->hashes = trace_gather_grow(ids->hashes, ids->count, sizeof *ids->hashes);
	ids->hashes[ids->count++] = trace_index_hash(TRACE_QUEUE_ID, id);
}

static bool trace_ids_have(const struct trace_ids *ids, const char *id)
{
	return id != NULL && json_object_get(ids->set, id) != NULL;
}

void trace_ids_free(struct trace_ids *ids)
{
	json_decref(ids->set);
	free(ids->hashes);
	*ids = (struct trace_ids){ 0 };
}

/* ---- stories */

const struct trace_kept *trace_story_head(const struct trace_story *story)
{
	return story->message != NULL ? story->message : story->deliveries[0];
}

int64_t trace_story_time(const struct trace_story *story)
{
	return trace_story_head(story)->row.time_ms;
}

static struct trace_story *trace_stories_new(struct trace_stories *stories)
{
	stories->at = trace_gather_grow(stories->at, stories->count, sizeof *stories->at);
	stories->at[stories->count] = (struct trace_story){ 0 };
	return &stories->at[stories->count++];
}

void trace_stories_add(struct trace_stories *stories, struct trace_kept *message)
{
	trace_stories_new(stories)->message = message;
	stories->rows++;
}

void trace_story_free(struct trace_story *story)
{
	free(story->message);
	for (int i = 0; i < story->count; i++)
		free(story->deliveries[i]);
	free(story->deliveries);
}

void trace_stories_free(struct trace_stories *stories)
{
	for (int i = 0; i < stories->count; i++)
		trace_story_free(&stories->at[i]);
	free(stories->at);
	*stories = (struct trace_stories){ 0 };
}

/* ---- gathering */

struct trace_gathering {
	struct trace_ids *ids;
	struct trace_stories *stories;
	json_t *story_of; /* by queue id: its last story's number */
	bool earlier;	  /* an id that came before is new among `ids` */
};

static int trace_gather_story_of(const struct trace_gathering *gathering, const char *id)
{
	const json_t *number = json_object_get(gathering->story_of, id);
	return number == NULL ? -1 : (int)json_integer_value(number);
}

static void trace_gather_set(struct trace_gathering *gathering, const char *id, int story)
{
	json_object_set_new(gathering->story_of, id, have_memory(json_integer(story)));
}

static void trace_gather_take(struct trace_gathering *gathering, struct trace_kept *kept)
{
	struct trace_stories *stories = gathering->stories;
	const struct trace_row *row = &kept->row;
	const char *id = row->value[TRACE_QUEUE_ID], *old = row->value[TRACE_OLD_ID];
	stories->rows++;
	if (row->kind == TRACE_MESSAGE) {
		trace_stories_new(stories)->message = kept;
		trace_gather_set(gathering, id, stories->count - 1);
		return;
	}
	int number = trace_gather_story_of(gathering, row->kind == TRACE_REQUEUED ? old : id);
	if (number < 0) {
		trace_stories_new(stories);
		number = stories->count - 1;
	}
	if (row->kind == TRACE_REQUEUED) {
		int before = gathering->ids->count;
		trace_ids_add(gathering->ids, old);
		gathering->earlier |= gathering->ids->count > before;
		trace_ids_add(gathering->ids, id);
	}
	trace_gather_set(gathering, id, number);
	struct trace_story *story = &stories->at[number];
	story->deliveries = trace_gather_grow(story->deliveries, story->count, sizeof(struct trace_kept *));
	story->deliveries[story->count++] = kept;
}

enum { IDS_ASKED = 2000 }; /* of so many most blocks have one: asking the filters costs more than reading */

static bool trace_gather_wants_block(const struct trace_ids *ids, const unsigned char *filter)
{
	if (ids->count > IDS_ASKED)
		return true;
	for (int i = 0; filter != NULL && i < ids->count; i++)
		if (trace_index_has(filter, ids->hashes[i]))
			return true;
	return filter == NULL;
}

static void trace_gather_block(struct trace_gathering *gathering, struct trace_scan *scan, int64_t block)
{
	struct trace_row row;
	int64_t at;
	if (!trace_scan_block(scan, block))
		return;
	while (trace_scan_row(scan, &row, &at))
		if (row.value[TRACE_QUEUE_ID] != NULL && (trace_ids_have(gathering->ids, row.value[TRACE_QUEUE_ID]) ||
							  trace_ids_have(gathering->ids, row.value[TRACE_OLD_ID])))
			trace_gather_take(gathering, trace_scan_keep(scan, block, at, &row));
}

bool trace_gather(const struct trace_days *days, int64_t first, int64_t last, struct trace_ids *ids,
		  struct trace_stories *stories)
{
	struct trace_gathering gathering = { ids, stories, have_memory(json_object()), false };
	for (int i = 0; i < days->count; i++) {
		struct trace_scan *scan =
			days->days[i] < first || days->days[i] > last ? NULL : trace_scan_open(days, days->days[i]);
		for (int64_t block = 0; scan != NULL && block < scan->blocks && !stories->cut; block++) {
			if (trace_gather_wants_block(ids, trace_scan_filter(scan, block)))
				trace_gather_block(&gathering, scan, block);
			stories->cut = stories->rows > TRACE_GATHER_MOST;
		}
		trace_scan_close(&scan);
	}
	json_decref(gathering.story_of);
	return gathering.earlier;
}

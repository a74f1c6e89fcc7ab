/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the newest block to the oldest, rows that the rarest term holds of are candidates. Some dozen at a time, all
 * rows of their queue ids are gathered, put together to stories, and held against the whole query.
 */
#include "milter/ctl/trace/trace_search.h"

#include "milter/ctl/tool/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	AT_ONCE_LEAST = 32,   /* candidates */
	AT_ONCE_MOST = 10000, /* each time the files are read once more; see TRACE_GATHER_MOST */
	DAYS_QUEUED = 8,      /* a message of more days ago is looked for where it is not found in these */
	DAY_SLACK = 1,	      /* rows of a day that stand in the next one's file */
};

struct trace_search {
	const struct trace_days *days;
	const struct trace_query *query;
	const struct trace_term *term; /* the rarest; NULL: all messages are wanted */
	struct trace_found *found;
	struct trace_ids ids; /* of the candidates ... */
	int64_t first_day;    /* ... the earliest day of their rows; 0: there are none */
	bool by_delivery;     /* one of them is no message's row */
	json_t *known;	      /* where what is found stands: "DAY AT" */
};

/* ---- stories against the query */

static bool trace_search_story_has(const struct trace_story *story, const struct trace_term *term)
{
	bool holds = story->message != NULL && trace_term_holds(term, &story->message->row);
	for (int i = 0; i < story->count && !holds; i++)
		holds = trace_term_holds(term, &story->deliveries[i]->row);
	return holds;
}

static bool trace_search_wants(const struct trace_search *search, const struct trace_story *story)
{
	int64_t time_ms = trace_story_time(story);
	if (time_ms < search->query->since_ms || time_ms >= search->query->until_ms)
		return false;
	for (int i = 0; i < search->query->count; i++)
		if (!trace_search_story_has(story, &search->query->terms[i]))
			return false;
	return true;
}

/* The first time that a story is seen? */
static bool trace_search_is_new(struct trace_search *search, const struct trace_kept *head)
{
	char place[50];
	snprintf(place, sizeof place, "%lld %lld", (long long)head->day, (long long)head->at);
	if (json_object_get(search->known, place) != NULL)
		return false;
	json_object_set_new(search->known, place, json_true());
	return true;
}

/* What is wanted goes over to what is found. */
static void trace_search_accept(struct trace_search *search, struct trace_stories *stories)
{
	struct trace_stories *found = &search->found->stories;
	for (int i = 0; i < stories->count; i++) {
		struct trace_story *story = &stories->at[i];
		if (!trace_search_wants(search, story) || !trace_search_is_new(search, trace_story_head(story)))
			continue;
		int64_t rows = found->rows + story->count + 1;
		trace_stories_add(found, NULL);
		found->at[found->count - 1] = *story;
		found->rows = rows;
		*story = (struct trace_story){ 0 };
	}
	search->found->more |= stories->cut || found->rows > TRACE_GATHER_MOST;
}

/* ---- candidates */

static bool trace_search_has_headless(const struct trace_search *search, const struct trace_stories *stories)
{
	for (int i = 0; i < stories->count; i++)
		if (stories->at[i].message == NULL && stories->at[i].count > 0 &&
		    trace_search_wants(search, &stories->at[i]))
			return true;
	return false;
}

static void trace_search_resolve(struct trace_search *search)
{
	struct trace_stories stories = { 0 };
	int64_t first = search->first_day - (search->by_delivery ? DAYS_QUEUED : 0), last = INT64_MAX;
	if (search->ids.count == 0)
		return;
	bool earlier = trace_gather(search->days, first, last, &search->ids, &stories);
	for (int again = 0; again < 3 && (earlier || (again == 0 && trace_search_has_headless(search, &stories)));
	     again++) {
		trace_stories_free(&stories);
		earlier = trace_gather(search->days, 0, last, &search->ids, &stories);
	}
	trace_search_accept(search, &stories);
	trace_stories_free(&stories);
	trace_ids_free(&search->ids);
	search->first_day = 0;
	search->by_delivery = false;
}

static bool trace_search_is_candidate(const struct trace_search *search, const struct trace_row *row)
{
	bool message = row->kind == TRACE_MESSAGE;
	if (row->time_ms < search->query->since_ms || (message && row->time_ms >= search->query->until_ms))
		return false;
	return search->term == NULL ? message : trace_term_holds(search->term, row);
}

static void trace_search_add(struct trace_search *search, int64_t day, const struct trace_kept *kept)
{
	trace_ids_add(&search->ids, kept->row.value[TRACE_QUEUE_ID]);
	trace_ids_add(&search->ids, kept->row.value[TRACE_OLD_ID]);
	search->first_day = search->first_day == 0 || day < search->first_day ? day : search->first_day;
	search->by_delivery |= kept->row.kind != TRACE_MESSAGE;
}

/* A message that was refused before it had a queue id is its whole story. */
static void trace_search_take(struct trace_search *search, struct trace_kept *kept)
{
	struct trace_stories alone = { 0 };
	if (kept->row.value[TRACE_QUEUE_ID] != NULL) {
		trace_search_add(search, kept->day, kept);
		free(kept);
		return;
	}
	trace_stories_add(&alone, kept);
	trace_search_accept(search, &alone);
	trace_stories_free(&alone);
}

static int trace_search_at_once(const struct trace_search *search)
{
	int64_t most = search->query->most;
	return most < AT_ONCE_LEAST ? AT_ONCE_LEAST : most > AT_ONCE_MOST ? AT_ONCE_MOST : (int)most;
}

static bool trace_search_is_full(const struct trace_search *search)
{
	return search->found->more || search->found->stories.count > search->query->most;
}

static void trace_search_block(struct trace_search *search, struct trace_scan *scan, int64_t block)
{
	struct trace_kept **kept = NULL;
	int count = 0, room = 0;
	struct trace_row row;
	int64_t at;
	if (!trace_scan_block(scan, block))
		return;
	while (trace_scan_row(scan, &row, &at)) {
		if (!trace_search_is_candidate(search, &row))
			continue;
		if (count == room) {
			room = room * 2 + 16;
			kept = have_memory(reallocarray(kept, (size_t)room, sizeof(struct trace_kept *)));
		}
		kept[count++] = trace_scan_keep(scan, block, at, &row);
	}
	while (count > 0) {
		trace_search_take(search, kept[--count]);
		if (search->ids.count >= trace_search_at_once(search) && !trace_search_is_full(search))
			trace_search_resolve(search);
	}
	free(kept);
}

static bool trace_search_wants_block(const struct trace_search *search, const unsigned char *filter)
{
	if (filter == NULL || search->term == NULL)
		return true;
	for (int i = 0; i < search->term->count; i++)
		if (trace_index_has(filter, search->term->choices[i].hash))
			return true;
	return false;
}

static void trace_search_day(struct trace_search *search, int64_t day)
{
	struct trace_scan *scan = trace_scan_open(search->days, day);
	for (int64_t block = scan == NULL ? 0 : scan->blocks; block-- > 0 && !trace_search_is_full(search);)
		if (trace_search_wants_block(search, trace_scan_filter(scan, block)))
			trace_search_block(search, scan, block);
	trace_scan_close(&scan);
}

/* ---- */

static int trace_search_newest_first(const void *left, const void *right)
{
	const struct trace_story *a = left, *b = right;
	int64_t x = trace_story_time(a), y = trace_story_time(b);
	const struct trace_kept *p = trace_story_head(a), *q = trace_story_head(b);
	if (x == y) /* the log of a second: the later row is the newer message */
		return p->day != q->day ? (p->day < q->day) - (p->day > q->day) : (p->at < q->at) - (p->at > q->at);
	return (x < y) - (x > y);
}

static void trace_search_sort(struct trace_found *found, int64_t most)
{
	struct trace_stories *stories = &found->stories;
	if (stories->count > 0)
		qsort(stories->at, (size_t)stories->count, sizeof *stories->at, trace_search_newest_first);
	found->more |= stories->count > most;
	while (stories->count > most)
		trace_story_free(&stories->at[--stories->count]);
}

void trace_search(const struct trace_days *days, const struct trace_query *query, struct trace_found *found_out)
{
	struct trace_search search = { days, query, trace_query_best(query), found_out, { 0 }, 0, false, NULL };
	int64_t first = trace_day_of(query->since_ms), last = INT64_MAX;
	*found_out = (struct trace_found){ 0 };
	search.known = have_memory(json_object());
	if (search.term == NULL || !search.term->later)
		last = trace_day_of(query->until_ms) + DAY_SLACK;
	for (int i = days->count; i-- > 0 && !trace_search_is_full(&search);)
		if (days->days[i] >= first && days->days[i] <= last)
			trace_search_day(&search, days->days[i]);
	trace_search_resolve(&search);
	json_decref(search.known);
	trace_search_sort(found_out, query->most);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Streams and sorted sets of the Redis in memory, as far as the daemon uses them.
 */
#include "t/fake/redis_call.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- streams */

struct stream_id {
	int64_t ms, number;
};

/* Below 0: `a` is older. */
static int compare_ids(struct stream_id a, struct stream_id b)
{
	if (a.ms != b.ms)
		return a.ms < b.ms ? -1 : 1;
	return a.number < b.number ? -1 : a.number > b.number;
}

static bool read_id(struct fake_word word, int64_t number, struct stream_id *id_out)
{
	const char *dash = memchr(word.at, '-', word.length);
	size_t first = dash != NULL ? (size_t)(dash - word.at) : word.length;
	id_out->number = number;
	return redis_to_int((struct fake_word){ word.at, first }, &id_out->ms) &&
	       (dash == NULL || redis_to_int((struct fake_word){ dash + 1, word.length - first - 1 }, &id_out->number));
}

/* Where the id stands; what comes before it says how much is kept, which is at least what a scenario adds. */
static int find_id(const struct redis_call *call)
{
	int at = 2;
	while (at < call->argc && (redis_word_is(call->argv[at], "NOMKSTREAM")))
		at++;
	if (at < call->argc && (redis_word_is(call->argv[at], "MAXLEN") || redis_word_is(call->argv[at], "MINID"))) {
		at++;
		at += at < call->argc && (redis_word_is(call->argv[at], "~") || redis_word_is(call->argv[at], "="));
		at++;
		at += at < call->argc && redis_word_is(call->argv[at], "LIMIT") ? 2 : 0;
	}
	return at;
}

/* False: the error was said. */
static bool stream_next_id(struct redis_call *call, int at, struct stream_id *id_out)
{
	const struct redis_key *key = redis_call_find(call, 1);
	struct stream_id last = { 0, 0 };
	if (key != NULL && key->items != NULL)
		last = (struct stream_id){ key->items->ms, key->items->number };
	if (redis_word_is(call->argv[at], "*")) {
		*id_out = (struct stream_id){ call->data->now_ms(), 0 };
		if (compare_ids(*id_out, last) <= 0)
			*id_out = (struct stream_id){ last.ms, last.number + 1 };
		return true;
	}
	if (!read_id(call->argv[at], 0, id_out)) {
		redis_say_error(call, "ERR Invalid stream ID specified as stream command argument");
		return false;
	}
	if (compare_ids(*id_out, last) > 0)
		return true;
	redis_say_error(call, "ERR The ID specified in XADD is equal or smaller than the target stream top item");
	return false;
}

static void stream_say_id(struct redis_call *call, const struct redis_item *entry)
{
	char id[48];
	snprintf(id, sizeof id, "%lld-%lld", (long long)entry->ms, (long long)entry->number);
	redis_say_text(call, id);
}

static void do_xadd(struct redis_call *call)
{
	int at = find_id(call);
	struct stream_id id;
	if (call->argc - at < 3 || (call->argc - at) % 2 != 1) {
		redis_say_error(call, "ERR wrong number of arguments for 'xadd' command");
		return;
	}
	if (!stream_next_id(call, at, &id))
		return;
	struct redis_key *key = redis_call_get(call, 1, REDIS_STREAM);
	struct redis_item *entry = redis_item_add(key, &key->items, (struct fake_word){ "", 0 });
	struct redis_call words = *call;
	words.out = &entry->value;
	entry->ms = id.ms;
	entry->number = id.number;
	redis_say_array(&words, call->argc - at - 1);
	for (int i = at + 1; i < call->argc; i++)
		redis_say_bulk(&words, call->argv[i].at, call->argv[i].length);
	stream_say_id(call, entry);
}

struct stream_range {
	struct stream_id end, start;
	bool end_open, start_open; /* ... left out themselves */
};

/* A side of the range; ( in front of it leaves it out. */
static bool read_side(struct fake_word word, bool end, struct stream_id *id_out, bool *open_out)
{
	*open_out = word.length > 0 && word.at[0] == '(';
	if (redis_word_is(word, "+"))
		*id_out = (struct stream_id){ INT64_MAX, INT64_MAX };
	else if (redis_word_is(word, "-"))
		*id_out = (struct stream_id){ 0, 0 };
	else
		return read_id((struct fake_word){ word.at + *open_out, word.length - *open_out }, end ? INT64_MAX : 0,
			       id_out);
	return true;
}

/* Those of the range, the newest first; the caller frees the list. */
static const struct redis_item **stream_within(const struct redis_key *key, const struct stream_range *range,
					       int64_t *count_out)
{
	const struct redis_item **found = calloc((size_t)(key != NULL ? key->count : 0) + 1, sizeof *found);
	int64_t count = 0;
	for (const struct redis_item *entry = key != NULL ? key->items : NULL; entry != NULL && found != NULL;
	     entry = entry->next) {
		struct stream_id id = { entry->ms, entry->number };
		if (compare_ids(id, range->end) <= -(int)range->end_open &&
		    compare_ids(id, range->start) >= (int)range->start_open)
			found[count++] = entry;
	}
	*count_out = count;
	return found;
}

/* XRANGE key start end COUNT n, XREVRANGE key end start COUNT n */
static void stream_say_range(struct redis_call *call, bool oldest_first)
{
	struct stream_range range;
	int64_t most = INT64_MAX, count;
	if (!read_side(call->argv[oldest_first ? 3 : 2], true, &range.end, &range.end_open) ||
	    !read_side(call->argv[oldest_first ? 2 : 3], false, &range.start, &range.start_open)) {
		redis_say_error(call, "ERR Invalid stream ID specified as stream command argument");
		return;
	}
	if (call->argc != 4 && (call->argc != 6 || !redis_word_is(call->argv[4], "COUNT"))) {
		redis_say_error(call, REDIS_SYNTAX);
		return;
	}
	if (call->argc == 6 && !redis_to_int(call->argv[5], &most)) {
		redis_say_error(call, REDIS_NO_INTEGER);
		return;
	}
	const struct redis_item **found = stream_within(redis_call_find(call, 1), &range, &count);
	int64_t said = most <= 0 ? -1 : count < most ? count : most; /* -1: nil */
	redis_say_array(call, said);
	for (int64_t i = 0; i < said; i++) {
		const struct redis_item *entry = found[oldest_first ? count - 1 - i : i];
		redis_say_array(call, 2);
		stream_say_id(call, entry);
		fake_bytes_add(call->out, entry->value.at, entry->value.length);
	}
	free(found);
}

static void do_xrange(struct redis_call *call)
{
	stream_say_range(call, true);
}

static void do_xrevrange(struct redis_call *call)
{
	stream_say_range(call, false);
}

/* ---- sorted sets */

static bool read_double(struct fake_word word, double *number_out)
{
	char text[60], *end;
	if (word.length == 0 || word.length >= sizeof text)
		return false;
	memcpy(text, word.at, word.length);
	text[word.length] = '\0';
	*number_out = strtod(text, &end);
	return *end == '\0' && strchr("\t\n ", text[0]) == NULL && !isnan(*number_out);
}

static void sorted_put(struct redis_key *key, struct fake_word member, double score)
{
	struct redis_item **at = &key->items;
	for (; *at != NULL; at = &(*at)->next) {
		size_t common = (*at)->name.length < member.length ? (*at)->name.length : member.length;
		int order = memcmp((*at)->name.at, member.at, common);
		bool behind = order > 0 || (order == 0 && (*at)->name.length > member.length);
		if ((*at)->score > score || (!((*at)->score < score) && behind))
			break;
	}
	redis_item_add(key, at, member)->score = score;
}

static void do_zadd(struct redis_call *call)
{
	int64_t added = 0;
	double score;
	if (call->argc % 2 != 0) {
		redis_say_error(call, REDIS_SYNTAX);
		return;
	}
	for (int i = 2; i < call->argc; i += 2)
		if (!read_double(call->argv[i], &score)) {
			redis_say_error(call, "ERR value is not a valid float");
			return;
		}
	struct redis_key *key = redis_call_get(call, 1, REDIS_SORTED);
	for (int i = 2; i < call->argc; i += 2) {
		struct redis_item **at = redis_item_at(key, call->argv[i + 1]);
		read_double(call->argv[i], &score);
		added += *at == NULL;
		if (*at != NULL)
			redis_item_remove(key, at);
		sorted_put(key, call->argv[i + 1], score);
	}
	redis_say_int(call, added);
}

static void do_zrem(struct redis_call *call)
{
	int64_t removed = 0;
	struct redis_key *key = redis_call_find(call, 1);
	for (int i = 2; key != NULL && i < call->argc; i++) {
		struct redis_item **at = redis_item_at(key, call->argv[i]);
		removed += *at != NULL;
		if (*at != NULL)
			redis_item_remove(key, at);
	}
	if (key != NULL && key->count == 0)
		redis_remove(call->data, key);
	redis_say_int(call, removed);
}

/* ZCARD and XLEN */
static void do_count(struct redis_call *call)
{
	const struct redis_key *key = redis_call_find(call, 1);
	redis_say_int(call, key != NULL ? key->count : 0);
}

struct score_range {
	double least, most;
	bool least_open, most_open;
	bool scores;
	int64_t skip, count;
};

static bool read_bound(struct fake_word word, double *bound_out, bool *open_out)
{
	*open_out = word.length > 0 && word.at[0] == '(';
	return read_double((struct fake_word){ word.at + *open_out, word.length - *open_out }, bound_out);
}

/* False: the error was said. */
static bool sorted_read_range(struct redis_call *call, struct score_range *range_out)
{
	*range_out = (struct score_range){ .count = -1 };
	for (int i = 4; i < call->argc; i++) {
		if (redis_word_is(call->argv[i], "WITHSCORES")) {
			range_out->scores = true;
		} else if (redis_word_is(call->argv[i], "LIMIT") && i + 2 < call->argc) {
			if (!redis_to_int(call->argv[i + 1], &range_out->skip) ||
			    !redis_to_int(call->argv[i + 2], &range_out->count)) {
				redis_say_error(call, REDIS_NO_INTEGER);
				return false;
			}
			i += 2;
		} else {
			redis_say_error(call, REDIS_SYNTAX);
			return false;
		}
	}
	if (read_bound(call->argv[2], &range_out->least, &range_out->least_open) &&
	    read_bound(call->argv[3], &range_out->most, &range_out->most_open))
		return true;
	redis_say_error(call, "ERR min or max is not a float");
	return false;
}

static bool in_range(const struct score_range *range, double score)
{
	return (range->least_open ? score > range->least : score >= range->least) &&
	       (range->most_open ? score < range->most : score <= range->most);
}

static void sorted_say(struct redis_call *call, const struct redis_item *item, bool score)
{
	char text[400];
	redis_say_bulk(call, item->name.at, item->name.length);
	if (!score)
		return;
	snprintf(text, sizeof text, "%.17g", item->score);
	redis_say_text(call, text);
}

/* ZRANGEBYSCORE key least most [WITHSCORES] [LIMIT offset count] */
static void do_zrange(struct redis_call *call)
{
	struct score_range range;
	if (!sorted_read_range(call, &range))
		return;
	const struct redis_key *key = redis_call_find(call, 1);
	struct fake_bytes rows = { 0 };
	struct redis_call inside = *call;
	int64_t found = 0, skip = range.skip;
	inside.out = &rows;
	for (const struct redis_item *item = key != NULL && skip >= 0 ? key->items : NULL; item != NULL;
	     item = item->next) {
		if (!in_range(&range, item->score) || skip-- > 0)
			continue;
		if (range.count >= 0 && found == range.count)
			break;
		found++;
		sorted_say(&inside, item, range.scores);
	}
	redis_say_array(call, range.scores ? 2 * found : found);
	fake_bytes_add(call->out, rows.at, rows.length);
	fake_bytes_free(&rows);
}

/* clang-format off */
const struct redis_command redis_lists[] = {
	{ "XADD", -5, REDIS_STREAM, true, do_xadd },
	{ "XRANGE", -4, REDIS_STREAM, false, do_xrange },
	{ "XREVRANGE", -4, REDIS_STREAM, false, do_xrevrange },
	{ "XLEN", 2, REDIS_STREAM, false, do_count },
	{ "ZADD", -4, REDIS_SORTED, true, do_zadd },
	{ "ZREM", -3, REDIS_SORTED, true, do_zrem },
	{ "ZCARD", 2, REDIS_SORTED, false, do_count },
	{ "ZRANGEBYSCORE", -4, REDIS_SORTED, false, do_zrange },
	{ NULL, 0, REDIS_ANY, false, NULL },
};
/* clang-format on */

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_held.h"

#include "milter/base/clock.h"
#include "milter/control/control_request.h"
#include "milter/daemon/daemon.h"
#include "milter/base/exchange.h"
#include "milter/record/held.h"
#include "milter/base/json.h"
#include "redis-schema/store/store.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static void answer_error(struct exchange_call *call, const char *sentence)
{
	control_send(call, json_pack("{s:o}", "error", json_text(sentence)));
}

static json_t *control_held_row_of(const struct held *held, const char *member, int64_t until_s)
{
	json_t *row = json_object();
	json_set_text(row, "member", member);
	json_set_text(row, "node", held->node);
	json_set_text(row, "queue_id", held->queue_id);
	json_set_text(row, "ref", held->reference);
	json_set_text(row, "account", held->account);
	json_object_set_new(row, "until", until_s >= HELD_NEVER_S ? json_null() : json_integer((json_int_t)until_s));
	json_object_set_new(row, "due", json_boolean(until_s <= clock_now_ms() / 1000));
	return row;
}

/* Anybody may have written a score, and not all of them are times. */
static int64_t time_of(const char *score)
{
	double seconds = strtod(score, NULL);
	return seconds >= (double)HELD_NEVER_S ? HELD_NEVER_S : seconds > 0 ? (int64_t)seconds : 0;
}

json_t *control_held_rows(int count, const char *const *items, int64_t *strange_out)
{
	json_t *rows = json_array();
	*strange_out = 0;
	for (int i = 0; i + 1 < count; i += 2) {
		struct held held;
		json_t *member = items[i] != NULL && items[i + 1] != NULL ? json_string(items[i]) : NULL;
		if (member != NULL && held_read(items[i], &held)) /* NULL: no UTF-8 */
			json_array_append_new(rows, control_held_row_of(&held, items[i], time_of(items[i + 1])));
		else
			(*strange_out)++;
		json_decref(member);
	}
	return rows;
}

static void control_held_on_listed(void *arg, const char *error, int count, const char *const *items)
{
	struct exchange_call *call = arg;
	char sentence[300];
	int64_t strange;
	json_t *rows = control_held_rows(count, items, &strange);
	if (error != NULL) {
		json_decref(rows);
		control_read_error(sentence, sizeof sentence, "held.list", "the list", error);
		answer_error(call, sentence);
		return;
	}
	held_count();
	control_send(call, json_pack("{s:s, s:I, s:I, s:b, s:o, s:b}", "node", the_daemon.node, "not_listed_yet",
				     (json_int_t)held_stats().waiting, "strange", (json_int_t)strange, "more",
				     count == 2 * CONTROL_HELD_LIST_MAX, "held", rows, "ok", true));
}

bool control_held_list(struct exchange_call *call, const json_t *request, char *error, size_t error_size)
{
	const json_t *due = json_object_get(request, "due"), *skip = json_object_get(request, "skip");
	char before[24] = "+inf", from[24] = "0", most[24];
	json_int_t skipped = json_integer_value(skip);
	if (due != NULL && !json_is_boolean(due)) {
		snprintf(error, error_size, "held.list: \"due\": expected true or false.");
		return false;
	}
	if (skip != NULL && (!json_is_integer(skip) || skipped < 0 || skipped > 1000000)) {
		snprintf(error, error_size, "held.list: \"skip\": expected a whole number from 0 to 1000000.");
		return false;
	}
	if (json_is_true(due))
		snprintf(before, sizeof before, "%lld", (long long)(clock_now_ms() / 1000));
	snprintf(from, sizeof from, "%lld", (long long)skipped);
	snprintf(most, sizeof most, "%d", CONTROL_HELD_LIST_MAX);
	store_key_command(
		the_daemon.store, 8,
		(const char *[]){ "ZRANGEBYSCORE", "held", "-inf", before, "WITHSCORES", "LIMIT", from, most },
		control_held_on_listed, call);
	return true;
}

static void control_held_on_removed(void *arg, const char *error, int count, const char *const *items)
{
	struct exchange_call *call = arg;
	char sentence[300];
	int64_t removed = 0;
	if (error != NULL) {
		snprintf(sentence, sizeof sentence, "held.remove: Redis did not confirm it: %.200s.", error);
		answer_error(call, sentence);
		return;
	}
	if (count == 1 && items[0] != NULL)
		text_to_int(items[0], 0, INT64_MAX, &removed);
	held_count();
	control_send(call, json_pack("{s:I, s:b}", "removed", (json_int_t)removed, "ok", true));
}

bool control_held_remove(struct exchange_call *call, const json_t *request, char *error, size_t error_size)
{
	const json_t *members = json_object_get(request, "members");
	const char *argv[2 + CONTROL_HELD_REMOVE_MAX] = { "ZREM", "held" };
	size_t count = json_array_size(members);
	for (size_t i = 0; i < count && i < CONTROL_HELD_REMOVE_MAX; i++) {
		argv[2 + i] = json_string_value(json_array_get(members, i));
		if (argv[2 + i] == NULL)
			count = 0;
	}
	if (count < 1 || count > CONTROL_HELD_REMOVE_MAX) {
		snprintf(error, error_size,
			 "held.remove: \"members\": expected 1 to %d strings, as held.list gives them.",
			 CONTROL_HELD_REMOVE_MAX);
		return false;
	}
	store_key_command(the_daemon.store, 2 + (int)count, argv, control_held_on_removed, call);
	return true;
}

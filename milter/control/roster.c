/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/roster.h"

#include "milter/base/clock.h"
#include "milter/control/roster_inside.h"
#include "milter/base/exchange.h"
#include "milter/base/idn.h"
#include "milter/report/report.h"
#include "milter/base/json.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { PROGRESS_EVERY = 20000 }; /* keys */

static int under_way; /* the loop thread's */

/* ---- to the client */

void roster_send(struct roster *roster, json_t *json)
{
	json_write(roster->line, json);
	if (!exchange_send(roster->call, roster->line))
		roster->paused = true;
}

static void send_begin(struct roster *roster, long long keys)
{
	roster_send(roster, json_pack("{s:s, s:I}", "type", "begin", "keys", (json_int_t)keys));
}

static void roster_send_progress(struct roster *roster)
{
	if (roster->looked_at - roster->told_at < PROGRESS_EVERY)
		return;
	roster->told_at = roster->looked_at;
	roster_send(roster, json_pack("{s:s, s:I, s:I}", "type", "progress", "looked_at", (json_int_t)roster->looked_at,
				      "found", (json_int_t)roster->found));
}

static void roster_finish(struct roster *roster)
{
	json_write(roster->line, json_pack("{s:s, s:I, s:I, s:o}", "type", "end", "looked_at",
					   (json_int_t)roster->looked_at, "found", (json_int_t)roster->found, "error",
					   roster->error[0] != '\0' ? json_text(roster->error) : json_null()));
	exchange_answer(roster->call, roster->line);
	evbuffer_free(roster->line);
	setup_drop(&roster->setup);
	while (roster->key_count > 0)
		free(roster->keys[--roster->key_count]);
	free(roster->keys);
	free(roster);
	under_way--;
}

void roster_fail(struct roster *roster, const char *error)
{
	if (roster->error[0] == '\0')
		snprintf(roster->error, sizeof roster->error, "not all keys could be read: %.200s", error);
	roster->over = true;
}

/* ---- one key */

bool roster_read_key(const struct roster *roster, const char *key, struct roster_key *key_out)
{
	static const char *const parts[ROSTER_PARTS] = {
		[ROSTER_PART_BLOCK] = KEY_PART_BLOCK,
		[ROSTER_PART_EXEMPT] = KEY_PART_EXEMPT,
		[ROSTER_PART_STATE] = KEY_PART_STATE,
		[ROSTER_PART_LIMITS] = KEY_PART_LIMITS,
	};
	size_t prefix = strlen(roster->setup->config->set.redis_prefix) + 1, length = strlen(key);
	const char *colon = strrchr(key, ':');
	if (length <= prefix || colon == NULL || colon < key + prefix)
		return false;
	for (int i = 0; i < ROSTER_PARTS; i++)
		if (strcmp(colon + 1, parts[i]) == 0) {
			key_out->part = (enum roster_part)i;
			key_out->word = parts[i];
			size_t name = (size_t)(colon - key) - prefix;
			key_out->braces = name > 2 && key[prefix] == '{' && colon[-1] == '}';
			if (key_out->braces) {
				prefix++;
				name -= 2;
			}
			if (name > ACCOUNT_MAX)
				return false;
			memcpy(key_out->name, key + prefix, name);
			key_out->name[name] = '\0';
			return true;
		}
	return false;
}

/* A plus may begin a tag, or stand in a certificate's or a network's name, which have none. */
bool roster_name_right(const char *name, char right[ACCOUNT_MAX + 1], const char **expected_out)
{
	*expected_out = idn_typed(name, false, right);
	return *expected_out == NULL && strcmp(name, right) == 0;
}

/* ---- the pieces */

static void roster_on_piece(void *arg, const char *error, int count, const char *const *items)
{
	struct roster *roster = arg;
	roster->in_flight--;
	if (error != NULL || count < 1 || items[0] == NULL) {
		roster_fail(roster, error != NULL ? error : "its answer is none of SCAN");
		roster_go_on(roster);
		return;
	}
	text_copy(roster->cursor, sizeof roster->cursor, items[0]);
	roster->over |= strcmp(items[0], "0") == 0;
	roster->looked_at += ROSTER_PIECE;
	if (roster->over && roster->all_keys > 0)
		roster->looked_at = roster->all_keys;
	roster->keys = calloc((size_t)count, sizeof roster->keys[0]);
	for (int i = 1; roster->keys != NULL && i < count; i++)
		if (items[i] != NULL && (roster->keys[roster->key_count] = strdup(items[i])) != NULL)
			roster->key_count++;
	roster->key_at = 0;
	roster_send_progress(roster);
	roster_go_on(roster);
}

static void roster_next_piece(struct roster *roster)
{
	while (roster->key_count > 0)
		free(roster->keys[--roster->key_count]);
	free(roster->keys);
	roster->keys = NULL;
	roster->key_at = 0;
	roster->in_flight++;
	store_scan(the_daemon.store, roster->cursor, roster->pattern, ROSTER_PIECE, roster_on_piece, roster);
}

static bool may_go_on(const struct roster *roster)
{
	return !roster->gone && roster->error[0] == '\0';
}

/* Begins whatever may be begun; the last question that is answered comes here, too. Where there is no memory, a
 * question may be answered before it was asked: not so deep. */
void roster_go_on(struct roster *roster)
{
	if (roster->going)
		return;
	roster->going = true;
	while (may_go_on(roster) && !roster->paused && roster->key_at < roster->key_count &&
	       roster->in_flight < ROSTER_AT_ONCE)
		roster->take(roster, roster->keys[roster->key_at++]);
	roster->going = false;
	if (roster->in_flight > 0 || (roster->paused && may_go_on(roster)))
		return;
	if (may_go_on(roster) && !roster->over)
		roster_next_piece(roster);
	else if (may_go_on(roster) && roster->behind != NULL)
		roster->behind(roster);
	else
		roster_finish(roster);
}

/* The roster may be gone afterwards. */
static bool roster_wake(struct roster *roster)
{
	void (*run)(void *arg) = roster->wake;
	roster->wake = NULL;
	if (run != NULL)
		run(roster->wake_arg);
	return run != NULL;
}

static void roster_on_gone(void *arg)
{
	struct roster *roster = arg;
	roster->gone = true;
	if (!roster_wake(roster) && roster->in_flight == 0)
		roster_finish(roster);
}

static void roster_on_drained(void *arg)
{
	struct roster *roster = arg;
	roster->paused = false;
	if (!roster_wake(roster) && roster->in_flight == 0)
		roster_go_on(roster);
}

static void roster_on_size(void *arg, const char *error, int count, const char *const *items)
{
	struct roster *roster = arg;
	roster->in_flight--;
	if (error == NULL && count == 1 && items[0] != NULL)
		text_to_int(items[0], 0, INT64_MAX, &roster->all_keys);
	send_begin(roster, (long long)roster->all_keys);
	roster_go_on(roster);
}

struct roster *roster_new(struct exchange_call *call, const char *word, char *error, size_t error_size)
{
	struct roster *roster = under_way < ROSTERS_MAX ? calloc(1, sizeof *roster) : NULL;
	if (roster != NULL && (roster->line = evbuffer_new()) == NULL) {
		free(roster);
		roster = NULL;
	}
	if (roster == NULL) {
		snprintf(error, error_size, "%s: %d are under way already, or the daemon is out of memory; try again.",
			 word, under_way);
		return NULL;
	}
	roster->call = call;
	roster->setup = setup_hold();
	text_copy(roster->cursor, sizeof roster->cursor, "0");
	under_way++;
	return roster;
}

void roster_begin(struct roster *roster)
{
	struct exchange_stream stream = { roster_on_gone, roster_on_drained, roster };
	exchange_begin(roster->call, &stream);
	roster->in_flight++;
	store_size(the_daemon.store, roster_on_size, roster);
}

/* ---- account.list */

/* One account that is asked about. */
struct roster_item {
	struct roster *roster;
	struct roster_key key;
	json_t *row; /* owned */
};

static void roster_item_end(struct roster_item *item)
{
	struct roster *roster = item->roster;
	json_decref(item->row);
	free(item);
	roster->in_flight--;
	roster_go_on(roster);
}

static void roster_on_ends(void *arg, const char *error, int count, const char *const *items)
{
	struct roster_item *item = arg;
	struct roster *roster = item->roster;
	int64_t left_ms;
	if (error == NULL && count == 1 && items[0] != NULL && text_to_int(items[0], 0, INT64_MAX / 2, &left_ms))
		json_set_int(item->row, "ends", (clock_now_ms() + left_ms) / 1000);
	else
		json_object_set_new(item->row, "ends", json_null());
	roster->found++;
	roster_send(roster, json_incref(item->row));
	roster_item_end(item);
}

/* Of the keys of one account that are looked for, one shows it. */
static enum roster_part roster_part_that_shows(const struct roster *roster, const struct account_state *state,
					       enum level level)
{
	if (state->block[0] != '\0' && (roster->wanted & 1u << ROSTER_BLOCKED) != 0)
		return ROSTER_PART_BLOCK;
	if (state->exempt[0] != '\0' && (roster->wanted & 1u << ROSTER_EXEMPT) != 0)
		return ROSTER_PART_EXEMPT;
	if (level != LEVEL_UNKNOWN && (roster->wanted & 1u << (ROSTER_LEVELS + (unsigned)level)) != 0)
		return ROSTER_PART_STATE;
	return (roster->wanted & 1u << ROSTER_LIMITS) != 0 ? ROSTER_PART_LIMITS : ROSTER_PARTS;
}

static void roster_on_look(void *arg, const struct account_state *state, const struct known *known)
{
	struct roster_item *item = arg;
	struct roster *roster = item->roster;
	bool sent = state->history.level != LEVEL_UNKNOWN && !account_is_group(item->key.name);
	enum level level = sent ? judge_level(&roster->setup->config->policy, state, clock_now_ms()) : LEVEL_UNKNOWN;
	(void)known;
	if (state->known != KNOWLEDGE_FULL)
		roster_fail(roster, "it is away");
	if (state->known != KNOWLEDGE_FULL || roster_part_that_shows(roster, state, level) != item->key.part) {
		roster_item_end(item);
		return;
	}
	item->row = report_listed(item->key.name, state, level);
	if (item->row == NULL) {
		roster_fail(roster, "the daemon is out of memory");
		roster_item_end(item);
		return;
	}
	json_object_set_new(item->row, "type", json_string("account"));
	const char *part = state->block[0] != '\0' ? KEY_PART_BLOCK : KEY_PART_EXEMPT;
	if (state->block[0] != '\0' || state->exempt[0] != '\0')
		store_account_command(the_daemon.store, item->key.name, 2, (const char *[]){ "PTTL", part },
				      roster_on_ends, item);
	else
		roster_on_ends(item, NULL, 0, NULL);
}

static void look(struct roster_item *item)
{
	store_look(the_daemon.store, item->key.name, roster_on_look, item);
}

/* An account's level gets no worse by itself: the one that was written says who need not be looked at. */
static void roster_on_level(void *arg, const char *error, int count, const char *const *items)
{
	struct roster_item *item = arg;
	enum level level = error == NULL && count == 1 && items[0] != NULL ? level_find(items[0]) : LEVEL_UNKNOWN;
	bool may = false;
	for (unsigned i = LEVEL_GOOD; i <= (unsigned)level && level != LEVEL_UNKNOWN; i++)
		may |= (item->roster->wanted & 1u << (ROSTER_LEVELS + i)) != 0;
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) != 0)
		roster_fail(item->roster, error);
	if (may)
		look(item);
	else
		roster_item_end(item);
}

static void roster_take_for_list(struct roster *roster, const char *key)
{
	struct roster_key read;
	char right[ACCOUNT_MAX + 1];
	const char *expected;
	unsigned levels = roster->wanted >> ROSTER_LEVELS;
	if (!roster_read_key(roster, key, &read) || !read.braces || !roster_name_right(read.name, right, &expected))
		return; /* account check names such a key */
	if ((read.part == ROSTER_PART_STATE && (levels == 0 || account_is_group(read.name))) ||
	    (read.part == ROSTER_PART_BLOCK && (roster->wanted & 1u << ROSTER_BLOCKED) == 0) ||
	    (read.part == ROSTER_PART_EXEMPT && (roster->wanted & 1u << ROSTER_EXEMPT) == 0) ||
	    (read.part == ROSTER_PART_LIMITS && (roster->wanted & 1u << ROSTER_LIMITS) == 0))
		return;
	struct roster_item *item = calloc(1, sizeof *item);
	if (item == NULL) {
		roster_fail(roster, "the daemon is out of memory");
		return;
	}
	*item = (struct roster_item){ .roster = roster, .key = read };
	roster->in_flight++;
	if (read.part == ROSTER_PART_STATE)
		store_account_command(the_daemon.store, read.name, 3,
				      (const char *[]){ "HMGET", KEY_PART_STATE, "level" }, roster_on_level, item);
	else
		look(item);
}

static bool roster_want_of(const char *word, unsigned *wanted)
{
	static const char *const words[ROSTER_LEVELS] = {
		[ROSTER_BLOCKED] = "blocked",
		[ROSTER_EXEMPT] = "exempt",
		[ROSTER_LIMITS] = "limits",
	};
	enum level level = level_find(word);
	unsigned before = *wanted;
	for (unsigned i = 0; i < ROSTER_LEVELS; i++)
		if (strcmp(word, words[i]) == 0)
			*wanted |= 1u << i;
	if (level != LEVEL_UNKNOWN)
		*wanted |= 1u << (ROSTER_LEVELS + (unsigned)level);
	return *wanted != before || level != LEVEL_UNKNOWN;
}

/* One kind of key is asked for by its name. */
static const char *roster_pattern_of(unsigned wanted)
{
	if (wanted == 1u << ROSTER_EXEMPT)
		return "{*}:exempt";
	if (wanted == 1u << ROSTER_LIMITS)
		return "{*}:limits";
	return (wanted & ((1u << ROSTER_LEVELS) - 1)) == 0 ? "{*}:state" : "{*}:*";
}

bool roster_list(struct exchange_call *call, const json_t *request, char *error, size_t error_size)
{
	const json_t *what = json_object_get(request, "what"), *row;
	unsigned wanted = 0;
	size_t index;
	bool fine = json_is_array(what) && json_array_size(what) > 0;
	json_array_foreach(what, index, row) fine &=
		json_is_string(row) && roster_want_of(json_string_value(row), &wanted);
	if (!fine) {
		snprintf(error, error_size,
			 "account.list: \"what\": expected a list of blocked, exempt, limits, good, new or suspect.");
		return false;
	}
	struct roster *roster = roster_new(call, "account.list", error, error_size);
	if (roster == NULL)
		return false;
	roster->wanted = wanted;
	roster->pattern = roster_pattern_of(wanted);
	roster->take = roster_take_for_list;
	roster_begin(roster);
	return true;
}

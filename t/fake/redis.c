/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Redis in memory: hashes, strings and their time-outs, the commands that panels and the daemon use, and what
 * the scripts do, by the reference in policy/history.c. Time is the scenario's.
 */
#include "milter/clock.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/reply.h"
#include "t/fake/fake.h"
#include "t/fake/redis_lists.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct field {
	struct field *next;
	char *name, *value;
	size_t length;		/* of the value, which may be binary and has a NUL behind it */
};

struct key {
	struct key *next;
	char *name;
	char *string;		/* of a string; NULL: a hash */
	struct field *fields;	/* of a hash, in the order of their making */
	int64_t ends_ms;	/* Unix time; 0: never */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct key *keys;

static char *copy(const char *string)
{
	char *made = strdup(string);
	if (made == NULL)
		abort();
	return made;
}

static void *make(size_t size)
{
	void *made = calloc(1, size);
	if (made == NULL)
		abort();
	return made;
}

/* ---- keys */

static void free_fields(struct key *key)
{
	for (struct field *field = key->fields, *next; field != NULL; field = next) {
		next = field->next;
		free(field->name);
		free(field->value);
		free(field);
	}
	key->fields = NULL;
}

static void remove_key(struct key **at)
{
	struct key *key = *at;
	*at = key->next;
	free_fields(key);
	free(key->name);
	free(key->string);
	free(key);
}

static struct key **place_of(const char *name)
{
	struct key **at = &keys;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at != NULL && (*at)->ends_ms != 0 && (*at)->ends_ms <= clock_now_ms())
		remove_key(at);
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

static struct key *find_key(const char *name)
{
	return *place_of(name);
}

static struct key *get_key(const char *name)
{
	struct key **at = place_of(name);
	if (*at == NULL) {
		*at = make(sizeof **at);
		(*at)->name = copy(name);
	}
	return *at;
}

static const char *find_field(const struct key *key, const char *name)
{
	const struct field *field = key != NULL ? key->fields : NULL;
	while (field != NULL && strcmp(field->name, name) != 0)
		field = field->next;
	return field != NULL ? field->value : NULL;
}

static void set_bytes(struct key *key, const char *name, const char *value, size_t length)
{
	struct field **at = &key->fields;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = make(sizeof **at);
		(*at)->name = copy(name);
	}
	free((*at)->value);
	(*at)->value = make(length + 1);
	memcpy((*at)->value, value, length);
	(*at)->length = length;
}

static void set_field(struct key *key, const char *name, const char *value)
{
	set_bytes(key, name, value, strlen(value));
}

static void remove_field(struct key *key, const char *name)
{
	struct field **at = &key->fields;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	struct field *gone = *at;
	*at = gone->next;
	free(gone->name);
	free(gone->value);
	free(gone);
}

/* ---- commands */

static void add_item(struct fake_reply *reply, const char *item)
{
	char **more = realloc(reply->items, (size_t)(reply->count + 1) * sizeof reply->items[0]);
	if (more == NULL)
		abort();
	reply->items = more;
	reply->items[reply->count++] = item != NULL ? copy(item) : NULL;
}

void fake_reply_add(struct fake_reply *reply, const char *item)
{
	add_item(reply, item);
}

static void do_hset(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = get_key(argv[1]);
	for (int i = 2; i + 1 < argc; i += 2)
		set_field(key, argv[i], argv[i + 1]);
	add_item(reply, "1");
}

static void do_hincrby(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = get_key(argv[1]);
	const char *before = find_field(key, argv[2]);
	int64_t number = 0, more = 0;
	char sum[24];
	(void)argc;
	if (before != NULL)
		text_to_int(before, INT64_MIN / 2, INT64_MAX / 2, &number);
	text_to_int(argv[3], INT64_MIN / 2, INT64_MAX / 2, &more);
	snprintf(sum, sizeof sum, "%lld", (long long)(number + more));
	set_field(key, argv[2], sum);
	add_item(reply, sum);
}

static void do_expire(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = find_key(argv[1]);
	int64_t seconds;
	(void)argc;
	if (key != NULL && text_to_int(argv[2], 1, INT32_MAX, &seconds))
		key->ends_ms = clock_now_ms() + seconds * 1000;
	add_item(reply, key != NULL ? "1" : "0");
}

static void do_hdel(int argc, const char *const *argv, struct fake_reply *reply)
{
	struct key *key = find_key(argv[1]);
	for (int i = 2; key != NULL && i < argc; i++)
		remove_field(key, argv[i]);
	if (key != NULL && key->fields == NULL)
		remove_key(place_of(argv[1]));
	add_item(reply, "1");
}

static void do_hmget(int argc, const char *const *argv, struct fake_reply *reply)
{
	for (int i = 2; i < argc; i++)
		add_item(reply, find_field(find_key(argv[1]), argv[i]));
}

static void do_hgetall(int argc, const char *const *argv, struct fake_reply *reply)
{
	const struct key *key = find_key(argv[1]);
	(void)argc;
	for (const struct field *field = key != NULL ? key->fields : NULL; field != NULL; field = field->next) {
		add_item(reply, field->name);
		add_item(reply, field->value);
	}
}

static void do_set(int argc, const char *const *argv, struct fake_reply *reply)
{
	int64_t seconds = 0;
	if (argc == 6 && strcmp(argv[5], "NX") == 0 && find_key(argv[1]) != NULL) {
		add_item(reply, NULL);
		return;
	}
	struct key *key = get_key(argv[1]);
	free_fields(key);
	free(key->string);
	key->string = copy(argv[2]);
	if (argc >= 5 && strcmp(argv[3], "EX") == 0)
		text_to_int(argv[4], 1, INT32_MAX, &seconds);
	key->ends_ms = seconds > 0 ? clock_now_ms() + seconds * 1000 : 0;
	add_item(reply, "OK");
}

static void do_get(int argc, const char *const *argv, struct fake_reply *reply)
{
	const struct key *key = find_key(argv[1]);
	(void)argc;
	add_item(reply, key != NULL ? key->string : NULL);
}

static void do_del(int argc, const char *const *argv, struct fake_reply *reply)
{
	(void)argc;
	if (find_key(argv[1]) != NULL)
		remove_key(place_of(argv[1]));
	add_item(reply, "1");
}

static const struct {
	const char *word;
	int least;	/* words, its own included */
	enum { ANY, HASH, STRING } type;
	void (*run)(int argc, const char *const *argv, struct fake_reply *reply);
} commands[] = {
	{ "HSET", 4, HASH, do_hset },	    { "HDEL", 3, HASH, do_hdel },   { "HMGET", 3, HASH, do_hmget },
	{ "HGET", 3, HASH, do_hmget },	    { "HGETALL", 2, HASH, do_hgetall }, { "SET", 3, ANY, do_set },
	{ "GET", 2, STRING, do_get },	    { "DEL", 2, ANY, do_del },
	{ "HINCRBY", 4, HASH, do_hincrby }, { "EXPIRE", 3, ANY, do_expire },
};

static void run(int argc, const char *const *argv, struct fake_reply *reply)
{
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strcasecmp(argv[0], commands[i].word) != 0 || argc < commands[i].least)
			continue;
		const struct key *key = find_key(argv[1]);
		bool string = key != NULL && key->string != NULL;
		if (key != NULL && ((commands[i].type == HASH && string) || (commands[i].type == STRING && !string)))
			text_copy(reply->error, sizeof reply->error,
				  "WRONGTYPE Operation against a key holding the wrong kind of value");
		else
			commands[i].run(argc, argv, reply);
		return;
	}
	if (fake_lists_command(argc, argv, reply))
		return;
	snprintf(reply->error, sizeof reply->error, "ERR unknown command '%s', or too few words", argv[0]);
}

void fake_redis_command(int argc, const char *const *argv, struct fake_reply *reply_out)
{
	*reply_out = (struct fake_reply){ .error = "" };
	pthread_mutex_lock(&lock);
	run(argc, argv, reply_out);
	pthread_mutex_unlock(&lock);
}

void fake_reply_free(struct fake_reply *reply)
{
	for (int i = 0; i < reply->count; i++)
		free(reply->items[i]);
	free(reply->items);
	*reply = (struct fake_reply){ .error = "" };
}

void fake_redis_clear(void)
{
	pthread_mutex_lock(&lock);
	while (keys != NULL)
		remove_key(&keys);
	fake_lists_clear();
	pthread_mutex_unlock(&lock);
}

/* ---- fetch.lua */

static void key_of(const struct store_settings *settings, const char *account, const char *part, char name[KEY_MAX])
{
	snprintf(name, KEY_MAX, KEY_OF_ACCOUNT, settings->prefix, account, part);
}

/* NULL where it is not there or of the other type, which `wrong` then says. */
static struct key *ask(const struct store_settings *settings, const char *account, const char *part, bool string,
		       struct text *wrong)
{
	char name[KEY_MAX];
	key_of(settings, account, part, name);
	struct key *key = find_key(name);
	if (key == NULL || (key->string != NULL) == string)
		return key;
	text_addf(wrong, wrong->length > 0 ? "+%s" : "%s", part);
	return NULL;
}

enum { ITEMS_MOST = 160 };

struct items {
	int count;
	const char *text[ITEMS_MOST];
	size_t length[ITEMS_MOST];
};

static void add_text(struct items *items, const char *text)
{
	items->length[items->count] = text != NULL ? strlen(text) : 0;
	items->text[items->count++] = text;
}

static void add_state(struct items *items, const struct key *key)
{
	static const char *const names[] = { "v", "level", "since", "first", "score", "spf", "msgs", "rcpts", "kb", "rep",
					     "sig", "pardon", "last", "h", "w", "k" };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		const struct field *field = key != NULL ? key->fields : NULL;
		while (field != NULL && strcmp(field->name, names[i]) != 0)
			field = field->next;
		items->length[items->count] = field != NULL ? field->length : 0;
		items->text[items->count++] = field != NULL ? field->value : NULL;
	}
}

static bool fetch_locked(const struct store_settings *settings, const char *account, store_say *say, void *say_arg,
			 struct account_state *state_out)
{
	char wrong[60];
	const unsigned char *map;
	struct text text = text_over(wrong, sizeof wrong);
	struct items items = { 0 };
	const struct key *block = ask(settings, account, KEY_PART_BLOCK, true, &text);
	const struct key *exempt = ask(settings, account, KEY_PART_EXEMPT, true, &text);
	const struct key *state = ask(settings, account, KEY_PART_STATE, false, &text);
	const struct key *limits = ask(settings, account, KEY_PART_LIMITS, false, &text);
	add_text(&items, wrong);
	add_text(&items, block != NULL ? block->string : NULL);
	add_text(&items, exempt != NULL ? exempt->string : NULL);
	add_text(&items, NULL);	/* no map */
	add_state(&items, state);
	for (const struct field *field = limits != NULL ? limits->fields : NULL;
	     field != NULL && items.count + 2 <= ITEMS_MOST; field = field->next) {
		add_text(&items, field->name);
		add_text(&items, field->value);
	}
	struct reply_items list = { items.count, items.text, items.length };
	return reply_read_fetch(account, &list, say, say_arg, state_out, &map);
}

void fake_redis_fetch(const struct store_settings *settings, const char *account, store_say *say, void *say_arg,
		      struct account_state *state_out)
{
	pthread_mutex_lock(&lock);
	bool read = fetch_locked(settings, account, say, say_arg, state_out);
	pthread_mutex_unlock(&lock);
	if (!read)
		abort();
}

/* ---- charge.lua and group.lua */

static void set_number(struct key *key, const char *field, int64_t number)
{
	char value[24];
	snprintf(value, sizeof value, "%lld", (long long)number);
	set_field(key, field, value);
}

/* MessagePack, as cmsgpack packs a whole number: in as few bytes as it takes. */
static size_t pack_number(char *bytes, double number)
{
	uint64_t whole = (uint64_t)number;
	int size = whole < 0x80 ? 0 : whole <= UINT8_MAX ? 1 : whole <= UINT16_MAX ? 2 : whole <= UINT32_MAX ? 4 : 8;
	size_t used = 0;
	if (size > 0)
		bytes[used++] = (char)(unsigned char)(size == 1 ? 0xcc : size == 2 ? 0xcd : size == 4 ? 0xce : 0xcf);
	for (int shift = size > 0 ? 8 * (size - 1) : 0; shift >= 0; shift -= 8)
		bytes[used++] = (char)(unsigned char)(whole >> shift);
	return used;
}

static size_t pack_windows(char *bytes, const struct rates *rates, int from, int to)
{
	size_t used = 0;
	for (int i = from; i < to; i++) {
		used += pack_number(bytes + used, rates->present[i]);
		used += pack_number(bytes + used, rates->before[i]);
	}
	return used;
}

static void write_use(struct key *key, const struct rates *rates)
{
	char bytes[9 * (1 + 2 * WINDOW_SUMS)];
	size_t used = pack_number(bytes, (double)rates->at_ms);
	used += pack_windows(bytes + used, rates, WINDOW_MSGS_PER_MINUTE, WINDOW_RCPTS_PER_MINUTE);
	used += pack_windows(bytes + used, rates, WINDOW_NEW_RCPTS_PER_DAY, WINDOW_SUMS);
	set_bytes(key, "msgs", bytes, used);
	used = pack_windows(bytes, rates, WINDOW_RCPTS_PER_MINUTE, WINDOW_NEW_RCPTS_PER_DAY);
	set_bytes(key, "rcpts", bytes, used);
	remove_field(key, "kb");
}

static void write_counters(struct key *key, const struct counters *counters)
{
	char rep[REPLY_REP_BYTES], sig[REPLY_SIG_BYTES];
	reply_write_rep(counters, rep);
	set_bytes(key, "rep", rep, sizeof rep);
	reply_write_sig(counters, sig);
	set_bytes(key, "sig", sig, sizeof sig);
}

static void write_digests(struct key *key, const uint32_t *digests)
{
	char bytes[4 * HISTORY_DIGESTS];
	size_t used = 0;
	for (int i = 0; i < HISTORY_DIGESTS && digests[i] != 0; i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			bytes[used++] = (char)(unsigned char)(digests[i] >> shift);
	set_bytes(key, "last", bytes, used);
}

static void write_history(struct key *key, const struct history *history)
{
	static const char *const parts[] = { [HABIT_PLACES] = "h", [HABIT_WEEK] = "w", [HABIT_KNOWN] = "k" };
	char bytes[HABIT_BYTES_MAX], score[24];
	write_use(key, &history->rates);
	write_counters(key, &history->counters);
	write_digests(key, history->digests);
	if (history->level != LEVEL_UNKNOWN) {
		snprintf(score, sizeof score, "%.2f", history->score);
		set_field(key, "score", score);
		set_field(key, "level", level_word(history->level));
		set_number(key, "since", history->level_since_s);
	}
	set_number(key, "first", history->first_s);
	if (history->pardoned_s != 0)
		set_number(key, "pardon", history->pardoned_s);
	remove_field(key, "spf");
	if (history->unauthorised[0] != '\0')
		set_field(key, "spf", history->unauthorised);
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		set_bytes(key, parts[part], bytes, habits_write(&history->habits, (enum habit_part)part, bytes));
	set_field(key, "v", "2");
}

/* False: `charged` says why nothing was done. */
static bool may_charge(const struct key *key, const char *node, int64_t number, struct wire_charged *charged)
{
	const char *version = find_field(key, "v"), *last = find_field(key, node);
	if (key != NULL && key->string != NULL)
		charged->status = WIRE_WRONG;
	else if (version != NULL && strcmp(version, "1") != 0 && strcmp(version, "2") != 0)
		charged->status = WIRE_NEWER;
	else if (last != NULL && text_to_int(last, 0, INT64_MAX, &charged->number) && charged->number >= number)
		charged->status = WIRE_AGAIN;
	else
		return true;
	return false;
}

static void say_nothing(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

/* The group's own limits before those of its plan. False: nothing is done, or it is blocked. */
static bool group_limits(const struct account_state *state, const char *plan, struct charge *charge,
			 struct wire_charged *charged)
{
	struct limits own = state->limits;
	const char *named = own.plan[0] != '\0' ? own.plan : plan;
	charged->own = own;
	if (charge->limits.plan[0] != '\0' && strcmp(charge->limits.plan, named) != 0) {
		text_copy(charged->own.plan, sizeof charged->own.plan, named);
		charged->status = WIRE_PLAN;
		return false;
	}
	if (own.until_s != 0 && own.until_s * 1000 <= clock_now_ms())
		own = limits_unset;
	limits_fill(&own, &charge->limits);
	charge->limits = state->exempt[0] != '\0' ? limits_unset : own;
	charged->status = WIRE_BLOCKED;
	return state->block[0] == '\0';
}

static void charge_locked(const struct store_settings *settings, const struct wire_charge *wire_charge, struct key *key,
			  struct wire_charged *charged)
{
	struct charge charge = *wire_charge->charge;
	struct account_state state;
	bool again;
	charge.now_ms = clock_now_ms();
	if (!fetch_locked(settings, charge.account, say_nothing, NULL, &state))
		abort();
	if (wire_charge->scope != SCOPE_ACCOUNT && !group_limits(&state, wire_charge->plan, &charge, charged))
		return;
	charged->over = history_charge(&state.history, &charge, &again);
	charged->status = again ? WIRE_RETRIED : WIRE_CHARGED;
	if (charged->over != WINDOW_COUNT) {
		charged->limit = charge.limits.window[charged->over];
		charged->limit_over = charge.limits.over;
		if (charge.checked && !charge_passes(&charge))
			charged->status = WIRE_OVER;
	}
	charged->rates = state.history.rates;
	write_history(key, &state.history);
}

void fake_redis_charge(const struct store_settings *settings, const struct wire_charge *charge,
		       struct wire_charged *charged_out)
{
	char name[KEY_MAX], node[24];
	*charged_out = (struct wire_charged){ .over = WINDOW_COUNT, .own = limits_unset };
	key_of(settings, charge->charge->account, KEY_PART_STATE, name);
	snprintf(node, sizeof node, "n:%s", settings->node);
	pthread_mutex_lock(&lock);
	if (may_charge(find_key(name), node, charge->number, charged_out)) {
		struct key *key = get_key(name);
		charge_locked(settings, charge, key, charged_out);
		if (charged_out->status != WIRE_PLAN)
			set_number(key, node, charge->number);
		key->ends_ms = clock_now_ms() + settings->state_ttl_s * 1000;
	}
	pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Redis in memory: hashes, strings and their time-outs, the commands that panels and the daemon use, and what
 * fetch.lua and charge.lua do, written again in C. Time is the scenario's.
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

enum { USE_MAX = 400 };

struct field {
	struct field *next;
	char *name, *value;
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

static void set_field(struct key *key, const char *name, const char *value)
{
	struct field **at = &key->fields;
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		*at = make(sizeof **at);
		(*at)->name = copy(name);
	}
	free((*at)->value);
	(*at)->value = copy(value);
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
	struct key *key = get_key(argv[1]);
	int64_t seconds = 0;
	free_fields(key);
	free(key->string);
	key->string = copy(argv[2]);
	if (argc == 5 && strcmp(argv[3], "EX") == 0)
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

static bool ask(const struct store_settings *settings, const char *account, const char *part, int argc,
		const char **argv, struct fake_reply *reply)
{
	char name[KEY_MAX];
	key_of(settings, account, part, name);
	argv[1] = name;
	*reply = (struct fake_reply){ .error = "" };
	run(argc, argv, reply);
	return reply->error[0] == '\0';
}

static void add_wrong(struct text *wrong, const char *part)
{
	text_addf(wrong, wrong->length > 0 ? ",%s" : "%s", part);
}

/* The windows in one text, as reply.h reads them. */
static const char *join_use(const char *msgs, const char *rcpts, char use[USE_MAX])
{
	snprintf(use, USE_MAX, *msgs != '\0' ? "%s %s" : "%s%s", msgs, *msgs != '\0' ? rcpts : "");
	return use;
}

static const char *item_of(const struct fake_reply *reply, int index)
{
	return index < reply->count && reply->items[index] != NULL ? reply->items[index] : "";
}

void fake_redis_fetch(const struct store_settings *settings, const char *account, store_say *say, void *say_arg,
		      struct account_state *state_out)
{
	enum { MOST = 160, STATE_FIELDS = 8, LIMITS_MOST = 64, AT_MSGS = 3 };
	struct fake_reply block, exempt, state, limits;
	char use[USE_MAX];
	const char *items[MOST];
	char wrong[40];
	struct text text = text_over(wrong, sizeof wrong);
	int count = 1;
	pthread_mutex_lock(&lock);
	if (!ask(settings, account, KEY_PART_BLOCK, 2, (const char *[]){ "GET", "" }, &block))
		add_wrong(&text, "block");
	if (!ask(settings, account, KEY_PART_EXEMPT, 2, (const char *[]){ "GET", "" }, &exempt))
		add_wrong(&text, "exempt");
	if (!ask(settings, account, KEY_PART_STATE, 2 + STATE_FIELDS + 1,
		 (const char *[]){ "HMGET", "", "level", "since", "first", "msgs", "rep", "v", "score", "spf",
				  "rcpts" }, &state))
		add_wrong(&text, "state");
	if (!ask(settings, account, KEY_PART_LIMITS, 2, (const char *[]){ "HGETALL", "" }, &limits))
		add_wrong(&text, "limits");
	pthread_mutex_unlock(&lock);
	items[0] = wrong;
	items[count++] = item_of(&block, 0);
	items[count++] = item_of(&exempt, 0);
	for (int i = 0; i < STATE_FIELDS; i++)
		items[count++] = i == AT_MSGS ? join_use(item_of(&state, i), item_of(&state, STATE_FIELDS), use)
					      : item_of(&state, i);
	for (int i = 0; i < limits.count && i < LIMITS_MOST; i++)
		items[count++] = limits.items[i];
	if (!reply_read_fetch(account, count, items, say, say_arg, state_out))
		abort();
	fake_reply_free(&block);
	fake_reply_free(&exempt);
	fake_reply_free(&state);
	fake_reply_free(&limits);
}

/* ---- charge.lua */

static void set_number(struct key *key, const char *field, int64_t number)
{
	char value[24];
	snprintf(value, sizeof value, "%lld", (long long)number);
	set_field(key, field, value);
}

static void read_use(const struct key *key, struct rates *rates)
{
	char use[USE_MAX];
	const char *msgs = find_field(key, "msgs"), *rcpts = find_field(key, "rcpts");
	reply_read_use(join_use(msgs != NULL ? msgs : "", rcpts != NULL ? rcpts : "", use), rates);
}

static void write_use(struct key *key, const struct rates *rates)
{
	char msgs[USE_MAX], rcpts[USE_MAX];
	struct text texts[] = { [COUNTED_MESSAGES] = text_over(msgs, sizeof msgs),
				[COUNTED_RECIPIENTS] = text_over(rcpts, sizeof rcpts) };
	text_addf(&texts[COUNTED_MESSAGES], "%lld", (long long)rates->at_ms);
	for (int i = 0; i < WINDOW_SUMS; i++) {
		if (window_counted((enum window)i) > COUNTED_RECIPIENTS)
			continue;
		struct text *text = &texts[window_counted((enum window)i)];
		text_addf(text, text->length > 0 ? " %.14g %.14g" : "%.14g %.14g", rates->present[i], rates->before[i]);
	}
	set_field(key, "msgs", msgs);
	set_field(key, "rcpts", rcpts);
}

static void write_rep(struct key *key, const struct counters *counters)
{
	char value[200];
	struct text text = text_over(value, sizeof value);
	for (int i = 0; i < COUNTERS_REP; i++)
		text_addf(&text, i > 0 ? " %.6g" : "%.6g", counters->value[i]);
	set_field(key, "rep", value);
}

/* The counters were last brought forward when the windows were, at `before_ms`. */
static void count_in(struct key *key, const struct charge *charge, int64_t before_ms, bool turned_away)
{
	struct counters counters;
	const char *rep = find_field(key, "rep");
	reply_read_rep(rep != NULL && before_ms > 0 ? rep : "", before_ms, &counters);
	counters_decay(&counters, clock_now_ms());
	for (int i = 0; i < COUNTER_COUNT; i++) {
		double add = charge->counts[i];
		if (turned_away)
			add = i == COUNTER_BREACHES ? 1 : i == COUNTER_MESSAGES || i == COUNTER_RCPTS ? 0 : add;
		counters.value[i] += add;
	}
	write_rep(key, &counters);
}

static void write_level(struct key *key, const struct charge *charge)
{
	char score[24];
	const char *level = find_field(key, "level");
	if (charge->level == LEVEL_UNKNOWN)
		return;
	snprintf(score, sizeof score, "%.2f", charge->score);
	set_field(key, "score", score);
	if (level != NULL && strcmp(level, level_word(charge->level)) == 0)
		return;
	set_field(key, "level", level_word(charge->level));
	set_number(key, "since", clock_now_ms() / 1000);
}

/* False: `charged` says why nothing was done. */
static bool may_charge(const struct key *key, const char *node, int64_t number, struct wire_charged *charged)
{
	const char *version = find_field(key, "v"), *last = find_field(key, node);
	if (key != NULL && key->string != NULL)
		charged->status = WIRE_WRONG;
	else if (version != NULL && strcmp(version, "1") != 0)
		charged->status = WIRE_NEWER;
	else if (last != NULL && text_to_int(last, 0, INT64_MAX, &charged->number) && charged->number >= number)
		charged->status = WIRE_AGAIN;
	else
		return true;
	return false;
}

static void charge_key(struct key *key, const struct charge *charge, struct wire_charged *charged)
{
	bool passes = !charge->checked || charge->limits.over == OVER_SLOW || charge->limits.over == OVER_HOLD;
	read_use(key, &charged->rates);
	int64_t before_ms = charged->rates.at_ms;
	rates_roll(&charged->rates, clock_now_ms());
	if (charge->quota)
		charged->over = rates_over(&charged->rates, &charge->limits, &charge->amounts);
	bool within = charge->quota && (charged->over == WINDOW_COUNT || passes);
	bool turned_away = charged->over != WINDOW_COUNT && !within;
	if (within)
		rates_add(&charged->rates, &charge->amounts);
	charged->status = turned_away ? WIRE_OVER : WIRE_CHARGED;
	write_use(key, &charged->rates);
	count_in(key, charge, before_ms, turned_away);
	write_level(key, charge);
	if (strcmp(charge->unauthorised, "-") == 0)
		remove_field(key, "spf");
	else if (charge->unauthorised[0] != '\0')
		set_field(key, "spf", charge->unauthorised);
}

void fake_redis_charge(const struct store_settings *settings, const struct wire_charge *charge,
		       struct wire_charged *charged_out)
{
	char name[KEY_MAX], node[24];
	*charged_out = (struct wire_charged){ .over = WINDOW_COUNT };
	key_of(settings, charge->charge->account, KEY_PART_STATE, name);
	snprintf(node, sizeof node, "n:%s", settings->node);
	pthread_mutex_lock(&lock);
	if (may_charge(find_key(name), node, charge->number, charged_out)) {
		struct key *key = get_key(name);
		charge_key(key, charge->charge, charged_out);
		set_number(key, node, charge->number);
		if (find_field(key, "first") == NULL) {
			set_number(key, "first", clock_now_ms() / 1000);
			set_field(key, "v", "1");
		}
		key->ends_ms = clock_now_ms() + settings->state_ttl_s * 1000;
	}
	pthread_mutex_unlock(&lock);
}

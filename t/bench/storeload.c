/* SPDX-License-Identifier: BSD-2-Clause
 *
 * storeload: accounts and messages for a Redis by the daemon's own store, without mail: how much a message costs Redis,
 * and an account takes there, when there are many of them.
 * usage: storeload unix:/path fill|messages|fetches ACCOUNTS [MESSAGES [IN-FLIGHT [GROUPS [PRINT]]]]
 * `fill` writes accounts as two weeks of mail leave them, with all signs; `messages` are fetched and charged as the
 * daemon does it, with GROUPS groups (default 1) and, PRINT being 1 (the default), a fingerprint; `fetches` are
 * fetched. Prints how many were not answered by Redis as they should be; none is the only good number.
 */
#include "policy/hash.h"
#include "policy/base/text.h"
#include "redis-schema/account_record.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { SLOTS_MAX = 256, DAYS = 14, CUSTOMER_HAS = 20, PRINTS = 100000, KNOWN = 14 };

static struct event_base *base;
static struct store *store;
static redisContext *plain; /* for what no store writes */
static enum { FILL, MESSAGES, FETCHES } mode;
static uint64_t accounts, todo, begun, ended, failed;
static int groups = 1;
static bool prints = true;
static uint64_t lot; /* of its own in each run */

struct slot {
	uint64_t account;
	char name[ACCOUNT_MAX + 1];
};

static uint64_t draw(uint64_t most)
{
	lot = lot * 6364136223846793005u + 1442695040888963407u;
	return (lot >> 24) % most;
}

static uint64_t thing(uint64_t account, uint64_t kind, uint64_t which)
{
	uint64_t key[3] = { account, kind, which };
	return hash_bytes(key, sizeof key, 1);
}

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void next(struct slot *slot);

/* One of the account's usual messages. */
static struct habit_facts usual(uint64_t account, int64_t now_s, uint64_t which)
{
	return (struct habit_facts){ .now_s = now_s,
				     .last_s = now_s - 3600,
				     .hour_messages = 1 + (double)(which % 4),
				     .behaves = true,
				     .address = thing(account, 1, which % 5),
				     .network = thing(account, 2, which % 5),
				     .as = thing(account, 3, which % 3),
				     .sender = thing(account, 4, which % 2),
				     .mailer = thing(account, 5, which % 3) };
}

static void habits_of_weeks(uint64_t account, int64_t now_s, struct habits *habits)
{
	for (int day = DAYS; day > 0; day--)
		for (int i = 0; i < 4; i++) {
			struct habit_facts facts = usual(account, now_s - day * 86400 + i * 9000, (uint64_t)(day + i));
			habits_note(habits, &facts);
		}
	for (uint64_t i = 0; i < KNOWN; i++)
		habits_note_rcpt(habits, (uint32_t)(thing(account, 6, i) | 1));
}

static void wrong(const char *what)
{
	fprintf(stderr, "storeload: %s\n", what);
	exit(1);
}

static void set_sum(struct rates *rates, enum window window, uint64_t present, uint64_t before)
{
	rates->present[window] = (double)present;
	rates->before[window] = (double)before;
}

/* Sums of two days, which no charge can make at once. */
static void put_sums(struct rates *rates)
{
	uint64_t n = 10 + draw(90), to = n + draw(300);
	set_sum(rates, WINDOW_MSGS_PER_MINUTE, 1, 0);
	set_sum(rates, WINDOW_MSGS_PER_HOUR, 4, 11);
	set_sum(rates, WINDOW_MSGS_PER_DAY, n, n + 7);
	set_sum(rates, WINDOW_RCPTS_PER_MINUTE, 1, 0);
	set_sum(rates, WINDOW_RCPTS_PER_HOUR, 9, 31);
	set_sum(rates, WINDOW_RCPTS_PER_DAY, to, to + 21);
	set_sum(rates, WINDOW_KBYTES_PER_MINUTE, 81, 0);
	set_sum(rates, WINDOW_KBYTES_PER_HOUR, 530, 970);
	set_sum(rates, WINDOW_KBYTES_PER_DAY, n * 71, n * 77);
	set_sum(rates, WINDOW_NEW_RCPTS_PER_DAY, 3, 5);
}

static bool age_record(const char *name)
{
	struct account_record record;
	char bytes[RECORD_MAX];
	redisReply *reply = redisCommand(plain, "GET penstock:{%s}:record", name);
	bool fine = reply != NULL && reply->type == REDIS_REPLY_STRING &&
		    record_read(reply->str, reply->len, &record) == RECORD_FINE;
	freeReplyObject(reply);
	if (!fine)
		return false;
	put_sums(&record.history.rates);
	record_sign(&record, (struct record_write){ 1 + draw(1000000), 1 + draw(1000000) }); /* a second daemon's */
	size_t length = record_write(&record, bytes);
	reply = redisCommand(plain, "SET penstock:{%s}:record %b KEEPTTL", name, bytes, length);
	fine = reply != NULL && reply->type != REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	return fine;
}

static void on_filled(void *arg, const struct charge_result *result)
{
	struct slot *slot = arg;
	failed += result->known != KNOWLEDGE_FULL || !age_record(slot->name);
	ended++;
	next(slot);
}

static struct message_charge message_of(const struct slot *slot)
{
	struct message_charge message = { .charge = { .now_ms = now_ms(),
						      .limits = limits_unset,
						      .checked = true,
						      .quota = true,
						      .amounts = { .of = { 1, 2, 12, 1 } },
						      .level = LEVEL_GOOD,
						      .score = -4.25 } };
	struct charge *charge = &message.charge;
	text_copy(charge->account, sizeof charge->account, slot->name);
	for (int i = WINDOW_MSGS_PER_MINUTE; i <= WINDOW_RCPTS_PER_DAY; i++)
		charge->limits.window[i] = 100000000;
	charge->counts[COUNTER_MESSAGES] = 1;
	charge->counts[COUNTER_RCPTS] = 2;
	return message;
}

static void fill(struct slot *slot)
{
	struct message_charge message = message_of(slot);
	struct charge *charge = &message.charge;
	for (int i = 0; i < COUNTER_COUNT; i++)
		charge->counts[i] = 0.01 * (double)(1 + draw(i <= COUNTER_BREACHES ? 100000 : 500));
	habits_of_weeks(slot->account, charge->now_ms / 1000, &charge->habits);
	charge->habits_changed = HABIT_PLACES | HABIT_WEEK | HABIT_KNOWN;
	store_charge(store, &message, on_filled, slot);
}

static void on_charged(void *arg, const struct charge_result *result)
{
	failed += result->known != KNOWLEDGE_FULL || result->breach.window != WINDOW_COUNT;
	ended++;
	next(arg);
}

static void add_groups(const struct slot *slot, struct message_charge *message)
{
	static const enum scope scopes[GROUPS_MAX] = { SCOPE_CUSTOMER, SCOPE_DOMAIN, SCOPE_SERVER };
	for (int i = 0; i < groups; i++) {
		struct group_charge *group = &message->groups[message->group_count++];
		char name[40];
		struct text text = text_over(name, sizeof name);
		*group = (struct group_charge){ .scope = scopes[i], .limits = message->charge.limits };
		text_copy(group->limits.plan, sizeof group->limits.plan, "default");
		text_addf(&text, "%" PRIu64, slot->account / CUSTOMER_HAS);
		account_group(scopes[i], scopes[i] == SCOPE_SERVER ? "all" : name, group->name);
	}
}

static void on_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	struct slot *slot = arg;
	struct message_charge message = message_of(slot);
	struct charge *charge = &message.charge;
	(void)known;
	failed += state->known != KNOWLEDGE_FULL || state->history.habits.known[0] == 0;
	if (mode == FETCHES) {
		ended++;
		next(slot);
		return;
	}
	struct habit_facts facts = usual(slot->account, charge->now_ms / 1000, draw(5));
	charge->habits = state->history.habits;
	charge->habits_changed = habits_note(&charge->habits, &facts);
	if (draw(4) == 0 && habits_note_rcpt(&charge->habits, (uint32_t)(draw(UINT32_MAX) | 1)) && !charge->habits.many)
		charge->habits_changed |= HABIT_KNOWN;
	charge->habits.many = false;
	if (prints)
		message.fingerprint = thing(0, 7, draw(PRINTS)) | 1;
	add_groups(slot, &message);
	store_charge(store, &message, on_charged, slot);
}

static void next(struct slot *slot)
{
	if (begun == todo) {
		if (ended == todo)
			event_base_loopbreak(base);
		return;
	}
	slot->account = mode == FILL ? begun : draw(accounts);
	begun++;
	struct text text = text_over(slot->name, sizeof slot->name);
	text_addf(&text, "user%" PRIu64 "@customer%" PRIu64 ".example", slot->account, slot->account / CUSTOMER_HAS);
	if (mode == FILL)
		fill(slot);
	else
		store_fetch(store, slot->name, on_fetched, slot);
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static void open_store(const char *server)
{
	char error[300];
	struct store_settings settings = { .server = server,
					   .username = "",
					   .password = "",
					   .prefix = "penstock",
					   .node = "a",
					   .timeout_ms = 10000,
					   .breaker_failures = 3,
					   .retry_ms = 100,
					   .recent_accounts = 1000,
					   .state_ttl_s = 90 * 86400 };
	base = event_base_new();
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	if (store == NULL)
		wrong(error);
	for (int i = 0; i < 100 && !store_stats(store).up; i++)
		event_base_loop(base, EVLOOP_ONCE);
	plain = strncmp(server, "unix:", 5) == 0 ? redisConnectUnix(server + 5) : NULL;
	if (!store_stats(store).up || plain == NULL || plain->err != 0)
		wrong("Redis does not answer");
}

static uint64_t number(int argc, char **argv, int at, uint64_t otherwise)
{
	return at < argc ? strtoull(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
	static struct slot slots[SLOTS_MAX];
	accounts = number(argc, argv, 3, 0);
	uint64_t in_flight = number(argc, argv, 5, 64);
	todo = number(argc, argv, 4, accounts);
	groups = (int)number(argc, argv, 6, 1);
	prints = number(argc, argv, 7, 1) == 1;
	if (argc < 4 || accounts == 0 || todo == 0 || in_flight == 0 || in_flight > SLOTS_MAX || groups > GROUPS_MAX)
		wrong("usage: storeload SERVER fill|messages|fetches ACCOUNTS [MESSAGES [IN-FLIGHT [GROUPS [PRINT]]]]");
	lot = (uint64_t)now_ms();
	mode = strcmp(argv[2], "fill") == 0 ? FILL : strcmp(argv[2], "fetches") == 0 ? FETCHES : MESSAGES;
	open_store(argv[1]);
	for (uint64_t i = 0; i < in_flight && i < todo; i++)
		next(&slots[i]);
	event_base_dispatch(base);
	printf("%" PRIu64 " of %" PRIu64 " failed\n", failed, todo);
	redisFree(plain);
	store_free(&store);
	event_base_free(base);
	return failed != 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the store keeps in a real Redis: habits and the map of known recipients, dates of limits,
 * campaigns under a flood, and groups while Redis is away.
 * usage: store_keeps unix:/path-of-redis PID-OF-REDIS
 */
#include "policy/campaign.h"
#include "policy/hash.h"
#include "policy/history.h"
#include "redis-schema/keys.h"
#include "t/live/store_fixture.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { FLOOD = 3000, BUCKET = 5, FIELDS_MOST = 256 }; /* a bucket has about 120, and more while many come at once */

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

static struct message_charge message_of(const char *account)
{
	struct message_charge message = { .charge = { .limits = limits_unset,
						      .checked = true,
						      .quota = true,
						      .now_ms = now_s() * 1000,
						      .amounts = { .of = { 1, 1, 4, 0 } } } };
	snprintf(message.charge.account, sizeof message.charge.account, "%s", account);
	return message;
}

/* Ten days of one network, one AS, one sender, a program and a text with a link, and some recipients. */
static void live_some_days(struct habits *habits, int rcpts)
{
	static const uint64_t hosts[] = { 0x777777777777 };
	*habits = (struct habits){ 0 };
	for (int day = 10; day > 0; day--) {
		struct habit_facts facts = { .now_s = now_s() - day * 86400,
					     .last_s = now_s() - (day + 1) * 86400,
					     .behaves = true,
					     .hour_messages = 3,
					     .address = 0x111111111111,
					     .network = 0x2222222222222,
					     .as = 0x333333333333,
					     .sender = 0x444444444444,
					     .mailer = 0x555555555555,
					     .wide = 0x666666666666,
					     .text = 0x888888888888,
					     .text_words = 100,
					     .hosts = hosts,
					     .host_count = 1,
					     .hour_rcpts = 4,
					     .homely = true,
					     .alone = true };
		habits_note(habits, &facts);
	}
	for (int i = 0; i < rcpts; i++)
		habits_note_rcpt(habits, (uint32_t)(0x100000 + 65536 * i)); /* with bytes of zero among them */
}

static bool same_part(const struct habits *a, const struct habits *b, enum habit_part part)
{
	char bytes[2][HABIT_BYTES_MAX];
	size_t length = habits_write(a, part, bytes[0]);
	return length > 0 && habits_write(b, part, bytes[1]) == length && memcmp(bytes[0], bytes[1], length) == 0;
}

static void check_habits(void)
{
	struct message_charge message = message_of("habits");
	struct habits *habits = &message.charge.habits;
	live_some_days(habits, HABIT_KNOWN_MAX);
	message.charge.habits_changed = HABIT_PLACES | HABIT_WEEK | HABIT_KNOWN | HABIT_TEXT;
	charge_message(&message);
	fetch("habits");
	for (unsigned part = HABIT_PLACES; part <= HABIT_TEXT; part <<= 1)
		ok(same_part(&state.history.habits, habits, (enum habit_part)part), "part %u comes back as it went",
		   part);
	ok(habit_has_network(&state.history.habits, 0x2222222222222) &&
		   habit_has_mailer(&state.history.habits, 0x555555555555),
	   "network and program are the account's");
	ok(habit_has_text(&state.history.habits, 0x888888888888, 100) &&
		   habit_has_host(&state.history.habits, 0x777777777777),
	   "so are its text and the host of its link");
	ok(habit_knows(&state.history.habits, 0x100000) && !habit_knows(&state.history.habits, 0x100001),
	   "so are its recipients");
	message.charge.habits_changed = 0;
	*habits = (struct habits){ 0 };
	charge_message(&message);
	fetch("habits");
	ok(habit_knows(&state.history.habits, 0x100000), "a message that changes none leaves them");
}

static int count_bits(void)
{
	int bits = 0;
	for (size_t i = 0; i < known.length && known.length == KNOWN_MAP_BYTES; i++)
		for (unsigned byte = known.bytes[i]; byte != 0; byte &= byte - 1)
			bits++;
	return bits;
}

static void is_known_bytes(int bytes, const char *what)
{
	command("many", "STRLEN", "known", NULL, NULL);
	is_int(atoi(last_item), bytes, "%s", what);
}

/* Some 32-bit number, the same each time. */
static uint32_t rcpt_at(int i)
{
	return (uint32_t)(i + 1) * 2654435761U;
}

static int count_known(int from, int to)
{
	int count = 0;
	for (int i = from; i < to; i++)
		count += known_has(&known, rcpt_at(i));
	return count;
}

static void put_known(struct message_charge *message, int from, int to)
{
	enum { BATCH = 500 };
	static uint32_t batch[BATCH];
	message->new_known = batch;
	for (int i = from; i < to; i += message->new_known_count) {
		message->new_known_count = to - i < BATCH ? to - i : BATCH;
		for (int j = 0; j < message->new_known_count; j++)
			batch[j] = rcpt_at(i + j);
		charge_message(message);
	}
}

static void check_known(void)
{
	static const uint32_t odd[] = { 0, 1, 7, 255, 256, 65535, 65536, 0x12345678, 0xffffffff };
	struct message_charge message = message_of("many");
	fetch("many");
	ok(known.bytes == NULL, "an account without a record knows nobody");
	message.charge.habits.many = true;
	message.charge.habits_changed = HABIT_KNOWN;
	message.new_known = odd;
	message.new_known_count = sizeof odd / sizeof odd[0];
	charge_message(&message);
	fetch("many");
	ok(known.bytes != NULL && state.history.habits.many, "recipients come with the record");
	bool all = true;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		all &= known_has(&known, odd[i]);
	ok(all && !known_has(&known, 2), "those that were put there");
	message.charge.habits_changed = 0;
	put_known(&message, 0, KNOWN_LIST_MAX - 9);
	is_known_bytes(4 * KNOWN_LIST_MAX, "so many stand there as they are");
	fetch("many");
	is_int(count_known(0, KNOWN_LIST_MAX - 9), KNOWN_LIST_MAX - 9, "all of them");
	is_int(count_known(100000, 200000), 0, "and none of a hundred thousand others");
	command("many", "TTL", "known", NULL, NULL);
	ok(atoi(last_item) > 3500 && atoi(last_item) <= 3600, "they end with the record: in %s s", last_item);
	put_known(&message, KNOWN_LIST_MAX, KNOWN_LIST_MAX + 500);
	is_known_bytes(KNOWN_MAP_BYTES, "more as a map");
	fetch("many");
	int others = count_known(100000, 200000);
	ok(count_known(KNOWN_LIST_MAX, KNOWN_LIST_MAX + 500) == 500 &&
		   count_known(0, KNOWN_LIST_MAX - 9) == KNOWN_LIST_MAX - 9 && known_has(&known, odd[0]) &&
		   known_has(&known, odd[8]),
	   "of all that were put there");
	ok(others < 200, "and of few others: %d of 100,000", others);
	int bits = count_bits();
	put_known(&message, 0, 500);
	fetch("many");
	is_int(count_bits(), bits, "which takes no more room for them");
	put_known(&message, 5000, 5500);
	fetch("many");
	ok(count_known(5000, 5500) == 500 && count_bits() > bits, "more are added");
	command("many", "SET", "known", "short", NULL);
	fetch("many");
	ok(known.bytes == NULL && state.known == KNOWLEDGE_FULL, "bytes of another length are none");
	put_known(&message, 0, 2);
	is_known_bytes(8, "and it begins again");
	command("many", "DEL", "known", NULL, NULL);
	command("many", "LPUSH", "known", "a list", NULL);
	charge_message(&message);
	ok(result.known == KNOWLEDGE_FULL, "one of another type stops nothing");
}

static struct message_charge member_of(const char *account, const char *group, int64_t day)
{
	struct message_charge message = message_of(account);
	message.group_count = 1;
	message.groups[0] = (struct group_charge){ .scope = SCOPE_CUSTOMER, .limits = limits_unset };
	message.groups[0].limits.window[WINDOW_MSGS_PER_DAY] = day;
	snprintf(message.groups[0].limits.plan, sizeof message.groups[0].limits.plan, "default");
	snprintf(message.groups[0].name, sizeof message.groups[0].name, "%s", group);
	return message;
}

static void set_until(const char *group, int64_t until_s)
{
	char text[30];
	snprintf(text, sizeof text, "%" PRId64, until_s);
	command(group, "HSET", "limits", "until", text);
}

static void check_until(void)
{
	struct message_charge message = member_of("dated", "customer:dated", 1000);
	command("customer:dated", "HSET", "limits", "msgs_per_day", "0");
	set_until("customer:dated", now_s() + 3600);
	charge_message(&message);
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.limit == 0,
	   "a group's limits hold until their date");
	set_until("customer:dated", now_s() - 1);
	charge_message(&message);
	ok(result.breach.window == WINDOW_COUNT, "then those of its plan do");
	command("customer:dated", "HSET", "limits", "over", "log");
	set_until("customer:dated", 0);
	charge_message(&message);
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_LOG && used("dated") == 2,
	   "one whose limits run in shadow mode is said and charged");
}

static void charge_from(struct message_charge *message, uint64_t address, uint64_t network, uint64_t as)
{
	const uint64_t places[] = { address, network, as };
	memcpy(message->charge.places, places, sizeof places);
	charge_message(message);
}

/* Distinct addresses, networks and ASes of a group: a set for each day, never larger than the limits. */
static void check_places(void)
{
	struct message_charge message = member_of("roams", "customer:roams", 1000);
	char networks[40];
	message.groups[0].limits.window[WINDOW_NETWORKS_PER_DAY] = 2;
	charge_from(&message, 1, 0x0d0a, 0);
	charge_from(&message, 2, 0x0d0a, 0);
	charge_from(&message, 3, 0x1122334455667788, 0);
	ok(result.breach.window == WINDOW_COUNT, "two networks are within the plan, and what is unknown is nothing");
	charge_from(&message, 4, 0x1111, 0);
	ok(result.breach.window == WINDOW_NETWORKS_PER_DAY && result.breach.scope == SCOPE_CUSTOMER &&
		   result.breach.limit == 2 && result.breach.frees_in_s > 0 && result.breach.frees_in_s <= 86400,
	   "the third is over the group's limit for %lld s", (long long)result.breach.frees_in_s);
	ok(used("roams") == 3 && used("customer:roams") == 3, "and charged nowhere");
	charge_from(&message, 5, 0x0d0a, 0);
	ok(result.breach.window == WINDOW_COUNT && used("customer:roams") == 4, "one of the two goes on");
	snprintf(networks, sizeof networks, "networks:%" PRId64, now_s() / 86400);
	command("customer:roams", "SCARD", networks, NULL, NULL);
	is_int(atoi(last_item), 2, "two of them are kept");
	command("customer:roams", "TTL", networks, NULL, NULL);
	ok(atoi(last_item) > 0 && atoi(last_item) <= 86400, "until the day ends: %s s", last_item);
	command("customer:roams", "HSET", "limits", "ases_per_day", "0");
	charge_from(&message, 6, 0x0d0a, 7);
	ok(result.breach.window == WINDOW_ASES_PER_DAY && result.breach.limit == 0,
	   "its own limits hold before the plan's");
	command("customer:roams", "HSET", "limits", "over", "slow");
	charge_from(&message, 6, 0x0d0a, 7);
	ok(result.breach.window == WINDOW_ASES_PER_DAY && result.breach.over == OVER_SLOW &&
		   used("customer:roams") == 5,
	   "one that leaves all the same is charged");
	command("customer:roams", "SET", "exempt", "a friend", NULL);
	charge_from(&message, 6, 0x2222, 7);
	ok(result.breach.window == WINDOW_COUNT, "an exempt group has no limit");
	command("customer:roams", "DEL", networks, NULL, NULL);
	command("customer:roams", "SET", networks, "of another type", NULL);
	charge_from(&message, 7, 0x3333, 8);
	ok(result.known == KNOWLEDGE_FULL && used("customer:roams") == 7, "a key of another type stops nothing");
}

static int at_once_left, at_once_passed;

static void on_one_of_many(void *arg, const struct charge_result *what)
{
	(void)arg;
	at_once_passed += what->breach.window == WINDOW_COUNT;
	at_once_left--;
}

/* A place that is given back was there for a moment: nobody slips through by that. */
static void check_places_at_once(void)
{
	enum { SESSIONS = 64, ROUNDS = 4 };
	struct message_charge message = member_of("hurries", "customer:hurries", LIMIT_UNSET);
	message.groups[0].limits.window[WINDOW_ADDRESSES_PER_DAY] = 1;
	charge_from(&message, 1, 0, 0);
	ok(result.breach.window == WINDOW_COUNT, "one address is within the limit");
	for (int round = 0; round < ROUNDS; round++) {
		message.charge.places[0] = (uint64_t)(100 + round);
		for (; at_once_left < SESSIONS; at_once_left++)
			store_charge(store, &message, on_one_of_many, NULL);
		while (at_once_left > 0)
			event_base_loop(base, EVLOOP_ONCE);
	}
	is_int(at_once_passed, 0, "of %d messages at once from others none passes", SESSIONS * ROUNDS);
}

/* What is given back is given back to the period in which it was counted. */
static void check_given_back(void)
{
	enum { SESSIONS = 20, MINUTE_MS = 60000 };
	char sums[60];
	struct message_charge message = member_of("turned-away", "customer:edge", LIMIT_UNSET);
	message.charge.limits.window[WINDOW_MSGS_PER_DAY] = 0;
	message.groups[0].limits.window[WINDOW_MSGS_PER_MINUTE] = 1000;
	fetch("turned-away");
	for (; at_once_left < SESSIONS; at_once_left++)
		store_charge(store, &message, on_one_of_many, NULL);
	passed_ms += MINUTE_MS;
	while (at_once_left > 0)
		event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < 2; i++) {
		snprintf(sums, sizeof sums, "minute:%" PRId64, now_s() / 60 + i);
		command("customer:edge", "HGET", sums, "messages", NULL);
		ok(atoi(last_item) == 0, "minute %d of a group has %s messages where none left", i, last_item);
	}
	passed_ms = 0;
	fetch("turned-away");
}

static void key_command(int argc, const char *const *argv)
{
	store_key_command(store, argc, argv, on_command, NULL);
	wait_for_answer();
}

/* Who makes a text a bad one: accounts, not messages. */
static void check_campaign(void)
{
	struct message_charge message = message_of("spammer");
	message.fingerprint = 0x1234567800000007;
	message.who = 63;
	message.bad = true;
	for (int i = 0; i < 20; i++)
		charge_message(&message);
	ok(result.campaign.bad > 18 && result.campaign.bad_accounts < 1.5,
	   "twenty bad messages of one account are one account's");
	message.bad = false;
	for (int i = 0; i < 8; i++) {
		struct message_charge other = message_of((const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[i]);
		other.fingerprint = message.fingerprint;
		other.who = (uint64_t)(3 + 5 * i);
		charge_message(&other);
	}
	charge_message(&message);
	ok(result.campaign.accounts > 4 && result.campaign.bad_accounts < 1.5,
	   "those of eight others that are not do not count");
	for (int i = 0; i < 8; i++) {
		struct message_charge other = message_of((const char *[]){ "a", "b", "c", "d", "e", "f", "g", "h" }[i]);
		other.fingerprint = message.fingerprint;
		other.who = (uint64_t)(3 + 5 * i);
		other.bad = true;
		charge_message(&other);
	}
	charge_message(&message);
	ok(result.campaign.bad_accounts > 4, "those that are do: %.1f", result.campaign.bad_accounts);
}

/* One secret for all daemons: this one's, or what stands there. */
static void check_secret(void)
{
	uint64_t key[2], again[2];
	char text[33];
	ok(store_secret(store, key), "Redis has the secret");
	snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, key[0], key[1]);
	key_command(2, (const char *[]){ "GET", "secret" });
	is_str(last_item, text, "it is this daemon's");
	key_command(2, (const char *[]){ "DEL", "secret" });
	for (last_item[0] = '\0'; last_item[0] == '\0';)
		key_command(2, (const char *[]){ "GET", "secret" });
	is_str(last_item, text, "one that was lost is written again");
	key_command(3, (const char *[]){ "SET", "secret", "0000000000000001ffffffffffffffff" });
	for (again[0] = key[0]; again[0] == key[0];) {
		key_command(2, (const char *[]){ "GET", "secret" });
		store_secret(store, again);
	}
	ok(again[0] == 1 && again[1] == UINT64_MAX, "another daemon's is taken");
	key_command(3, (const char *[]){ "SET", "secret", "no secret" });
	key_command(2, (const char *[]){ "GET", "secret" });
	ok(store_secret(store, again) && again[0] == 1, "what is none is not");
}

static int flood_left;

static void on_flood(void *arg, const struct charge_result *what)
{
	(void)arg;
	(void)what;
	flood_left--;
}

/* A text that falls into the bucket: whoever knows the secret can make one. */
static uint64_t next_of_bucket(uint64_t fingerprint)
{
	uint64_t key[2];
	store_secret(store, key);
	do
		fingerprint++;
	while (hash_keyed(key, &fingerprint, sizeof fingerprint) % CAMPAIGN_BUCKETS != BUCKET);
	return fingerprint;
}

static const char *bucket_key(void)
{
	static char key[60];
	snprintf(key, sizeof key, "campaign:%" PRId64 ":%d", now_s() / CAMPAIGN_PERIOD_S, BUCKET);
	return key;
}

/* Fields of accounts whose text was pushed out. */
static int count_left_alone(const redisReply *fields)
{
	int alone = 0;
	for (size_t i = 0; i < fields->elements; i++) {
		bool found = fields->element[i]->len != 9;
		for (size_t j = 0; j < fields->elements && !found; j++)
			found = fields->element[j]->len == 8 &&
				memcmp(fields->element[j]->str, fields->element[i]->str, 8) == 0;
		alone += !found;
	}
	return alone;
}

/* As many texts as a flood has, and all of them in one bucket: it stays as small as it may be. */
static void check_flood(redisContext *plain)
{
	struct message_charge message = message_of("flood");
	uint64_t fingerprint = 1;
	for (int sent = 0; sent < FLOOD;) {
		for (; flood_left < 50; flood_left++, sent++) {
			fingerprint = next_of_bucket(fingerprint);
			message.fingerprint = fingerprint;
			message.who = fingerprint;
			store_charge(store, &message, on_flood, NULL);
		}
		while (flood_left > 0)
			event_base_loop(base, EVLOOP_ONCE);
	}
	key_command(2, (const char *[]){ "HLEN", bucket_key() });
	ok(atoi(last_item) > 50 && atoi(last_item) <= FIELDS_MOST, "a bucket that is full has %s fields", last_item);
	redisReply *reply = redisCommand(plain, "HKEYS keeps:%s", bucket_key());
	int alone = reply != NULL && reply->type == REDIS_REPLY_ARRAY ? count_left_alone(reply) : -1;
	ok(alone >= 0 && alone <= FIELDS_MOST / 10, "%d of them are of no text that is there", alone);
	freeReplyObject(reply);
	reply = redisCommand(plain, "OBJECT ENCODING keeps:%s", bucket_key());
	is_str(reply != NULL && reply->str != NULL ? reply->str : "", "listpack", "they lie in few bytes");
	freeReplyObject(reply);
	key_command(2, (const char *[]){ "TTL", bucket_key() });
	ok(atoi(last_item) > 0 && atoi(last_item) <= 2 * CAMPAIGN_PERIOD_S + 60, "and ends in %s s", last_item);
	message.fingerprint = next_of_bucket(fingerprint);
	charge_message(&message);
	charge_message(&message);
	ok(result.campaign.known == KNOWLEDGE_FULL && result.campaign.messages > 0.9,
	   "a new text finds its place in it");
}

/* Redis stands still: groups are counted here, by the limits that were last read of them, and it is told later. */
static void check_away(pid_t redis)
{
	struct message_charge message = member_of("stays", "customer:away", 1000);
	command("customer:away", "HSET", "limits", "msgs_per_day", "3");
	charge_message(&message);
	ok(result.known == KNOWLEDGE_FULL && result.breach.window == WINDOW_COUNT, "one is counted by Redis");
	kill(redis, SIGSTOP);
	for (int i = 0; i < 2; i++)
		charge_message(&message);
	ok(result.known == KNOWLEDGE_LOCAL && result.breach.window == WINDOW_COUNT, "two are counted here");
	charge_message(&message);
	ok(result.known == KNOWLEDGE_LOCAL && result.breach.scope == SCOPE_CUSTOMER && result.breach.limit == 3,
	   "the fourth is over the limit that the group's key named");
	kill(redis, SIGCONT);
	for (int i = 0; i < 1000 && (!store_stats(store).up || store_stats(store).pending > 0); i++)
		event_base_loop(base, EVLOOP_ONCE);
	double of_group = used("customer:away");
	/* what the connection had in it when it was given up is counted, too */
	ok(of_group >= 3 && state.known == KNOWLEDGE_FULL, "Redis has at least the three of the group: %.0f", of_group);
	ok(used("stays") == 3, "and of the account");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s unix:/path-of-redis PID-OF-REDIS\n", argv[0]);
		return 2;
	}
	store_begin(argv[1], "keeps");
	redisContext *plain = redisConnectUnix(argv[1] + strlen("unix:"));
	if (plain == NULL || plain->err != 0) {
		fprintf(stderr, "%s does not answer\n", argv[1]);
		return 2;
	}
	check_habits();
	check_known();
	check_until();
	check_places();
	check_places_at_once();
	check_given_back();
	check_campaign();
	check_secret();
	check_flood(plain);
	redisFree(plain);
	check_away((pid_t)atoi(argv[2]));
	store_end();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the store keeps in a real Redis: habits and the map of known recipients, dates of limits, a hash of version 1 with
 * habits of its own, campaigns under a flood, and groups while Redis is away.
 * usage: store_keeps unix:/path-of-redis PID-OF-REDIS
 */
#include "policy/history.h"
#include "t/live/store_fixture.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { FLOOD = 20000, BUCKETS = 4096, PRINTS_IN_BUCKET = 64 };

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

static struct message_charge message_of(const char *account)
{
	struct message_charge message = { .charge = { .limits = limits_unset, .checked = true, .quota = true,
						      .now_ms = now_s() * 1000, .amounts = { .of = { 1, 1, 4, 0 } } } };
	snprintf(message.charge.account, sizeof message.charge.account, "%s", account);
	return message;
}

/* Ten days of one network, one AS, one sender and a program, and some recipients. */
static void live_some_days(struct habits *habits, int rcpts)
{
	*habits = (struct habits){ 0 };
	for (int day = 10; day > 0; day--) {
		struct habit_facts facts = { .now_s = now_s() - day * 86400, .last_s = now_s() - (day + 1) * 86400,
					     .behaves = true, .hour_messages = 3, .address = 0x111111111111, .network = 0x2222222222222,
					     .as = 0x333333333333, .sender = 0x444444444444, .mailer = 0x555555555555 };
		habits_note(habits, &facts);
	}
	for (int i = 0; i < rcpts; i++)
		habits_note_rcpt(habits, (uint16_t)(0x1000 + 256 * i));	/* with bytes of zero among them */
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
	live_some_days(habits, 20);
	message.charge.habits_changed = HABIT_PLACES | HABIT_WEEK | HABIT_KNOWN;
	charge_message(&message);
	fetch("habits");
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1)
		ok(same_part(&state.history.habits, habits, (enum habit_part)part), "part %u comes back as it went", part);
	ok(habit_has_network(&state.history.habits, 0x2222222222222) && habit_has_mailer(&state.history.habits, 0x555555555555),
	   "network and program are the account's");
	ok(habit_knows(&state.history.habits, 0x1000) && !habit_knows(&state.history.habits, 0x1001), "so are its recipients");
	message.charge.habits_changed = 0;
	*habits = (struct habits){ 0 };
	charge_message(&message);
	fetch("habits");
	ok(habit_knows(&state.history.habits, 0x1000), "a message that changes none leaves them");
	command("habits", "HSTRLEN", "state", "k", NULL);
	ok(command_error == NULL && atoi(last_item) <= HABIT_BYTES_MAX, "k has %s bytes", last_item);
	command("habits", "HSET", "state", "h", "not what it was");
	fetch("habits");
	ok(state.history.habits.networks[0] == 0 && habit_knows(&state.history.habits, 0x1000), "one that is spoilt is none");
}

static bool in_map(uint16_t rcpt)
{
	return known_map[rcpt / 8] >> (7 - rcpt % 8) & 1;
}

static int count_bits(void)
{
	int bits = 0;
	for (int i = 0; i < 65536; i++)
		bits += has_map && in_map((uint16_t)i);
	return bits;
}

static void is_known_bytes(int bytes, const char *what)
{
	command("many", "STRLEN", "known", NULL, NULL);
	is_int(atoi(last_item), bytes, "%s", what);
}

static void check_map(void)
{
	static const uint16_t first[] = { 0, 1, 7, 8, 255, 256, 0x1234, 65535 }, more[] = { 2, 40000 };
	struct message_charge message = message_of("many");
	fetch("many");
	ok(!has_map, "an account without state has no map");
	message.charge.habits.many = true;
	message.charge.habits_changed = HABIT_KNOWN;
	message.new_known = first;
	message.new_known_count = sizeof first / sizeof first[0];
	charge_message(&message);
	fetch("many");
	ok(has_map && state.history.habits.many, "it comes with the state");
	bool all = true;
	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
		all &= in_map(first[i]);
	ok(all && count_bits() == 8, "with the recipients that were put into it, and %d in all", count_bits());
	message.charge.habits_changed = 0;
	message.new_known = more;
	message.new_known_count = 2;
	charge_message(&message);
	fetch("many");
	ok(in_map(2) && in_map(40000) && in_map(0x1234), "more are added");
	command("many", "TTL", "known", NULL, NULL);
	ok(atoi(last_item) > 3600, "it ends with the state: in %s s", last_item);
	is_known_bytes(20, "few stand there as they are");
	uint16_t batch[500];
	message.new_known = batch;
	message.new_known_count = 500;
	for (int first_of = 3000; first_of < 5500; first_of += 500) {
		for (int i = 0; i < 500; i++)
			batch[i] = (uint16_t)(first_of + i);
		charge_message(&message);
	}
	is_known_bytes(MAP_BYTES, "many as a map");
	fetch("many");
	is_int(count_bits(), 2509, "of all that were put there, one of them twice");
	message.new_known = more;
	message.new_known_count = 2;
	charge_message(&message);
	fetch("many");
	is_int(count_bits(), 2509, "which takes no more room for them");
	command("many", "SET", "known", "short", NULL);
	fetch("many");
	ok(!has_map && state.known == KNOWLEDGE_FULL, "one of another length is none");
	charge_message(&message);
	fetch("many");
	is_int(count_bits(), 2, "and begins again");
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
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.limit == 0, "a group's limits hold until their date");
	set_until("customer:dated", now_s() - 1);
	charge_message(&message);
	ok(result.breach.window == WINDOW_COUNT, "then those of its plan do");
	command("customer:dated", "HSET", "limits", "over", "show");
	set_until("customer:dated", 0);
	charge_message(&message);
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_SHOW && used("dated") == 2,
	   "one whose limits run for show is said and charged");
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
	message.groups[0].limits.window[WINDOW_NETWORKS_PER_DAY] = 2;
	charge_from(&message, 1, 0x0d0a, 0);
	charge_from(&message, 2, 0x0d0a, 0);
	charge_from(&message, 3, 0x1122334455667788, 0);
	ok(result.breach.window == WINDOW_COUNT, "two networks are within the plan, and what is unknown is nothing");
	charge_from(&message, 4, 0x1111, 0);
	ok(result.breach.window == WINDOW_NETWORKS_PER_DAY && result.breach.scope == SCOPE_CUSTOMER && result.breach.limit == 2 &&
		   result.breach.frees_in_s > 0 && result.breach.frees_in_s <= 86400,
	   "the third is over the group's limit for %lld s", (long long)result.breach.frees_in_s);
	ok(used("roams") == 3 && used("customer:roams") == 3, "and charged nowhere");
	charge_from(&message, 5, 0x0d0a, 0);
	ok(result.breach.window == WINDOW_COUNT && used("customer:roams") == 4, "one of the two goes on");
	command("customer:roams", "HLEN", "places", NULL, NULL);
	is_int(atoi(last_item), 3, "two of them and their number are kept");
	command("customer:roams", "TTL", "places", NULL, NULL);
	ok(atoi(last_item) > 0 && atoi(last_item) <= 86400, "until the day ends: %s s", last_item);
	command("customer:roams", "HSET", "limits", "ases_per_day", "0");
	charge_from(&message, 6, 0x0d0a, 7);
	ok(result.breach.window == WINDOW_ASES_PER_DAY && result.breach.limit == 0, "its own limits hold before the plan's");
	command("customer:roams", "HSET", "limits", "over", "slow");
	charge_from(&message, 6, 0x0d0a, 7);
	ok(result.breach.window == WINDOW_ASES_PER_DAY && result.breach.over == OVER_SLOW && used("customer:roams") == 5,
	   "one that leaves all the same is charged");
	command("customer:roams", "SET", "exempt", "a friend", NULL);
	charge_from(&message, 6, 0x2222, 7);
	ok(result.breach.window == WINDOW_COUNT, "an exempt group has no limit");
	command("customer:roams", "DEL", "places", NULL, NULL);
	command("customer:roams", "SET", "places", "of another type", NULL);
	charge_from(&message, 7, 0x3333, 8);
	ok(result.known == KNOWLEDGE_FULL && used("customer:roams") == 7, "a key of another type stops nothing");
}

/* A hash as version 1 wrote it takes habits and signs, and keeps what it had. */
static void check_old_hash(void)
{
	struct message_charge message = message_of("old");
	char msgs[100];
	snprintf(msgs, sizeof msgs, "%" PRId64 " 0 0 3 1 40 7", (now_s() - 30) * 1000);
	command("old", "HSET", "state", "msgs", msgs);
	command("old", "HSET", "state", "rcpts", "0 0 5 2 50 8");
	command("old", "HSET", "state", "rep", "40 50 2 0.5 1");
	command("old", "HSET", "state", "level", "suspect");
	command("old", "HSET", "state", "since", "1700000000");
	command("old", "HSET", "state", "first", "1600000000");
	command("old", "HSET", "state", "spf", "example.org");
	command("old", "HSET", "state", "v", "1");
	live_some_days(&message.charge.habits, 5);
	message.charge.habits_changed = HABIT_PLACES | HABIT_WEEK | HABIT_KNOWN;
	message.charge.counts[COUNTER_MESSAGES] = message.charge.counts[COUNTER_PLACE] = 1;
	charge_message(&message);
	fetch("old");
	const struct history *history = &state.history;
	ok(used("old") >= 41 && history->first_s == 1600000000 && history->level == LEVEL_SUSPECT &&
		   history->level_since_s == 1700000000 && strcmp(history->unauthorised, "example.org") == 0,
	   "sums, dates, level and domain are kept");
	ok(fabs(history->counters.value[COUNTER_MESSAGES] - 41) < 0.01 && fabs(history->counters.value[COUNTER_EXPLOIT] - 0.5) < 0.01,
	   "so are the counters");
	ok(history->counters.value[COUNTER_PLACE] > 0.99 && habit_has_network(&history->habits, 0x2222222222222) &&
		   habit_knows(&history->habits, 0x1000), "signs and habits have come to them");
	command("old", "HGET", "state", "v", NULL);
	is_str(last_item, "2", "and it is of this version");
}

static int flood_left;

static void on_flood(void *arg, const struct charge_result *what)
{
	(void)arg;
	(void)what;
	flood_left--;
}

static void key_command(int argc, const char *const *argv)
{
	store_key_command(store, argc, argv, on_command, NULL);
	wait_for_answer();
}

/* As many bodies as a flood has: buckets stay as many and as small as they may be. */
static void check_flood(void)
{
	struct message_charge message = message_of("flood");
	uint64_t print = 88172645463325252u;
	for (int sent = 0; sent < FLOOD;) {
		for (; flood_left < 50; flood_left++, sent++) {
			print ^= print << 13;
			print ^= print >> 7;
			print ^= print << 17;
			message.print = sent % 4 == 0 ? print : print / BUCKETS * BUCKETS + 5;	/* most into one bucket */
			store_charge(store, &message, on_flood, NULL);
		}
		while (flood_left > 0)
			event_base_loop(base, EVLOOP_ONCE);
	}
	key_command(2, (const char *[]){ "HLEN", "campaign:5" });
	is_int(atoi(last_item), PRINTS_IN_BUCKET, "a bucket that is full stays so");
	key_command(2, (const char *[]){ "TTL", "campaign:5" });
	ok(atoi(last_item) > 0 && atoi(last_item) <= 172800, "and ends in %s s", last_item);
	message.print = 5;
	charge_message(&message);
	message.print = 5;
	charge_message(&message);
	ok(result.campaign.known == KNOWLEDGE_FULL && result.campaign.messages > 0.9, "a new body finds its place in it");
	key_command(2, (const char *[]){ "STRLEN", "campaign:5" });
	ok(command_error != NULL, "it is a hash");
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
	ok(used("customer:away") == 3 && state.known == KNOWLEDGE_FULL, "Redis has all three of the group");
	ok(used("stays") == 3, "and of the account");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: %s unix:/path-of-redis PID-OF-REDIS\n", argv[0]);
		return 2;
	}
	store_begin(argv[1], "keeps");
	check_habits();
	check_map();
	check_until();
	check_places();
	check_old_hash();
	check_flood();
	check_away((pid_t)atoi(argv[2]));
	store_end();
	return done_testing();
}

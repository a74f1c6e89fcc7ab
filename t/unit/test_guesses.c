/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/guesses.h"
#include "policy/guess.h"
#include "policy/hash.h"

#include "t/unit/tap.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { NOW = 1790000000, HOUR = 3600 };

static uint64_t thing(int number)
{
	return hash_keyed((const uint64_t[]){ 1, 2 }, &number, sizeof number);
}

/* ---- how many different ones */

static void test_set(void)
{
	struct guess_set set = { .count = 0 };
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < GUESS_EXACT; i++)
			guess_set_add(&set, thing(i), NOW, NOW);
	is_int((int)guess_set_count(&set, NOW), GUESS_EXACT, "each is counted once");
	is_int((int)guess_set_count_without(&set, thing(3), NOW), GUESS_EXACT - 1, "... without one of them");
	is_int((int)guess_set_count_without(&set, thing(1000), NOW), GUESS_EXACT, "... without one that is not there");
	for (int i = GUESS_EXACT; i < 100000; i++)
		guess_set_add(&set, thing(i), NOW, NOW);
	double many = guess_set_count(&set, NOW);
	ok(many > 60000 && many < 160000, "a hundred thousand are about as many: %.0f", many);
	is_int((int)guess_set_count(&set, NOW + 26 * HOUR), 0, "a day later there are none");
	guess_set_add(&set, thing(1), NOW + 26 * HOUR, NOW + 26 * HOUR);
	ok(guess_set_count(&set, NOW + 26 * HOUR) <= 1 << 10, "... and it begins anew");
}

static void test_clock(void)
{
	struct guess_set set = { .count = 0 };
	guess_set_add(&set, thing(1), NOW + 300 * 24 * HOUR, NOW + 300 * 24 * HOUR); /* it was wrong */
	is_int((int)guess_set_count(&set, NOW), 0, "what lies a year ahead is not counted");
	guess_set_add(&set, thing(2), NOW, NOW);
	is_int((int)guess_set_count(&set, NOW), 1, "... and is forgotten");
	guess_set_add(&set, thing(3), NOW + 2 * HOUR, NOW);
	is_int((int)guess_set_count(&set, NOW + 25 * HOUR), 0, "nothing is seen later than now");
	guess_set_add(&set, thing(4), NOW - 2 * 24 * HOUR, NOW);
	is_int((int)guess_set_count(&set, NOW), 2, "what is too old is not taken");
}

/* ---- the tables */

static struct client_note note_of(const char *client, enum client_event event, enum client_service service,
				  const char *name)
{
	struct client_note note = { .time_s = time(NULL), .event = event, .service = service };
	netaddr_parse(client, &note.client);
	client_note_name(&note, name, strlen(name));
	return note;
}

static void told(const char *client, enum client_event event, const char *name)
{
	struct client_note note = note_of(client, event, CLIENT_SERVICE_SUBMISSION, name);
	guesses_note(&note, false);
}

static void failed(const char *client, const char *name)
{
	told(client, CLIENT_EVENT_AUTH_FAILURE, name);
}

static double guesses(const char *client, const char *login)
{
	struct netaddr address;
	netaddr_parse(client, &address);
	return guesses_of_client(&address, login);
}

static void fail_as_many(const char *client, int count)
{
	char name[40];
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "user%d@example.com", i);
		failed(client, name);
	}
}

static void test_many_accounts(void)
{
	struct guess_row rows[3];
	guesses_start();
	fail_as_many("192.0.2.7", 50);
	failed("192.0.2.7", "USER3@example.com");
	failed("192.0.2.8", "user3@example.com");
	is_int((int)guesses("192.0.2.7", ""), 50, "fifty accounts from one client");
	is_int((int)guesses("192.0.2.7", "user3@example.com"), 49, "... of which a login is one");
	is_int((int)guesses("192.0.2.7", "alice@example.com"), 50, "... or is not");
	is_int((int)guesses("192.0.2.8", "user3@example.com"), 0, "an old password is no guess");
	is_int((int)guesses("192.0.2.9", ""), 0, "a client of which nothing is known");
	is_int((int)guesses_worst(GUESS_CLIENTS, rows, 3), 2, "two clients failed");
	is_int((int)rows[0].others, 50, "the worst first");
	is_int((int)rows[0].failures, 51, "... each failure");
	ok(rows[0].told && !rows[1].told, "... and it guesses, the other does not");
	is_int((int)guesses_stats().told[GUESS_CLIENTS], 1, "told once");
	told("192.0.2.8", CLIENT_EVENT_LOGIN, "user3@example.com");
	is_int((int)guesses_stats().got_in, 0, "a login that works after an old password");
	told("192.0.2.7", CLIENT_EVENT_LOGIN, "user3@example.com");
	is_int((int)guesses_stats().got_in, 1, "... and one of a client that guessed");
	guesses_worst(GUESS_CLIENTS, rows, 3);
	is_str(rows[0].name, "user3@example.com", "... as whom");
	guesses_stop();
}

/* Nothing that strangers do is held against an account: its own client is as before. */
static void test_many_clients(void)
{
	struct guess_row rows[3];
	char client[NETADDR_TEXT_MAX];
	guesses_start();
	for (int i = 0; i < 50; i++) {
		snprintf(client, sizeof client, "198.51.100.%d", i);
		failed(client, "alice@example.com");
	}
	is_int((int)guesses_worst(GUESS_NAMES, rows, 3), 1, "one name was tried");
	is_str(rows[0].name, "alice@example.com", "... which");
	is_int((int)rows[0].others, 50, "... by fifty clients");
	ok(rows[0].told, "... and is attacked");
	is_int((int)guesses_stats().told[GUESS_NAMES], 1, "told once");
	is_int((int)guesses_stats().told[GUESS_CLIENTS], 0, "no client guesses");
	is_int((int)guesses("203.0.113.1", "alice@example.com"), 0, "nothing is held against its owner");
	is_int((int)guesses("198.51.100.7", "alice@example.com"), 0, "... nor at a client that tried it alone");
	guesses_stop();
}

static void test_who_is_who(void)
{
	guesses_start();
	failed("2001:db8:1:2::1", "a");
	failed("2001:db8:1:2:ffff::9", "b");
	failed("2001:db8:1:3::1", "c");
	is_int((int)guesses("2001:db8:1:2::5", ""), 2, "IPv6 by its /64");
	struct client_note note = note_of("10.0.0.1", CLIENT_EVENT_AUTH_FAILURE, CLIENT_SERVICE_IMAP, "");
	for (char name = 'a'; name < 'a' + 20; name++) {
		note.name[0] = name;
		guesses_note(&note, true);
	}
	is_int((int)guesses("10.0.0.1", ""), 0, "behind a client of ours anybody may be");
	is_int((int)guesses_stats().told[GUESS_CLIENTS], 0, "... and no event tells of it");
	note = note_of("192.0.2.9", CLIENT_EVENT_AUTH_FAILURE, CLIENT_SERVICE_SIP, "100");
	guesses_note(&note, false);
	is_int((int)guesses("192.0.2.9", ""), 0, "a datagram may be forged: its names are nobody's");
	is_int((int)guesses_stats().unproven, 1, "... and it is counted");
	failed("192.0.2.10", "");
	is_int((int)guesses_stats().unnamed, 1, "no name is told");
	is_int((int)guesses("192.0.2.10", ""), 0, "... so it is no other name");
	guesses_stop();
}

static void test_flood(void)
{
	char client[NETADDR_TEXT_MAX];
	guesses_start();
	fail_as_many("192.0.2.7", 50);
	for (int i = 0; i < 1000000; i++) {
		snprintf(client, sizeof client, "%d.%d.%d.1", 11 + (i >> 16), (i >> 8) & 255, i & 255);
		failed(client, "root");
	}
	struct guess_stats stats = guesses_stats();
	is_int((int)guesses("192.0.2.7", ""), 50, "a million addresses push out their own");
	ok(stats.rows[GUESS_CLIENTS] <= stats.size && stats.forgotten[GUESS_CLIENTS] > 900000, "... and are forgotten");
	guesses_stop();
}

static void test_many_events(void)
{
	char client[NETADDR_TEXT_MAX];
	guesses_start();
	for (int i = 0; i < 100; i++) {
		snprintf(client, sizeof client, "203.0.113.%d", i);
		fail_as_many(client, 12);
	}
	struct guess_stats stats = guesses_stats();
	is_int((int)stats.told[GUESS_CLIENTS] <= 2 * GUESS_TOLD_AN_HOUR, 1, "events in an hour are few");
	is_int((int)(stats.told[GUESS_CLIENTS] + stats.untold >= 100), 1, "... and the rest is counted");
	uint64_t told_before = stats.told[GUESS_CLIENTS];
	told("203.0.113.99", CLIENT_EVENT_LOGIN, "alice@example.com");
	is_int((int)(guesses_stats().told[GUESS_CLIENTS] - told_before), 1,
	       "who got in is told of, however many guess around him");
	guesses_stop();
}

/* ---- saved */

static void test_save(void)
{
	char *bytes = NULL;
	size_t size = 0;
	guesses_start();
	fail_as_many("192.0.2.7", 50);
	FILE *to = open_memstream(&bytes, &size);
	ok(guesses_save(to), "saved");
	fclose(to);
	guesses_stop();
	guesses_start();
	FILE *from = fmemopen(bytes, size, "r");
	ok(guesses_load(from), "read");
	fclose(from);
	is_int((int)guesses("192.0.2.7", "user3@example.com"), 49, "... under the key of before");
	from = fmemopen(bytes, size - 1, "r");
	ok(!guesses_load(from), "one byte too few");
	fclose(from);
	is_int((int)guesses("192.0.2.7", ""), 0, "... leaves nothing");
	int held = 0;
	for (size_t at = 0; at < size; at += 97) {
		bytes[at] ^= 0x20;
		from = fmemopen(bytes, size, "r");
		held += !guesses_load(from);
		fclose(from);
		bytes[at] ^= 0x20;
	}
	is_int(held, (int)((size + 96) / 97), "a byte that is wrong, wherever it is");
	failed("192.0.2.7", "alice");
	is_int((int)guesses("192.0.2.7", ""), 1, "... and it goes on");
	guesses_stop();
	free(bytes);
}

static void *fail_for_long(void *arg)
{
	for (int i = 0; i < 2000; i++) {
		struct guess_row rows[2];
		fail_as_many(arg, 5);
		told(arg, CLIENT_EVENT_LOGIN, "user1@example.com");
		if (i % 100 == 0)
			guesses_worst(GUESS_CLIENTS, rows, 2);
	}
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[4];
	guesses_start();
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, fail_for_long, i % 2 == 0 ? "192.0.2.7" : "192.0.2.8");
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	is_int((int)guesses_stats().failures, 4 * 2000 * 5, "several threads");
	guesses_stop();
	failed("192.0.2.7", "alice");
	is_int((int)guesses_stats().failures, 0, "without a start nothing is noted");
}

int main(void)
{
	test_set();
	test_clock();
	test_many_accounts();
	test_many_clients();
	test_who_is_who();
	test_flood();
	test_many_events();
	test_save();
	test_threads();
	return done_testing();
}

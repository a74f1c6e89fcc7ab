/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the daemon remembers of clients: counted, judged, saved, and each note of the stream once.
 */
#include "milter/clients/clients_inside.h"

#include "t/fake/fake.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { THROTTLE_S = 5, DAY_S = 86400, THREADS = 4, ROUNDS = 2000 };

static const int64_t noon_ms = 1767614400000; /* 2026-01-05 12:00:00 UTC */
static struct config config;
static struct event_base *base;
static char folder[100];

static void begin(const char *state)
{
	char error[300] = "";
	config.set.clients_most = 1024;
	config.set.clients_state = state;
	config.set.clients_slow_most = 2;
	config.set.socketmap_throttle_s = THROTTLE_S;
	config.own_network_count = 1;
	netblock_parse("10.0.0.0/8", &config.own_networks[0]);
	ok(clients_start(base, &config, error, sizeof error), "it starts %s", error);
}

static struct netaddr netaddr_of(const char *text)
{
	struct netaddr address;
	netaddr_parse(text, &address);
	return address;
}

static int64_t now_s(void)
{
	return fake_clock_redis_ms() / 1000;
}

static void note_at(const char *client, enum client_event event, enum client_stage stage, int64_t time_s)
{
	const struct client_note note = {
		.time_s = time_s, .client = netaddr_of(client), .event = event, .stage = stage
	};
	clients_note(&note);
}

static void note(const char *client, enum client_event event, int times)
{
	for (int i = 0; i < times; i++)
		note_at(client, event, CLIENT_STAGE_NONE, now_s());
}

static double count(const char *client, enum client_event event)
{
	struct clients_row row;
	const struct netaddr address = netaddr_of(client);
	clients_row(&address, &row);
	return (double)row.facts.own.value[event];
}

static const char *standing(const char *client)
{
	const struct netaddr address = netaddr_of(client);
	return client_standing_word(clients_judge(&address, false).standing);
}

#define is_close(value, expected, ...) is_near(value, expected, 0.001, __VA_ARGS__)

/* ---- who is who */

static void addresses(void)
{
	struct clients_row row;
	struct client_facts facts;
	struct netaddr address = netaddr_of("2001:db8:1:2::1");
	begin("");
	ok(!clients_look(&address, false, &facts), "of a stranger nothing is known");
	is_str(standing("2001:db8:1:2::1"), "unknown", "so it is unknown");
	note("2001:db8:1:2::1", CLIENT_EVENT_SPAM, 2);
	note("2001:db8:1:2:ffff::9", CLIENT_EVENT_SPAM, 3);
	note("2001:db8:1:3::9", CLIENT_EVENT_SPAM, 1);
	is_close(count("2001:db8:1:2:3::4", CLIENT_EVENT_SPAM), 5, "an IPv6 client is its /64");
	ok(clients_row(&address, &row) && row.block.bits == 64, "... and is shown as that");
	is_close((double)row.facts.network.value[CLIENT_EVENT_SPAM], 1, "its network is the /48 without its own part");
	note("192.0.2.7", CLIENT_EVENT_QUIT, 3);
	note("192.0.2.8", CLIENT_EVENT_QUIT, 4);
	address = netaddr_of("192.0.2.7");
	clients_note_as(&address, 64500);
	address = netaddr_of("192.0.2.8");
	clients_note_as(&address, 64500);
	note("192.0.2.8", CLIENT_EVENT_QUIT, 1);
	clients_row(&address, &row);
	is_close((double)row.facts.network.value[CLIENT_EVENT_QUIT], 3, "of IPv4 it is the /24");
	is_close((double)row.facts.as.value[CLIENT_EVENT_QUIT], 3,
		 "what came before the AS was known is in the AS, too");
	clients_note_as(&address, 64501);
	address = netaddr_of("192.0.2.7");
	clients_row(&address, &row);
	is_close((double)row.facts.as.value[CLIENT_EVENT_QUIT], 0,
		 "a client that changes its AS takes its part with it");
	clients_stop();
}

static void ours(void)
{
	begin("");
	note("10.1.2.3", CLIENT_EVENT_NO_QUIT, 5);
	note("127.0.0.1", CLIENT_EVENT_NO_QUIT, 5);
	note("10.1.2.3", CLIENT_EVENT_LOGIN, 1);
	is_close(count("10.1.2.3", CLIENT_EVENT_NO_QUIT), 0, "what our own clients do is not held against them");
	is_close(count("10.1.2.3", CLIENT_EVENT_LOGIN), 1, "but logins are counted");
	clients_stop();
}

/* Anybody can send spam to an address that is forwarded to us. */
static void forwards(void)
{
	begin("");
	for (int i = 0; i < 200; i++)
		clients_note_message(&(struct netaddr){ NETADDR_V4, { 192, 0, 2, 25 } }, false, true, true);
	is_str(standing("192.0.2.25"), "unknown", "the admin's forwarder who passes on spam is not bad");
	clients_stop();
}

/* ---- who gives up */

static void gives_up(void)
{
	begin("");
	static const struct {
		const char *what;
		enum client_event before;
		enum client_stage stage;
		int64_t after_s;
		double expected;
	} rows[] = {
		{ "that hangs up at connect", CLIENT_EVENT_SLOWED, CLIENT_STAGE_CONNECT, 3, 1 },
		{ "that hangs up at RCPT", CLIENT_EVENT_SLOWED, CLIENT_STAGE_RCPT, 3, 1 },
		{ "that hangs up in DATA has waited", CLIENT_EVENT_SLOWED, CLIENT_STAGE_DATA, 3, 0 },
		{ "long after", CLIENT_EVENT_SLOWED, CLIENT_STAGE_HELO, THROTTLE_S + 301, 0 },
		{ "that said QUIT since", CLIENT_EVENT_QUIT, CLIENT_STAGE_HELO, 3, 0 },
		{ "whose mail came", CLIENT_EVENT_MAIL, CLIENT_STAGE_HELO, 3, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char client[40];
		snprintf(client, sizeof client, "198.51.100.%zu", i);
		int64_t from_s = now_s() - 1000;
		note_at(client, CLIENT_EVENT_SLOWED, CLIENT_STAGE_NONE, from_s);
		note_at(client, rows[i].before, CLIENT_STAGE_NONE, from_s + 1);
		note_at(client, CLIENT_EVENT_NO_QUIT, rows[i].stage, from_s + 1 + rows[i].after_s);
		note_at(client, CLIENT_EVENT_NO_QUIT, rows[i].stage, from_s + 2 + rows[i].after_s);
		is_close(round(count(client, CLIENT_EVENT_GAVE_UP)), rows[i].expected, "a slowed client %s",
			 rows[i].what);
	}
	note("203.0.113.1", CLIENT_EVENT_NO_QUIT, 1);
	is_close(count("203.0.113.1", CLIENT_EVENT_GAVE_UP), 0, "who was not slowed gives nothing up");
	clients_stop();
}

/* A log of months ago is read, or one is told of late. */
static void late(void)
{
	begin("");
	for (int i = 0; i < 400; i++) {
		note_at("192.0.2.1", CLIENT_EVENT_SPAM, CLIENT_STAGE_NONE, now_s() - 180 * DAY_S);
		note_at("192.0.2.2", CLIENT_EVENT_SPAM, CLIENT_STAGE_NONE, now_s() - 14 * DAY_S);
	}
	is_str(standing("192.0.2.1"), "unknown", "half a year ago is forgotten when it is heard of");
	is_near(count("192.0.2.2", CLIENT_EVENT_SPAM), 200, 1, "half of it a half-life ago");
	clients_stop();
}

static void places(void)
{
	const struct netaddr client = netaddr_of("192.0.2.1"), none = { .family = NETADDR_UNKNOWN };
	struct clients_stats stats;
	begin("");
	ok(clients_slow(&client, 5, false) && clients_slow(&none, 10, false), "two places are taken");
	ok(!clients_slow(&client, 5, false), "there is no third");
	fake_clock_pass(5000);
	ok(clients_slow(&client, 5, true), "one is free as soon as its time has passed");
	ok(!clients_slow(&client, 5, false), "the other is not");
	clients_stats(&stats);
	ok(stats.slow_used == 2 && stats.slow_most == 2 && stats.slow_denied == 2, "all of it is counted");
	is_close(round(count("192.0.2.1", CLIENT_EVENT_SLOWED)), 1, "a session that waits again is slowed once");
	fake_clock_pass(100000000);
	clients_stats(&stats);
	ok(stats.slow_used == 0, "after a day all are free");
	clients_stop();
}

/* ---- totals */

static void totals(void)
{
	struct clients_totals sum;
	struct clients_hour hour;
	const struct netaddr client = netaddr_of("192.0.2.1"), own = netaddr_of("10.0.0.1");
	begin("");
	note_at("192.0.2.1", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_DATA, now_s());
	note_at("192.0.2.1", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_HELO, now_s() - 2 * DAY_S);
	note_at("192.0.2.1", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_HELO, now_s() - 500 * DAY_S);
	note_at("192.0.2.1", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_HELO, now_s() + 50 * DAY_S);
	note("192.0.2.2", CLIENT_EVENT_QUIT, 6);
	clients_note_session(&client, true);
	clients_note_session(&own, true);
	clients_note_message(&client, true, true, false);
	clients_hour(now_s() / 3600, &hour);
	is_int(hour.event[CLIENT_EVENT_NO_QUIT], 2, "this hour's, with what is said to be of a time to come");
	is_int(hour.stage[CLIENT_STAGE_DATA], 1, "by stage");
	clients_totals(now_s() / 3600 - 72, now_s() / 3600, &sum);
	is_int((int64_t)sum.event[CLIENT_EVENT_NO_QUIT], 3, "three days'");
	is_close(clients_hangup_share(&sum), 3.0 / 9, "the share of sessions without QUIT");
	is_int((int64_t)(sum.session[CLIENT_UNKNOWN][1] + sum.session[CLIENT_POOR][1]), 1,
	       "a session by its standing, and none of our own");
	is_int((int64_t)sum.event[CLIENT_EVENT_SPAM], 1, "a message is noted, too");
	clients_totals(INT64_MIN / 8, now_s() / 3600, &sum);
	is_int((int64_t)sum.event[CLIENT_EVENT_NO_QUIT], 3, "what is older than 400 days is in no hour");
	clients_stop();
}

static void clock_jumps(void)
{
	struct clients_hour hour;
	begin("");
	note("192.0.2.1", CLIENT_EVENT_SPAM, 100);
	is_str(standing("192.0.2.1"), "bad", "a spammer");
	fake_clock_set(noon_ms + INT64_C(1000) * 3650 * DAY_S);
	is_str(standing("192.0.2.1"), "unknown", "ten years later all is forgotten");
	note("192.0.2.1", CLIENT_EVENT_SPAM, 100);
	fake_clock_set(noon_ms);
	is_str(standing("192.0.2.1"), "bad", "the clock goes back: what was done still counts");
	fake_clock_set(noon_ms + INT64_C(1000) * 60 * DAY_S);
	note("192.0.2.1", CLIENT_EVENT_QUIT, 1);
	ok(count("192.0.2.1", CLIENT_EVENT_SPAM) < 51, "... and decays from there on");
	clients_hour(now_s() / 3600, &hour);
	is_int(hour.event[CLIENT_EVENT_QUIT], 1, "hours are counted where the clock is");
	fake_clock_set(noon_ms);
	clients_stop();
}

/* ---- the stream */

static int batch(const char *id, const char *number, const char *rows)
{
	const char *const items[] = { id, "n", number, "r", rows };
	return clients_batches_count(false, 5, items);
}

static const char quit_row[] = "1767614399 192.0.2.9 quit - smtp -\n";
static const char two_rows[] = "1767614399 192.0.2.9 quit - smtp -\n1767614399 192.0.2.9 quit - smtp -";

static void stream_once(void)
{
	struct clients_stats stats;
	begin("");
	batch("1-1", "a:77:1", quit_row);
	batch("1-2", "a:77:1", quit_row);
	batch("1-3", "a:77:2", two_rows);
	batch("1-4", "a:77:1", quit_row);
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 3, "a batch counts once by its ordinal");
	batch("1-5", "b:77:1", quit_row);
	batch("1-6", "a:78:1", quit_row);
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 5, "... of each node and writer");
	batch("1-7", "nonsense", quit_row);
	batch("1-8", "a:77:-9", quit_row);
	batch("1-9", "a:77:9", "x\n1767614399 192.0.2.9 quit - smtp -\n\n");
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 6, "what cannot be read is left out, its neighbours are not");
	const char *const without[] = { "1-10", "n", "a:77:10", "1-11", "n", "a:77:11", "r", quit_row, "1-12" };
	is_int(clients_batches_count(false, 9, without), 3, "entries without fields end where the next begins");
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 7, "... which counts");
	clients_stats(&stats);
	ok(stats.batches == 6 && stats.again == 2, "%llu batches counted, %llu again",
	   (unsigned long long)stats.batches, (unsigned long long)stats.again);
	ok(stats.bad_rows == 6, "%llu bad ones", (unsigned long long)stats.bad_rows);
	const char *const last[] = { "1-12", "n", "a:77:12", "r", quit_row, "1-13", "n", "a:77:13", "r", quit_row };
	is_int(clients_batches_count(true, 10, last), 1, "looking back, the last one is there");
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 8, "... and is not counted again");
	clients_stats(&stats);
	is_int((int64_t)stats.gaps, 0, "nothing was lost");
	clients_batches_count(true, 5, (const char *[]){ "9-1", "n", "a:77:14", "r", quit_row });
	clients_stats(&stats);
	is_int((int64_t)stats.gaps, 1, "where it is gone and others are there, some were lost");
	clients_batches_count(true, 0, NULL);
	clients_batches_count(false, 5, (const char *[]){ "0-1", "n", "a:77:14", "r", quit_row });
	is_close(count("192.0.2.9", CLIENT_EVENT_QUIT), 9,
		 "another stream does not count again what it has of the old one");
	clients_stop();
}

/* ---- the snapshot */

static void path_of(const char *name, char path[200])
{
	snprintf(path, 200, "%s/%s", folder, name);
}

static void saved(void)
{
	struct clients_hour hour;
	struct clients_stats stats;
	const struct netaddr client = netaddr_of("192.0.2.1");
	begin(folder);
	note("192.0.2.1", CLIENT_EVENT_SPAM, 100);
	clients_note_as(&client, 64500);
	note_at("2001:db8::1", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_DATA, now_s() - DAY_S);
	batch("5-1", "a:77:5", quit_row);
	clients_stop();
	fake_clock_pass(1000);
	begin(folder);
	is_str(standing("192.0.2.1"), "bad", "a restart keeps who is bad");
	struct clients_row row;
	ok(clients_row(&client, &row) && row.as_number == 64500, "... and its AS");
	is_close(round(count("2001:db8::77", CLIENT_EVENT_NO_QUIT)), 1, "IPv6, too");
	clients_hour(now_s() / 3600 - 24, &hour);
	is_int(hour.stage[CLIENT_STAGE_DATA], 1, "hours, too");
	batch("5-1", "a:77:5", quit_row);
	batch("5-2", "a:77:6", quit_row);
	is_close(round(count("192.0.2.9", CLIENT_EVENT_QUIT)), 2, "what the stream had is not counted again");
	clients_stats(&stats);
	ok(stats.saved_s > 0 && stats.save_why[0] == '\0', "when it was saved is known");
	clients_stop();
}

static long size_of(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 ? (long)about.st_size : -1;
}

/* Of the byte at each of some places another one, and a file that ends there. */
static void corrupt(void)
{
	char path[200], aside[200];
	path_of("clients", path);
	path_of("clients.bad", aside);
	long size = size_of(path);
	ok(size > 1000, "there is a snapshot of %ld bytes", size);
	for (int i = 0; i < 12; i++) {
		FILE *file = fopen(path, "r+b");
		long at = i < 6 ? size / 8 * i / 6 : size / 8 * i / 12;
		fake_log_mark();
		unlink(aside);
		fseek(file, at, SEEK_SET);
		int byte = fgetc(file);
		fseek(file, at, SEEK_SET);
		fputc(byte ^ 0x55, file);
		fclose(file);
		if (i % 2 == 1)
			ok(truncate(path, at) == 0, "cut");
		begin(folder);
		is_str(standing("192.0.2.1"), "unknown", "byte %ld is another: it begins anew", at);
		ok(fake_log_find("is no whole snapshot") && size_of(aside) >= 0,
		   "... which is said, and the file set aside");
		note("192.0.2.1", CLIENT_EVENT_SPAM, 100);
		note("2001:db8::1", CLIENT_EVENT_SPAM, 50);
		clients_stop();
		size = size_of(path);
	}
	begin("/nonexistent/folder");
	is_str(standing("192.0.2.1"), "unknown", "without its folder it begins anew");
	clients_stop();
	ok(fake_log_find("clients.state is \"/nonexistent/folder\""), "... and says that it is not saved");
}

/* ---- the alarm */

static void jump(void)
{
	struct clients_alarm alarm;
	begin("");
	for (int64_t hour = 24 * 20; hour > 0; hour--)
		for (int i = 0; i < 20; i++)
			note_at(i == 0 && hour % 20 == 0 ? "192.0.2.66" : "192.0.2.1",
				i == 0 && hour % 20 == 0 ? CLIENT_EVENT_NO_QUIT : CLIENT_EVENT_QUIT, CLIENT_STAGE_DATA,
				now_s() - hour * 3600);
	clients_alarm_look(now_s());
	clients_alarm(&alarm);
	ok(alarm.known && !alarm.on && alarm.usual < 0.01, "usual is %.4f", alarm.usual);
	for (int i = 0; i < 60; i++)
		note_at("198.51.100.7", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_RCPT, now_s());
	for (int i = 0; i < 40; i++)
		note_at("203.0.113.7", CLIENT_EVENT_NO_QUIT, CLIENT_STAGE_HELO, now_s());
	note("203.0.113.7", CLIENT_EVENT_QUIT, 2);
	fake_log_mark();
	clients_alarm_look(now_s());
	clients_alarm(&alarm);
	ok(alarm.on && alarm.since_s == now_s(), "it has jumped to %.2f", alarm.now);
	is_str(alarm.who, "198.51.100.0/24 (60 of 60), 203.0.113.0/24 (40 of 42)", "who does it is known");
	is_str(alarm.where, "rcpt (60), helo (40)", "and where");
	ok(fake_log_find("sessions ended without QUIT within the last hour, usual are 0."), "it is said");
	clients_alarm_look(now_s());
	ok(fake_log_count("usual are 0.") == 1, "... once");
	for (int i = 0; i < 60; i++) {
		fake_clock_pass(3600 * 1000);
		note("192.0.2.1", CLIENT_EVENT_QUIT, 100);
		clients_alarm_look(now_s());
	}
	clients_alarm(&alarm);
	ok(!alarm.on && fake_log_find("as usual again"), "its end is said, too");
	fake_clock_set(noon_ms);
	clients_stop();
}

/* ---- threads */

static void *worker(void *arg)
{
	static const enum client_event events[] = { CLIENT_EVENT_QUIT, CLIENT_EVENT_NO_QUIT, CLIENT_EVENT_SPAM,
						    CLIENT_EVENT_AUTH_FAILURE };
	struct clients_row rows[4];
	struct clients_stats stats;
	for (int i = 0; i < ROUNDS; i++) {
		char client[40];
		snprintf(client, sizeof client, "198.%d.%d.%d", *(int *)arg, i % 200, i % 7);
		note(client, events[i % 4], 1);
		standing(client);
		const struct netaddr address = netaddr_of(client);
		clients_slow(&address, 1, false);
		clients_note_as(&address, (uint32_t)(64500 + i % 3));
		if (i % 100 == 0) {
			clients_list(CLIENTS_CLIENT, CLIENTS_WORST, 4, rows);
			clients_stats(&stats);
			batch("7-1", "a:1:1", quit_row);
		}
	}
	return NULL;
}

static void threads(void)
{
	pthread_t all[THREADS];
	int numbers[THREADS];
	struct clients_stats stats;
	struct clients_row rows[CLIENTS_LIST_MOST];
	begin(folder);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&all[i], NULL, worker, &numbers[i]);
	}
	for (int i = 0; i < 5; i++)
		clients_save_write(folder);
	for (int i = 0; i < THREADS; i++)
		pthread_join(all[i], NULL);
	clients_stats(&stats);
	ok(stats.rows[CLIENTS_CLIENT] == 1024 && stats.forgotten > 0, "the table is full");
	ok(stats.total.event[CLIENT_EVENT_SPAM] == THREADS * ROUNDS / 4, "no note is lost: %llu",
	   (unsigned long long)stats.total.event[CLIENT_EVENT_SPAM]);
	clients_stop();
	begin(folder);
	usleep(1500000);
	size_t listed = clients_list(CLIENTS_CLIENT, CLIENTS_SPAM, CLIENTS_LIST_MOST, rows);
	ok(listed > 10, "a list is ready: %zu", listed);
	bool falls = true;
	for (size_t i = 1; i < listed; i++)
		falls = falls &&
			rows[i].facts.own.value[CLIENT_EVENT_SPAM] <= rows[i - 1].facts.own.value[CLIENT_EVENT_SPAM];
	ok(falls, "... the most of it first");
	clients_stop();
}

int main(void)
{
	static const char *const files[] = { "clients", "clients.bad", "clients.new" };
	base = event_base_new();
	fake_clock_set(noon_ms);
	snprintf(folder, sizeof folder, "/tmp/penstock-clients-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	addresses();
	ours();
	forwards();
	gives_up();
	late();
	places();
	fake_clock_set(noon_ms);
	totals();
	clock_jumps();
	stream_once();
	saved();
	corrupt();
	jump();
	threads();
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char path[200];
		path_of(files[i], path);
		unlink(path);
	}
	rmdir(folder);
	event_base_free(base);
	return done_testing();
}

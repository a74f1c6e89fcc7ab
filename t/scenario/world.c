/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the world around does: time, Redis, DNS, the scanner, an admin at the control socket.
 */
#include "t/scenario/play.h"

#include "milter/daemon/daemon.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"
#include "redis-schema/account_record.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"
#include "t/fake/fake.h"
#include "t/fake/pending.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* ---- the daemon's loop thread */

struct pull {
	struct loop_job job; /* first */
	int64_t ms;
	atomic_bool done;
};

static bool pulled(void *arg)
{
	return atomic_load(&((struct pull *)arg)->done);
}

static void do_nothing(struct loop_job *job)
{
	atomic_store(&((struct pull *)job)->done, true);
}

static void let_pass(struct loop_job *job)
{
	fake_clock_pass(((struct pull *)job)->ms);
	do_nothing(job);
}

static bool run_on_loop(struct play *play, void (*run)(struct loop_job *job), int64_t ms)
{
	static struct pull pull;
	pull = (struct pull){ .job = { .run = run }, .ms = ms };
	if (play->server == NULL) {
		run(&pull.job);
		return true;
	}
	loop_post(the_daemon.loop, &pull.job);
	return play_wait(pulled, &pull) || play_fail(play, "the loop thread hangs");
}

/* Until the daemon, which has read all answers that Redis gave, asks nothing more. A turn of the loop may do the job
 * before it reads, and one that reads may write in the next: three turns. */
bool play_catch_up(struct play *play)
{
	int before = -1, taken = fake_redis_catch_up();
	while (taken != before) {
		for (int turn = 0; turn < 3; turn++)
			if (!run_on_loop(play, do_nothing, 0))
				return false;
		before = taken;
		taken = fake_redis_catch_up();
	}
	return true;
}

/* What the daemon does behind its answer is done before: it would see the world of a moment later otherwise. */
static bool pass(struct play *play, int64_t ms)
{
	return play_catch_up(play) && run_on_loop(play, let_pass, ms);
}

/* ---- time */

static bool do_time(struct play *play, const struct line *line)
{
	struct tm tm = { 0 };
	char text[60];
	snprintf(text, sizeof text, "%s %s", line->words[1], line->words[2]);
	const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
	if (end == NULL || *end != '\0')
		return play_fail(play, "expected: time YYYY-MM-DD HH:MM:SS");
	if (!play_catch_up(play))
		return false;
	fake_clock_set((int64_t)timegm(&tm) * 1000);
	return true;
}

static bool read_span(const char *number, const char *unit, int64_t *ms_out)
{
	static const struct {
		const char *word;
		int64_t seconds;
	} units[] = { { "seconds", 1 }, { "minutes", 60 }, { "hours", 3600 }, { "days", 86400 } };
	int64_t count;
	bool fine = text_to_int(number, 1, 1000000, &count);
	for (size_t i = 0; fine && i < sizeof units / sizeof units[0]; i++)
		if (strncmp(unit, units[i].word, strlen(units[i].word) - 1) == 0) {
			*ms_out = count * units[i].seconds * 1000;
			return true;
		}
	return false;
}

static bool do_wait(struct play *play, const struct line *line)
{
	int64_t ms;
	if (!read_span(line->words[1], line->words[2], &ms))
		return play_fail(play, "expected: wait COUNT seconds|minutes|hours|days");
	return pass(play, ms);
}

/* A host whose clock is not that of the host with Redis. */
static bool do_redis_clock(struct play *play, const struct line *line)
{
	int64_t ms;
	bool behind = strcmp(line->words[3], "behind") == 0;
	if (!read_span(line->words[1], line->words[2], &ms) || (!behind && strcmp(line->words[3], "ahead") != 0))
		return play_fail(play, "expected: redis-clock COUNT seconds|minutes|hours|days ahead|behind");
	if (!play_catch_up(play))
		return false;
	fake_clock_redis(behind ? -ms : ms);
	return true;
}

/* Real time, for what the daemon does by itself. */
static bool do_pause(struct play *play, const struct line *line)
{
	int64_t ms;
	if (!text_to_int(line->words[1], 1, 10000, &ms))
		return play_fail(play, "expected: pause MILLISECONDS");
	usleep((useconds_t)ms * 1000);
	return true;
}

/* ---- Redis */

static bool store_up(void *arg)
{
	(void)arg;
	return store_stats(the_daemon.store).up;
}

static bool store_down(void *arg)
{
	return !store_up(arg);
}

static bool store_paid(void *arg)
{
	(void)arg;
	return store_stats(the_daemon.store).pending == 0;
}

static bool run_redis(struct play *play, int count, char *const *words)
{
	struct fake_reply reply;
	fake_redis_command(count, (const char *const *)words, &reply);
	bool fine = reply.error[0] == '\0';
	if (!fine)
		play_fail(play, "redis answers \"%s\"", reply.error);
	fake_reply_free(&reply);
	return fine;
}

static bool do_redis(struct play *play, const struct line *line)
{
	static const struct {
		const char *word;
		enum fake_redis how;
		bool (*until)(void *arg);
	} rows[] = {
		{ "back", FAKE_REDIS_FINE, store_up },
		{ "wakes", FAKE_REDIS_FINE, store_up },
		{ "away", FAKE_REDIS_AWAY, store_down },
		{ "silent", FAKE_REDIS_SILENT, NULL },
		{ "slow", FAKE_REDIS_SLOW, NULL },
		{ "lags", FAKE_REDIS_LAGS, NULL },
		{ "loses-answer", FAKE_REDIS_LOSES_DONE, NULL },
		{ "loses-request", FAKE_REDIS_LOSES_UNDONE, NULL },
		{ "says", FAKE_REDIS_ERROR, NULL },
		{ "loading", FAKE_REDIS_LOADING, store_down },
	};
	const char *error = line->count > 2 ? line->words[2] : "LOADING Redis is loading the dataset in memory";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (strcmp(line->words[1], rows[i].word) != 0)
			continue;
		if (!play_catch_up(play))
			return false;
		fake_redis_is(rows[i].how, error);
		return play->server == NULL || rows[i].until == NULL || play_wait(rows[i].until, NULL) ||
		       play_fail(play, "the daemon takes no note of it");
	}
	return run_redis(play, line->count - 1, line->words + 1);
}

/* `limits ACCOUNT field=value ...`: as a panel would write them. */
static bool do_limits(struct play *play, const struct line *line)
{
	char key[KEY_MAX], hset[] = "HSET";
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, "penstock", line->words[1], KEY_PART_LIMITS);
	for (int i = 2; i < line->count; i++) {
		char *equals = strchr(line->words[i], '=');
		if (equals == NULL)
			return play_fail(play, "\"%s\": expected field=value", line->words[i]);
		*equals = '\0';
		char *words[] = { hset, key, line->words[i], equals + 1 };
		if (!run_redis(play, 4, words))
			return false;
	}
	return true;
}

/* `record ACCOUNT LEVEL`: it has sent for a week, and has had this level for some minutes. */
static bool do_record(struct play *play, const struct line *line)
{
	char key[KEY_MAX], bytes[RECORD_MAX];
	int64_t now_s = fake_clock_redis_ms() / 1000;
	struct account_record record = { .history = { .first_s = now_s - 7 * 86400, .level_since_s = now_s - 600 } };
	record.history.habits.day = (uint16_t)(now_s / 86400);
	record.history.habits.days = 7;
	enum level level = LEVEL_COUNT;
	while (level > 0 && strcmp(line->words[2], level_word(level - 1)) != 0)
		level--;
	if (level == 0)
		return play_fail(play, "\"%s\": expected a level", line->words[2]);
	record.history.level = level - 1;
	record_sign(&record, (struct record_write){ .writer = 1, .number = 1 });
	size_t length = record_write(&record, bytes);
	if (line->count > 3) { /* version 4 had no byte for texts before the four of the week, which is empty */
		memmove(bytes + length - 5, bytes + length - 4, 4);
		bytes[0] = 4;
		length--;
	}
	snprintf(key, sizeof key, KEY_OF_ACCOUNT, "penstock", line->words[1], KEY_PART_RECORD);
	fake_redis_set(key, bytes, length);
	return true;
}

/* Waits until the daemon owes Redis nothing. */
static bool do_settle(struct play *play, const struct line *line)
{
	(void)line;
	return play_wait(store_paid, NULL) || play_fail(play, "the daemon still owes Redis %llu charges",
							(unsigned long long)store_stats(the_daemon.store).pending);
}

static bool plans_read(void *arg)
{
	return fake_redis_plans_read() > *(int *)arg;
}

/* Waits until the daemon has read the plans once more: it does so each second. */
static bool do_plans_read(struct play *play, const struct line *line)
{
	int before = fake_redis_plans_read() + 1; /* one may be under way */
	(void)line;
	return play_start(play) && (play_wait(plans_read, &before) || play_fail(play, "the plans were not read")) &&
	       play_catch_up(play);
}

static bool asks_redis(void *arg)
{
	(void)arg;
	return fake_redis_in_flight() > 0;
}

static bool do_redis_asked(struct play *play, const struct line *line)
{
	(void)line;
	return play_wait(asks_redis, NULL) || play_fail(play, "Redis is not asked");
}

/* ---- DNS and the scanner */

static bool do_dns(struct play *play, const struct line *line)
{
	static const struct {
		const char *word;
		enum fake_dns how;
	} rows[] = { { "answers", FAKE_DNS_LISTS },	 { "silent", FAKE_DNS_SILENT },	  { "error", FAKE_DNS_ERROR },
		     { "hijacked", FAKE_DNS_HIJACKED },	 { "refuses", FAKE_DNS_REFUSES }, { "empty", FAKE_DNS_EMPTY },
		     { "lists-all", FAKE_DNS_LISTS_ALL } };
	const char *zone = line->words[1];
	if (line->count == 3 && strcmp(zone, "servers") == 0) {
		bool none = strcmp(line->words[2], "none") == 0;
		pending_servers(none ? "/etc/resolv.conf names no name server; this host, 127.0.0.1, is asked" : "");
		return true;
	}
	if (line->count == 6 && strcmp(line->words[2], "lists") == 0 && strcmp(line->words[4], "as") == 0)
		return fake_dns_list(zone, line->words[3], line->words[5]) ||
		       play_fail(play, "\"%s\" or \"%s\" is no address", line->words[3], line->words[5]);
	if (line->count == 4 && strcmp(line->words[2], "delists") == 0) {
		fake_dns_delist(zone, line->words[3]);
		return true;
	}
	if (line->count == 4 && strcmp(line->words[2], "says") == 0)
		return fake_dns_text(zone, line->words[3]) || play_fail(play, "too long, or too many");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (line->count == 3 && strcmp(line->words[2], rows[i].word) == 0) {
			fake_dns_zone(zone, rows[i].how);
			return true;
		}
	return play_fail(play, "expected: dns ZONE lists ADDRESS as CODE, dns ZONE delists ADDRESS, or dns ZONE "
			       "answers|silent|error|hijacked|refuses|empty|lists-all");
}

/* A name in front of it is one scanner's; without one it is said of all that have no word of their own. */
static bool do_scanner(struct play *play, const struct line *line)
{
	static const struct {
		const char *word;
		enum fake_scanner how;
		int words; /* behind the name */
	} rows[] = { { "says", FAKE_SCANNER_ANSWERS, 2 },
		     { "away", FAKE_SCANNER_AWAY, 1 },
		     { "silent", FAKE_SCANNER_SILENT, 1 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int at = line->count - rows[i].words;
		if (at < 1 || at > 2 || strcmp(line->words[at], rows[i].word) != 0)
			continue;
		fake_scanner_is(at == 2 ? line->words[1] : "", rows[i].how,
				rows[i].words == 2 ? strtod(line->words[at + 1], NULL) : 0);
		return true;
	}
	return play_fail(play, "expected: scanner [NAME] says SCORE, or scanner [NAME] away|silent");
}

/* ---- the admin */

/* Sends, and reads until the other side closes or `until` (but for NUL) ends what has come. False: no connection. */
static bool talk(const struct play *play, const char *path, const char *bytes, size_t length, char *answer, size_t size,
		 char until)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t got = 0;
	snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", play->folder, path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool fine = fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
		    write(fd, bytes, length) == (ssize_t)length;
	while (fine && got < size - 1 && (got == 0 || until == '\0' || answer[got - 1] != until)) {
		ssize_t more = read(fd, answer + got, size - 1 - got);
		if (more <= 0)
			break;
		got += (size_t)more;
	}
	answer[got] = '\0';
	if (fd >= 0)
		close(fd);
	return fine;
}

/* `control {...}`: one line of JSON to the daemon's control socket. */
static bool do_control(struct play *play, const struct line *line)
{
	char bytes[LINE_LONGEST];
	int length = snprintf(bytes, sizeof bytes, "%.*s\n", (int)strcspn(line->rest, "\r\n"), line->rest);
	return play_start(play) &&
	       (talk(play, "control.sock", bytes, (size_t)length, play->control, sizeof play->control, '\0') ||
		play_fail(play, "the control socket does not take the line"));
}

/* `webhook says 500`, `admin-mail silent`: what it answers from now on. */
static bool do_post(struct play *play, const struct line *line)
{
	bool mail = strcmp(line->words[0], "admin-mail") == 0;
	int64_t status = 0;
	if (strcmp(line->words[1], "silent") == 0)
		status = -1;
	else if (strcmp(line->words[1], "away") != 0 &&
		 (line->count < 3 || !text_to_int(line->words[2], 200, 599, &status)))
		return play_fail(play, "expected: %s says CODE, away or silent", line->words[0]);
	fake_post_says(mail, (long)status);
	return true;
}

/* `socketmap KEY [MAP]`: as Postfix asks for a sender's transport, or in the map that is named; the answer is looked at
 * as control's is. */
static bool do_socketmap(struct play *play, const struct line *line)
{
	char request[LINE_LONGEST], bytes[LINE_LONGEST + 16];
	int length = snprintf(request, sizeof request, "%s %s", line->count > 2 ? line->words[2] : "transport",
			      line->words[1]);
	length = snprintf(bytes, sizeof bytes, "%d:%s,", length, request);
	return play_start(play) &&
	       (talk(play, "socketmap.sock", bytes, (size_t)length, play->control, sizeof play->control, ',') ||
		play_fail(play, "the socketmap does not take the request: is it in option socketmap.listen?"));
}

const struct command world_commands[] = {
	{ "time", 3, do_time, "time YYYY-MM-DD HH:MM:SS" },
	{ "wait", 3, do_wait, "wait COUNT seconds|minutes|hours|days" },
	{ "redis-clock", 4, do_redis_clock, "redis-clock COUNT seconds|minutes|hours|days ahead|behind" },
	{ "pause", 2, do_pause, "pause MILLISECONDS" },
	{ "redis", 2, do_redis, "redis back|away|silent|... or a command of Redis" },
	{ "limits", 3, do_limits, "limits ACCOUNT FIELD=VALUE..." },
	{ "record", 3, do_record, "record ACCOUNT LEVEL [4]" },
	{ "settle", 1, do_settle, "settle" },
	{ "plans-read", 1, do_plans_read, "plans-read" },
	{ "redis-asked", 1, do_redis_asked, "redis-asked" },
	{ "dns", 3, do_dns, "dns ZONE lists ADDRESS as CODE" },
	{ "scanner", 2, do_scanner, "scanner [NAME] says SCORE" },
	{ "control", 2, do_control, "control {JSON}" },
	{ "socketmap", 2, do_socketmap, "socketmap KEY [MAP]" },
	{ "webhook", 2, do_post, "webhook says CODE|away|silent" },
	{ "admin-mail", 2, do_post, "admin-mail says CODE|away|silent" },
	{ NULL, 0, NULL, NULL },
};

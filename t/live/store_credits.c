/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One process of a fleet at a real Redis. `follow` credits line 1 to UNTIL of a log that each such process knows by
 * heart (line N: account N * N / 7 modulo ACCOUNTS), from the checkpoint in FOLDER on, which it saves, and ends behind
 * line LINES. `charge` charges messages until SIGTERM, and writes how many, a line an account, into FOLDER/NAME. usage:
 * store_credits follow unix:/path-of-redis FOLDER UNTIL | store_credits charge unix:/path-of-redis FOLDER NAME
 */
#include "milter/follow/credit.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ACCOUNTS = 50, LINES = 20000, WAIT_MOST = 40, LINES_A_TURN = 20, TICK_MS = 50, LETTERS = 300 };
#define WRITER UINT64_C(0x5eed5eed5e)

static struct event_base *base;
static struct store *store;
static struct event *turns, *ticks, *ends;
static char folder[LETTERS];

static void say(void *arg, const char *line)
{
	(void)arg;
	printf("%s\n", line);
	fflush(stdout);
}

static void name_account(char name[40], long number)
{
	snprintf(name, 40, "user%ld@example.com", number);
}

/* The whole file or none of it. */
static void save(const char *name, const char *text)
{
	char path[2 * LETTERS], fresh[2 * LETTERS];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	snprintf(fresh, sizeof fresh, "%s/%s.new", folder, name);
	FILE *out = fopen(fresh, "w");
	if (out == NULL || fputs(text, out) < 0 || fclose(out) != 0 || rename(fresh, path) != 0) {
		perror(path);
		exit(1);
	}
}

static struct event *every(int ms, event_callback_fn run)
{
	struct event *made = event_new(base, -1, EV_PERSIST, run, NULL);
	event_add(made, &(struct timeval){ 0, ms * 1000 });
	return made;
}

/* ---- the follower */

static struct credit *credit;
static long at_line, saved_line, until_line;

static long load_checkpoint(void)
{
	char path[2 * LETTERS];
	long line = 0;
	snprintf(path, sizeof path, "%s/checkpoint", folder);
	FILE *in = fopen(path, "r");
	if (in != NULL && fscanf(in, "%ld", &line) != 1)
		line = 0;
	if (in != NULL)
		fclose(in);
	return line;
}

static void follow_save(void *arg)
{
	char text[40];
	(void)arg;
	if (!credit_idle(credit) || saved_line == at_line)
		return;
	snprintf(text, sizeof text, "%ld\n", at_line);
	save("checkpoint", text);
	saved_line = at_line;
	if (at_line == LINES)
		event_base_loopbreak(base);
}

static void follow_turn(evutil_socket_t fd, short what, void *arg)
{
	char name[40];
	double counts[COUNTER_COUNT] = { [COUNTER_DEAD] = 1 };
	(void)fd;
	(void)what;
	(void)arg;
	for (int i = 0; i < LINES_A_TURN && at_line < until_line && !credit_full(credit); i++) {
		at_line++;
		name_account(name, at_line * at_line / 7 % ACCOUNTS);
		credit_add(credit, name, (uint64_t)at_line, counts);
		credit_send(credit);
	}
}

static void follow_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	credit_tick(credit);
}

static void follow_begin(const char *until)
{
	until_line = strtol(until, NULL, 10);
	at_line = saved_line = load_checkpoint();
	credit = credit_new(store, WRITER, WAIT_MOST, follow_save, NULL);
	turns = every(1, follow_turn);
	ticks = every(TICK_MS, follow_tick);
	if (at_line == LINES)
		saved_line = LINES - 1;
}

static void follow_end(void)
{
	struct credit_counts counts = credit_counts(credit);
	printf("the end: %llu done, %llu refused, %llu given up\n", (unsigned long long)counts.done,
	       (unsigned long long)counts.refused, (unsigned long long)counts.given_up);
	event_free(ticks);
}

/* ---- a daemon */

static long charged[ACCOUNTS], asked, answered;
static bool no_more;
static const char *daemon_name;

static void on_charge(void *arg, const struct charge_result *result)
{
	(void)result;
	charged[(long *)arg - charged]++;
	answered++;
}

static void charge_one(void)
{
	struct message_charge message = { .charge = { .limits = limits_unset, .quota = true } };
	long account = random() % ACCOUNTS;
	message.charge.now_ms = (int64_t)time(NULL) * 1000;
	message.charge.amounts.of[COUNTED_MESSAGES] = 1;
	message.charge.counts[COUNTER_MESSAGES] = 1;
	name_account(message.charge.account, account);
	asked++;
	store_charge(store, &message, on_charge, &charged[account]);
}

static void charge_turn(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!no_more)
		charge_one();
	else if (asked == answered && store_stats(store).pending == 0)
		event_base_loopbreak(base);
}

static void charge_no_more(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	no_more = true;
}

static void charge_begin(const char *name)
{
	daemon_name = name;
	srandom((unsigned)time(NULL) ^ (unsigned)name[0]);
	turns = every(1, charge_turn);
	ends = evsignal_new(base, SIGTERM, charge_no_more, NULL);
	event_add(ends, NULL);
}

static void charge_end(void)
{
	char text[ACCOUNTS * 24];
	size_t used = 0;
	for (int i = 0; i < ACCOUNTS; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "%ld\n", charged[i]);
	save(daemon_name, text);
	printf("the end: %ld charged, %llu conflicts, %llu merged, %llu dropped\n", asked,
	       (unsigned long long)store_stats(store).conflicts, (unsigned long long)store_stats(store).merged,
	       (unsigned long long)store_stats(store).dropped);
	event_free(ends);
}

int main(int argc, char **argv)
{
	char error[300];
	if (argc != 5 || strlen(argv[3]) >= sizeof folder) {
		fprintf(stderr, "usage: store_credits follow|charge unix:/path-of-redis FOLDER UNTIL|NAME\n");
		return 2;
	}
	bool follows = strcmp(argv[1], "follow") == 0;
	struct store_settings settings = { .server = argv[2],
					   .username = "",
					   .password = "",
					   .prefix = "penstock",
					   .node = "t",
					   .timeout_ms = 200,
					   .breaker_failures = 3,
					   .retry_ms = 20,
					   .recent_accounts = 2 * ACCOUNTS,
					   .state_ttl_s = 3600,
					   .credits_only = follows };
	strcpy(folder, argv[3]);
	base = event_base_new();
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	if (store == NULL) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	(follows ? follow_begin : charge_begin)(argv[4]);
	event_base_dispatch(base);
	(follows ? follow_end : charge_end)();
	event_free(turns);
	store_free(&store);
	credit_free(&credit);
	event_base_free(base);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The daemon's store at a real Redis, one request at a time: what the tests of the store share.
 */
#ifndef PENSTOCK_STORE_FIXTURE_H
#define PENSTOCK_STORE_FIXTURE_H

#include "redis-schema/store/store.h"
#include "redis-schema/wire/alarm.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

static struct event_base *base;
static struct store *store;
static bool answered;
static struct charge_result result;
static struct account_state state;
static const char *command_error;
static struct known known;
static unsigned char known_bytes[KNOWN_MAP_BYTES];
static char last_item[64]; /* of a command's answer */
static int64_t passed_ms;  /* time that passes when a test says so */

static void say(void *arg, const char *line)
{
	(void)arg;
	printf("# %s\n", line);
}

static void on_charge(void *arg, const struct charge_result *what)
{
	(void)arg;
	result = *what;
	answered = true;
}

static void on_fetch(void *arg, const struct account_state *what, const struct known *rcpts)
{
	(void)arg;
	state = *what;
	known = *rcpts;
	if (known.bytes != NULL)
		known.bytes = memcpy(known_bytes, known.bytes, known.length);
	answered = true;
}

static void on_command(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	command_error = error;
	snprintf(last_item, sizeof last_item, "%s", count > 0 && items[count - 1] != NULL ? items[count - 1] : "");
	answered = true;
}

static void wait_for_answer(void)
{
	while (!answered)
		event_base_loop(base, EVLOOP_ONCE);
	answered = false;
}

static void fetch(const char *account)
{
	store_fetch(store, account, on_fetch, NULL);
	wait_for_answer();
}

static void charge_message(const struct message_charge *message)
{
	store_charge(store, message, on_charge, NULL);
	wait_for_answer();
}

static void command(const char *account, const char *word, const char *part, const char *field, const char *value)
{
	store_account_command(store, account,
			      value != NULL   ? 4
			      : field != NULL ? 3
					      : 2,
			      (const char *[]){ word, part, field, value }, on_command, NULL);
	wait_for_answer();
}

static double used(const char *account)
{
	fetch(account);
	return rates_used(&state.history.rates, WINDOW_MSGS_PER_DAY);
}

static int64_t steady_ms(void)
{
	return alarm_clock_ms() + passed_ms;
}

static void store_begin(const char *server, const char *prefix)
{
	char error[300];
	struct store_settings settings = { .server = server,
					   .username = "",
					   .password = "",
					   .prefix = prefix,
					   .node = "t",
					   .timeout_ms = 5000,
					   .breaker_failures = 3,
					   .retry_ms = 100,
					   .recent_accounts = 100,
					   .state_ttl_s = 3600,
					   .steady_ms = steady_ms };
	base = event_base_new();
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	ok(store != NULL, "a store");
	for (int i = 0; i < 100 && !store_stats(store).up; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ok(store_stats(store).up, "Redis answers");
}

static void store_end(void)
{
	store_free(&store);
	event_base_free(base);
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * model [-v] SEED COUNT: so many schedules, the first from that seed. See README.
 */
#include "t/model/model.h"

#include "redis-schema/wire/alarm.h"
#include "t/model/books.h"
#include "t/model/follower.h"
#include "t/model/lot.h"
#include "t/model/net.h"
#include "t/model/panel.h"
#include "t/model/time.h"
#include "t/model/users.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "policy/base/text.h"
#include "policy/base/banned.h"

struct model model;

void *model_new(size_t size)
{
	void *made = calloc(1, size);
	if (made == NULL)
		abort();
	return made;
}

void model_say(const char *format, ...)
{
	va_list values;
	if (!model.talks)
		return;
	printf("%4ld %9.3f  ", model.step, (double)(server_now_ms() - model.begun_ms) / 1000);
	va_start(values, format);
	vprintf(format, values);
	va_end(values);
	printf("\n");
}

void model_fail(const char *format, ...)
{
	va_list values;
	fflush(stdout);
	fprintf(stderr, "seed %llu, step %ld: ", (unsigned long long)model.seed, model.step);
	va_start(values, format);
	vfprintf(stderr, format, values);
	va_end(values);
	fprintf(stderr, "\n");
	_exit(1);
}

static void model_on_signal(int number)
{
	model_fail("%s", number == SIGABRT ? "it aborts" : number == SIGALRM ? "it never ends" : "it crashes");
}

/* ---- who takes part */

static void model_store_says(void *arg, const char *line)
{
	model_say("... daemon %d says: %s", (int)(intptr_t)arg, line);
}

static void model_begin_daemon(int daemon)
{
	static char servers[MODEL_DAEMONS][40];
	char error[200];
	snprintf(servers[daemon], sizeof servers[daemon], "127.0.0.1:%d", PORT_FIRST + daemon);
	model.settings[daemon] = (struct store_settings){ .server = servers[daemon],
							  .username = "",
							  .password = "",
							  .prefix = "penstock",
							  .node = "a",
							  .timeout_ms = MODEL_TIMEOUT_MS,
							  .breaker_failures = 3,
							  .retry_ms = 100,
							  .recent_accounts = lot_once_in(4) ? 3 : 50,
							  .state_ttl_s = 8640000 };
	model.store[daemon] = store_new(NULL, &model.settings[daemon], model_store_says, (void *)(intptr_t)daemon,
					error, sizeof error);
	MODEL_MUST(model.store[daemon] != NULL, "%s", error);
}

static void model_begin_account(int account)
{
	struct model_account *made = &model.account[account];
	static const enum over overs[] = { OVER_DEFER, OVER_DEFER, OVER_DEFER, OVER_REJECT, OVER_LOG, OVER_HOLD };
	snprintf(made->name, sizeof made->name, "user%d@example.org", account);
	made->limits = limits_unset;
	made->limits.over = overs[lot(6)];
	if (lot_once_in(3))
		return;
	enum window window = (enum window)lot(WINDOW_NEW_RCPTS_PER_DAY);
	made->limits.window[window] =
		window_counted(window) == COUNTED_KBYTES ? lot_between(500, 5000) : lot_between(3, 20);
}

static void model_begin_group(int group)
{
	struct model_group *made = &model.group[group];
	static const enum window windows[] = { WINDOW_MSGS_PER_DAY, WINDOW_RCPTS_PER_DAY, WINDOW_KBYTES_PER_DAY };
	char key[ACCOUNT_MAX * 5], number[24];
	made->scope = group == 0 ? SCOPE_DOMAIN : SCOPE_SERVER;
	account_group(made->scope, group == 0 ? "example.org" : "all", made->name);
	made->window = windows[lot(3)];
	made->limits = limits_unset;
	made->limits.over = lot_once_in(4) ? OVER_LOG : OVER_DEFER;
	made->limits.window[made->window] =
		made->window == WINDOW_KBYTES_PER_DAY ? lot_between(500, 20000) : lot_between(3, 60);
	if (lot_once_in(3))
		made->limits.window[WINDOW_MSGS_PER_MINUTE] = lot_between(3, 60);
	made->own = LIMIT_UNSET;
	if (lot_once_in(2))
		return;
	made->own = made->limits.window[made->window] + lot_between(-2, 5);
	snprintf(key, sizeof key, "penstock:{%s}:limits", made->name);
	snprintf(number, sizeof number, "%lld", (long long)made->own);
	server_do(4, (const char *[]){ "HSET", key, window_word(made->window), number });
}

static void model_begin(uint64_t seed)
{
	bool talks = model.talks;
	lot_begin(seed);
	model = (struct model){ .talks = talks, .seed = seed };
	time_begin(lot(1000000));
	model.begun_ms = INT64_C(1700000000000) + lot(86400) * INT64_C(1000);
	server_begin(model.begun_ms);
	books_begin();
	users_begin();
	panel_begin();
	model.calm = lot_once_in(4);
	model.checked = lot_once_in(2);
	model.foreign = lot_once_in(5);
	model.in_order = lot_once_in(2);
	model.accounts = lot_between(1, MODEL_ACCOUNTS);
	model.groups = lot(MODEL_GROUPS + 1);
	model.daemons = lot_between(1, MODEL_DAEMONS);
	for (int i = 0; i < model.accounts; i++)
		model_begin_account(i);
	for (int i = 0; i < model.groups; i++)
		model_begin_group(i);
	for (int i = 0; i < model.daemons; i++)
		model_begin_daemon(i);
	follower_begin();
}

/* ---- steps */

/* All that is under way comes where it should; that of a connection which is gone perhaps. */
static void model_pump(void)
{
	for (int turns = 0; !net_is_quiet() || time_call_soon(); turns++) {
		MODEL_MUST(turns < 10000, "they talk without end");
		for (struct link *link = net_first(); link != NULL; link = link->next) {
			if (!link->held && !lot_once_in(8))
				continue;
			net_open(link);
			net_to_redis(link, SIZE_MAX);
			net_to_daemon(link, SIZE_MAX);
		}
		while (time_call_soon())
			;
	}
}

void model_call_all_soon(void)
{
	for (int calls = 0; time_call_soon(); calls++)
		MODEL_MUST(calls < 10000, "they call without end");
}

/* Alarms ring at their time; `well`: all comes in time. */
static void model_wait(int64_t ms, bool well)
{
	int64_t until = alarm_clock_ms() + ms;
	model_call_all_soon(); /* no loop sleeps before */
	if (model.calm || well)
		model_pump();
	while (time_next_alarm() <= until) {
		int64_t next = time_next_alarm();
		if (model.calm || well)
			model_pump();
		if (next > alarm_clock_ms())
			time_forward(next - alarm_clock_ms());
		while (time_ring())
			if (model.in_order)
				model_call_all_soon();
		model_call_all_soon();
		users_check();
	}
	if (until > alarm_clock_ms())
		time_forward(until - alarm_clock_ms());
}

static void step_wait(void)
{
	int64_t ms = lot_once_in(500)  ? lot_between(1, 3600000)
		     : lot_once_in(60) ? lot_between(1, 90000)
		     : lot_once_in(4)  ? lot_between(1, 3 * MODEL_TIMEOUT_MS)
				       : lot_between(1, MODEL_TIMEOUT_MS / 3);
	model_say("%lld ms pass", (long long)ms);
	if (model.calm)
		model_pump();
	model_wait(ms, false);
}

static size_t step_piece(void)
{
	return lot_once_in(2) ? SIZE_MAX : (size_t)lot_between(1, lot_once_in(2) ? 20 : 2000);
}

static void step_to_redis(void)
{
	struct link *link = net_any();
	if (link != NULL)
		net_to_redis(link, step_piece());
}

static void step_to_daemon(void)
{
	struct link *link = net_any();
	if (link != NULL)
		net_to_daemon(link, step_piece());
}

static void step_connect(void)
{
	struct link *link = net_any();
	if (link == NULL)
		return;
	if (!model.calm && lot_once_in(4))
		net_refuse(link);
	else
		net_open(link);
}

static void step_pump(void)
{
	model_say("all that is under way comes");
	model_pump();
}

static void step_call(void)
{
	if (!time_call_soon())
		time_ring();
}

static void step_lose(void)
{
	struct link *link = net_any();
	if (link == NULL || model.calm)
		return;
	model.lost = true;
	if (lot_once_in(2))
		net_lose(link);
	else
		net_end(link);
}

static void step_flush(void)
{
	model_say("SCRIPT FLUSH");
	server_flush_scripts();
}

static void step_trouble(void)
{
	static const char *const errors[] = { "READONLY You can't write against a read only replica.",
					      "OOM command not allowed when used memory > 'maxmemory'.",
					      "LOADING Redis is loading the dataset in memory",
					      "MOVED 3999 127.0.0.1:6381",
					      "ERR strange",
					      "NOSCRIPT No matching script. Please use EVAL.",
					      "NOPERM this user has no permissions to run the command" };
	if (model.calm)
		return;
	model.lost = true;
	if (server_trouble.error != NULL && !lot_once_in(3)) {
		server_trouble = (struct trouble){ .error = NULL };
		model_say("Redis is well");
		return;
	}
	server_trouble.error = errors[lot(7)];
	server_trouble.reads = lot_once_in(4);
	server_trouble.seldom = lot_once_in(2);
	model_say("Redis says \"%s\" from now on", server_trouble.error);
}

/* What it owes is lost. Its writer is another one then. */
static void step_restart(void)
{
	int daemon = lot(model.daemons);
	if (!model.foreign || !lot_once_in(3))
		return;
	model_say("daemon %d starts anew", daemon);
	model_call_all_soon();
	model.ends = true;
	store_free(&model.store[daemon]);
	time_drop_soon();
	users_gone(daemon);
	model.ends = false;
	model_begin_daemon(daemon);
}

static const struct step {
	int weight;
	void (*go)(void);
} steps[] = {
	{ 25, users_charge },	   { 8, users_fetch },	{ 6, users_tell },   { 16, step_to_redis },
	{ 16, step_to_daemon },	   { 6, step_connect }, { 10, step_pump },   { 8, step_call },
	{ 12, step_wait },	   { 3, step_lose },	{ 1, step_flush },   { 1, panel_step },
	{ 3, panel_step_foreign }, { 1, step_restart }, { 1, step_trouble }, { 10, follower_step },
	{ 1, follower_kill },
};

static void model_step(void)
{
	int all = 0, at = 0;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		all += steps[i].weight;
	int drawn = lot(all);
	while (drawn >= steps[at].weight)
		drawn -= steps[at++].weight;
	if (model.in_order)
		model_call_all_soon();
	model.step++;
	steps[at].go();
	net_sweep();
}

/* ---- the end */

static bool model_is_quiet(void)
{
	for (int i = 0; i < model.daemons; i++) {
		if (store_stats(model.store[i]).pending > 0 || !net_is_connected(i))
			return false;
	}
	return users_waiting() == 0 && net_is_quiet() && follower_is_quiet();
}

/* Redis is well, and time passes. */
static void model_settle(void)
{
	enum { LEAST_MS = 4 * MODEL_TIMEOUT_MS, MOST_MS = 300000 };
	int64_t least = alarm_clock_ms() + LEAST_MS, until = alarm_clock_ms() + MOST_MS;
	server_trouble = (struct trouble){ .error = NULL };
	model.well = true;
	model_say("from here on all is well");
	if (model.in_order)
		model_call_all_soon();
	for (int quiet = 0; quiet < 2;) {
		model.step++;
		model_pump();
		users_check();
		follower_settle();
		quiet = model_is_quiet() && alarm_clock_ms() >= least ? quiet + 1 : 0;
		for (int i = 0; i < model.daemons; i++)
			MODEL_MUST(alarm_clock_ms() < until,
				   "daemon %d: %llu charges are pending for ever, %d users wait", i,
				   (unsigned long long)store_stats(model.store[i]).pending, users_waiting());
		int64_t next = time_next_alarm();
		model_wait(next > alarm_clock_ms() ? next - alarm_clock_ms() : 0, true);
		net_sweep();
	}
}

static void model_fetched(void *arg, const struct account_state *state, const struct known *known)
{
	(void)known;
	*(bool *)arg = state->known == KNOWLEDGE_FULL;
}

/* What is more than there should be goes when the next row is made. */
static void model_check_rows(void)
{
	bool full[MODEL_DAEMONS];
	for (int i = 0; i < model.daemons; i++)
		store_fetch(model.store[i], "nobody@example.org", model_fetched, &full[i]);
	model_wait(MODEL_TIMEOUT_MS, true);
	for (int i = 0; i < model.daemons; i++) {
		uint64_t rows = store_stats(model.store[i]).recent;
		MODEL_MUST(!full[i] || rows <= (uint64_t)model.settings[i].recent_accounts, "daemon %d has %llu rows",
			   i, (unsigned long long)rows);
	}
}

static void model_end(void)
{
	model.ends = true;
	for (int i = 0; i < model.daemons; i++)
		store_free(&model.store[i]);
	follower_free();
	net_clear();
	users_end();
	redis_data_clear(&server_data);
	MODEL_MUST(time_is_empty(), "an alarm is left");
}

static void model_run(uint64_t seed)
{
	model_begin(seed);
	for (int left = lot_between(20, 200); left > 0; left--)
		model_step();
	model_settle();
	panel_check();
	if (!model.foreign)
		books_check();
	users_charge_all();
	model_check_rows();
	users_check_full();
	model_end();
}

int main(int argc, char **argv)
{
	int64_t seed, count;
	bool talks = argc > 1 && strcmp(argv[1], "-v") == 0;
	argv += talks;
	if (argc != 3 + talks || !text_to_int(argv[1], 0, INT64_MAX / 2, &seed) ||
	    !text_to_int(argv[2], 1, INT64_MAX / 2, &count)) {
		fprintf(stderr, "usage: model [-v] SEED COUNT\n");
		return 2;
	}
	model.talks = talks;
	signal(SIGABRT, model_on_signal);
	signal(SIGALRM, model_on_signal);
	signal(SIGSEGV, model_on_signal);
	for (int64_t i = 0; i < count; i++) {
		if (i % 100 == 0)
			alarm(60);
		model_run((uint64_t)(seed + i));
		if ((i + 1) % 50000 == 0)
			printf("%lld schedules\n", (long long)(i + 1));
		fflush(stdout);
	}
	printf("%lld schedules from seed %lld: the books are right\n", (long long)count, (long long)seed);
	return 0;
}

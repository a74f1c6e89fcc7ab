/* SPDX-License-Identifier: BSD-2-Clause
 *
 * charge.lua in a real Redis against policy/rate.c and policy/reputation.c: the same charges, the same sums. Time is
 * Redis's own; the state is aged between charges by writing an older one, so that windows roll.
 * usage: store_arithmetic unix:/path-of-redis
 */
#include "policy/rate.h"
#include "policy/reputation.h"
#include "redis-schema/store.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARGES = 2000, ACCOUNTS = 7 };

static struct event_base *base;
static struct store *store;
static bool answered;
static struct charge_result result;
static struct account_state state;
static const char *command_error;

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

static void on_fetch(void *arg, const struct account_state *what, const unsigned char *map)
{
	(void)arg;
	(void)map;
	state = *what;
	answered = true;
}

static void on_command(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	(void)count;
	(void)items;
	command_error = error;
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

/* Writes the state as if all of it had happened `seconds` ago. */
static void age(const char *account, int64_t seconds)
{
	char msgs[200], rcpts[200] = "";
	int used[2] = { snprintf(msgs, sizeof msgs, "%" PRId64, state.history.rates.at_ms - seconds * 1000), 0 };
	char *const texts[2] = { msgs, rcpts };
	for (int i = 0; i < WINDOW_SUMS; i++) {
		if (window_counted((enum window)i) > COUNTED_RECIPIENTS)
			continue;
		int at = window_counted((enum window)i) == COUNTED_MESSAGES ? 0 : 1;
		used[at] += snprintf(texts[at] + used[at], sizeof msgs - (size_t)used[at], "%s%.0f %.0f",
				     used[at] > 0 ? " " : "", state.history.rates.present[i], state.history.rates.before[i]);
	}
	store_account_command(store, account, 6, (const char *[]){ "HSET", "state", "msgs", msgs, "rcpts", rcpts },
			      on_command, NULL);
	wait_for_answer();
	ok(command_error == NULL, "%s is aged by %" PRId64 " s", account, seconds);
}

static int64_t pick(int64_t most)
{
	return random() % most;
}

static const char *const domains[] = {	/* one of the longest kind: a listpack takes no longer string */
	"", "-", "example.org", "a-domain-of-sixty-bytes.a-domain-of-sixty-bytes.example.orga",
};

static struct charge random_charge(const char *account)
{
	struct charge charge = { .limits = limits_unset, .checked = true, .quota = pick(10) > 0, .level = LEVEL_NEW,
				 .amounts = { .of = { 1, 1 + pick(60) } } };
	snprintf(charge.account, sizeof charge.account, "%s", account);
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (pick(3) > 0 && window_counted((enum window)i) <= COUNTED_RECIPIENTS)
			charge.limits.window[i] = pick(window_counted((enum window)i) == COUNTED_MESSAGES ? 40 : 1500);
	charge.limits.over = pick(3) == 0 ? OVER_SLOW : OVER_DEFER;
	charge.counts[COUNTER_MESSAGES] = charge.quota ? 1 : 0;
	charge.counts[COUNTER_RCPTS] = charge.quota ? (double)charge.amounts.of[COUNTED_RECIPIENTS] : 0;
	charge.counts[COUNTER_SPAM] = pick(4) == 0;
	snprintf(charge.unauthorised, sizeof charge.unauthorised, "%s", domains[pick(4)]);
	return charge;
}

/* What policy/ says should come of it, at the time that Redis took. */
static enum window expect(const struct charge *charge, int64_t at_ms, struct rates *rates, struct counters *counters)
{
	rates_roll(rates, at_ms);
	counters_decay(counters, at_ms);
	enum window over = charge->quota ? rates_over(rates, &charge->limits, &charge->amounts)
					 : WINDOW_COUNT;
	bool turned_away = over != WINDOW_COUNT && charge->limits.over != OVER_SLOW;
	if (charge->quota && !turned_away)
		rates_add(rates, &charge->amounts);
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (!turned_away || (i != COUNTER_MESSAGES && i != COUNTER_RCPTS))
			counters->value[i] += charge->counts[i];
	counters->value[COUNTER_BREACHES] += turned_away;
	return over;
}

static double worst_rate(const struct rates *a, const struct rates *b)
{
	double worst = 0;
	for (int i = 0; i < WINDOW_SUMS; i++) {
		double differs = fabs(a->present[i] - b->present[i]) + fabs(a->before[i] - b->before[i]);
		worst = differs > worst ? differs : worst;
	}
	return worst;
}

static bool same_counters(const struct counters *a, const struct counters *b)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (fabs(a->value[i] - b->value[i]) > 1e-4 * (1 + fabs(b->value[i])))	/* six digits are kept */
			return false;
	return true;
}

static void run_charge(const char *account, int *wrong)
{
	struct charge charge = random_charge(account);
	fetch(account);
	struct rates rates = state.history.rates;
	struct counters counters = state.history.counters;
	const char *domain = charge.unauthorised[0] == '-' ? "" : charge.unauthorised;
	char expected[STATE_DOMAIN_MAX + 1];
	snprintf(expected, sizeof expected, "%s", charge.unauthorised[0] != '\0' ? domain : state.history.unauthorised);
	struct message_charge message = { .charge = charge };
	store_charge(store, &message, on_charge, NULL);
	wait_for_answer();
	enum window over = expect(&charge, result.rates.at_ms, &rates, &counters);
	fetch(account);
	bool fine = result.known == KNOWLEDGE_FULL && result.breach.window == over && worst_rate(&result.rates, &rates) < 1e-6 &&
		    worst_rate(&state.history.rates, &rates) < 1e-6 && same_counters(&state.history.counters, &counters) && strcmp(state.history.unauthorised, expected) == 0;
	if (!fine && (*wrong)++ < 5)
		printf("# %s: over %d, expected %d; rates differ by %g\n", account, (int)result.breach.window, (int)over,
		     worst_rate(&result.rates, &rates));
}

static void check_all(void)
{
	static const int64_t ages[] = { 1, 59, 61, 3599, 3601, 40000, 90000, 200000 };
	int wrong = 0, overs = 0;
	for (int i = 0; i < CHARGES; i++) {
		char account[32];
		snprintf(account, sizeof account, "account%d", (int)pick(ACCOUNTS));
		run_charge(account, &wrong);
		overs += result.breach.window != WINDOW_COUNT;
		if (i % 100 == 99)
			age(account, ages[(i / 100) % 8]);
	}
	ok(wrong == 0, "%d of %d charges came out otherwise than policy/ says", wrong, CHARGES);
	ok(overs > CHARGES / 20 && overs < CHARGES, "%d charges passed a limit: both ways were taken", overs);
}

int main(int argc, char **argv)
{
	char error[300];
	if (argc != 2) {
		fprintf(stderr, "usage: %s unix:/path-of-redis\n", argv[0]);
		return 2;
	}
	base = event_base_new();
	struct store_settings settings = { .server = argv[1], .username = "", .password = "", .prefix = "arithmetic",
					   .node = "t", .timeout_ms = 5000, .breaker_failures = 3, .retry_ms = 100,
					   .recent_accounts = 100, .state_ttl_s = 3600 };
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	ok(store != NULL, "a store");
	for (int i = 0; i < 100 && !store_stats(store).up; i++)
		event_base_loop(base, EVLOOP_ONCE);
	ok(store_stats(store).up, "Redis answers");
	srandom(4711);
	check_all();
	store_free(&store);
	event_base_free(base);
	return done_testing();
}

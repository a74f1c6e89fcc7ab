/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/breaker.h"

#include "t/unit/tap.h"

static const struct breaker_settings settings = { .failures = 3, .retry_ms = 1000, .retry_most_ms = 3000 };

/* One step after the other: at a time, what happens, and what it answers. */
static const struct {
	const char *name;
	int64_t now_ms;
	enum { ASK, FAIL, ANSWER, UNASKED } what;
	bool says;
	bool open; /* after it */
} steps[] = {
	{ "at first it may be asked", 0, ASK, true, false },
	{ "a failure", 1, FAIL, false, false },
	{ "two", 2, FAIL, false, false },
	{ "an answer", 3, ANSWER, false, false },
	{ "begins the count again", 4, FAIL, false, false },
	{ "two in a row", 5, FAIL, false, false },
	{ "still asked", 6, ASK, true, false },
	{ "three open it", 10, FAIL, true, true },
	{ "a late failure is no news", 11, FAIL, false, true },
	{ "it is left alone", 1009, ASK, false, true },
	{ "then one is let through", 1010, ASK, true, true },
	{ "only one", 1010, ASK, false, true },
	{ "it could not be asked", 1010, UNASKED, false, true },
	{ "so another one is", 1011, ASK, true, true },
	{ "it fails", 1500, FAIL, false, true },
	{ "twice the time", 3499, ASK, false, true },
	{ "has passed", 3500, ASK, true, true },
	{ "it fails again", 4000, FAIL, false, true },
	{ "the longest time", 6999, ASK, false, true },
	{ "has passed", 7000, ASK, true, true },
	{ "an answer closes it", 7001, ANSWER, true, false },
	{ "asked again", 7002, ASK, true, false },
};

int main(void)
{
	struct breaker breaker = { 0 };
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		bool said = false;
		if (steps[i].what == ASK)
			said = breaker_may_ask(&breaker, steps[i].now_ms);
		else if (steps[i].what == FAIL)
			said = breaker_failed(&breaker, &settings, steps[i].now_ms, 0);
		else if (steps[i].what == ANSWER)
			said = breaker_answered(&breaker);
		else
			breaker_unasked(&breaker);
		ok(said == steps[i].says, "%s", steps[i].name);
		ok(breaker_open(&breaker) == steps[i].open, "%s: %s", steps[i].name, steps[i].open ? "open" : "closed");
		ok((breaker_left_ms(&breaker, steps[i].now_ms) > 0) == steps[i].open, "%s: time left", steps[i].name);
	}
	for (uint32_t chance = 0; chance < 100000; chance += 997) {
		breaker = (struct breaker){ .failures = 2 };
		breaker_failed(&breaker, &settings, 0, chance);
		if (breaker.until_ms < 500 || breaker.until_ms > 1000)
			break;
	}
	ok(breaker.until_ms >= 500 && breaker.until_ms <= 1000, "chance shortens the time by a half at most");
	return done_testing();
}

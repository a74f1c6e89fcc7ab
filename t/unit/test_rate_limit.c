/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/rate_limit.h"

#include "t/unit/tap.h"

static const struct rate_limit_settings limits = { .per_minute = 60, .burst = 300, .total_per_minute = 1000 };

enum { TOTAL = 3000, START_MS = 1000 };

static struct netaddr address(const char *text)
{
	struct netaddr address = { .family = NETADDR_UNKNOWN };
	if (*text != '\0')
		netaddr_parse(text, &address);
	return address;
}

/* 10.0.0.0 and the n addresses behind it. */
static struct netaddr nth(int n)
{
	uint8_t bytes[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };
	return netaddr_v4(bytes);
}

static void test_rows(void)
{
	/* clang-format off */
	static const struct {
		const char *name, *client;
		int64_t tokens, at_ms;
		enum rate_limit_answer want;
		int64_t wait_s;
	} rows[] = {
		{ "more than the burst is never there", "192.0.2.1", 301, 0, RATE_LIMIT_CLIENT_DRAINED, 1 },
		{ "the burst at once", "192.0.2.1", 300, 0, RATE_LIMIT_FINE, 0 },
		{ "then nothing", "192.0.2.1", 1, 0, RATE_LIMIT_CLIENT_DRAINED, 1 },
		{ "how long for ten", "192.0.2.1", 10, 0, RATE_LIMIT_CLIENT_DRAINED, 10 },
		{ "shortly before", "192.0.2.1", 10, 9999, RATE_LIMIT_CLIENT_DRAINED, 1 },
		{ "and then", "192.0.2.1", 10, 10000, RATE_LIMIT_FINE, 0 },
		{ "another address has its own", "192.0.2.2", 300, 10000, RATE_LIMIT_FINE, 0 },
		{ "an address of IPv6", "2001:db8:0:1::1", 300, 10000, RATE_LIMIT_FINE, 0 },
		{ "is one client with its /64", "2001:db8:0:1:ffff::2", 1, 10000, RATE_LIMIT_CLIENT_DRAINED, 1 },
		{ "the next /64 is another", "2001:db8:0:2::1", 300, 10000, RATE_LIMIT_FINE, 0 },
		{ "an IPv4 address is the same in "
		  "IPv6's form", "::ffff:192.0.2.2", 1, 10000, RATE_LIMIT_CLIENT_DRAINED, 1 },
		{ "no address is a client, too", "", 300, 10000, RATE_LIMIT_FINE, 0 },
		{ "... one", "", 2, 10000, RATE_LIMIT_CLIENT_DRAINED, 2 },
		{ "a clock that stands still refuses no other", "192.0.2.9", 1, 10000, RATE_LIMIT_FINE, 0 },
		{ "after a rest it is full, not fuller", "192.0.2.1", 300, 3600000, RATE_LIMIT_FINE, 0 },
		{ "... not fuller", "192.0.2.1", 1, 3600000, RATE_LIMIT_CLIENT_DRAINED, 1 },
	};
	/* clang-format on */
	struct rate_limit *rate = rate_limit_new();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr client = address(rows[i].client);
		int64_t wait_s = 0;
		is_int(rate_limit_take(rate, &limits, &client, rows[i].tokens, START_MS + rows[i].at_ms, &wait_s),
		       rows[i].want, "%s", rows[i].name);
		is_int(wait_s, rows[i].wait_s, "%s: seconds to wait", rows[i].name);
	}
	rate_limit_free(&rate);
	ok(rate == NULL, "freeing clears the pointer");
}

static void test_total(void)
{
	struct rate_limit *rate = rate_limit_new();
	int64_t wait_s = 0;
	int fine = 0;
	for (int i = 0; i < TOTAL / 10; i++) {
		struct netaddr client = nth(i);
		fine += rate_limit_take(rate, &limits, &client, 10, START_MS, &wait_s) == RATE_LIMIT_FINE;
	}
	is_int(fine, TOTAL / 10, "many clients use up what there is for all");
	struct netaddr late = nth(TOTAL), drained = nth(0);
	is_int(rate_limit_take(rate, &limits, &late, 100, START_MS, &wait_s), RATE_LIMIT_ALL_DRAINED,
	       "one more is refused");
	is_int(wait_s, 6, "100 of 1000 a minute take 6 s");
	is_int(rate_limit_take(rate, &limits, &late, 100, START_MS + 6000, &wait_s), RATE_LIMIT_FINE,
	       "and then it is not");
	is_int(rate_limit_take(rate, &limits, &late, 200, START_MS + 18000, &wait_s), RATE_LIMIT_FINE,
	       "who is refused for the others' sake keeps his own");
	is_int(rate_limit_take(rate, &limits, &drained, 300, START_MS + 18000, &wait_s), RATE_LIMIT_ALL_DRAINED,
	       "enough of his own does not help");
	rate_limit_free(&rate);
}

/* All rows in use: the drained one is not forgotten for the many who took little. */
static void test_flood(void)
{
	const struct rate_limit_settings wide = { .per_minute = 60, .burst = 300, .total_per_minute = 10000000 };
	struct rate_limit *rate = rate_limit_new();
	struct netaddr drained = address("192.0.2.1"), client;
	int64_t wait_s = 0;
	int refused = 0;
	rate_limit_take(rate, &wide, &drained, 300, START_MS, &wait_s);
	for (int i = 0; i < 5 * RATE_LIMIT_CLIENTS; i++) {
		client = nth(i);
		refused += rate_limit_take(rate, &wide, &client, 1, START_MS + i / 10, &wait_s) != RATE_LIMIT_FINE;
	}
	is_int(refused, 0, "a flood of addresses is let in");
	is_int(rate_limit_take(rate, &wide, &drained, 10, START_MS + 3000, &wait_s), RATE_LIMIT_CLIENT_DRAINED,
	       "and does not wash away whose bucket is drained");
	for (int i = 0; i < 2 * RATE_LIMIT_CLIENTS; i++) {
		client = nth(i + 100000);
		rate_limit_take(rate, &wide, &client, 1, START_MS + 3600000 + i / 10, &wait_s);
	}
	is_int(rate_limit_take(rate, &wide, &drained, 300, START_MS + 3602000, &wait_s), RATE_LIMIT_FINE,
	       "after an hour it is full");
	rate_limit_free(&rate);
}

static void test_give_back(void)
{
	struct rate_limit *rate = rate_limit_new();
	struct netaddr client = address("192.0.2.1"), stranger = address("192.0.2.2");
	int64_t wait_s = 0;
	rate_limit_take(rate, &limits, &client, 300, START_MS, &wait_s);
	rate_limit_give_back(rate, &limits, &client, 40);
	rate_limit_give_back(rate, &limits, &stranger, 40);
	is_int(rate_limit_take(rate, &limits, &client, 41, START_MS, &wait_s), RATE_LIMIT_CLIENT_DRAINED,
	       "what is given back");
	is_int(rate_limit_take(rate, &limits, &client, 40, START_MS, &wait_s), RATE_LIMIT_FINE,
	       "... is there again, no more");
	rate_limit_free(&rate);
}

static void test_debt(void)
{
	struct rate_limit *rate = rate_limit_new();
	struct netaddr client = address("192.0.2.1"), other = address("192.0.2.2");
	int64_t wait_s = 0;
	rate_limit_take(rate, &limits, &client, 8, START_MS, &wait_s);
	rate_limit_give_back(rate, &limits, &client, -392);
	is_int(rate_limit_take(rate, &limits, &client, 1, START_MS, &wait_s), RATE_LIMIT_CLIENT_DRAINED,
	       "what was needed besides");
	is_int(wait_s, 101, "... is paid before the next");
	is_int(rate_limit_take(rate, &limits, &other, 1, START_MS, &wait_s), RATE_LIMIT_FINE, "... by nobody else");
	rate_limit_free(&rate);
}

/* A check that began before a reload ends after it. */
static void test_give_back_late(void)
{
	const struct rate_limit_settings old = { .per_minute = 60, .burst = 100, .total_per_minute = 1000 };
	struct rate_limit *rate = rate_limit_new();
	struct netaddr client = address("192.0.2.1"), late = address("192.0.2.2");
	int64_t wait_s = 0;
	rate_limit_take(rate, &old, &late, 100, START_MS, &wait_s);
	rate_limit_take(rate, &limits, &client, 300, START_MS, &wait_s);
	rate_limit_give_back(rate, &old, &late, 50);
	is_int(rate_limit_take(rate, &limits, &client, 1, START_MS, &wait_s), RATE_LIMIT_CLIENT_DRAINED,
	       "what is given back by limits of before fills nobody's bucket");
	rate_limit_free(&rate);
}

static void test_extremes(void)
{
	const struct rate_limit_settings slow = { 1, 1000000, 1 }, fast = { 1000000, 1000000, 10000000 };
	struct rate_limit *rate = rate_limit_new();
	struct netaddr client = address("192.0.2.1");
	int64_t wait_s = 0;
	is_int(rate_limit_take(rate, &slow, &client, 1000000, START_MS, &wait_s), RATE_LIMIT_FINE,
	       "a million, refilled one a minute");
	is_int(rate_limit_take(rate, &slow, &client, 1000000, START_MS, &wait_s), RATE_LIMIT_CLIENT_DRAINED,
	       "a second million");
	is_int(wait_s, 60000000, "takes two years");
	is_int(rate_limit_take(rate, &fast, &client, 1000000, START_MS, &wait_s), RATE_LIMIT_FINE,
	       "other limits begin anew");
	is_int(rate_limit_take(rate, &fast, &client, 1000000, START_MS + 60000, &wait_s), RATE_LIMIT_FINE,
	       "a million each minute");
	rate_limit_free(&rate);
}

int main(void)
{
	test_rows();
	test_total();
	test_flood();
	test_give_back();
	test_debt();
	test_give_back_late();
	test_extremes();
	return done_testing();
}

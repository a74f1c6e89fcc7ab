/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How an origin zone is spared: questions in progress, and addresses that are in no AS.
 */
#include "milter/blocklist/origins.h"

#include "milter/base/loop.h"
#include "milter/dns/engine.h"
#include "t/fake/zone.h"
#include "t/unit/tap.h"

enum { CACHE_BYTES = 4 << 20, UNDER_WAY_MOST = 256, FLOOD = 1000, TTL_MS = 5000 };

static struct loop *loop;
static struct engine *engine;
static struct origins *origins;
static int done_count;

static void on_done(struct origins_question *question, uint32_t as_number)
{
	(void)question;
	(void)as_number;
	done_count++;
}

/* The loop does not run yet: what is asked stays in progress. */
static void open_origins(void)
{
	char error[200];
	struct resolver_settings settings = { .timeout_ms = TTL_MS, .inflight = FLOOD };
	loop = loop_new();
	engine = engine_new(loop, &settings, CACHE_BYTES, error, sizeof error);
	origins = origins_new(&(struct origins_settings){
		.engine = engine,
		.zone4 = "origin.test",
		.zone6 = "origin6.test",
		.breaker = { 5, 2000, 300000 },
	});
	done_count = 0;
}

static void close_origins(void)
{
	engine_free(&engine);
	origins_free(&origins);
	loop_free(&loop);
	zone_clear();
}

static struct netaddr address_of(const char *text)
{
	struct netaddr address = { 0 };
	netaddr_parse(text, &address);
	return address;
}

static void test_flood(void)
{
	static struct origins_question questions[FLOOD];
	open_origins();
	for (int i = 0; i < FLOOD; i++) {
		const uint8_t bytes[] = { 8, (uint8_t)(i >> 8), (uint8_t)i, 1 };
		struct netaddr client = netaddr_v4(bytes);
		questions[i].done = on_done;
		origins_ask(origins, &client, &questions[i]);
	}
	is_int(done_count, FLOOD - UNDER_WAY_MOST, "beyond some in progress none is asked, nor waited for");
	is_int((int64_t)origins_stats(origins).questions, UNDER_WAY_MOST, "... they are counted");
	is_int((int64_t)origins_stats(origins).unasked, FLOOD - UNDER_WAY_MOST, "... and so are the others");
	engine_free(&engine);
	is_int(done_count, FLOOD, "at the end each has its answer");
	is_int((int64_t)origins_stats(origins).failures, 0, "... which is no failure of the zone's");
	close_origins();
}

static void test_taken(void)
{
	static const struct {
		const char *client;
		bool taken;
	} rows[] = {
		{ "8.8.8.8", true },	  { "2a00::1", true },	   { "10.0.0.1", false }, { "127.0.0.1", false },
		{ "192.168.7.1", false }, { "100.64.0.1", false }, { "fe80::1", false },  { "fd00::1", false },
		{ "192.0.2.1", false },	  { "::1", false },
	};
	open_origins();
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr client = address_of(rows[i].client);
		ok(origins_take(origins, &client) == rows[i].taken, "%s is %s about", rows[i].client,
		   rows[i].taken ? "asked" : "not asked");
	}
	ok(!origins_take(origins, &(struct netaddr){ .family = NETADDR_UNKNOWN }),
	   "nor is a client without an address");
	close_origins();
}

int main(void)
{
	test_flood();
	test_taken();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_fixture: an engine over a DNS of given records (t/fake/zone.c), and a check of one client.
 */
#ifndef PENSTOCK_SPF_FIXTURE_H
#define PENSTOCK_SPF_FIXTURE_H

#include "milter/spf/spf.h"

#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/base/loop.h"
#include "t/fake/zone.h"
#include "t/unit/tap.h"

#include <stdlib.h>

enum { TIMEOUT_MS = 30, LONG_MS = 20000, DONE_MS = 10000, CACHE_BYTES = 4 << 20, TXT = DNS_TXT, A = DNS_A };

static struct loop *loop;
static struct engine *engine;

TAP_UNUSED static void open_engine(int64_t timeout_ms)
{
	char error[200];
	struct resolver_settings settings = { .timeout_ms = timeout_ms, .inflight = 1000 };
	loop = loop_new();
	engine = engine_new(loop, &settings, CACHE_BYTES, error, sizeof error);
	loop_start(loop);
}

TAP_UNUSED static void close_engine(void)
{
	loop_stop(loop);
	engine_free(&engine);
	loop_free(&loop);
	zone_clear();
}

static struct spf_check *ask(const char *sender, const char *helo, const struct netaddr *clients, int count)
{
	struct spf_request request = { engine, sender, helo, clients, count };
	return spf_ask(loop, &request);
}

static enum spf_answer answer_of(struct spf_check *check)
{
	enum spf_answer answer = SPF_ANSWER_UNKNOWN;
	spf_collect(check, clock_monotonic_ms() + DONE_MS, &answer);
	spf_release(&check);
	return answer;
}

TAP_UNUSED static enum spf_answer check(const char *client, const char *sender, const char *helo)
{
	struct netaddr address = { 0 };
	netaddr_parse(client, &address);
	return answer_of(ask(sender, helo, &address, 1));
}

TAP_UNUSED static void add(const char *name, int type, const char *value)
{
	zone_add(name, type, value, strlen(value));
}

#define E "example.com"
#define S "u@example.com"

#endif

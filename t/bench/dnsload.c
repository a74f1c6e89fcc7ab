/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dnsload: the daemon's own DNS engine and block lists against a DNS server, apart from the rest of the daemon. Prints
 * one JSON object.
 *
 *   usage: dnsload cold PORT LISTS ROUNDS         a new address, all lists; milliseconds of each round
 *          dnsload sustained PORT LISTS ADDRESSES one after the other, so many at a time as fit under way
 *          dnsload cached PORT LISTS CALLS        the same address again and again; nanoseconds a call
 *          dnsload burst PORT QUESTIONS           so many names at once
 *
 * LISTS zones l0.bench.test ... are asked; none of their answers is known at the start.
 */
#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/blocklist/lists.h"
#include "milter/blocklist/rbl.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "policy/base/banned.h"

enum { INFLIGHT = 4096, TIMEOUT_MS = 5000, WAIT_MS = 60000, QUESTIONS_MAX = 100000, ADDRESSES_AT_ONCE = 40 };

static struct loop *loop;
static struct engine *engine;
static struct lists *lists;
static struct rbl *rbl;
static struct list *zones;

static void die(const char *what)
{
	fprintf(stderr, "dnsload: %s\n", what);
	exit(2);
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void name_zones(int count)
{
	zones = calloc((size_t)count + 1, sizeof *zones);
	if (zones == NULL)
		die("no memory");
	for (int i = 0; i < count; i++) {
		zones[i] = (struct list){
			.kind = LIST_SPAM, .weight = 1, .ipv4 = true, .private = true, .mail = true, .test = true
		};
		snprintf(zones[i].zone, sizeof zones[i].zone, "l%d.bench.test", i);
		snprintf(zones[i].asked_zone, sizeof zones[i].asked_zone, "l%d.bench.test", i);
		snprintf(zones[i].name, sizeof zones[i].name, "l%d", i);
	}
}

static void set_up(const char *port, int list_count)
{
	char server[40], error[200];
	snprintf(server, sizeof server, "127.0.0.1:%s", port);
	const char *const servers[] = { server };
	struct resolver_settings dns = {
		.servers = servers, .server_count = 1, .timeout_ms = TIMEOUT_MS, .inflight = INFLIGHT
	};
	loop = loop_new();
	engine = loop == NULL ? NULL : engine_new(loop, &dns, 256 << 20, error, sizeof error);
	if (engine == NULL)
		die("DNS cannot be set up");
	name_zones(list_count);
	struct lists_settings some = { engine, zones, list_count, { 1000, 2000, 300000 } };
	lists = lists_new(loop, &some);
	struct rbl_settings all = { engine, lists, list_count };
	rbl = lists == NULL ? NULL : rbl_new(loop, &all);
	if (rbl == NULL || !loop_start(loop))
		die("lists cannot be set up");
}

static void tear_down(void)
{
	loop_stop(loop);
	rbl_free(&rbl);
	lists_free(&lists);
	engine_free(&engine);
	loop_free(&loop);
	free(zones);
}

/* Addresses of 198.18.0.0/15, RFC 2544. */
static struct netaddr address_of(int number)
{
	uint8_t bytes[] = { 198, 18, (uint8_t)(number >> 8), (uint8_t)number };
	return netaddr_v4(bytes);
}

static int check(int number)
{
	struct netaddr client = address_of(number);
	struct listings listings;
	struct rbl_question *question = rbl_ask(rbl, &client);
	rbl_collect(question, clock_monotonic_ms() + WAIT_MS, &listings);
	rbl_release(&question);
	return listings.unknown;
}

static void cold(int rounds)
{
	int unknown = 0;
	check(1); /* the lists' own tests are over after it */
	printf("{\"ms\":[");
	for (int i = 0; i < rounds; i++) {
		int64_t start = now_ns(CLOCK_MONOTONIC);
		unknown += check(101 + i * 2);
		printf("%s%.2f", i > 0 ? "," : "", (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e6);
	}
	printf("],\"unknown\":%d}\n", unknown);
}

static double cpu_ms(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

static void sustained(int addresses)
{
	struct rbl_question *open[ADDRESSES_AT_ONCE] = { NULL };
	struct listings listings;
	int unknown = 0;
	check(1);
	uint64_t before = lists_stats(lists).questions;
	double cpu = cpu_ms();
	int64_t start = now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < addresses + ADDRESSES_AT_ONCE; i++) {
		struct rbl_question **slot = &open[i % ADDRESSES_AT_ONCE];
		rbl_collect(*slot, clock_monotonic_ms() + WAIT_MS, &listings);
		unknown += listings.unknown;
		rbl_release(slot);
		struct netaddr client = address_of(1000 + i);
		if (i < addresses)
			*slot = rbl_ask(rbl, &client);
	}
	double seconds = (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e9;
	uint64_t questions = lists_stats(lists).questions - before;
	printf("{\"addresses\":%d,\"questions\":%llu,\"unknown\":%d,\"seconds\":%.3f,\"cpu_us_a_question\":%.2f}\n",
	       addresses, (unsigned long long)questions, unknown, seconds, (cpu_ms() - cpu) * 1e3 / (double)questions);
}

/* Not inlined, so that callgrind can count what is below it alone. */
__attribute__((noinline)) static void cached_check(const struct netaddr *client)
{
	struct listings listings;
	struct rbl_question *question = rbl_ask(rbl, client);
	rbl_collect(question, 0, &listings);
	rbl_release(&question);
	if (listings.unknown > 0)
		die("the cache does not know the address");
}

static void cached(int calls)
{
	struct netaddr client = address_of(33);
	check(33);
	check(33);
	int64_t cpu = now_ns(CLOCK_THREAD_CPUTIME_ID);
	for (int i = 0; i < calls; i++)
		cached_check(&client);
	printf("{\"calls\":%d,\"ns_a_call\":%.0f}\n", calls, (double)(now_ns(CLOCK_THREAD_CPUTIME_ID) - cpu) / calls);
}

/* ---- a burst */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t over = PTHREAD_COND_INITIALIZER;
static struct burst {
	struct loop_job job; /* first */
	int asked, refused, answered, lost;
	bool done;
} burst_state;

static void on_answer(void *arg, const struct dns_answer *answer)
{
	struct burst *burst = arg;
	bool good = answer->outcome == DNS_FOUND || answer->outcome == DNS_NONE;
	burst->answered += good;
	burst->lost += !good;
	if (burst->answered + burst->lost + burst->refused < burst->asked)
		return;
	pthread_mutex_lock(&lock);
	burst->done = true;
	pthread_cond_signal(&over);
	pthread_mutex_unlock(&lock);
}

static void ask_all(struct loop_job *job)
{
	struct burst *burst = (struct burst *)job;
	char name[60];
	for (int i = 0; i < burst->asked; i++) {
		snprintf(name, sizeof name, "%d.burst.bench.test", i);
		burst->refused += !engine_ask(engine, name, DNS_A, on_answer, burst);
	}
}

static void burst(int questions)
{
	int64_t start = now_ns(CLOCK_MONOTONIC);
	burst_state.asked = questions;
	burst_state.job.run = ask_all;
	loop_post(loop, &burst_state.job);
	pthread_mutex_lock(&lock);
	while (!burst_state.done)
		pthread_cond_wait(&over, &lock);
	pthread_mutex_unlock(&lock);
	printf("{\"questions\":%d,\"answered\":%d,\"lost\":%d,\"refused\":%d,\"ms\":%.1f}\n", questions,
	       burst_state.answered, burst_state.lost, burst_state.refused,
	       (double)(now_ns(CLOCK_MONOTONIC) - start) / 1e6);
}

static int number_of(const char *word, int most)
{
	char *end;
	long number = strtol(word, &end, 10);
	if (*word == '\0' || *end != '\0' || number < 1 || number > most)
		die("a number is expected; see the head of dnsload.c");
	return (int)number;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*run)(int count);
	} parts[] = { { "cold", cold }, { "sustained", sustained }, { "cached", cached }, { "burst", burst } };
	bool is_burst = argc == 4 && strcmp(argv[1], "burst") == 0;
	if (argc != 5 && !is_burst)
		die("usage: dnsload cold|sustained|cached PORT LISTS COUNT, or dnsload burst PORT QUESTIONS");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (strcmp(argv[1], parts[i].word) == 0) {
			set_up(argv[2], is_burst ? 0 : number_of(argv[3], LISTS_MAX));
			parts[i].run(number_of(argv[argc - 1], is_burst ? QUESTIONS_MAX : 10000000));
			tear_down();
			return 0;
		}
	die("the part is none of cold, sustained, cached, burst");
}

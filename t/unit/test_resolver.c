/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver against servers of the test's own on loopback: what comes back, and by when.
 */
#include "milter/dns/resolver.h"

#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "t/fake/dns_server.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CALLS_MAX = 10000, TIMEOUT_MS = 600, DONE_MS = 10000 };

struct call {
	struct loop_job job; /* first */
	const char *name;
	enum dns_type type;
	bool taken;
	enum dns_outcome outcome;
	int count;
	size_t size;
	uint32_t first;
	int64_t took_ms;
	int place; /* among those that ended */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ended; /* calls that are over */
static struct loop *loop;
static struct resolver *resolver;
static struct call calls[CALLS_MAX];
static char names[CALLS_MAX][40];

static void over(void)
{
	pthread_mutex_lock(&lock);
	ended++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
}

static void on_done(void *arg, const struct dns_answer *answer)
{
	struct call *call = arg;
	call->outcome = answer->outcome;
	call->count = answer->count;
	call->size = answer->size;
	dns_answer_addresses(answer, &call->first, 1);
	call->took_ms = clock_monotonic_ms() - call->took_ms;
	call->place = ended;
	over();
}

static void run(struct loop_job *job)
{
	struct call *call = (struct call *)job;
	call->took_ms = clock_monotonic_ms();
	call->taken = resolver_query(resolver, call->name, call->type, on_done, call);
	if (!call->taken)
		over();
}

static void post(int index, const char *name, enum dns_type type)
{
	calls[index] = (struct call){ .job = { .run = run }, .name = name, .type = type };
	loop_post(loop, &calls[index].job);
}

static bool wait_for(int count)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DONE_MS / 1000;
	pthread_mutex_lock(&lock);
	int late = 0;
	while (ended < count && late == 0)
		late = pthread_cond_timedwait(&changed, &lock, &until);
	ended = 0;
	pthread_mutex_unlock(&lock);
	return late == 0;
}

static struct call *ask(const char *name, enum dns_type type)
{
	post(0, name, type);
	if (!wait_for(1))
		calls[0].outcome = (enum dns_outcome) - 1;
	return &calls[0];
}

static void open_with(const struct resolver_settings *settings)
{
	char error[200] = "";
	loop = loop_new();
	resolver = resolver_new(loop, settings, error, sizeof error);
	ok(resolver != NULL && loop_start(loop), "a resolver: %s", error);
}

static void open_resolver(const struct dns_server *first, const struct dns_server *second, int64_t inflight)
{
	static char servers[2][40];
	static const char *const list[] = { servers[0], servers[1] };
	snprintf(servers[0], sizeof servers[0], "127.0.0.1:%d", dns_server_port(first));
	if (second != NULL)
		snprintf(servers[1], sizeof servers[1], "127.0.0.1:%d", dns_server_port(second));
	open_with(&(struct resolver_settings){ .servers = list,
					       .server_count = second != NULL ? 2 : 1,
					       .timeout_ms = TIMEOUT_MS,
					       .inflight = inflight });
}

static void close_resolver(void)
{
	loop_stop(loop);
	resolver_free(&resolver);
	loop_free(&loop);
}

static void test_answers(struct dns_server *server)
{
	static const struct {
		const char *name;
		enum dns_type type;
		enum dns_outcome outcome;
		int count;
	} rows[] = {
		{ "yes.test", DNS_A, DNS_FOUND, 1 },
		{ "YES.Test", DNS_AAAA, DNS_FOUND, 1 }, /* the server knows small letters only */
		{ "yes.test", DNS_AAAA, DNS_FOUND, 1 },
		{ "yes.test", DNS_TXT, DNS_FOUND, 1 },
		{ "yes.test", DNS_MX, DNS_NONE, 0 },
		{ "no.test", DNS_A, DNS_NONE, 0 },
		{ "servfail.test", DNS_A, DNS_UNKNOWN, 0 },
		{ "refused.test", DNS_A, DNS_UNKNOWN, 0 },
		{ "forged.test", DNS_A, DNS_FOUND, 1 },
		{ "cut.test", DNS_TXT, DNS_FOUND, 4 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct call *call = ask(rows[i].name, rows[i].type);
		is_int(call->outcome, rows[i].outcome, "%s, type %d", rows[i].name, (int)rows[i].type);
		is_int(call->count, rows[i].count, "%s, type %d: records", rows[i].name, (int)rows[i].type);
		ok(call->first == 0 || call->first == 0x7f000002, "%s: no forged address", rows[i].name);
	}
	is_int(dns_server_questions(server, true), 1, "what was cut was asked again over TCP");
	is_int((long long)calls[0].size, 4 * 2003, "and came whole");
}

static void test_deadline(void)
{
	struct call *call = ask("silent.test", DNS_A);
	is_int(call->outcome, DNS_TIMEOUT, "silence");
	ok(call->took_ms >= TIMEOUT_MS - 1 && call->took_ms < TIMEOUT_MS + 150, "ends in time: %lld ms",
	   (long long)call->took_ms);
	call = ask("garbage.test", DNS_A);
	ok(call->outcome == DNS_UNKNOWN || call->outcome == DNS_TIMEOUT, "garbage is unknown");
	ok(call->took_ms < TIMEOUT_MS + 150, "garbage ends in time: %lld ms", (long long)call->took_ms);
}

static void test_equal(struct dns_server *server)
{
	int before = dns_server_questions(server, false), found = 0;
	for (int i = 0; i < 50; i++)
		post(i, i % 2 == 0 ? "slow.test" : "SLOW.test", DNS_A);
	ok(wait_for(50), "fifty equal questions end");
	for (int i = 0; i < 50; i++)
		found += calls[i].outcome == DNS_FOUND;
	is_int(found, 50, "each has its answer");
	is_int(dns_server_questions(server, false) - before, 1, "they were asked once");
	before = dns_server_questions(server, false);
	post(0, "slow2.test", DNS_A);
	post(1, "slow2.test", DNS_TXT);
	wait_for(2);
	is_int(dns_server_questions(server, false) - before, 2, "another type is another question");
}

static void test_names(void)
{
	char longest[300];
	memset(longest, 'a', sizeof longest);
	for (int i = 63; i < 253; i += 64)
		longest[i] = '.';
	memcpy(longest, "yes", 3);
	longest[253] = '\0';
	is_int(ask(longest, DNS_A)->outcome, DNS_FOUND, "a name of 253 bytes");
	longest[253] = 'a';
	longest[254] = '\0';
	is_int(ask(longest, DNS_A)->taken, false, "a name of 254 bytes is not asked");
	is_int(ask("yes..test", DNS_A)->outcome, DNS_UNKNOWN, "a name with an empty label");
}

/* All at once: nothing is lost, neither here nor between the sockets. */
static void test_burst(void)
{
	int found = 0;
	int64_t start_ms = clock_monotonic_ms();
	for (int i = 0; i < CALLS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "yes%d.test", i);
		post(i, names[i], DNS_A);
	}
	ok(wait_for(CALLS_MAX), "a burst of %d questions ends", CALLS_MAX);
	for (int i = 0; i < CALLS_MAX; i++)
		found += calls[i].outcome == DNS_FOUND;
	/* the server's socket holds such a burst only where root may make it large */
	ok(found == CALLS_MAX || geteuid() != 0, "a burst: %d of %d have their answer, %lld ms", found, CALLS_MAX,
	   (long long)(clock_monotonic_ms() - start_ms));
}

/* One more than may be under way waits for its turn, and its time-out begins only then. */
static void test_inflight(struct dns_server *server)
{
	int found = 0, first = 2;
	open_resolver(server, NULL, 2);
	int before = dns_server_questions(server, false);
	post(0, "silent1.test", DNS_A);
	post(1, "silent2.test", DNS_A);
	for (int i = 2; i < 20; i++) {
		snprintf(names[i], sizeof names[i], "yes%d.test", i < 18 ? i : 17); /* equal ones are asked once */
		post(i, names[i], DNS_A);
	}
	ok(wait_for(20), "twenty questions end, where two may be under way");
	for (int i = 2; i < 20; i++) {
		found += calls[i].outcome == DNS_FOUND;
		first = calls[i].place < first ? calls[i].place : first;
	}
	is_int(found, 18, "all that have an answer get it");
	ok(first >= 1 && (calls[0].place < 2 || calls[1].place < 2),
	   "none before one of the two that were first has ended");
	is_int(calls[0].outcome, DNS_TIMEOUT, "a silent one times out");
	ok(dns_server_questions(server, false) - before >= 18, "each was asked");
	post(0, "silent1.test", DNS_A);
	post(1, "silent2.test", DNS_A);
	for (int i = 2; i < 5; i++) {
		snprintf(names[i], sizeof names[i], "yes%d.test", i);
		post(i, names[i], DNS_A);
	}
	close_resolver();
	ok(wait_for(5), "those that wait end with the resolver");
	is_int(calls[4].outcome, DNS_UNKNOWN, "as unknown");
}

static void test_end(const struct dns_server *server)
{
	open_resolver(server, NULL, 100);
	for (int i = 0; i < 5; i++)
		post(i, "silent.test", DNS_A);
	while (dns_server_questions((struct dns_server *)(uintptr_t)server, false) == 0)
		sched_yield();
	struct timespec little = { .tv_nsec = 50000000 };
	nanosleep(&little, NULL);
	close_resolver();
	ok(wait_for(5), "questions under way end with the resolver");
	is_int(calls[0].outcome, DNS_UNKNOWN, "as unknown");
}

static void test_dead_server(struct dns_server *dead, const struct dns_server *fine)
{
	int found = 0, before = dns_server_questions(dead, false);
	open_resolver(dead, fine, 100);
	for (int i = 0; i < 12; i++) {
		snprintf(names[i], sizeof names[i], "yes%d.test", i);
		struct call *call = ask(names[i], DNS_A);
		found += call->outcome == DNS_FOUND;
		struct timespec tick = { .tv_nsec = 30000000 };
		nanosleep(&tick, NULL);
	}
	is_int(found, 12, "the first of two servers is dead: all is answered");
	/* after five late answers; c-ares 1.31 and later turns to the other one itself, after the first */
	int heard = dns_server_questions(dead, false) - before;
	ok(heard >= 1 && heard < 12, "and soon the other one is asked first: the dead one heard %d questions", heard);
	close_resolver();
}

/* ---- the system's servers */

static char folder[] = "/tmp/penstock-resolver-XXXXXX";

static const char *in_folder(const char *name)
{
	static char paths[4][80];
	static int turn;
	char *path = paths[turn++ % 4];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

/* In place: cut, then written. */
static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in_folder(name), "w");
	if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
		ok(false, "%s is written", name);
}

static void write_over(const char *name, const char *text)
{
	write_file("new", text);
	is_int(rename(in_folder("new"), in_folder(name)), 0, "renamed over %s", name);
}

static void link_over(const char *name, const char *target)
{
	is_int(symlink(target, in_folder("link")), 0, "a link to %s", target);
	is_int(rename(in_folder("link"), in_folder(name)), 0, "renamed over %s", name);
}

static struct look {
	struct loop_job job; /* first */
	unsigned generation;
	char trouble[400];
} look;

static void on_loop_look(struct loop_job *job)
{
	struct look *mine = (struct look *)job;
	mine->generation = resolver_generation(resolver);
	snprintf(mine->trouble, sizeof mine->trouble, "%s", resolver_trouble(resolver));
	over();
}

static const char *trouble_at(unsigned generation)
{
	int64_t until_ms = clock_monotonic_ms() + DONE_MS;
	struct timespec little = { .tv_nsec = 20000000 };
	do {
		nanosleep(&little, NULL);
		look = (struct look){ .job = { .run = on_loop_look } };
		loop_post(loop, &look.job);
		wait_for(1);
	} while (look.generation < generation && clock_monotonic_ms() < until_ms);
	is_int(look.generation, generation, "the servers have changed %u times", generation);
	return look.trouble;
}

static void has_trouble(const char *trouble, const char *part)
{
	ok(strncmp(trouble, folder, strlen(folder)) == 0 && strstr(trouble, part) != NULL, "%s: %s", part, trouble);
}

static void test_resolv_conf(struct dns_server *server, struct dns_server *deaf)
{
	char fine[80], dead[120];
	ok(mkdtemp(folder) != NULL, "a folder");
	snprintf(fine, sizeof fine, "# by hand\n\toptions edns0\nnameserver\t[127.0.0.1]:%d  \n",
		 dns_server_port(server));
	snprintf(dead, sizeof dead, "nameserver fe80::1%%eth0\nnameserver [127.0.0.1]:%d", dns_server_port(deaf));
	const char *path = strdup(in_folder("resolv.conf"));
	open_with(&(struct resolver_settings){ .timeout_ms = TIMEOUT_MS, .inflight = 100, .resolv_conf = path });
	has_trouble(trouble_at(0), "cannot be read (No such file or directory); this host, 127.0.0.1, is asked");
	write_file("resolv.conf", fine);
	is_str(trouble_at(1), "", "it is there: no trouble");
	is_int(ask("yes1.test", DNS_A)->outcome, DNS_FOUND, "and its server is asked");
	write_file("resolv.conf", "search example.com\nnameservers 192.0.2.1\n#nameserver 192.0.2.1\n");
	has_trouble(trouble_at(2), "names no name server; this host");
	write_over("resolv.conf", "nameserver fe80::1%eth0\n");
	write_over("other", fine);
	link_over("resolv.conf", "other");
	is_str(trouble_at(3), "", "a link to another file");
	is_int(ask("yes2.test", DNS_A)->outcome, DNS_FOUND, "whose server is asked");
	write_over("other", dead);
	is_str(trouble_at(4), "", "renamed over what the link leads to: one of its servers can be asked");
	is_int(ask("yes3.test", DNS_A)->outcome, DNS_TIMEOUT, "and does not answer");
	write_over("other", "nameserver fe80::1%eth0\n");
	has_trouble(trouble_at(5), "names \"fe80::1%eth0\", which cannot be asked");
	write_file("other", "nameserver fe80::1\n"); /* other words, the same servers */
	unlink(path);
	write_file("resolv.conf", fine);
	is_str(trouble_at(6), "", "a file in place of the link");
	write_over("resolv.conf", fine); /* the same again is no change */
	is_int(ask("yes4.test", DNS_A)->outcome, DNS_FOUND, "its server is asked");
	write_over("resolv.conf", "");
	has_trouble(trouble_at(7), "names no name server; this host");
	close_resolver();
	unlink(in_folder("other"));
	unlink(path);
	free((void *)(uintptr_t)path);
	is_int(rmdir(folder), 0, "nothing is left");
}

int main(void)
{
	struct dns_server *server = dns_server_start(false), *deaf = dns_server_start(true);
	ok(server != NULL && deaf != NULL, "servers on loopback");
	open_resolver(server, NULL, CALLS_MAX);
	test_answers(server);
	test_deadline();
	test_equal(server);
	test_names();
	test_burst();
	close_resolver();
	test_inflight(server);
	test_end(server);
	test_dead_server(deaf, server);
	test_resolv_conf(server, deaf);
	dns_server_stop(&server);
	dns_server_stop(&deaf);
	return done_testing();
}

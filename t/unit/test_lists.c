/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions to block lists, against a DNS server of the test's own on loopback: what is asked, and what comes of it.
 * Log and clock are the test's.
 */
#include "milter/blocklist/lists.h"

#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"
#include "t/fake/dns_server.h"
#include "t/fake/fake.h"
#include "t/unit/tap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { CALLS_MAX = 64, TIMEOUT_MS = 400, DONE_MS = 10000, MINUTE_MS = 60000, HOUR_MS = 3600000, RETRY_MS = 2000 };

enum { MAIL, LAZY, UNFIT, REFUSES, DOMAINS, NAMED, SMALL, DEAD, KEYED, TURNS, PLAIN, SIX, LISTS };

/* clang-format off */
static struct list lists_rows[LISTS] = {
	[MAIL] = { .zone = "mail.test", .ipv4 = true, .test = true, .mail = true },
	[LAZY] = { .zone = "lazy.test", .ipv4 = true, .test = true },
	[UNFIT] = { .name = "unfit", .zone = "unfit.test", .ipv4 = true, .test = true },
	[REFUSES] = { .zone = "refuses.test", .ipv4 = true, .test = true, .errors = { { 0x7f000001, 0x7f000001 } },
		      .error_count = 1 },
	[DOMAINS] = { .zone = "domains.test", .domain = true, .test = true },
	[NAMED] = { .zone = "named.test", .domain = true, .test = true, .test_name = "entry.example" },
	[SMALL] = { .name = "small", .zone = "small.test", .ipv4 = true, .test = true, .budget = 8 },
	[DEAD] = { .zone = "dead.test", .ipv4 = true },
	[KEYED] = { .zone = "keyed.test", .asked_zone = "secret.keyed.test", .ipv4 = true, .test = true },
	[TURNS] = { .zone = "turns.test", .ipv4 = true, .ipv6 = true, .test = true },
	[PLAIN] = { .zone = "plain.test", .ipv4 = true, .budget = 1 },
	[SIX] = { .zone = "six.test", .ipv6 = true, .test = true },
};
/* clang-format on */

struct call {
	struct loop_job job; /* first */
	struct list_question question;
	int list;
	const char *prefix;
	enum lists_use use;
	const char *again; /* asked when the answer is there; NULL: nothing */
	int ends;
	struct list_answer answer;
	char why[200];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ended;
static atomic_bool mended;
static struct dns_server *server;
static struct loop *loop;
static struct engine *engine;
static struct lists *lists;

static int64_t spent(int list)
{
	struct lists_report report;
	lists_report(lists, list, &report);
	return report.asked_today;
}
static struct call calls[CALLS_MAX];

/* ---- the world */

static const char *script(const char *name)
{
	static const struct {
		const char *name, *word, *later;
	} rows[] = {
		{ "1.0.0.127.unfit.test", "slow", "no" },
		{ "2.0.0.127.refuses.test", "127.0.0.1", "yes" },
		{ "2.0.0.127.turns.test", "127.0.0.77", "127.0.0.77" }, /* a code of no meaning */
		{ "2.0.0.127.keyed.test", "no", "no" },
		{ "2.0.0.127.secret.keyed.test", "yes", "yes" },
		{ "refused.turns.test", "127.255.255.254", "no" },
		{ "lie.turns.test", "203.0.113.7", "no" },
		{ "1.0.0.127.", "no", "no" },
		{ "2.0.0.127.", "yes", "yes" },
		{ "1.0.0.0.0.0.f.7.f.f.f.f.", "no", "no" },
		{ "2.0.0.0.0.0.f.7.f.f.f.f.", "yes", "yes" },
		{ "invalid.", "no", "no" },
		{ "test.domains.", "yes", "yes" },
		{ "test.named.", "no", "no" },
		{ "entry.example.named.", "yes", "yes" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strncmp(name, rows[i].name, strlen(rows[i].name)) == 0)
			return atomic_load(&mended) ? rows[i].later : rows[i].word;
	return NULL;
}

static void over(void)
{
	pthread_mutex_lock(&lock);
	ended++;
	pthread_cond_signal(&changed);
	pthread_mutex_unlock(&lock);
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
	bool all = ended == count;
	ended = 0;
	pthread_mutex_unlock(&lock);
	return all;
}

static void run(struct loop_job *job);

static void on_done(struct list_question *question, const struct list_answer *answer)
{
	struct call *call = (struct call *)(void *)((char *)question - offsetof(struct call, question));
	call->answer = *answer;
	call->ends++;
	text_copy(call->why, sizeof call->why, answer->why);
	if (call->again != NULL) {
		struct lists *asked = question->lists;
		call->prefix = call->again;
		call->again = NULL;
		lists_ask(asked, call->list, call->prefix, call->use, &call->question);
		return;
	}
	over();
}

static void run(struct loop_job *job)
{
	struct call *call = (struct call *)job;
	lists_ask(lists, call->list, call->prefix, call->use, &call->question);
}

static struct call *post(int index, int list, const char *prefix, enum lists_use use)
{
	struct call *call = &calls[index];
	*call = (struct call){
		.job = { .run = run }, .question = { .done = on_done }, .list = list, .prefix = prefix, .use = use
	};
	loop_post(loop, &call->job);
	return call;
}

static const struct call *ask(int list, const char *prefix, enum lists_use use)
{
	post(0, list, prefix, use);
	if (!wait_for(1))
		calls[0].ends = -1;
	return &calls[0];
}

static int asked(void)
{
	return dns_server_questions(server, false);
}

static void open_lists(struct loop_job *job)
{
	static char address[40];
	static const char *const servers[] = { address };
	char error[200] = "";
	snprintf(address, sizeof address, "127.0.0.1:%d", dns_server_port(server));
	struct resolver_settings dns = {
		.servers = servers, .server_count = 1, .timeout_ms = TIMEOUT_MS, .inflight = 100
	};
	engine = engine_new(loop, &dns, 1 << 20, error, sizeof error);
	struct lists_settings settings = { engine, lists_rows, LISTS, { 3, RETRY_MS, 300000 } };
	lists = lists_new(loop, &settings);
	(void)job;
	over();
}

static void close_lists(struct loop_job *job)
{
	lists_free(&lists);
	engine_free(&engine);
	(void)job;
	over();
}

static void on_loop(void (*run_it)(struct loop_job *))
{
	struct loop_job job = { .run = run_it };
	loop_post(loop, &job);
	ok(wait_for(1), "done on the loop");
}

static void turn(struct loop_job *job)
{
	(void)job;
	over();
}

/* The tests of the list for mail are over. */
static void wait_tested(void)
{
	is_int(ask(MAIL, "no", LISTS_FOR_MAIL)->answer.state, LIST_STATE_ANSWERED, "a list for mail");
}

static void is_answer(const struct call *call, enum list_state state, enum dns_outcome outcome, bool cached,
		      const char *why)
{
	is_int(call->ends, 1, "%s.%s: ends once", call->prefix, lists_rows[call->list].zone);
	is_int(call->answer.state, state, "%s.%s: the state", call->prefix, lists_rows[call->list].zone);
	is_int(call->answer.reply.outcome, outcome, "%s.%s: the outcome", call->prefix, lists_rows[call->list].zone);
	is_int(call->answer.cached, cached, "%s.%s: cached", call->prefix, lists_rows[call->list].zone);
	is_str(call->why, why, "%s.%s: why", call->prefix, lists_rows[call->list].zone);
}

static struct lists_report report;

static void read_report(int list)
{
	lists_report(lists, list, &report); /* nothing is under way */
}

/* ---- the tests */

static void test_lazy(void)
{
	wait_tested();
	is_int(spent(MAIL), 3, "a list for mail is tested at the start");
	is_int(spent(LAZY), 0, "another one is not");
	read_report(LAZY);
	ok(!report.used, "nor is there anything to report of it");
	int before = asked();
	is_answer(ask(LAZY, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(asked() - before, 3, "it is tested with the first question");
	is_int(spent(LAZY), 3, "which counts");
	is_answer(ask(LAZY, "YES", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, true, "");
	ok(calls[0].answer.took_ms == 0 && calls[0].answer.holds_ms > 290000, "the cache holds it");
	is_int(asked() - before, 3, "and costs no question");
	is_answer(ask(LAZY, "no", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_NONE, false, "");
	is_int(asked() - before, 4, "the next question is one");
	read_report(LAZY);
	ok(report.used && report.asked && strcmp(report.state, "ok") == 0, "it is reported: %s", report.state);
	fake_clock_pass(HOUR_MS + MINUTE_MS);
	is_answer(ask(LAZY, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(spent(LAZY), 7, "an hour later it is tested again");
}

/* The answer is there before the test is over, and is not believed. */
static void test_unfit(void)
{
	static const char why[] = "it lists 127.0.0.1, so it may list everything";
	is_answer(ask(UNFIT, "yes", LISTS_FOR_CHECK), LIST_STATE_SKIPPED, DNS_FOUND, false, why);
	is_answer(ask(UNFIT, "yes2", LISTS_FOR_CHECK), LIST_STATE_SKIPPED, DNS_UNKNOWN, false, why);
	is_int(spent(UNFIT), 3, "what is not used is not asked");
	is_answer(ask(REFUSES, "yes", LISTS_FOR_CHECK), LIST_STATE_SKIPPED, DNS_FOUND, false,
		  "it answered 127.0.0.1: it refuses to serve this resolver");
	atomic_store(&mended, true);
	is_answer(ask(UNFIT, "yes", LISTS_FOR_CHECK), LIST_STATE_SKIPPED, DNS_UNKNOWN, false, why);
	fake_clock_pass(HOUR_MS + MINUTE_MS);
	is_answer(ask(UNFIT, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(REFUSES, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	atomic_store(&mended, false);
	is_int(fake_log_count("block list unfit lists 127.0.0.1"), 1, "said once");
	is_int(fake_log_count("block list unfit is used again"), 1, "and once that it is over");
}

static void test_codes(void)
{
	is_answer(ask(TURNS, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(TURNS, "refused", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_FOUND, false,
		  "it answered 127.255.255.254: it refuses to serve this resolver");
	is_int(calls[0].answer.reply.codes[0], 0x7ffffffe, "the code is there for who wants to know");
	is_answer(ask(TURNS, "yes", LISTS_FOR_CHECK), LIST_STATE_SKIPPED, DNS_UNKNOWN, false,
		  "it answered 127.255.255.254: it refuses to serve this resolver");
	fake_clock_pass(2 * MINUTE_MS);
	is_answer(ask(TURNS, "refused", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_FOUND, true,
		  "it answered 127.255.255.254: it refuses to serve this resolver");
	is_answer(ask(TURNS, "lie", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_FOUND, false,
		  "it answered 203.0.113.7: no block list says that; the zone is gone, or a resolver rewrites answers");
	is_answer(ask(SIX, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(LAZY, "servfail", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "its DNS servers gave no good answer");
}

static void test_domains(void)
{
	static char name[250];
	memset(name, 'a', sizeof name - 1);
	is_answer(ask(DOMAINS, "yes.example.com", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(spent(DOMAINS), 3, "a list of domains is tested by names");
	is_answer(ask(NAMED, "no.example.com", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_NONE, false, "");
	is_answer(ask(DOMAINS, name, LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "the name is too long to be looked up there");
	ok(list_takes(&lists_rows[DOMAINS], NETADDR_UNKNOWN, false) &&
		   !list_takes(&lists_rows[DOMAINS], NETADDR_V4, false),
	   "it knows domains");
	ok(list_takes(&lists_rows[SIX], NETADDR_V6, false) && !list_takes(&lists_rows[SIX], NETADDR_V4, false) &&
		   !list_takes(&lists_rows[SIX], NETADDR_UNKNOWN, false),
	   "another one IPv6 addresses");
}

static void test_keyed(void)
{
	is_answer(ask(KEYED, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(KEYED, "silent", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_TIMEOUT, false,
		  "it gave no answer in time");
	is_int(lists_count(lists), LISTS, "all lists");
	is_str(lists_at(lists, KEYED)->zone, "keyed.test", "by their place");
}

static void test_equal(void)
{
	int64_t before = spent(LAZY), found = 0;
	for (int i = 0; i < 20; i++)
		post(i, LAZY, "slow", LISTS_FOR_CHECK);
	ok(wait_for(20), "twenty equal questions end");
	for (int i = 0; i < 20; i++)
		found += calls[i].ends == 1 && calls[i].answer.reply.outcome == DNS_FOUND;
	is_int(found, 20, "each with its answer");
	is_int(spent(LAZY) - before, 1, "they cost one");
}

static void test_budget(void)
{
	static const char kept[] = "its budget of 8 questions a day is spent but for what is kept for mail";
	static const char *const names[] = { "yes1", "yes2", "yes3", "yes4" };
	for (int i = 0; i < 4; i++)
		is_answer(ask(SMALL, names[i], LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(spent(SMALL), 6, "two of the test, four of ours");
	read_report(SMALL);
	is_str(report.state, "spent", "three quarters is all that checks may ask");
	is_str(report.why, "has spent its budget of 8 questions a day", "which is said");
	is_int(report.asked_today, 6, "and how much that is");
	is_answer(ask(SMALL, "yes5", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false, kept);
	is_answer(ask(SMALL, "yes6", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false, kept);
	is_answer(ask(SMALL, "yes1", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, true, "");
	is_answer(ask(SMALL, "yes5", LISTS_FOR_OURS), LIST_STATE_ANSWERED, DNS_FOUND, false,
		  ""); /* the watch goes on */
	on_loop(close_lists);
	on_loop(open_lists);
	is_int(spent(SMALL), 7, "a reload forgets nothing");
	is_answer(ask(SMALL, "yes5", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false, kept);
	fake_clock_pass(HOUR_MS + MINUTE_MS);
	is_answer(ask(SMALL, "yes6", LISTS_FOR_MAIL), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(SMALL, "yes7", LISTS_FOR_MAIL), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "its budget of 8 questions a day is spent");
	is_int(spent(SMALL), 8, "and no more was asked");
	is_int(fake_log_count("block list small: its budget of 8 questions a day is spent;"), 1, "said once");
	is_int(fake_log_count("block list small: its budget of 8 questions a day is spent but for what is kept for "
			      "mail; checks ask"),
	       1, "of checks too");
}

static void test_next_day(void)
{
	int64_t now_ms = clock_now_ms(), day_ms = 24 * (int64_t)HOUR_MS;
	fake_clock_pass(day_ms - now_ms % day_ms - 1);
	is_answer(ask(SMALL, "yes8", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "its budget of 8 questions a day is spent");
	is_int(calls[0].answer.holds_ms, 1, "until the day is over");
	fake_clock_pass(1);
	is_int(spent(SMALL), 0, "another day");
	is_answer(ask(SMALL, "yes8", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(spent(SMALL), 3, "it is asked again, and tested");
	is_answer(ask(PLAIN, "yes", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(PLAIN, "yes2", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "its budget of 1 questions a day is spent");
}

static void test_dead(void)
{
	static const char *const names[] = { "silent1", "silent2", "silent3" };
	for (int i = 0; i < 3; i++)
		post(i, DEAD, names[i], LISTS_FOR_CHECK);
	ok(wait_for(3), "three questions without an answer end");
	is_answer(&calls[2], LIST_STATE_UNKNOWN, DNS_TIMEOUT, false, "it gave no answer in time");
	int64_t before = spent(DEAD);
	is_answer(ask(DEAD, "yes1", LISTS_FOR_CHECK), LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "it gives no answer, and is left alone for a while");
	ok(calls[0].answer.holds_ms > 0 && calls[0].answer.holds_ms <= RETRY_MS, "for how long");
	fake_clock_pass(RETRY_MS);
	struct timespec tick = { .tv_sec = 1, .tv_nsec = 200000000 };
	nanosleep(&tick, NULL);
	is_int(spent(DEAD), before, "nobody probes a list that is not for mail");
	post(0, DEAD, "slow", LISTS_FOR_CHECK);
	post(1, DEAD, "yes2", LISTS_FOR_CHECK);
	ok(wait_for(2), "one question is let through");
	is_answer(&calls[1], LIST_STATE_UNKNOWN, DNS_UNKNOWN, false,
		  "it gives no answer, and is left alone for a while");
	is_answer(&calls[0], LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_answer(ask(DEAD, "yes2", LISTS_FOR_CHECK), LIST_STATE_ANSWERED, DNS_FOUND, false, "");
	is_int(fake_log_count("questions in a row got no answer; listings"), 0, "that says nothing about DNS");
	is_int((long long)lists_stats(lists).recent_failures, 0, "nor to the milter");
}

/* A reload while questions are under way: one waits for an answer, one for the end of a test, one asks again. */
static void test_end(void)
{
	on_loop(close_lists);
	on_loop(open_lists);
	wait_tested();
	post(0, LAZY, "silent", LISTS_FOR_CHECK);
	post(1, UNFIT, "yes", LISTS_FOR_CHECK);
	post(2, DEAD, "silent", LISTS_FOR_CHECK)->again = "yes";
	post(3, LAZY, "silent", LISTS_FOR_MAIL);
	on_loop(turn);
	struct timespec little = { .tv_nsec = 50000000 }; /* less than the test takes */
	nanosleep(&little, NULL);
	struct loop_job job = { .run = close_lists };
	loop_post(loop, &job);
	ok(wait_for(5), "all end");
	for (int i = 0; i < 4; i++) {
		is_int(calls[i].ends, i == 2 ? 2 : 1, "question %d: exactly once", i);
		is_int(calls[i].answer.state, LIST_STATE_UNKNOWN, "question %d: unknown", i);
		is_str(calls[i].why, "DNS was set up anew, or ended, before it answered", "question %d: why", i);
	}
}

/* The end of the daemon: the loop has stopped. */
static void test_end_of_loop(void)
{
	on_loop(open_lists);
	wait_tested();
	post(0, LAZY, "silent", LISTS_FOR_CHECK)->again = "yes";
	post(1, UNFIT, "yes", LISTS_FOR_CHECK);
	on_loop(turn);
	loop_stop(loop);
	lists_free(&lists);
	engine_free(&engine);
	ok(wait_for(2), "all end with the loop too");
	is_int(calls[0].ends + calls[1].ends, 3, "exactly once");
}

int main(void)
{
	for (int i = 0; i < LISTS; i++) {
		struct list *list = &lists_rows[i];
		if (list->name[0] == '\0')
			text_copy(list->name, sizeof list->name, list->zone);
		if (list->asked_zone[0] == '\0')
			text_copy(list->asked_zone, sizeof list->asked_zone, list->zone);
	}
	server = dns_server_start(false);
	loop = loop_new();
	ok(server != NULL && loop != NULL, "a server on loopback");
	dns_server_script(server, script);
	loop_start(loop);
	on_loop(open_lists);
	test_lazy();
	test_unfit();
	test_codes();
	test_domains();
	test_keyed();
	test_equal();
	test_budget();
	test_next_day();
	test_dead();
	test_end();
	test_end_of_loop();
	is_int(fake_log_count("secret"), 0, "nothing of a key in the log");
	loop_free(&loop);
	dns_server_stop(&server);
	return done_testing();
}

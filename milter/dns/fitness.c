/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/fitness.h"

#include "milter/clock.h"
#include "milter/dns/engine.h"
#include "milter/log.h"
#include "milter/loop.h"
#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TICK_S = 1,
	TEST_MS = 3600 * 1000,		/* between tests; shortened by up to a tenth, by chance */
	TEST_SOON_MS = 60 * 1000,	/* after an answer that cannot be true, or a test that was not answered ... */
	TEST_FIRST_MS = 10 * 1000,	/* ... and none was before it: DNS may have started after us */
	SUSPECT_MS = 600 * 1000,
	TIMES_KEPT = 32,
};

/* RFC 5782 section 5; for lists of IPv6 addresses ::ffff:7f00:2 and ::ffff:7f00:1. */
#define IPV6_REST ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
static const char *const test_names[2][2] = {
	{ "2.0.0.127", "1.0.0.127" },
	{ "2" IPV6_REST, "1" IPV6_REST },
};

/* A question about a test entry: of a test, or only whether the list answers. */
struct test {
	struct fitness *fitness;	/* one reference */
	int list, entry;
	int64_t asked_ms;
};

/* How one list does. */
struct shape {
	enum fitness_state test;	/* UNTESTED, OK or UNFIT */
	char why[FITNESS_WHY_MAX];
	struct breaker breaker;
	bool told_away;
	uint64_t answers, failures;
	int64_t times_ms[TIMES_KEPT];	/* a ring of the last answers' times */
	uint64_t times;
	int64_t test_due_ms;
	int tests_open;			/* questions of a test under way */
	bool matters;			/* whoever has an answer waits for its end */
	struct list_reply replies[2];
	struct fitness_waiter *waiters;
};

/* Counted: the owner's reference, one for each question about a test entry. */
struct fitness {
	int references;
	struct fitness_settings settings;
	bool ending;
	struct event *tick;	/* owned */
	atomic_uint generation;
	int64_t suspect_due_ms;
	bool told_all;
	struct shape shapes[];
};

static const char *const words[] = {
#define FITNESS_WORD(id, word) [FITNESS_##id] = word,
	FITNESS_ROWS(FITNESS_WORD)
#undef FITNESS_WORD
};

const char *fitness_word(enum fitness_state state)
{
	return words[state];
}

struct list_reply list_reply_of(const struct dns_answer *answer)
{
	struct list_reply reply = { .outcome = answer->outcome, .ttl_s = answer->ttl_s };
	reply.count = dns_answer_addresses(answer, reply.codes, LIST_CODES_KEPT);
	return reply;
}

static void drop(struct fitness *fitness)
{
	if (--fitness->references == 0)
		free(fitness);
}

static const struct list *list_of(const struct fitness *fitness, int list)
{
	return &fitness->settings.lists[list];
}

/* ---- what an answer cannot be */

/* The first code that no list gives, or by which it refuses us; 0: none. */
static uint32_t odd_code(const struct list_reply *reply, bool *refused_out)
{
	for (int i = 0; i < reply->count; i++) {
		*refused_out = listing_code_refuses(reply->codes[i]);
		if (*refused_out || listing_code_lies(reply->codes[i]))
			return reply->codes[i];
	}
	*refused_out = false;
	return 0;
}

static void say_odd(char why[FITNESS_WHY_MAX], uint32_t code, bool refused)
{
	struct text text = text_over(why, FITNESS_WHY_MAX);
	text_addf(&text, "answered %u.%u.%u.%u: %s", code >> 24, code >> 16 & 255U, code >> 8 & 255U, code & 255U,
		  refused ? "it refuses to serve this resolver" :
			    "no block list says that; the zone is gone, or a resolver rewrites answers");
}

/* ---- unfit and fit again */

static bool none_is_fit(const struct fitness *fitness)
{
	for (int i = 0; i < fitness->settings.list_count; i++)
		if (fitness->shapes[i].test != FITNESS_UNFIT)
			return false;
	return true;
}

/* The loud line, where it is the resolver and not a list. */
static void note_change(struct fitness *fitness)
{
	bool none = fitness->settings.list_count > 1 && none_is_fit(fitness);
	atomic_fetch_add(&fitness->generation, 1);
	if (none && !fitness->told_all)
		log_line(SEVERITY_ERROR, "dns: not one of %d block lists passes its test: look at the DNS servers; "
					 "all listings are unknown", fitness->settings.list_count);
	fitness->told_all = none;
}

static void set_unfit(struct fitness *fitness, int list, const char *why)
{
	struct shape *shape = &fitness->shapes[list];
	bool said = shape->test == FITNESS_UNFIT && strcmp(shape->why, why) == 0;
	bool change = shape->test != FITNESS_UNFIT;
	text_copy(shape->why, sizeof shape->why, why);
	shape->test = FITNESS_UNFIT;
	if (!said)
		log_line(SEVERITY_ERROR, "dns: block list %s %s; it is not used until it passes its test",
			 list_of(fitness, list)->zone, why);
	if (change)
		note_change(fitness);
}

static void set_fit(struct fitness *fitness, int list, enum fitness_state state)
{
	struct shape *shape = &fitness->shapes[list];
	bool change = shape->test == FITNESS_UNFIT;
	shape->test = state;
	shape->why[0] = '\0';
	if (!change)
		return;
	log_line(SEVERITY_INFO, "dns: block list %s is used again", list_of(fitness, list)->zone);
	note_change(fitness);
}

/* ---- tests */

static int64_t by_chance(int64_t ms)
{
	return ms - (int64_t)random() % (ms / 10 + 1);
}

/* False: the test says nothing, somebody did not answer. */
static bool judge_test(struct fitness *fitness, int list)
{
	static const char *const addresses[2][2] = { { "127.0.0.2", "127.0.0.1" }, { "::ffff:7f00:2", "::ffff:7f00:1" } };
	const struct list_reply *yes = &fitness->shapes[list].replies[0], *no = &fitness->shapes[list].replies[1];
	const char *const *address = addresses[!list_of(fitness, list)->ipv4];
	char why[FITNESS_WHY_MAX];
	struct text text = text_over(why, sizeof why);
	bool refused;
	uint32_t odd = odd_code(yes, &refused);
	if (odd == 0)
		odd = odd_code(no, &refused);
	if (odd != 0)
		say_odd(why, odd, refused);
	else if (no->outcome == DNS_FOUND)
		text_addf(&text, "lists %s, so it may list everything", address[1]);
	else if (yes->outcome == DNS_NONE)
		text_addf(&text, "does not list its test entry %s", address[0]);
	else if (yes->outcome != DNS_FOUND || no->outcome != DNS_NONE)
		return false;
	if (odd != 0 || text.length > 0)
		set_unfit(fitness, list, why);
	else
		set_fit(fitness, list, FITNESS_OK);
	return true;
}

static void end_test(struct fitness *fitness, int list)
{
	struct shape *shape = &fitness->shapes[list];
	if (--shape->tests_open > 0)
		return;
	if (!fitness->ending) {
		bool judged = judge_test(fitness, list);
		int64_t again_ms = shape->test == FITNESS_UNTESTED ? TEST_FIRST_MS : TEST_SOON_MS;
		shape->test_due_ms = clock_monotonic_ms() + by_chance(judged ? TEST_MS : again_ms);
	}
	shape->matters = false;
	while (shape->waiters != NULL) {
		struct fitness_waiter *waiter = shape->waiters;
		shape->waiters = waiter->next;
		waiter->ready(waiter);
	}
}

static void on_test(void *arg, const struct dns_answer *answer)
{
	struct test *test = arg;
	struct fitness *fitness = test->fitness;
	fitness->shapes[test->list].replies[test->entry] = list_reply_of(answer);
	end_test(fitness, test->list);
	drop(fitness);
	free(test);
}

static bool ask_entry(struct fitness *fitness, int list, int entry, resolver_done *done)
{
	char name[NETADDR_REVERSE_MAX + 1 + LIST_ZONE_MAX + 1];
	struct text text = text_over(name, sizeof name);
	struct test *test = malloc(sizeof *test);
	if (test == NULL)
		return false;
	*test = (struct test){ fitness, list, entry, clock_monotonic_ms() };
	text_addf(&text, "%s.%s", test_names[!list_of(fitness, list)->ipv4][entry], list_of(fitness, list)->zone);
	if (engine_ask(fitness->settings.engine, name, DNS_A, done, test)) {
		fitness->references++;
		return true;
	}
	free(test);
	return false;
}

/* A list without test entries is given another chance unseen. */
static void start_test(struct fitness *fitness, int list)
{
	struct shape *shape = &fitness->shapes[list];
	if (shape->tests_open > 0)
		return;
	if (!list_of(fitness, list)->test) {
		shape->test_due_ms = clock_monotonic_ms() + TEST_SOON_MS;
		set_fit(fitness, list, FITNESS_UNTESTED);
		return;
	}
	memset(shape->replies, 0, sizeof shape->replies);
	shape->tests_open = 3;	/* one more, so that it is not over before both are asked */
	for (int entry = 0; entry < 2; entry++)
		if (!ask_entry(fitness, list, entry, on_test))
			end_test(fitness, list);
	end_test(fitness, list);
}

static void start_that_matters(struct fitness *fitness)
{
	for (int i = 0; i < fitness->settings.list_count; i++) {
		fitness->shapes[i].matters = list_of(fitness, i)->test;
		start_test(fitness, i);
	}
}

/* ---- lists that do not answer */

static void note_failure(struct fitness *fitness, int list, bool quiet)
{
	struct shape *shape = &fitness->shapes[list];
	shape->failures++;
	if (!breaker_failed(&shape->breaker, &fitness->settings.breaker, clock_monotonic_ms(), (uint32_t)random()))
		return;
	shape->told_away = !quiet;
	if (!quiet)
		log_line(SEVERITY_WARNING, "dns: block list %s gave no answer to %lld questions in a row; it is left alone for "
					   "a while, what it lists is unknown", list_of(fitness, list)->zone,
			 (long long)fitness->settings.breaker.failures);
}

static void note_answer(struct fitness *fitness, int list, int64_t took_ms)
{
	struct shape *shape = &fitness->shapes[list];
	shape->answers++;
	shape->times_ms[shape->times++ % TIMES_KEPT] = took_ms;
	if (!breaker_answered(&shape->breaker))
		return;
	if (shape->told_away)
		log_line(SEVERITY_INFO, "dns: block list %s answers again", list_of(fitness, list)->zone);
	shape->told_away = false;
}

static void on_probe(void *arg, const struct dns_answer *answer)
{
	struct test *probe = arg;
	struct fitness *fitness = probe->fitness;
	if (fitness->ending)
		;
	else if (answer->outcome == DNS_FOUND || answer->outcome == DNS_NONE)
		note_answer(fitness, probe->list, clock_monotonic_ms() - probe->asked_ms);
	else
		note_failure(fitness, probe->list, true);
	drop(fitness);
	free(probe);
}

/* Whether a list is back is asked here, so that no connection waits for it. */
static void probe(struct fitness *fitness, int list, int64_t now_ms)
{
	struct breaker *breaker = &fitness->shapes[list].breaker;
	if (breaker_may_ask(breaker, now_ms) && !ask_entry(fitness, list, 0, on_probe))
		breaker_unasked(breaker);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fitness *fitness = arg;
	int64_t now_ms = clock_monotonic_ms();
	(void)fd;
	(void)what;
	for (int i = 0; i < fitness->settings.list_count; i++) {
		if (breaker_open(&fitness->shapes[i].breaker))
			probe(fitness, i, now_ms);
		else if (fitness->shapes[i].test_due_ms <= now_ms)
			start_test(fitness, i);
	}
}

bool fitness_wait(struct fitness *fitness, int list, struct fitness_waiter *waiter)
{
	struct shape *shape = &fitness->shapes[list];
	if (!shape->matters)
		return false;
	waiter->next = shape->waiters;
	shape->waiters = waiter;
	return true;
}

bool fitness_suspect(struct fitness *fitness)
{
	int64_t now_ms = clock_monotonic_ms();
	if (fitness->ending || now_ms < fitness->suspect_due_ms)
		return false;
	fitness->suspect_due_ms = now_ms + SUSPECT_MS;
	start_that_matters(fitness);
	return true;
}

/* ---- life */

struct fitness *fitness_new(struct loop *loop, const struct fitness_settings *settings)
{
	struct fitness *fitness =
		calloc(1, sizeof *fitness + (size_t)settings->list_count * sizeof fitness->shapes[0]);
	if (fitness == NULL)
		return NULL;
	fitness->references = 1;
	fitness->settings = *settings;
	atomic_init(&fitness->generation, 0);
	fitness->tick = event_new(loop_base(loop), -1, EV_PERSIST, on_tick, fitness);
	for (int i = 0; i < settings->list_count; i++)
		fitness->shapes[i].matters = settings->lists[i].test;
	if (fitness->tick != NULL)
		return fitness;
	free(fitness);
	return NULL;
}

void fitness_free(struct fitness **fitness)
{
	struct fitness *old = *fitness;
	*fitness = NULL;
	if (old == NULL)
		return;
	old->ending = true;
	event_free(old->tick);
	drop(old);
}

void fitness_start(struct fitness *fitness)
{
	struct timeval tick = { .tv_sec = TICK_S };
	start_that_matters(fitness);
	event_add(fitness->tick, &tick);
}

/* ---- in use */

enum fitness_state fitness_may_ask(const struct fitness *fitness, int list, int64_t *left_ms_out)
{
	const struct shape *shape = &fitness->shapes[list];
	int64_t now_ms = clock_monotonic_ms();
	*left_ms_out = 0;
	if (shape->test == FITNESS_UNFIT)
		return FITNESS_UNFIT;
	*left_ms_out = breaker_left_ms(&shape->breaker, now_ms);
	return *left_ms_out > 0 ? FITNESS_AWAY : shape->test;
}

bool fitness_unfit(const struct fitness *fitness, int list)
{
	return fitness->shapes[list].test == FITNESS_UNFIT;
}

void fitness_heard(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet)
{
	char why[FITNESS_WHY_MAX];
	bool refused;
	if (reply->outcome != DNS_FOUND && reply->outcome != DNS_NONE) {
		note_failure(fitness, list, quiet);
		return;
	}
	note_answer(fitness, list, took_ms);
	uint32_t odd = odd_code(reply, &refused);
	if (odd == 0)
		return;
	say_odd(why, odd, refused);
	set_unfit(fitness, list, why);
	fitness->shapes[list].test_due_ms = clock_monotonic_ms() + TEST_SOON_MS;
}

uint32_t fitness_generation(struct fitness *fitness)
{
	return atomic_load_explicit(&fitness->generation, memory_order_relaxed);
}

/* ---- report */

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

static int64_t median_of(const struct shape *shape)
{
	int64_t times[TIMES_KEPT];
	size_t count = shape->times < TIMES_KEPT ? (size_t)shape->times : TIMES_KEPT;
	if (count == 0)
		return -1;
	memcpy(times, shape->times_ms, count * sizeof times[0]);
	qsort(times, count, sizeof times[0], by_size);
	return times[count / 2];
}

void fitness_report(const struct fitness *fitness, int list, struct fitness_report *report_out)
{
	const struct shape *shape = &fitness->shapes[list];
	int64_t now_ms = clock_monotonic_ms(), due_ms = -1;
	bool away = shape->test != FITNESS_UNFIT && breaker_open(&shape->breaker);
	if (away)
		due_ms = breaker_left_ms(&shape->breaker, now_ms);
	else if (shape->test == FITNESS_UNFIT)
		due_ms = shape->test_due_ms > now_ms ? shape->test_due_ms - now_ms : 0;
	*report_out = (struct fitness_report){
		.state = away ? FITNESS_AWAY : shape->test,
		.why = away ? "gives no answer" : shape->why,
		.answers = shape->answers,
		.failures = shape->failures,
		.median_ms = median_of(shape),
		.retry_s = due_ms < 0 ? -1 : (due_ms + 999) / 1000,
	};
}

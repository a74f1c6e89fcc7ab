/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/fitness.h"

#include "milter/base/clock.h"
#include "milter/blocklist/budget.h"
#include "milter/dns/engine.h"
#include "milter/blocklist/track.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

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
	UNANSWERED_MOST_MS = 600 * 1000,	/* a test without an answer for longer is trouble */
};

/* A question about a test entry: of a test, or only whether the list answers. */
struct test {
	struct fitness *fitness;	/* one reference */
	int list;
	enum list_entry entry;
	int64_t asked_ms;
};

/* How one list does. */
struct shape {
	enum fitness_state test;	/* UNTESTED, OK or UNFIT */
	char why[REPLY_WHY_MAX];
	struct budget *budget;		/* owned */
	struct track track;
	int64_t test_due_ms;
	int64_t unanswered_ms;		/* since then no test had all its answers; 0: the last one had */
	bool told_unanswered;		/* that was said, and is trouble */
	bool anew;			/* other servers are asked: it is tested as soon as no test is under way */
	int tests_open;			/* questions of a test under way */
	bool matters;			/* whoever has an answer waits for its end */
	struct list_reply replies[LIST_ENTRIES];
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
	unsigned servers;	/* those that the lists are asked by: engine_generation */
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

static void drop(struct fitness *fitness)
{
	if (--fitness->references > 0)
		return;
	for (int i = 0; i < fitness->settings.list_count; i++)
		budget_close(&fitness->shapes[i].budget);
	free(fitness);
}

static const struct list *list_of(const struct fitness *fitness, int list)
{
	return &fitness->settings.lists[list];
}

/* A list that only checks ask concerns whoever asks, and is told of there. */
static enum severity severity_of(const struct list *list, enum severity severity)
{
	return list->mail ? severity : SEVERITY_INFO;
}

/* ---- budgets */

static bool has_room(const struct fitness *fitness, int list, enum lists_use use, int questions)
{
	int64_t budget = list_of(fitness, list)->budget, most = use == LISTS_FOR_CHECK ? budget - budget / 4 : budget;
	return budget == 0 || fitness_spent(fitness, list) + questions <= most;
}

int64_t fitness_spent(const struct fitness *fitness, int list)
{
	return budget_spent(fitness->shapes[list].budget, clock_now_ms());
}

void fitness_say_spent(struct fitness *fitness, int list, enum lists_use use, char why[REPLY_WHY_MAX])
{
	const struct list *spent = list_of(fitness, list);
	bool kept = has_room(fitness, list, LISTS_FOR_MAIL, 1);
	snprintf(why, REPLY_WHY_MAX, "its budget of %lld questions a day is spent%s", (long long)spent->budget,
		  kept ? " but for what is kept for mail" : "");
	if (budget_say(fitness->shapes[list].budget, use == LISTS_FOR_CHECK, clock_now_ms()))
		log_line(severity_of(spent, SEVERITY_WARNING), "dns: block list %s: %s; %s again tomorrow (UTC)",
			 spent->name, why, kept ? "checks ask it" : "it is asked");
}

/* ---- unfit and fit again */

static bool passes(const struct shape *shape)
{
	return shape->test != FITNESS_UNFIT && !shape->told_unanswered;
}

/* How many lists there are for mail, or 0 where one of them passes its test, has yet to, or has none. */
static int all_useless(const struct fitness *fitness)
{
	int lists = 0;
	for (int i = 0; i < fitness->settings.list_count; i++) {
		if (!list_of(fitness, i)->mail)
			continue;
		if (passes(&fitness->shapes[i]))
			return 0;
		lists++;
	}
	return lists;
}

/* The loud line, where it is the resolver and not a list. */
static void note_all(struct fitness *fitness)
{
	int useless = all_useless(fitness);
	if (useless > 1 && !fitness->told_all)
		log_line(SEVERITY_ERROR, "dns: not one of %d block lists passes its test: look at the DNS servers; "
					 "all listings are unknown", useless);
	fitness->told_all = useless > 1;
}

static void note_change(struct fitness *fitness, int list)
{
	if (!list_of(fitness, list)->mail)
		return;
	atomic_fetch_add(&fitness->generation, 1);
	note_all(fitness);
}

static void set_unfit(struct fitness *fitness, int list, const char *why)
{
	struct shape *shape = &fitness->shapes[list];
	bool said = shape->test == FITNESS_UNFIT && strcmp(shape->why, why) == 0;
	bool change = shape->test != FITNESS_UNFIT;
	text_copy(shape->why, sizeof shape->why, why);
	shape->test = FITNESS_UNFIT;
	if (!said)
		log_line(severity_of(list_of(fitness, list), SEVERITY_ERROR),
			 "dns: block list %s %s; it is not used until it passes its test", list_of(fitness, list)->name, why);
	if (change)
		note_change(fitness, list);
}

static void set_fit(struct fitness *fitness, int list, enum fitness_state state)
{
	struct shape *shape = &fitness->shapes[list];
	bool change = shape->test == FITNESS_UNFIT;
	shape->test = state;
	shape->why[0] = '\0';
	if (!change)
		return;
	log_line(SEVERITY_INFO, "dns: block list %s is used again", list_of(fitness, list)->name);
	note_change(fitness, list);
}

/* ---- tests */

static int64_t by_chance(int64_t ms)
{
	return ms - (int64_t)random() % (ms / 10 + 1);
}

/* False: the test says nothing, somebody did not answer. */
static bool judge_test(struct fitness *fitness, int list)
{
	char why[REPLY_WHY_MAX];
	enum list_test test = list_test_judge(list_of(fitness, list), fitness->shapes[list].replies, why);
	if (test == LIST_TEST_UNFIT)
		set_unfit(fitness, list, why);
	else if (test == LIST_TEST_FIT)
		set_fit(fitness, list, FITNESS_OK);
	return test != LIST_TEST_UNKNOWN;
}

/* Those who wait now; one that is let go may begin another test, and wait again. */
static void let_go(struct shape *shape)
{
	struct fitness_waiter *waiters = shape->waiters;
	shape->matters = false;
	shape->waiters = NULL;
	while (waiters != NULL) {
		struct fitness_waiter *waiter = waiters;
		waiters = waiter->next;
		waiter->ready(waiter);
	}
}

/* A test had its answers, or had not. That it has none for long is said once, and so is that it has them again. */
static void note_answered(struct fitness *fitness, int list, bool answered)
{
	struct shape *shape = &fitness->shapes[list];
	const struct list *tested = list_of(fitness, list);
	bool told = shape->told_unanswered;
	int64_t now_ms = clock_monotonic_ms();
	if (answered)
		shape->unanswered_ms = 0;
	else if (shape->unanswered_ms == 0)
		shape->unanswered_ms = now_ms;
	shape->told_unanswered = !answered && tested->mail && now_ms - shape->unanswered_ms >= UNANSWERED_MOST_MS;
	if (shape->told_unanswered == told)
		return;
	if (!told)
		log_line(SEVERITY_WARNING, "dns: block list %s has not answered its test for %d minutes", tested->name,
			 UNANSWERED_MOST_MS / 60000);
	else
		log_line(SEVERITY_INFO, "dns: block list %s answers its test again", tested->name);
	note_all(fitness);
}

static void end_test(struct fitness *fitness, int list)
{
	struct shape *shape = &fitness->shapes[list];
	if (--shape->tests_open > 0)
		return;
	if (!fitness->ending) {
		bool judged = judge_test(fitness, list);
		note_answered(fitness, list, judged);
		int64_t again_ms = shape->test == FITNESS_UNTESTED ? TEST_FIRST_MS : TEST_SOON_MS;
		shape->test_due_ms = clock_monotonic_ms() + by_chance(judged ? TEST_MS : again_ms);
	}
	let_go(shape);
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

static bool ask_entry(struct fitness *fitness, int list, enum list_entry entry, resolver_done *done)
{
	char name[DNS_NAME_MAX + 1];
	struct text text = text_over(name, sizeof name);
	struct engine *engine = fitness->settings.engine;
	struct test *test = has_room(fitness, list, LISTS_FOR_MAIL, 1) ? malloc(sizeof *test) : NULL;
	if (test == NULL)
		return false;
	*test = (struct test){ fitness, list, entry, clock_monotonic_ms() };
	text_addf(&text, "%s.%s", list_entry_prefix(list_of(fitness, list), entry), list_of(fitness, list)->asked_zone);
	bool sent = !engine_asks(engine, name, DNS_A);
	if (!text.cut && engine_ask(engine, name, DNS_A, done, test)) {
		if (sent)
			budget_count(fitness->shapes[list].budget, clock_now_ms());
		fitness->references++;
		return true;
	}
	free(test);
	return false;
}

/* A list without test entries is given another chance unseen. A test that the budget has no room for is one without
 * answers. */
static void start_test(struct fitness *fitness, int list, bool matters)
{
	struct shape *shape = &fitness->shapes[list];
	bool open = shape->tests_open > 0, room = has_room(fitness, list, LISTS_FOR_MAIL, LIST_ENTRIES);
	shape->matters = list_of(fitness, list)->test && (matters || (open && shape->matters));
	if (open)
		return;
	shape->anew = false;
	if (!list_of(fitness, list)->test) {
		shape->test_due_ms = clock_monotonic_ms() + TEST_SOON_MS;
		set_fit(fitness, list, FITNESS_UNTESTED);
		return;
	}
	memset(shape->replies, 0, sizeof shape->replies);
	shape->tests_open = 1 + LIST_ENTRIES;	/* one more, so that it is not over before all are asked */
	for (int entry = 0; entry < LIST_ENTRIES; entry++)
		if (!room || !ask_entry(fitness, list, (enum list_entry)entry, on_test))
			end_test(fitness, list);
	end_test(fitness, list);
}

static void start_that_matters(struct fitness *fitness)
{
	for (int i = 0; i < fitness->settings.list_count; i++)
		if (list_of(fitness, i)->mail)
			start_test(fitness, i, true);
}

/* ---- lists that do not answer */

static void note(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet)
{
	struct track *track = &fitness->shapes[list].track;
	if (list_reply_tells(reply))
		track_answered(track, list_of(fitness, list), took_ms);
	else
		track_failed(track, list_of(fitness, list), &fitness->settings.breaker, quiet);
}

static void on_probe(void *arg, const struct dns_answer *answer)
{
	struct test *probe = arg;
	struct fitness *fitness = probe->fitness;
	struct list_reply reply = list_reply_of(answer);
	if (!fitness->ending)
		note(fitness, probe->list, &reply, clock_monotonic_ms() - probe->asked_ms, true);
	drop(fitness);
	free(probe);
}

/* Whether a list for mail is back is asked here, so that no connection waits for it. */
static void probe(struct fitness *fitness, int list, int64_t now_ms)
{
	struct breaker *breaker = &fitness->shapes[list].track.breaker;
	if (breaker_may_ask(breaker, now_ms) && !ask_entry(fitness, list, LIST_ENTRY_YES, on_probe))
		breaker_unasked(breaker);
}

/* What the servers of before did not answer says nothing any more. */
static void start_anew(struct fitness *fitness)
{
	fitness->servers = engine_generation(fitness->settings.engine);
	for (int i = 0; i < fitness->settings.list_count; i++) {
		struct shape *shape = &fitness->shapes[i];
		shape->track.breaker = (struct breaker){ 0 };
		shape->test_due_ms = clock_monotonic_ms();
		shape->anew = list_of(fitness, i)->mail;
	}
}

static void tend(struct fitness *fitness, int list, int64_t now_ms)
{
	struct shape *shape = &fitness->shapes[list];
	if (breaker_open(&shape->track.breaker))
		probe(fitness, list, now_ms);
	else if (shape->test_due_ms <= now_ms || (shape->anew && shape->tests_open == 0))
		start_test(fitness, list, shape->anew);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct fitness *fitness = arg;
	int64_t now_ms = clock_monotonic_ms();
	(void)fd;
	(void)what;
	if (fitness->servers != engine_generation(fitness->settings.engine))
		start_anew(fitness);
	for (int i = 0; i < fitness->settings.list_count; i++)
		if (list_of(fitness, i)->mail)
			tend(fitness, i, now_ms);
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

static bool open_shapes(struct fitness *fitness)
{
	bool all = true;
	for (int i = 0; i < fitness->settings.list_count; i++) {
		const struct list *list = list_of(fitness, i);
		fitness->shapes[i].matters = list->mail && list->test;
		fitness->shapes[i].budget = budget_open(list->asked_zone, clock_now_ms());
		all = all && fitness->shapes[i].budget != NULL;
	}
	return all;
}

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
	if (!open_shapes(fitness) || fitness->tick == NULL)
		fitness_free(&fitness);
	return fitness;
}

void fitness_free(struct fitness **fitness)
{
	struct fitness *old = *fitness;
	*fitness = NULL;
	if (old == NULL)
		return;
	old->ending = true;
	if (old->tick != NULL)
		event_free(old->tick);
	for (int i = 0; i < old->settings.list_count; i++)
		if (old->shapes[i].tests_open == 0)	/* it was not begun; others end with the engine */
			let_go(&old->shapes[i]);
	drop(old);
}

void fitness_start(struct fitness *fitness)
{
	struct timeval tick = { .tv_sec = TICK_S };
	fitness->servers = engine_generation(fitness->settings.engine);
	start_that_matters(fitness);
	event_add(fitness->tick, &tick);
}

/* ---- in use */

void fitness_use(struct fitness *fitness, int list, enum lists_use use)
{
	struct shape *shape = &fitness->shapes[list];
	if (list_of(fitness, list)->mail || breaker_open(&shape->track.breaker) ||
	    shape->test_due_ms > clock_monotonic_ms() || !has_room(fitness, list, use, LIST_ENTRIES + 1))
		return;
	start_test(fitness, list, true);
}

/* Nobody probes a list that is not for mail: one of the questions that it is asked does. */
static bool is_away(const struct fitness *fitness, int list, int64_t now_ms)
{
	const struct breaker *breaker = &fitness->shapes[list].track.breaker;
	return breaker_open(breaker) && (list_of(fitness, list)->mail || !breaker_due(breaker, now_ms));
}

enum fitness_state fitness_may_ask(const struct fitness *fitness, int list, enum lists_use use, int64_t *left_ms_out)
{
	const struct shape *shape = &fitness->shapes[list];
	int64_t now_ms = clock_monotonic_ms();
	bool again = shape->matters && shape->tests_open > 0;
	*left_ms_out = 0;
	if (shape->test == FITNESS_UNFIT && !again)
		return FITNESS_UNFIT;
	if (is_away(fitness, list, now_ms)) {
		*left_ms_out = breaker_left_ms(&shape->track.breaker, now_ms);
		return FITNESS_AWAY;
	}
	if (!has_room(fitness, list, use, 1)) {
		*left_ms_out = budget_left_ms(clock_now_ms());
		return FITNESS_SPENT;
	}
	return again ? FITNESS_UNTESTED : shape->test;
}

void fitness_asked(struct fitness *fitness, int list, bool sent)
{
	struct shape *shape = &fitness->shapes[list];
	breaker_may_ask(&shape->track.breaker, clock_monotonic_ms());
	if (sent)
		budget_count(shape->budget, clock_now_ms());
}

bool fitness_spend(struct fitness *fitness, int list, enum lists_use use)
{
	bool room = has_room(fitness, list, use, 1);
	if (room)
		budget_count(fitness->shapes[list].budget, clock_now_ms());
	return room;
}

bool fitness_unfit(const struct fitness *fitness, int list)
{
	return fitness->shapes[list].test == FITNESS_UNFIT;
}

void fitness_heard(struct fitness *fitness, int list, const struct list_reply *reply, int64_t took_ms, bool quiet)
{
	char why[REPLY_WHY_MAX];
	note(fitness, list, reply, took_ms, quiet);
	if (!list_reply_odd(list_of(fitness, list), reply, why))
		return;
	set_unfit(fitness, list, why);
	fitness->shapes[list].test_due_ms = clock_monotonic_ms() + TEST_SOON_MS;
}

uint32_t fitness_generation(struct fitness *fitness)
{
	return atomic_load_explicit(&fitness->generation, memory_order_relaxed);
}

/* ---- report */

static enum fitness_state state_of(const struct fitness *fitness, int list)
{
	const struct shape *shape = &fitness->shapes[list];
	if (shape->test == FITNESS_UNFIT)
		return FITNESS_UNFIT;
	if (!has_room(fitness, list, list_of(fitness, list)->mail ? LISTS_FOR_MAIL : LISTS_FOR_CHECK, 1))
		return FITNESS_SPENT;
	return breaker_open(&shape->track.breaker) ? FITNESS_AWAY : shape->test;
}

static int64_t due_of(const struct shape *shape, enum fitness_state state)
{
	int64_t now_ms = clock_monotonic_ms();
	if (state == FITNESS_AWAY)
		return breaker_left_ms(&shape->track.breaker, now_ms);
	if (state == FITNESS_SPENT)
		return budget_left_ms(clock_now_ms());
	if (state == FITNESS_UNFIT)
		return shape->test_due_ms > now_ms ? shape->test_due_ms - now_ms : 0;
	return -1;
}

void fitness_report(const struct fitness *fitness, int list, struct fitness_report *report_out)
{
	const struct shape *shape = &fitness->shapes[list];
	enum fitness_state state = state_of(fitness, list);
	int64_t due_ms = due_of(shape, state);
	*report_out = (struct fitness_report){
		.state = state,
		.answers = shape->track.answers,
		.failures = shape->track.failures,
		.median_ms = track_median_ms(&shape->track),
		.retry_s = due_ms < 0 ? -1 : (due_ms + 999) / 1000,
		.passes = passes(shape),
	};
	struct text why = text_over(report_out->why, sizeof report_out->why);
	if (state == FITNESS_AWAY)
		text_add(&why, "gives no answer");
	else if (state == FITNESS_SPENT)
		text_addf(&why, "has spent its budget of %lld questions a day", (long long)list_of(fitness, list)->budget);
	else if (state == FITNESS_UNFIT)
		text_add(&why, shape->why);
	else if (shape->told_unanswered)
		text_addf(&why, "has not answered its test for %lld minutes",
			  (long long)(clock_monotonic_ms() - shape->unanswered_ms) / 60000);
}

bool fitness_all_useless(const struct fitness *fitness)
{
	return all_useless(fitness) > 0;
}

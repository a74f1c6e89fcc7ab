/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/lists.h"

#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { AWAY_AFTER = 5, WHY_MAX = LIST_REPLY_WHY_MAX + 8 };

enum lists_count {
	COUNT_QUESTIONS,
	COUNT_ANSWERS,
	COUNT_FAILURES,
	COUNT_TIMEOUTS,
	COUNT_REFUSED,
	COUNT_RECENT_FAILURES,
	COUNTS,
};

/* Counted: the owner's reference, one for each question. */
struct lists {
	int references;		  /* the loop thread's */
	struct engine *engine;	  /* borrowed; NULL after lists_free */
	struct fitness *fitness;  /* owned; NULL after lists_free */
	const struct list *lists; /* borrowed, see lists.h */
	int count;
	struct loop_job start;
	bool away; /* DNS as a whole */
	atomic_uint_fast64_t counts[COUNTS];
};

static void count(struct lists *lists, enum lists_count which)
{
	atomic_fetch_add_explicit(&lists->counts[which], 1, memory_order_relaxed);
}

static uint64_t get_count(const struct lists *lists, enum lists_count which)
{
	return atomic_load_explicit(&lists->counts[which], memory_order_relaxed);
}

/* ---- life */

static void drop(struct lists *lists)
{
	if (--lists->references == 0)
		free(lists);
}

static void start_tests(struct loop_job *job)
{
	struct lists *lists = (struct lists *)(void *)((char *)job - offsetof(struct lists, start));
	fitness_start(lists->fitness);
}

struct lists *lists_new(struct loop *loop, const struct lists_settings *settings)
{
	struct fitness_settings fitness = {
		.engine = settings->engine,
		.lists = settings->lists,
		.list_count = settings->list_count,
		.breaker = settings->breaker,
	};
	struct lists *lists = calloc(1, sizeof *lists);
	if (lists == NULL)
		return NULL;
	lists->references = 1;
	lists->engine = settings->engine;
	lists->lists = settings->lists;
	lists->count = settings->list_count;
	lists->fitness = fitness_new(loop, &fitness);
	if (lists->fitness == NULL) {
		drop(lists);
		return NULL;
	}
	/* lists_free comes later on the same thread, or when the loop has stopped: no reference is needed */
	lists->start.run = start_tests;
	if (lists->count > 0)
		loop_post(loop, &lists->start);
	return lists;
}

void lists_free(struct lists **lists)
{
	struct lists *old = *lists;
	*lists = NULL;
	if (old == NULL)
		return;
	old->engine = NULL; /* what ends with it says nothing about DNS */
	fitness_free(&old->fitness);
	drop(old);
}

/* ---- the end of a question */

static void lists_end(struct list_question *question, struct list_answer *answer)
{
	struct lists *lists = question->lists;
	answer->cached = question->cached;
	answer->took_ms = question->took_ms;
	answer->reply = question->reply;
	question->done(question, answer);
	drop(lists);
}

static void end_unknown(struct list_question *question, const char *why, int64_t holds_ms)
{
	lists_end(question, &(struct list_answer){ .state = LIST_STATE_UNKNOWN, .why = why, .holds_ms = holds_ms });
}

static void lists_end_skipped(struct list_question *question)
{
	struct fitness_report report;
	char why[WHY_MAX];
	struct text text = text_over(why, sizeof why);
	fitness_report(question->lists->fitness, question->list, &report);
	text_addf(&text, "it %s", report.why);
	lists_end(question,
		  &(struct list_answer){ .state = LIST_STATE_SKIPPED, .why = why, .holds_ms = DNS_TTL_MOST * 1000 });
}

static void lists_end_odd(struct list_question *question, const char *what)
{
	char why[WHY_MAX];
	struct text text = text_over(why, sizeof why);
	text_addf(&text, "it %s", what);
	end_unknown(question, why, question->reply.ttl_s * 1000);
}

static const struct list *list_of(const struct list_question *question)
{
	return &question->lists->lists[question->list];
}

static bool is_unfit(const struct list_question *question)
{
	return fitness_unfit(question->lists->fitness, question->list);
}

/* What the list said holds, unless it has failed its test meanwhile. */
static void lists_end_answered(struct list_question *question)
{
	char odd[LIST_REPLY_WHY_MAX];
	if (list_reply_odd(list_of(question), &question->reply, odd))
		lists_end_odd(question, odd);
	else if (is_unfit(question))
		lists_end_skipped(question);
	else
		lists_end(question, &(struct list_answer){ .state = LIST_STATE_ANSWERED,
							   .why = "",
							   .holds_ms = question->reply.ttl_s * 1000 });
}

static void end_with_dns(struct list_question *question)
{
	question->reply = (struct list_reply){ .outcome = DNS_UNKNOWN };
	end_unknown(question, "DNS was set up anew, or ended, before it answered", 0);
}

/* The list's test is over. */
static void lists_on_tested(struct fitness_waiter *waiter)
{
	struct list_question *question =
		(struct list_question *)(void *)((char *)waiter - offsetof(struct list_question, waiter));
	if (question->lists->engine == NULL)
		end_with_dns(question);
	else if (is_unfit(question))
		lists_end_skipped(question);
	else
		lists_end_answered(question);
}

/* An answer is there; but whether the list is to be believed may be in question. */
static void settle(struct list_question *question)
{
	question->waiter.ready = lists_on_tested;
	if (!fitness_wait(question->lists->fitness, question->list, &question->waiter))
		lists_end_answered(question);
}

/* ---- questions */

/* Of the milter's questions only: a check asks many lists, of which some may be dead. */
static void lists_note_recent_failure(struct lists *lists)
{
	count(lists, COUNT_RECENT_FAILURES);
	if (lists->away || get_count(lists, COUNT_RECENT_FAILURES) < AWAY_AFTER)
		return;
	lists->away = true;
	log_line(SEVERITY_ERROR, "dns: %d questions in a row got no answer; listings are unknown until one does",
		 AWAY_AFTER);
}

static void lists_note_success(struct lists *lists)
{
	count(lists, COUNT_ANSWERS);
	atomic_store_explicit(&lists->counts[COUNT_RECENT_FAILURES], 0, memory_order_relaxed);
	if (lists->away)
		log_line(SEVERITY_INFO, "dns: answers again");
	lists->away = false;
}

static void lists_note(struct list_question *question)
{
	struct lists *lists = question->lists;
	if (list_reply_tells(&question->reply)) {
		lists_note_success(lists);
	} else {
		count(lists, question->reply.outcome == DNS_TIMEOUT ? COUNT_TIMEOUTS : COUNT_FAILURES);
		if (question->use == LISTS_FOR_MAIL)
			lists_note_recent_failure(lists);
	}
	fitness_heard(lists->fitness, question->list, &question->reply, question->took_ms, lists->away);
}

static void lists_on_answer(void *arg, const struct dns_answer *answer)
{
	struct list_question *question = arg;
	if (question->lists->engine == NULL) {
		end_with_dns(question);
		return;
	}
	question->reply = list_reply_of(answer);
	question->took_ms = clock_monotonic_ms() - question->asked_ms;
	lists_note(question);
	if (list_reply_tells(&question->reply))
		settle(question);
	else
		end_unknown(question,
			    question->reply.outcome == DNS_TIMEOUT ? "it gave no answer in time"
								   : "its DNS servers gave no good answer",
			    0);
}

/* A name too long for DNS is in no list, but the list was not asked either. */
static bool lists_name_of(const struct list *list, const char *prefix, char name[DNS_NAME_MAX + 1])
{
	struct text text = text_over(name, DNS_NAME_MAX + 1);
	text_add(&text, prefix);
	text_add(&text, ".");
	text_add(&text, list->asked_zone);
	return !text.cut;
}

static bool lists_find(struct list_question *question, const char *name)
{
	struct dns_data data;
	struct dns_answer answer;
	if (!engine_find(question->lists->engine, name, DNS_A, &data, &answer))
		return false;
	question->reply = list_reply_of(&answer);
	question->cached = true;
	return true;
}

static void end_spent(struct list_question *question, int64_t left_ms)
{
	char why[LIST_REPLY_WHY_MAX];
	fitness_say_spent(question->lists->fitness, question->list, question->use, why);
	end_unknown(question, why, left_ms < DNS_TTL_MOST * 1000 ? left_ms : DNS_TTL_MOST * 1000);
}

static void lists_send(struct list_question *question, const char *name)
{
	struct lists *lists = question->lists;
	bool joins = engine_asks(lists->engine, name, DNS_A);
	count(lists, COUNT_QUESTIONS);
	question->asked_ms = clock_monotonic_ms();
	if (engine_ask(lists->engine, name, DNS_A, lists_on_answer, question)) {
		fitness_asked(lists->fitness, question->list, !joins);
		return;
	}
	count(lists, COUNT_REFUSED);
	end_unknown(question, "too many questions are in progress", 0);
}

static void lists_ask_one(struct list_question *question, const char *name)
{
	struct lists *lists = question->lists;
	int64_t left_ms;
	fitness_use(lists->fitness, question->list, question->use);
	enum fitness_state state = fitness_may_ask(lists->fitness, question->list, question->use, &left_ms);
	if (state == FITNESS_UNFIT)
		lists_end_skipped(question);
	else if (lists_find(question, name))
		settle(question);
	else if (state == FITNESS_AWAY)
		end_unknown(question, "it gives no answer, and is left alone for a while", left_ms);
	else if (state == FITNESS_SPENT)
		end_spent(question, left_ms);
	else
		lists_send(question, name);
}

void lists_ask(struct lists *lists, int list, const char *prefix, enum lists_use use, struct list_question *question)
{
	char name[DNS_NAME_MAX + 1];
	*question = (struct list_question){ .done = question->done, .lists = lists, .list = list, .use = use };
	lists->references++;
	if (lists->engine == NULL)
		end_with_dns(question);
	else if (!lists_name_of(&lists->lists[list], prefix, name))
		end_unknown(question, "the name is too long to be looked up there", 0);
	else
		lists_ask_one(question, name);
}

bool lists_may_ask_text(struct lists *lists, int list, enum lists_use use)
{
	return lists->engine != NULL && fitness_spend(lists->fitness, list, use);
}

/* ---- what there is */

const struct list *lists_at(const struct lists *lists, int list)
{
	return &lists->lists[list];
}

int lists_count(const struct lists *lists)
{
	return lists->count;
}

static bool list_knows(const struct list *list, enum netaddr_family family)
{
	if (family == NETADDR_UNKNOWN)
		return list->domain;
	return family == NETADDR_V6 ? list->ipv6 : list->ipv4;
}

bool list_takes(const struct list *list, enum netaddr_family family, bool reserved)
{
	return list_knows(list, family) && (list->private || !reserved);
}

struct fitness *lists_fitness(struct lists *lists)
{
	return lists->fitness;
}

struct lists_stats lists_stats(const struct lists *lists)
{
	return (struct lists_stats){
		.questions = get_count(lists, COUNT_QUESTIONS),
		.answers = get_count(lists, COUNT_ANSWERS),
		.failures = get_count(lists, COUNT_FAILURES),
		.timeouts = get_count(lists, COUNT_TIMEOUTS),
		.refused_inflight = get_count(lists, COUNT_REFUSED),
		.recent_failures = get_count(lists, COUNT_RECENT_FAILURES),
	};
}

void lists_report(const struct lists *lists, int list, struct lists_report *report_out)
{
	struct fitness_report report;
	int64_t spent = fitness_spent(lists->fitness, list);
	fitness_report(lists->fitness, list, &report);
	*report_out = (struct lists_report){
		.state = fitness_word(report.state),
		.asked = report.state == FITNESS_OK || report.state == FITNESS_UNTESTED,
		.passes = report.passes,
		.used = lists->lists[list].mail || spent > 0 || report.answers > 0 || report.failures > 0,
		.answers = report.answers,
		.failures = report.failures,
		.median_ms = report.median_ms,
		.retry_s = report.retry_s,
		.asked_today = spent,
	};
	text_copy(report_out->why, sizeof report_out->why, report.why);
}

bool lists_all_useless(const struct lists *lists)
{
	return lists->fitness != NULL && fitness_all_useless(lists->fitness);
}

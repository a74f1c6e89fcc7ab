/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The tests of the lists, RFC 5782 section 5: questions about their test entries.
 */
#include "milter/blocklist/fitness_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/dns/engine.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TEST_MS = 3600 * 1000,		 /* between tests; shortened by up to a tenth, by chance */
	TEST_FIRST_MS = 10 * 1000,	 /* ... where none was answered before: DNS may have started after us */
	UNANSWERED_MOST_MS = 600 * 1000, /* a test without an answer for longer is trouble */
};

static int64_t by_chance(int64_t ms)
{
	return ms - (int64_t)random() % (ms / 10 + 1);
}

/* False: the test says nothing, somebody did not answer. */
static bool fitness_test_judge(struct fitness *fitness, int list)
{
	char why[LIST_REPLY_WHY_MAX];
	enum list_test test = list_test_judge(fitness_list(fitness, list), fitness->shapes[list].replies, why);
	if (test == LIST_TEST_UNFIT)
		fitness_set_unfit(fitness, list, why);
	else if (test == LIST_TEST_FIT)
		fitness_set_fit(fitness, list, FITNESS_OK);
	return test != LIST_TEST_UNKNOWN;
}

/* Those who wait now; one that is let go may begin another test, and wait again. */
void fitness_let_go(struct shape *shape)
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
static void fitness_test_note_answered(struct fitness *fitness, int list, bool answered)
{
	struct shape *shape = &fitness->shapes[list];
	const struct list *tested = fitness_list(fitness, list);
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
	fitness_note_all(fitness);
}

static void fitness_test_end(struct fitness *fitness, int list)
{
	struct shape *shape = &fitness->shapes[list];
	if (--shape->tests_open > 0)
		return;
	if (!fitness->ending) {
		bool judged = fitness_test_judge(fitness, list);
		fitness_test_note_answered(fitness, list, judged);
		int64_t again_ms = shape->test == FITNESS_UNTESTED ? TEST_FIRST_MS : FITNESS_TEST_SOON_MS;
		shape->test_due_ms = clock_monotonic_ms() + by_chance(judged ? TEST_MS : again_ms);
	}
	fitness_let_go(shape);
}

static void fitness_test_on(void *arg, const struct dns_answer *answer)
{
	struct test *test = arg;
	struct fitness *fitness = test->fitness;
	fitness->shapes[test->list].replies[test->entry] = list_reply_of(answer);
	fitness_test_end(fitness, test->list);
	fitness_drop(fitness);
	free(test);
}

bool fitness_ask_entry(struct fitness *fitness, int list, enum list_entry entry, resolver_done *done)
{
	char name[DNS_NAME_MAX + 1];
	struct text text = text_over(name, sizeof name);
	struct engine *engine = fitness->settings.engine;
	struct test *test = fitness_has_room(fitness, list, LISTS_FOR_MAIL, 1) ? malloc(sizeof *test) : NULL;
	if (test == NULL)
		return false;
	*test = (struct test){ fitness, list, entry, clock_monotonic_ms() };
	text_addf(&text, "%s.%s", list_entry_prefix(fitness_list(fitness, list), entry),
		  fitness_list(fitness, list)->asked_zone);
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
void fitness_start_test(struct fitness *fitness, int list, bool matters)
{
	struct shape *shape = &fitness->shapes[list];
	bool open = shape->tests_open > 0, room = fitness_has_room(fitness, list, LISTS_FOR_MAIL, LIST_ENTRIES);
	shape->matters = fitness_list(fitness, list)->test && (matters || (open && shape->matters));
	if (open)
		return;
	shape->anew = false;
	if (!fitness_list(fitness, list)->test) {
		shape->test_due_ms = clock_monotonic_ms() + FITNESS_TEST_SOON_MS;
		fitness_set_fit(fitness, list, FITNESS_UNTESTED);
		return;
	}
	memset(shape->replies, 0, sizeof shape->replies);
	shape->tests_open = 1 + LIST_ENTRIES; /* one more, so that it is not over before all are asked */
	for (int entry = 0; entry < LIST_ENTRIES; entry++)
		if (!room || !fitness_ask_entry(fitness, list, (enum list_entry)entry, fitness_test_on))
			fitness_test_end(fitness, list);
	fitness_test_end(fitness, list);
}

void fitness_start_that_matters(struct fitness *fitness)
{
	for (int i = 0; i < fitness->settings.list_count; i++)
		if (fitness_list(fitness, i)->mail)
			fitness_start_test(fitness, i, true);
}

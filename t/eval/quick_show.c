/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One line an event, and what --explain adds: the terms and what they are made of.
 */
#include "t/eval/quick.h"

#include "policy/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

static void quick_show_terms(const struct verdict *verdict)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		if (verdict->terms.term[i] > 0)
			printf("\t%s=%.2f", signal_word((enum signal)i), verdict->terms.term[i]);
}

static void quick_show_counters(const struct quick_account *account)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (account->history.counters.value[i] >= 0.005)
			printf(" %s=%.2f", counter_word((enum counter)i), account->history.counters.value[i]);
}

static void quick_show_facts(const struct quick_event *event, const struct quick_at_hand *hand)
{
	const struct facts *facts = &hand->facts;
	const struct habits *habits = &facts->state.history.habits;
	printf(" client=%s/%s%s%s helo=%s from=%s%s mailer=%s%s anomalies=%#x", event->client,
	       habit_has_network(habits, facts->client_network) ? "known" : "new",
	       facts->client_as != 0 ? habit_has_as(habits, facts->client_as) ? "/as-known" : "/as-new" : "",
	       habit_count_networks(habits) == 0 ? "/none" : "", event->helo, event->from,
	       facts->sender_own ? "" : "(not own)", event->mailer,
	       habit_has_mailer(habits, facts->mailer) ? "(known)" : "", facts->anomalies);
	printf(" rcpts=%" PRId64 "/%" PRId64 "new content=%.1f%s text=%016" PRIx64 "/%016" PRIx64 "/%" PRId64
	       "w hosts=%" PRId64,
	       facts->rcpts_remote, facts->rcpts_new, facts->content.score, facts->content.spam ? "/spam" : "",
	       facts->fingerprint, facts->text, facts->text_words, facts->host_count);
	if (facts->campaign.messages > 0)
		printf(" campaign=%.1f/%.0f accounts/%.1f bad/%.0f", facts->campaign.messages, facts->campaign.accounts,
		       facts->campaign.bad, facts->campaign.bad_accounts);
}

static const char *quick_show_way(const struct verdict *verdict)
{
	return verdict->action == ACTION_PASS ? level_word(verdict->leaves_as) : "-";
}

void quick_show(const struct quick_event *event, const struct quick_at_hand *hand, const struct verdict *verdict)
{
	if (quick_options.explains != NULL && strcmp(quick_options.explains, event->account->name) != 0)
		return;
	printf("%" PRId64 "\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%" PRId64, event->t, event->account->name,
	       event->kind, event->class, event->nth[0] != '\0' ? event->nth : "-", level_word(verdict->level),
	       action_word(verdict->action), quick_show_way(verdict), verdict->score, verdict->terms.hard,
	       hand->facts.rcpts_remote);
	if (verdict->action != ACTION_PASS)
		printf("\tcause=%s", reason_word(verdict->cause));
	if (quick_options.verbose || quick_options.explains != NULL)
		quick_show_terms(verdict);
	if (quick_options.explains != NULL) {
		printf("\n\tprior=%.2f", verdict->terms.prior);
		quick_show_facts(event, hand);
		printf("\n\t");
		quick_show_counters(event->account);
	}
	putchar('\n');
}

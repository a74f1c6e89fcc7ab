/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/throttle/throttle_means.h"

#include "milter/clients/history_file.h"
#include "milter/ctl/tool/help.h"
#include "milter/ctl/throttle/throttle_form.h"
#include "policy/base/text.h"

#include "policy/base/banned.h"

enum {
	DAYS_ENOUGH = 14,    /* lists take days to name a client */
	CLIENTS_ENOUGH = 30, /* of which an average says something */
	SENTENCES_MAX = 1200,
};

static const char *throttle_means_noun(uint64_t count)
{
	return count == 1 ? "client" : "clients";
}

/* What throttling stopped. */
static void throttle_means_gain(const struct study *study, struct text *text)
{
	char all[THROTTLE_FORM_MAX], never[THROTTLE_FORM_MAX], later[THROTTLE_FORM_MAX], span[THROTTLE_FORM_MAX],
		before[THROTTLE_FORM_MAX];
	const struct study_span *first = &study->given_up_first;
	text_addf(text, "%s %s gave up while made to wait. ", throttle_form_count(all, study->gave_up),
		  throttle_means_noun(study->gave_up));
	text_addf(text, "No list ever refused %s of them: throttling alone stopped these. ",
		  throttle_form_count(never, study->gave_up_never_listed));
	if (first->clients > 0)
		text_addf(text,
			  "A list refused %s of them later, on average after %s: throttling came so much earlier. ",
			  throttle_form_count(later, first->clients),
			  throttle_form_span(span, (double)first->sum_s / (double)first->clients));
	if (study->listed_first.clients > 0)
		text_addf(text, "A list had refused the other %s before. ",
			  throttle_form_count(before, study->listed_first.clients));
}

/* What it cost. */
static void throttle_means_cost(const struct study *study, struct text *text)
{
	char clients[THROTTLE_FORM_MAX], share[THROTTLE_FORM_MAX], waits[THROTTLE_FORM_MAX], taken[THROTTLE_FORM_MAX];
	const uint64_t slowed = study->slowed_never_refused.clients;
	const uint64_t a_day = study->kind_rows[HISTORY_SLOWED] / (uint64_t)study_days(study);
	if (slowed > 0)
		text_addf(
			text,
			"It made %s %s wait that no list ever refused, %s of them no more than 4 times in these days. ",
			throttle_form_count(clients, slowed), throttle_means_noun(slowed),
			throttle_form_share(share, study->slowed_below_5, slowed));
	if (a_day > 0)
		text_addf(text, "In all, clients were made to wait %s times a day. ",
			  throttle_form_count(waits, a_day));
	if (study->gave_up_taken > 0)
		text_addf(text,
			  "Of %s %s that gave up, mail was taken at other times: among such may be servers of little "
			  "patience, whose mail came late. ",
			  throttle_form_count(taken, study->gave_up_taken), throttle_means_noun(study->gave_up_taken));
}

/* Why what is counted says less than it seems to. */
static void throttle_means_doubt(const struct study *study, struct text *text)
{
	long long days = (long long)study_days(study);
	if (study->kind_rows[HISTORY_REFUSED] == 0)
		text_add(text, "No list refused anybody in these days, so nothing can be said of who came first. Does "
			       "Postfix ask block lists, and does penstock-follow read its log? ");
	if (days < DAYS_ENOUGH)
		text_addf(text,
			  "The history is of %lld %s. Lists often take days to name a client: look again when it is of "
			  "some weeks. ",
			  days, text_noun(days, "day", "days"));
	if (study->gave_up > 0 && study->gave_up < CLIENTS_ENOUGH)
		text_add(text, "So few clients gave up that their averages say little. ");
	if (study->gave_up > 0)
		text_add(text,
			 "A client that gave up and never came back cannot be refused by a list here: some of those "
			 "that \"no list ever refused\" may be on one. ");
}

static void throttle_means_print(const char *words, FILE *to)
{
	if (*words != '\0')
		help_text(to, 0, 0, words);
}

void throttle_means(const struct study *study, FILE *to)
{
	char gain[SENTENCES_MAX], cost[SENTENCES_MAX], doubt[SENTENCES_MAX];
	struct text of_gain = text_over(gain, sizeof gain), of_cost = text_over(cost, sizeof cost),
		    of_doubt = text_over(doubt, sizeof doubt);
	bool slowed = study->kind_rows[HISTORY_SLOWED] > 0 || study->gave_up > 0;
	if (!slowed)
		text_add(&of_gain,
			 "Nobody was made to wait in these days. Does Postfix ask the map throttle (penstockctl "
			 "postfix check), and is clients.slow_most above 0?");
	else if (study->gave_up == 0)
		text_add(&of_gain, "Nobody gave up while made to wait: throttling stopped nobody in these days.");
	else
		throttle_means_gain(study, &of_gain);
	if (slowed)
		throttle_means_cost(study, &of_cost);
	throttle_means_doubt(study, &of_doubt);
	throttle_means_print(gain, to);
	throttle_means_print(cost, to);
	throttle_means_print(doubt, to);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/familiar.h"

#include "policy/hash.h"

#include <math.h>

#include "policy/base/banned.h"

enum { SETTLED_S = 3 * 86400, SETTLED_DAYS = 3 };

uint64_t familiar_program(const struct facts *facts)
{
	uint64_t odd = facts->anomalies & ~(1U << ANOMALY_NEW_MAILER);
	return facts->mailer == 0 && odd == 0 ? 0 : hash_bytes(&odd, sizeof odd, facts->mailer);
}

static enum place familiar_place(const struct facts *facts, bool *as_unknown_out)
{
	const struct habits *habits = &facts->state.history.habits;
	*as_unknown_out = facts->client_as == 0 || habit_count_ases(habits) == 0;
	if (facts->client_network == 0 || habit_count_networks(habits) == 0)
		return PLACE_UNKNOWN;
	if (habit_has_network(habits, facts->client_network))
		return PLACE_OWN;
	bool near =
		*as_unknown_out ? habit_has_wide(habits, facts->client_wide) : habit_has_as(habits, facts->client_as);
	return near ? PLACE_NEAR : PLACE_STRANGE;
}

static bool familiar_links(const struct facts *facts)
{
	bool own = facts->host_count > 0 && facts->host_count <= FACT_HOSTS_MAX;
	for (int i = 0; own && i < facts->host_count; i++)
		own = habit_has_host(&facts->state.history.habits, facts->hosts[i]);
	return own;
}

double content_ratio(const struct content *content)
{
	if (content->known == KNOWLEDGE_NONE)
		return NAN;
	if (content->threshold <= 0 || isnan(content->score))
		return content->spam ? 1 : 0;
	double ratio = content->score / content->threshold;
	return content->spam ? fmax(ratio, 1) : fmin(ratio, 1);
}

enum { SHARE_MESSAGES_LEAST = 10 };

double own_texts_share(const struct counters *counters)
{
	double messages = counters->value[COUNTER_MESSAGES];
	return messages >= SHARE_MESSAGES_LEAST ? fmin(counters->value[COUNTER_OWN_TEXTS] / messages, 1) : 0;
}

#define HARMLESS_RATIO 0.2
#define PLAIN_RATIO 0.5
/* Texts of its own within a week or so from which on it is no person who writes; of how many others nobody asks, for
 * those are a thief's, maybe. */
#define OWN_TEXTS_PROGRAM 4
#define LETTERS_PERSON 3

struct familiar familiar_of(const struct facts *facts)
{
	const struct history *history = &facts->state.history;
	uint64_t program = familiar_program(facts);
	struct familiar familiar = {
		.settled = history->first_s > 0 && facts->now_ms / 1000 - history->first_s >= SETTLED_S &&
			   history->habits.days >= SETTLED_DAYS,
		.program = program == 0 || habit_has_mailer(&history->habits, program),
		.links = familiar_links(facts),
		.fresh = 0.5,
	};
	familiar.text = (familiar.links || facts->host_count == 0) &&
			habit_has_text(&history->habits, facts->text, facts->text_words);
	familiar.place = familiar_place(facts, &familiar.as_unknown);
	familiar.home = familiar.settled && familiar.place == PLACE_OWN && !facts->client_ours &&
			history->counters.value[COUNTER_OWN_TEXTS] < OWN_TEXTS_PROGRAM &&
			habit_count_letters(&history->habits) >= LETTERS_PERSON;
	/* where nothing can be seen, nothing is harmless */
	double ratio = facts->text != 0 ? content_ratio(&facts->content) : NAN;
	familiar.harmless = ratio < HARMLESS_RATIO;
	familiar.plain = ratio < PLAIN_RATIO;
	int64_t different = facts_different_rcpts(facts);
	if (facts->rcpts_new_known && different > 0)
		familiar.fresh = fmin(fmax((double)facts->rcpts_new / (double)different, 0), 1);
	/* from its first days on a shop's letters may come from its desk, and its orders from a server */
	bool first =
		!familiar.settled || (familiar.place == PLACE_UNKNOWN && habit_count_networks(&history->habits) == 0);
	familiar.homely = first || familiar.place == PLACE_OWN || familiar.place == PLACE_NEAR || !(familiar.fresh > 0);
	return familiar;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What speaks for the account: why a signal has no term, or a smaller one than it could have.
 */
#include "policy/signal.h"
#include "policy/spoke.h"

#include <math.h>

#include "policy/base/banned.h"

struct spoken {
	const struct sight *sight;
	const struct facts *facts;
	struct familiar familiar;
};

static enum spoke spoke_if_young(bool young)
{
	return young ? SPOKE_YOUNG : SPOKE_USUAL;
}

static enum spoke signal_spoke_content(const struct spoken *spoken)
{
	if (isnan(content_ratio(&spoken->facts->content)))
		return SPOKE_UNKNOWN;
	if (spoken->facts->content.spam)
		return SPOKE_NOTHING;
	return spoken->familiar.harmless ? SPOKE_HARMLESS : SPOKE_NO_SPAM;
}

static enum spoke signal_spoke_place(const struct spoken *spoken)
{
	const struct familiar *familiar = &spoken->familiar;
	if (familiar->place == PLACE_UNKNOWN)
		return spoken->facts->client_network == 0 ? SPOKE_UNKNOWN : SPOKE_YOUNG;
	if (familiar->place == PLACE_NEAR)
		return SPOKE_NEAR;
	if (familiar->place == PLACE_OWN)
		return SPOKE_USUAL;
	return familiar->settled ? SPOKE_NOTHING : SPOKE_YOUNG;
}

static enum spoke signal_spoke_burst(const struct spoken *spoken)
{
	const struct sight *sight = spoken->sight;
	if (spoken->familiar.text)
		return SPOKE_OWN_TEXT;
	if (spoken->familiar.fresh < 1 && spoken->facts->rcpts_new_known)
		return SPOKE_KNOWN_RCPTS;
	if (spoken->familiar.home)
		return SPOKE_HOME;
	return spoke_if_young(isnan(habit_hour_expected(&sight->history->habits, sight->now_ms / 1000, 0)));
}

static enum spoke signal_spoke_rcpts(const struct spoken *spoken)
{
	if (!spoken->facts->rcpts_new_known)
		return SPOKE_UNKNOWN;
	if (spoken->familiar.fresh < 1)
		return SPOKE_KNOWN_RCPTS;
	if (spoken->familiar.text)
		return SPOKE_OWN_TEXT;
	if (spoken->familiar.home)
		return SPOKE_HOME;
	return spoken->familiar.harmless ? SPOKE_HARMLESS : SPOKE_USUAL;
}

static enum spoke signal_spoke_campaign(const struct spoken *spoken)
{
	if (spoken->familiar.text)
		return SPOKE_OWN_TEXT;
	return spoken->facts->campaign.known == KNOWLEDGE_NONE ? SPOKE_UNKNOWN : SPOKE_NOTHING;
}

static enum spoke signal_spoke_sender(const struct spoken *spoken)
{
	const struct facts *facts = spoken->facts;
	bool own = facts->sender_own || habit_has_sender(&facts->state.history.habits, facts->sender);
	return own ? SPOKE_USUAL : spoke_if_young(!spoken->familiar.settled);
}

static enum spoke signal_spoke_program(const struct spoken *spoken)
{
	return spoken->familiar.program ? SPOKE_USUAL : SPOKE_NOTHING;
}

static enum spoke signal_spoke_hour(const struct spoken *spoken)
{
	return spoke_if_young(!spoken->familiar.settled);
}

static enum spoke signal_spoke_away(const struct spoken *spoken)
{
	return spoken->familiar.place == PLACE_STRANGE ? SPOKE_NOTHING : signal_spoke_place(spoken);
}

static enum spoke (*const signal_spoke_rows[SIGNAL_COUNT])(const struct spoken *spoken) = {
	[SIGNAL_CONTENT] = signal_spoke_content,
	[SIGNAL_SPAM] = signal_spoke_content,
	[SIGNAL_BURST] = signal_spoke_burst,
	[SIGNAL_NEW_RCPTS] = signal_spoke_rcpts,
	[SIGNAL_NEW_PLACE] = signal_spoke_place,
	[SIGNAL_CAMPAIGN] = signal_spoke_campaign,
	[SIGNAL_SENDER_MISMATCH] = signal_spoke_sender,
	[SIGNAL_HEADER_ANOMALIES] = signal_spoke_program,
	[SIGNAL_UNUSUAL_HOUR] = signal_spoke_hour,
	[SIGNAL_AWAY] = signal_spoke_away,
};

void signals_spoke(const struct signal_setting settings[SIGNAL_COUNT], const struct sight *sight, struct score *score)
{
	if (sight->facts == NULL)
		return;
	struct spoken spoken = { .sight = sight, .facts = sight->facts, .familiar = sight->familiar };
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		double term = score->raw[i] * settings[i].weight;
		enum spoke spoke = SPOKE_NOTHING;
		if (term > settings[i].cap)
			spoke = SPOKE_CAP;
		else if (term > 0 && !(score->term[i] > 0))
			spoke = SPOKE_FLOOR;
		else if (signal_spoke_rows[i] != NULL)
			spoke = signal_spoke_rows[i](&spoken);
		/* where a term stands, "usual" would be no word for it */
		bool stands = score->term[i] > 0 && (spoke == SPOKE_USUAL || spoke == SPOKE_UNKNOWN ||
						     spoke == SPOKE_YOUNG || spoke == SPOKE_NO_SPAM);
		score->spoke[i] = (unsigned char)(stands ? SPOKE_NOTHING : spoke);
	}
}

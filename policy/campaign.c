/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/campaign.h"

#include <math.h>

#include "policy/base/banned.h"

/* The part of the present period that is still to come: so much of the one before lies within the last six hours. */
static double campaign_part_behind(int64_t now_s)
{
	int64_t passed_s = now_s > 0 ? now_s % CAMPAIGN_PERIOD_S : 0;
	return 1.0 - (double)passed_s / CAMPAIGN_PERIOD_S;
}

/* Sums that are lost in part, a field having given way, may say less than nothing. */
static double counted(int64_t count)
{
	return count > 0 ? (double)count : 0;
}

struct campaign campaign_of(const struct campaign_counts *present, const struct campaign_counts *before, int64_t now_s)
{
	double behind = campaign_part_behind(now_s);
	double accounts = counted(present->accounts), earlier = counted(before->accounts);
	double only_earlier = fmax(earlier - counted(present->both), 0);
	return (struct campaign){
		.known = KNOWLEDGE_FULL,
		.messages = counted(present->messages) + counted(before->messages) * behind,
		.accounts = fmax(accounts + only_earlier, earlier),
		.bad = counted(present->bad) + counted(before->bad) * behind,
		.bad_accounts = fmax(counted(present->bad_accounts), counted(before->bad_accounts)),
	};
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * campaign: nearly the same body from several accounts: what is counted of it in a period of six hours, and what the
 * counts of this period and the one before say together.
 */
#ifndef PENSTOCK_CAMPAIGN_H
#define PENSTOCK_CAMPAIGN_H

#include "policy/facts.h"

#include <stdint.h>

enum { CAMPAIGN_PERIOD_S = 21600 };

/* Sums of one period. */
struct campaign_counts {
	int64_t messages, bad;
	int64_t accounts;     /* that sent it */
	int64_t both;	      /* of them: that had sent it in the period before, too */
	int64_t bad_accounts; /* of them: of whose messages one was bad */
};

/* What is known of the campaign at `now_s` (Unix time), the message at hand not counted. What was sent in the period
 * before counts less the longer the present one lasts. Who sent it does not fade with it: an account counts, once,
 * until the period behind its own has ended. Of bad ones nobody knows who was in both periods: those of one are taken.
 */
struct campaign campaign_of(const struct campaign_counts *present, const struct campaign_counts *before, int64_t now_s);

#endif

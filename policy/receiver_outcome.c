/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/receiver_outcome.h"

#include "policy/base/banned.h"

enum receiver_count receiver_count_of(enum outcome outcome, bool final)
{
	switch (outcome) {
	case OUTCOME_SENT:
		return RECEIVER_DELIVERED;
	case OUTCOME_REPUTATION:
		return RECEIVER_REPUTATION;
	case OUTCOME_LISTED:
		return RECEIVER_LISTED;
	case OUTCOME_RATE:
		return RECEIVER_RATE;
	case OUTCOME_GREYLISTED:
		return RECEIVER_GREYLISTED;
	case OUTCOME_CONTENT:
	case OUTCOME_VIRUS:
		return RECEIVER_CONTENT;
	case OUTCOME_AUTHENTICATION:
		return RECEIVER_AUTHENTICATION;
	case OUTCOME_POLICY: /* what no row knows may be a block of unknown wording: it speaks for nobody */
	case OUTCOME_OTHER_PERMANENT:
	case OUTCOME_RELAY_DENIED:
	case OUTCOME_SENDER_REFUSED:
	case OUTCOME_SENDER_REPUTATION: /* a domain of one customer's */
	case OUTCOME_TLS:
	case OUTCOME_PROTOCOL:
		return final ? RECEIVER_UNSAID : RECEIVER_DEFERRED;
	case OUTCOME_UNREACHABLE: /* nobody answered, or not to this message, or not to the end */
	case OUTCOME_EXPIRED:
	case OUTCOME_SUSPENDED:
	case OUTCOME_UNSURE:
		return RECEIVER_COUNTS;
	default:
		return final ? RECEIVER_OTHER : RECEIVER_DEFERRED;
	}
}

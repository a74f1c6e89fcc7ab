/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reputation: decayed counters of what an account did, and the log-odds sum over them that it is abused. Each term can
 * be printed, and that is the explanation of the score.
 *
 * Two kinds of term. Ratios (dead recipients, refusals, complaints, spam, breaches) go through a Beta posterior: logit
 * of (count + prior) / (of + prior + prior complement), less the logit of the prior alone, so that one bounce in
 * thirteen moves nothing and two hundred in a thousand moves at once. Evidence is a running sum of each message's
 * log-likelihood ratio that decays and never falls below 0 (Page 1954, the cumulative sum test): quiet for years, and
 * over its threshold a few messages after the change.
 */
#ifndef PENSTOCK_REPUTATION_H
#define PENSTOCK_REPUTATION_H

#include <stdint.h>

/* id, word (log and metric label), half-life in seconds, cap. What receivers say is half forgotten after a day, while
 * the recipients that it is a share of count for a week: a thief sends much within hours, and is found by then; the
 * owner has done with it soon. In an account's record (redis-schema/account_record.c) they go by their place: new ones
 * go to the end, and none away. */
#define COUNTER_ROWS(ROW) \
	ROW(MESSAGES, "messages", 604800, 1e9) \
	ROW(RCPTS, "rcpts", 604800, 1e9) \
	ROW(SPAM, "spam", 604800, 1e9)			/* messages that a content scanner called spam */ \
	ROW(EXPLOIT, "exploit", 172800, 1000)		/* submissions from an exploit-listed client */ \
	ROW(BREACHES, "breaches", 86400, 1000)		/* messages that would have passed a limit */ \
	ROW(NEW_RCPTS, "new_rcpts", 604800, 1e9)	/* recipients that it never wrote to before */ \
	ROW(DEAD, "dead", 86400, 1e6)			/* recipients that do not exist, as told later */ \
	ROW(COMPLAINTS, "complaints", 1209600, 1e6)	/* of recipients, as told later */ \
	ROW(AUTH_FAILURES, "auth_failures", 3600, 1000) /* failed logins, as told later */ \
	ROW(TRAPS, "traps", 1209600, 1000)		/* spam-trap recipients */ \
	ROW(CONTENT, "content", 43200, 12)		/* from here on: evidence, in log-odds */ \
	ROW(PLACE, "place", 86400, 6) \
	ROW(SENDER, "sender", 86400, 6) \
	ROW(ANOMALY, "anomaly", 86400, 6) \
	ROW(HOUR, "hour", 21600, 6) \
	ROW(FRESH, "fresh", 43200, 6) \
	ROW(CAMPAIGN, "campaign", 86400, 12) \
	ROW(OWN_TEXTS, "own_texts", 604800, 1e9) /* from here on: habits; messages of texts of its own */ \
	ROW(OTHERS, "others", 2500, 1e6)	 /* other ones, within about an hour */ \
	ROW(BACK, "back", 21600, 1)		 /* it was silent for days */ \
	ROW(AWAY, "away", 2500, 1e6)		 /* recipients of what comes from where it never was, likewise */ \
	ROW(CHANGES, "changes", 1209600, 1e6)	 /* messages from where it never was that are surely its owner's */ \
	ROW(REFUSED, "refused", 86400, 1e6)	 /* no habit: recipients whose server refused the content */

/* clang-format off */
enum counter {
#define COUNTER_ENUM(id, word, half_life, cap) COUNTER_##id,
	COUNTER_ROWS(COUNTER_ENUM)
#undef COUNTER_ENUM
	COUNTER_COUNT
};
/* clang-format on */

struct counters {
	int64_t at_ms; /* when they were last decayed, Unix time in milliseconds; 0: never */
	double value[COUNTER_COUNT];
};

/* Signals: id, word (config, log and metric label), weight, floor, cap, what it watches. A term is the signal's raw
 * log-odds times its weight; below the floor it is 0, above the cap it is the cap. All three can be set in the
 * configuration (`signals`). */
#define SIGNAL_ROWS(ROW) \
	ROW(CONTENT, "content", 1.0, 0.2, 6.0, "what scanners say of its messages") \
	ROW(SPAM, "spam", 1.0, 0.2, 8.0, "share of spam among a week's messages") \
	ROW(BURST, "burst", 1.0, 0.5, 3.5, "messages within an hour over what is usual at that hour of the week") \
	ROW(NEW_RCPTS, "new_rcpts", 1.0, 0.3, 2.0, "share of recipients that it never wrote to before") \
	ROW(FAN_ADDRESSES, "fan_addresses", 1.0, 0.5, 2.0, "distinct client addresses a day") \
	ROW(FAN_NETWORKS, "fan_networks", 1.0, 0.5, 3.0, "distinct client /24s (IPv6: /48s) a day") \
	ROW(FAN_ASES, "fan_ases", 1.0, 0.5, 3.0, "distinct client ASes a day") \
	ROW(NEW_PLACE, "new_place", 1.0, 0.3, 2.0, "a client in a network and an AS that it never came from") \
	ROW(EXPLOIT, "exploit_listed", 0.8, 0.0, 3.5, "clients on lists of hijacked machines") \
	ROW(CAMPAIGN, "campaign", 1.0, 0.3, 5.0, "nearly the same body from other accounts too, or known as spam") \
	ROW(DEAD_RCPTS, "dead_rcpts", 2.0, 0.3, 5.0, "share of recipients that do not exist") \
	ROW(TRAPS, "traps", 3.0, 0.0, 6.0, "spam-trap recipients") \
	ROW(COMPLAINTS, "complaints", 1.0, 0.3, 4.0, "share of recipients who complain") \
	ROW(SENDER_MISMATCH, "sender_mismatch", 1.0, 0.3, 2.5, "sender addresses that are not the account's") \
	ROW(HEADER_ANOMALIES, "header_anomalies", 1.0, 0.3, 1.3, "HELO and header as bulk mailers write them") \
	ROW(UNUSUAL_HOUR, "unusual_hour", 1.0, 0.3, 1.5, "mail at hours at which it never sent") \
	ROW(AUTH_FAILURES, "auth_failures", 1.0, 0.5, 2.0, \
	    "failed logins before one that worked, of the account or of many by its client") \
	ROW(BREACHES, "limit_breaches", 0.25, 0.0, 1.5, "messages that would have passed a limit") \
	ROW(AWAY, "away", 1.0, 0.5, 5.2, "many recipients within an hour, known or not, from where it never was") \
	ROW(REFUSED, "refused", 1.0, 0.5, 5.0, "share of recipients whose servers refuse the content") \
	ROW(CLIENT, "client", 1.0, 0.3, 2.0, "without a login: how the client that brings the message stands")

/* clang-format off */
enum signal {
#define SIGNAL_ENUM(id, word, weight, floor, cap, help) SIGNAL_##id,
	SIGNAL_ROWS(SIGNAL_ENUM)
#undef SIGNAL_ENUM
	SIGNAL_COUNT
};
/* clang-format on */

struct signal_setting {
	double weight, floor, cap;
};

struct score {
	double sum; /* log-odds that the account sends abuse; 0: even */
	double prior;
	double soft_left_out;	  /* what the other part would be more if it had no bound */
	double hard;		  /* the part of the sum that only abuse brings: no mere change of habits */
	double raw[SIGNAL_COUNT]; /* before weight, floor and cap */
	double term[SIGNAL_COUNT];
	unsigned char spoke[SIGNAL_COUNT]; /* enum spoke (policy/spoke.h): why a term is missing or smaller */
};

void counters_decay(struct counters *counters, int64_t now_ms);
/* Adds, and keeps each within 0 and its cap. */
void counters_add(struct counters *counters, const double counts[COUNTER_COUNT]);

const char *counter_word(enum counter counter);
double counter_half_life_s(enum counter counter);
double counter_cap(enum counter counter);
const char *signal_word(enum signal signal);
const char *signal_help(enum signal signal);
enum signal signal_find(const char *word); /* SIGNAL_COUNT: none of that name */
extern const struct signal_setting signal_defaults[SIGNAL_COUNT];

/* log-odds of `count` of `of` against a share that is `expected` with the weight of `behind` messages. */
double share_log_odds(double count, double of, double expected, double behind);

#endif

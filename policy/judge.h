/* SPDX-License-Identifier: BSD-2-Clause
 *
 * judge: the only step that decides. A table of rules runs over the facts of one stage and fills a verdict.
 * Nothing here waits, reads a clock or remembers.
 */
#ifndef PENSTOCK_JUDGE_H
#define PENSTOCK_JUDGE_H

#include "policy/facts.h"
#include "policy/measure.h"
#include "policy/verdict.h"

/* In the order in which they are asked: id, word (of `shadow`), at which stages, whether it may run in shadow mode */
#define RULE_ROWS(ROW) \
	ROW(OVERLOAD, overload, STAGE_MAIL | STAGE_MESSAGE, false) \
	ROW(MEMORY, memory, STAGE_RCPT | STAGE_MESSAGE, false) \
	ROW(STORE, store, STAGE_MAIL | STAGE_MESSAGE, true) \
	ROW(EXEMPT, exempt, STAGE_MESSAGE | STAGE_ACCOUNT, false) \
	ROW(ADMIN_BLOCK, admin_block, STAGE_MAIL | STAGE_MESSAGE | STAGE_ACCOUNT, true) \
	ROW(LISTED, listed, STAGE_MAIL | STAGE_MESSAGE, true) \
	ROW(EXPLOIT, exploit, STAGE_MESSAGE, false) \
	ROW(SPF_CLIENT, spf_client, STAGE_MAIL | STAGE_MESSAGE, true) \
	ROW(SPF_TRANSPORTS, spf_transports, STAGE_MESSAGE, false) \
	ROW(RCPTS_PER_MESSAGE, rcpts_per_message, STAGE_RCPT | STAGE_MESSAGE, true) \
	ROW(LIMITS, limits, STAGE_MAIL | STAGE_RCPT | STAGE_MESSAGE | STAGE_ACCOUNT, true) \
	ROW(CONTENT, content, STAGE_MESSAGE, true) \
	ROW(SCORE, score, STAGE_MAIL | STAGE_MESSAGE | STAGE_ACCOUNT, false) \
	ROW(SIGNALS, signals, STAGE_MESSAGE | STAGE_ACCOUNT, true) \
	ROW(LEVEL, level, STAGE_MAIL | STAGE_MESSAGE | STAGE_ACCOUNT, true) \
	ROW(QUIT, quit, STAGE_MESSAGE, true) \
	ROW(POOL, pool, STAGE_MESSAGE | STAGE_ACCOUNT, true)

/* clang-format off */
enum rule {
#define RULE_ENUM(id, name, stages, may_shadow) RULE_##id,
	RULE_ROWS(RULE_ENUM)
#undef RULE_ENUM
	RULE_COUNT
};
/* clang-format on */

const char *rule_word(enum rule rule);
/* The set (1 << enum rule) that a word of `shadow` means: a rule's name, or "all" that may run in shadow mode; 0: none.
 */
unsigned rules_find(const char *word);

/* The part of the configuration that the rules read; immutable. */
struct policy {
	struct level_settings levels;
	double prior_new, prior_good;		     /* log-odds before anything is seen */
	struct signal_setting signals[SIGNAL_COUNT]; /* those that run in shadow mode weigh nothing */
	struct signal_does signal_does[SIGNAL_COUNT];
	struct measure_setting level_does[LEVEL_COUNT];
	int64_t hold_s;		    /* of what other rules hold; see verdict.hold_s */
	enum action blocked_action; /* for blocked accounts: REJECT, DEFER or HOLD */
	bool store_must_answer;	    /* redis.on_failure = "defer" */
	bool lists_must_answer;	    /* dns.on_failure = "defer": for clients without login */
	bool spf_refuses;	    /* spf.client = "refuse": clients without login */
	bool content_must_answer;   /* a scanner's on_failure = "defer" */
	bool require_quit;	    /* clients.require_quit: strangers of poor or bad standing */
	double tag_score, slow_score, hold_score, reject_score; /* content; at or above */
	const struct pool *pools;				/* borrowed from the configuration */
	int pool_count;
	unsigned shadow; /* rules that run in shadow mode, a set of 1 << enum rule */
	bool in_shadow;	 /* rules or signals do */
	bool log_acts;	 /* limits whose `over` is log do what defer does: of `whole` */
	const struct policy
		*whole; /* borrowed: the same with nothing run in shadow mode; NULL: nobody asks for verdict.would */
};

/* policy.blocked_action: what the row of level blocked says holds for those that an admin blocked, too; `usual` where
 * it says nothing, or their mail is to go on. */
enum action judge_blocked_action(const struct policy *policy, enum action usual);

struct verdict judge(const struct policy *policy, enum stage stage, const struct facts *facts);

/* How an account stands while no message of it is at hand, as who looks it up wants to know: what would become of a
 * plain message to one recipient, by which pool and transport it would leave (what is blocked: once an admin releases
 * it), and whether the client is made to wait. Of `facts` the account, its state and limits, the time and the
 * transports are looked at. The level is LEVEL_UNKNOWN, and all else nothing, where nothing is known of the account. */
struct verdict judge_account(const struct policy *policy, struct facts *facts);

/* What this message adds to the account's counters, given its verdict. */
void judge_counts(const struct facts *facts, const struct verdict *verdict, double counts_out[COUNTER_COUNT]);

/* What a message takes of sums; recipients and size that are not known yet count as one and none. */
struct amounts judge_amounts(const struct facts *facts);

/* The charge of a message with its verdict so far. */
void judge_charge(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		  struct charge *charge_out);

/* Is the message refused for being over a limit? The first such one in ten minutes is a breach, see facts.tried_again.
 */
bool judge_turned_away(const struct verdict *verdict);

/* Of a message that was refused at MAIL or RCPT for a limit: a breach, and nothing else. */
void judge_charge_breach(const struct facts *facts, struct charge *charge_out);

/* Does what the message shows, its recipients among it, become the account's habit? Only what left, of an account that
 * does nothing which only thieves do, from a place that it has or to people it knows: nobody gets used to a thief. */
bool judge_learns(const struct facts *facts, const struct verdict *verdict);

/* Is the message counted among others with nearly the same body? One of the account's own texts is no campaign. */
bool judge_campaigns(const struct facts *facts);

/* How many of its recipients are held against the account as spam traps. One that is deferred comes again by itself: it
 * hits them when it leaves. */
int64_t judge_trap_hits(const struct facts *facts, const struct verdict *verdict);

/* Does the message make its text a bad one for others who send the same? Only where its account has a history of its
 * own: throw-away logins cost nothing, and names that are only claimed even less. */
bool judge_campaign_bad(const struct policy *policy, const struct facts *facts, const struct verdict *verdict);

/* What is to be sent behind a charge whose answer changed the verdict: `charged` as it went out, `verdict` as it stands
 * now. A message that is refused after all gets its amounts back. False: nothing has to be mended. */
bool judge_amend(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		 const struct charge *charged, struct charge *amend_out);

/* The reputation as it stands with `facts` and `more` added (NULL: as it is), term by term. */
struct score judge_score(const struct policy *policy, const struct account_state *state, const struct facts *facts,
			 const double *more, int64_t now_ms);

/* The reputation by which judge_level() and judge_account() go: with what a new password takes back taken off. */
struct score judge_score_now(const struct policy *policy, const struct account_state *state, int64_t now_ms);

/* The account's own level when nothing new is known of it, whatever an admin says and whether levels act or not. */
enum level judge_level(const struct policy *policy, const struct account_state *state, int64_t now_ms);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * verdict: what is to happen to a message, and why. A value; a reason is not an action.
 */
#ifndef PENSTOCK_VERDICT_H
#define PENSTOCK_VERDICT_H

#include "policy/level.h"
#include "policy/limit.h"
#include "policy/listing.h"
#include "policy/measure.h"
#include "policy/pool.h"
#include "policy/reputation.h"

/* In rising order: a later rule can raise the action, never lower it. */
#define ACTION_ROWS(ROW) \
	ROW(PASS, "pass") \
	ROW(HOLD, "hold") \
	ROW(DEFER, "defer") \
	ROW(REJECT, "reject")

/* clang-format off */
enum action {
#define ACTION_ENUM(id, word) ACTION_##id,
	ACTION_ROWS(ACTION_ENUM)
#undef ACTION_ENUM
	ACTION_COUNT
};
/* clang-format on */

/* id, word (log word and metric label) */
#define REASON_ROWS(ROW) \
	ROW(OVERLOAD, "overload")	  /* value: - */ \
	ROW(MEMORY, "memory")		  /* a message too large for its bookkeeping */ \
	ROW(STORE_AWAY, "store_away")	  /* Redis does not answer and defer is configured */ \
	ROW(LISTS_AWAY, "lists_away")	  /* likewise a block list; value: how many */ \
	ROW(CONTENT_AWAY, "content_away") /* likewise the scanner */ \
	ROW(ADMIN_BLOCK, "admin_block")	  /* detail: the admin's words */ \
	ROW(ADMIN_EXEMPT, "admin_exempt") \
	ROW(LISTED, "listed")			  /* detail: the zone */ \
	ROW(EXPLOIT_LISTED, "exploit_listed")	  /* detail: the zone */ \
	ROW(ALLOW_LISTED, "allow_listed")	  /* detail: the zone */ \
	ROW(SPF_FAIL, "spf_fail")		  /* of a client without login; detail: the domain */ \
	ROW(SPF_UNAUTHORISED, "spf_unauthorised") /* by none of our addresses; detail: the domain */ \
	ROW(SPF_PREFERS, "spf_prefers")		  /* detail: the transport taken since SPF passes by it */ \
	ROW(REST, "rest")   /* another transport is taken, since the account's rests for it; detail: the receiver */ \
	ROW(LIMIT, "limit") /* value: use; limit; detail: window_path() */ \
	ROW(RCPTS_PER_MESSAGE, "rcpts_per_message") \
	ROW(CONTENT, "content")	  /* value: score; limit: the threshold passed */ \
	ROW(LEVEL, "level")	  /* detail: the level entered */ \
	ROW(SCORE, "score")	  /* value: the sum; limit: the level's threshold */ \
	ROW(SIGNAL, "signal")	  /* one has an action of its own; value: its term; detail: its word */ \
	ROW(PARDONED, "pardoned") /* a new password took back what was against the account */ \
	ROW(OWNER, "owner")	  /* the account is suspect, and this message is surely its owner's */ \
	ROW(QUIT, "quit")	  /* held until its session ended with QUIT; detail: how the client stands */

/* clang-format off */
enum reason_id {
#define REASON_ENUM(id, word) REASON_##id,
	REASON_ROWS(REASON_ENUM)
#undef REASON_ENUM
	REASON_COUNT
};
/* clang-format on */

enum { REASONS_MAX = 16 };

struct reason {
	enum reason_id id;
	double value, limit; /* what was seen, and what it was held against; 0 where the row says nothing */
	const char *detail;  /* borrowed from the facts or the configuration; NULL: none */
};

/* What would have become of the message if no rule ran in shadow mode (`shadow`), or the account were not exempt; where
 * `shown` is false, what did. */
struct would {
	bool shown; /* that is something else than what happens */
	enum action action;
	enum reason_id cause;
	enum level level; /* by which pool */
	bool slow;
	double score;
	struct breach breach;
};

struct verdict {
	enum action action;
	enum reason_id cause;		   /* of the action, where it is not pass */
	enum level level;		   /* after this message */
	enum level leaves_as;		   /* by the pool of which level; classes have their own */
	bool throttle;			   /* the client is made to wait before its next recipient */
	double score;			   /* terms.sum */
	struct score terms;		   /* at the end of the message */
	const struct pool *pool;	   /* borrowed from the configuration; NULL: the MTA's default */
	const struct transport *transport; /* of the pool: what it is marked with where it can be, see verdict_mark() */
	bool markable;			   /* each recipient leaves this host by a mailer that the MTA names */
	bool tag;			   /* mark it as spam in a header */
	bool slow;			   /* by the suspect pool for this message, whatever the level */
	struct breach breach;		   /* the limit passed; window WINDOW_COUNT: none */
	int64_t hold_s;	     /* of a message that is held: release it after so long; 0: an admin decides */
	struct would would;  /* what rules that run in shadow mode would have done */
	struct would spared; /* what would have been done without the account's exemption; likewise */
	int reason_count;
	struct reason reasons[REASONS_MAX];
};

void verdict_add(struct verdict *verdict, enum reason_id id, double value, double limit, const char *detail);
/* Raises the action to at least `action`; `cause` is kept from the first rule that reached the final action. */
void verdict_raise(struct verdict *verdict, enum action action, enum reason_id cause);
/* What a measure asks for: an action, at the best the pool of a level, a client that waits; `block`: the level, too. */
void verdict_take(struct verdict *verdict, enum measure measure, enum reason_id cause);
bool verdict_refuses(const struct verdict *verdict); /* defer or reject */
/* Its account is blocked, and so it does not leave: defer, reject or hold. */
bool verdict_is_blocked(const struct verdict *verdict);
bool verdict_has(const struct verdict *verdict, enum reason_id id);
/* Is it worth keeping why? The sentence in milter/control/control_explain.c says the same. */
bool verdict_notable(const struct verdict *verdict);
/* The transport that the MTA is told to send the message by, of verdict->pool. NULL: none, since it does not go on,
 * there is no pool, or a mark, which holds for all recipients, would take along one of this host; what leaves then goes
 * as the MTA decides. */
const struct transport *verdict_mark(const struct verdict *verdict);

const char *action_word(enum action action);
const char *reason_word(enum reason_id id);

#endif

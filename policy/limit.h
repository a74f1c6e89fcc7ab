/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limit: how much an account may send. Rows of the windows that are counted, and the set of limits of one plan or
 * account. Words are those of the configuration file and of the Redis keys that hosting panels write.
 */
#ifndef PENSTOCK_LIMIT_H
#define PENSTOCK_LIMIT_H

#include "policy/group.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name (config and Redis word), what is counted, seconds of its window, how a reply to a client says it, of one and of
 * many. The first rows are sums: each message adds to them. The last ones are counts of distinct things on one UTC day
 * and the day before, estimated by policy/habits.h (of groups exact, and of one day); they come behind the sums. */
/* clang-format off */
#define WINDOW_ROWS(ROW)                                                                           \
	ROW(MSGS_PER_MINUTE, "msgs_per_minute", MESSAGES, 60, "message a minute", "messages a minute") \
	ROW(MSGS_PER_HOUR, "msgs_per_hour", MESSAGES, 3600, "message an hour", "messages an hour")  \
	ROW(MSGS_PER_DAY, "msgs_per_day", MESSAGES, 86400, "message a day", "messages a day")       \
	ROW(RCPTS_PER_MINUTE, "rcpts_per_minute", RECIPIENTS, 60, "recipient a minute", "recipients a minute") \
	ROW(RCPTS_PER_HOUR, "rcpts_per_hour", RECIPIENTS, 3600, "recipient an hour", "recipients an hour") \
	ROW(RCPTS_PER_DAY, "rcpts_per_day", RECIPIENTS, 86400, "recipient a day", "recipients a day") \
	ROW(KBYTES_PER_MINUTE, "kbytes_per_minute", KBYTES, 60, "KiB a minute", "KiB a minute")     \
	ROW(KBYTES_PER_HOUR, "kbytes_per_hour", KBYTES, 3600, "KiB an hour", "KiB an hour")         \
	ROW(KBYTES_PER_DAY, "kbytes_per_day", KBYTES, 86400, "KiB a day", "KiB a day")              \
	ROW(NEW_RCPTS_PER_DAY, "new_rcpts_per_day", NEW_RCPTS, 86400, "first-time recipient a day", \
	    "first-time recipients a day") \
	ROW(ADDRESSES_PER_DAY, "addresses_per_day", ADDRESSES, 86400, "client address a day", "client addresses a day") \
	ROW(NETWORKS_PER_DAY, "networks_per_day", NETWORKS, 86400, "client network a day", "client networks a day") \
	ROW(ASES_PER_DAY, "ases_per_day", ASES, 86400, "client AS a day", "client ASes a day")
/* clang-format on */

enum counted {
	COUNTED_MESSAGES,
	COUNTED_RECIPIENTS,
	COUNTED_KBYTES,	   /* KiB of header and body, rounded up, times nothing: once a message */
	COUNTED_NEW_RCPTS, /* recipients that the account never wrote to before */
	COUNTED_SUMS,	   /* what follows is no sum */
	COUNTED_ADDRESSES = COUNTED_SUMS,
	COUNTED_NETWORKS, /* IPv4 /24s, IPv6 /48s */
	COUNTED_ASES,
	COUNTED_COUNT
};

/* clang-format off */
enum window {
#define WINDOW_ENUM(id, word, counted, seconds, one, many) WINDOW_##id,
	WINDOW_ROWS(WINDOW_ENUM)
#undef WINDOW_ENUM
	WINDOW_COUNT,
	WINDOW_SUMS = WINDOW_ADDRESSES_PER_DAY,	/* how many are sums: those before it */
};
/* clang-format on */

/* What happens to a message that would pass a limit. */
#define OVER_ROWS(ROW) \
	ROW(UNSET, "") \
	ROW(DEFER, "defer")   /* 4xx, naming the limit and when it frees */ \
	ROW(REJECT, "reject") /* 5xx, the same */ \
	ROW(HOLD, "hold")     /* accepted into the MTA's hold queue */ \
	ROW(SLOW, "slow")     /* leaves by the suspect pool, and the client waits */ \
	ROW(LOG, "log") /* leaves as if there were no limit: the log and the shadow report say what would have been */

/* clang-format off */
enum over {
#define OVER_ENUM(id, word) OVER_##id,
	OVER_ROWS(OVER_ENUM)
#undef OVER_ENUM
	OVER_COUNT
};
/* clang-format on */

enum { LIMIT_UNSET = -1, LIMIT_MAX = 1000000000, PLAN_NAME_MAX = 63, RAMP_GROWTH_MAX = 10 };

struct limits {
	int64_t window[WINDOW_COUNT]; /* LIMIT_UNSET: as the plan says; of a plan: no limit. 0: nothing may leave */
	int64_t rcpts_per_message;    /* likewise */
	int64_t ramp_first_day;	      /* recipients that a new account has on its first day; LIMIT_UNSET: no ramp */
	double ramp_growth;	      /* times so much on each day on which it behaved; 0: unset */
	bool ramped;		      /* rcpts_per_day is what the ramp allows today */
	enum over over;
	char plan[PLAN_NAME_MAX + 1]; /* "" : not named */
	/* of an account's key alone */
	char customer[CUSTOMER_MAX + 1]; /* "" : none */
	int64_t until_s;	    /* Unix time from which these numbers hold no longer and the plan's do; 0: always */
	int64_t created_s;	    /* Unix time when the account was made, where a panel knows; 0: unknown */
	int64_t password_changed_s; /* Unix time; 0: unknown. A pardon: see judge_charge */
};

/* A limit that a message would pass, or passed. */
struct breach {
	enum window window; /* WINDOW_COUNT: none */
	enum scope scope;
	int64_t limit;
	double used;	    /* before the message */
	int64_t frees_in_s; /* until it has room again for such a message */
	bool ramp;	    /* the limit is what the ramp allows today */
	bool blocked;	    /* no limit was passed: an admin blocked the group */
	enum over over;	    /* what the limit's plan wants; OVER_UNSET: defer */
};

extern const struct breach breach_none;
extern const struct breach breach_blocked; /* of a group that an admin blocked: its mail is refused */

extern const struct limits limits_unset;

const char *window_word(enum window window);
const char *window_said(enum window window, int64_t limit); /* "messages an hour"; of 1 "message an hour" */
enum counted window_counted(enum window window);
int64_t window_seconds(enum window window);
const char *over_word(enum over over);
enum over over_of(const struct limits *limits); /* what holds: defer where nothing is said */

/* Reads one `field value` pair as a panel writes it. A field that limits do not have is ignored and true: panels may
 * keep notes of their own beside ours. False: the value is of no use; `*expected_out` then says what was expected, a
 * constant string. */
bool limits_set(struct limits *limits, const char *field, const char *value, const char **expected_out);

/* Is `field` one that limits_set reads? */
bool limits_have(const char *field);
/* Is its value a moment? */
bool limits_is_date(const char *field);
/* The fields that limits_set reads, from 0 on, each with what its value is to be, a constant; NULL behind the last. */
const char *limits_field(int at, const char **expected_out);
/* What the value of such a field means: "messages an hour". */
const char *limits_meaning(int at);
/* Of a field that is none of these: the one that was perhaps meant, being a letter or two apart, or whose words it has
 * ("messages_per_hour"); NULL: it looks like a panel's own note. */
const char *limits_near(const char *field);
bool limits_empty(const struct limits *limits); /* nothing is set */
/* The first field that is set and that groups do not have: those of the ramp. NULL: none is. */
const char *limits_not_of_groups(const struct limits *limits);
/* The same for a group's own key, which no mail is sent by: what is a message's, a customer, dates. */
const char *limits_of_accounts(const struct limits *limits);

/* What is unset in `limits` is taken from `under`; who the account is (plan, customer, dates) is its own key's alone.
 */
void limits_fill(struct limits *limits, const struct limits *under);

/* Where `until` has passed, the numbers and `over` are unset; plan, customer and dates stay. */
void limits_expire(struct limits *limits, int64_t now_s);

/* "rcpts_per_hour" of an account, "customer:rcpts_per_hour" of a customer, and so on. */
const char *window_path(enum scope scope, enum window window);

#endif

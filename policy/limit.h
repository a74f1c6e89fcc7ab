/* SPDX-License-Identifier: BSD-2-Clause
 *
 * limit: how much an account may send. Rows of the windows that are counted, and the set of limits of one plan or
 * account. Words are those of the configuration file and of the Redis keys that hosting panels write.
 */
#ifndef PENSTOCK_LIMIT_H
#define PENSTOCK_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* name (config and Redis word), what is counted, seconds of its window, how a reply to a client says it */
#define WINDOW_ROWS(ROW)                                                                           \
	ROW(MSGS_PER_MINUTE, "msgs_per_minute", MESSAGES, 60, "messages a minute")                 \
	ROW(MSGS_PER_HOUR, "msgs_per_hour", MESSAGES, 3600, "messages an hour")                    \
	ROW(MSGS_PER_DAY, "msgs_per_day", MESSAGES, 86400, "messages a day")                       \
	ROW(RCPTS_PER_MINUTE, "rcpts_per_minute", RECIPIENTS, 60, "recipients a minute")           \
	ROW(RCPTS_PER_HOUR, "rcpts_per_hour", RECIPIENTS, 3600, "recipients an hour")              \
	ROW(RCPTS_PER_DAY, "rcpts_per_day", RECIPIENTS, 86400, "recipients a day")

enum counted { COUNTED_MESSAGES, COUNTED_RECIPIENTS };

enum window {
#define WINDOW_ENUM(id, word, counted, seconds, said) WINDOW_##id,
	WINDOW_ROWS(WINDOW_ENUM)
#undef WINDOW_ENUM
	WINDOW_COUNT
};

/* What happens to a message that would pass a limit. */
#define OVER_ROWS(ROW)                                                                             \
	ROW(UNSET, "")                                                                             \
	ROW(DEFER, "defer")   /* 4xx, naming the limit and when it frees */                        \
	ROW(REJECT, "reject") /* 5xx, the same */                                                  \
	ROW(HOLD, "hold")     /* accepted into the MTA's hold queue */                             \
	ROW(SLOW, "slow")     /* leaves by the suspect pool */

enum over {
#define OVER_ENUM(id, word) OVER_##id,
	OVER_ROWS(OVER_ENUM)
#undef OVER_ENUM
	OVER_COUNT
};

enum { LIMIT_UNSET = -1, LIMIT_MAX = 1000000000, PLAN_NAME_MAX = 63 };

struct limits {
	int64_t window[WINDOW_COUNT];	/* LIMIT_UNSET: as the plan says; of a plan: no limit. 0: nothing may leave */
	int64_t rcpts_per_message;	/* likewise */
	enum over over;
	char plan[PLAN_NAME_MAX + 1];	/* "" : not named */
};

extern const struct limits limits_unset;

const char *window_word(enum window window);
const char *window_said(enum window window);
enum counted window_counted(enum window window);
int64_t window_seconds(enum window window);
const char *over_word(enum over over);

/* Reads one `field value` pair as a panel writes it. A field that limits do not have is ignored and true: panels may
 * keep notes of their own beside ours. False: the value is of no use; `*expected_out` then says what was expected, a
 * constant string. */
bool limits_set(struct limits *limits, const char *field, const char *value, const char **expected_out);

/* Is `field` one that limits_set reads? */
bool limits_have(const char *field);

/* What is unset in `limits` is taken from `under`. */
void limits_fill(struct limits *limits, const struct limits *under);

#endif

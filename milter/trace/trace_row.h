/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_row: a line of a trace file: a letter, and columns between tabs. "-" is what is not known.
 *
 *   M  a message that Penstock answered        D  one attempt to deliver it        R  it got another queue id
 *
 * Whatever would break a row or a terminal is written \xHH: control characters (also those of U+0080 to U+009F), the
 * backslash, and what is no UTF-8. A column that is too long is cut, and ends with "\x..". So a column is compared as
 * it is written, also by grep. A line that begins with '#' says what the columns are. Columns may be added at the end;
 * who reads takes no notice of those and of letters that he does not know.
 */
#ifndef PENSTOCK_TRACE_ROW_H
#define PENSTOCK_TRACE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word, bytes as written at most */
#define TRACE_COLUMN_ROWS(ROW) \
	ROW(QUEUE_ID, "queue_id", 100) \
	ROW(REFERENCE, "ref", 64) \
	ROW(ACCOUNT, "account", 322) \
	ROW(CUSTOMER, "customer", 322) \
	ROW(SENDER, "sender", 322) \
	ROW(CLIENT, "client", 64) \
	ROW(ACTION, "action", 32) \
	ROW(LEVEL, "level", 32) \
	ROW(TRANSPORT, "transport", 64) \
	ROW(KBYTES, "kbytes", 20) /* begun KiB */ \
	ROW(RCPTS, "rcpts", 20) /* of a delivery: where the line names no recipient, and is about all that are left */ \
	ROW(MESSAGE_ID, "message_id", 250) /* without angle brackets */ \
	ROW(RCPT, "rcpt", 322) \
	ROW(OUTCOME, "outcome", 32) /* a word of policy/outcome.h */ \
	ROW(STATUS, "status", 16)   /* the MTA's: sent, deferred, bounced, expired */ \
	ROW(DSN, "dsn", 16) \
	ROW(RECEIVER, "receiver", 64) /* milter/follow/receiver_name.h */ \
	ROW(RELAY, "relay", 48)	      /* its address */ \
	ROW(TEXT, "text", 120)	      /* what it said */ \
	ROW(OLD_ID, "old_id", 100)

/* clang-format off */
enum trace_column {
#define TRACE_COLUMN_ENUM(id, word, most) TRACE_##id,
	TRACE_COLUMN_ROWS(TRACE_COLUMN_ENUM)
#undef TRACE_COLUMN_ENUM
	TRACE_COLUMNS
};
/* clang-format on */

enum trace_kind { TRACE_MESSAGE, TRACE_DELIVERY, TRACE_REQUEUED, TRACE_KINDS };

/* The columns of each kind, in their order, behind the letter and the time; TRACE_COLUMNS ends them. */
extern const struct trace_form {
	char letter;
	enum trace_column columns[TRACE_COLUMNS + 1];
} trace_forms[TRACE_KINDS];

enum {
	TRACE_LINE_MAX = 2048, /* bytes of a line, with its end */
	TRACE_VALUE_MAX = 323, /* of a column as written, with a NUL */
	TRACE_TIME_MAX = 25,   /* "2026-11-28T16:38:17.123Z", with a NUL */
	TRACE_DAY_MAX = 11,    /* "2026-11-28", with a NUL */
};

struct trace_row {
	enum trace_kind kind;
	int64_t time_ms;		  /* Unix */
	const char *value[TRACE_COLUMNS]; /* borrowed; NULL: not known. To be written: as it is; as read: as it is
					     written */
};

/* The line of `row`, with its end; its length. A time outside 1970 to 9999 becomes the nearest within. */
size_t trace_row_write(const struct trace_row *row, char line[TRACE_LINE_MAX]);

/* Cuts `line`, whose end is taken off, into columns: they lie in it afterwards. False: it is none of the three, or
 * damaged. */
bool trace_row_read(char *line, struct trace_row *row_out);

/* One value as trace_row_write() writes it, to compare with. "" and "-" have no form that they share with "not known".
 */
void trace_value(enum trace_column column, const char *value, char written[TRACE_VALUE_MAX]);
/* The way back, in place. What is cut keeps its "\x..", and a NUL its "\x00". */
void trace_value_plain(char *written);

const char *trace_column_word(enum trace_column column);

void trace_time_write(int64_t time_ms, char text[TRACE_TIME_MAX]);
/* The name of a day's file, of days since 1970; and the way back, which takes whole names only. */
void trace_day_write(int64_t day, char name[TRACE_DAY_MAX]);
bool trace_day_read(const char *name, int64_t *day_out);
int64_t trace_day_of(int64_t time_ms);

#endif

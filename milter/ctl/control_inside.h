/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the parts of the control socket share: a request and its answers. control.c has the socket, the table of commands
 * and those that ask about the daemon; control_account.c those about one account.
 */
#ifndef PENSTOCK_CONTROL_INSIDE_H
#define PENSTOCK_CONTROL_INSIDE_H

#include "milter/ctl/control.h"
#include "milter/daemon.h"
#include "milter/exchange.h"
#include "milter/report.h"

enum {
	FIELDS_MAX = WINDOW_COUNT + 9,	/* limits_field(): windows, rcpts_per_message, over, plan, ramp, customer, dates */
	VALUE_SHOWN_MAX = 80,
};

/* One request, from its line to its answer. */
struct request {
	struct exchange_call *call;	/* owes exchange_answer */
	json_t *json;			/* owned; the strings in argv are its */
	const struct command *command;
	struct setup *setup;		/* held */
	char account[ACCOUNT_MAX + 1];
	const char *argv[2 + 2 * FIELDS_MAX];
	int argc;
	const char *gone[2 + FIELDS_MAX];	/* fields that account.limit deletes, as HDEL's argv */
	int gone_count;
	char numbers[FIELDS_MAX][24];	/* values of account.limit that came as numbers */
	char seconds[24];
	bool changed;			/* something stands there now that did not, or is gone that did */
};

/* Answers at once or asks the store, or hands the call to somebody who does. False: `error` holds one sentence, and nothing
 * was asked or answered. */
typedef bool command_function(struct request *request, char *error, size_t error_size);

struct command {
	const char *word;
	command_function *function;
	const char *members;	/* that it reads beside "do" */
	const char *part;	/* of the account's key that it writes */
};

/* One line of the socket, without or with its newline; NULL: it was too long. Leads to one exchange_answer. */
void control_serve(struct exchange_call *call, const char *line, size_t length);

/* Each answers and ends the request. `json` is taken; NULL: no memory. */
void control_ok(struct request *request, json_t *json);
/* The sentence for a command that only reads, where Redis did not say: "events: they cannot be read now: ...". */
void control_read_error(char *sentence, size_t size, const char *word, const char *things, const char *error);
/* Where Redis could not be asked, or refused, and something may have been written. */
void control_store_error(struct request *request, const char *what);

/* Writes one sentence into `error`; always false. */
bool control_fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool control_fail_value(const struct request *request, const char *member, const char *expected, char *error,
			size_t error_size);
/* A value as it stood in the request, cut, for an error. */
void control_show_value(const json_t *value, char shown[VALUE_SHOWN_MAX + 1]);

command_function control_account_show, control_account_report, control_account_limit, control_account_note,
	control_account_delete;

#endif

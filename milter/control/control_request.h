/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_request: one request of the control socket, and the ways to answer it.
 */
#ifndef PENSTOCK_CONTROL_REQUEST_H
#define PENSTOCK_CONTROL_REQUEST_H

#include "milter/control/control.h"
#include "milter/daemon/daemon.h"
#include "milter/base/exchange.h"

#include <jansson.h>

enum {
	FIELDS_MAX =
		WINDOW_COUNT + 9, /* limits_field(): windows, rcpts_per_message, over, plan, ramp, customer, dates */
	VALUE_SHOWN_MAX = 80,
};

/* One request, from its line to its answer. */
struct control_request {
	struct exchange_call *call; /* owes exchange_answer */
	json_t *json;		    /* owned; the strings in argv are its */
	const struct control_command *command;
	struct setup *setup; /* held */
	char account[ACCOUNT_MAX + 1];
	const char *argv[2 + 2 * FIELDS_MAX];
	int argc;
	const char *gone[2 + FIELDS_MAX]; /* fields that account.limit deletes, as HDEL's argv */
	int gone_count;
	char numbers[FIELDS_MAX][24]; /* values of account.limit that came as numbers */
	char seconds[24];
	bool changed; /* something stands there now that did not, or is gone that did */
};

/* Answers at once or asks the store, or hands the call to somebody who does. False: `error` holds one sentence, and
 * nothing was asked or answered. */
typedef bool command_function(struct control_request *request, char *error, size_t error_size);

struct control_command {
	const char *word;
	command_function *function;
	const char *members; /* that it reads beside "do" */
	const char *part;    /* of the account's key that it writes */
};

/* Ends the request without an answer: its call was handed on. */
void control_end(struct control_request *request);
/* Answers a call with one line. `json` is taken; NULL: no memory. */
void control_send(struct exchange_call *call, json_t *json);

/* Each answers and ends the request. `json` is taken; NULL: no memory. */
void control_ok(struct control_request *request, json_t *json);
void control_error(struct control_request *request, const char *error);
/* The sentence for a command that only reads, where Redis did not say: "events: they cannot be read now: ...". */
void control_read_error(char *sentence, size_t size, const char *word, const char *things, const char *error);
/* Where Redis could not be asked, or refused, and something may have been written. */
void control_store_error(struct control_request *request, const char *what);

/* Writes one sentence into `error`; always false. */
bool control_fail(char *error, size_t error_size, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool control_fail_value(const struct control_request *request, const char *member, const char *expected, char *error,
			size_t error_size);
/* A value as it stood in the request, cut, for an error. */
void control_show_value(const json_t *value, char shown[VALUE_SHOWN_MAX + 1]);

#endif

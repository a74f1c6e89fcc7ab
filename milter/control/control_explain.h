/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_explain: looks entries of the stream `explain` up (milter/record/explain.h) for somebody who asked over the
 * control socket.
 */
#ifndef PENSTOCK_CONTROL_EXPLAIN_H
#define PENSTOCK_CONTROL_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>

struct exchange_call;

enum {
	CONTROL_EXPLAINS_MAX = 8, /* under way at once */
	EXPLAIN_ENTRIES_MAX = 10, /* of one account */
};

/* `what` is a reference, a queue id or an account. The stream is read from its newest entry on, in bounded pieces;
 * where `what` is a reference, only the time around it, and the rest where it is not there: entries come late after
 * Redis was away. True: the call will be answered. False with a sentence in `error`. Loop thread only. */
bool control_explain_start(struct exchange_call *call, const char *what, char *error, size_t error_size);

#endif

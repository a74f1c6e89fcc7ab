/* SPDX-License-Identifier: BSD-2-Clause
 *
 * talk: asks the daemon on behalf of a command that shows its answer, with --json and refusals dealt with.
 */
#ifndef PENSTOCK_TALK_H
#define PENSTOCK_TALK_H

#include "milter/ctl/tool/call.h"

#include <stdbool.h>

/* The request stays the caller's. The answer, owned by the caller, where there is one for people to look at; NULL where
 * the daemon refused, cannot be asked, or --json has printed it. `code_out` is the exit code. */
json_t *talk_ask(const struct call *call, const json_t *request, int *code_out);

/* Likewise, takes the request, and shows the answer (`all`: -v). The exit code. */
int talk_show(const struct call *call, json_t *request, void (*show)(const json_t *answer, bool all, FILE *to));

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * showing: account.show over the control socket: an account as Redis has it, what of its key `limits` means nothing,
 * keys that were written under the spelling that was typed and that nobody reads, and how the groups stand that its
 * mail is counted in. Loop thread only.
 */
#ifndef PENSTOCK_SHOWING_H
#define PENSTOCK_SHOWING_H

#include <stdbool.h>
#include <stddef.h>

struct control_request;

/* Of request->account; `typed` is what the admin wrote. True: the request will be answered. False with a sentence in
 * `error`. */
bool showing_start(struct control_request *request, const char *typed, char *error, size_t error_size);

#endif

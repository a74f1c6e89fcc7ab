/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sender: by which transport the newest message of an envelope sender is to leave. For messages whose transport cannot
 * be set for the message as a whole (some recipients are local) and for requeued mail: the MTA then asks for each
 * recipient, by the socketmap `transport`, with nothing but the sender's address.
 *
 * A bounded table: where it is full, the oldest of a few rows makes room; who is not found is looked up by account.
 * Any thread. `now_ms` is clock_monotonic_ms().
 */
#ifndef PENSTOCK_SENDER_H
#define PENSTOCK_SENDER_H

#include "policy/pool.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	SENDER_MAX = 320,	   /* bytes; a longer address is not remembered */
	SENDER_KEEP_S = 5 * 86400, /* Postfix's maximal_queue_lifetime */
};

/* `sender` is in idn_address()'s form; upper and lower case are the same, and so are the senders of a newsletter that
 * differ by their tags (address_untagged()): it would push all others out. The empty sender is nobody's and never
 * remembered. `transport` NULL: the MTA's own, what was remembered is forgotten. */
void sender_remember(const char *sender, const char *transport, int64_t now_ms);

bool sender_find(const char *sender, int64_t now_ms, char transport_out[TRANSPORT_NAME_MAX + 1]);

/* Frees all, at the end of the daemon. */
void sender_clear(void);

#endif

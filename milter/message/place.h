/* SPDX-License-Identifier: BSD-2-Clause
 *
 * place: whence a client comes, as hashes keyed with the secret that the daemons share: his address, his network, and with `origin.clients` the AS that it is in.
 */
#ifndef PENSTOCK_PLACE_H
#define PENSTOCK_PLACE_H

#include "milter/daemon/daemon.h"

struct place_ask;	/* a question for the AS of one client; counted */

/* Address and network. One IPv6 client has a /64 to choose his addresses from (RFC 8981): that counts as the address. Mail
 * from this host itself comes from no place. */
void place_fill(const struct netaddr *client, const uint64_t key[2], struct facts *facts);

/* Asks by the setup's engine and origin zones; does not wait. NULL: nothing to ask. Any thread. */
struct place_ask *place_ask(const struct setup *setup, const struct netaddr *client);

/* The AS's hash; 0: unknown. Waits until the deadline (clock_monotonic_ms), but not longer than a moment after the
 * question: no mail is late for it. NULL: 0. */
uint64_t place_collect(struct place_ask *ask, const uint64_t key[2], int64_t deadline_ms);

/* The asker lets go. Clears the pointer; NULL is fine. */
void place_release(struct place_ask **ask);

#endif

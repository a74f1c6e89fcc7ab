/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_origin: where a client connects from, as hashes keyed with the secret that the daemons share: his address, his
 * network, the wide one about it, and with `origin.clients` the AS that it is in.
 */
#ifndef PENSTOCK_CLIENT_ORIGIN_H
#define PENSTOCK_CLIENT_ORIGIN_H

#include "milter/daemon/daemon.h"

struct client_origin_ask; /* a question for the AS of one client; counted */

/* Address, network and wide network (/16, IPv6 /32). One IPv6 client has a /64 to choose his addresses from (RFC 8981):
 * that counts as the address. Mail from this host itself comes from no place. */
void client_origin_fill(const struct netaddr *client, const uint64_t key[2], struct facts *facts);

/* Asks by the setup's origins; does not wait. NULL: nothing to ask. Any thread. */
struct client_origin_ask *client_origin_ask(const struct setup *setup, const struct netaddr *client);

/* The AS's hash, 0: unknown; what is known of the client learns its number. Waits until the deadline
 * (clock_monotonic_ms), but not longer than a moment after the question: no mail is late for it. NULL: 0. */
uint64_t client_origin_collect(struct client_origin_ask *ask, const uint64_t key[2], int64_t deadline_ms);

/* The asker lets go. Clears the pointer; NULL is fine. */
void client_origin_release(struct client_origin_ask **ask);

#endif

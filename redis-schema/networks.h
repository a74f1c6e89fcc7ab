/* SPDX-License-Identifier: BSD-2-Clause
 *
 * networks: the fields of the hash `networks` under which a client address can stand, longest network first.
 */
#ifndef PENSTOCK_NETWORKS_H
#define PENSTOCK_NETWORKS_H

#include "policy/netaddr.h"

enum { NETWORKS_MOST = 25, NETWORK_TEXT_MAX = NETADDR_TEXT_MAX + 4 };

struct networks {
	int count;
	char field[NETWORKS_MOST][NETWORK_TEXT_MAX]; /* "192.0.2.0/24" */
};

/* None for an unknown address. */
void networks_of(const struct netaddr *address, struct networks *networks_out);

/* Why an entry of the hash is never found, or of no use when it is; NULL: it is fine. A constant. */
const char *networks_wrong(const char *field, const char *account);

#endif

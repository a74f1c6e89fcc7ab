/* SPDX-License-Identifier: BSD-2-Clause
 *
 * identify: who is responsible for a message. The sources of the configuration in their order, one row each; what has
 * none is counted by its client address.
 */
#ifndef PENSTOCK_IDENTIFY_H
#define PENSTOCK_IDENTIFY_H

#include "milter/config.h"
#include "policy/netaddr.h"

struct identity {
	const char *auth_authen;	/* NULL: none */
	const char *cert_subject;	/* NULL: none, or its verification failed */
	bool network_asked;		/* the subscriber map was asked ... */
	const char *network;		/* ... and has this account; NULL: none */
	const char *from;		/* envelope sender, without brackets */
	const char *host;		/* the MTA's name, macro j; NULL: not told */
	bool injected;
	struct netaddr client;
};

/* Fills account, source, client and authenticated of the facts. False: it came to source network, which has to be asked first;
 * never where it was. */
bool identify(const struct config *config, const struct identity *identity, struct facts *facts);

/* Reads the login names for source uid from a file in passwd(5) form: now, so that no look-up waits later. False with
 * a sentence in `error`; the names read before stay. Main thread and reload only. */
bool identify_read_logins(const char *file, char *error, size_t error_size);

#endif

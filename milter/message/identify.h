/* SPDX-License-Identifier: BSD-2-Clause
 *
 * identify: who is responsible for a message. The sources of the configuration in their order, one row each; what has
 * none is counted by its client address.
 *
 * Whose name is proven has it as it is; who only says so, as an envelope sender, is "sender:NAME", and is believed so
 * far in own networks and on this host alone; a stranger is "ip:ADDRESS" whatever he says (policy/account.h).
 *
 * A sender is named without what changes in it from message to message (policy/address.h); a forwarder's SRS address
 * has nothing else, and stands for its domain, "sender:example.org". Proven names are left alone.
 */
#ifndef PENSTOCK_IDENTIFY_H
#define PENSTOCK_IDENTIFY_H

#include "milter/config/config.h"
#include "policy/netaddr.h"

struct logins;

struct identity {
	const char *auth_authen;  /* NULL: none */
	const char *cert_subject; /* NULL: none, or its verification failed */
	bool network_asked;	  /* the subscriber map was asked ... */
	const char *network;	  /* ... and has this account; NULL: none */
	const char *from;	  /* envelope sender in idn_address()'s form */
	const char *host;	  /* the MTA's name, macro j; NULL: not told */
	const char *origin; /* what sendmail(1) puts behind a user's name (postfix.myorigin); NULL or "": the host's */
	const struct logins *logins; /* of source uid; NULL: none */
	bool injected;
	struct netaddr client;
};

/* Fills account, source, class, client and authenticated of the facts. False: it came to source network, which has to
 * be asked first; never where it was. */
bool identify(const struct config *config, const struct identity *identity, struct facts *facts);

/* An automatic reply has no sender; its From says whose it is, who is believed as a sender would be: in own networks
 * and on this host, where source sender is configured. `author` is the identity with that address as its `from`. Where
 * it names the account, the same members are filled as by identify(), and the class stays; false: all stays as it was.
 */
bool identify_author(const struct config *config, const struct identity *author, struct facts *facts);

/* Who sends as `from`: address_untagged(), but a domain alone where nothing else is left, or where it is one of
 * accounts.tagged_domains or below. `sender` is another than `from`. */
void identify_sender(const struct config *config, const char *from, char sender[ADDRESS_MAX + 1]);

/* The rule for facts.sender_own. A login or certificate sends as himself where the sender is his name; where the
 * sender's domain is that of his name or below it; or where his name has no domain and is the sender's local part. <>
 * claims to be nobody. Of other sources the sender is the account, or there is no name to hold against it: always true.
 */
bool identify_sender_own(const struct facts *facts, const char *from);

/* Whose domain's limits its mail takes from: that of the account's name; where it has none, the sender's, where that is
 * the account's own address on this host. False: none, as for who only claims his name. */
bool identify_domain(const struct facts *facts, const struct identity *identity, char domain[ACCOUNT_MAX + 1]);

/* Is the client in one of accounts.own_networks? */
bool identify_own_network(const struct config *config, const struct netaddr *client);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * socketmap_inside: what the server of look-ups and its maps share. Inside milter/mta/socketmap.c and map_*.c only. A
 * map answers a key with one reply, at once or when the store has answered; nothing else of its client is read
 * meanwhile. Loop thread only.
 */
#ifndef PENSTOCK_SOCKETMAP_INSIDE_H
#define PENSTOCK_SOCKETMAP_INSIDE_H

#include "milter/config/config.h"
#include "policy/account.h"
#include "policy/netaddr.h"
#include "policy/verdict.h"

struct socketmap_client; /* a connection; socketmap.c's own */
struct socketmap_lookup;

typedef void socketmap_map(struct socketmap_client *client, const struct config *config, const char *key);
socketmap_map map_transport;			  /* map_transport.c */
socketmap_map map_throttle, map_account_throttle; /* map_throttle.c */
socketmap_map map_starttls;			  /* map_starttls.c */

/* `verdict` is what judge_account() says of lookup->account; NULL: nothing is known of it for sure. */
typedef void socketmap_answer(struct socketmap_lookup *lookup, const struct config *config,
			      const struct verdict *verdict);

/* A question to the store; outlives its client. */
struct socketmap_lookup {
	struct socketmap_client *client; /* borrowed; NULL: it has gone, and nobody is answered */
	socketmap_answer *answer;
	struct netaddr address; /* of the SMTP client that is asked about; UNKNOWN: a login or a sender is */
	char account[ACCOUNT_MAX + 1];
};

/* False: all rules are in shadow mode, and no stranger meets anything by what is remembered of him. */
bool map_acts(const struct config *config);

/* The one reply; `data` is at most TRANSPORT_NAME_MAX + 1 bytes. */
void socketmap_reply(struct socketmap_client *client, const char *word, const char *data);
void socketmap_not_found(struct socketmap_client *client);

/* Replies by `answer`, now or later; without memory "not found". */
void socketmap_ask_store(struct socketmap_client *client, const struct netaddr *address, const char *account,
			 socketmap_answer *answer);

/* Each process of Postfix's smtpd has a connection of its own, and serves one session at a time: the wait of the
 * session that it serves, or served last. */
struct socketmap_wait {
	struct netaddr address; /* UNKNOWN: there was none */
	int64_t end_ms;		/* monotonic */
};

/* Borrowed, and the map's to change. */
struct socketmap_wait *socketmap_last_wait(struct socketmap_client *client);

#endif

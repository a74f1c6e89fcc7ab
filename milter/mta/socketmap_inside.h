/* SPDX-License-Identifier: BSD-2-Clause
 *
 * socketmap_inside: what the server of look-ups and its maps share. Inside milter/mta/socketmap.c and map_*.c only: the
 * server calls the maps, these call map_reply.c. A map answers a key with one reply, at once or when the store has
 * answered; nothing else of its client is read meanwhile. Loop thread only.
 */
#ifndef PENSTOCK_SOCKETMAP_INSIDE_H
#define PENSTOCK_SOCKETMAP_INSIDE_H

#include "milter/config/config.h"
#include "policy/account.h"
#include "policy/netaddr.h"
#include "policy/verdict.h"

struct bufferevent;
struct socketmap;
struct socketmap_lookup;

/* Each process of Postfix's smtpd has a connection of its own, and serves one session at a time: the wait of the
 * session that it serves, or served last. */
struct socketmap_wait {
	struct netaddr address; /* UNKNOWN: there was none */
	int64_t end_ms;		/* monotonic */
};

/* A connection. A map changes `wait`; map_reply.c `lookup`; all else is the server's. */
struct socketmap_client {
	struct socketmap *socketmap;
	struct bufferevent *bev;	 /* owned */
	struct socketmap_lookup *lookup; /* the store is asked; nothing is read meanwhile: answers keep their order */
	void (*answered)(struct socketmap_client *client); /* after an answer of the store's */
	bool serving;				/* its request is still in its buffer; an answer may come meanwhile */
	bool ended;				/* the client sends no more */
	int64_t since_ms;			/* monotonic: its last request, or that it came */
	struct socketmap_client *older, *newer; /* by last request */
	struct socketmap_wait wait;
};

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
void map_reply(struct socketmap_client *client, const char *word, const char *data);
void map_not_found(struct socketmap_client *client);

/* Replies by `answer`, now or later; without memory "not found". */
void map_ask_store(struct socketmap_client *client, const struct netaddr *address, const char *account,
		   socketmap_answer *answer);

#endif

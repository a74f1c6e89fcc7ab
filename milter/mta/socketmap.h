/* SPDX-License-Identifier: BSD-2-Clause
 *
 * socketmap: answers Postfix's look-ups, socketmap_table(5). The map `transport` is for
 * sender_dependent_default_transport_maps: a sender's address in, "clean-1:" out. The maps `throttle`, for
 * check_sasl_access, and `throttle_client`, for check_client_access, answer "sleep 5" for a login or a client address
 * whose account judge_account() makes wait: the MTA's own process waits, nobody of ours.
 *
 * First what the sender's newest message was given (sender.h), then what judge_account() gives to the account that
 * bears the sender's name, where something is known of it. A look-up that fails defers mail: on any doubt, for `<>` and
 * for unknown maps the answer is "not found", which means the MTA's own transport.
 *
 * Loop thread only, or with the loop stopped.
 */
#ifndef PENSTOCK_SOCKETMAP_H
#define PENSTOCK_SOCKETMAP_H

struct evconnlistener;
struct event_base;
struct socketmap;

enum {
	/* One more gets in, and that one is closed whose last request is oldest; Postfix connects anew. Where each is
	 * owed an answer, or has come or asked just now, others wait for their turn. */
	SOCKETMAP_CONNECTIONS_MAX = 512,
	SOCKETMAP_REQUEST_MAX = 2048, /* bytes; a longer request closes its connection */
	SOCKETMAP_IDLE_S = 600,	      /* Postfix itself closes after 10 s without a request, or 100 s in all */
};

/* Takes over the listening socket. NULL: no memory, the socket is closed. */
struct socketmap *socketmap_start(struct event_base *base, int listen_fd);
/* Borrowed. */
struct evconnlistener *socketmap_listener(struct socketmap *socketmap);
/* Clears the pointer; NULL is fine. */
void socketmap_stop(struct socketmap **socketmap);

#endif

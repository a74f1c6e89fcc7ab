/* SPDX-License-Identifier: BSD-2-Clause
 *
 * socketmap: answers Postfix's look-ups, socketmap_table(5). Its maps (map_*.c), by what they are asked with:
 *
 *   transport         a sender's address, for sender_dependent_default_transport_maps: "clean-1:". First what the
 *                     sender's newest message was given (sender.h), then what judge_account() gives to the account of
 *                     the sender's name, where something is known of it.
 *   throttle          a client's address, for check_client_access: "sleep 5" where a client of its standing is slowed
 *                     (policy/client.h), or where judge_account() makes the account of that address wait; the MTA's own
 *                     process waits, nobody of ours. Of what is no address, as Postfix asks for a client's name first,
 *                     nothing is known; but an address with @ is a login, as in account-throttle.
 *   throttle_client   another name of throttle
 *   account-throttle  a login, for check_sasl_access: the same for its account
 *   starttls          a client's address, for smtpd_discard_ehlo_keyword_address_maps: "starttls" hides it from clients
 *                     of clients.hide_starttls and worse
 *
 * A wait takes a place (clients_slow()) for as long as it lasts; without one nobody waits. Clients of own networks and
 * of this host have no standing here. A look-up that fails defers mail or ends a session: on any doubt, for `<>` and
 * for unknown maps the answer is "not found", which changes nothing.
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

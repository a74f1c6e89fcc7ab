/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dns_server: a DNS server of one thread, UDP and TCP on a loopback port of its own. The first label of a name says
 * what it does with the question, so that no zone has to be written:
 *
 *   yes...       A 127.0.0.2, AAAA ::2, TXT "text"       no...        NXDOMAIN
 *   slow...      the same as yes after 200 ms             silent...    nothing
 *   cut...       over UDP cut (TC), over TCP 4 TXT records of 2,000 bytes each
 *   forged...    an answer with another id first, then yes
 *   garbage...   bytes behind the id that are no answer   servfail..., refused...
 *
 * A script may say another word for a name; an address among its words is the A record of the answer.
 * Or it has rows, and answers what stands there.
 */
#ifndef PENSTOCK_FAKE_DNS_SERVER_H
#define PENSTOCK_FAKE_DNS_SERVER_H

#include <stdbool.h>

struct dns_server;

/* `deaf`: it takes questions and never answers. NULL: no socket or no thread. */
struct dns_server *dns_server_start(bool deaf);

/* A row is a record, or for all names in a zone a word of the above: the first row that fits counts; `slow` ones are
 * answered from the rows after 200 ms. What no row names does not exist. */
struct dns_row {
	const char *name;
	int type;	  /* A 1, PTR 12, MX 15, TXT 16, AAAA 28; 0: a word */
	const char *data; /* "192.0.2.1", "mail.example.com" (of an MX too, whose preference is 10), a text, a word */
};
/* `rows` end with one without a name; borrowed, and must not change. */
struct dns_server *dns_server_start_rows(const struct dns_row *rows);
void dns_server_stop(struct dns_server **server);

/* Called on the server's thread with the name, dotted, as it was asked. NULL: its first label decides. */
typedef const char *dns_script(const char *name);
void dns_server_script(struct dns_server *server, dns_script *script); /* before the first question */

int dns_server_port(const struct dns_server *server);
int dns_server_questions(struct dns_server *server, bool tcp); /* that came so far */

#endif

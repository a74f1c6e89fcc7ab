/* SPDX-License-Identifier: BSD-2-Clause
 *
 * account: the name under which a sender's limits, counters and level are kept.
 */
#ifndef PENSTOCK_ACCOUNT_H
#define PENSTOCK_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/group.h"
#include "policy/netaddr.h"

struct text;

enum {
	ACCOUNT_MAX = 320,  /* bytes, RFC 3696 erratum 1690: 64 + 1 + 255 */
	ADDRESS_MAX = 1000, /* bytes of an envelope address that are looked at; RFC 5321 allows 256 */
};

/* Where an account's name may come from, in the words of `accounts.sources`: id, word */
#define SOURCE_ROWS(ROW) \
	ROW(NONE, "none") \
	ROW(AUTH, "auth")		/* {auth_authen}, the SASL login */ \
	ROW(CERTIFICATE, "certificate") /* subject of a verified TLS client certificate */ \
	ROW(NETWORK, "network")		/* the subscriber map in Redis, by client address */ \
	ROW(UID, "uid")			/* a local login name as sender of injected mail */ \
	ROW(SENDER, "sender")		/* the envelope sender, of clients in own networks and on this host */ \
	ROW(CLIENT, "client")		/* the client address: what is left, never configured */

/* clang-format off */
enum source {
#define SOURCE_ENUM(id, word) SOURCE_##id,
	SOURCE_ROWS(SOURCE_ENUM)
#undef SOURCE_ENUM
	SOURCE_COUNT
};
/* clang-format on */

const char *source_word(enum source source);
enum source source_find(const char *word); /* SOURCE_NONE where there is none */

/* What the names of accounts begin with that are no login's, certificate's or network's own: id, word before the colon
 */
#define ACCOUNT_CLAIMED "sender"
#define ACCOUNT_CLIENT "ip"
#define ACCOUNT_PREFIX_ROWS(ROW) \
	ROW(CLAIMED, ACCOUNT_CLAIMED) /* who only says so: an envelope sender */ \
	ROW(CLIENT, ACCOUNT_CLIENT)   /* nobody: the client's address */ \
	ROW(UID, "uid")		      /* a user of this host */

/* The name in the form that keys use: ASCII letters lower-cased, `+tag` cut from the local part where asked, each
 * control character, space, quote, backslash, `%`, `{` and `}` written %XX, so that it cannot leave the hash tag of
 * a key or the word of a log line. One of ACCOUNT_MAX bytes and more keeps its head and gets a hash for a tail, so that
 * two long names stay two. False where nothing is left. */
bool account_name(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1]);

/* Three name spaces that cannot meet. Who proved who he is has his name as it is; where that begins like one of
 * ACCOUNT_PREFIX_ROWS or SCOPE_ROWS, its first colon is written %3A. Who only says so is "sender:NAME". What has
 * neither is "ip:ADDRESS" (milter/message/identify.c). Whatever comes from outside goes through one of these two;
 * account_name() is for what an admin types, and for names that are no account's. */
bool account_proven(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1]);
bool account_claimed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1]);

/* "ip:192.0.2.7"; of IPv6 "ip:2001:db8:1:2::/64": one client has such a network to choose his addresses from (RFC
 * 8981). */
void account_client(const struct netaddr *client, char name[ACCOUNT_MAX + 1]);
bool account_is_client(const char *name); /* is it one of these? */

/* What an admin types: account_name(), but a name as a log line shows it, with its escapes, is that name (%2B is a plus
 * that begins no tag, %2E a dot of no address), any address of a client's network stands for it, and a domain has no
 * dot at its end. NULL where such an account or group can be; else what was expected, a constant. */
const char *account_typed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1]);

/* Adds a name as one word of a log line; what text_add_word() would lose of it, commas and bytes beyond ASCII, is
 * written %XX. account_of_word() has the name again, and so has account_typed(). False: no name is of such a word. */
void account_add_word(struct text *text, const char *name);
bool account_of_word(const char *word, size_t length, char name[ACCOUNT_MAX + 1]);

/* The name of a group, under which keys, limits, blocks and exemptions work as an account's: "domain:example.com",
 * "customer:42", "server:all", "bounce:ip:192.0.2.1". `name` is in account_name()'s form. */
void account_group(enum scope scope, const char *name, char group[ACCOUNT_MAX + 1]);

/* The address inside `raw`, as it comes with MAIL and RCPT (with or without angle brackets, with a source route,
 * RFC 5321 section 4.1.2 and appendix C). At most ADDRESS_MAX bytes; "" for `<>`. Returns false where it was cut. */
bool address_of(const char *raw, char address[ADDRESS_MAX + 1]);

/* The part behind the last '@'; "" where there is none. */
const char *address_domain(const char *address);

#endif

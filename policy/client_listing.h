/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_listing: who is put on our own block list, and with which answer. A list in DNS answers with an address of
 * 127.0.0.0/8 that says why (RFC 5782 section 2.1); who asks may act on some of them alone.
 */
#ifndef PENSTOCK_CLIENT_LISTING_H
#define PENSTOCK_CLIENT_LISTING_H

#include "policy/client.h"
#include "policy/level.h"
#include "policy/netaddr.h"

/* id, last byte of 127.0.0.x, word, what it means. The higher one stands where there are two. In files they go by their
 * byte. */
#define CLIENT_CODE_ROWS(ROW) \
	ROW(MAIL, 2, "mail", "bad standing by its mail and its sessions") \
	ROW(LOGINS, 3, "logins", "bad standing, most of all since it tries passwords") \
	ROW(SUSPECT, 4, "suspect", "its mail without a login made its account suspect") \
	ROW(BLOCKED, 5, "blocked", "... or blocked, or an admin did")

/* clang-format off */
enum client_code {
	CLIENT_CODE_NONE,
#define CLIENT_CODE_ENUM(id, byte, word, meaning) CLIENT_CODE_##id = (byte),
	CLIENT_CODE_ROWS(CLIENT_CODE_ENUM)
#undef CLIENT_CODE_ENUM
};
/* clang-format on */

const char *client_code_word(enum client_code code);	/* "none" */
const char *client_code_meaning(enum client_code code); /* "" */
enum client_code client_code_of_byte(int64_t byte);	/* NONE: no row has it */

/* NONE: it is not listed. */
enum client_code client_code_of(const struct client_verdict *verdict);
/* Of a client that sends without a login, by what is known of its account. */
enum client_code client_code_of_account(enum level level, bool blocked);
enum client_code client_code_worse(enum client_code a, enum client_code b);

/* Is who is responsible for its network told? Of what it did as a client; an account is between it and us. */
bool client_code_is_reported(enum client_code code);

/* May anybody be told that it is bad? Not of this host, nor of what is no single host's: 127.0.0.1 and ::FFFF:7F00:1
 * must never be listed (RFC 5782 section 5), and the /64 of the latter has the former. */
bool client_listable(const struct netaddr *client);

#endif

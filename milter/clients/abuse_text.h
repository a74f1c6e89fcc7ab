/* SPDX-License-Identifier: BSD-2-Clause
 *
 * abuse_text: a report of a bad client to who is responsible for its network, and who that is. Of its mail as ARF (RFC
 * 5965), of its logins as X-ARF 0.2. No I/O. Nothing in it was written by the client.
 */
#ifndef PENSTOCK_ABUSE_TEXT_H
#define PENSTOCK_ABUSE_TEXT_H

#include "milter/clients/zone.h"

enum { ABUSE_ADDRESS_MAX = 254 };

struct abuse_report {
	struct zone_entry entry;
	struct client_counts counts; /* of the client, now */
	int64_t now_s;
	const char *from, *to, *host; /* addresses of mail; this host's name */
};

/* The message, lines ended by CRLF, to be freed; NULL: no memory. */
char *abuse_text_of(const struct abuse_report *report);

/* The first address of mail in a TXT record, of which a stranger may have written each byte: only letters, digits and
 * ".!#$%&'*+-/=?^_`{|}~" before the '@', a domain of letters, digits, '-' and dots behind it. False: there is none. */
bool abuse_text_contact(const char *text, size_t length, char to[ABUSE_ADDRESS_MAX + 1]);

#endif

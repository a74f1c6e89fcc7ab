/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spamd: the two texts of the SPAMC protocol (spamd/PROTOCOL in SpamAssassin's sources). No I/O.
 */
#ifndef PENSTOCK_SPAMD_H
#define PENSTOCK_SPAMD_H

#include "policy/facts.h"

enum spamd_progress { SPAMD_MORE, SPAMD_DONE, SPAMD_BAD };

enum { SPAMD_REPLY_MAX = 16384 }; /* bytes; a longer one is bad */

/* The head of a request for a message of `length` bytes. Returns its length; 0 where `size` is too small. */
size_t spamd_request(const char *user, size_t length, char *request, size_t size);

/* Reads what has come so far. MORE: not whole yet. With `ended`, the other side has closed. On BAD, *why_out says what
 * was expected: a constant string. */
enum spamd_progress spamd_reply(const char *bytes, size_t length, bool ended, struct content *content_out,
				const char **why_out);

#endif

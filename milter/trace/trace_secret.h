/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_secret: follow.trace_recipients = "hashed": a recipient is then "h:0123456789abcdef@example.net", by which only
 * who has the key finds a recipient that he knows already. Domains stay: what a receiver does can still be counted.
 */
#ifndef PENSTOCK_TRACE_SECRET_H
#define PENSTOCK_TRACE_SECRET_H

#include "milter/trace/trace_row.h"

#define TRACE_SECRET_FILE "key" /* in the folder of the days */

/* The key: of `salt` (facts.salt), or where that is "" of the folder's file, which is made where `make` says so. False
 * with one sentence in `error`. */
bool trace_secret(const char *folder, const char *salt, bool make, uint64_t key_out[2], char *error, size_t error_size);

/* Letters in any case are one, also before the '@': who searches need not know how it was typed. */
void trace_secret_rcpt(const uint64_t key[2], const char *rcpt, char hashed[TRACE_VALUE_MAX]);

/* What a server said, without what is before the '@' of any address in it, and without that of `rcpt` where it stands
 * alone. In place. */
void trace_secret_text(const char *rcpt, char *text);

#endif

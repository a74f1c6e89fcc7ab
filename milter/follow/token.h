/* SPDX-License-Identifier: BSD-2-Clause
 *
 * token: reads what lies at the front of a span, and moves the span behind it. Each looks at a byte once. Where what is
 * asked for is not there they return false and leave the span alone.
 */
#ifndef PENSTOCK_FOLLOW_TOKEN_H
#define PENSTOCK_FOLLOW_TOKEN_H

#include "milter/follow/line.h"

bool token_skip(struct span *rest, const char *word);
/* What lies before `stop`; the span is then behind `stop`. */
bool token_until(struct span *rest, const char *stop, struct span *out);
/* As token_until, but what has no `stop` behind it reaches to the end. */
struct span token_to(struct span *rest, const char *stop);
/* What lies behind the last `mark` in `span`. */
bool token_behind_last(struct span span, const char *mark, struct span *out);
/* A decimal number of 18 digits at most. */
bool token_number(struct span *rest, int64_t *out);
bool token_ends(struct span span, const char *word);
/* Without `word` at its end, if it is there. */
bool token_cut_end(struct span *span, const char *word);

/* "<address>", of which the angle brackets are left out; one that is inside of a quoted string ends nothing. */
bool token_address(struct span *rest, struct span *out);
/* One recipient of Sendmail's, in angle brackets or bare. It writes each backslash twice. */
bool token_sendmail_rcpt(struct span *rest, struct span *out);

/* "host[address]" or "host[address]:port", of which the host has no space: either out may be NULL. */
bool token_host(struct span *rest, struct span *host_out, struct span *address_out);

/* Whether the span is a queue id of Postfix's: 6 hexadecimal digits and more, or a long one, which has no vowels, so
 * that no word of a language is one. Of Sendmail's: letters and digits, of which the last five are digits. */
bool token_is_postfix_id(struct span span);
bool token_is_sendmail_id(struct span span);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_macro: the macros of SPF records, RFC 7208 section 7. Expanded here and not by libspf2, whose expansion has been
 * overrun by strangers' records more than once. No I/O, no memory.
 */
#ifndef PENSTOCK_SPF_MACRO_H
#define PENSTOCK_SPF_MACRO_H

#include "policy/base/text.h"
#include "milter/dns/answer.h"
#include "policy/netaddr.h"

#define SPF_NAME_MACROS "slodiphv"	      /* that may stand in names */
#define SPF_TEXT_MACROS SPF_NAME_MACROS "crt" /* in explanations */

enum { SPF_VALUE_MAX = 512 }; /* bytes of what a macro stands for */

/* What macros stand for. All borrowed, printable ASCII, shorter than SPF_VALUE_MAX. */
struct spf_values {
	const struct netaddr *client;
	const char *sender; /* local@domain */
	const char *helo;
	const char *domain;		       /* the one that the record belongs to */
	const char *(*client_name)(void *arg); /* its confirmed name, or "unknown"; asked for only where it is needed */
	void *arg;
};

/* One literal character, or one macro. */
struct spf_piece {
	size_t length; /* in the record */
	char literal;  /* what it stands for; '\0': see `letter` */
	char letter;   /* in lower case; '\0': "%-", a space in a URL */
	bool escaped, reversed;
	int parts;		/* that are kept, from the right; 0: all */
	const char *delimiters; /* in the record */
	size_t delimiter_count; /* 0: a dot */
};

/* The first piece of `length` bytes, 1 or more; none is a NUL. False: an error of syntax, or a letter that is not
 * allowed here. */
bool spf_piece_read(const char *text, size_t length, const char *letters, struct spf_piece *piece_out);

void spf_piece_expand(const struct spf_piece *piece, const struct spf_values *values, struct text *to);

/* The name as DNS may be asked for it: no dot at the end, and by whole labels from the left not longer than 253 bytes
 * (RFC 7208 section 7.3). False: no name in DNS reads like that. */
bool spf_name_read(const char *name, char out[DNS_NAME_MAX + 1]);

#endif

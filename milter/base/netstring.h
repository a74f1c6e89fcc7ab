/* SPDX-License-Identifier: BSD-2-Clause
 *
 * netstring: "LENGTH:BYTES," (cr.yp.to/proto/netstrings.txt), what Postfix's socketmap protocol is framed in. No I/O.
 */
#ifndef PENSTOCK_NETSTRING_H
#define PENSTOCK_NETSTRING_H

#include <stddef.h>

enum netstring_progress { NETSTRING_MORE, NETSTRING_DONE, NETSTRING_BAD };

struct netstring {
	const char *bytes; /* borrowed: inside what was parsed; no NUL behind it, NULs may be in it */
	size_t length;
	size_t whole; /* bytes of length, ':' and ',' included: where the next one begins */
};

/* Reads the netstring at the start of `input`. MORE: not whole yet. BAD: it is none, or longer than `most` bytes;
 * nothing that comes later can mend it. */
enum netstring_progress netstring_parse(const char *input, size_t length, size_t most, struct netstring *netstring_out);

/* Writes a netstring without a NUL. Returns its length; 0 where `size` is too small. */
size_t netstring_write(char *to, size_t size, const char *bytes, size_t length);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * netaddr: a client address as plain bytes, and the few texts made of it. A v4-mapped IPv6 address (RFC 4291
 * section 2.5.5.2) is the IPv4 address it stands for.
 */
#ifndef PENSTOCK_NETADDR_H
#define PENSTOCK_NETADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum netaddr_family { NETADDR_UNKNOWN, NETADDR_V4, NETADDR_V6 };

enum {
	NETADDR_TEXT_MAX = 46,	  /* with its NUL: 8 groups, or a v4-mapped form */
	NETADDR_REVERSE_MAX = 65, /* with its NUL: 32 nibbles and dots */
};

struct netaddr {
	enum netaddr_family family;
	uint8_t bytes[16]; /* network order; an IPv4 address uses the first four */
};

/* `bytes` are 4 (or 16) in network order. */
struct netaddr netaddr_v4(const uint8_t *bytes);
struct netaddr netaddr_v6(const uint8_t *bytes);

/* An address in text form, v4 dotted or v6 (RFC 4291 section 2.2), with or without the "IPv6:" of RFC 5321 section
 * 4.1.3. False: not an address. */
bool netaddr_parse(const char *text, struct netaddr *address_out);

/* The address for people; "unknown" where there is none. v6 in the form of RFC 5952. */
void netaddr_text(const struct netaddr *address, char text[NETADDR_TEXT_MAX]);

/* What stands before a block list's zone: RFC 5782 sections 2.1 and 2.4. "" where there is no address. */
void netaddr_reverse(const struct netaddr *address, char text[NETADDR_REVERSE_MAX]);

/* The network of the first `length` bits (0..32 or 0..128). */
struct netaddr netaddr_network(const struct netaddr *address, int length);

/* Why nobody on the Internet has this address (RFC 6890), as "private"; NULL: it may be anybody's, or is none. The one
 * table of such addresses: no stranger's service is asked about them. */
const char *netaddr_reserved(const struct netaddr *address);

bool netaddr_same(const struct netaddr *a, const struct netaddr *b);
bool netaddr_is_loopback(const struct netaddr *address);

/* A network: all addresses that share the first `bits` bits with `address`. */
struct netblock {
	struct netaddr address;
	int bits;
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone, which is all its bits. False: none, or bits behind the prefix.
 */
bool netblock_parse(const char *text, struct netblock *block_out);
bool netblock_has(const struct netblock *block, const struct netaddr *address);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * asn: what a DNS origin zone says of an address, and what a zone of names says of an AS number. The form is that of
 * origin.asn.cymru.com, which other zones have too:
 *
 *   "64496 | 192.0.2.0/24 | DE | ripencc | 2001-01-01"           the first field may hold several numbers
 *   "64496 | DE | ripencc | 2001-01-01 | EXAMPLE-NET, DE"        of AS64496.<zone>
 *
 * No I/O. The texts come from strangers: what is not exactly so is not taken.
 */
#ifndef PENSTOCK_ASN_H
#define PENSTOCK_ASN_H

#include "policy/netaddr.h"

enum {
	ASN_TEXT_MAX = 512, /* bytes of a record; a longer one is not taken */
	ASN_NAME_MAX = 100, /* bytes of an AS's name; cut */
};

/* Zeroed: nothing is known. */
struct asn {
	uint32_t as_number; /* the first of several */
	int bits;	    /* of the prefix */
	char prefix[NETADDR_TEXT_MAX + 4];
	char country[3]; /* two letters; "": not known */
};

/* Takes what the record says where it names a prefix that the address lies in, more specific than what `origin` holds.
 * False: not taken. */
bool asn_take(struct asn *origin, const struct netaddr *address, const char *text, size_t length);

/* The name, each byte that is not printable ASCII a '?'. False: the record is not about this number, or none. */
bool asn_name(uint32_t as_number, const char *text, size_t length, char name[ASN_NAME_MAX + 1]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_record: one SPF record, read strictly by the grammar of RFC 7208 section 12 and written anew for libspf2: only
 * the terms that matter for one client, with what libspf2 gets wrong taken out. No I/O, no memory.
 *
 * - An error anywhere in the record is found, not only before the first match (section 4.6).
 * - ip4 and ip6 are compared here: those that do not match are left out, the first that does becomes "all".
 * - Macros are expanded (spf_macro.h), names cut to what DNS may be asked for. A name that cannot be is SPF_NO_NAME.
 * - exp= and unknown modifiers are left out: no stranger's explanation is ever expanded.
 * - redirect= comes last, and only where there is no "all" (section 6.1); libspf2 takes it where it stands.
 * - a, mx and exists carry a mark behind their domain: SPF_MARK and a byte that says how the addresses compare. By it
 *   the run knows the term's own question from those about the hosts of an mx or ptr, and libspf2 sees no prefix
 *   lengths, of which it refuses /0.
 * - libspf2 drops without a word what is behind 511 bytes of mechanisms: what is longer goes on in another part, by a
 *   redirect to SPF_MARK, the part's letter, and the domain.
 */
#ifndef PENSTOCK_SPF_RECORD_H
#define PENSTOCK_SPF_RECORD_H

#include "milter/dns/answer.h"
#include "milter/spf/spf.h"
#include "milter/spf/spf_macro.h"

enum {
	SPF_TERMS_MAX = 10, /* that ask DNS, in one check: RFC 7208 section 4.6.4 */
	SPF_MARK = '\1',    /* stands in no record, name, sender or HELO */
	SPF_MARK_EXISTS = 0x3f,
	SPF_MARK_BITS = 0x40, /* and the length of the prefix, 0..128 */
	SPF_PARTS_MAX = SPF_TERMS_MAX + 2,
	SPF_WRITTEN_MAX = (SPF_TERMS_MAX + 2) * (3 * DNS_NAME_MAX + 32) + SPF_PARTS_MAX * (2 * DNS_NAME_MAX + 32),
};

#define SPF_NO_NAME ".."

/* A question that the record will lead to if nothing before it matches. */
struct spf_want {
	enum dns_type type;
	char name[DNS_NAME_MAX + 1];
};

struct spf_terms {
	char text[SPF_WRITTEN_MAX]; /* the parts, each with its NUL */
	struct spf_part {
		size_t start;
		int count; /* terms in it */
	} parts[SPF_PARTS_MAX];
	int part_count;
	bool personal; /* a macro of the sender's local part or of the HELO name is among them */
	int want_count;
	struct spf_want wants[SPF_TERMS_MAX];
};

/* "v=spf1", at its end or before a space, in any case. */
bool spf_record_is(const char *text, size_t length);

/* False: permerror. The record must be one by spf_record_is. */
bool spf_record_read(const char *record, size_t length, const struct spf_values *values, struct spf_terms *terms_out);

/* Do two addresses agree in their first bits? */
bool spf_share_prefix(const uint8_t *a, const uint8_t *b, int bits);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * idn: internationalised domain names, RFC 5890. Wherever a name or an address enters, its domain becomes A-labels
 * ("xn--exmple-cua.org"), as Postfix looks it up: mapped by UTS 46 (case, width, composition), not transitional (a
 * sharp s stays one). So spellings of one domain are one account, and a comparison of bytes is one of domains. policy/
 * knows nothing of this. The one place that knows libidn2.
 *
 * Only a domain that is not ASCII is looked at, and only one becomes A-labels that has nothing but letters, digits,
 * '-',
 * '_' and dots afterwards: what is none keeps its bytes, which are those of no A-label. The part before the '@' keeps
 * its bytes in any case (RFC 6531 leaves its meaning to the domain): composed and decomposed letters are two.
 */
#ifndef PENSTOCK_IDN_H
#define PENSTOCK_IDN_H

#include "policy/account.h"

#include <stdbool.h>
#include <stddef.h>

enum { IDN_DOMAIN_MAX = 253 };

/* `domain` in A-labels. False where it is ASCII already, or no domain: it stays as it is. */
bool idn_domain(const char *domain, char ascii[IDN_DOMAIN_MAX + 1]);

/* `name` with the domain behind its last '@' in A-labels, in `buffer`; `name` itself where nothing is to be done. */
const char *idn_name(const char *name, char buffer[ADDRESS_MAX + 1]);

/* In one step what an envelope's or a header's address has to go through: address_normal(), and A-labels. False where
 * it was cut. */
bool idn_address(const char *raw, char address[ADDRESS_MAX + 1]);

/* account_typed() of what an admin types, in either spelling: "alice@exämple.org", "domain:exämple.org". */
const char *idn_typed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1]);

/* For the eyes: a copy of `text`, to be freed, in which each domain in A-labels is spelt in UTF-8; only such a spelling
 * as leads back to the same A-labels. NULL without memory. */
char *idn_shown(const char *text);

#endif

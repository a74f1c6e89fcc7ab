/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address: one form for all spellings of an envelope address by which Postfix delivers to one mailbox.
 *
 * RFC 5321 section 4.1.2: "joe"@d, "j\oe"@d and joe@d are one. Postfix takes comments, blanks and a final dot off as well,
 * and an address without a domain as user%host or host!user for user@host (swap_bangpath, allow_percent_hack).
 */
#ifndef PENSTOCK_ADDRESS_H
#define PENSTOCK_ADDRESS_H

#include "policy/account.h"

/* The address in `raw` (as address_of takes it) without quotes, comments and blanks; the domain is behind the last '@'.
 * Letters keep their case, a +tag stays: account_name sees to both. False where it was cut. */
bool address_normal(const char *raw, char normal[ADDRESS_MAX + 1]);

/* Where a host that takes `normal` as its own sends it on: user%host@d, host!user@d and "user@host"@d to user@host. False
 * where its local part says nothing of that. `normal` and `routed` may be the same. */
bool address_routed(const char *normal, char routed[ADDRESS_MAX + 1]);

#endif

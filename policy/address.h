/* SPDX-License-Identifier: BSD-2-Clause
 *
 * address: one form for all spellings of an envelope address by which Postfix delivers to one mailbox, and one for what
 * a program writes into its sender anew for each message.
 *
 * RFC 5321 section 4.1.2: "joe"@d, "j\oe"@d and joe@d are one. Postfix takes comments, blanks and a final dot off as
 * well, and an address without a domain as user%host or host!user for user@host (swap_bangpath, allow_percent_hack).
 */
#ifndef PENSTOCK_ADDRESS_H
#define PENSTOCK_ADDRESS_H

#include "policy/account.h"

/* The address in `raw` (as address_of takes it) without quotes, comments and blanks; the domain is behind the last '@'.
 * Letters keep their case, a +tag stays: account_name sees to both. False where it was cut. */
bool address_normal(const char *raw, char normal[ADDRESS_MAX + 1]);

/* Where a host that takes `normal` as its own sends it on: user%host@d, host!user@d and "user@host"@d to user@host.
 * False where its local part says nothing of that. `normal` and `routed` may be the same. */
bool address_routed(const char *normal, char routed[ADDRESS_MAX + 1]);

/* Is the domain `name` the domain `domain`, or below it? In any case. */
bool domain_within(const char *name, const char *domain);

/* Did a forwarder rewrite it, so that SPF holds for his own domain (Sender Rewriting Scheme)? SRS0=...@ and SRS1=...@,
 * and Exchange Online's user+SRS=...@. */
bool address_forwarded(const char *normal);

/* `normal` without what tells one message from the next:
 *   a signature    prvs=TAG=user@d (BATV), btv1==TAG==user@d, msprvs1=TAG=user@d    user@d
 *   a recipient    news-return-17-bob=example.net@d, list-bounces+bob=example.net@d (VERP),
 * OWNER-NEWS*bob**example.net@d the words before it that have no digit: news-return@d, list-bounces@d, OWNER-NEWS@d a
 * random one   24 hexadecimal digits and more, digits and letters: those before it likewise Where no word is left, as
 * of SES's senders or SRS0=...@d, "@d". By syntax alone: whose name is proven has no such tag, and is not to go through
 * this. Addresses that are told apart by their tags alone become one. `untagged` is another than `normal`. */
void address_untagged(const char *normal, char untagged[ADDRESS_MAX + 1]);

#endif

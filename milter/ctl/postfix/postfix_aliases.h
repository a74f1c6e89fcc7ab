/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_aliases: which domains of this host have aliases that lead away from it and are counted as local, because
 * Postfix names the mailer of an address before it looks for an alias. Reads its tables as far as they can be listed.
 */
#ifndef PENSTOCK_POSTFIX_ALIASES_H
#define PENSTOCK_POSTFIX_ALIASES_H

struct postfix_check;

void check_aliases(struct postfix_check *check);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * group: whose limit it is: an account's, or that of a group in which the account's mail is counted, too.
 */
#ifndef PENSTOCK_GROUP_H
#define PENSTOCK_GROUP_H

#include <stdbool.h>

/* One message is counted in all of them that have a limit. */
#define SCOPE_ROWS(ROW) \
	ROW(ACCOUNT, "account") \
	ROW(DOMAIN, "domain")	  /* of the account's name */ \
	ROW(CUSTOMER, "customer") /* whom the account's key `limits` names in its field `customer` */ \
	ROW(SERVER, "server")	  /* all that this Redis serves */ \
	ROW(BOUNCE, "bounce")	  /* the account's mail with the sender <> */ \
	ROW(FORWARD, "forward")	  /* the account's mail that it forwards for others */ \
	ROW(CLIENT, "client")	  /* an address from which accounts are only claimed, whatever the sender */

/* clang-format off */
enum scope {
#define SCOPE_ENUM(id, word) SCOPE_##id,
	SCOPE_ROWS(SCOPE_ENUM)
#undef SCOPE_ENUM
	SCOPE_COUNT
};
/* clang-format on */

const char *scope_word(enum scope scope);

enum { CUSTOMER_MAX = 100 }; /* bytes of a customer's name */

/* Of a name in account_name()'s form. SCOPE_ACCOUNT: it is no group. */
enum scope account_scope(const char *name);
bool account_is_group(const char *name);

#endif

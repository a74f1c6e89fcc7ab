/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_door: which services of Postfix ask how a client or an account stands (the maps throttle, account-throttle
 * and starttls), and whether they should: each by its own map, none of people who log in, and with processes to spare.
 */
#ifndef PENSTOCK_POSTFIX_DOOR_H
#define PENSTOCK_POSTFIX_DOOR_H

#include <stdbool.h>

struct postfix_check;

enum { DOOR_LISTS = 7 };
extern const char *const door_lists[DOOR_LISTS]; /* lists of restrictions */

void check_door(struct postfix_check *check);

/* Where the first restriction of ours is in a list of restrictions ("check_client_access TABLE"), or the first of our
 * maps in a list of tables; false: nowhere. */
bool door_find_restriction(const struct postfix_check *check, const char *list, const char **at_out,
			   const char **end_out);
bool door_find_map(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zone_list: the entries of our block list, and what becomes of them when somebody looked anew. No file, no clock, no
 * lock: those are zone.c's.
 */
#ifndef PENSTOCK_ZONE_LIST_H
#define PENSTOCK_ZONE_LIST_H

#include "milter/clients/zone.h"
#include "milter/config/config.h"

struct zone_list {
	struct zone_entry *entries; /* owned; in the order of their addresses, each once */
	size_t count, room;
	size_t left_out; /* that zone_list_add had no room for */
};

/* Takes no more than ZONE_MOST. Not in order; zone_list_sort() makes it so, where one client comes twice with the worse
 * of its codes. */
void zone_list_add(struct zone_list *list, const struct zone_entry *entry);
void zone_list_sort(struct zone_list *list);
void zone_list_free(struct zone_list *list);

/* NULL: it is not in it. */
const struct zone_entry *zone_list_find(const struct zone_list *list, const struct netaddr *client);
/* Where the first entry behind `at` is. */
size_t zone_list_behind(const struct zone_list *list, const struct netaddr *at);

struct zone_rules {
	int64_t now_s, keep_s;
	const struct config *config;	/* for own networks; borrowed */
	const struct zone_list *exempt; /* that are not to be listed; borrowed, sorted */
};

/* What becomes of `list`: `found` are bad now, so they are on it, since they first were. Others leave it keep_s after
 * they were last found bad. A time ahead of now_s, as after a clock that went back, is now. False: no memory. */
bool zone_list_renew(const struct zone_list *list, const struct zone_list *found, const struct zone_rules *rules,
		     struct zone_list *next_out);

/* Would others be told the same by both? */
bool zone_list_same(const struct zone_list *a, const struct zone_list *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * subject: one address or one name, and all that DNS says of it at once: each list that knows such things, the text of
 * a listing, the origin and the names of an address. What check.h hands out of one subject is made here.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_SUBJECT_H
#define PENSTOCK_SUBJECT_H

#include "milter/lookup/check.h"
#include "milter/lookup/pump.h"

struct subject;

/* What all subjects of one check share. */
struct subject_owner {
	struct pump *pump;		       /* borrowed: it lives as long as any question of a subject */
	const struct check_settings *settings; /* likewise */
	bool brief;			       /* lists only, and of those only the ones that list */
	void (*emit)(struct subject_owner *owner, struct check_event *event);
	/* The last event of it is out: the owner frees it. */
	void (*done)(struct subject_owner *owner, struct subject *subject, const struct check_sums *sums);
};

struct subject_target {
	const struct netaddr *address; /* NULL: a name */
	const char *name;	       /* a name; NULL: an address */
	const char *from;	       /* see check_event */
	bool origin;		       /* the origin of an address is asked for even where `brief` */
};

/* Says CHECK_EVENT_TARGET and asks; `done` is called later. NULL: no memory, nothing was said. */
struct subject *subject_new(struct subject_owner *owner, const struct subject_target *target);
/* With the pump ended, or after `done`. Clears the pointer; NULL is fine. */
void subject_free(struct subject **subject);

/* Subjects of one owner, for the owner. */
void subject_link(struct subject **list, struct subject *subject);
void subject_unlink(struct subject *subject);

/* How many lists a subject of the family (NETADDR_UNKNOWN: a name) is looked up in. */
int subject_lists(const struct check_settings *settings, enum netaddr_family family);

#endif

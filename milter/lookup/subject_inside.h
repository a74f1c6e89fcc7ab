/* SPDX-License-Identifier: BSD-2-Clause
 *
 * subject_inside: what subject.c (the lists), subject_host.c (AS and names) and subject_say.c, which both use, share.
 */
#ifndef PENSTOCK_SUBJECT_INSIDE_H
#define PENSTOCK_SUBJECT_INSIDE_H

#include "milter/dns/asn.h"
#include "milter/lookup/subject.h"

struct text_lookup;

/* One list. */
struct slot {
	struct step step; /* first */
	struct list_question question;
	struct subject *subject;
	const struct list *list;
	int place;		  /* in the catalogue */
	bool against;		  /* it lists the subject, and is no allow list */
	struct text_lookup *text; /* owned; NULL: not asked */
};

/* AS and prefix, then the AS's name. */
struct origin_lookup {
	struct lookup lookup; /* first */
	struct subject *subject;
	struct asn origin;
};

/* PTR names, then their addresses. */
struct names_lookup {
	struct lookup lookup; /* first */
	struct subject *subject;
	int count, open;
	bool confirmed, unknown;
	struct confirm {
		struct lookup lookup; /* first; its name is the PTR name */
		struct names_lookup *names;
	} names[CHECK_NAMES_MAX];
};

struct subject {
	struct subject *next, **link;
	struct subject_owner *owner;
	struct netaddr address; /* NETADDR_UNKNOWN: a name */
	const char *reserved;	/* why nobody on the Internet has it; NULL: it may be anybody's. Borrowed for ever */
	char text[DNS_NAME_MAX + 1];
	char prefix[DNS_NAME_MAX + 1]; /* what stands before a list's zone */
	int64_t started_ms;
	int open; /* lists and look-ups without an answer */
	struct check_sums sums;
	struct origin_lookup *origin; /* owned; NULL: not asked */
	struct names_lookup *names;   /* likewise */
	int slot_count;
	struct slot slots[]; /* at least one */
};

/* ---- subject_say.c */

/* Tells the owner, with the subject filled in. */
void subject_emit(struct subject *subject, struct check_event *event);
/* One of those that are open has its answer; the last one ends the subject, which may then be gone. */
void subject_settle(struct subject *subject);
/* Tells the owner the sums, and that it is over; the subject may be gone afterwards. */
void subject_finish(struct subject *subject, const char *why);
/* Why no list is asked about it; NULL: some are, or none knows such addresses. */
const char *subject_why_unasked(const struct subject *subject);

/* subject_host.c: each opens a look-up, or none. */
void subject_ask_origin(struct subject *subject);
void subject_ask_names(struct subject *subject);

#endif

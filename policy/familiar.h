/* SPDX-License-Identifier: BSD-2-Clause
 *
 * familiar: what of a message is usual for its account: where it comes from, what it says, whom it goes to.
 */
#ifndef PENSTOCK_FAMILIAR_H
#define PENSTOCK_FAMILIAR_H

#include "policy/facts.h"

enum place {
	PLACE_UNKNOWN, /* of the client, or of the account, nothing is known */
	PLACE_OWN,     /* the account's own network */
	PLACE_NEAR,    /* another one of the same AS, or, where AS numbers are not known, of the same /16 (IPv6: /32) */
	PLACE_STRANGE,
};

/* Is it known not to be the account's own? */
static inline bool place_is_away(enum place place)
{
	return place == PLACE_NEAR || place == PLACE_STRANGE;
}

struct familiar {
	bool settled; /* the account is there for some days: a younger one has no habits to speak of */
	enum place place;
	bool as_unknown; /* place is told without AS numbers */
	bool program;	 /* one of the account's */
	bool text;	 /* one of the account's, and so is each host that its links name */
	bool home;     /* a settled person at his desk: from its own network, and it writes letters; not a program that
			* writes,     nor a client of ours, behind which (webmail) anybody may be */
	bool plain;    /* the scanner sees the text, and little that is bad in it */
	bool harmless; /* the scanner sees the text, and nothing bad in it */
	bool links;    /* it has some, and each host that they name is the account's: a new template of the
			* same shop, maybe */
	double fresh;  /* part of the recipients that it never wrote to; 0.5 where that is not known */
	/* Surely the owner's doing: what it shows may become habit. It comes from a place that the account has, or goes
	 * to nobody but people whom it knows (a known one beside each stranger is soon found); what comes in an
	 * account's first days is taken as it is. */
	bool homely;
};

/* `facts` with the account's history as it was before the message. */
struct familiar familiar_of(const struct facts *facts);

/* Score over threshold; NAN where no scanner said anything. */
double content_ratio(const struct content *content);

/* Part of the account's messages that are texts of its own; 0 where it sent few. */
double own_texts_share(const struct counters *counters);
#define OWN_TEXTS_MOST 0.7 /* from this share on, other texts are counted by themselves */
/* The program goes with what is odd about its HELO and header: an account that always sends by a bulk mailer does so by
 * habit. 0: nothing is known of it, and nothing odd. */
uint64_t familiar_program(const struct facts *facts);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * check: everything that DNS says of an address, a host name or a network, at once: all lists of the catalogue that
 * know such things, the origin of the address (AS number, its name, announced prefix, country: DNS origin zones), its
 * PTR names and whether they are forward-confirmed (RFC 8601 section 3). Answers are handed out as they come.
 *
 * Of a host name, its A and AAAA records and those of its MX hosts (8 at most) are checked, at most CHECK_ADDRESSES_MAX
 * (the error of the end tells where there are more), and the name itself is looked up in the lists of domains. Of a
 * network (IPv4, /20 at most) every address is checked, a bounded number at a time: its listings only, and the origin
 * of the first one. All questions leave DNS room for the mail (pump.h), and wait where there is none.
 *
 * Loop thread only, but for check_parse.
 */
#ifndef PENSTOCK_CHECK_H
#define PENSTOCK_CHECK_H

#include "milter/blocklist/lists.h"
#include "policy/netaddr.h"

struct check;
struct engine;

enum {
	CHECK_QUERY_MAX = 300,	  /* bytes of what is typed in */
	CHECK_ADDRESSES_MAX = 32, /* of one host name */
	CHECK_PREFIX_LEAST = 20,
	CHECK_INFLIGHT = 32, /* addresses at a time */
	CHECK_NAMES_MAX = 8, /* PTR names looked at */
};

enum check_kind { CHECK_ADDRESS, CHECK_NAME, CHECK_NETWORK };

struct check_target {
	enum check_kind kind;
	struct netaddr address; /* of a network: its first address */
	int prefix;		/* of a network */
	char name[254];		/* of a host name: lower case, without a dot at its end */
};

/* What was typed in: blanks around it are cut, a mail address is its domain, "[192.0.2.1]" and "http://host/..." are
 * understood. `public_only`: private, reserved, multicast and loopback addresses are refused with the reason (RFC
 * 6890). False with a sentence in `error`, which repeats at most 60 bytes of `text`, printable ones. */
bool check_parse(const char *text, bool public_only, struct check_target *target_out, char *error, size_t error_size);

/* How many addresses it comes to: what a limit of rate counts. Those of a host name are not known yet: it counts as 8,
 * and may come to CHECK_ADDRESSES_MAX and the name itself. */
int check_cost(const struct check_target *target);

enum check_event_kind {
	CHECK_EVENT_BEGIN,  /* first: target, lists */
	CHECK_EVENT_TARGET, /* an address (or the name itself) that is checked now: subject, from */
	CHECK_EVENT_LIST,   /* one list's answer of one subject; of a network only listings */
	CHECK_EVENT_TEXT,   /* the TXT record of a listing: subject, list, text */
	CHECK_EVENT_ORIGIN, /* AS and prefix of an address */
	CHECK_EVENT_PTR,
	CHECK_EVENT_SUBJECT, /* all of one subject is there: its sums; with `why` where no list was asked of it */
	CHECK_EVENT_END,     /* last: sums over all subjects; `error` where something is missing in them */
};

struct check_sums {
	/* Lists; an allow listing counts as clean. For END subjects: listed anywhere, on no list, without any answer,
	 * not asked about. A list without weight makes nothing listed. */
	int listed, clean, unknown, skipped;
	int noted;     /* lists without weight that name it; for END those of `clean` that only such lists name */
	double weight; /* of the listings that are no allow listing: listings_weight */
};

/* Adds a subject's sums to those of END. */
void check_sums_add(struct check_sums *to, const struct check_sums *subject);

/* All pointers are borrowed for the call. */
struct check_event {
	enum check_event_kind kind;
	const char *subject; /* an address as text, or the name */
	const char *from;    /* TARGET: "A", "AAAA", "MX mail.example.com"; "" for what was asked itself */
	const struct check_target *target; /* BEGIN */
	int lists, subjects;		   /* BEGIN: how many lists, and subjects where known, else 0 */
	/* LIST, TEXT */
	const struct list *list;
	const struct list_answer *answer;						  /* LIST */
	enum check_said { CHECK_CLEAN, CHECK_LISTED, CHECK_UNKNOWN, CHECK_SKIPPED } said; /* LIST */
	enum list_kind listed_as; /* LIST, where listed: the worst of its codes */
	const char *text;	  /* TEXT: printable, cut */
	/* ORIGIN */
	uint32_t as_number;			/* 0: not known */
	const char *as_name, *prefix, *country; /* "": not known */
	/* PTR */
	const char *const *names;
	int name_count;
	enum { CHECK_CONFIRM_UNKNOWN, CHECK_CONFIRMED, CHECK_UNCONFIRMED } confirmed;
	/* SUBJECT, END */
	struct check_sums sums;
	int64_t took_ms;
	const char *why;   /* SUBJECT: no list is asked about the address ("private"); NULL: some were */
	const char *error; /* END: one sentence; NULL: none */
};

struct check_settings {
	/* Borrowed until check_end. Where it is freed while questions are under way the check ends with an error; one
	 * that is paused must have been ended before. */
	struct engine *engine;
	struct lists *lists;			  /* borrowed */
	const char *origin4, *origin6, *as_names; /* zones; "": not asked. Borrowed */
	bool public_only;			  /* addresses that names lead to, too */
	bool ours; /* an address of ours: what of a list's budget is kept for mail is for it, too */
};

typedef void check_listener(void *arg, const struct check_event *event);

/* Begins; events come from a later turn of the loop on. NULL: no memory. */
struct check *check_start(struct loop *loop, const struct check_settings *settings, const struct check_target *target,
			  check_listener *listener, void *arg);
/* While paused no further address is begun; what is under way goes on. For a listener that cannot write. */
void check_pause(struct check *check, bool paused);
/* No event comes any more; needed after END too. May be called from the listener. Clears the pointer; NULL is fine. */
void check_end(struct check **check);

#endif

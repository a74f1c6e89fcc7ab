/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listing: what a block list's answer means, RFC 5782. Pure: names and addresses in, meaning out.
 */
#ifndef PENSTOCK_LISTING_H
#define PENSTOCK_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* id, word */
#define LIST_KIND_ROWS(ROW) \
	ROW(NONE, "none") \
	ROW(EXPLOIT, "exploit")	      /* the host is taken over */ \
	ROW(POLICY, "policy")	      /* the host should not send directly: a dial-up line */ \
	ROW(SPAM, "spam")	      /* the host sent spam */ \
	ROW(AUTH, "auth")	      /* the host has no PTR name, or a bad one */ \
	ROW(REPUTATION, "reputation") /* a hint, no more */ \
	ROW(ALLOW, "allow")	      /* the host is known to be good */ \
	ROW(DOMAIN, "domain")	      /* a bad domain */

/* clang-format off */
enum list_kind {
#define LIST_KIND_ENUM(id, word) LIST_##id,
	LIST_KIND_ROWS(LIST_KIND_ENUM)
#undef LIST_KIND_ENUM
	LIST_KIND_COUNT
};
/* clang-format on */

/* What a list may do to a stranger: id, word */
#define LIST_ACTION_ROWS(ROW) \
	ROW(SIGNAL, "signal") /* a fact for the log and the reputation */ \
	ROW(REFUSE, "refuse") /* 5xx at MAIL, naming the list */

/* clang-format off */
enum list_action {
#define LIST_ACTION_ENUM(id, word) LIST_ACTION_##id,
	LIST_ACTION_ROWS(LIST_ACTION_ENUM)
#undef LIST_ACTION_ENUM
	LIST_ACTION_COUNT
};
/* clang-format on */

/* Whose address it is that the lists were asked about. */
enum client_kind {
	CLIENT_KIND_UNKNOWN, /* nobody has said yet */
	CLIENT_STRANGER,
	CLIENT_OWN_NETWORK,   /* without a login, from a network of ours or of a subscriber */
	CLIENT_AUTHENTICATED, /* by login or certificate, or on this host itself */
	CLIENT_KIND_COUNT
};

/* What a listing says of a client: one table, kind of listing by kind of client. A dial-up line of our own network is
 * no news, nor is a customer's hotel on a list of spam sources his fault; but an address that is taken over gives away
 * whoever logs in from it, and a thief of passwords uses good networks too. */
enum listing_fact {
	LISTING_NOTHING,   /* nothing, or not known whose the client is */
	LISTING_SHOWN,	   /* for the log only */
	LISTING_AGAINST,   /* a stranger may be refused for it: the list's action is refuse */
	LISTING_EXPLOITED, /* the account behind it is suspicious */
	LISTING_FOR,	   /* no list refuses him */
};

enum {
	LIST_CODES_MAX = 16,
	LIST_ERRORS_MAX = 4,
	LISTS_MAX = 256, /* those of the catalogue included */
	LISTING_HITS_MAX = 16,
	LIST_ZONE_MAX = 180, /* bytes */
	LIST_NAME_MAX = 63,
	LIST_WEB_MAX = 200, /* bytes of an address of the web, and of terms */
};

struct list_code {
	uint32_t first, last; /* A record values, host order */
	enum list_kind kind;
};

/* Answers by which a list refuses to tell: first and last, host order. Never a listing, whatever `codes` says. */
struct list_error {
	uint32_t first, last;
};

struct list {
	char name[LIST_NAME_MAX + 1];	    /* short, for people, logs and metrics; the zone where it has none */
	char zone[LIST_ZONE_MAX + 1];	    /* for people: without the subscriber's key */
	char asked_zone[LIST_ZONE_MAX + 1]; /* as it is asked, with the key: a secret */
	enum list_kind kind;		    /* of codes that no row of `codes` covers; NONE: those are not listings */
	struct list_code codes[LIST_CODES_MAX];
	int code_count;
	struct list_error errors[LIST_ERRORS_MAX]; /* besides 127.255.255.0/24 */
	int error_count;
	double weight;		  /* how much a listing counts, 1: one message's worth; see listings_weight */
	const struct list *whole; /* the list that has all of this one's data in it; NULL: none. Borrowed */
	enum list_action action;
	bool mail; /* asked about the clients of messages; else only when its state is looked up */
	bool test; /* it has the test entries of RFC 5782 section 5 */
	char test_name[LIST_NAME_MAX + 1]; /* of a list of domains, the name that it lists for tests; "": not known */
	bool ipv4, ipv6, domain;	   /* what it knows */
	bool private;	/* it is asked about addresses that nobody on the Internet has, too: the admin's own */
	int64_t budget; /* questions a day (UTC) that it may be asked; 0: no end */
	char site[LIST_WEB_MAX + 1], removal[LIST_WEB_MAX + 1], terms[LIST_WEB_MAX + 1]; /* "": not known */
};

struct listing {
	const struct list *list; /* borrowed from the configuration */
	enum list_kind kind;
};

/* All that is known of one client address. Zeroed: nothing asked, nothing known. */
struct listings {
	bool asked;
	int unknown;  /* lists that gave no answer in time */
	int hijacked; /* lists whose answer was outside 127/8: no list says that, see listings_close */
	int hit_count;
	struct listing
		hits[LISTING_HITS_MAX]; /* where there are more, those that no verdict can miss: see listings_add */
};

enum list_meaning { ANSWER_UNKNOWN, ANSWER_CLEAN, ANSWER_LISTED };

/* Adds what `list` answered. `codes` are the A records, host order; with none the address is not listed. An answer
 * that is an error of the list is its refusing us, one outside 127/8 a hijacked resolver: both unknown. Of too many
 * listings the mildest goes that has another of its kind and action: exploits stay longest, and no verdict changes. */
enum list_meaning listings_add(struct listings *listings, const struct list *list, const uint32_t *codes, size_t count);

/* After the last of `lists`. Where one answer was outside 127/8 a resolver lies, and no other answer is to be
 * believed either: all are unknown. */
void listings_close(struct listings *listings, int lists);

/* An answer outside 127/8; one of 127.255.255.0/24, by which any list refuses us, or one of the list's errors. */
bool listing_code_lies(uint32_t code);
bool list_code_refuses(const struct list *list, uint32_t code);

/* What the lists that list one address or name weigh together. What is in a whole too is not counted twice: the weight
 * of a part is left out where its whole is among `lists`. Allow lists weigh nothing here: leave them out. */
double listings_weight(const struct list *const *lists, int count);

enum listing_fact listing_means(const struct listing *listing, enum client_kind client);

/* The heaviest listing that says so of the client, of those that weigh the same the first; NULL: none. */
const struct listing *listings_meaning(const struct listings *listings, enum client_kind client,
				       enum listing_fact fact);

/* Reads "127.0.0.2 spam", "127.0.0.4-127.0.0.7 exploit"; without a kind, "127.0.0.1",
 * "127.255.255.252-127.255.255.255". */
bool list_code_parse(const char *text, struct list_code *code_out);
bool list_error_parse(const char *text, struct list_error *error_out);

const struct listing *listings_find(const struct listings *listings, enum list_kind kind);

const char *list_kind_word(enum list_kind kind);
enum list_kind list_kind_find(const char *word); /* LIST_NONE where there is none */

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * factline: one line of text for what the judge knew of a message, and what it said; written by the daemon, read by
 * `penstockctl replay`. Version 2.
 *
 *   M2 t=1700006400000 a=alice@example.com so=auth ... wa=pass wl=good wp=clean .
 *
 * A letter (M a message, F feedback, learnt later of an account, S what was remembered of an account before its next
 * line), the version, words `key=value`, and a dot that says that the line is whole. A key that the reader does not
 * know is skipped, one that is missing is unknown. No key of version 2 ever changes its meaning. What a stranger chose
 * is written with %XX for each byte that could break the line.
 */
#ifndef PENSTOCK_FACTLINE_H
#define PENSTOCK_FACTLINE_H

#include "policy/facts.h"
#include "policy/verdict.h"

enum {
	FACTLINE_VERSION = 2,
	FACTLINE_MAX = 4096, /* bytes of a line, without its end */
	FACTLINE_DOMAIN_MAX = 255,
};

/* id, letter */
#define FACTLINE_KIND_ROWS(ROW) \
	ROW(MESSAGE, 'M') \
	ROW(FEEDBACK, 'F') \
	ROW(STATE, 'S')

/* clang-format off */
enum factline_kind {
#define FACTLINE_KIND_ENUM(id, letter) FACTLINE_##id,
	FACTLINE_KIND_ROWS(FACTLINE_KIND_ENUM)
#undef FACTLINE_KIND_ENUM
	FACTLINE_KIND_COUNT
};
/* clang-format on */

/* The verdict as it was. */
struct factline_was {
	enum action action;
	enum reason_id cause; /* of another action than pass */
	enum level level;
	double score;
	char pool[TRANSPORT_NAME_MAX + 1]; /* "" : none */
};

struct factline {
	enum factline_kind kind;
	enum stage stage; /* of a message: where its verdict fell; 0: unknown */
	/* Of the state: limits of its own and, of kind STATE, the history. Reasons of a block and an exemption are not
	 * written, that there is one is. `limits`, `transports`, `charged` and a breach of the account's own limits are
	 * not written: the reader's own policy gives them. */
	struct facts facts;
	struct factline_was was;
	enum counter counter;			  /* of a report: which */
	double count;				  /* ... and how many */
	char spf_domain[FACTLINE_DOMAIN_MAX + 1]; /* facts.spf.domain points here when the line was read */
};

/* Gives the list that a line names, with what it was when the line was written; NULL: leave this listing out. */
typedef const struct list *factline_list(void *arg, const char *name, enum list_kind kind, double weight,
					 enum list_action action);

/* Returns the length, 0 where the line would be longer than FACTLINE_MAX. No end of line is written. */
size_t factline_write(const struct factline *line, char bytes[FACTLINE_MAX + 1]);

enum factline_end {
	FACTLINE_FINE,
	FACTLINE_SKIPPED, /* empty, a comment (#), or of a kind that this version does not know */
	FACTLINE_DAMAGED,
	FACTLINE_OTHER_VERSION,
};

/* `bytes` without the end of line. `find_list` NULL: listings are left out. */
enum factline_end factline_read(const char *bytes, size_t length, factline_list *find_list, void *arg,
				struct factline *line_out);

/* A name that tells nobody who it is: 16 digits from the name and a secret (hash_keyed). */
void factline_hide(const uint64_t key[2], const char *name, char hidden[17]);

#endif

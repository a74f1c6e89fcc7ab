/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quick: what the files of quick share. The policy alone over a dump of a world of run.pl: see README.
 */
#ifndef PENSTOCK_QUICK_H
#define PENSTOCK_QUICK_H

#include "milter/config/config.h"
#include "milter/message/body.h"
#include "milter/message/rcpts.h"
#include "policy/known.h"

/* ---- the dump (quick_dump.c); all strings are borrowed from its files, which are never freed */

struct quick_message {
	const char *id, *bytes;	      /* header and body with LF or CRLF; NULL: there is none */
	size_t header_length, length; /* of the header, with the empty line; of both */
	const char *first_rcpts;      /* of the first event that sends it: its To is that one's */
	double score;
	bool scored, spam;
	struct quick_text *text; /* what quick_facts.c found; NULL: nobody looked yet */
};

struct quick_account {
	const char *name, *kind, *thief; /* thief: of what kind; "": none */
	int64_t created_s;		 /* Unix time; 0: unknown */
	struct history history;		 /* as Redis holds it */
	unsigned char known[KNOWN_MAP_BYTES];
	size_t known_length; /* of its key of recipients; 0: there is none */
	int64_t noted_ms;    /* when it was refused for a limit last; 0: never */
};

struct quick_event {
	int64_t t;
	struct quick_account *account;
	const char *kind, *class, *nth, *client, *helo, *from, *author, *mailer;
	char *rcpts; /* with commas between */
	struct quick_message *message;
	bool dead;
	const char *told; /* what the world answers */
};

struct quick_dump {
	struct quick_event *events;
	size_t count;
	struct quick_account **accounts;
	size_t account_count;
};

void quick_dump_read(const char *folder, struct quick_dump *dump);
/* The AS number of an address as the dump has it; 0: none. */
uint32_t quick_dump_as(const struct netaddr *client);
/* Where the world begins: Unix time of t = 0. */
extern int64_t quick_begin_s;

void quick_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *quick_take(size_t size); /* zeroed */

/* ---- options */

/* Who is told what the world answers: see README. */
enum quick_circle {
	CIRCLE_DEAD /* dead recipients that the event names alone */,
	CIRCLE_NONE,
	CIRCLE_REPORT,
	CIRCLE_FOLLOW,
	CIRCLE_ALL
};

struct quick_options {
	enum quick_circle circle;
	bool no_as, no_scanner, no_rounding, verbose;
	bool noted_for_ever;  /* as a daemon whose monotonic clock stands still */
	const char *explains; /* an account; NULL: none */
};
extern struct quick_options quick_options;
extern const uint64_t quick_key[2];

/* ---- one message (quick_facts.c) */

struct quick_at_hand {
	struct facts facts;
	struct rcpts rcpts;
	struct arena arena;
	struct known known;
	bool known_known;
	char from[ADDRESS_MAX + 1]; /* in idn_address()'s form */
};

/* At MAIL; as milter/message/gather.c, without recipients. */
void quick_facts_mail(const struct config *config, const struct quick_event *event, struct quick_at_hand *hand);
/* One recipient more. */
void quick_facts_rcpt(struct quick_at_hand *hand, const char *raw);
/* At the end of the message. */
void quick_facts_message(const struct config *config, const struct quick_event *event, struct quick_at_hand *hand);

/* ---- what Redis does (quick_store.c) */

struct quick_asked {
	struct charge charge;
	uint64_t fingerprint, who;
	bool bad;
	const uint32_t *new_known;
	int new_known_count;
};

struct breach quick_store_charge(struct quick_account *account, const struct charge *charge);
void quick_store_learn(struct quick_account *account, const uint32_t *rcpts, int count);
/* Counts the message; what is known of the others. */
struct campaign quick_store_campaign(uint64_t fingerprint, uint64_t who, bool bad, int64_t now_s);
/* The history as it is when it was written and read once. */
void quick_store_round(struct quick_account *account);

/* ---- what is told later (quick_told.c) */

enum { TOLD_AFTER_S = 60 }; /* by somebody who reads the log */

void quick_told_add(int64_t t, struct quick_account *account, enum counter counter);
/* All that is due by then. */
void quick_told_until(int64_t t);
/* What the world answers to an event that has left. */
void quick_told_world(const struct quick_event *event);

/* ---- output (quick_show.c) */

void quick_show(const struct quick_event *event, const struct quick_at_hand *hand, const struct verdict *verdict);

#endif

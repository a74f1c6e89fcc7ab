/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quits: mail that Penstock holds until the session that brought it ends (clients.require_quit). Which queue ids an
 * smtpd session has made is known from its `client=` lines, that one of them waits from Penstock's own line, and how
 * the session ended from `disconnect`; these may stand in any order. Ended with QUIT, or by the server: it is released;
 * without: deleted.
 *
 * Nothing waits for ever: what has had no end for QUITS_WAIT_S of the log's time is released, and so is what is too
 * much. Everything here hangs on the lines alone; to have it done is quits_act.h's. Who logged in never waits, and is
 * not in here.
 */
#ifndef PENSTOCK_FOLLOW_QUITS_H
#define PENSTOCK_FOLLOW_QUITS_H

#include "milter/base/queue_id.h"
#include "milter/follow/log_event.h"
#include "milter/follow/sessions.h"

struct checkpoint;
struct checkpoint_row;
struct quits;

enum {
	QUITS_MOST = 50000,	/* messages of sessions that are open, and those that wait; some 200 bytes each */
	QUITS_WAIT_S = 3600,	/* no session is so long but one whose end was not seen */
	QUITS_LATE_S = 300,	/* so long behind a session's end Penstock's line may still come */
	QUITS_LISTED_MAX = 400, /* reference and account, as the list of held mail has them */
};

/* Why a message is done with. */
#define QUITS_WHY_ROWS(ROW) \
	ROW(QUITS_QUIT, "quit", "its session ended with QUIT") \
	ROW(QUITS_CUT, "cut", "the server ended its session") \
	ROW(QUITS_HUNG_UP, "hung_up", "its session ended without QUIT") \
	ROW(QUITS_UNSEEN, "unseen", "no end of its session was seen within an hour") \
	ROW(QUITS_FULL, "full", "too many messages wait")

/* clang-format off */
#define QUITS_WHY_ENUM(id, word, sentence) id,
enum quits_why { QUITS_WHY_ROWS(QUITS_WHY_ENUM) QUITS_WHYS };
#undef QUITS_WHY_ENUM
/* clang-format on */
const char *quits_why_word(enum quits_why why);
const char *quits_why_sentence(enum quits_why why);
/* Else it is released. */
bool quits_why_deletes(enum quits_why why);

struct quits *quits_new(size_t most); /* NULL: no memory */
void quits_free(struct quits **quits);

/* The next line; `news` is what sessions_hear() said of it. */
void quits_hear(struct quits *quits, const struct log_event *event, const struct session_news *news);

/* One that is to be released or deleted. The strings are the table's, until it is changed. */
struct quits_due {
	const char *queue_id;
	const char *listed; /* "REFERENCE ACCOUNT" of the list of held mail; "": not known */
	struct netaddr client;
	enum quits_why why;
};

/* The first `most` that are due to be deleted or not, in their order; how many. They stay due. */
int quits_due(const struct quits *quits, bool deletes, int most, struct quits_due *due);
/* It was asked for, and is no longer due. */
void quits_done(struct quits *quits, const char *queue_id);

struct quits_counts {
	size_t messages;	  /* now, all of them ... */
	size_t waiting;		  /* ... that wait for their session's end */
	size_t due;		  /* ... that are to be released or deleted */
	uint64_t why[QUITS_WHYS]; /* messages for which it was found, since the log was followed first */
};
struct quits_counts quits_counts(const struct quits *quits);

/* Rows of the checkpoint file. quits_load() is false where the row is none of it. */
void quits_save(const struct quits *quits, struct checkpoint *to);
bool quits_load(struct quits *quits, const struct checkpoint_row *row);

#endif

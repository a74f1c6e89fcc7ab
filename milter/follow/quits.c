/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages by queue id and by session, in chains; and for each state a list in the order of coming into it, by which
 * they are given up, handed out and saved.
 */
#include "milter/follow/quits.h"

#include "milter/base/own_hash.h"
#include "milter/follow/checkpoint.h"
#include "policy/account.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define QUITS_ROW "quit"
#define QUITS_COUNT_ROW "quits"

enum { QUITS_CHAINS = 16384, QUITS_FIELDS = 8, QUITS_PASSED_AT_ONCE = 2 };

/* id, word in the checkpoint */
#define QUIT_STATE_ROWS(ROW) \
	ROW(QUIT_BEGUN, "begun") /* its session is open, and Penstock's line has not come */ \
	ROW(QUIT_ENDED, "ended") /* its session is over, and Penstock's line has not come */ \
	ROW(QUIT_WAITS, "waits") /* Penstock's line has come, and its session is open, or not known */ \
	ROW(QUIT_DUE, "due")

/* clang-format off */
#define QUIT_STATE_ENUM(id, word) id,
enum quit_state { QUIT_STATE_ROWS(QUIT_STATE_ENUM) QUIT_STATES };
#undef QUIT_STATE_ENUM
#define QUIT_STATE_WORD(id, word) [id] = word,
static const char *const quit_states[] = { QUIT_STATE_ROWS(QUIT_STATE_WORD) };
#undef QUIT_STATE_WORD
/* clang-format on */

struct quit {
	char queue_id[QUEUE_ID_MOST + 1];
	uint64_t session; /* 0: not known */
	struct netaddr client;
	enum quit_state state;
	enum quits_why why; /* of QUIT_ENDED and QUIT_DUE */
	int64_t since_us;   /* in this state */
	char *listed;	    /* owned; NULL: not known */
	struct quit *next_of_id, *next_of_session;
	struct quit *older, *newer; /* in its state */
};

struct quits {
	size_t most;
	struct quit *by_id[QUITS_CHAINS], *by_session[QUITS_CHAINS];
	struct quit *oldest[QUIT_STATES], *newest[QUIT_STATES];
	size_t in_state[QUIT_STATES];
	struct quits_counts counts;
};

/* ---- words */

struct quits_why_row {
	const char *word, *sentence;
};

static const struct quits_why_row quits_whys[] = {
#define QUITS_WHY_ROW(id, word, sentence) [id] = { word, sentence },
	QUITS_WHY_ROWS(QUITS_WHY_ROW)
#undef QUITS_WHY_ROW
};

const char *quits_why_word(enum quits_why why)
{
	return quits_whys[why].word;
}

const char *quits_why_sentence(enum quits_why why)
{
	return quits_whys[why].sentence;
}

bool quits_why_deletes(enum quits_why why)
{
	return why == QUITS_HUNG_UP;
}

/* ---- the tables */

static struct quit **quits_place(struct quits *quits, const char *id, size_t length)
{
	struct quit **place = &quits->by_id[own_hash(id, length, 'i') % QUITS_CHAINS];
	while (*place != NULL && (strlen((*place)->queue_id) != length || memcmp((*place)->queue_id, id, length) != 0))
		place = &(*place)->next_of_id;
	return place;
}

static struct quit **quits_session_place(struct quits *quits, const struct quit *quit)
{
	struct quit **place = &quits->by_session[quit->session % QUITS_CHAINS];
	while (*place != NULL && *place != quit)
		place = &(*place)->next_of_session;
	return place;
}

static void quits_unlist(struct quits *quits, struct quit *quit)
{
	*(quit->older != NULL ? &quit->older->newer : &quits->oldest[quit->state]) = quit->newer;
	*(quit->newer != NULL ? &quit->newer->older : &quits->newest[quit->state]) = quit->older;
	quits->in_state[quit->state]--;
}

static void quits_list(struct quits *quits, struct quit *quit, enum quit_state state, int64_t now_us)
{
	quit->state = state;
	quit->since_us = now_us;
	quit->newer = NULL;
	quit->older = quits->newest[state];
	*(quit->older != NULL ? &quit->older->newer : &quits->oldest[state]) = quit;
	quits->newest[state] = quit;
	quits->in_state[state]++;
}

static void quits_remove(struct quits *quits, struct quit *quit)
{
	struct quit **place = quits_place(quits, quit->queue_id, strlen(quit->queue_id));
	*place = quit->next_of_id;
	place = quits_session_place(quits, quit);
	*place = quit->next_of_session;
	quits_unlist(quits, quit);
	quits->counts.messages--;
	free(quit->listed);
	free(quit);
}

static void quits_set_due(struct quits *quits, struct quit *quit, enum quits_why why, int64_t now_us)
{
	quits_unlist(quits, quit);
	quits_list(quits, quit, QUIT_DUE, now_us);
	quit->why = why;
	quits->counts.why[why]++;
}

/* What does not wait, or what has waited for longest, makes room. */
static void quits_make_room(struct quits *quits, int64_t now_us)
{
	if (quits->counts.messages < quits->most)
		return;
	if (quits->oldest[QUIT_ENDED] != NULL)
		quits_remove(quits, quits->oldest[QUIT_ENDED]);
	else if (quits->oldest[QUIT_BEGUN] != NULL)
		quits_remove(quits, quits->oldest[QUIT_BEGUN]);
	else if (quits->oldest[QUIT_WAITS] != NULL)
		quits_set_due(quits, quits->oldest[QUIT_WAITS], QUITS_FULL, now_us);
}

/* NULL: no memory, or the table has nothing but what is due. */
static struct quit *quits_add(struct quits *quits, const struct span *id, enum quit_state state, uint64_t session,
			      int64_t now_us)
{
	if (id->at == NULL || id->length > QUEUE_ID_MOST)
		return NULL;
	quits_make_room(quits, now_us);
	struct quit *quit = quits->counts.messages < 2 * quits->most ? calloc(1, sizeof *quit) : NULL;
	if (quit == NULL)
		return NULL;
	span_copy(quit->queue_id, sizeof quit->queue_id, *id);
	quit->session = session;
	*quits_place(quits, id->at, id->length) = quit;
	*quits_session_place(quits, quit) = quit;
	quits_list(quits, quit, state, now_us);
	quits->counts.messages++;
	return quit;
}

static struct quit *quits_find(struct quits *quits, const struct span *id)
{
	return id->at != NULL ? *quits_place(quits, id->at, id->length) : NULL;
}

/* ---- lines */

static void quits_begin(struct quits *quits, const struct log_event *event, const struct session_news *news)
{
	struct quit *known = quits_find(quits, &event->queue_id);
	if (known != NULL && known->state == QUIT_WAITS && known->session == 0) { /* Penstock's line came first */
		*quits_session_place(quits, known) = known->next_of_session;
		known->session = news->number;
		known->client = news->client;
		known->next_of_session = NULL;
		*quits_session_place(quits, known) = known;
		return;
	}
	if (known != NULL) /* an id that is used again is another message */
		quits_remove(quits, known);
	if (news->authenticated || news->number == 0)
		return;
	known = quits_add(quits, &event->queue_id, QUIT_BEGUN, news->number, event->time_us);
	if (known != NULL)
		known->client = news->client;
}

static enum quits_why quits_why_of(enum session_end end)
{
	return end == SESSION_QUIT ? QUITS_QUIT : end == SESSION_HUNG_UP ? QUITS_HUNG_UP : QUITS_CUT;
}

static void quits_end_session(struct quits *quits, const struct session_news *news, int64_t now_us)
{
	struct quit *next;
	for (struct quit *quit = quits->by_session[news->number % QUITS_CHAINS]; quit != NULL; quit = next) {
		next = quit->next_of_session;
		if (quit->session != news->number)
			continue;
		if (quit->state == QUIT_WAITS) {
			quits_set_due(quits, quit, quits_why_of(news->end), now_us);
		} else if (quit->state == QUIT_BEGUN) {
			quits_unlist(quits, quit);
			quits_list(quits, quit, QUIT_ENDED, now_us);
			quit->why = quits_why_of(news->end);
		}
	}
}

/* The list of held mail has "NODE QUEUEID REFERENCE ACCOUNT" (milter/record/held.h). */
static void quits_note_listed(struct quit *quit, const struct log_event *event)
{
	char account[ACCOUNT_MAX + 1], listed[QUITS_LISTED_MAX];
	struct text text = text_over(listed, sizeof listed);
	if (event->reference.length == 0 || event->account.at == NULL ||
	    !account_of_word(event->account.at, event->account.length, account))
		return;
	text_add_bytes(&text, event->reference.at, event->reference.length);
	text_addf(&text, " %s", account);
	free(quit->listed);
	quit->listed = text.cut ? NULL : strdup(listed);
}

static void quits_verdict(struct quits *quits, const struct log_event *event)
{
	struct quit *quit = quits_find(quits, &event->queue_id);
	if (!event->waits) {
		if (quit != NULL && quit->state != QUIT_DUE)
			quits_remove(quits, quit);
		return;
	}
	if (quit == NULL)
		quit = quits_add(quits, &event->queue_id, QUIT_WAITS, 0, event->time_us);
	if (quit == NULL || quit->state == QUIT_DUE)
		return;
	quits_note_listed(quit, event);
	if (quit->state == QUIT_ENDED) {
		quits_set_due(quits, quit, quit->why, event->time_us);
	} else if (quit->state == QUIT_BEGUN) {
		quits_unlist(quits, quit);
		quits_list(quits, quit, QUIT_WAITS, event->time_us);
	}
}

/* It has left the queue, or an admin has taken it off hold: it is not ours any more. */
static void quits_forget(struct quits *quits, const struct span *id)
{
	struct quit *quit = quits_find(quits, id);
	if (quit != NULL)
		quits_remove(quits, quit);
}

static bool quits_is_over(const struct quit *quit, int64_t most_s, int64_t now_us)
{
	return quit != NULL && now_us - quit->since_us > most_s * 1000000;
}

/* A few at once, so that one line with a wrong date does not empty the table. */
static void quits_pass(struct quits *quits, int64_t now_us)
{
	for (int i = 0; i < QUITS_PASSED_AT_ONCE; i++) {
		if (quits_is_over(quits->oldest[QUIT_WAITS], QUITS_WAIT_S, now_us))
			quits_set_due(quits, quits->oldest[QUIT_WAITS], QUITS_UNSEEN, now_us);
		if (quits_is_over(quits->oldest[QUIT_BEGUN], QUITS_WAIT_S, now_us))
			quits_remove(quits, quits->oldest[QUIT_BEGUN]);
		if (quits_is_over(quits->oldest[QUIT_ENDED], QUITS_LATE_S, now_us))
			quits_remove(quits, quits->oldest[QUIT_ENDED]);
	}
}

void quits_hear(struct quits *quits, const struct log_event *event, const struct session_news *news)
{
	quits_pass(quits, event->time_us);
	switch (event->kind) {
	case LOG_CLIENT:
		quits_begin(quits, event, news);
		break;
	case LOG_VERDICT:
		quits_verdict(quits, event);
		break;
	case LOG_REJECTED:
		if (event->gone)
			quits_forget(quits, &event->queue_id);
		break;
	case LOG_REMOVED:
	case LOG_RELEASED:
		quits_forget(quits, &event->queue_id);
		break;
	case LOG_REQUEUED:
		quits_forget(quits, &event->orig_id);
		break;
	case LOG_SESSION_END:
		if (news->number != 0)
			quits_end_session(quits, news, event->time_us);
		break;
	default:
		break;
	}
}

/* ---- what is to be done */

int quits_due(const struct quits *quits, bool deletes, int most, struct quits_due *due)
{
	int count = 0;
	for (const struct quit *quit = quits->oldest[QUIT_DUE]; quit != NULL && count < most; quit = quit->newer)
		if (quits_why_deletes(quit->why) == deletes)
			due[count++] = (struct quits_due){ .queue_id = quit->queue_id,
							   .listed = quit->listed != NULL ? quit->listed : "",
							   .client = quit->client,
							   .why = quit->why };
	return count;
}

void quits_done(struct quits *quits, const char *queue_id)
{
	struct span id = { queue_id, strlen(queue_id) };
	struct quit *quit = quits_find(quits, &id);
	if (quit != NULL && quit->state == QUIT_DUE)
		quits_remove(quits, quit);
}

struct quits_counts quits_counts(const struct quits *quits)
{
	struct quits_counts counts = quits->counts;
	counts.waiting = quits->in_state[QUIT_WAITS];
	counts.due = quits->in_state[QUIT_DUE];
	return counts;
}

/* ---- life */

struct quits *quits_new(size_t most)
{
	struct quits *quits = calloc(1, sizeof *quits);
	if (quits != NULL)
		quits->most = most;
	return quits;
}

void quits_free(struct quits **quits)
{
	if (*quits == NULL)
		return;
	for (int state = 0; state < QUIT_STATES; state++)
		while ((*quits)->oldest[state] != NULL)
			quits_remove(*quits, (*quits)->oldest[state]);
	free(*quits);
	*quits = NULL;
}

/* ---- the checkpoint */

void quits_save(const struct quits *quits, struct checkpoint *to)
{
	for (int why = 0; why < QUITS_WHYS; why++) {
		checkpoint_row_begin(to, QUITS_COUNT_ROW);
		checkpoint_add_string(to, quits_whys[why].word);
		checkpoint_add_int(to, (int64_t)quits->counts.why[why]);
		checkpoint_row_end(to);
	}
	for (int state = 0; state < QUIT_STATES; state++)
		for (const struct quit *quit = quits->oldest[state]; quit != NULL; quit = quit->newer) {
			char client[NETADDR_TEXT_MAX];
			netaddr_text(&quit->client, client);
			checkpoint_row_begin(to, QUITS_ROW);
			checkpoint_add_string(to, quit->queue_id);
			checkpoint_add_string(to, quit_states[state]);
			checkpoint_add_string(to, quits_whys[quit->why].word);
			checkpoint_add_int(to, (int64_t)quit->session);
			checkpoint_add_int(to, quit->since_us);
			checkpoint_add_string(to, client);
			checkpoint_add_string(to, quit->listed != NULL ? quit->listed : "");
			checkpoint_row_end(to);
		}
}

static int quits_find_why(const char *word)
{
	int why = 0;
	while (why < QUITS_WHYS && strcmp(quits_whys[why].word, word) != 0)
		why++;
	return why;
}

static bool quits_load_one(struct quits *quits, const struct checkpoint_row *row)
{
	int state = 0, why = quits_find_why(checkpoint_string(row, 3));
	int64_t session, since_us;
	while (state < QUIT_STATES && strcmp(quit_states[state], checkpoint_string(row, 2)) != 0)
		state++;
	if (row->count != QUITS_FIELDS || state == QUIT_STATES || why == QUITS_WHYS ||
	    !queue_id_fine(checkpoint_string(row, 1)) || !checkpoint_int(row, 4, &session) ||
	    !checkpoint_int(row, 5, &since_us) || quits_find(quits, &row->fields[1]) != NULL)
		return false;
	struct quit *quit = quits_add(quits, &row->fields[1], (enum quit_state)state, (uint64_t)session, since_us);
	if (quit == NULL)
		return false;
	quit->why = (enum quits_why)why;
	netaddr_parse(checkpoint_string(row, 6), &quit->client);
	quit->listed = row->fields[7].length > 0 ? strdup(checkpoint_string(row, 7)) : NULL;
	return true;
}

bool quits_load(struct quits *quits, const struct checkpoint_row *row)
{
	int64_t count;
	if (span_is(row->fields[0], QUITS_ROW))
		return quits_load_one(quits, row);
	int why = quits_find_why(checkpoint_string(row, 1));
	if (!span_is(row->fields[0], QUITS_COUNT_ROW) || row->count != 3 || !checkpoint_int(row, 2, &count) ||
	    count < 0)
		return false;
	if (why < QUITS_WHYS)
		quits->counts.why[why] = (uint64_t)count;
	return true;
}

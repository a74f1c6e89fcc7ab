/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/receiver.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

#define COUNTS_HALF_MS (12 * 3600 * 1000.0)
#define EVIDENCE_HALF_MS (6 * 3600 * 1000.0)
/* A receiver that changes its mind is heard whatever it said of a thousand messages before: of older answers each new
 * one leaves so much. */
#define EVIDENCE_LEFT 0.95
#define PUT_OFF 0.5 /* the same message comes again, and says the same again */

/* The share of refusals is judged as if ten in a hundred of five answers had been some (a Beta prior). */
#define PRIOR_AGAINST 0.5
#define PRIOR_FOR 4.5
#define REST_LEAST 6.0	/* of evidence against it: one reply that was read wrongly is nothing */
#define REST_SHARE 0.25 /* of the newest answers, a standard deviation below what is likeliest */

enum {
	S_MS = 1000,
	TRIES_TAKEN = 8, /* messages that are taken, after which it is free again */
	TRIES_AGAINST = 2,
	TRIES_SHARE = 4, /* one in so many refused is enough */
	RESTS_MOST = 6,
	FORGETS_MS = 3 * 24 * 3600 * 1000, /* free for so long, it rests as briefly as others */
	REFUSED_MS = 12 * 3600 * 1000,	   /* so long a sender's refusal stands beside another's */
	REFUSED_LEAST = 2,		   /* senders, where so many write */
};

#define HEARD_MS (30 * INT64_C(86400000)) /* who has not written for so long does not write */
#define BACK_MOST_MS (RECEIVER_BACK_MOST_S * INT64_C(1000))

static const struct {
	const char *word;
	double against;
} receiver_count_rows[RECEIVER_COUNTS] = {
#define RECEIVER_COUNT_ROW(id, word, against) [RECEIVER_##id] = { word, against },
	RECEIVER_COUNT_ROWS(RECEIVER_COUNT_ROW)
#undef RECEIVER_COUNT_ROW
};

static const char *const receiver_state_words[RECEIVER_STATES] = {
#define RECEIVER_STATE_WORD(id, word) [RECEIVER_##id] = word,
	RECEIVER_STATE_ROWS(RECEIVER_STATE_WORD)
#undef RECEIVER_STATE_WORD
};

const char *receiver_count_word(enum receiver_count count)
{
	return receiver_count_rows[count].word;
}

const char *receiver_state_word(enum receiver_state state)
{
	return receiver_state_words[state];
}

/* ---- what is remembered */

static void receiver_decay(struct receiver_row *row, int64_t now_ms)
{
	double passed_ms = (double)(now_ms - row->at_ms);
	if (passed_ms <= 0)
		return;
	double left = exp2(-passed_ms / COUNTS_HALF_MS), evidence_left = exp2(-passed_ms / EVIDENCE_HALF_MS);
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		row->counts[i] *= left;
	row->against *= evidence_left;
	row->for_it *= evidence_left;
	row->at_ms = now_ms;
}

double receiver_volume(const struct receiver_row *row, int64_t now_ms, double counts_out[RECEIVER_COUNTS])
{
	struct receiver_row now = *row;
	double volume = 0;
	receiver_decay(&now, now_ms);
	for (int i = 0; i < RECEIVER_COUNTS; i++) {
		counts_out[i] = now.counts[i];
		volume += now.counts[i];
	}
	return volume;
}

/* One line of printable ASCII, whatever it was. */
static void receiver_keep_wording(struct receiver_row *row, const char *wording, size_t length, int64_t now_ms)
{
	size_t kept = length < RECEIVER_WORDING_MAX ? length : RECEIVER_WORDING_MAX;
	if (wording == NULL || length == 0)
		return;
	for (size_t i = 0; i < kept; i++)
		row->wording[i] = wording[i] >= ' ' && wording[i] <= '~' ? wording[i] : '?';
	row->wording[kept] = '\0';
	row->worded_ms = now_ms;
}

double receiver_refused_share(const struct receiver_row *row)
{
	return (row->against + PRIOR_AGAINST) / (row->against + row->for_it + PRIOR_AGAINST + PRIOR_FOR);
}

/* ---- the states */

static void receiver_enter(struct receiver_row *row, enum receiver_state state, int64_t since_ms, int64_t until_ms)
{
	row->state = state;
	row->since_ms = since_ms;
	row->until_ms = until_ms;
	row->tried = row->refused = 0;
	row->against = row->for_it = 0;
	for (int i = 0; i < RECEIVER_SENDERS; i++)
		row->senders[i].refused_ms = 0;
}

static void receiver_begin_rest(struct receiver_row *row, int64_t now_ms)
{
	int64_t length_s = RECEIVER_REST_FIRST_S;
	if (row->state == RECEIVER_FREE && now_ms - row->since_ms >= FORGETS_MS)
		row->rests = 0;
	for (int i = 0; i < row->rests && length_s < RECEIVER_REST_MOST_S; i++)
		length_s *= 2;
	if (length_s > RECEIVER_REST_MOST_S)
		length_s = RECEIVER_REST_MOST_S;
	if (row->rests < RESTS_MOST)
		row->rests++;
	receiver_enter(row, RECEIVER_RESTS, now_ms, now_ms + length_s * S_MS);
}

enum receiver_state receiver_rests(const struct receiver_row *row, int64_t now_ms)
{
	if (row->state == RECEIVER_FREE || now_ms < row->until_ms)
		return row->state;
	if (row->state == RECEIVER_RESTS && now_ms - row->until_ms < (int64_t)RECEIVER_TRIES_MOST_S * S_MS)
		return RECEIVER_TRIES;
	return RECEIVER_FREE;
}

static void receiver_right_clock(struct receiver_row *row, int64_t now_ms)
{
	if (row->at_ms - now_ms > BACK_MOST_MS)
		*row = (struct receiver_row){ .at_ms = now_ms };
}

bool receiver_pass(struct receiver_row *row, int64_t now_ms)
{
	enum receiver_state before = row->state;
	receiver_right_clock(row, now_ms);
	if (row->state == RECEIVER_RESTS && now_ms >= row->until_ms)
		receiver_enter(row, RECEIVER_TRIES, row->until_ms,
			       row->until_ms + (int64_t)RECEIVER_TRIES_MOST_S * S_MS);
	if (row->state == RECEIVER_TRIES && now_ms >= row->until_ms)
		receiver_enter(row, RECEIVER_FREE, row->until_ms, 0);
	return row->state != before;
}

/* ---- senders */

int receiver_senders(const struct receiver_row *row, int64_t now_ms)
{
	int count = 0;
	for (int i = 0; i < RECEIVER_SENDERS; i++)
		count += row->senders[i].who != 0 && now_ms - row->senders[i].heard_ms < HEARD_MS;
	return count;
}

/* Who was not heard of for longest gives way. */
static void receiver_hear_sender(struct receiver_row *row, uint64_t who, bool against, int64_t now_ms)
{
	struct receiver_sender *sender = &row->senders[0];
	for (int i = 0; i < RECEIVER_SENDERS && sender->who != who; i++)
		if (row->senders[i].who == who || row->senders[i].heard_ms < sender->heard_ms)
			sender = &row->senders[i];
	if (who == 0)
		return;
	if (sender->who != who)
		*sender = (struct receiver_sender){ .who = who };
	sender->heard_ms = now_ms;
	if (against)
		sender->refused_ms = now_ms;
}

/* Do as many senders say so as may be asked for? One who is alone speaks for himself. */
static bool receiver_is_agreed(const struct receiver_row *row, int64_t now_ms)
{
	int refused = 0, write = receiver_senders(row, now_ms);
	for (int i = 0; i < RECEIVER_SENDERS; i++)
		refused += row->senders[i].refused_ms != 0 && now_ms - row->senders[i].refused_ms < REFUSED_MS;
	return refused >= (write < REFUSED_LEAST ? write : REFUSED_LEAST);
}

/* ---- evidence */

/* Is the share of refusals surely a large one? The lower end of the posterior: its mean less its deviation. */
static bool receiver_is_refused(const struct receiver_row *row)
{
	double share = receiver_refused_share(row);
	double of = row->against + row->for_it + PRIOR_AGAINST + PRIOR_FOR;
	return row->against >= REST_LEAST && share - sqrt(share * (1 - share) / (of + 1)) >= REST_SHARE;
}

/* An answer that speaks for or against the address. */
static void receiver_weigh(struct receiver_row *row, double against, int64_t now_ms)
{
	row->against = row->against * EVIDENCE_LEFT + fmax(against, 0);
	row->for_it = row->for_it * EVIDENCE_LEFT + fmax(-against, 0);
	if (row->state == RECEIVER_TRIES) {
		row->tried++;
		row->refused += fmax(against, 0);
		if (row->refused >= TRIES_AGAINST && row->refused * TRIES_SHARE >= row->tried &&
		    receiver_is_agreed(row, now_ms))
			receiver_begin_rest(row, now_ms);
		else if (row->tried - row->refused >= TRIES_TAKEN)
			receiver_enter(row, RECEIVER_FREE, now_ms, 0);
	} else if (row->state == RECEIVER_FREE && receiver_is_refused(row) && receiver_is_agreed(row, now_ms)) {
		receiver_begin_rest(row, now_ms);
	}
}

bool receiver_hear(struct receiver_row *row, const struct receiver_answer *answer, int64_t now_ms)
{
	if (answer->count >= RECEIVER_COUNTS)
		return false;
	receiver_right_clock(row, now_ms);
	if (now_ms < row->at_ms)
		now_ms = row->at_ms;
	bool changed = receiver_pass(row, now_ms);
	enum receiver_state before = row->state;
	double against = receiver_count_rows[answer->count].against;
	receiver_decay(row, now_ms);
	row->counts[answer->count]++;
	receiver_hear_sender(row, answer->sender, against > 0, now_ms);
	if (answer->count != RECEIVER_DELIVERED)
		receiver_keep_wording(row, answer->wording, answer->wording_length, now_ms);
	if (against > 0 && !answer->final)
		against *= PUT_OFF;
	if (against > 0 || against < 0)
		receiver_weigh(row, against, now_ms);
	return changed || row->state != before;
}

/* ---- pools */

static bool receiver_is_out(const struct receiver_rest *rest, bool tries)
{
	return rest->state == RECEIVER_RESTS || (rest->state == RECEIVER_TRIES && !tries);
}

const struct transport *receiver_withhold(const struct pool *pool, const struct receiver_rest *rests, bool tries,
					  struct transport_state *states)
{
	int best = -1;
	bool serves = false;
	for (int i = 0; i < pool->transport_count; i++) {
		if (states[pool->transports[i].index].withheld >= TRANSPORT_OUT)
			continue;
		if (!receiver_is_out(&rests[i], tries))
			serves = true;
		else if (best < 0 || rests[i].refused_share < rests[best].refused_share)
			best = i;
	}
	for (int i = 0; (serves || best >= 0) && i < pool->transport_count; i++)
		states[pool->transports[i].index].rests = receiver_is_out(&rests[i], tries) && (serves || i != best);
	return serves || best < 0 ? NULL : &pool->transports[best];
}

int receiver_withheld(int receivers_resting)
{
	static const struct {
		int receivers, withheld;
	} steps[] = { { 5, 90 }, { 3, 50 } };
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (receivers_resting >= steps[i].receivers)
			return steps[i].withheld;
	return 0;
}

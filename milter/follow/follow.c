/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/follow.h"

#include "milter/follow/behaviour.h"
#include "milter/follow/credit.h"
#include "milter/follow/notes.h"
#include "milter/follow/receiver_name.h"
#include "milter/follow/receivers.h"
#include "milter/follow/replies.h"
#include "milter/follow/tally.h"
#include "milter/follow/trace.h"
#include "policy/account.h"
#include "policy/base/text.h"
#include "policy/receiver_outcome.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

bool follow_init(struct follow *follow, const struct follow_parts *parts)
{
	*follow = (struct follow){ .parts = *parts };
	follow->map = queue_map_new(QUEUE_MAP_MOST);
	follow->waiting = waiting_new();
	follow->sessions = sessions_new();
	follow->quits = quits_new(QUITS_MOST);
	return follow->map != NULL && follow->waiting != NULL && follow->sessions != NULL && follow->quits != NULL;
}

void follow_release(struct follow *follow)
{
	queue_map_free(&follow->map);
	waiting_free(&follow->waiting);
	sessions_free(&follow->sessions);
	quits_free(&follow->quits);
}

/* ---- a delivery */

/* What a line says of all its recipients. */
struct follow_outcome {
	const struct log_event *event;
	const struct queued *queued; /* NULL: nobody's that Penstock knows */
	struct reply_class class;
	char receiver[RECEIVER_NAME_MAX + 1];
	char transport[128];
	bool final;
};

static void follow_tell_receivers(struct follow *follow, const struct follow_outcome *outcome, const struct span *rcpt)
{
	char domain[RECEIVERS_DOMAIN_MAX + 1] = "";
	const char *at = rcpt != NULL && rcpt->length > 0 ? memrchr(rcpt->at, '@', rcpt->length) : NULL;
	if (at != NULL &&
	    !span_copy(domain, sizeof domain, (struct span){ at + 1, (size_t)(rcpt->at + rcpt->length - at - 1) }))
		domain[0] = '\0'; /* a part of it would be another one */
	const struct receivers_answer answer = {
		.transport = outcome->transport,
		.receiver = outcome->receiver,
		.domain = domain,
		.count = receiver_count_of(outcome->class.outcome, outcome->final),
		.final = outcome->final,
		.sender = outcome->queued == NULL		 ? NULL
			  : outcome->queued->customer[0] != '\0' ? outcome->queued->customer
								 : outcome->queued->account,
		.wording = outcome->event->text.at,
		.wording_length = outcome->event->text.length,
		.time_ms = outcome->event->time_us / 1000,
	};
	if (receivers_hear(follow->parts.receivers, &answer))
		follow->rests_changed = true;
}

/* Of one recipient; `rcpt` NULL: the line does not name any. */
static void follow_rcpt(struct follow *follow, const struct follow_outcome *outcome, const struct span *rcpt)
{
	if (outcome->queued != NULL && follow->parts.trace != NULL)
		trace_delivery(follow->parts.trace, outcome->queued, rcpt, outcome->event, &outcome->class,
			       outcome->receiver);
	if (follow->parts.receivers != NULL)
		follow_tell_receivers(follow, outcome, rcpt);
}

static void follow_count(struct follow *follow, const struct follow_outcome *outcome, int64_t rcpts)
{
	follow->counts.outcomes[outcome->class.outcome] += (uint64_t)rcpts;
	*(outcome->queued != NULL ? &follow->counts.ours : &follow->counts.others) += (uint64_t)rcpts;
	if (outcome->class.unknown_wording) {
		follow->counts.wordings++;
		samples_add(&follow->wordings, (struct span){ 0 }, outcome->event->text);
	}
	if (follow->parts.accounts == NULL)
		return;
	char row[TALLY_WORD_MAX];
	struct text text = text_over(row, sizeof row);
	text_addf(&text, "%s\t%s\t%s\t%s", outcome->queued != NULL ? outcome->queued->account : "-",
		  outcome_word(outcome->class.outcome), outcome->transport[0] != '\0' ? outcome->transport : "-",
		  outcome->receiver[0] != '\0' ? outcome->receiver : "-");
	tally_add(follow->parts.accounts, row, (double)rcpts);
}

/* All of one account by one line is one credit. */
static void follow_credit(struct follow *follow, const struct follow_outcome *outcome, int64_t rcpts)
{
	double counts[COUNTER_COUNT] = { 0 };
	if (outcome->queued == NULL || follow->parts.credit == NULL)
		return;
	struct outcome_credit credit = outcome_credit_of(outcome->class.outcome, outcome->final);
	if (credit.count == 0)
		return;
	counts[credit.counter] = credit.count * (double)rcpts;
	credit_add(follow->parts.credit, outcome->queued->account, follow->ordinal, counts);
}

static void follow_take_waiting(struct follow *follow, const struct span *queue_id);

/* A filter gave the message back, and what becomes of it is said under another id. */
static void follow_pass_on(struct follow *follow, const struct log_event *event)
{
	const struct log_event moved = {
		.kind = LOG_REQUEUED, .time_us = event->time_us, .queue_id = event->other_id, .orig_id = event->queue_id
	};
	if (!queue_map_passed_on(follow->map, &event->queue_id, &event->other_id))
		return;
	if (follow->parts.trace != NULL)
		trace_requeued(follow->parts.trace, &moved);
	follow_take_waiting(follow, &event->other_id);
}

/* LOG_DELIVERY or LOG_EXPIRED. */
static void follow_delivery(struct follow *follow, const struct log_event *event, const struct queued *queued)
{
	struct follow_outcome outcome = { .event = event, .queued = queued };
	if (event->status == LOG_STATUS_DELIVERABLE || event->status == LOG_STATUS_UNDELIVERABLE)
		return; /* an address was tried, and no message sent */
	outcome.final = event->status == LOG_STATUS_SENT || event->status == LOG_STATUS_BOUNCED ||
			event->status == LOG_STATUS_EXPIRED;
	receiver_name(follow->parts.replies, event, outcome.receiver);
	replies_class(follow->parts.replies, outcome.receiver, event, &outcome.class);
	if (event->transport.at != NULL)
		span_copy(outcome.transport, sizeof outcome.transport, event->transport);
	else if (queued != NULL)
		text_copy(outcome.transport, sizeof outcome.transport, queued->transport);
	int64_t rcpts = 0;
	if (event->kind == LOG_EXPIRED) {
		rcpts = queued != NULL ? queued_left(queued) : 1;
		follow_rcpt(follow, &outcome, NULL);
	} else {
		struct span rest = event->rcpt, rcpt;
		for (; log_event_rcpt(event, &rest, &rcpt); rcpts++)
			follow_rcpt(follow, &outcome, &rcpt);
	}
	follow_count(follow, &outcome, rcpts);
	if (event->suspended)
		return;
	follow_credit(follow, &outcome, rcpts);
	if (queued != NULL && event->other_id.at != NULL && event->relay_address.at != NULL)
		follow_pass_on(follow, event);
	if (outcome.final && queued != NULL)
		queue_map_ended(follow->map, &event->queue_id, rcpts, event->time_us);
}

/* ---- messages */

/* A line that waited is about no message of ours. */
static void follow_orphan(struct follow *follow, struct waiting_line *line)
{
	struct log_event event;
	log_event_read(&line->head, &event);
	if (event.kind == LOG_DELIVERY || event.kind == LOG_EXPIRED)
		follow_delivery(follow, &event, NULL);
	free(line);
}

/* Lines that came before it was known whose message they are about. */
static void follow_take_waiting(struct follow *follow, const struct span *queue_id)
{
	for (struct waiting_line *line; (line = waiting_take(follow->waiting, queue_id)) != NULL; free(line)) {
		struct log_event earlier;
		log_event_read(&line->head, &earlier);
		const struct queued *queued = queue_map_find(follow->map, queue_id);
		if (earlier.kind == LOG_REMOVED || earlier.kind == LOG_REJECTED)
			queue_map_removed(follow->map, &earlier);
		else if (queued != NULL)
			follow_delivery(follow, &earlier, queued);
	}
}

static void follow_verdict(struct follow *follow, const struct log_event *event)
{
	char account[ACCOUNT_MAX + 1];
	if (event->account.at == NULL || !account_of_word(event->account.at, event->account.length, account))
		return;
	const struct queued *queued = queue_map_add(follow->map, event, account);
	if (follow->parts.trace != NULL)
		trace_message(follow->parts.trace, event, queued);
	if (queued == NULL || span_is(event->action, "reject") || span_is(event->action, "defer")) {
		queue_map_removed(follow->map, event);
		return;
	}
	follow_take_waiting(follow, &event->queue_id);
}

static void follow_event(struct follow *follow, const struct log_head *head, const struct log_event *event)
{
	const struct queued *queued;
	switch (event->kind) {
	case LOG_VERDICT:
		follow_verdict(follow, event);
		return;
	case LOG_MESSAGE_ID:
		trace_message_id(follow->parts.trace, event);
		return;
	case LOG_QUEUED:
		trace_message_id(follow->parts.trace, event);
		queue_map_queued(follow->map, event);
		return;
	case LOG_DELIVERY:
	case LOG_EXPIRED:
		queued = queue_map_find(follow->map, &event->queue_id);
		if (queued != NULL)
			follow_delivery(follow, event, queued);
		else if (event->queue_id.at != NULL)
			waiting_add(follow->waiting, &event->queue_id, head);
		return;
	case LOG_REMOVED:
		if (!queue_map_removed(follow->map, event) && waiting_has(follow->waiting, &event->queue_id))
			waiting_add(follow->waiting, &event->queue_id, head);
		return;
	case LOG_REJECTED: /* a milter behind us has: the queue manager will not say anything of it */
		if (event->gone && event->queue_id.at != NULL && !queue_map_removed(follow->map, event))
			waiting_add(follow->waiting, &event->queue_id, head);
		return;
	case LOG_REQUEUED:
		if (queue_map_requeued(follow->map, event) && follow->parts.trace != NULL)
			trace_requeued(follow->parts.trace, event);
		return;
	case LOG_LOST:
		follow->counts.lost += event->count > 0 ? (uint64_t)event->count : 1;
		return;
	default:
		return;
	}
}

/* What the client did, and what becomes of mail that waits for the end of its session. */
static void follow_client(struct follow *follow, const struct log_head *head, const struct log_event *event)
{
	struct session_news news;
	struct client_note notes[BEHAVIOUR_MOST];
	sessions_hear(follow->sessions, head, event, &news);
	quits_hear(follow->quits, event, &news);
	int count = behaviour_of(head, event, &news, notes);
	for (int i = 0; i < count; i++) {
		follow->counts.clients[notes[i].event]++;
		if (notes[i].event == CLIENT_EVENT_NO_QUIT)
			follow->counts.stages[notes[i].stage]++;
		if (follow->parts.notes != NULL)
			notes_add(follow->parts.notes, follow->ordinal, &notes[i]);
	}
}

void follow_line(struct follow *follow, const struct log_head *head, bool known)
{
	struct log_event event = { .kind = LOG_UNKNOWN };
	follow->ordinal++;
	follow->counts.lines++;
	if (known) {
		log_event_read(head, &event);
		follow->time_us = head->time_us;
		for (struct waiting_line *line; (line = waiting_pass(follow->waiting, head->time_us)) != NULL;)
			follow_orphan(follow, line);
		queue_map_pass(follow->map, head->time_us);
		follow_client(follow, head, &event);
	}
	follow->counts.kinds[event.kind]++;
	if (event.kind == LOG_UNKNOWN)
		samples_add(&follow->unknown, head->program, head->message);
	else
		follow_event(follow, head, &event);
}

void follow_end(struct follow *follow)
{
	for (struct waiting_line *line; (line = waiting_take_oldest(follow->waiting)) != NULL;)
		follow_orphan(follow, line);
}

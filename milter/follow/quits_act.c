/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/quits_act.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/config/config.h"
#include "milter/follow/queue_helper.h"
#include "milter/follow/quits.h"
#include "policy/base/text.h"
#include "redis-schema/store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { ACT_AT_ONCE = 50, ACT_AGAIN_MS = 5000 };

/* Of one message that was asked for. */
struct quits_act_item {
	char queue_id[QUEUE_ID_MOST + 1], client[NETADDR_TEXT_MAX];
	char member[16 + 1 + QUEUE_ID_MOST + 1 + QUITS_LISTED_MAX]; /* of the list of held mail; "": not known */
	enum quits_why why;
};

struct quits_act {
	struct event_base *base;
	const struct config *config;
	struct store *store;
	struct quits *quits;
	const char *node;
	struct queue_helper *helper; /* owned; NULL: nothing was asked */
	bool deletes;		     /* what was asked */
	int count;
	struct quits_act_item items[ACT_AT_ONCE];
	int64_t again_ms;
	bool refuses; /* the last request failed */
	struct quits_act_counts counts;
};

static void quits_act_fail(struct quits_act *act, const char *why)
{
	act->counts.failed++;
	if (!act->counts.failing)
		log_line(SEVERITY_WARNING,
			 "quit: %s: %s; mail that waits for the end of its session stays held until it answers",
			 act->config->set.follow_queue_socket, why);
	act->counts.failing = act->refuses = true;
	act->again_ms = clock_monotonic_ms() + ACT_AGAIN_MS;
}

/* ---- the answer */

static void quits_act_say(struct quits_act *act, const struct quits_act_item *item)
{
	bool deletes = quits_why_deletes(item->why);
	bool ends_well = deletes || item->why == QUITS_QUIT || item->why == QUITS_CUT;
	(*(deletes ? &act->counts.deleted : &act->counts.released))++;
	log_line(ends_well ? SEVERITY_INFO : SEVERITY_WARNING, "quit: %s of client %s is %s: %s", item->queue_id,
		 item->client, deletes ? "deleted" : "released", quits_why_sentence(item->why));
}

static bool quits_act_did(const char *said, bool deletes, const char *queue_id)
{
	char id[QUEUE_ID_MOST + 1];
	while (queue_helper_next(&said, deletes ? "removed" : "released from hold", id, sizeof id))
		if (strcmp(id, queue_id) == 0)
			return true;
	return false;
}

/* What postsuper(1) did not find on hold has left it by another hand. */
static void quits_act_done(void *arg, const char *error, const char *said)
{
	struct quits_act *act = arg;
	act->helper = NULL;
	if (error != NULL) {
		quits_act_fail(act, error);
		return;
	}
	act->counts.failing = act->refuses = false;
	for (int i = 0; i < act->count; i++) {
		if (quits_act_did(said, act->deletes, act->items[i].queue_id))
			quits_act_say(act, &act->items[i]);
		quits_done(act->quits, act->items[i].queue_id);
		if (act->items[i].member[0] != '\0')
			store_key_command(act->store, 3, (const char *[]){ "ZREM", "held", act->items[i].member }, NULL,
					  NULL);
	}
	quits_act_run(act, clock_monotonic_ms());
}

/* ---- the question */

static void quits_act_take(struct quits_act *act, const struct quits_due *due, struct text *request)
{
	struct quits_act_item *item = &act->items[act->count++];
	*item = (struct quits_act_item){ .why = due->why };
	text_copy(item->queue_id, sizeof item->queue_id, due->queue_id);
	netaddr_text(&due->client, item->client);
	if (due->listed[0] != '\0')
		snprintf(item->member, sizeof item->member, "%s %s %s", act->node, due->queue_id, due->listed);
	text_addf(request, "%s\n", due->queue_id);
}

static bool quits_act_begin(struct quits_act *act, bool deletes)
{
	struct quits_due due[ACT_AT_ONCE];
	char request[16 + ACT_AT_ONCE * (QUEUE_ID_MOST + 1)];
	struct text text = text_over(request, sizeof request);
	int count = quits_due(act->quits, deletes, ACT_AT_ONCE, due);
	if (count == 0)
		return false;
	text_add(&text, deletes ? "delete\n" : "release\n");
	act->deletes = deletes;
	act->count = 0;
	for (int i = 0; i < count; i++)
		quits_act_take(act, &due[i], &text);
	act->helper = queue_helper_ask(act->base, act->config->set.follow_queue_socket, request, quits_act_done, act);
	if (act->helper == NULL)
		quits_act_fail(act, strerror(errno));
	return true;
}

void quits_act_run(struct quits_act *act, int64_t now_ms)
{
	if (act->helper != NULL || now_ms < act->again_ms || quits_counts(act->quits).due == 0)
		return;
	if (!quits_act_begin(act, false))
		quits_act_begin(act, true);
}

void quits_act_tick(struct quits_act *act, int64_t now_ms)
{
	if (quits_counts(act->quits).due == 0)
		act->refuses = false; /* somebody else did it */
	if (!act->refuses)
		act->counts.failing = access(act->config->set.follow_queue_socket, W_OK) != 0;
	quits_act_run(act, now_ms);
}

struct quits_act_counts quits_act_counts(const struct quits_act *act)
{
	return act->counts;
}

struct quits_act *quits_act_new(struct event_base *base, const struct config *config, struct store *store,
				struct quits *quits, const char *node)
{
	struct quits_act *act = calloc(1, sizeof *act);
	if (act == NULL)
		return NULL;
	act->base = base;
	act->config = config;
	act->store = store;
	act->quits = quits;
	act->node = node;
	return act;
}

void quits_act_free(struct quits_act **act)
{
	if (*act == NULL)
		return;
	queue_helper_cancel(&(*act)->helper);
	free(*act);
	*act = NULL;
}

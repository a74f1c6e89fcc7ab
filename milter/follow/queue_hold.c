/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/queue_hold.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/own_hash.h"
#include "milter/base/queue_id.h"
#include "milter/config/config.h"
#include "milter/follow/checkpoint.h"
#include "milter/follow/queue_helper.h"
#include "milter/follow/queue_hold_tell.h"
#include "milter/follow/queue_map.h"
#include "policy/base/text.h"
#include "policy/judge.h"
#include "redis-schema/store/store.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define QUEUE_HOLD_ROW "held"

enum {
	QUEUE_HOLD_SLOTS = 4 * QUEUE_HOLD_ACCOUNTS, /* a power of two times 1000: more than enough for as many */
	QUEUE_HOLD_AGAIN_MS = 60000,		    /* what was not found in the queue is asked for again then */
};

/* What is known of a queue id, as a number in `ids`: it is held by us, or was asked for at that time (monotonic, ms).
 */
static const json_int_t queue_hold_ours = -1;

/* By what postsuper(1) says of each message. */
static const char *const queue_hold_said[] = {
	[QUEUE_HOLDS] = "placed on hold", [QUEUE_RELEASES] = "released from hold", [QUEUE_DELETES] = "removed"
};
static const char *const queue_hold_verbs[] = {
	[QUEUE_HOLDS] = "hold\n", [QUEUE_RELEASES] = "release\n", [QUEUE_DELETES] = "delete\n"
};

/* What is asked of one account, and then to be done. */
struct queue_hold_look {
	struct queue_hold_look *next;
	struct queue_hold *hold;
	bool wants;
	char account[ACCOUNT_MAX + 1], why[NOTE_MAX];
};

struct queue_hold {
	struct event_base *base;
	const struct config *config;
	const char *node;
	struct store *store;
	struct queue_map *map;
	json_t *ids;  /* owned */
	bool changed; /* what a checkpoint has */
	int64_t next_ms, now_ms;
	bool failed_now;		       /* in this turn */
	int64_t looked;			       /* messages of the map before this one had their turn */
	int asking;			       /* looks that have no answer yet */
	struct queue_hold_look *first, **last; /* those whose answer has its turn behind the request under way; owned */
	/* the request under way */
	struct queue_helper *helper; /* owned; NULL: none */
	enum queue_verb verb;
	char account[ACCOUNT_MAX + 1], why[NOTE_MAX];
	char *request; /* owned */
	struct queue_hold_counts counts;
};

/* Should its mail be on hold? */
static bool queue_hold_wants(const struct config *config, const char *account, const struct account_state *state,
			     int64_t now_ms)
{
	struct facts facts = { .now_ms = now_ms, .state = *state, .limits = limits_unset };
	text_copy(facts.account, sizeof facts.account, account);
	struct verdict verdict = judge_account(&config->policy, &facts);
	return verdict_is_blocked(&verdict);
}

/* ---- asking penstock-queue */

static void queue_hold_fail(struct queue_hold *hold, const char *why)
{
	hold->counts.failed++;
	if (!hold->counts.failing)
		log_line(SEVERITY_WARNING,
			 "queue: %s: %s; mail of blocked accounts that is in the queue leaves until that ends",
			 hold->config->set.follow_queue_socket, why);
	hold->counts.failing = hold->failed_now = true;
}

static void queue_hold_next(struct queue_hold *hold);

static void queue_hold_forget_looks(struct queue_hold *hold)
{
	for (struct queue_hold_look *look = hold->first, *next; look != NULL; look = next) {
		next = look->next;
		free(look);
	}
	hold->first = NULL;
	hold->last = &hold->first;
}

static void queue_hold_drop_request(struct queue_hold *hold)
{
	hold->helper = NULL;
	free(hold->request);
	hold->request = NULL;
}

/* An account of more messages than one request has is met again at the next turn. */
static void queue_hold_end_request(struct queue_hold *hold)
{
	queue_hold_drop_request(hold);
	hold->next_ms = 0;
	queue_hold_next(hold);
}

static void queue_hold_mark(struct queue_hold *hold, const char *id, json_int_t what)
{
	json_object_set_new(hold->ids, id, json_integer(what));
}

/* Nothing was done: what was asked for is due as before. */
static void queue_hold_forget_asked(struct queue_hold *hold)
{
	for (char *rest = hold->request, *line; hold->verb == QUEUE_HOLDS && (line = strsep(&rest, "\n")) != NULL;) {
		const json_t *known = json_object_get(hold->ids, line);
		if (known != NULL && json_integer_value(known) != queue_hold_ours)
			json_object_del(hold->ids, line);
	}
}

/* A line a message. What is released is forgotten whether it was found or not: it is none of ours any more. */
static void queue_hold_done(void *arg, const char *error, const char *said)
{
	struct queue_hold *hold = arg;
	char id[QUEUE_ID_MOST + 1];
	int64_t count = 0;
	if (error != NULL) {
		queue_hold_fail(hold, error);
		queue_hold_forget_asked(hold);
		queue_hold_drop_request(hold);
		queue_hold_forget_looks(hold); /* they are met again */
		return;
	}
	hold->counts.failing = false;
	for (const char *rest = said; queue_helper_next(&rest, queue_hold_said[hold->verb], id, sizeof id); count++)
		if (hold->verb == QUEUE_HOLDS)
			queue_hold_mark(hold, id, queue_hold_ours);
	for (char *rest = hold->request, *line; hold->verb != QUEUE_HOLDS && (line = strsep(&rest, "\n")) != NULL;)
		json_object_del(hold->ids, line);
	hold->changed = true;
	hold->counts.done[hold->verb] += (uint64_t)count;
	if (count > 0)
		queue_hold_tell(hold->store, hold->config, hold->node, hold->account, hold->verb, count, hold->why);
	queue_hold_end_request(hold);
}

/* ---- which messages */

struct queue_hold_choice {
	struct queue_hold *hold;
	struct text text;
	int count;
};

/* Only an admin's hours delete; by the time at which the message came, as the log has it. */
static bool queue_hold_is_over(const struct queue_hold *hold, const struct queued *queued)
{
	double hours = hold->config->set.follow_hold_hours;
	return hours > 0 && (double)(clock_now_ms() - queued->time_us / 1000) >= hours * 3600000;
}

static bool queue_hold_is_due(const struct queue_hold *hold, const struct queued *queued)
{
	const json_t *known = json_object_get(hold->ids, queued->queue_id);
	bool ours = known != NULL && json_integer_value(known) == queue_hold_ours;
	if (hold->verb != QUEUE_HOLDS)
		return ours && (hold->verb == QUEUE_RELEASES || queue_hold_is_over(hold, queued));
	return known == NULL ||
	       (json_integer_value(known) >= 0 && hold->now_ms - json_integer_value(known) >= QUEUE_HOLD_AGAIN_MS);
}

static bool queue_hold_choose(void *arg, const struct queued *queued)
{
	struct queue_hold_choice *choice = arg;
	struct queue_hold *hold = choice->hold;
	if (strcmp(queued->account, hold->account) != 0 || !queue_id_fine(queued->queue_id) ||
	    !queue_hold_is_due(hold, queued))
		return true;
	text_addf(&choice->text, "%s\n", queued->queue_id);
	if (hold->verb == QUEUE_HOLDS)
		queue_hold_mark(hold, queued->queue_id, hold->now_ms);
	return ++choice->count < QUEUE_HELPER_IDS;
}

/* Begins a request about the account's messages, where there are some. */
static void queue_hold_begin(struct queue_hold *hold, const char *account, enum queue_verb verb, const char *why)
{
	size_t size = 16 + (size_t)QUEUE_HELPER_IDS * (QUEUE_ID_MOST + 1);
	struct queue_hold_choice choice = { hold, { 0 }, 0 };
	hold->request = malloc(size);
	if (hold->request == NULL)
		return;
	choice.text = text_over(hold->request, size);
	hold->verb = verb;
	text_copy(hold->account, sizeof hold->account, account);
	text_copy(hold->why, sizeof hold->why, why);
	text_add(&choice.text, queue_hold_verbs[verb]);
	queue_map_each(hold->map, queue_hold_choose, &choice);
	if (choice.count > 0)
		hold->helper = queue_helper_ask(hold->base, hold->config->set.follow_queue_socket, hold->request,
						queue_hold_done, hold);
	if (choice.count > 0 && hold->helper == NULL) {
		queue_hold_fail(hold, strerror(errno));
		queue_hold_forget_asked(hold);
	}
	if (hold->helper == NULL)
		queue_hold_drop_request(hold);
}

/* ---- which accounts */

/* Has it mail that we hold? For most this spares a walk over all of the map. */
static bool queue_hold_has_held(const struct queue_hold *hold, const char *account)
{
	const char *id;
	json_t *what;
	json_object_foreach(hold->ids, id, what)
	{
		struct span span = { id, strlen(id) };
		const struct queued *queued = queue_map_find(hold->map, &span);
		if (json_integer_value(what) == queue_hold_ours && queued != NULL &&
		    strcmp(queued->account, account) == 0)
			return true;
	}
	return false;
}

static void queue_hold_next(struct queue_hold *hold)
{
	while (hold->first != NULL && hold->helper == NULL) {
		struct queue_hold_look *look = hold->first;
		hold->first = look->next;
		bool wants_old = look->wants && hold->config->set.follow_hold_hours > 0;
		bool held = (wants_old || !look->wants) && queue_hold_has_held(hold, look->account);
		if (look->wants || held)
			queue_hold_begin(hold, look->account, look->wants ? QUEUE_HOLDS : QUEUE_RELEASES, look->why);
		if (wants_old && held && hold->helper == NULL)
			queue_hold_begin(hold, look->account, QUEUE_DELETES, look->why);
		free(look);
	}
	if (hold->first == NULL)
		hold->last = &hold->first;
}

static void queue_hold_looked(void *arg, const struct account_state *state, const struct known *known)
{
	struct queue_hold_look *look = arg;
	struct queue_hold *hold = look->hold;
	(void)known;
	hold->asking--;
	if (state->known != KNOWLEDGE_FULL) {
		free(look);
		return;
	}
	look->wants = queue_hold_wants(hold->config, look->account, state, clock_now_ms());
	if (look->wants)
		text_copy(look->why, sizeof look->why, state->block[0] != '\0' ? state->block : "level");
	*hold->last = look;
	hold->last = &look->next;
	queue_hold_next(hold);
}

/* Accounts that were met in this turn, by hash: their names stand in the map. */
struct queue_hold_turn {
	struct queue_hold *hold;
	int64_t at;
	int count;
	const char *slots[QUEUE_HOLD_SLOTS];
};

static bool queue_hold_is_new(struct queue_hold_turn *turn, const char *account)
{
	size_t slot = own_hash_string(account, 'h') % QUEUE_HOLD_SLOTS;
	while (turn->slots[slot] != NULL && strcmp(turn->slots[slot], account) != 0)
		slot = (slot + 1) % QUEUE_HOLD_SLOTS;
	bool new = turn->slots[slot] == NULL;
	turn->slots[slot] = account;
	return new;
}

static bool queue_hold_meet(void *arg, const struct queued *queued)
{
	struct queue_hold_turn *turn = arg;
	if (turn->at++ < turn->hold->looked)
		return true;
	turn->hold->looked++;
	turn->count += queue_hold_is_new(turn, queued->account);
	return turn->count < QUEUE_HOLD_ACCOUNTS;
}

static void queue_hold_ask(struct queue_hold *hold, const char *account)
{
	struct queue_hold_look *look = calloc(1, sizeof *look);
	if (look == NULL)
		return;
	look->hold = hold;
	text_copy(look->account, sizeof look->account, account);
	hold->asking++;
	store_look(hold->store, account, queue_hold_looked, look);
}

void queue_hold_tick(struct queue_hold *hold, int64_t now_ms)
{
	bool off = !hold->config->set.follow_hold_blocked;
	if (off || hold->store == NULL || now_ms < hold->next_ms || hold->asking > 0 || hold->first != NULL ||
	    hold->helper != NULL)
		return;
	struct queue_hold_turn *turn = calloc(1, sizeof *turn);
	if (turn == NULL)
		return;
	hold->next_ms = now_ms + QUEUE_HOLD_MS;
	hold->now_ms = now_ms;
	hold->counts.failing = hold->failed_now; /* else nothing was to be done */
	hold->failed_now = false;
	turn->hold = hold;
	queue_map_each(hold->map, queue_hold_meet, turn);
	if (turn->count < QUEUE_HOLD_ACCOUNTS)
		hold->looked = 0; /* that was the last message */
	for (int i = 0; i < QUEUE_HOLD_SLOTS; i++)
		if (turn->slots[i] != NULL)
			queue_hold_ask(hold, turn->slots[i]);
	free(turn);
}

/* ---- */

struct queue_hold *queue_hold_new(const struct config *config)
{
	struct queue_hold *hold = calloc(1, sizeof *hold);
	json_t *ids = json_object();
	if (hold == NULL || ids == NULL) {
		free(hold);
		json_decref(ids);
		return NULL;
	}
	hold->config = config;
	hold->ids = ids;
	hold->last = &hold->first;
	return hold;
}

void queue_hold_start(struct queue_hold *hold, struct event_base *base, struct store *store, struct queue_map *map,
		      const char *node)
{
	hold->map = map;
	hold->base = base;
	hold->store = store;
	hold->node = node;
}

void queue_hold_free(struct queue_hold **hold)
{
	if (*hold == NULL)
		return;
	queue_helper_cancel(&(*hold)->helper);
	queue_hold_forget_looks(*hold);
	free((*hold)->request);
	json_decref((*hold)->ids);
	free(*hold);
	*hold = NULL;
}

bool queue_hold_changed(struct queue_hold *hold)
{
	bool changed = hold->changed;
	hold->changed = false;
	return changed;
}

struct queue_hold_counts queue_hold_counts(const struct queue_hold *hold)
{
	struct queue_hold_counts counts = hold->counts;
	const char *id;
	json_t *what;
	json_object_foreach(hold->ids, id, what) counts.held += json_integer_value(what) == queue_hold_ours;
	return counts;
}

/* What has left the queue is forgotten. */
void queue_hold_save(struct queue_hold *hold, struct checkpoint *to)
{
	const char *id;
	json_t *what;
	void *next;
	if (hold->map == NULL)
		return;
	json_object_foreach_safe(hold->ids, next, id, what)
	{
		struct span span = { id, strlen(id) };
		if (queue_map_find(hold->map, &span) == NULL) {
			json_object_del(hold->ids, id);
			continue;
		}
		if (json_integer_value(what) != queue_hold_ours)
			continue;
		checkpoint_row_begin(to, QUEUE_HOLD_ROW);
		checkpoint_add_string(to, id);
		checkpoint_row_end(to);
	}
}

bool queue_hold_load(struct queue_hold *hold, const struct checkpoint_row *row)
{
	if (!span_is(row->fields[0], QUEUE_HOLD_ROW) || row->count != 2 || !queue_id_fine(checkpoint_string(row, 1)))
		return false;
	queue_hold_mark(hold, checkpoint_string(row, 1), queue_hold_ours);
	return true;
}

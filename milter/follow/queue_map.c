/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of chains, and two lists of messages in the order in which they came: the one that is pushed out, and the
 * rows that are saved, go by that order and not by the table's, whose key is another one in each process.
 */
#include "milter/follow/queue_map.h"

#include "milter/base/own_hash.h"
#include "milter/base/queue_id.h"
#include "milter/follow/checkpoint.h"
#include "milter/follow/log_event.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define QUEUE_MAP_ROW "queued"
#define QUEUE_MAP_DONE_ROW "done" /* the same of one that is in the queue no more */

enum { QUEUED_STRINGS = 7, QUEUE_MAP_PASSED_AT_ONCE = 2 };

/* Which of the two lists of the map. */
enum queued_list {
	QUEUED_OPEN,
	QUEUED_DONE, /* all recipients have their end; Sendmail never says that a message has left the queue */
	QUEUED_LISTS
};

struct queued_node {
	struct queued queued;
	enum queued_list list;
	size_t size;			   /* of `strings` */
	struct queued_node *next;	   /* in its chain */
	struct queued_node *older, *newer; /* in its list */
	char strings[];			   /* of `queued`, behind each other */
};

struct queue_map {
	struct queued_node **chains;
	size_t chain_count;						 /* a power of two */
	size_t most, bytes;						 /* bytes: of all strings */
	struct queued_node *oldest[QUEUED_LISTS], *newest[QUEUED_LISTS]; /* in the order of coming into the list */
	struct queue_map_counts counts;
};

struct queue_map *queue_map_new(size_t most)
{
	struct queue_map *map = calloc(1, sizeof *map);
	if (map == NULL)
		return NULL;
	map->most = most;
	for (map->chain_count = 64; map->chain_count < most;)
		map->chain_count *= 2;
	map->chains = calloc(map->chain_count, sizeof(struct queued_node *));
	if (map->chains == NULL)
		queue_map_free(&map);
	return map;
}

/* Where the pointer to the node stands, or would. */
static struct queued_node **queue_map_place(const struct queue_map *map, const struct span *queue_id)
{
	uint64_t hash = own_hash(queue_id->at, queue_id->length, 'q');
	struct queued_node **place = &map->chains[hash & (map->chain_count - 1)];
	while (*place != NULL && (strlen((*place)->queued.queue_id) != queue_id->length ||
				  memcmp((*place)->queued.queue_id, queue_id->at, queue_id->length) != 0))
		place = &(*place)->next;
	return place;
}

const struct queued *queue_map_find(const struct queue_map *map, const struct span *queue_id)
{
	if (queue_id->at == NULL)
		return NULL;
	struct queued_node *node = *queue_map_place(map, queue_id);
	return node != NULL ? &node->queued : NULL;
}

static void queue_map_unlist(struct queue_map *map, struct queued_node *node)
{
	*(node->older != NULL ? &node->older->newer : &map->oldest[node->list]) = node->newer;
	*(node->newer != NULL ? &node->newer->older : &map->newest[node->list]) = node->older;
}

/* Behind all others. */
static void queue_map_list(struct queue_map *map, struct queued_node *node, enum queued_list list)
{
	node->list = list;
	node->newer = NULL;
	node->older = map->newest[list];
	*(node->older != NULL ? &node->older->newer : &map->oldest[list]) = node;
	map->newest[list] = node;
}

static void queue_map_remove(struct queue_map *map, struct queued_node **place)
{
	struct queued_node *node = *place;
	*place = node->next;
	queue_map_unlist(map, node);
	map->counts.messages--;
	map->bytes -= node->size;
	free(node);
}

static void queue_map_remove_oldest(struct queue_map *map, enum queued_list list)
{
	const char *id = map->oldest[list]->queued.queue_id;
	struct span span = { id, strlen(id) };
	queue_map_remove(map, queue_map_place(map, &span));
}

void queue_map_free(struct queue_map **map)
{
	if (*map == NULL)
		return;
	for (enum queued_list list = QUEUED_OPEN; list < QUEUED_LISTS; list++)
		while ((*map)->oldest[list] != NULL)
			queue_map_remove_oldest(*map, list);
	free((*map)->chains);
	free(*map);
	*map = NULL;
}

/* With copies of the strings; behind all others. */
static struct queued_node *queue_map_insert(struct queue_map *map, const struct queued *from,
					    const struct span strings[QUEUED_STRINGS])
{
	size_t size = 0, lengths[QUEUED_STRINGS];
	for (int i = 0; i < QUEUED_STRINGS; i++) {
		lengths[i] = strings[i].length < QUEUED_FIELD_MOST ? strings[i].length : QUEUED_FIELD_MOST;
		size += lengths[i] + 1;
	}
	struct queued_node *node = malloc(sizeof *node + size);
	if (node == NULL) {
		map->counts.pushed++;
		return NULL;
	}
	node->queued = *from;
	node->size = size;
	const char **members[QUEUED_STRINGS] = { &node->queued.queue_id,  &node->queued.account,
						 &node->queued.transport, &node->queued.reference,
						 &node->queued.customer,  &node->queued.level,
						 &node->queued.sender };
	char *to = node->strings;
	for (int i = 0; i < QUEUED_STRINGS; i++) {
		*members[i] = to;
		if (lengths[i] > 0)
			memcpy(to, strings[i].at, lengths[i]);
		to[lengths[i]] = '\0';
		to += lengths[i] + 1;
	}
	while (map->counts.messages == map->most ||
	       (map->counts.messages > 0 && map->bytes + size > map->most * QUEUE_MAP_BYTES_MOST)) {
		enum queued_list list = map->oldest[QUEUED_DONE] != NULL ? QUEUED_DONE : QUEUED_OPEN;
		map->counts.pushed += list == QUEUED_OPEN;
		queue_map_remove_oldest(map, list);
	}
	struct queued_node **place = queue_map_place(map, &strings[0]);
	if (*place != NULL) { /* its id is used again */
		queue_map_remove(map, place);
		place = queue_map_place(map, &strings[0]);
	}
	node->next = NULL;
	*place = node;
	queue_map_list(map, node, node->queued.done_us != 0 ? QUEUED_DONE : QUEUED_OPEN);
	map->counts.messages++;
	map->bytes += size;
	return node;
}

static bool queue_map_id_fine(const struct span *queue_id)
{
	return queue_id->at != NULL && queue_id->length >= 1 && queue_id->length <= QUEUE_ID_MOST &&
	       memchr(queue_id->at, '\0', queue_id->length) == NULL;
}

/* Penstock's line has "-" for what there is not. */
static struct span queue_map_said(struct span word)
{
	return span_is(word, "-") ? (struct span){ 0 } : word;
}

const struct queued *queue_map_add(struct queue_map *map, const struct log_event *verdict, const char *account)
{
	if (!queue_map_id_fine(&verdict->queue_id) || account[0] == '\0')
		return NULL;
	struct queued queued = { .time_us = verdict->time_us, .size = verdict->size > 0 ? verdict->size : 0 };
	const struct span strings[QUEUED_STRINGS] = { verdict->queue_id,
						      { account, strlen(account) },
						      queue_map_said(verdict->transport),
						      queue_map_said(verdict->reference),
						      queue_map_said(verdict->customer),
						      verdict->level,
						      verdict->sender };
	struct queued_node *node = queue_map_insert(map, &queued, strings);
	return node != NULL ? &node->queued : NULL;
}

bool queue_map_queued(struct queue_map *map, const struct log_event *event)
{
	struct queued *queued = (struct queued *)(uintptr_t)queue_map_find(map, &event->queue_id);
	if (queued == NULL)
		return false;
	/* said again at each attempt, and always of all that the message came with */
	if (event->rcpts > 0)
		queued->rcpts = event->rcpts;
	if (event->size > 0)
		queued->size = event->size;
	return true;
}

bool queue_map_removed(struct queue_map *map, const struct log_event *event)
{
	if (event->queue_id.at == NULL)
		return false;
	struct queued_node **place = queue_map_place(map, &event->queue_id);
	if (*place == NULL)
		return false;
	queue_map_remove(map, place);
	return true;
}

/* As `old`, and newer than all others. */
static struct queued_node *queue_map_copy(struct queue_map *map, const struct queued *old, const struct span *id)
{
	struct queued queued = { .time_us = old->time_us, .size = old->size };
	const struct span strings[QUEUED_STRINGS] = { *id,
						      { old->account, strlen(old->account) },
						      { old->transport, strlen(old->transport) },
						      { old->reference, strlen(old->reference) },
						      { old->customer, strlen(old->customer) },
						      { old->level, strlen(old->level) },
						      { old->sender, strlen(old->sender) } };
	return queue_map_insert(map, &queued, strings);
}

/* Only those that are left are queued anew; the queue manager says how many. */
bool queue_map_requeued(struct queue_map *map, const struct log_event *event)
{
	const struct queued *old = queue_map_find(map, &event->orig_id);
	if (old == NULL || !queue_map_id_fine(&event->queue_id))
		return false;
	map->most++; /* the old one goes, and no third one for it */
	bool moved = queue_map_copy(map, old, &event->queue_id) != NULL;
	map->most--;
	struct queued_node **place = queue_map_place(map, &event->orig_id);
	if (*place != NULL && !(moved && *place == map->newest[QUEUED_OPEN]))
		queue_map_remove(map, place);
	return moved;
}

bool queue_map_passed_on(struct queue_map *map, const struct span *queue_id, const struct span *id)
{
	const struct queued *old = queue_map_find(map, queue_id);
	return old != NULL && queue_map_id_fine(id) && queue_map_find(map, id) == NULL &&
	       queue_map_copy(map, old, id) != NULL;
}

void queue_map_ended(struct queue_map *map, const struct span *queue_id, int64_t rcpts, int64_t now_us)
{
	struct queued_node *node = queue_id->at != NULL ? *queue_map_place(map, queue_id) : NULL;
	if (node == NULL)
		return;
	node->queued.ended += rcpts;
	if (node->queued.rcpts == 0 || node->queued.ended < node->queued.rcpts)
		return;
	node->queued.done_us = now_us;
	queue_map_unlist(map, node);
	queue_map_list(map, node, QUEUED_DONE);
}

int64_t queued_left(const struct queued *queued)
{
	int64_t left = queued->rcpts - queued->ended;
	return left > 1 ? left : 1;
}

void queue_map_pass(struct queue_map *map, int64_t now_us)
{
	const struct queued_node *const *oldest = (const struct queued_node *const *)map->oldest;
	for (int i = 0; i < QUEUE_MAP_PASSED_AT_ONCE && oldest[QUEUED_OPEN] != NULL; i++) {
		if (now_us - oldest[QUEUED_OPEN]->queued.time_us < QUEUED_DAYS_MOST * INT64_C(86400000000))
			break;
		queue_map_remove_oldest(map, QUEUED_OPEN);
		map->counts.passed++;
	}
	for (int i = 0; i < QUEUE_MAP_PASSED_AT_ONCE && oldest[QUEUED_DONE] != NULL; i++) {
		if (now_us - oldest[QUEUED_DONE]->queued.done_us < QUEUED_DONE_S * INT64_C(1000000))
			break;
		queue_map_remove_oldest(map, QUEUED_DONE);
	}
}

struct queue_map_counts queue_map_counts(const struct queue_map *map)
{
	return map->counts;
}

void queue_map_each(const struct queue_map *map, queue_map_visit *visit, void *arg)
{
	for (const struct queued_node *node = map->oldest[QUEUED_OPEN]; node != NULL && visit(arg, &node->queued);)
		node = node->newer;
}

/* ---- the checkpoint */

static void queue_map_save_list(const struct queued_node *oldest, struct checkpoint *to)
{
	for (const struct queued_node *node = oldest; node != NULL; node = node->newer) {
		const struct queued *queued = &node->queued;
		checkpoint_row_begin(to, queued->done_us == 0 ? QUEUE_MAP_ROW : QUEUE_MAP_DONE_ROW);
		checkpoint_add_string(to, queued->queue_id);
		checkpoint_add_string(to, queued->account);
		checkpoint_add_string(to, queued->transport);
		checkpoint_add_string(to, queued->reference);
		checkpoint_add_string(to, queued->customer);
		checkpoint_add_string(to, queued->level);
		checkpoint_add_string(to, queued->sender);
		checkpoint_add_int(to, queued->time_us);
		checkpoint_add_int(to, queued->size);
		checkpoint_add_int(to, queued->rcpts);
		checkpoint_add_int(to, queued->ended);
		checkpoint_add_int(to, queued->done_us);
		checkpoint_row_end(to);
	}
}

void queue_map_save(const struct queue_map *map, struct checkpoint *to)
{
	queue_map_save_list(map->oldest[QUEUED_OPEN], to);
	queue_map_save_list(map->oldest[QUEUED_DONE], to);
}

bool queue_map_load(struct queue_map *map, const struct checkpoint_row *row)
{
	struct queued queued = { 0 };
	enum { NUMBERS = 1 + QUEUED_STRINGS };
	if ((!span_is(row->fields[0], QUEUE_MAP_ROW) && !span_is(row->fields[0], QUEUE_MAP_DONE_ROW)) ||
	    row->count != NUMBERS + 5 || !queue_map_id_fine(&row->fields[1]) || row->fields[2].length == 0)
		return false;
	if (!checkpoint_int(row, NUMBERS, &queued.time_us) || !checkpoint_int(row, NUMBERS + 1, &queued.size) ||
	    !checkpoint_int(row, NUMBERS + 2, &queued.rcpts) || !checkpoint_int(row, NUMBERS + 3, &queued.ended) ||
	    !checkpoint_int(row, NUMBERS + 4, &queued.done_us))
		return false;
	return queue_map_insert(map, &queued, row->fields + 1) != NULL;
}

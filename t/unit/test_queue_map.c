/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/queue_map.h"

#include "milter/follow/log_event.h"
#include "milter/follow/waiting.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static struct span span(const char *string)
{
	return string != NULL ? (struct span){ string, strlen(string) } : (struct span){ 0 };
}

static struct log_event event_of(enum log_kind kind, const char *id, const char *old)
{
	return (struct log_event){ .kind = kind, .queue_id = span(id), .orig_id = span(old), .size = -1, .rcpts = -1 };
}

static void add(struct queue_map *map, const char *id, const char *account, int64_t time_us)
{
	struct log_event event = event_of(LOG_VERDICT, id, NULL);
	event.time_us = time_us;
	event.transport = span("clean-1");
	event.customer = span("-");
	queue_map_add(map, &event, account);
}

static const char *whose(const struct queue_map *map, const char *id)
{
	struct span queue_id = span(id);
	const struct queued *queued = queue_map_find(map, &queue_id);
	return queued != NULL ? queued->account : "nobody";
}

static void test_life(void)
{
	struct queue_map *map = queue_map_new(100);
	struct log_event event = event_of(LOG_REMOVED, "4cAAA", NULL);
	struct span id = span("4cAAA");
	add(map, "4cAAA", "alice", 1);
	is_str(whose(map, "4cAAA"), "alice", "a message is somebody's");
	is_str(whose(map, "4cAA"), "nobody", "another id is not");
	is_str(queue_map_find(map, &id)->customer, "", "\"-\" is nothing");
	ok(queue_map_removed(map, &event), "it leaves the queue");
	is_str(whose(map, "4cAAA"), "nobody", "and is nobody's then");
	ok(!queue_map_removed(map, &event), "it does not leave twice");
	add(map, "4cAAA", "alice", 1);
	add(map, "4cAAA", "bob", 2);
	is_str(whose(map, "4cAAA"), "bob", "an id that is used again is another message");
	is_int((long long)queue_map_counts(map).messages, 1, "and one");
	event = event_of(LOG_VERDICT, NULL, NULL);
	ok(queue_map_add(map, &event, "alice") == NULL, "no id: no message");
	queue_map_free(&map);
}

static void test_requeued(void)
{
	struct queue_map *map = queue_map_new(2);
	struct span new_id = span("NEW22");
	struct log_event queued = event_of(LOG_QUEUED, "OLD11", NULL);
	queued.rcpts = 5;
	add(map, "OTHER", "bob", 1);
	add(map, "OLD11", "alice", 2);
	queue_map_queued(map, &queued);
	queue_map_ended(map, &queued.queue_id, 2, 3);
	is_int(queued_left(queue_map_find(map, &queued.queue_id)), 3, "three of five are left");
	struct log_event event = event_of(LOG_REQUEUED, "NEW22", "OLD11");
	ok(queue_map_requeued(map, &event), "a message gets another id");
	is_str(whose(map, "NEW22"), "alice", "and stays whose it was");
	is_str(whose(map, "OLD11"), "nobody", "the old id is nobody's");
	is_str(whose(map, "OTHER"), "bob", "in a full map nobody gives way for that");
	is_int(queue_map_find(map, &new_id)->rcpts, 0, "how many are left is said anew");
	is_int(queued_left(queue_map_find(map, &new_id)), 1, "and is one at least");
	event = event_of(LOG_REQUEUED, "NEW33", "NONE1");
	ok(!queue_map_requeued(map, &event), "of what is not known nothing becomes known");
	event = event_of(LOG_REQUEUED, "NEW22", "NEW22");
	ok(queue_map_requeued(map, &event) && strcmp(whose(map, "NEW22"), "alice") == 0, "nor lost where both are one");
	queue_map_free(&map);
}

static void test_bounds(void)
{
	enum { MOST = 50 };
	struct queue_map *map = queue_map_new(MOST);
	char id[20];
	for (int i = 0; i < 3 * MOST; i++) {
		snprintf(id, sizeof id, "4c%05d", i);
		add(map, id, "alice", i);
	}
	is_int((long long)queue_map_counts(map).messages, MOST, "no more than there is room for");
	is_int((long long)queue_map_counts(map).pushed, 2 * MOST, "the others were pushed out, which is counted");
	is_str(whose(map, "4c00099"), "nobody", "the oldest ones");
	is_str(whose(map, "4c00100"), "alice", "and not the newer ones");
	queue_map_pass(map, 120 + QUEUED_DAYS_MOST * INT64_C(86400000000));
	is_int((long long)queue_map_counts(map).messages, MOST - 2, "a line takes two old ones at most");
	queue_map_pass(map, 100);
	is_int((long long)queue_map_counts(map).messages, MOST - 2, "and none that is not old");
	queue_map_free(&map);
}

/* Sendmail does not say that a message left. */
static void test_done(void)
{
	struct queue_map *map = queue_map_new(3);
	struct log_event queued = event_of(LOG_QUEUED, "4cAAA", NULL);
	queued.rcpts = 2;
	add(map, "4cAAA", "alice", 1);
	add(map, "4cBBB", "bob", 1);
	queue_map_queued(map, &queued);
	queue_map_ended(map, &queued.queue_id, 1, 5);
	queue_map_pass(map, 5 + QUEUED_DONE_S * INT64_C(1000000));
	is_str(whose(map, "4cAAA"), "alice", "one is left: it stays");
	queue_map_ended(map, &queued.queue_id, 1, 5);
	queue_map_pass(map, 4 + QUEUED_DONE_S * INT64_C(1000000));
	is_str(whose(map, "4cAAA"), "alice", "none is left: it stays for a while");
	queue_map_pass(map, 5 + QUEUED_DONE_S * INT64_C(1000000));
	is_str(whose(map, "4cAAA"), "nobody", "and goes then");
	is_int((long long)queue_map_counts(map).passed, 0, "which is no loss");
	add(map, "4cAAA", "alice", 1);
	add(map, "4cCCC", "carol", 1);
	queue_map_queued(map, &queued);
	queue_map_ended(map, &queued.queue_id, 2, 5);
	add(map, "4cDDD", "dave", 1);
	ok(strcmp(whose(map, "4cAAA"), "nobody") == 0 && strcmp(whose(map, "4cBBB"), "bob") == 0,
	   "where it is full, those go first");
	is_int((long long)queue_map_counts(map).pushed, 0, "and that is none either");
	queue_map_free(&map);
}

/* ---- lines that wait */

static void wait_for(struct waiting *waiting, const char *id, const char *message, int64_t time_us)
{
	struct log_head head = { time_us, span("postfix/smtp"), span(message), 1 };
	struct span queue_id = span(id);
	waiting_add(waiting, &queue_id, &head);
}

static bool taken(struct waiting_line *line, const char *message)
{
	bool same = message == NULL ? line == NULL : line != NULL && span_is(line->head.message, message);
	free(line);
	return same;
}

static void test_waiting(void)
{
	struct waiting *waiting = waiting_new();
	struct span a = span("4cAAA"), b = span("4cBBB");
	wait_for(waiting, "4cAAA", "one", 1000000);
	wait_for(waiting, "4cBBB", "two", 2000000);
	wait_for(waiting, "4cAAA", "three", 3000000);
	ok(waiting_has(waiting, &a) && waiting_has(waiting, &b), "lines wait");
	ok(taken(waiting_take(waiting, &a), "one") && taken(waiting_take(waiting, &a), "three"), "in their order");
	ok(taken(waiting_take(waiting, &a), NULL) && !waiting_has(waiting, &a), "until there are none");
	wait_for(waiting, "4cAAA", "four", 4000000);
	ok(taken(waiting_pass(waiting, 62000000), NULL), "for a minute");
	ok(taken(waiting_pass(waiting, 62000001), "two"), "and no longer, the oldest first");
	ok(taken(waiting_pass(waiting, 0), NULL), "a clock that goes back ends nothing");
	ok(taken(waiting_take_oldest(waiting), "four") && taken(waiting_take_oldest(waiting), NULL),
	   "at the end all go");
	is_int((long long)waiting_counts(waiting).bytes, 0, "and nothing is left");
	for (int i = 0; i < WAITING_MOST + 1; i++)
		wait_for(waiting, "4cAAA", "many", 0);
	ok(taken(waiting_pass(waiting, 0), "many") && taken(waiting_pass(waiting, 0), NULL),
	   "too many: the oldest goes");
	waiting_free(&waiting);
}

/* Senders as long as they may be: fewer messages, so that a checkpoint of them can be read again. */
static void test_bytes(void)
{
	char sender[QUEUED_FIELD_MOST], id[32];
	struct queue_map *map = queue_map_new(100);
	memset(sender, 's', sizeof sender);
	for (int i = 0; i < 200; i++) {
		struct log_event event = { .kind = LOG_VERDICT, .sender = { sender, sizeof sender } };
		snprintf(id, sizeof id, "4cA%03d", i);
		event.queue_id = span(id);
		queue_map_add(map, &event, "mallory");
	}
	struct queue_map_counts counts = queue_map_counts(map);
	ok(counts.messages > 5 && counts.messages < 100 * QUEUE_MAP_BYTES_MOST / sizeof sender, "bounded by bytes");
	is_int((long long)(counts.messages + counts.pushed), 200, "and counted");
	is_str(whose(map, "4cA199"), "mallory", "the newest is known");
	for (int i = 0; i < 200; i++) {
		snprintf(id, sizeof id, "4cB%03d", i);
		add(map, id, "alice", 1);
	}
	is_int((long long)queue_map_counts(map).messages, 100, "short ones have all the room again");
	queue_map_free(&map);
}

int main(void)
{
	test_life();
	test_requeued();
	test_bounds();
	test_done();
	test_bytes();
	test_waiting();
	return done_testing();
}

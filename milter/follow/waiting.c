/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/waiting.h"

#include "milter/base/own_hash.h"
#include "milter/follow/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define WAITING_ROW "waiting"

enum { WAITING_CHAINS = 32768 };

struct waiting_chain {
	struct waiting_line *first, **end; /* in the order of coming; `end`: where the next one goes */
};

struct waiting {
	struct waiting_chain chains[WAITING_CHAINS];
	struct waiting_line *oldest, *newest;
	struct waiting_counts counts;
};

struct waiting *waiting_new(void)
{
	struct waiting *waiting = calloc(1, sizeof *waiting);
	for (int i = 0; waiting != NULL && i < WAITING_CHAINS; i++)
		waiting->chains[i].end = &waiting->chains[i].first;
	return waiting;
}

void waiting_free(struct waiting **waiting)
{
	if (*waiting == NULL)
		return;
	for (struct waiting_line *newer, *line = (*waiting)->oldest; line != NULL; line = newer) {
		newer = line->newer;
		free(line);
	}
	free(*waiting);
	*waiting = NULL;
}

static struct waiting_chain *waiting_chain(struct waiting *waiting, const char *queue_id, size_t length)
{
	return &waiting->chains[own_hash(queue_id, length, 'w') % WAITING_CHAINS];
}

static const char *waiting_copy(char **to, struct span from)
{
	char *copy = *to;
	if (from.length > 0)
		memcpy(copy, from.at, from.length);
	copy[from.length] = '\0';
	*to += from.length + 1;
	return copy;
}

void waiting_add(struct waiting *waiting, const struct span *queue_id, const struct log_head *head)
{
	if (queue_id->length == 0 || memchr(queue_id->at, '\0', queue_id->length) != NULL)
		return;
	size_t size = queue_id->length + head->program.length + head->message.length + 3;
	struct waiting_line *line = malloc(sizeof *line + size);
	if (line == NULL) {
		waiting->counts.lost++;
		return;
	}
	*line = (struct waiting_line){ .head = *head, .size = sizeof *line + size, .older = waiting->newest };
	char *to = line->bytes;
	line->queue_id = waiting_copy(&to, *queue_id);
	line->head.program.at = waiting_copy(&to, head->program);
	line->head.message.at = waiting_copy(&to, head->message);
	struct waiting_chain *chain = waiting_chain(waiting, line->queue_id, queue_id->length);
	*chain->end = line;
	chain->end = &line->next;
	*(waiting->newest != NULL ? &waiting->newest->newer : &waiting->oldest) = line;
	waiting->newest = line;
	waiting->counts.lines++;
	waiting->counts.bytes += line->size;
}

static struct waiting_line *waiting_unlink(struct waiting *waiting, struct waiting_line **place)
{
	struct waiting_line *line = *place;
	struct waiting_chain *chain = waiting_chain(waiting, line->queue_id, strlen(line->queue_id));
	if (chain->end == &line->next)
		chain->end = place;
	*place = line->next;
	*(line->older != NULL ? &line->older->newer : &waiting->oldest) = line->newer;
	*(line->newer != NULL ? &line->newer->older : &waiting->newest) = line->older;
	waiting->counts.lines--;
	waiting->counts.bytes -= line->size;
	return line;
}

static struct waiting_line **waiting_place(struct waiting *waiting, const char *queue_id, size_t length)
{
	struct waiting_line **place = &waiting_chain(waiting, queue_id, length)->first;
	while (*place != NULL &&
	       (strlen((*place)->queue_id) != length || memcmp((*place)->queue_id, queue_id, length) != 0))
		place = &(*place)->next;
	return place;
}

bool waiting_has(const struct waiting *waiting, const struct span *queue_id)
{
	return queue_id->at != NULL &&
	       *waiting_place((struct waiting *)(uintptr_t)waiting, queue_id->at, queue_id->length) != NULL;
}

struct waiting_line *waiting_take(struct waiting *waiting, const struct span *queue_id)
{
	struct waiting_line **place = waiting_place(waiting, queue_id->at, queue_id->length);
	return *place != NULL ? waiting_unlink(waiting, place) : NULL;
}

struct waiting_line *waiting_take_oldest(struct waiting *waiting)
{
	const struct waiting_line *oldest = waiting->oldest;
	if (oldest == NULL)
		return NULL;
	return waiting_unlink(waiting, waiting_place(waiting, oldest->queue_id, strlen(oldest->queue_id)));
}

struct waiting_line *waiting_pass(struct waiting *waiting, int64_t now_us)
{
	bool passed =
		waiting->counts.lines > WAITING_MOST || waiting->counts.bytes > WAITING_BYTES_MOST ||
		(waiting->oldest != NULL && now_us - waiting->oldest->head.time_us > WAITING_S * INT64_C(1000000));
	return passed ? waiting_take_oldest(waiting) : NULL;
}

struct waiting_counts waiting_counts(const struct waiting *waiting)
{
	return waiting->counts;
}

/* ---- the checkpoint */

void waiting_save(const struct waiting *waiting, struct checkpoint *to)
{
	for (const struct waiting_line *line = waiting->oldest; line != NULL; line = line->newer) {
		checkpoint_row_begin(to, WAITING_ROW);
		checkpoint_add_string(to, line->queue_id);
		checkpoint_add_int(to, line->head.time_us);
		checkpoint_add_int(to, line->head.pid);
		checkpoint_add(to, line->head.program.at, line->head.program.length);
		checkpoint_add(to, line->head.message.at, line->head.message.length);
		checkpoint_row_end(to);
	}
}

bool waiting_load(struct waiting *waiting, const struct checkpoint_row *row)
{
	struct log_head head = { 0 };
	if (!span_is(row->fields[0], WAITING_ROW) || row->count != 6 || row->fields[1].length == 0 ||
	    !checkpoint_int(row, 2, &head.time_us) || !checkpoint_int(row, 3, &head.pid))
		return false;
	head.program = row->fields[4];
	head.message = row->fields[5];
	waiting_add(waiting, &row->fields[1], &head);
	return true;
}

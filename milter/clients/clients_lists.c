/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct clients_best {
	size_t count;
	struct clients_row rows[CLIENTS_LIST_MOST]; /* the best first */
};

struct clients_lists {
	struct clients_best best[CLIENTS_KINDS][CLIENTS_ORDERS];
	uint64_t standing[CLIENT_STANDING_COUNT];
};

static struct {
	pthread_mutex_t lock;		    /* of `ready` */
	struct clients_lists *ready, *next; /* owned; `next` is the thread's that makes them */
} lists = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool clients_lists_start(void)
{
	lists.ready = calloc(1, sizeof *lists.ready);
	lists.next = calloc(1, sizeof *lists.next);
	return lists.ready != NULL && lists.next != NULL;
}

void clients_lists_stop(void)
{
	pthread_mutex_lock(&lists.lock);
	free(lists.ready);
	free(lists.next);
	lists.ready = lists.next = NULL;
	pthread_mutex_unlock(&lists.lock);
}

static double clients_list_value(const struct clients_row *row, enum clients_order order)
{
	const float *own = row->facts.own.value;
	switch (order) {
	case CLIENTS_HANGUPS:
		return (double)own[CLIENT_EVENT_NO_QUIT];
	case CLIENTS_LOGINS:
		return (double)own[CLIENT_EVENT_AUTH_FAILURE] + (double)own[CLIENT_EVENT_UNPROVEN];
	case CLIENTS_SPAM:
		return (double)own[CLIENT_EVENT_SPAM];
	default:
		return row->verdict.sum;
	}
}

static void clients_list_put(struct clients_best *best, const struct clients_row *row, enum clients_order order)
{
	double value = clients_list_value(row, order);
	if (!(value > 0) || (best->count == CLIENTS_LIST_MOST &&
			     !(value > clients_list_value(&best->rows[CLIENTS_LIST_MOST - 1], order))))
		return;
	size_t at = best->count < CLIENTS_LIST_MOST ? best->count++ : CLIENTS_LIST_MOST - 1;
	for (; at > 0 && clients_list_value(&best->rows[at - 1], order) < value; at--)
		best->rows[at] = best->rows[at - 1];
	best->rows[at] = *row;
}

void clients_lists_make(void)
{
	static struct clients_row rows[CLIENTS_WALK_MOST]; /* the one thread's that makes lists */
	memset(lists.next, 0, sizeof *lists.next);
	for (int kind = 0; kind < CLIENTS_KINDS; kind++) {
		size_t cursor = 0, count;
		while ((count = clients_walk((enum clients_kind)kind, &cursor, rows)) > 0)
			for (size_t i = 0; i < count; i++) {
				if (kind == CLIENTS_CLIENT)
					lists.next->standing[rows[i].verdict.standing]++;
				for (int order = 0; order < CLIENTS_ORDERS; order++)
					clients_list_put(&lists.next->best[kind][order], &rows[i],
							 (enum clients_order)order);
			}
	}
	pthread_mutex_lock(&lists.lock);
	struct clients_lists *old = lists.ready;
	lists.ready = lists.next;
	lists.next = old;
	pthread_mutex_unlock(&lists.lock);
}

size_t clients_list(enum clients_kind kind, enum clients_order order, size_t most, struct clients_row *rows)
{
	size_t count = 0;
	pthread_mutex_lock(&lists.lock);
	for (; lists.ready != NULL && count < most && count < lists.ready->best[kind][order].count; count++)
		rows[count] = lists.ready->best[kind][order].rows[count];
	pthread_mutex_unlock(&lists.lock);
	return count;
}

void clients_lists_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&lists.lock);
	if (lists.ready != NULL)
		memcpy(stats->standing, lists.ready->standing, sizeof stats->standing);
	pthread_mutex_unlock(&lists.lock);
}

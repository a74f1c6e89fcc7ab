/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/shelf.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LOOKED_AT = 16, NOWHERE = -1 };

struct shelf {
	int places, count;
	int *heads; /* owned: of each chain, by hash */
	struct shelf_place {
		int next;
		char name[SHELF_NAME_MAX + 1];
	} * rows; /* owned */
};

struct shelf *shelf_new(int places)
{
	struct shelf *shelf = calloc(1, sizeof *shelf);
	if (shelf == NULL)
		return NULL;
	shelf->places = places;
	shelf->heads = calloc((size_t)places, sizeof *shelf->heads);
	shelf->rows = calloc((size_t)places, sizeof *shelf->rows);
	if (shelf->heads == NULL || shelf->rows == NULL)
		shelf_free(&shelf);
	for (int i = 0; shelf != NULL && i < places; i++)
		shelf->heads[i] = NOWHERE;
	return shelf;
}

void shelf_free(struct shelf **shelf)
{
	if (*shelf == NULL)
		return;
	free((*shelf)->heads);
	free((*shelf)->rows);
	free(*shelf);
	*shelf = NULL;
}

static int *shelf_chain(const struct shelf *shelf, const char *name)
{
	return &shelf->heads[hash_string(name, 0) % (unsigned)shelf->places];
}

/* NOWHERE: it has none. */
static int shelf_find(const struct shelf *shelf, const char *name)
{
	int place = *shelf_chain(shelf, name);
	while (place != NOWHERE && strcmp(shelf->rows[place].name, name) != 0)
		place = shelf->rows[place].next;
	return place;
}

static void shelf_unlink(struct shelf *shelf, int place)
{
	int *link = shelf_chain(shelf, shelf->rows[place].name);
	while (*link != place)
		link = &shelf->rows[*link].next;
	*link = shelf->rows[place].next;
}

/* Whose place is taken from him. */
static int shelf_least(const struct shelf *shelf, const char *name, shelf_worth *worth, const void *arg)
{
	int least = NOWHERE, first = (int)(hash_string(name, 1) % (unsigned)shelf->places);
	double least_worth = 0;
	for (int i = 0; i < LOOKED_AT && i < shelf->places; i++) {
		int place = (first + i) % shelf->places;
		double is = worth(arg, place);
		if (least == NOWHERE || is < least_worth) {
			least = place;
			least_worth = is;
		}
	}
	return least;
}

int shelf_put(struct shelf *shelf, const char *name, shelf_worth *worth, const void *arg, bool *new_out)
{
	int place = shelf_find(shelf, name);
	*new_out = false;
	if (place != NOWHERE || strlen(name) > SHELF_NAME_MAX)
		return place;
	if (shelf->count < shelf->places) {
		place = shelf->count++;
	} else {
		place = shelf_least(shelf, name, worth, arg);
		shelf_unlink(shelf, place);
	}
	text_copy(shelf->rows[place].name, sizeof shelf->rows[place].name, name);
	int *chain = shelf_chain(shelf, name);
	shelf->rows[place].next = *chain;
	*chain = place;
	*new_out = true;
	return place;
}

int shelf_count(const struct shelf *shelf)
{
	return shelf->count;
}

const char *shelf_name(const struct shelf *shelf, int place)
{
	return shelf->rows[place].name;
}

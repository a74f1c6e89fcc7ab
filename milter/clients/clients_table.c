/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_table.h"

#include "milter/base/own_hash.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LOOKED_AT = 4, HASH_KIND = 0x434c49, NOBODY = 0 };

struct clients_table {
	size_t most, used, newcomers;
	uint32_t *heads;	     /* owned: places + 1 by hash; 0: none */
	uint32_t *newest;	     /* owned: a ring of the places that were taken last */
	struct clients_entry *rows;  /* owned; from the kernel as they are needed */
	size_t head_mask, ring_next; /* of `newest` */
	uint64_t lot;		     /* the next draw's */
	uint64_t forgotten, forgotten_known;
};

static size_t table_power(size_t least)
{
	size_t size = 1;
	while (size < least)
		size *= 2;
	return size;
}

struct clients_table *clients_table_new(size_t most)
{
	struct clients_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	table->most = most;
	table->newcomers = most / 8 + 1;
	table->head_mask = table_power(most) - 1;
	table->heads = calloc(table->head_mask + 1, sizeof *table->heads);
	table->newest = calloc(table->newcomers, sizeof *table->newest);
	table->rows = calloc(most, sizeof *table->rows);
	table->lot = own_hash(&most, sizeof most, HASH_KIND) | 1;
	if (table->heads == NULL || table->newest == NULL || table->rows == NULL)
		clients_table_free(&table);
	return table;
}

void clients_table_free(struct clients_table **table)
{
	struct clients_table *freed = *table;
	*table = NULL;
	if (freed == NULL)
		return;
	free(freed->heads);
	free(freed->newest);
	free(freed->rows);
	free(freed);
}

static uint32_t *table_head(const struct clients_table *table, struct clients_key key)
{
	const uint64_t bytes[] = { key.bits, key.family };
	return &table->heads[own_hash(bytes, sizeof bytes, HASH_KIND) & table->head_mask];
}

static bool table_same(struct clients_key a, struct clients_key b)
{
	return a.bits == b.bits && a.family == b.family;
}

struct clients_entry *clients_table_find(struct clients_table *table, struct clients_key key)
{
	for (uint32_t at = *table_head(table, key); at != NOBODY; at = table->rows[at - 1].next)
		if (table_same(table->rows[at - 1].key, key))
			return &table->rows[at - 1];
	return NULL;
}

/* ---- a full table */

/* xorshift (Marsaglia 2003): who is looked at needs to be no secret but where it began. */
static size_t table_draw(struct clients_table *table, size_t below)
{
	table->lot ^= table->lot << 13;
	table->lot ^= table->lot >> 7;
	table->lot ^= table->lot << 17;
	return (size_t)(table->lot % below);
}

static double table_worth(const struct clients_entry *row, int64_t now_s)
{
	const struct client_facts facts = { .now_s = now_s, .own = row->counts };
	return client_worth(&facts);
}

static bool table_known(const struct clients_entry *row)
{
	float sum = 0;
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		sum += row->counts.value[i];
	return sum > 1;
}

/* The place of the least worth, of equals the one that was not heard of for longest. */
static uint32_t table_find_least(struct clients_table *table, int64_t now_s)
{
	uint32_t least = 0;
	double worth = 0;
	for (int i = 0; i < 2 * LOOKED_AT; i++) {
		uint32_t at = i < LOOKED_AT ? (uint32_t)table_draw(table, table->most)
					    : table->newest[table_draw(table, table->newcomers)];
		double its = table_worth(&table->rows[at], now_s);
		if (i == 0 || its < worth || (!(its > worth) && table->rows[at].last_s < table->rows[least].last_s)) {
			least = at;
			worth = its;
		}
	}
	return least;
}

static uint32_t table_forget(struct clients_table *table, int64_t now_s)
{
	uint32_t place = table_find_least(table, now_s);
	struct clients_entry *row = &table->rows[place];
	uint32_t *at = table_head(table, row->key);
	while (*at != place + 1)
		at = &table->rows[*at - 1].next;
	*at = row->next;
	table->forgotten++;
	table->forgotten_known += table_known(row);
	return place;
}

struct clients_entry *clients_table_get(struct clients_table *table, struct clients_key key, int64_t now_s)
{
	struct clients_entry *row = clients_table_find(table, key);
	if (row != NULL)
		return row;
	uint32_t place = table->used < table->most ? (uint32_t)table->used++ : table_forget(table, now_s);
	uint32_t *head = table_head(table, key);
	row = &table->rows[place];
	*row = (struct clients_entry){ .key = key, .first_s = (uint32_t)now_s, .next = *head };
	*head = place + 1;
	table->newest[table->ring_next++ % table->newcomers] = place;
	return row;
}

/* ---- all of it */

struct clients_entry *clients_table_at(struct clients_table *table, size_t place)
{
	return place < table->used ? &table->rows[place] : NULL;
}

size_t clients_table_used(const struct clients_table *table)
{
	return table->used;
}

size_t clients_table_most(const struct clients_table *table)
{
	return table->most;
}

uint64_t clients_table_forgotten(const struct clients_table *table, uint64_t *known_out)
{
	*known_out = table->forgotten_known;
	return table->forgotten;
}

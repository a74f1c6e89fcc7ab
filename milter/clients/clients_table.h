/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients_table: rows of decayed counts by a key, so many and no more. Whoever calls holds a lock.
 *
 * A full table gives up the row of least worth (client_worth) of some that are looked at: half of them drawn from all,
 * half from those that came last, so that a flood of addresses that each come once pushes out its own. Hashes are
 * keyed (own_hash): nobody outside chooses whom he meets.
 */
#ifndef PENSTOCK_CLIENTS_TABLE_H
#define PENSTOCK_CLIENTS_TABLE_H

#include "policy/client.h"

#include <stddef.h>

/* IPv4: its 32 bits; IPv6: its first 64; of a network the bits behind its prefix are 0; of an AS its number. */
struct clients_key {
	uint64_t bits;
	uint32_t family; /* enum netaddr_family; of an AS: NETADDR_UNKNOWN */
};

struct clients_entry {
	struct clients_key key;
	uint32_t as_number; /* of a client; 0: unknown */
	uint32_t first_s, last_s;
	uint32_t slowed_s; /* of a client: when it was last made to wait, and has not shown since that it did */
	uint32_t next;	   /* the table's */
	struct client_counts counts;
};

struct clients_table;

struct clients_table *clients_table_new(size_t most); /* NULL: no memory */
void clients_table_free(struct clients_table **table);

struct clients_entry *clients_table_find(struct clients_table *table, struct clients_key key);
/* The row, made where there is none. */
struct clients_entry *clients_table_get(struct clients_table *table, struct clients_key key, int64_t now_s);

/* Rows by their place, from 0 to clients_table_used() - 1; a row keeps its place until it is forgotten. */
struct clients_entry *clients_table_at(struct clients_table *table, size_t place);
size_t clients_table_used(const struct clients_table *table);
size_t clients_table_most(const struct clients_table *table);

/* How many were forgotten, and of how many of them more was known than that they came once. */
uint64_t clients_table_forgotten(const struct clients_table *table, uint64_t *known_out);

#endif

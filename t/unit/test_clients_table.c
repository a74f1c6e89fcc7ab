/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A full table of clients: who is forgotten.
 */
#include "milter/clients/clients_table.h"

#include "policy/netaddr.h"
#include "t/unit/tap.h"

enum { MOST = 65536, KNOWN = 3000, FLOOD = 1000000, NOW_S = 1767614400 };

static struct clients_key key_of(uint64_t bits)
{
	return (struct clients_key){ bits, NETADDR_V4 };
}

static void add(struct clients_table *table, uint64_t bits, enum client_event event, int times)
{
	struct clients_entry *entry = clients_table_get(table, key_of(bits), NOW_S);
	client_counts_add(&entry->counts, event, times, NOW_S);
	entry->last_s = NOW_S;
}

static int count_known(struct clients_table *table, uint64_t from)
{
	int known = 0;
	for (uint64_t i = 0; i < KNOWN; i++)
		known += clients_table_find(table, key_of(from + i)) != NULL;
	return known;
}

/* A million addresses that come once: spammers and good neighbours are still there. */
static void flood(void)
{
	struct clients_table *table = clients_table_new(MOST);
	uint64_t known;
	const uint64_t spammers = UINT64_C(1) << 28, neighbours = UINT64_C(1) << 29, flood_from = UINT64_C(1) << 30;
	for (uint64_t i = 0; i < KNOWN; i++) {
		add(table, spammers + i, CLIENT_EVENT_SPAM, 30);
		add(table, neighbours + i, CLIENT_EVENT_QUIT, 40);
		add(table, neighbours + i, CLIENT_EVENT_MAIL, 40);
	}
	for (uint64_t i = 0; i < FLOOD; i++)
		add(table, flood_from + i, CLIENT_EVENT_NO_QUIT, 1);
	is_int((int64_t)clients_table_used(table), MOST, "the table is full, and no larger");
	ok(count_known(table, spammers) == KNOWN, "of %d spammers a flood of %d pushes out none: %d left", KNOWN, FLOOD,
	   count_known(table, spammers));
	ok(count_known(table, neighbours) == KNOWN, "nor of %d good clients: %d left", KNOWN,
	   count_known(table, neighbours));
	is_int((int64_t)clients_table_forgotten(table, &known), FLOOD + 2 * KNOWN - MOST, "all others gave way");
	is_int((int64_t)known, 0, "none of which more was known than that it came");
	clients_table_free(&table);
}

/* A table that is full of those who are worth knowing still takes new ones. */
static void full_of_known(void)
{
	struct clients_table *table = clients_table_new(1024);
	for (uint64_t i = 0; i < 1024; i++)
		add(table, i, CLIENT_EVENT_SPAM, 30);
	for (uint64_t i = 2000; i < 2100; i++)
		add(table, i, CLIENT_EVENT_SPAM, 60);
	int there = 0;
	for (uint64_t i = 2000; i < 2100; i++)
		there += clients_table_find(table, key_of(i)) != NULL;
	ok(there >= 95, "who comes and is worth more than others stays: %d of 100", there);
	clients_table_free(&table);
}

static void keys(void)
{
	struct clients_table *table = clients_table_new(1024);
	struct clients_entry *four = clients_table_get(table, (struct clients_key){ 7, NETADDR_V4 }, NOW_S);
	ok(clients_table_find(table, (struct clients_key){ 7, NETADDR_V6 }) == NULL,
	   "the same bits of IPv6 are another");
	ok(clients_table_get(table, (struct clients_key){ 7, NETADDR_V4 }, NOW_S + 9) == four,
	   "a row stays where it is");
	is_int(four->first_s, NOW_S, "... and keeps when it was heard of first");
	ok(clients_table_at(table, 0) == four && clients_table_at(table, 1) == NULL, "rows are found by their place");
	clients_table_free(&table);
	ok(table == NULL, "it is freed once");
	clients_table_free(&table);
}

int main(void)
{
	keys();
	full_of_known();
	flood();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Credits of one account stand in a row in the order of their ordinals. What goes in one request is the beginning of
 * the row; it leaves the row when the store says what became of it, and until then nothing else of the account goes.
 */
#include "milter/follow/credit.h"

#include "policy/base/panic.h"
#include "policy/hash.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

/* Requests under way, and credits in one. */
enum { FLIGHTS = 64, FLIGHT_CREDITS = 64 };

struct credit_item {
	struct credit_item *next;
	struct store_credit of;
};

struct credit_account {
	struct credit_account *next_in_bucket, *next_waiting;
	struct credit_item *first, *newest; /* owned; what is under way is their beginning */
	char name[];
};

/* One request under way. */
struct credit_flight {
	struct credit *credit;
	struct credit_account *account; /* NULL: there is none */
	int count;
	struct store_credit credits[FLIGHT_CREDITS];
};

struct credit {
	struct store *store;
	uint64_t writer,
		key[2]; /* a stranger may choose names of accounts, and cannot choose whose bucket they share */
	size_t most, buckets;
	credit_eased *eased;
	void *arg;
	uint64_t ordinal, closed; /* the newest one; all up to this one have all their credits */
	bool paused;		  /* Redis did not take something: until the next tick nothing is sent */
	struct credit_account *waiting, **waiting_last; /* of those without a request: who waits longest is the first */
	struct credit_counts counts;
	struct credit_flight flight[FLIGHTS];
	struct credit_account *bucket[]; /* owned */
};

/* ---- accounts and what they wait for */

static struct credit_account **credit_find(struct credit *credit, const char *name)
{
	struct credit_account **at =
		&credit->bucket[hash_keyed(credit->key, name, strlen(name)) & (credit->buckets - 1)];
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next_in_bucket;
	return at;
}

static void credit_wait(struct credit *credit, struct credit_account *account)
{
	account->next_waiting = NULL;
	*credit->waiting_last = account;
	credit->waiting_last = &account->next_waiting;
}

/* It is made where it is not there; NULL: no memory. */
static struct credit_account *credit_take(struct credit *credit, const char *name)
{
	struct credit_account **at = credit_find(credit, name);
	if (*at != NULL)
		return *at;
	size_t size = strlen(name) + 1;
	struct credit_account *account = malloc(sizeof *account + size);
	if (account == NULL)
		return NULL;
	*account = (struct credit_account){ .first = NULL };
	memcpy(account->name, name, size);
	*at = account;
	credit_wait(credit, account);
	return account;
}

static void credit_drop_account(struct credit *credit, struct credit_account *account)
{
	*credit_find(credit, account->name) = account->next_in_bucket;
	free(account);
}

/* The account's credit of this line; NULL: no memory. */
static struct credit_item *credit_item_of(struct credit *credit, const char *name, uint64_t ordinal)
{
	struct credit_account *account = *credit_find(credit, name);
	if (account != NULL && account->newest->of.number == ordinal)
		return account->newest;
	struct credit_item *item = calloc(1, sizeof *item);
	account = item != NULL ? credit_take(credit, name) : NULL;
	if (account == NULL) {
		free(item);
		return NULL;
	}
	item->of.number = ordinal;
	*(account->first != NULL ? &account->newest->next : &account->first) = item;
	account->newest = item;
	credit->counts.pending++;
	return item;
}

static bool credit_is_nothing(const double counts[COUNTER_COUNT])
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (counts[i] != 0)
			return false;
	return true;
}

void credit_add(struct credit *credit, const char *account, uint64_t ordinal, const double counts[COUNTER_COUNT])
{
	MUST(ordinal > credit->closed && ordinal >= credit->ordinal);
	credit->ordinal = ordinal;
	if (credit_is_nothing(counts))
		return;
	struct credit_item *item = credit_item_of(credit, account, ordinal);
	if (item == NULL) {
		credit->counts.given_up++;
		return;
	}
	for (int i = 0; i < COUNTER_COUNT; i++)
		item->of.counts[i] += counts[i];
}

/* ---- what is under way */

static void credit_fill(struct credit_flight *flight, struct credit_account *account)
{
	flight->account = account;
	flight->count = 0;
	for (const struct credit_item *item = account->first; item != NULL && flight->count < FLIGHT_CREDITS;
	     item = item->next)
		flight->credits[flight->count++] = item->of;
}

/* What was under way leaves the row. */
static void credit_settle(struct credit_flight *flight)
{
	struct credit_account *account = flight->account;
	for (int i = 0; i < flight->count; i++) {
		struct credit_item *gone = account->first;
		account->first = gone->next;
		free(gone);
	}
	flight->credit->counts.pending -= (uint64_t)flight->count;
}

static void credit_count_end(struct credit_counts *counts, enum credit_end end, int count, int added)
{
	if (end == CREDIT_FOREIGN) {
		counts->given_up += (uint64_t)count;
		return;
	}
	counts->done += (uint64_t)added;
	counts->refused += (uint64_t)(count - added);
}

static void credit_done(void *arg, enum credit_end end, int added)
{
	struct credit_flight *flight = arg;
	struct credit *credit = flight->credit;
	struct credit_account *account = flight->account;
	bool full = credit_full(credit);
	if (end == CREDIT_UNKNOWN) {
		credit->paused = true;
	} else {
		credit_settle(flight);
		credit_count_end(&credit->counts, end, flight->count, added);
	}
	flight->account = NULL;
	if (account->first != NULL)
		credit_wait(credit, account);
	else
		credit_drop_account(credit, account);
	credit_send(credit);
	if (credit->eased != NULL && (credit_idle(credit) || (full && !credit_full(credit))))
		credit->eased(credit->arg);
}

static void credit_begin(struct credit *credit, struct credit_flight *flight)
{
	struct credit_account *account = credit->waiting;
	credit->waiting = account->next_waiting;
	if (credit->waiting == NULL)
		credit->waiting_last = &credit->waiting;
	credit_fill(flight, account);
	store_credit(credit->store, account->name, credit->writer, flight->credits, flight->count, credit_done, flight);
}

void credit_send(struct credit *credit)
{
	credit->closed = credit->ordinal;
	for (int i = 0; i < FLIGHTS && credit->waiting != NULL && !credit->paused; i++)
		if (credit->flight[i].account == NULL)
			credit_begin(credit, &credit->flight[i]);
}

void credit_tick(struct credit *credit)
{
	credit->paused = false;
	credit_send(credit);
}

/* ---- numbers */

bool credit_full(const struct credit *credit)
{
	return credit->counts.pending >= credit->most;
}

bool credit_idle(const struct credit *credit)
{
	return credit->counts.pending == 0;
}

struct credit_counts credit_counts(const struct credit *credit)
{
	return credit->counts;
}

/* ---- life */

struct credit *credit_new(struct store *store, uint64_t writer, size_t most, credit_eased *eased, void *arg)
{
	size_t buckets = 64;
	while (buckets < most / 2)
		buckets *= 2;
	struct credit *credit = calloc(1, sizeof *credit + buckets * sizeof credit->bucket[0]);
	if (credit == NULL)
		return NULL;
	if (getrandom(credit->key, sizeof credit->key, 0) != (ssize_t)sizeof credit->key) {
		free(credit);
		return NULL;
	}
	credit->store = store;
	credit->writer = writer;
	credit->most = most;
	credit->buckets = buckets;
	credit->eased = eased;
	credit->arg = arg;
	credit->waiting_last = &credit->waiting;
	for (int i = 0; i < FLIGHTS; i++)
		credit->flight[i].credit = credit;
	return credit;
}

static void credit_free_account(struct credit_account *account)
{
	for (struct credit_item *item = account->first, *next; item != NULL; item = next) {
		next = item->next;
		free(item);
	}
	free(account);
}

void credit_free(struct credit **credit)
{
	if (*credit == NULL)
		return;
	for (size_t i = 0; i < (*credit)->buckets; i++)
		for (struct credit_account *account = (*credit)->bucket[i], *next; account != NULL; account = next) {
			next = account->next_in_bucket;
			credit_free_account(account);
		}
	free(*credit);
	*credit = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/sender.h"
#include "milter/base/own_hash.h"

#include "policy/address.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { BUCKETS = 4096, ROWS = 4 };

struct sender_row {
	char *sender; /* owned, lower case; NULL: free */
	int64_t at_ms;
	char transport[TRANSPORT_NAME_MAX + 1];
};

static struct {
	pthread_mutex_t lock;
	struct sender_row rows[BUCKETS][ROWS];
} table = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* False where the address is of no use as a key. */
static bool sender_fold(const char *sender, char folded[SENDER_MAX + 1])
{
	char untagged[ADDRESS_MAX + 1];
	if (*sender == '\0' || strlen(sender) > ADDRESS_MAX)
		return false;
	address_untagged(sender, untagged);
	if (!text_copy(folded, SENDER_MAX + 1, untagged[0] != '@' ? untagged : sender))
		return false;
	for (char *at = folded; *at != '\0'; at++)
		*at = text_lower(*at);
	return true;
}

/* With the lock held. */
static struct sender_row *bucket_of(const char *folded)
{
	return table.rows[own_hash_string(folded, 0) % BUCKETS];
}

static bool expired(const struct sender_row *row, int64_t now_ms)
{
	return now_ms - row->at_ms > (int64_t)SENDER_KEEP_S * 1000;
}

static struct sender_row *sender_find_row(struct sender_row *bucket, const char *folded)
{
	for (int i = 0; i < ROWS; i++)
		if (bucket[i].sender != NULL && strcmp(bucket[i].sender, folded) == 0)
			return &bucket[i];
	return NULL;
}

static void forget(struct sender_row *row)
{
	free(row->sender);
	*row = (struct sender_row){ 0 };
}

/* A free row, or the oldest one. */
static struct sender_row *sender_make_room(struct sender_row *bucket)
{
	struct sender_row *oldest = &bucket[0];
	for (int i = 0; i < ROWS; i++) {
		if (bucket[i].sender == NULL)
			return &bucket[i];
		if (bucket[i].at_ms < oldest->at_ms)
			oldest = &bucket[i];
	}
	forget(oldest);
	return oldest;
}

static void sender_put(struct sender_row *bucket, const char *folded, const char *transport, int64_t now_ms)
{
	struct sender_row *row = sender_find_row(bucket, folded);
	if (transport == NULL) {
		if (row != NULL)
			forget(row);
		return;
	}
	if (row == NULL) {
		row = sender_make_room(bucket);
		row->sender = strdup(folded);
	}
	row->at_ms = now_ms;
	text_copy(row->transport, sizeof row->transport, transport);
}

void sender_remember(const char *sender, const char *transport, int64_t now_ms)
{
	char folded[SENDER_MAX + 1];
	if (!sender_fold(sender, folded))
		return;
	pthread_mutex_lock(&table.lock);
	sender_put(bucket_of(folded), folded, transport, now_ms);
	pthread_mutex_unlock(&table.lock);
}

bool sender_find(const char *sender, int64_t now_ms, char transport_out[TRANSPORT_NAME_MAX + 1])
{
	char folded[SENDER_MAX + 1];
	if (!sender_fold(sender, folded))
		return false;
	pthread_mutex_lock(&table.lock);
	struct sender_row *row = sender_find_row(bucket_of(folded), folded);
	if (row != NULL && expired(row, now_ms)) {
		forget(row);
		row = NULL;
	}
	if (row != NULL)
		text_copy(transport_out, TRANSPORT_NAME_MAX + 1, row->transport);
	pthread_mutex_unlock(&table.lock);
	return row != NULL;
}

void sender_clear(void)
{
	pthread_mutex_lock(&table.lock);
	for (int i = 0; i < BUCKETS; i++)
		for (int j = 0; j < ROWS; j++)
			forget(&table.rows[i][j]);
	pthread_mutex_unlock(&table.lock);
}

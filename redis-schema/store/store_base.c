/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What all files of the store use: counters, Redis's time, and the sending of a request.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include "policy/base/banned.h"

void store_count(struct store *store, uint64_t *counter)
{
	pthread_mutex_lock(&store->lock);
	(*counter)++;
	pthread_mutex_unlock(&store->lock);
}

void store_count_answer(struct store *store, bool local)
{
	enum { ANSWERS = 100 };
	store->stats.local_answers += local;
	store->stats.local_share += (local - store->stats.local_share) / ANSWERS;
}

int64_t store_clock_s(void)
{
	return alarm_clock_ms() / 1000;
}

static int64_t store_steady_ms(const struct store *store)
{
	return store->settings.steady_ms != NULL ? store->settings.steady_ms() : alarm_clock_ms();
}

int64_t store_now_ms(const struct store *store, int64_t daemon_ms)
{
	return store->clock_known ? store_steady_ms(store) + store->clock_ahead_ms : daemon_ms;
}

/* Seconds, and microseconds. */
void store_take_time(struct store *store, const struct wire_answer *answer)
{
	int64_t seconds, micros;
	if (answer->blame != BLAME_NOBODY || answer->count != 2 || answer->text[0] == NULL || answer->text[1] == NULL ||
	    !text_to_int(answer->text[0], 0, (int64_t)1 << 40, &seconds) ||
	    !text_to_int(answer->text[1], 0, 999999, &micros))
		return;
	store->clock_known = true;
	store->clock_ahead_ms = seconds * 1000 + micros / 1000 - store_steady_ms(store);
}

void store_key(struct request *request, const struct store *store, const char *account, const char *part)
{
	request_key(request, store->settings.prefix, account, part);
}

bool store_send(struct store *store, const struct request *request, wire_done *done, wire_done *late, void *arg)
{
	return store->serving && wire_ask(store->wire, request->command, request->count, done, late, arg);
}

struct recent_row *store_row(struct store *store, const char *account)
{
	return recent_take(store->recent, account, store->serving ? WIRE_FLIGHTS_MAX : 0);
}

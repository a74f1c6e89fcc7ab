/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/daemon/trouble.h"

#include <pthread.h>
#include <string.h>

#include "policy/base/banned.h"

/* The moments at which places become free are a ring of ticks, longer than anybody waits (socketmap.throttle_s). A
 * place is free when the wait has ended: with smtpd_delay_reject its session asks for the next one at that moment. */
enum { TICK_MS = 10, TICKS = 8192, SECONDS_MOST = TICKS * TICK_MS / 1000 - 1, LASTS_S = 60, RELAXED_S = 300 };

static struct {
	pthread_mutex_t lock;
	int64_t most, used;
	int64_t tick; /* monotonic: the ring is emptied up to this one, itself included */
	uint32_t ends[TICKS];
	uint64_t denied;
	int64_t full_since_s, denied_s; /* monotonic: the first and the last denial of a row; 0: none */
	int64_t full_since_unix_s;
} slow = { .lock = PTHREAD_MUTEX_INITIALIZER };

void clients_slow_set(int64_t most)
{
	pthread_mutex_lock(&slow.lock);
	slow.most = most;
	pthread_mutex_unlock(&slow.lock);
}

/* With the lock held. */
static void clients_slow_free(int64_t tick)
{
	if (tick - slow.tick >= TICKS) {
		memset(slow.ends, 0, sizeof slow.ends);
		slow.used = 0;
		slow.tick = tick;
	}
	while (slow.tick < tick) {
		uint32_t *end = &slow.ends[++slow.tick % TICKS];
		slow.used -= *end;
		*end = 0;
	}
}

/* With the lock held. */
static void clients_slow_deny(int64_t now_s)
{
	slow.denied++;
	if (slow.full_since_s == 0) {
		slow.full_since_s = now_s;
		slow.full_since_unix_s = clock_now_ms() / 1000;
	}
	slow.denied_s = now_s;
}

bool clients_slow(const struct netaddr *client, int64_t seconds, bool again)
{
	int64_t now_ms = clock_monotonic_ms(), tick = now_ms / TICK_MS;
	int64_t last = seconds < 1 ? 1 : seconds < SECONDS_MOST ? seconds : SECONDS_MOST;
	pthread_mutex_lock(&slow.lock);
	clients_slow_free(tick);
	bool taken = slow.used < slow.most;
	if (taken) {
		slow.used++;
		slow.ends[(tick + last * 1000 / TICK_MS) % TICKS]++;
	} else if (slow.most > 0) {
		clients_slow_deny(now_ms / 1000);
	}
	pthread_mutex_unlock(&slow.lock);
	if (taken && !again && client->family != NETADDR_UNKNOWN)
		clients_note(&(struct client_note){ .client = *client, .event = CLIENT_EVENT_SLOWED });
	return taken;
}

void clients_slow_look(void)
{
	int64_t now_s = clock_monotonic_ms() / 1000;
	pthread_mutex_lock(&slow.lock);
	if (slow.full_since_s != 0 && now_s - slow.denied_s > RELAXED_S)
		slow.full_since_s = 0;
	bool lasts = slow.full_since_s != 0 && slow.denied_s - slow.full_since_s >= LASTS_S;
	int64_t most = slow.most;
	pthread_mutex_unlock(&slow.lock);
	if (lasts)
		trouble_set(TROUBLE_SLOW,
			    "clients.slow_most is %lld: all places of clients that wait are taken again and again, and "
			    "others are not made to wait; raise it if Postfix has smtpd processes left",
			    (long long)most);
	else
		trouble_clear(TROUBLE_SLOW);
}

void clients_slow_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&slow.lock);
	clients_slow_free(clock_monotonic_ms() / TICK_MS);
	stats->slow_most = (uint64_t)slow.most;
	stats->slow_used = (uint64_t)slow.used;
	stats->slow_denied = slow.denied;
	stats->slow_full_since_s = slow.full_since_s != 0 ? slow.full_since_unix_s : 0;
	pthread_mutex_unlock(&slow.lock);
}

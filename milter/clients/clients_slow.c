/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/daemon/trouble.h"

#include <pthread.h>
#include <string.h>

#include "policy/base/banned.h"

/* One may wait for so long at most; the seconds in which places become free are a ring. */
enum { SECONDS_MOST = 4096, LASTS_S = 60, RELAXED_S = 300 };

static struct {
	pthread_mutex_t lock;
	int64_t most, used;
	int64_t now_s; /* monotonic: up to which the ring is emptied */
	uint32_t ends[SECONDS_MOST];
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
static void clients_slow_free(int64_t now_s)
{
	if (now_s - slow.now_s >= SECONDS_MOST) {
		memset(slow.ends, 0, sizeof slow.ends);
		slow.used = 0;
		slow.now_s = now_s;
	}
	for (; slow.now_s < now_s; slow.now_s++) {
		uint32_t *end = &slow.ends[slow.now_s % SECONDS_MOST];
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
	int64_t now_s = clock_monotonic_ms() / 1000;
	int64_t last = seconds < 1 ? 1 : seconds < SECONDS_MOST - 1 ? seconds : SECONDS_MOST - 2;
	pthread_mutex_lock(&slow.lock);
	clients_slow_free(now_s);
	bool taken = slow.used < slow.most;
	if (taken) {
		slow.used++;
		slow.ends[(now_s + last) % SECONDS_MOST]++;
	} else if (slow.most > 0) {
		clients_slow_deny(now_s);
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
	int64_t now_s = clock_monotonic_ms() / 1000;
	pthread_mutex_lock(&slow.lock);
	clients_slow_free(now_s);
	stats->slow_most = (uint64_t)slow.most;
	stats->slow_used = (uint64_t)slow.used;
	stats->slow_denied = slow.denied;
	stats->slow_full_since_s = slow.full_since_s != 0 ? slow.full_since_unix_s : 0;
	pthread_mutex_unlock(&slow.lock);
}

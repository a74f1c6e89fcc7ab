/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/monitor.h"

#include "policy/base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "policy/base/banned.h"

/* What is read at the end of each message. By name: a session keeps the configuration that it began with, and its
 * indexes. */
static struct {
	atomic_bool any;      /* anything is withheld */
	pthread_mutex_t lock; /* of what follows */
	int count;
	struct {
		char name[TRANSPORT_NAME_MAX + 1];
		unsigned char withheld;
	} rows[TRANSPORTS_ALL_MAX];
} published = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The row at its own index, where the configuration is still the same. With the lock held. */
static int monitor_states_find_row(const struct transport *transport)
{
	int at = transport->index;
	if (at < published.count && strcmp(published.rows[at].name, transport->name) == 0)
		return at;
	for (at = 0; at < published.count; at++)
		if (strcmp(published.rows[at].name, transport->name) == 0)
			return at;
	return -1;
}

void monitor_states(const struct config *config, struct transport_state *states)
{
	if (!atomic_load(&published.any))
		return;
	pthread_mutex_lock(&published.lock);
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			int row = monitor_states_find_row(transport);
			states[transport->index].withheld = row < 0 ? 0 : published.rows[row].withheld;
		}
	pthread_mutex_unlock(&published.lock);
}

void monitor_publish(const struct config *config, const struct transport_state *states)
{
	bool any = false;
	int count = 0;
	pthread_mutex_lock(&published.lock);
	for (int i = 0; config != NULL && i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			unsigned char withheld = states[transport->index].withheld;
			text_copy(published.rows[transport->index].name, TRANSPORT_NAME_MAX + 1, transport->name);
			published.rows[transport->index].withheld = withheld;
			any = any || withheld > 0;
			count++;
		}
	published.count = count;
	pthread_mutex_unlock(&published.lock);
	atomic_store(&published.any, any);
}

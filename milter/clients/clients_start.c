/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parts of the clients' table, begun and ended together.
 */
#include "milter/clients/clients_inside.h"

#include "milter/base/log.h"
#include "milter/clients/guesses.h"
#include "milter/clients/history.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

void clients_stats(struct clients_stats *stats_out)
{
	*stats_out = (struct clients_stats){ .notes = 0 };
	clients_fill_stats(stats_out);
	clients_hours_fill_stats(stats_out);
	clients_slow_fill_stats(stats_out);
	clients_lists_fill_stats(stats_out);
	clients_stream_fill_stats(stats_out);
	clients_batches_fill_stats(stats_out);
	clients_save_fill_stats(stats_out);
}

void clients_reload(const struct config *config)
{
	clients_set(config);
	clients_slow_set(config->set.clients_slow_most);
}

/* Nobody waits for the study of throttling: without its files the daemon runs. */
static void clients_start_history(const char *folder, int64_t days)
{
	char why[300];
	if (!history_start(folder, days, why, sizeof why))
		log_line(SEVERITY_WARNING, "clients.history_days: %s; none is written", why);
}

/* A folder that the packaged unit makes and nobody named may be missing: that is said, and no trouble. */
static const char *clients_folder(const struct config *config)
{
	static const char by_default[] = "/var/lib/penstock";
	const char *folder = config->set.clients_state;
	if (strcmp(folder, by_default) != 0 || access(folder, W_OK) == 0)
		return folder;
	log_line(SEVERITY_INFO, "clients.state is \"%s\": %s; what is known of clients does not outlive a restart",
		 folder, strerror(errno));
	return "";
}

bool clients_start(struct event_base *base, const struct config *config, char *error, size_t error_size)
{
	const char *folder = clients_folder(config);
	snprintf(error, error_size, "clients.most is %lld: there is no memory for so many",
		 (long long)config->set.clients_most);
	clients_reload(config);
	clients_alarm_restore(0);
	clients_batches_restore(NULL);
	if (!clients_open(config->set.clients_most) || !clients_hours_start() || !clients_lists_start() ||
	    !guesses_start())
		return false;
	if (folder[0] != '\0')
		clients_save_read(folder);
	/* who asks for it is told where the folder is missing, by default, too */
	clients_start_history(config->set.clients_state, config->set.clients_history_days);
	snprintf(error, error_size, "the clients' table cannot be set up: no memory");
	return clients_keeper_start(folder) && clients_stream_start(base);
}

void clients_stop(void)
{
	clients_stream_stop();
	clients_keeper_stop();
	history_stop();
	guesses_stop();
	clients_lists_stop();
	clients_hours_stop();
	clients_close();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/base/wait.h"
#include "policy/base/text.h"

#include <pthread.h>

#include "policy/base/banned.h"

enum {
	LOOK_MS = 1000,
	ALARM_MS = 60000,
	SAVE_MS = 300000,
	LISTS_SHARE = 100, /* making lists takes one hundredth of a processor's time at most */
	FOLDER_BYTES = 256,
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool runs, stops;
	char folder[FOLDER_BYTES];
	int64_t lists_due_ms, alarm_due_ms, save_due_ms;
	uint64_t listed, saved; /* notes that were counted then */
} keeper = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static void clients_keeper_save(uint64_t notes)
{
	keeper.save_due_ms = clock_monotonic_ms() + SAVE_MS;
	if (keeper.folder[0] == '\0')
		return;
	clients_save_write(keeper.folder);
	keeper.saved = notes;
}

/* Standings fall with time, too: lists are made anew now and then, whatever is noted. */
static void clients_keeper_list(uint64_t notes)
{
	int64_t began_ms = clock_monotonic_ms();
	clients_lists_make();
	int64_t took_ms = clock_monotonic_ms() - began_ms;
	keeper.lists_due_ms = began_ms + LOOK_MS / 2 + LISTS_SHARE * took_ms;
	keeper.listed = notes;
}

static void clients_keeper_look(void)
{
	struct clients_stats stats = { .notes = 0 };
	int64_t now_ms = clock_monotonic_ms();
	clients_fill_stats(&stats);
	clients_slow_look();
	if (now_ms >= keeper.alarm_due_ms) {
		clients_alarm_look(clock_now_ms() / 1000);
		keeper.alarm_due_ms = now_ms + ALARM_MS;
		keeper.listed = UINT64_MAX;
	}
	if (now_ms >= keeper.lists_due_ms && stats.notes != keeper.listed)
		clients_keeper_list(stats.notes);
	if (now_ms >= keeper.save_due_ms && stats.notes != keeper.saved)
		clients_keeper_save(stats.notes);
}

static void *clients_keeper_run(void *arg)
{
	pthread_mutex_lock(&keeper.lock);
	while (!keeper.stops) {
		pthread_mutex_unlock(&keeper.lock);
		clients_keeper_look();
		pthread_mutex_lock(&keeper.lock);
		if (!keeper.stops)
			wait_cond(&keeper.wake, &keeper.lock, LOOK_MS);
	}
	pthread_mutex_unlock(&keeper.lock);
	return arg;
}

bool clients_keeper_start(const char *folder)
{
	text_copy(keeper.folder, sizeof keeper.folder, folder);
	keeper.stops = false;
	keeper.lists_due_ms = keeper.alarm_due_ms = 0;
	keeper.save_due_ms = clock_monotonic_ms() + SAVE_MS;
	keeper.listed = UINT64_MAX;
	keeper.saved = 0;
	keeper.runs = pthread_create(&keeper.thread, NULL, clients_keeper_run, NULL) == 0;
	return keeper.runs;
}

void clients_keeper_stop(void)
{
	if (!keeper.runs)
		return;
	pthread_mutex_lock(&keeper.lock);
	keeper.stops = true;
	pthread_cond_signal(&keeper.wake);
	pthread_mutex_unlock(&keeper.lock);
	pthread_join(keeper.thread, NULL);
	keeper.runs = false;
	if (keeper.folder[0] != '\0')
		clients_save_write(keeper.folder);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/zone.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "milter/base/wait.h"
#include "milter/clients/clients_report.h"
#include "milter/clients/subscribers.h"
#include "milter/clients/zone_file.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/trouble.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	PASS_MS = 5000,	    /* from one look at all clients to the next ... */
	PASS_TIMES = 50,    /* ... and so many times as long as it took */
	REWRITE_MOST = 600, /* seconds after which zones are written though nothing changed, so that they stay valid */
};

static pthread_mutex_t zone_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t zone_wake = PTHREAD_COND_INITIALIZER;
static struct {
	pthread_t thread;
	bool runs, ending;
	struct zone_list list; /* the lock guards it and what follows; the thread alone changes it */
	int64_t keep_s;
	struct zone_stats stats;
} zone;

/* The thread's own. */
static struct {
	char folder[256]; /* where the zones were written lastly; "": nowhere */
	char text[256];	  /* and with which text */
	int64_t at_s;	  /* when list and zones were written */
	bool good;	  /* ... all of them */
} done;

/* ---- one pass */

static void zone_collect(struct zone_list *found, int64_t now_s)
{
	struct clients_row *rows = calloc(CLIENTS_WALK_MOST, sizeof *rows);
	size_t cursor = 0, count;
	while (rows != NULL && (count = clients_walk(CLIENTS_CLIENT, &cursor, rows)) > 0)
		for (size_t i = 0; i < count; i++) {
			struct zone_entry entry = {
				.client = rows[i].block.address,
				.code = client_code_of(&rows[i].verdict),
				.since_s = now_s,
				.seen_s = now_s,
			};
			if (entry.code != CLIENT_CODE_NONE)
				zone_list_add(found, &entry);
		}
	free(rows);
}

/* How the list is now, and whether anybody would see a difference. */
static bool zone_renew(const struct setup *setup, int64_t now_s, int64_t keep_s)
{
	struct zone_list found = { 0 }, exempt = { 0 }, next = { 0 }, old = zone.list;
	struct zone_rules rules = { .now_s = now_s, .keep_s = keep_s, .config = setup->config, .exempt = &exempt };
	zone_collect(&found, now_s);
	int64_t subscribers_s = subscribers_add(&found, &exempt, now_s);
	zone_list_sort(&found);
	zone_list_sort(&exempt);
	bool renewed = exempt.left_out == 0 && zone_list_renew(&zone.list, &found, &rules, &next);
	bool changed = renewed && !zone_list_same(&zone.list, &next);
	size_t v4 = 0;
	for (size_t i = 0; i < next.count; i++)
		v4 += next.entries[i].client.family == NETADDR_V4;
	if (renewed) {
		pthread_mutex_lock(&zone_lock);
		zone.list = next;
		zone.keep_s = keep_s;
		zone.stats.runs = true;
		zone.stats.v4 = v4;
		zone.stats.v6 = next.count - v4;
		zone.stats.left_out = next.left_out;
		zone.stats.subscribers_s = subscribers_s;
		zone.stats.subscribers_known = subscribers_s > 0;
		pthread_mutex_unlock(&zone_lock);
		zone_list_free(&old);
	}
	zone_list_free(&found);
	zone_list_free(&exempt);
	return changed;
}

static void zone_wrote(bool good, bool zones, int64_t now_s, const char *why)
{
	pthread_mutex_lock(&zone_lock);
	zone.stats.writes += good;
	zone.stats.failed += !good;
	if (good && zones)
		zone.stats.written_s = now_s;
	text_copy(zone.stats.why, sizeof zone.stats.why, good ? "" : why);
	pthread_mutex_unlock(&zone_lock);
	if (good)
		trouble_clear(TROUBLE_ZONE);
	else
		trouble_set(TROUBLE_ZONE, "the block list: %s", why);
}

static void zone_write(const struct settings *set, int64_t now_s, int64_t keep_s)
{
	char why[300] = "";
	struct zone_file_rules rules = { .text = set->clients_zone_text, .now_s = now_s, .until_s = now_s + keep_s };
	bool good = set->clients_state[0] == '\0' || zone_file_save(set->clients_state, &zone.list, why, sizeof why);
	if (set->clients_zone[0] != '\0' && zone_file_write(set->clients_zone, &zone.list, &rules, why, sizeof why)) {
		text_copy(done.folder, sizeof done.folder, set->clients_zone);
		text_copy(done.text, sizeof done.text, set->clients_zone_text);
	} else if (set->clients_zone[0] != '\0') {
		good = false;
	}
	done.at_s = now_s;
	done.good = good;
	zone_wrote(good, set->clients_zone[0] != '\0', now_s, why);
}

/* Other than by a change of the list. A clock that went back is no reason to wait. */
static bool zone_is_due(const struct settings *set, int64_t now_s, int64_t keep_s)
{
	int64_t most = keep_s / 4 < REWRITE_MOST ? keep_s / 4 : REWRITE_MOST;
	bool zones = set->clients_zone[0] != '\0';
	if (!done.good ||
	    (zones && (strcmp(done.folder, set->clients_zone) != 0 || strcmp(done.text, set->clients_zone_text) != 0)))
		return true;
	return (zones || zone.list.count > 0) && (now_s < done.at_s || now_s - done.at_s >= most);
}

static void zone_pass(void)
{
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	int64_t now_s = clock_now_ms() / 1000, keep_s = (int64_t)(set->clients_zone_hours * 3600);
	if (zone_renew(setup, now_s, keep_s) || zone_is_due(set, now_s, keep_s))
		zone_write(set, now_s, keep_s);
	setup_drop(&setup);
}

static void *zone_run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&zone_lock);
	while (!zone.ending) {
		pthread_mutex_unlock(&zone_lock);
		int64_t began_ms = clock_monotonic_ms();
		zone_pass();
		int64_t pause_ms = PASS_TIMES * (clock_monotonic_ms() - began_ms);
		pause_ms = pause_ms > PASS_MS ? pause_ms : PASS_MS;
		pthread_mutex_lock(&zone_lock);
		while (!zone.ending && wait_cond(&zone_wake, &zone_lock, pause_ms))
			; /* woken: to end, or for nothing */
	}
	pthread_mutex_unlock(&zone_lock);
	return NULL;
}

/* ---- life */

/* What was saved; the first pass takes away what has passed its time meanwhile. */
static void zone_load(void)
{
	char why[300] = "";
	struct setup *setup = setup_hold();
	const char *folder = setup->config->set.clients_state;
	if (folder[0] != '\0')
		zone_file_load(folder, &zone.list, why, sizeof why);
	zone.keep_s = (int64_t)(setup->config->set.clients_zone_hours * 3600);
	setup_drop(&setup);
	if (why[0] != '\0')
		log_line(SEVERITY_WARNING, "the block list: %s", why);
	done.good = true;
}

bool zone_start(struct loop *loop, char *error, size_t error_size)
{
	zone.ending = false;
	zone_load();
	zone.runs = subscribers_start(loop_base(loop)) && pthread_create(&zone.thread, NULL, zone_run, NULL) == 0;
	if (!zone.runs)
		snprintf(error, error_size, "the block list cannot be kept: no memory or no thread");
	return zone.runs;
}

void zone_stop(void)
{
	if (!zone.runs)
		return;
	pthread_mutex_lock(&zone_lock);
	zone.ending = true;
	pthread_cond_signal(&zone_wake);
	pthread_mutex_unlock(&zone_lock);
	pthread_join(zone.thread, NULL);
	zone.runs = false;
}

void zone_clear(void)
{
	subscribers_stop();
	zone_list_free(&zone.list);
	zone.stats = (struct zone_stats){ 0 };
	memset(&done, 0, sizeof done);
}

/* ---- for others */

bool zone_find(const struct netaddr *client, struct zone_entry *entry_out, int64_t *until_s_out)
{
	pthread_mutex_lock(&zone_lock);
	const struct zone_entry *entry = zone_list_find(&zone.list, client);
	if (entry != NULL) {
		*entry_out = *entry;
		*until_s_out = entry->seen_s + zone.keep_s;
	}
	pthread_mutex_unlock(&zone_lock);
	return entry != NULL;
}

size_t zone_walk(struct netaddr *at, struct zone_entry *entries, size_t most, int64_t *keep_s_out)
{
	pthread_mutex_lock(&zone_lock);
	size_t first = zone_list_behind(&zone.list, at), count = zone.list.count - first;
	count = count < most ? count : most;
	if (count > 0)
		memcpy(entries, zone.list.entries + first, count * sizeof entries[0]);
	*keep_s_out = zone.keep_s;
	pthread_mutex_unlock(&zone_lock);
	if (count > 0)
		*at = entries[count - 1].client;
	return count;
}

struct zone_stats zone_stats(void)
{
	pthread_mutex_lock(&zone_lock);
	struct zone_stats stats = zone.stats;
	pthread_mutex_unlock(&zone_lock);
	return stats;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * snapshot: all figures of one moment, for /health and /metrics alike.
 */
#ifndef PENSTOCK_SNAPSHOT_H
#define PENSTOCK_SNAPSHOT_H

#include "milter/blocklist/origins.h"
#include "milter/blocklist/rbl.h"
#include "milter/clients/clients_report.h"
#include "milter/clients/guesses.h"
#include "milter/clients/zone.h"
#include "milter/content/scan.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/dns/cache.h"
#include "milter/record/held.h"
#include "milter/tell/event.h"
#include "redis-schema/store/store.h"

struct snapshot {
	struct setup *setup; /* held */
	int64_t now_ms;	     /* monotonic */
	struct stats stats;
	struct store_stats redis;
	struct rbl_stats dns;
	struct origins_stats origins;
	struct cache_stats dns_cache;
	const char *dns_trouble; /* borrowed; "": none */
	struct scan_stats content;
	struct clients_stats clients;
	struct guess_stats guesses;
	struct zone_stats zone;
	uint64_t history_lost;
	struct held_stats held;
	struct event_stats events;
	uint64_t redis_up, breaker_open, dns_servers, uptime_s, max_sessions, trap_hits;
	uint64_t clients_forgotten_strangers;
	char history_why[200];	   /* "": it is written */
	uint64_t content_failures; /* in a row, of the scanner that has most */
};

/* NULL: no memory. */
struct snapshot *snapshot_new(void);
void snapshot_free(struct snapshot *snapshot);

/* Section and word in /health ("" : not there), metric without its prefix ("": none), label, type ("" with "" as help:
 * of the same metric as the row before), help. */
struct figure {
	const char *section, *word, *metric, *label, *type, *help;
	size_t offset; /* of a uint64_t in a snapshot */
};
extern const struct figure figures[];
extern const int figure_count;
uint64_t figure_value(const struct snapshot *snapshot, const struct figure *figure);

#endif

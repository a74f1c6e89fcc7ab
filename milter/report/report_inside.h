/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report_inside: what the files of report share among themselves.
 */
#ifndef PENSTOCK_REPORT_INSIDE_H
#define PENSTOCK_REPORT_INSIDE_H

#include "milter/config/config.h"
#include "milter/report/health.h"
#include "milter/report/report.h"

struct clients_stats;
struct event_stats;
struct snapshot;
struct stats;

/* report_health.c: what the daemon asks, and the mail that it sees; and all of the below. */
void report_health(const struct snapshot *snapshot, struct health_list *list);

/* report_pools.c: transports whose addresses are listed. */
void report_pools_health(const struct config *config, struct health_list *list);
/* How many transports there are, and are listed; how many pools have listed ones alone. */
json_t *report_pools_counts(const struct config *config);
void report_pools_metrics(const struct config *config, struct evbuffer *to);

/* report_receivers.c: penstock-follow, where there is one. */
/* `last_message_s`: seconds since a message came; below 0: none did. */
void report_receivers_health(int64_t last_message_s, struct health_list *list);
/* How it is; NULL: there never was one. */
json_t *report_receivers_status(void);
void report_receivers_metrics(struct evbuffer *to);
/* The receivers for whom a transport rests, an array; how much of its share several together take. */
json_t *report_receivers_rests(const char *transport);

/* report_events.c: a webhook, an admin's mail server or a stream that takes no events. */
void report_events_health(const struct settings *set, const struct event_stats *events, bool redis_up,
			  struct health_list *list);

/* report_clients_health.c: what hosts that connect do, and whether that is known, kept and acted on. */
void report_clients_health(const struct snapshot *snapshot, struct health_list *list);
void report_clients_status(json_t *section);
void report_clients_metrics(const struct clients_stats *stats, struct evbuffer *to);

/* report_content.c: scanners of the configuration in force that fail; the most failures in a row. */
enum { REPORT_CONTENT_FAILING = 3, REPORT_DNS_FAILING = 5 }; /* failures in a row */
void report_content_health(const struct config *config, struct health_list *list);
uint64_t report_content_failures(const struct config *config);

/* report_means.c: the daemon's own log, sockets and files, what it loses, a reload that failed. */
void report_means_health(struct health_list *list);
void report_means_metrics(struct evbuffer *to);
json_t *report_reload(void);
/* report_trouble.c: what the daemon goes on without. */
void report_trouble_health(struct health_list *list);
void report_trouble_metrics(struct evbuffer *to);

/* How many messages a transport took; 0 where none did yet. */
uint64_t report_transport_messages(const struct stats *stats, const char *name);

#endif

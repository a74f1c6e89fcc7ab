/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report: what the daemon says of itself and of accounts, as JSON (jansson) for the control socket and /health, and as
 * text for /metrics. The names in it are contracts.
 *
 * Each JSON function hands over a new reference; NULL: no memory. Loop thread only.
 */
#ifndef PENSTOCK_REPORT_H
#define PENSTOCK_REPORT_H

#include "milter/report/health.h"
#include "policy/judge.h"
#include "policy/netaddr.h"
#include "redis-schema/store/store.h"

#include <jansson.h>

struct evbuffer;

/* The document of /health. */
json_t *report_status(enum health *health_out);

/* The text of /metrics: Prometheus exposition format 0.0.4. */
void report_metrics(struct evbuffer *to);

/* {"pools":[...]}, {"by":..,"accounts":[...]} */
json_t *report_pools(void);
json_t *report_top(enum store_top_order order, size_t count);

/* {"node":..,"trouble":..,"follow":{..},"rows":[..]} of what penstock-follow tells on this host; and of what another
 * host's has told, which stands in Redis. */
json_t *report_receivers(void);
json_t *report_receivers_of(const char *node, const char *value);

/* One client with all that its standing comes of; and how sessions ended within `days`, with today (UTC). */
json_t *report_client(const struct netaddr *client);
json_t *report_sessions(int days);

/* One account, `account` in the form of account_name(). */
json_t *report_account(const char *account, const struct account_state *state);

/* How a group stands: an admin's word on it, and the limit that its next message would pass. */
json_t *report_group(const char *group, const struct account_state *state);
/* A row of account.list; `level` is the account's own, whatever an admin says. */
json_t *report_listed(const char *account, const struct account_state *state, enum level level);

#endif

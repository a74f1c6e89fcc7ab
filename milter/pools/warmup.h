/* SPDX-License-Identifier: BSD-2-Clause
 *
 * warmup: transports whose address is new (warmup_since and warmup_first_day of a transport). Receivers trust an
 * address by what it sent before, so its first days carry little (policy/ramp.h): what is too much for it leaves by the
 * others of its pool, and no message waits. Where all of a pool have had enough they go on as if none had.
 *
 * Messages are counted by UTC day in the hash `warmup:YYYY-MM-DD` of Redis, which all hosts add to and read once a
 * second. While Redis is away each host counts by itself, and adds later what it counted that day. In between, hosts
 * together may send what they do in a second beyond a cap.
 */
#ifndef PENSTOCK_WARMUP_H
#define PENSTOCK_WARMUP_H

#include "milter/config/config.h"

struct event_base;

/* Before the loop starts, with the configuration in force. False: no memory. */
bool warmup_start(struct event_base *base, const struct config *config);
/* Any thread: another configuration is in force; counts are kept by the transport's name. */
void warmup_reload(const struct config *config);
/* With the loop stopped. */
void warmup_stop(void);

/* Raises `withheld` of transports that had enough for now, over what monitor_states filled in; but not of a pool of
 * which then none were left. Any thread; costs nothing where no transport warms up. */
void warmup_states(const struct config *config, struct transport_state *states);
/* A message leaves by `transport`, which may be warm. Any thread; never waits. */
void warmup_count(const struct transport *transport);

struct warmup_view {
	int64_t cap, sent; /* messages today: at most; so far, of all hosts */
	int withheld;	   /* per cent of its share */
};
/* Any thread; false: the transport is warm. */
bool warmup_view(const struct transport *transport, struct warmup_view *view_out);

#endif

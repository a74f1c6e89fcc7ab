/* SPDX-License-Identifier: BSD-2-Clause
 *
 * feed: the stream in Redis, PREFIX:events, that holds the last events of all daemons. While Redis is away they are
 * kept here and added later, in their order. See redis-schema/README.md. Loop thread only, but for the stats.
 */
#ifndef PENSTOCK_FEED_H
#define PENSTOCK_FEED_H

#include "milter/tell/event.h"

struct feed;

struct feed *feed_new(struct loop *loop); /* NULL: no memory */
void feed_free(struct feed **feed);	  /* with the loop stopped */

/* Where EVENT_WAITING_MAX wait, it is given up. */
void feed_add(struct feed *feed, const struct notice *event, const char *json);
struct event_sink_stats feed_stats(struct feed *feed);

/* {"events":[...],"strange":N} of the flat answer of XREVRANGE, newest first; a new reference. N are no events of ours,
 * and left out. */
json_t *feed_list(int count, const char *const *items);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * webhook_backlog: what the webhook has not taken yet, in Redis (PREFIX:webhook:NODE), so that a restart does not lose
 * it. Each daemon keeps its own. See redis-schema/README.md.
 */
#ifndef PENSTOCK_WEBHOOK_BACKLOG_H
#define PENSTOCK_WEBHOOK_BACKLOG_H

#include "milter/tell/courier.h"

struct loop;

/* An event of an earlier life, to be sent now; `age_s` 0 or more. On the loop thread. */
typedef void webhook_backlog_take(const char *id, enum event_kind kind, const char *json, int64_t age_s);

/* Before the loop starts. `node` and `take` are borrowed for ever; `started_s` is the part of the ids that tells this
 * life from others. Each kept event is handed to `take`, once, in their order, as soon as Redis says what they are.
 * False: no memory. */
bool webhook_backlog_start(struct loop *loop, const char *node, int64_t started_s, webhook_backlog_take *take);
/* With the loop stopped. */
void webhook_backlog_stop(void);

/* Any thread; never waits. Before the courier takes it. */
void webhook_backlog_add(const char *id, const char *json);
/* It was taken, or is given up. */
courier_done webhook_backlog_done;

#endif

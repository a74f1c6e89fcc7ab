/* SPDX-License-Identifier: BSD-2-Clause
 *
 * queue_helper: asks penstock-queue, which may do what the follower may not: put messages of the queue on hold, and
 * release them.
 */
#ifndef PENSTOCK_QUEUE_HELPER_H
#define PENSTOCK_QUEUE_HELPER_H

#include <stdbool.h>
#include <stddef.h>

struct event_base;
struct queue_helper;

enum { QUEUE_HELPER_IDS = 5000, QUEUE_HELPER_TIMEOUT_S = 60 };

enum queue_verb { QUEUE_HOLDS, QUEUE_RELEASES, QUEUE_DELETES, QUEUE_VERBS };

/* Called once, never before queue_helper_ask() returns. `error` NULL: it was done; `said` is then what postsuper(1)
 * said, a line for each message that it found. The helper is gone afterwards. */
typedef void queue_helper_done(void *arg, const char *error, const char *said);

/* `request`: the verb and at most QUEUE_HELPER_IDS queue ids, a line each. NULL with errno: it cannot be asked. */
struct queue_helper *queue_helper_ask(struct event_base *base, const char *socket, const char *request,
				      queue_helper_done *done, void *arg);
/* Nobody wants the answer any more. */
void queue_helper_cancel(struct queue_helper **helper);

/* The next queue id of which `said` says `what` ("placed on hold"), from *rest on; false: no more. */
bool queue_helper_next(const char **rest, const char *what, char *id, size_t id_size);

#endif

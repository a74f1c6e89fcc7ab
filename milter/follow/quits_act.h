/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quits_act: has penstock-queue release or delete what quits.h says is due, at once, and says so. What it does not do
 * is asked for again, and what does not leave the hold queue in two hours is released with all other held mail whose
 * date has come (penstockctl held release --due).
 */
#ifndef PENSTOCK_FOLLOW_QUITS_ACT_H
#define PENSTOCK_FOLLOW_QUITS_ACT_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct event_base;
struct quits;
struct quits_act;
struct store;

struct quits_act_counts {
	uint64_t released, deleted; /* messages, since the start */
	uint64_t failed;	    /* requests that penstock-queue did not fulfil */
	bool failing;		    /* the last one, or nobody listens at its socket */
};

/* All borrowed. NULL: no memory. */
struct quits_act *quits_act_new(struct event_base *base, const struct config *config, struct store *store,
				struct quits *quits, const char *node);
/* Behind store_free(). */
void quits_act_free(struct quits_act **act);

/* As often as you like: cheap where nothing is due. `now_ms` is monotonic. */
void quits_act_run(struct quits_act *act, int64_t now_ms);
/* Once a second: is penstock-queue there? */
void quits_act_tick(struct quits_act *act, int64_t now_ms);

struct quits_act_counts quits_act_counts(const struct quits_act *act);

#endif

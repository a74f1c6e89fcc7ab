/* SPDX-License-Identifier: BSD-2-Clause
 *
 * show: the daemon's answers as tables for people. A member that is missing, or of another kind than expected,
 * shows as nothing: tool and daemon may differ in age.
 */
#ifndef PENSTOCK_SHOW_H
#define PENSTOCK_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct table;

/* `all`: what is nought, too (-v). */
typedef void show_answer(const json_t *answer, bool all, FILE *to);

show_answer show_top, show_pools, show_monitor_check; /* show.c */
show_answer show_receivers;			      /* show_receivers.c */
show_answer show_events;			      /* show_events.c */
show_answer show_status;			      /* show_status.c */
show_answer show_account;			      /* show_account.c */

/* show_spoke.c: what speaks for an account by the `spoke` of its terms, whose size is in `member`; nothing where none
 * has one. */
void show_spoke(const json_t *terms, const char *member, int indent, FILE *to);

/* show_done.c: what came of a change, and where the account stays as it was all the same, why. */
show_answer show_blocked, show_unblocked, show_exempted, show_unexempted, show_reset, show_feedback;
/* `set` is what account.limit was asked to set: "alice@example.com: limits set: rcpts_per_hour=7; limits removed:
 * plan". */
void show_limited(const json_t *answer, const json_t *set, FILE *to);

/* What several of them say. */
const char *show_or_dash(const char *text);
void show_add_pair(struct table *table, const char *name, const char *value);
void show_add_number(struct table *table, const json_t *object, const char *name);
void show_add_score(struct table *table, const json_t *value);
const char *show_value(const json_t *value, char *form); /* of FORM_MAX: any simple value as one word */
extern const char *const show_pairs[];			 /* titles of a table of names and values, which has none */

#endif

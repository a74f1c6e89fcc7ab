/* SPDX-License-Identifier: BSD-2-Clause
 *
 * show: the daemon's answers as tables for people. A member that is missing, or of another kind than expected,
 * shows as nothing: tool and daemon may differ in age.
 */
#ifndef PENSTOCK_SHOW_H
#define PENSTOCK_SHOW_H

#include <jansson.h>
#include <stdio.h>

typedef void show_answer(const json_t *answer, FILE *to);

void show_status(const json_t *answer, FILE *to);
void show_top(const json_t *answer, FILE *to);
void show_pools(const json_t *answer, FILE *to);
void show_monitor_check(const json_t *answer, FILE *to);
void show_events(const json_t *answer, FILE *to);
void show_account(const json_t *answer, FILE *to);

/* "alice@example.com: blocked", for what has no answer to show; `set` is what account.limit was asked to set, or
 * NULL: "alice@example.com: limits set: rcpts_per_hour=7; limits removed: plan". */
void show_done(const char *account, const char *done, const json_t *set, FILE *to);

#endif

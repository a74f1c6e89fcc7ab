/* SPDX-License-Identifier: BSD-2-Clause
 *
 * shadow: what rules that run in shadow mode would have done, counted for each UTC day and account in the Redis hash
 * `shadow:YYYY-MM-DD`: fields "WHAT:CAUSE ACCOUNT" (what: limited, moved, refused, held), and `all`, the day's mail.
 * Counts are gathered here and handed over each second; a day has at most SHADOW_FIELDS_MAX fields, what is more goes
 * to account "other". Kept SHADOW_DAYS days.
 */
#ifndef PENSTOCK_SHADOW_H
#define PENSTOCK_SHADOW_H

#include "milter/message/session.h"

#include <jansson.h>

struct event_base;

enum { SHADOW_FIELDS_MAX = 10000, SHADOW_DAYS = 30, SHADOW_SAID_MAX = 80 };

bool shadow_start(struct event_base *base); /* false: no memory */
void shadow_stop(void);

/* At the end of a message, or where it is refused. Any thread. */
void shadow_note(const struct session *session, enum stage stage, const char *queue_id);

/* The report over `days` days with today, the `rows` accounts with most messages named. `done` gets a new reference, or
 * NULL with the reason in `error`. Loop thread. */
void shadow_report(int days, size_t rows, void (*done)(void *arg, json_t *json, const char *error), void *arg);

#endif

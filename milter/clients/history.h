/* SPDX-License-Identifier: BSD-2-Clause
 *
 * history: who was refused by a list, slowed, gave up, and got mail through, for the study of throttling
 * (penstockctl throttle report): files of a day with rows of 16 bytes in clients.state, written by a thread of its own,
 * so that nobody waits for a disk.
 *
 * A row goes to the file of its own day, not of the day on which it comes. Files older than clients.history_days are
 * removed one by one, minutes apart: a clock that leaps ahead for a moment does not cost the whole history.
 */
#ifndef PENSTOCK_CLIENT_HISTORY_H
#define PENSTOCK_CLIENT_HISTORY_H

#include "milter/clients/history_file.h"
#include "policy/netaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Days of 0: nothing is written, and history_note() does nothing. May be called again while it runs, as on a reload: it
 * waits for nothing. False with a sentence in `error`: all is as it was. */
bool history_start(const char *folder, int64_t days, char *error, size_t error_size);
/* Writes what waits. */
void history_stop(void);
/* Any thread; never waits for a disk. What does not fit is lost and counted. */
void history_note(const struct netaddr *client, enum history_kind kind, int64_t time_s);
/* Rows that were lost since the program began, and why the newest write failed ("": it did not). */
uint64_t history_lost(char why[200]);

#endif

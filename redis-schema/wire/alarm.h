/* SPDX-License-Identifier: BSD-2-Clause
 *
 * alarm: the time that the store waits by. A test puts a clock of its own in the place of alarm.c.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_ALARM_H
#define PENSTOCK_ALARM_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;
struct alarm;

typedef void alarm_rings(void *arg);

/* CLOCK_MONOTONIC, in milliseconds. Any thread. */
int64_t alarm_clock_ms(void);

/* Rings once, `ms` milliseconds after it was set (0: in a later turn of the loop). NULL: no memory. */
struct alarm *alarm_new(struct event_base *base, alarm_rings *rings, void *arg);
void alarm_free(struct alarm **alarm);
/* One that is set already is set anew. */
void alarm_set(struct alarm *alarm, int64_t ms);
void alarm_clear(struct alarm *alarm);

/* Calls `rings` in a later turn of the loop. False: no memory. */
bool alarm_soon(struct event_base *base, alarm_rings *rings, void *arg);

#endif

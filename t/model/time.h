/* SPDX-License-Identifier: BSD-2-Clause
 *
 * time: what t/model/alarm.c has beside alarm.h: a clock that only the schedule moves, and alarms that ring when it
 * says so.
 */
#ifndef PENSTOCK_MODEL_TIME_H
#define PENSTOCK_MODEL_TIME_H

#include <stdbool.h>
#include <stdint.h>

void time_begin(int64_t ms);
/* Moves the clock and rings nothing. */
void time_forward(int64_t ms);
/* When the next alarm is due; INT64_MAX: none is set. */
int64_t time_next_alarm(void);
/* Rings one that is due, or calls the first that was called soon. False: there is none. */
bool time_ring(void);
bool time_call_soon(void);
/* Who waits to be called never is: a daemon ends without another turn of its loop. */
void time_drop_soon(void);
/* Are all alarms freed, and nobody waits to be called? */
bool time_is_empty(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * budget: how many questions a zone was asked today. A day is a UTC day: it ends for all alike, and for the lists whose
 * free use is counted by the day. The counts belong to the process: a reload finds them again, a restart begins at 0.
 *
 * `now_ms` is clock_now_ms(). Any thread: one lock for all.
 */
#ifndef PENSTOCK_BUDGET_H
#define PENSTOCK_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget;

/* The same for all who open the same zone, which may hold a secret: it is kept in memory only. NULL: no memory. */
struct budget *budget_open(const char *zone, int64_t now_ms);
/* Today's count stays. Clears the pointer; NULL is fine. */
void budget_close(struct budget **budget);

void budget_count(struct budget *budget, int64_t now_ms);
int64_t budget_spent(struct budget *budget, int64_t now_ms);

/* True: it was not said today, and is now. `what`: 0..31, the caller's. */
bool budget_say(struct budget *budget, int what, int64_t now_ms);

/* Until the next day. */
int64_t budget_left_ms(int64_t now_ms);

#endif

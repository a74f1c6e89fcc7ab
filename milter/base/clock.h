/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clock: the two clocks, in one place so that a scenario can put its own in. Any thread.
 */
#ifndef PENSTOCK_CLOCK_H
#define PENSTOCK_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);	  /* Unix time; may jump */
int64_t clock_monotonic_ms(void); /* never goes back; for deadlines and durations */

#endif

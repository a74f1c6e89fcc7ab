/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trap_hits: hits of spam traps on their way to the accounts' records. Who has an account and a mailbox elsewhere sees
 * at once when his mail leaves by another address, so that one message to each address of a list would tell him which
 * ones are traps. A hit therefore counts after a time that nobody can foresee: up to `traps.delay_minutes`, a sixth of
 * it at least. Until then it is in this daemon's memory alone; at its end it counts at once.
 */
#ifndef PENSTOCK_TRAP_HITS_H
#define PENSTOCK_TRAP_HITS_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Before the loop starts. False: no memory. */
bool trap_hits_start(struct loop *loop);
/* `hits` recipients of one message were traps. Any thread; never waits. Where TRAP_HITS_MAX wait, the one
 * that is due first counts now. */
void trap_hits_note(const char *account, int64_t hits, int64_t delay_minutes);
enum { TRAP_HITS_MAX = 10000 };
/* All that wait count now. Loop thread. */
void trap_hits_end(void);
/* With the loop stopped. */
void trap_hits_stop(void);
/* How many wait. Any thread. */
uint64_t trap_hits_waiting(void);

#endif

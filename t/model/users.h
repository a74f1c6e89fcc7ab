/* SPDX-License-Identifier: BSD-2-Clause
 *
 * users: who asks the daemons' stores something, and what they are told.
 */
#ifndef PENSTOCK_MODEL_USERS_H
#define PENSTOCK_MODEL_USERS_H

void users_begin(void);
/* Somebody, by lot, charges a message, reads an account or tells something that was learnt. */
void users_charge(void);
void users_fetch(void);
void users_tell(void);
/* An admin resets an account. */
void users_reset(int account);
/* Now that all is well, each daemon is asked, and answers by what Redis holds. */
void users_charge_all(void);
void users_check_full(void);
/* How many wait for an answer. */
int users_waiting(void);
/* The daemon has ended: who waits for it waits no longer. */
void users_gone(int daemon);
/* Was everybody answered in time? */
void users_check(void);
void users_end(void);

#endif

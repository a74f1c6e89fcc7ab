/* SPDX-License-Identifier: BSD-2-Clause
 *
 * subscribers: clients that send without a login are accounts of their own ("ip:ADDRESS", policy/account.h). Which of
 * them are blocked or suspect goes onto the block list, whom an admin exempted never does. Redis is asked for all of
 * them now and then, one question at a time, while somebody wants the list.
 */
#ifndef PENSTOCK_SUBSCRIBERS_H
#define PENSTOCK_SUBSCRIBERS_H

#include "milter/clients/zone_list.h"

struct event_base;

/* Before the loop runs. False: no memory. */
bool subscribers_start(struct event_base *base);
/* With the loop stopped and the store freed. */
void subscribers_stop(void);

/* Any thread: somebody wants them, for the next hour. */
void subscribers_want(int64_t now_s);
/* Any thread: adds those that Redis named when it was last asked, as bad at `now_s`. Returns the Unix time at which it
 * had named all of them; 0: it never has. */
int64_t subscribers_add(struct zone_list *bad, struct zone_list *exempt, int64_t now_s);

#endif

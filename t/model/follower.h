/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follower: a mail log, and who reads it and credits accounts; killed at any time, he reads on from his last
 * checkpoint.
 */
#ifndef PENSTOCK_MODEL_FOLLOWER_H
#define PENSTOCK_MODEL_FOLLOWER_H

#include "t/model/model.h"

enum { FOLLOWER = MODEL_DAEMONS }; /* whose connections they are, in the place of a daemon's number */

/* By lot: in half of the schedules there is none. */
void follower_begin(void);
/* Lines come, are read, a checkpoint is saved, a second is over. */
void follower_step(void);
void follower_kill(void);
/* From now on all is well: he reads all there is. */
void follower_settle(void);
/* Has Redis all of the log? */
bool follower_is_quiet(void);
void follower_free(void);

#endif

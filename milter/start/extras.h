/* SPDX-License-Identifier: BSD-2-Clause
 *
 * extras: the files and sockets of the daemon's own without which mail goes on: what penstockctl, /health and Postfix's
 * look-ups are answered by, and the file of facts. One that cannot be opened is a trouble (trouble.h) and no
 * reason not to start; it is tried again. Main thread.
 */
#ifndef PENSTOCK_EXTRAS_H
#define PENSTOCK_EXTRAS_H

#include "milter/config/config.h"

enum { EXTRAS_AGAIN_S = 10 }; /* what failed is tried again so often */

/* Before the loop runs and root's rights are lost. `first` is held by the caller until extras_stop. */
void extras_start(const struct config *first);
/* The file of facts, as the account that opens it again at a reload. One that cannot be opened is no reason to keep an
 * old policy: the file of before goes on. */
void extras_open_facts(const struct config *config);

/* Is the control socket there? */
bool extras_control(void);

/* What failed, once more; never waits. */
void extras_try_again(void);

/* With the loop stopped. */
void extras_stop(void);

#endif

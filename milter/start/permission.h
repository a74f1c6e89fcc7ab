/* SPDX-License-Identifier: BSD-2-Clause
 *
 * permission: who else on this host may read or change the files that a configuration lives on.
 */
#ifndef PENSTOCK_PERMISSION_H
#define PENSTOCK_PERMISSION_H

#include "milter/config/config.h"

/* Calls `say` with one sentence for each file that others may change, or read though it holds a secret: what it is, its
 * mode, and the commands that mend it. `file` is the configuration's own. A file that is not there has no sentence. */
void permission_check(const struct config *config, const char *file, void (*say)(const char *line));

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trial: what a start with a configuration would meet on this host, for `penstock -t`: files that the daemon's account
 * cannot read, sockets that it cannot open, addresses that are not this host's, names that nothing has.
 */
#ifndef PENSTOCK_TRIAL_H
#define PENSTOCK_TRIAL_H

#include "milter/config/config.h"

/* Calls `fail` with one sentence for each thing by which the daemon would not start or lack something, and `warn` for
 * each that may be meant. `file` is the configuration's own. Run by root it tries files and sockets as `user`; by
 * another account than that, it does not try them. The sockets and ports of a Penstock that answers at the same
 * control socket are not in its way. */
void trial(const struct config *config, const char *file, void (*fail)(const char *line),
	   void (*warn)(const char *line));

#endif

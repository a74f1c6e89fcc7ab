/* SPDX-License-Identifier: BSD-2-Clause
 *
 * replay_command: `penstockctl replay`. Fact lines (policy/replay/factline.h) through the policy of one configuration,
 * held against the verdicts as they were, or against those of another configuration. Constant memory but for a history
 * an account.
 */
#ifndef PENSTOCK_REPLAY_COMMAND_H
#define PENSTOCK_REPLAY_COMMAND_H

struct call;

/* EXIT_FINE whether anything differs or not; EXIT_USAGE where a file cannot be read or is of another version. */
int replay_command_run(const struct call *call);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_run: a command of Postfix, run directly and never through a shell, and stopped where it takes too long or says
 * too much. It is also the seam at which a test puts in what Postfix says.
 */
#ifndef PENSTOCK_POSTFIX_RUN_H
#define PENSTOCK_POSTFIX_RUN_H

#include <stddef.h>

/* Gives the standard output of `argv` (NULL at its end), to be freed, and its exit code; what it said on standard error
 * (the last line of it) is in `said`. NULL where it could not be run to its end, with a sentence in `said`. */
char *postfix_run(const char *const *argv, int *exit_out, char *said, size_t said_size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * run: a program run directly, never through a shell, and stopped where it takes too long or says too much.
 */
#ifndef PENSTOCK_RUN_H
#define PENSTOCK_RUN_H

#include <stddef.h>

/* Looked for in PATH and in /usr/sbin; `in` is its standard input, -1: /dev/null. Gives its standard output, at most
 * `most` bytes and a NUL, to be freed, and its exit code; the last line of what it said on standard error is in `said`.
 * NULL where it could not be run to its end, with a sentence in `said`. */
char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size);

#endif

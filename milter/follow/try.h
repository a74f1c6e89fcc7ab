/* SPDX-License-Identifier: BSD-2-Clause
 *
 * try: what penstock-follow does without following: -t, --dry-run, --rate. Nothing is written but to standard output,
 * and Redis is not asked.
 */
#ifndef PENSTOCK_TRY_H
#define PENSTOCK_TRY_H

#include <stdbool.h>
#include <stddef.h>

struct config;

/* Each is false with a sentence in `error`. */

/* May it start with that? */
bool try_config(const struct config *config, const char *replies, char *error, size_t error_size);

/* A log's file, "-": standard input. Prints what it says, or how fast it was read. */
bool try_log(const char *log, const char *replies, bool rate, char *error, size_t error_size);

#endif

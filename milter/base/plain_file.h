/* SPDX-License-Identifier: BSD-2-Clause
 *
 * plain_file: the file that an option names, opened without waiting. A FIFO would make whoever opens it wait for a
 * writer, and a device may never end.
 */
#ifndef PENSTOCK_PLAIN_FILE_H
#define PENSTOCK_PLAIN_FILE_H

#include <stdio.h>

/* As open(2), with mode 640 for what is created; -1 with the reason in `why_out`, and with errno ENOENT only where
 * there is no such file. */
int plain_file_open(const char *path, int flags, const char **why_out);

/* The same for reading. */
FILE *plain_file_read(const char *path, const char **why_out);

#endif

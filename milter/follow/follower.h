/* SPDX-License-Identifier: BSD-2-Clause
 *
 * follower: the running program. It reads the log, a piece at a time, while Redis takes what comes of it; where Redis
 * does not, it stops reading, and the log is the queue. Every few seconds it lets all credits arrive and saves a
 * checkpoint.
 */
#ifndef PENSTOCK_FOLLOWER_H
#define PENSTOCK_FOLLOWER_H

#include <stdbool.h>
#include <stddef.h>

struct config;
struct follower;

/* NULL with a sentence in `error`. `config` is borrowed, and so is `file`, its path. */
struct follower *follower_open(const struct config *config, const char *file, bool from_start, char *error,
			       size_t error_size);
/* Until SIGTERM or SIGINT comes, or the log ends (standard input). Returns the status to exit with. */
int follower_run(struct follower *follower);
/* Behind follower_run(): it ended on SIGHUP, and the program is to be executed again. */
bool follower_begins_again(const struct follower *follower);
void follower_free(struct follower **follower);

/* The file of replies that the configuration in `file` means. */
void follower_replies_file(const struct config *config, const char *file, char *path, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * privilege: what needs root, and how to lose it.
 */
#ifndef PENSTOCK_PRIVILEGE_H
#define PENSTOCK_PRIVILEGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The permissions that octal digits say. */
unsigned privilege_mode(const char *digits);

/* Gives a socket's file its permissions and group ("" leaves it). False with a sentence in `error`. */
bool privilege_share(const char *path, unsigned mode, const char *group, char *error, size_t error_size);

/* Is there such an account? "" is fine. False with a sentence in `error`. */
bool privilege_user(const char *user, char *error, size_t error_size);

/* Is there such a group? "" is fine. False with the value and what is wrong in `error`. */
bool privilege_group(const char *group, char *error, size_t error_size);

/* Is `user` another account than ours, which we cannot become? */
bool privilege_other(const char *user);

/* Becomes `user` with its groups where the process is root's; the file `keep` ("": none) becomes his. "" stays as it
 * is. False with a sentence in `error`. */
bool privilege_drop(const char *user, const char *keep, char *error, size_t error_size);

/* Raises the limit of open files towards `wanted`, as far as it may. How many there can be then. */
uint64_t privilege_files(uint64_t wanted);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * logins: the login names for source uid, from a file in passwd(5) form: all at once, so that no look-up waits later.
 *
 * Immutable: any thread. Belongs to a setup, so that a reload reads it anew.
 */
#ifndef PENSTOCK_LOGINS_H
#define PENSTOCK_LOGINS_H

#include <stdbool.h>
#include <stddef.h>

enum { LOGINS_MAX = 1000000, LOGIN_MAX = 63 };

struct logins;

/* "": no file, no login. NULL with one sentence in `error`, also where they are more than LOGINS_MAX or a line is too
 * long. A name longer than LOGIN_MAX is left out, which the log says. */
struct logins *logins_read(const char *file, char *error, size_t error_size);
void logins_free(struct logins **logins);

/* The number of the login of that name; `logins` may be NULL. */
bool logins_find(const struct logins *logins, const char *name, unsigned *uid_out);

#endif

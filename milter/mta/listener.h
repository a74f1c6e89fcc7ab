/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listener: the socket that libmilter is given, one of ours or one that systemd holds. Main thread.
 */
#ifndef PENSTOCK_LISTENER_H
#define PENSTOCK_LISTENER_H

#include "milter/config/config.h"

/* Before any session, with root's rights where there are some. False with a sentence in `error`. */
bool listener_open(const struct settings *set, char *error, size_t error_size);

/* libmilter's listener polls for five seconds under the lock that smfi_stop wants; a connection wakes it. */
void listener_wake(void);

/* Behind sockets_end(). libmilter is given a socket to which nobody connects in the place of the one that systemd
 * holds: who comes from now on waits there for the next daemon. False: systemd holds none. */
bool listener_rest(void);

#endif

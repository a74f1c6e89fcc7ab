/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_spot: a socket as Postfix's parameters name it ("unix:PATH", "local:PATH", "inet:HOST:PORT", "inet:PORT"),
 * and where that is.
 */
#ifndef PENSTOCK_POSTFIX_SPOT_H
#define PENSTOCK_POSTFIX_SPOT_H

#include <stdbool.h>
#include <stddef.h>

/* The file of a unix socket, below `queue` where its path is relative or the process is chrooted; another text as it
 * is. */
void spot_place(const char *queue, const char *socket, bool chroot, char *place, size_t size);
/* Is `socket`, as a process finds it, the one that the daemon names `ours` ("unix:/x", "inet:127.0.0.1:8890")? A file
 * under two names is the same. Names of hosts are looked up by getent(1). */
bool spot_same(const char *queue, const char *socket, bool chroot, const char *ours);

#endif

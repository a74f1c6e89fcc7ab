/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sockets: what the daemon listens on, and the files of it. Who removes such a file cuts off all who look for it, and
 * nothing tells the daemon: so it looks each second, and where a file is gone it listens anew, at the same path and in
 * the same descriptor, whose owner notices nothing. Where that cannot be, the log and /health say why.
 *
 * Loop thread only, or with the loop stopped, but for those that say otherwise.
 */
#ifndef PENSTOCK_SOCKETS_H
#define PENSTOCK_SOCKETS_H

#include "milter/base/endpoint.h"

#include <stdbool.h>
#include <stdint.h>

struct evconnlistener;

/* id, option */
#define SOCKETS_ROWS(ROW) \
	ROW(MILTER, "milter.socket") \
	ROW(SOCKETMAP, "socketmap.listen") \
	ROW(CONTROL, "control.socket") \
	ROW(HTTP, "http.listen")

/* clang-format off */
enum socket_of {
#define SOCKETS_ENUM(id, option) SOCKET_##id,
	SOCKETS_ROWS(SOCKETS_ENUM)
#undef SOCKETS_ENUM
	SOCKET_COUNT
};
/* clang-format on */

/* How one is made. Strings are borrowed as long as it is watched. */
struct socket_form {
	struct endpoint endpoint;
	unsigned mode;
	const char *group; /* "" : it is left; NULL: who gave us the socket makes its file */
};

/* Listens; -1 with a sentence in `error`. */
int sockets_listen(const struct socket_form *form, char *error, size_t error_size);

/* From now on its file is watched; one that is no unix socket has none. `fd` is what its owner listens on; -1: the
 * owner keeps that to himself, and a restart has to mend it. `listener` is libevent's that has it; NULL: none has. */
void sockets_watch(enum socket_of which, const struct socket_form *form, int fd, struct evconnlistener *listener);

/* Each second. */
void sockets_look(void);
/* Any thread: the daemon ends, no file is made anew any more, and nobody is held. */
void sockets_end(void);
/* Who has nothing of libevent's, as libmilter, takes everybody who comes, up to the last descriptor. Held, he finds
 * nobody: whoever comes waits in the kernel's queue, and the descriptors that are left are for what asks and answers.
 */
void sockets_hold(enum socket_of which, bool hold);

/* At the end, behind their owners. */
void sockets_close(void);
/* Removes the file, if it is the one that was watched, and ours to make. */
void sockets_remove(enum socket_of which);

/* NULL: all is well. Else a sentence without its full stop. */
const char *sockets_trouble(enum socket_of which);
const char *sockets_option(enum socket_of which);
/* Where it listens; NULL: it does not. Loop thread. */
const struct endpoint *sockets_endpoint(enum socket_of which);
uint64_t sockets_remade(enum socket_of which);

#endif

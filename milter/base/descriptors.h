/* SPDX-License-Identifier: BSD-2-Clause
 *
 * descriptors: how many files and sockets the daemon may still open. Without one nothing can be asked and nobody is let
 * in. Loop thread only.
 */
#ifndef PENSTOCK_DESCRIPTORS_H
#define PENSTOCK_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

/* Before root's rights are dropped. */
void descriptors_start(void);
void descriptors_stop(void);

/* accept said that none is left. Gives up one of some that are kept for that, and holds libmilter's socket, which would
 * take it. True: accept is to be tried again when somebody comes; false: there was none to give up, wait. */
bool descriptors_make_way(int listen_fd);

/* Each second: says in the log when they become scarce, and when that is over. True: they are. */
bool descriptors_look(void);

struct descriptors {
	uint64_t open, most; /* 0: not known */
	bool scarce;
};
struct descriptors descriptors_count(void);

#endif

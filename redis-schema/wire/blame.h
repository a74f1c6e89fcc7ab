/* SPDX-License-Identifier: BSD-2-Clause
 *
 * blame: of whom an error of Redis speaks. One table; no I/O.
 */
#ifndef PENSTOCK_BLAME_H
#define PENSTOCK_BLAME_H

enum blame {
	BLAME_NOBODY,  /* no error */
	BLAME_SERVER,  /* it takes none now (READONLY, LOADING, OOM, MOVED ...): another one would fare alike */
	BLAME_KEY,     /* the key holds another type, or a value that is of no use: other keys are fine */
	BLAME_SCRIPT,  /* NOSCRIPT: it has to be sent as text */
	BLAME_USER,    /* NOPERM: the ACL user may not do this */
	BLAME_COMMAND, /* anything else: a bug, or a server that does not know the command */
};

/* `error`: the text of an error answer, without the "-". */
enum blame blame_of(const char *error);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * head: the heads of a connection's requests, looked at byte by byte before evhttp reads them, which takes much that
 * RFC 9112 forbids: two that read the same bytes as different requests answer one client with what is another's. As no
 * request may have a body, the bytes of a connection are heads and nothing else. No I/O, nothing is kept of them.
 */
#ifndef PENSTOCK_WEB_HEAD_H
#define PENSTOCK_WEB_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum head_part { HEAD_METHOD, HEAD_TARGET, HEAD_VERSION, HEAD_NAME, HEAD_VALUE };

/* All zero before the first byte. Private to head.c, but for `wrong`. */
struct head {
	const char *wrong; /* a sentence, from the first wrong byte on; NULL: nothing is amiss so far */
	enum head_part part;
	size_t length; /* of the part so far */
	bool is_host;  /* the name so far begins "host" */
	bool cr;       /* the byte before was one */
	bool old;      /* HTTP/1.0 */
	int hosts;     /* Host lines of this head */
};

void head_read(struct head *head, const char *bytes, size_t length);

#endif

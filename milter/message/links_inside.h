/* SPDX-License-Identifier: BSD-2-Clause
 *
 * links_inside: what the files of links share among themselves.
 */
#ifndef PENSTOCK_LINKS_INSIDE_H
#define PENSTOCK_LINKS_INSIDE_H

#include "milter/message/links.h"

/* A byte of the text. `coded`: an entity stood for it, so that it is no markup. */
void links_take(struct links *links, char c, bool coded);
/* A byte behind the beginning of a link; false: it is not of the link any more. */
bool links_inside(struct links *links, char c, bool coded);

/* links_entity.c: a byte of HTML, and the end of an entity without its semicolon, or with it. */
void links_take_html(struct links *links, char c);
void links_end_entity(struct links *links, bool closed);

/* -1: it is no hexadecimal digit. */
int links_hex_value(char c);
bool links_is_alnum(char c);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * links_entity: entities of HTML (character references, HTML section 13.2.5.72), as far as they matter in the host of a
 * link. Others stay as they are written.
 */
#ifndef PENSTOCK_LINKS_ENTITY_H
#define PENSTOCK_LINKS_ENTITY_H

#include <stdbool.h>
#include <stddef.h>

enum {
	LINKS_ENTITY_MAX = 10, /* longer than those that matter */
	LINKS_ENTITY_ROOM = LINKS_ENTITY_MAX + 2,
};

/* The one under way, without '&'. */
struct links_entity {
	bool open;
	size_t length;
	char name[LINKS_ENTITY_MAX];
};

/* The next byte; false: it is not of the entity, which is to be ended. */
bool links_entity_take(struct links_entity *entity, char c);
/* `closed`: by its semicolon. What it stands for, as UTF-8; returns how many bytes. */
size_t links_entity_end(struct links_entity *entity, bool closed, char bytes[LINKS_ENTITY_ROOM]);

bool links_is_alnum(char c);

#endif

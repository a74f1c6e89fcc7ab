/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_element: our element of a list of milters: "unix:PATH", or in braces with options of its own,
 * "{ unix:PATH, default_action=accept }".
 */
#ifndef PENSTOCK_POSTFIX_ELEMENT_H
#define PENSTOCK_POSTFIX_ELEMENT_H

#include "milter/ctl/postfix/postfix_read.h"

struct postfix_check;
struct postfix_line;
struct postfix_service;

/* Where ours is in a list; `at` NULL: nowhere. Borrows the list. */
struct milter_element {
	const char *at, *end;
	char text[ELEMENT_MAX]; /* without its braces */
	bool whole;		/* false: it is longer, and `text` a part */
};

/* `ours` is our socket as the daemon names it. */
bool element_find(const struct postfix_check *check, const char *list, const char *ours, bool chroot,
		  struct milter_element *found_out);

/* An element of ours for `service`: in braces where parameters that hold for it would not do. */
void element_make(const struct postfix_check *check, const struct postfix_service *service, const char *socket,
		  char *value, size_t size);

/* Reports what `service` would make of the element beside the socket: options that are none, or do not do. `own` NULL:
 * the list is main.cf's. `socket` is what it is to name, NULL: what it names is right; then a place that no process
 * seeks is reported with `sought`. `list` is what the element was found in. True where something was. */
bool element_check(struct postfix_check *check, const struct milter_element *element, const char *list,
		   const struct postfix_service *service, const char *own, const struct postfix_line *line,
		   const char *socket);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_sockets: does each service of Postfix that has to ask us find our sockets, chrooted as it is?
 */
#ifndef PENSTOCK_POSTFIX_SOCKETS_H
#define PENSTOCK_POSTFIX_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

struct postfix_check;
struct postfix_line;
struct postfix_service;

/* A path outside of the queue directory: a chrooted process cannot be told of it. */
bool socket_outside(const struct postfix_line *line);
void socket_report_chroot(struct postfix_check *check, const struct postfix_service *service,
			  const struct postfix_line *line);
/* May Postfix's user open the unix socket that the daemon names `ours`? Reported once for each. `name` is the
 * parameter. Only root can tell. */
void socket_check_access(struct postfix_check *check, const char *name, const char *ours);
void check_socketmap(struct postfix_check *check);
/* Is an element of a list our socketmap, as a process finds it? Then `map` is the name of the map that is asked. */
bool socketmap_is_ours(const struct postfix_check *check, const char *element, bool chroot, char *map, size_t size);
/* Where its map `transport` is in a list of tables; false: nowhere. */
bool socketmap_find(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out);

#endif

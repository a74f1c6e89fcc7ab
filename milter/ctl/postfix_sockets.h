/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_sockets: does each service of Postfix that has to ask us find our sockets, chrooted as it is?
 */
#ifndef PENSTOCK_POSTFIX_SOCKETS_H
#define PENSTOCK_POSTFIX_SOCKETS_H

struct check;

/* `name` is the parameter that lists the milters of the services whose command is `command`. */
void check_milters(struct check *check, const char *name, const char *command);
void check_socketmap(struct check *check);

#endif

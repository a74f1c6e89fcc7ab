/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/listen.h"

#include "milter/callbacks.h"
#include "milter/notify.h"
#include "milter/privilege.h"
#include "milter/socketmap.h"
#include "milter/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { BACKLOG = 1024 };

static unsigned socket_mode(const struct settings *set)
{
	return (unsigned)strtoul(set->milter_socket_mode, NULL, 8);
}

static bool give_to_libmilter(char *name, const struct settings *set)
{
	struct smfiDesc description = callbacks;
	return smfi_setconn(name) == MI_SUCCESS && smfi_register(description) == MI_SUCCESS &&
	       smfi_settimeout((int)set->milter_timeout_s) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
	       smfi_opensocket(true) == MI_SUCCESS;
}

/* One that systemd holds: then a restart refuses no connection. */
static bool take_milter(const struct settings *set, int inherited, struct endpoint *milter_out, char *error,
			size_t error_size)
{
	char name[20];
	struct socket_form form = { .endpoint.length = sizeof form.endpoint.address };
	getsockname(inherited, (struct sockaddr *)&form.endpoint.address, &form.endpoint.length);
	*milter_out = form.endpoint;
	sockets_watch(SOCKET_MILTER, &form, inherited, NULL);
	snprintf(name, sizeof name, "fd:%d", inherited);
	if (give_to_libmilter(name, set))
		return true;
	snprintf(error, error_size, "milter.socket: libmilter cannot listen on %s, which systemd holds", name);
	return false;
}

/* Ours, given to libmilter as one of systemd's would be. A libmilter that cannot take it opens its own. */
bool listen_milter(const struct settings *set, struct endpoint *milter_out, char *error, size_t error_size)
{
	struct socket_form form = { .mode = socket_mode(set), .group = set->milter_socket_group };
	char name[300], why[300];
	int inherited = notify_listen_fd();
	if (inherited >= 0)
		return take_milter(set, inherited, milter_out, error, error_size);
	if (!endpoint_parse(set->milter_socket, &form.endpoint, error, error_size))
		return false;
	int fd = sockets_listen(&form, why, sizeof why);	/* which says why not: libmilter knows only that it failed */
	snprintf(error, error_size, "milter.socket: %s", why);
	if (fd < 0)
		return false;
	*milter_out = form.endpoint;
	snprintf(name, sizeof name, "fd:%d", fd);
	if (!give_to_libmilter(name, set)) {
		close(fd);
		fd = -1;
		endpoint_for_libmilter(&form.endpoint, name, sizeof name);
		snprintf(error, error_size, "milter.socket: libmilter cannot listen on %s", name);
		if (!endpoint_claim(&form.endpoint, error, error_size) || !give_to_libmilter(name, set) ||
		    (strncmp(name, "unix:", 5) == 0 &&
		     !privilege_share(name + 5, form.mode, form.group, error, error_size)))
			return false;
	}
	sockets_watch(SOCKET_MILTER, &form, fd, NULL);
	return true;
}

bool listen_socketmap(const struct settings *set, struct event_base *base, struct socketmap **socketmap_out, char *error,
		      size_t error_size)
{
	struct socket_form form = { .mode = socket_mode(set), .group = set->milter_socket_group };
	if (set->socketmap_listen[0] == '\0')
		return true;
	if (!endpoint_parse(set->socketmap_listen, &form.endpoint, error, error_size))
		return false;
	char why[300];
	int fd = sockets_listen(&form, why, sizeof why);
	if (fd < 0) {
		snprintf(error, error_size, "socketmap.listen is \"%s\": %s", set->socketmap_listen, why);
		return false;
	}
	*socketmap_out = socketmap_start(base, fd);
	if (*socketmap_out == NULL) {
		snprintf(error, error_size, "socketmap.listen: no memory");
		return false;
	}
	sockets_watch(SOCKET_SOCKETMAP, &form, fd, socketmap_listener(*socketmap_out));
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/listener.h"

#include "milter/mta/callbacks.h"
#include "milter/base/endpoint.h"
#include "milter/base/notify.h"
#include "milter/base/privilege.h"
#include "milter/base/sockets.h"
#include "milter/daemon/trouble.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { BACKLOG = 1024 };

static struct {
	struct endpoint at; /* of length 0 where that is not known */
	int inherited;	    /* held by systemd; -1: none */
} listener = { .inherited = -1 };

/* What the configuration names is what `penstockctl postfix print` tells Postfix. */
static void listener_compare_sockets(const char *named)
{
	struct endpoint endpoint;
	char held[200], wanted[200] = "", error[300];
	endpoint_text(&listener.at, held, sizeof held);
	if (endpoint_parse(named, &endpoint, error, sizeof error))
		endpoint_text(&endpoint, wanted, sizeof wanted);
	if (strcmp(held, wanted) == 0)
		trouble_clear(TROUBLE_MILTER);
	else
		trouble_set(TROUBLE_MILTER,
			    "milter.socket is \"%s\", but systemd holds %s, and nothing else is served: name that, or "
			    "give penstock.socket the other (systemctl edit penstock.socket), or disable it",
			    named, held);
}

static bool listener_give_to_libmilter(char *name, const struct settings *set)
{
	struct smfiDesc description = callbacks;
	return smfi_setconn(name) == MI_SUCCESS && smfi_register(description) == MI_SUCCESS &&
	       smfi_settimeout((int)set->milter_timeout_s) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
	       smfi_opensocket(true) == MI_SUCCESS;
}

/* One that systemd holds: then a restart refuses no connection. */
static bool listener_take_inherited(const struct settings *set, char *error, size_t error_size)
{
	char name[20];
	struct socket_form form = { .endpoint.length = sizeof form.endpoint.address };
	getsockname(listener.inherited, (struct sockaddr *)&form.endpoint.address, &form.endpoint.length);
	listener.at = form.endpoint;
	listener_compare_sockets(set->milter_socket);
	sockets_watch(SOCKET_MILTER, &form, listener.inherited, NULL);
	snprintf(name, sizeof name, "fd:%d", listener.inherited);
	if (listener_give_to_libmilter(name, set))
		return true;
	snprintf(error, error_size, "milter.socket: libmilter cannot listen on %s, which systemd holds", name);
	return false;
}

/* A libmilter that cannot take a descriptor opens its own socket, of which it can say only that it failed. */
static bool listener_leave_to_libmilter(const struct settings *set, const struct socket_form *form, char *error,
					size_t error_size)
{
	char name[300];
	endpoint_for_libmilter(&form->endpoint, name, sizeof name);
	snprintf(error, error_size, "milter.socket: libmilter cannot listen on %s", name);
	return endpoint_claim(&form->endpoint, error, error_size) && listener_give_to_libmilter(name, set) &&
	       (strncmp(name, "unix:", 5) != 0 ||
		privilege_share(name + 5, form->mode, form->group, error, error_size));
}

bool listener_open(const struct settings *set, char *error, size_t error_size)
{
	struct socket_form form = { .mode = privilege_mode(set->milter_socket_mode),
				    .group = set->milter_socket_group };
	char name[20], why[300];
	listener.inherited = notify_listen_fd();
	if (listener.inherited >= 0)
		return listener_take_inherited(set, error, error_size);
	if (!endpoint_parse(set->milter_socket, &form.endpoint, error, error_size))
		return false;
	int fd = sockets_listen(&form, why, sizeof why);
	if (fd < 0) {
		snprintf(error, error_size, "milter.socket: %s", why);
		return false;
	}
	listener.at = form.endpoint;
	snprintf(name, sizeof name, "fd:%d", fd); /* as one of systemd's would be */
	if (!listener_give_to_libmilter(name, set)) {
		close(fd);
		fd = -1;
		if (!listener_leave_to_libmilter(set, &form, error, error_size))
			return false;
	}
	sockets_watch(SOCKET_MILTER, &form, fd, NULL);
	return true;
}

static void wake(const struct endpoint *at)
{
	int fd = endpoint_connect(at);
	if (fd >= 0)
		close(fd);
}

void listener_wake(void)
{
	wake(&listener.at);
}

bool listener_rest(void)
{
	struct endpoint rest = { .address.ss_family = AF_UNIX,
				 .length = sizeof(sa_family_t) }; /* a name of the kernel's: unix(7) */
	const struct endpoint old = listener.at;
	struct sockaddr *address = (struct sockaddr *)&rest.address;
	int fd = listener.inherited < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool fine = fd >= 0 && bind(fd, address, rest.length) == 0 && listen(fd, BACKLOG) == 0 &&
		    dup3(fd, listener.inherited, O_CLOEXEC) == listener.inherited;
	if (fine) {
		rest.length = sizeof rest.address;
		getsockname(fd, address, &rest.length);
		listener.at = rest;
		listener_wake();
		wake(&old); /* whose queue poll(2) waits in still; once woken it looks at the new one */
	}
	if (fd >= 0)
		close(fd);
	return fine;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/listener.h"

#include "milter/callbacks.h"
#include "milter/endpoint.h"
#include "milter/notify.h"
#include "milter/privilege.h"
#include "milter/trouble.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { BACKLOG = 1024 };

static struct {
	struct endpoint at;	/* of length 0 where that is not known */
	int inherited;		/* held by systemd; -1: none */
} listener = { .inherited = -1 };

/* What smfi_opensocket cannot say: it knows only that it failed. */
static bool may_listen(const struct endpoint *endpoint, const char *option, char *error, size_t error_size)
{
	char why[300];
	int fd = endpoint_listen(endpoint, 0600, "", why, sizeof why);
	if (fd < 0)
		snprintf(error, error_size, "%s: %s", option, why);
	else
		close(fd);
	return fd >= 0 && endpoint_claim(endpoint, error, error_size);
}

/* What the configuration names is what `penstockctl postfix print` tells Postfix. */
static void compare_sockets(const char *named)
{
	struct endpoint endpoint;
	char held[200], wanted[200] = "", error[300];
	endpoint_text(&listener.at, held, sizeof held);
	if (endpoint_parse(named, &endpoint, error, sizeof error))
		endpoint_text(&endpoint, wanted, sizeof wanted);
	if (strcmp(held, wanted) == 0)
		trouble_clear(TROUBLE_MILTER);
	else
		trouble_set(TROUBLE_MILTER, "milter.socket is \"%s\", but systemd holds %s, and nothing else is served: name that, "
			    "or give penstock.socket the other (systemctl edit penstock.socket), or disable it", named, held);
}

/* libmilter opens its own socket, but for one that systemd holds: then a restart refuses no connection. */
bool listener_open(const struct settings *set, char *error, size_t error_size)
{
	char name[300];
	struct smfiDesc description = callbacks;
	listener.inherited = notify_listen_fd();
	if (listener.inherited >= 0) {
		listener.at.length = sizeof listener.at.address;
		getsockname(listener.inherited, (struct sockaddr *)&listener.at.address, &listener.at.length);
		snprintf(name, sizeof name, "fd:%d", listener.inherited);
		compare_sockets(set->milter_socket);
	} else {
		if (!endpoint_parse(set->milter_socket, &listener.at, error, error_size) ||
		    !may_listen(&listener.at, "milter.socket", error, error_size))
			return false;
		endpoint_for_libmilter(&listener.at, name, sizeof name);
	}
	bool fine = smfi_setconn(name) == MI_SUCCESS && smfi_register(description) == MI_SUCCESS &&
		    smfi_settimeout((int)set->milter_timeout_s) == MI_SUCCESS && smfi_setbacklog(BACKLOG) == MI_SUCCESS &&
		    smfi_opensocket(true) == MI_SUCCESS;
	if (!fine)
		snprintf(error, error_size, "milter.socket: libmilter cannot listen on %s", name);
	const char *path = strncmp(name, "unix:", 5) == 0 ? name + 5 : NULL;
	return fine && (path == NULL ||
			privilege_share(path, privilege_mode(set->milter_socket_mode), set->milter_socket_group, error, error_size));
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
	struct endpoint rest = { .address.ss_family = AF_UNIX, .length = sizeof(sa_family_t) };	/* a name of the kernel's: unix(7) */
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
		wake(&old);	/* whose queue poll(2) waits in still; once woken it looks at the new one */
	}
	if (fd >= 0)
		close(fd);
	return fine;
}

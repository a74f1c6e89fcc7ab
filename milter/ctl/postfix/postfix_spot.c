/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_spot.h"

#include "milter/ctl/postfix/postfix_read.h"
#include "milter/ctl/tool/run.h"
#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/base/banned.h"

enum { HOSTS_MAX = 1 << 16, HOST_MAX = 255 };

static const char *path_of(const char *socket)
{
	return strncmp(socket, "unix:", 5) == 0 ? socket + 5 : strncmp(socket, "local:", 6) == 0 ? socket + 6 : NULL;
}

void spot_place(const char *queue, const char *socket, bool chroot, char *place, size_t size)
{
	struct text text = text_over(place, size);
	const char *path = path_of(socket);
	bool below = path != NULL && (chroot || *path != '/');
	text_add(&text, below ? queue : "");
	text_add(&text, below && *path != '/' ? "/" : "");
	text_add(&text, path != NULL ? path : socket);
}

/* "inet:HOST:PORT", "inet:[HOST]:PORT", "inet:PORT": Postfix's host_port(3). False where it is none. */
static bool spot_split_inet(const char *socket, char host[HOST_MAX + 1], int *port_out)
{
	if (strncmp(socket, "inet:", 5) != 0)
		return false;
	const char *start = socket + 5, *colon = strrchr(start, ':'), *port = colon == NULL ? start : colon + 1;
	size_t length = colon == NULL ? 0 : (size_t)(colon - start);
	if (length >= 2 && start[0] == '[' && start[length - 1] == ']') {
		start++;
		length -= 2;
	}
	snprintf(host, HOST_MAX + 1, "%.*s", (int)(length <= HOST_MAX ? length : 0), start);
	if (length == 0)
		text_copy(host, HOST_MAX + 1, "localhost");
	if (*port != '\0' && port[strspn(port, "0123456789")] == '\0') {
		*port_out = (int)strtol(port, NULL, 10);
		return true;
	}
	const struct servent *service = getservbyname(port, "tcp");
	*port_out = service != NULL ? ntohs((uint16_t)service->s_port) : 0;
	return service != NULL;
}

/* A daemon that listens on all addresses is met at each of this host; only those of loopback are known to be that. */
static bool spot_same_address(const char *text, const struct netaddr *ours)
{
	static const struct netaddr none = { 0 };
	struct netaddr address;
	if (!netaddr_parse(text, &address))
		return false;
	bool any = memcmp(ours->bytes, none.bytes, sizeof none.bytes) == 0;
	return any ? netaddr_is_loopback(&address) : netaddr_same(&address, ours);
}

static bool spot_same_host(const char *host, const struct netaddr *ours)
{
	struct netaddr address;
	char said[400];
	int code = 0;
	bool same = false;
	if (netaddr_parse(host, &address))
		return spot_same_address(host, ours);
	if (*host == '-' || *host == '\0')
		return false;
	char *text = run_program((const char *const[]){ "getent", "ahosts", host, NULL }, -1, HOSTS_MAX, &code, said,
				 sizeof said);
	char *rest = text;
	for (char *line; !same && (line = postfix_next_line(&rest)) != NULL;) {
		line[strcspn(line, " \t")] = '\0';
		same = spot_same_address(line, ours);
	}
	free(text);
	return same;
}

static bool same_file(const char *a, const char *b)
{
	struct stat stat_a, stat_b;
	return strcmp(a, b) == 0 || (stat(a, &stat_a) == 0 && stat(b, &stat_b) == 0 && stat_a.st_dev == stat_b.st_dev &&
				     stat_a.st_ino == stat_b.st_ino);
}

bool spot_same(const char *queue, const char *socket, bool chroot, const char *ours)
{
	char a[ELEMENT_MAX], b[ELEMENT_MAX], host_a[HOST_MAX + 1], host_b[HOST_MAX + 1];
	int port_a, port_b;
	struct netaddr address;
	if (path_of(ours) != NULL) {
		if (path_of(socket) == NULL)
			return false;
		spot_place(queue, socket, chroot, a, sizeof a);
		spot_place(queue, ours, false, b, sizeof b);
		return same_file(a, b);
	}
	return spot_split_inet(socket, host_a, &port_a) && spot_split_inet(ours, host_b, &port_b) && port_a == port_b &&
	       netaddr_parse(host_b, &address) && spot_same_host(host_a, &address);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/endpoint.h"

#include "milter/base/privilege.h"
#include "policy/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

static bool endpoint_parse_unix(const char *path, struct endpoint *endpoint, char *error, size_t error_size)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	if (*path != '/' || !text_copy(un.sun_path, sizeof un.sun_path, path)) {
		snprintf(error, error_size, "\"unix:%s\": expected an absolute path of at most %zu bytes", path,
			 sizeof un.sun_path - 1);
		return false;
	}
	memcpy(&endpoint->address, &un, sizeof un);
	endpoint->length = sizeof un;
	return true;
}

static bool endpoint_parse_inet(const char *text, struct endpoint *endpoint)
{
	char host[64];
	const char *colon = strrchr(text, ':');
	bool bracket = *text == '[';
	if (colon == NULL || colon == text || (bracket && colon[-1] != ']'))
		return false;
	size_t length = (size_t)(colon - text) - (bracket ? 2 : 0);
	if (length == 0 || length >= sizeof host)
		return false;
	memcpy(host, text + (bracket ? 1 : 0), length);
	host[length] = '\0';
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int64_t port;
	if (!text_to_int(colon + 1, 1, 65535, &port) || getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return false;
	memcpy(&endpoint->address, found->ai_addr, found->ai_addrlen);
	endpoint->length = found->ai_addrlen;
	freeaddrinfo(found);
	return true;
}

bool endpoint_parse(const char *text, struct endpoint *endpoint_out, char *error, size_t error_size)
{
	char turned[120];
	*endpoint_out = (struct endpoint){ 0 };
	if (strncmp(text, "unix:", 5) == 0)
		return endpoint_parse_unix(text + 5, endpoint_out, error, error_size);
	const char *inet = strncmp(text, "inet:", 5) == 0    ? text + 5
			   : strncmp(text, "inet6:", 6) == 0 ? text + 6
							     : text;
	const char *at = strchr(inet, '@');
	if (at != NULL) { /* libmilter's order */
		bool v6 = strchr(at, ':') != NULL && at[1] != '[';
		snprintf(turned, sizeof turned, v6 ? "[%s]:%.*s" : "%s:%.*s", at + 1, (int)(at - inet), inet);
		inet = turned;
	}
	if (endpoint_parse_inet(inet, endpoint_out))
		return true;
	snprintf(error, error_size, "\"%s\": expected unix:/path, address:port or [v6]:port, the address in numbers",
		 text);
	return false;
}

bool endpoint_is_link_local(const struct endpoint *endpoint)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&endpoint->address;
	return endpoint->address.ss_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
}

void endpoint_for_libmilter(const struct endpoint *endpoint, char *text, size_t size)
{
	char host[64] = "", port[8] = "";
	const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;
	if (address->sa_family == AF_UNIX) {
		snprintf(text, size, "unix:%s", ((const struct sockaddr_un *)(const void *)address)->sun_path);
		return;
	}
	getnameinfo(address, endpoint->length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, size, "%s:%s@%s", address->sa_family == AF_INET6 ? "inet6" : "inet", port, host);
}

void endpoint_for_postfix(const struct endpoint *endpoint, char *text, size_t size)
{
	char host[64] = "", port[8] = "";
	const struct sockaddr *address = (const struct sockaddr *)&endpoint->address;
	if (address->sa_family == AF_UNIX) {
		endpoint_for_libmilter(endpoint, text, size);
		return;
	}
	getnameinfo(address, endpoint->length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) /* listens at all of this host's */
		text_copy(host, sizeof host, host[0] == '0' ? "127.0.0.1" : "::1");
	snprintf(text, size, address->sa_family == AF_INET6 ? "inet:[%s]:%s" : "inet:%s:%s", host, port);
}

int endpoint_connect(const struct endpoint *endpoint)
{
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static const char *unix_path(const struct endpoint *endpoint)
{
	return ((const struct sockaddr_un *)&endpoint->address)->sun_path;
}

void endpoint_text(const struct endpoint *endpoint, char *text, size_t size)
{
	char host[64] = "", port[8] = "";
	if (endpoint->address.ss_family == AF_UNIX) {
		text_copy(text, size, unix_path(endpoint));
		return;
	}
	getnameinfo((const struct sockaddr *)&endpoint->address, endpoint->length, host, sizeof host, port, sizeof port,
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(text, size, endpoint->address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

bool endpoint_claim(const struct endpoint *endpoint, char *error, size_t error_size)
{
	if (endpoint->address.ss_family != AF_UNIX)
		return true;
	int fd = endpoint_connect(endpoint);
	if (fd >= 0) {
		close(fd);
		snprintf(error, error_size, "%s: another process listens there", unix_path(endpoint));
		return false;
	}
	if (errno == ECONNREFUSED)
		unlink(unix_path(endpoint));
	return true;
}

int endpoint_listen(const struct endpoint *endpoint, unsigned mode, const char *group, char *error, size_t error_size)
{
	bool is_unix = endpoint->address.ss_family == AF_UNIX;
	int yes = 1;
	if (!endpoint_claim(endpoint, error, error_size))
		return -1;
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0 ||
	    listen(fd, 1024) != 0) {
		char where[160];
		int why = errno;
		endpoint_text(endpoint, where, sizeof where);
		snprintf(error, error_size, "cannot listen on %s: %s", where, strerror(why));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	if (is_unix && !privilege_share(unix_path(endpoint), mode, group, error, error_size)) {
		close(fd);
		return -1;
	}
	return fd;
}

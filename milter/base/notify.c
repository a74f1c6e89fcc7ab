/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/notify.h"

#include "policy/base/text.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (path == NULL || (*path != '/' && *path != '@') ||
	    !text_copy(address.sun_path, sizeof address.sun_path, path))
		return;
	if (*path == '@') /* abstract: unix(7) */
		address.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, length);
	close(fd);
}

static int64_t notify_number_of(const char *variable, int64_t most)
{
	const char *value = getenv(variable);
	int64_t number = 0;
	if (value != NULL)
		text_to_int(value, 0, most, &number);
	return number;
}

int64_t notify_watchdog_ms(void)
{
	int64_t pid = notify_number_of("WATCHDOG_PID", INT32_MAX);
	if (pid != 0 && pid != getpid())
		return 0;
	return notify_number_of("WATCHDOG_USEC", (int64_t)1 << 50) / 2000;
}

int notify_listen_fd(void)
{
	enum { FIRST_FD = 3 };
	if (notify_number_of("LISTEN_PID", INT32_MAX) != getpid() || notify_number_of("LISTEN_FDS", 1000) < 1)
		return -1;
	fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC);
	return FIRST_FD;
}

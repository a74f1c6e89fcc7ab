/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/client.h"

#include "milter/ctl/table.h"
#include "milter/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* True when `fd` is ready; the wait ends at the deadline, however often something trickles in. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	for (;;) {
		int64_t left = deadline_ms - now_ms();
		if (left <= 0) {
			errno = ETIMEDOUT;
			return false;
		}
		int ready = poll(&poll_fd, 1, (int)left);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

static bool send_all(int fd, const char *bytes, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		if (!wait_for(fd, POLLOUT, deadline_ms))
			return false;
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return false;
		if (sent > 0) {
			bytes += sent;
			length -= (size_t)sent;
		}
	}
	return true;
}

/* The whole answer, to be freed; NULL with errno. */
static char *receive_all(int fd, size_t *length_out, int64_t deadline_ms)
{
	size_t room = 65536, length = 0;
	char *bytes = have_memory(malloc(room));
	for (;;) {
		ssize_t got = -1;
		if (wait_for(fd, POLLIN, deadline_ms))
			got = recv(fd, bytes + length, room - length, 0);
		else
			break;
		if (got == 0) {
			*length_out = length;
			return bytes;
		}
		if (got < 0 && errno != EINTR)
			break;
		length += got > 0 ? (size_t)got : 0;
		if (length > CLIENT_ANSWER_MAX) {
			errno = EMSGSIZE;
			break;
		}
		if (length == room)
			bytes = have_memory(realloc(bytes, room *= 2));
	}
	int saved = errno;
	free(bytes);
	errno = saved;
	return NULL;
}

static int connect_to(const char *socket, char *error, size_t error_size)
{
	char name[256], why[256];
	struct endpoint endpoint;
	if (strncmp(socket, "unix:", 5) == 0)
		socket += 5;
	snprintf(name, sizeof name, "unix:%s", socket);
	if (!endpoint_parse(name, &endpoint, why, sizeof why)) {
		snprintf(error, error_size, "control socket %s", why);
		return -1;
	}
	int fd = endpoint_connect(&endpoint);
	if (fd < 0)
		snprintf(error, error_size, "cannot connect to the control socket %s: %s; %s", socket, strerror(errno),
			 errno == EACCES ? "only root and the daemon's account may use it" : "is penstock running?");
	return fd;
}

static json_t *converse(int fd, const char *socket, const char *line, size_t line_length, char *error,
			size_t error_size)
{
	int64_t deadline = now_ms() + CLIENT_WAIT_MS;
	size_t length = 0;
	char *bytes = NULL;
	if (send_all(fd, line, line_length, deadline))
		bytes = receive_all(fd, &length, deadline);
	if (bytes == NULL) {
		snprintf(error, error_size, "no answer over the control socket %s: %s", socket, strerror(errno));
		return NULL;
	}
	json_error_t why;
	json_t *answer = json_loadb(bytes, length, 0, &why);
	free(bytes);
	if (!json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
		if (length == 0)
			snprintf(error, error_size, "the daemon closed the control socket %s without an answer", socket);
		else
			snprintf(error, error_size, "the answer over %s is not an object of JSON: %s", socket,
				 why.text[0] != '\0' ? why.text : "it is another kind of value");
	}
	return answer;
}

json_t *client_ask(const char *socket, const json_t *request, char *error, size_t error_size)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t length = line == NULL ? 0 : strlen(line);
	json_t *answer = NULL;
	if (line == NULL || length >= CLIENT_REQUEST_MAX) {
		snprintf(error, error_size, "the request has %zu bytes; the daemon reads %d at most", length,
			 CLIENT_REQUEST_MAX - 1);
	} else {
		int fd = connect_to(socket, error, error_size);
		line[length] = '\n';	/* in the NUL's place: send knows the length */
		if (fd >= 0) {
			answer = converse(fd, socket, line, length + 1, error, error_size);
			close(fd);
		}
	}
	free(line);
	return answer;
}

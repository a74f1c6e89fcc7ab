/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/client.h"

#include "milter/ctl/tool/memory.h"
#include "milter/base/endpoint.h"
#include "milter/base/json_read.h"

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
static bool client_wait_for(int fd, short events, int64_t deadline_ms)
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

static bool client_send_all(int fd, const char *bytes, size_t length, int64_t deadline_ms)
{
	while (length > 0) {
		if (!client_wait_for(fd, POLLOUT, deadline_ms))
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
static char *client_receive_all(int fd, size_t *length_out, int64_t deadline_ms)
{
	size_t room = 65536, length = 0;
	char *bytes = have_memory(malloc(room));
	for (;;) {
		ssize_t got = -1;
		if (client_wait_for(fd, POLLIN, deadline_ms))
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

static int client_connect_to(const char *socket, char *error, size_t error_size)
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

static json_t *client_converse(int fd, const char *socket, const char *line, size_t line_length, char *error,
			       size_t error_size)
{
	int64_t deadline = now_ms() + CLIENT_WAIT_MS;
	size_t length = 0;
	char *bytes = NULL;
	if (client_send_all(fd, line, line_length, deadline))
		bytes = client_receive_all(fd, &length, deadline);
	if (bytes == NULL) {
		snprintf(error, error_size, "no answer over the control socket %s: %s", socket, strerror(errno));
		return NULL;
	}
	char why[300];
	json_t *answer = json_read(JSON_OF_DAEMON, bytes, length, why, sizeof why);
	free(bytes);
	if (answer == NULL && length == 0)
		snprintf(error, error_size, "the daemon closed the control socket %s without an answer", socket);
	else if (answer == NULL)
		snprintf(error, error_size, "the answer over %s is not an object of JSON: %s", socket, why);
	return answer;
}

/* The request as a line, to be freed; NULL with a sentence in `error` where it is too long. */
static char *client_request_line(const json_t *request, size_t *length_out, char *error, size_t error_size)
{
	char *line = json_dumps(request, JSON_COMPACT);
	size_t length = line == NULL ? 0 : strlen(line);
	if (line == NULL || length >= CLIENT_REQUEST_MAX) {
		snprintf(error, error_size, "the request has %zu bytes; the daemon reads %d at most", length,
			 CLIENT_REQUEST_MAX - 1);
		free(line);
		return NULL;
	}
	line[length] = '\n'; /* in the NUL's place: send knows the length */
	*length_out = length + 1;
	return line;
}

json_t *client_ask(const char *socket, const json_t *request, char *error, size_t error_size)
{
	size_t length;
	char *line = client_request_line(request, &length, error, error_size);
	json_t *answer = NULL;
	int fd = line == NULL ? -1 : client_connect_to(socket, error, error_size);
	if (fd >= 0) {
		answer = client_converse(fd, socket, line, length, error, error_size);
		close(fd);
	}
	free(line);
	return answer;
}

/* ---- an answer of many lines ---- */

struct client_stream {
	int fd;
	int64_t silence_ms;
	int64_t heard_ms;  /* when something came, or when it began to matter that nothing does */
	size_t begin, end; /* of what is in `bytes` and was not handed out */
	char bytes[CLIENT_LINE_MAX + 1];
};

struct client_stream *client_open(const char *socket, const json_t *request, int silence_ms, char *error,
				  size_t error_size)
{
	size_t length;
	char *line = client_request_line(request, &length, error, error_size);
	int fd = line == NULL ? -1 : client_connect_to(socket, error, error_size);
	if (fd >= 0 && !client_send_all(fd, line, length, now_ms() + silence_ms)) {
		snprintf(error, error_size, "cannot ask over the control socket %s: %s", socket, strerror(errno));
		close(fd);
		fd = -1;
	}
	free(line);
	if (fd < 0)
		return NULL;
	struct client_stream *stream = have_memory(malloc(sizeof *stream));
	stream->fd = fd;
	stream->silence_ms = silence_ms;
	stream->heard_ms = 0;
	stream->begin = stream->end = 0;
	return stream;
}

void client_close(struct client_stream **stream)
{
	if (*stream == NULL)
		return;
	close((*stream)->fd);
	free(*stream);
	*stream = NULL;
}

/* A line that is there already; it ends with a NUL in place of its newline. */
static bool client_take_line(struct client_stream *stream, const char **line_out, size_t *length_out)
{
	char *line = stream->bytes + stream->begin;
	char *newline = memchr(line, '\n', stream->end - stream->begin);
	if (newline == NULL) {
		memmove(stream->bytes, line, stream->end - stream->begin);
		stream->end -= stream->begin;
		stream->begin = 0;
		return false;
	}
	*newline = '\0';
	*line_out = line;
	*length_out = (size_t)(newline - line);
	stream->begin += *length_out + 1;
	return true;
}

enum client_said client_next(struct client_stream *stream, int wait_ms, const char **line_out, size_t *length_out,
			     char *error, size_t error_size)
{
	int64_t now = now_ms(), until = now + wait_ms;
	bool begun = false; /* a time is up only after a look at what came meanwhile: we may have been stopped */
	while (!client_take_line(stream, line_out, length_out)) {
		size_t room = sizeof stream->bytes - stream->end;
		if (room == 0) {
			snprintf(error, error_size, "a line of the answer is longer than %d bytes", CLIENT_LINE_MAX);
			return CLIENT_FAILED;
		}
		ssize_t got = recv(stream->fd, stream->bytes + stream->end, room, MSG_DONTWAIT);
		if (got == 0 && stream->end == 0)
			return CLIENT_END;
		if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
			snprintf(error, error_size, "the answer broke off in the middle of a line%s%s",
				 got < 0 ? ": " : "", got < 0 ? strerror(errno) : "");
			return CLIENT_FAILED;
		}
		now = now_ms();
		if (got > 0 || stream->heard_ms == 0)
			stream->heard_ms = now;
		stream->end += got > 0 ? (size_t)got : 0;
		if (got > 0)
			continue;
		if (begun && now >= stream->heard_ms + stream->silence_ms) {
			snprintf(error, error_size, "the daemon said nothing for %lld s",
				 (long long)stream->silence_ms / 1000);
			return CLIENT_FAILED;
		}
		if (begun && now >= until)
			return CLIENT_WAITING;
		begun = true;
		int64_t silent = stream->heard_ms + stream->silence_ms;
		client_wait_for(stream->fd, POLLIN, silent < until ? silent : until);
	}
	stream->heard_ms = 0; /* what the caller does with the line is not the daemon's silence */
	return CLIENT_LINE;
}

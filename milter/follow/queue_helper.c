/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/queue_helper.h"

#include "milter/base/queue_id.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { SAID_MOST = 4 * 1024 * 1024 };

struct queue_helper {
	struct bufferevent *connection; /* owned */
	queue_helper_done *done;
	void *arg;
};

void queue_helper_cancel(struct queue_helper **helper)
{
	if (*helper == NULL)
		return;
	bufferevent_free((*helper)->connection);
	free(*helper);
	*helper = NULL;
}

static void queue_helper_end(struct queue_helper *helper, const char *error, const char *said)
{
	helper->done(helper->arg, error, said);
	queue_helper_cancel(&helper);
}

/* Its last line is the answer. */
static void queue_helper_answer(struct queue_helper *helper)
{
	struct evbuffer *input = bufferevent_get_input(helper->connection);
	size_t length = evbuffer_get_length(input);
	char *said = malloc(length + 1);
	if (said == NULL || evbuffer_remove(input, said, length) != (int)length || length == 0 ||
	    said[length - 1] != '\n') {
		free(said);
		queue_helper_end(helper, "it gave no answer", "");
		return;
	}
	said[length - 1] = '\0';
	const char *last = strrchr(said, '\n');
	last = last == NULL ? said : last + 1;
	if (strcmp(last, "ok") == 0)
		queue_helper_end(helper, NULL, said);
	else
		queue_helper_end(helper, strncmp(last, "error ", 6) == 0 ? last + 6 : last, "");
	free(said);
}

static void queue_helper_wrote(struct bufferevent *connection, void *arg)
{
	(void)arg;
	shutdown(bufferevent_getfd(connection), SHUT_WR); /* that is the end of the request */
}

static void queue_helper_read(struct bufferevent *connection, void *arg)
{
	struct queue_helper *helper = arg;
	if (evbuffer_get_length(bufferevent_get_input(connection)) > SAID_MOST)
		queue_helper_end(helper, "its answer has no end", "");
}

static void queue_helper_event(struct bufferevent *connection, short what, void *arg)
{
	struct queue_helper *helper = arg;
	(void)connection;
	if ((what & BEV_EVENT_EOF) != 0)
		queue_helper_answer(helper);
	else
		queue_helper_end(helper, (what & BEV_EVENT_TIMEOUT) != 0 ? "it does not answer" : strerror(errno), "");
}

static int queue_helper_connect(const char *socket_name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	text_copy(address.sun_path, sizeof address.sun_path, socket_name);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int why = errno;
		close(fd);
		errno = why;
		return -1;
	}
	return fd;
}

struct queue_helper *queue_helper_ask(struct event_base *base, const char *socket, const char *request,
				      queue_helper_done *done, void *arg)
{
	static const struct timeval most = { QUEUE_HELPER_TIMEOUT_S, 0 };
	int fd = queue_helper_connect(socket);
	if (fd < 0)
		return NULL;
	struct queue_helper *helper = calloc(1, sizeof *helper);
	struct bufferevent *connection = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (connection == NULL)
		close(fd);
	if (helper == NULL || connection == NULL || bufferevent_write(connection, request, strlen(request)) != 0) {
		if (connection != NULL)
			bufferevent_free(connection);
		free(helper);
		errno = ENOMEM;
		return NULL;
	}
	*helper = (struct queue_helper){ connection, done, arg };
	bufferevent_setcb(connection, queue_helper_read, queue_helper_wrote, queue_helper_event, helper);
	bufferevent_set_timeouts(connection, &most, &most);
	bufferevent_enable(connection, EV_READ | EV_WRITE);
	return helper;
}

bool queue_helper_next(const char **rest, const char *what, char *id, size_t id_size)
{
	static const char begin[] = "postsuper: ";
	for (const char *line = *rest; *line != '\0'; line = *rest) {
		size_t length = strcspn(line, "\n");
		*rest = line + length + (line[length] == '\n');
		const char *name = line + strlen(begin), *colon;
		if (strncmp(line, begin, strlen(begin)) != 0)
			continue;
		colon = memchr(name, ':', length - strlen(begin));
		if (colon == NULL || (size_t)(colon - name) >= id_size || colon[1] != ' ' ||
		    length - (size_t)(colon + 2 - line) != strlen(what) || strncmp(colon + 2, what, strlen(what)) != 0)
			continue;
		snprintf(id, id_size, "%.*s", (int)(colon - name), name);
		if (queue_id_fine(id))
			return true;
	}
	return false;
}

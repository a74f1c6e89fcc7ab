/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers in parts: clients that read, that leave, and that never read. A crowd that asks nothing.
 */
#include "milter/base/exchange.h"

#include "t/unit/tap.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PART = 32 * 1024, DEADLINE_S = 1, MOST_S = 20, CONNECTIONS = 8 };

static struct event_base *base;
static struct event *tick, *late;

/* One conversation; all in one thread. */
static struct {
	struct exchange_call *call;
	int parts;  /* that are still to be sent */
	int hasty;  /* of them, how many do not wait for `drained`: they were under way */
	bool waits; /* for `drained` */
	int sent, gone, drained;
	int fd; /* the client's */
	size_t read;
	bool reads, over;
} now;

static size_t line_end(const char *bytes, size_t length)
{
	const char *end = memchr(bytes, '\n', length);
	return end == NULL ? 0 : (size_t)(end - bytes) + 1;
}

static void answer(void)
{
	struct evbuffer *last = evbuffer_new();
	evbuffer_add(last, "end\n", 4);
	exchange_answer(now.call, last);
	evbuffer_free(last);
	now.call = NULL;
}

static void on_gone(void *arg)
{
	(void)arg;
	now.gone++;
	answer();
}

static void on_drained(void *arg)
{
	(void)arg;
	now.drained++;
	now.waits = false;
}

static void serve(struct exchange_call *call, const char *request, size_t length)
{
	(void)request;
	(void)length;
	static const struct exchange_stream stream = { on_gone, on_drained, NULL };
	now.call = call;
	exchange_begin(call, &stream);
}

static void send_parts(void)
{
	static char bytes[PART];
	bool hasty = now.waits && now.hasty > 0;
	while (now.call != NULL && (!now.waits || hasty) && now.parts > 0) {
		struct evbuffer *part = evbuffer_new();
		evbuffer_add(part, bytes, sizeof bytes);
		now.waits = !exchange_send(now.call, part) || hasty;
		evbuffer_free(part);
		now.parts--;
		now.sent++;
		now.hasty -= hasty;
		hasty = false;
	}
	if (now.call != NULL && now.parts == 0 && !now.waits)
		answer();
}

static void read_some(void)
{
	char bytes[65536];
	ssize_t got = recv(now.fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (got > 0)
		now.read += (size_t)got;
	if (got == 0)
		now.over = true;
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	send_parts();
	if (now.fd >= 0 && now.reads)
		read_some();
	if (now.over || now.gone > 0)
		event_base_loopbreak(base);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(base);
}

static int connect_client(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 || write(fd, "go\n", 3) != 3)
		return -1;
	return fd;
}

static void talk(const char *path, int parts, int hasty_parts, bool reads)
{
	struct timeval most = { .tv_sec = MOST_S };
	memset(&now, 0, sizeof now);
	now.parts = parts;
	now.hasty = hasty_parts;
	now.reads = reads;
	now.fd = connect_client(path);
	evtimer_add(late, &most);
	event_base_dispatch(base);
}

static void test_parts(const char *path)
{
	talk(path, 100, 0, true);
	is_int((long long)now.read, 100 * PART + 4, "a client that reads has all parts and the end");
	is_int(now.gone, 0, "and has not gone");
	ok(now.drained > 0, "the sender had to wait for it");
	close(now.fd);
	talk(path, 100, 20, true);
	is_int((long long)now.read, 100 * PART + 4, "and also where some parts could not wait");
	close(now.fd);
	talk(path, 0, 0, true);
	is_int((long long)now.read, 4, "an answer without parts");
	close(now.fd);
}

static void test_leaves(const char *path)
{
	struct timeval little = { .tv_usec = 200000 };
	talk(path, 100, 0, false); /* ends by the deadline */
	is_int(now.gone, 1, "a client that never reads is given up");
	ok(now.sent < 100, "before all is sent: %d parts of 100", now.sent);
	close(now.fd);
	memset(&now, 0, sizeof now);
	now.parts = 1;
	now.waits = true; /* nothing to send for a long while */
	now.fd = connect_client(path);
	event_base_loopexit(base, &little);
	event_base_dispatch(base);
	ok(now.call != NULL, "a request is being served");
	shutdown(now.fd, SHUT_WR);
	event_base_loopexit(base, &little);
	event_base_dispatch(base);
	is_int(now.gone, 0, "a client that only ends its sending side is still there");
	now.waits = false;
	now.reads = true;
	event_base_dispatch(base);
	is_int((long long)now.read, PART + 4, "and gets its answer");
	close(now.fd);
	memset(&now, 0, sizeof now);
	now.parts = 1;
	now.waits = true;
	now.fd = connect_client(path);
	event_base_loopexit(base, &little);
	event_base_dispatch(base);
	close(now.fd);
	now.fd = -1;
	evtimer_add(late, &(struct timeval){ .tv_sec = MOST_S });
	event_base_dispatch(base);
	is_int(now.gone, 1, "one that closes is noticed while nothing is sent");
}

/* Whether the server has closed it. */
static bool is_closed(int fd)
{
	char byte;
	return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

/* Idle and trickling clients up to the cap, of a server that would wait for them for a minute. */
static void test_crowd(const char *path)
{
	int idle[CONNECTIONS];
	for (int i = 0; i < CONNECTIONS; i++) {
		struct sockaddr_un address = { .sun_family = AF_UNIX };
		snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
		idle[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		ok(connect(idle[i], (struct sockaddr *)&address, sizeof address) == 0 &&
			   write(idle[i], "g", (size_t)i % 2) >= 0,
		   "one that asks nothing");
	}
	talk(path, 1, 0, true);
	is_int((long long)now.read, PART + 4, "one more gets its answer");
	ok(is_closed(idle[0]), "for which the oldest that had not asked is closed");
	ok(!is_closed(idle[CONNECTIONS - 1]), "... and not the newest");
	close(now.fd);
	for (int i = 0; i < CONNECTIONS; i++)
		close(idle[i]);
}

/* Clients up to the cap that have had their answer and stay. */
static void test_answered(const char *path)
{
	int stays[CONNECTIONS];
	for (int i = 0; i < CONNECTIONS; i++) {
		talk(path, 1, 0, true);
		stays[i] = now.fd;
	}
	is_int((long long)now.read, PART + 4, "as many as may have their answer, and stay");
	talk(path, 1, 0, true);
	is_int((long long)now.read, PART + 4, "one more gets its own");
	close(now.fd);
	for (int i = 0; i < CONNECTIONS; i++)
		close(stays[i]);
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 8) != 0)
		return -1;
	return fd;
}

int main(void)
{
	static const struct exchange_kind kind = {
		.connections_max = 8, .request_max = 100, .deadline_s = DEADLINE_S, .end = line_end, .serve = serve
	};
	static const struct exchange_kind patient = {
		.connections_max = CONNECTIONS, .request_max = 100, .deadline_s = 60, .end = line_end, .serve = serve
	};
	struct timeval often = { .tv_usec = 2000 };
	char folder[] = "/tmp/penstock-exchange-XXXXXX", path[100];
	signal(SIGPIPE, SIG_IGN);
	ok(mkdtemp(folder) != NULL, "a folder");
	snprintf(path, sizeof path, "%s/socket", folder);
	base = event_base_new();
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	late = evtimer_new(base, on_late, NULL);
	evtimer_add(tick, &often);
	struct exchange *exchange = exchange_start(base, listen_on(path), &kind);
	ok(exchange != NULL, "a server");
	test_parts(path);
	test_leaves(path);
	memset(&now, 0, sizeof now);
	now.parts = 1;
	now.waits = true;
	now.fd = connect_client(path);
	event_base_loopexit(base, &(struct timeval){ .tv_usec = 200000 });
	event_base_dispatch(base);
	exchange_stop(&exchange);
	unlink(path);
	is_int(now.gone, 1, "when the server ends, whoever sends hears of it");
	close(now.fd);
	exchange = exchange_start(base, listen_on(path), &patient);
	test_crowd(path);
	test_answered(path);
	exchange_stop(&exchange);
	event_free(tick);
	event_free(late);
	event_base_free(base);
	unlink(path);
	rmdir(folder);
	return done_testing();
}

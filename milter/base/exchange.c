/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/exchange.h"

#include "milter/base/clock.h"
#include "milter/base/descriptors.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	GRACE_MS = 250, /* in which a whole request comes from who has one, and an answer is read by who reads */
};

enum exchange_state {
	READING,
	SERVING, /* an answer is owed */
	ANSWERING,
	CLOSING, /* the answer is out; the client's end is awaited, for a close with unread input is a reset */
};

struct exchange_call {
	struct exchange *exchange; /* borrowed; not looked at without a bufferevent */
	struct bufferevent *bev;   /* owned; NULL: the connection has gone while an answer was owed */
	struct event *deadline;	   /* owned */
	enum exchange_state state;
	int64_t since_ms; /* monotonic: when it began, or was answered */
	bool ended;	  /* the client sends no more */
	bool streams;	  /* the answer comes in parts: the deadline is one for reading some of it */
	bool full;	  /* the sender waits for `drained` */
	struct exchange_stream stream;
	struct exchange_call *next, **link; /* the exchange's list */
};

struct exchange {
	const struct exchange_kind *kind;
	struct event_base *base;
	struct evconnlistener *listener; /* owned */
	struct event *resume;		 /* owned */
	struct exchange_call *calls;	 /* owned, but for those in SERVING; newest first */
	int count;
};

static void exchange_call_unlink(struct exchange_call *call)
{
	struct exchange *exchange = call->exchange;
	*call->link = call->next;
	if (call->next != NULL)
		call->next->link = call->link;
	exchange->count--;
	if (exchange->listener != NULL)
		evconnlistener_enable(exchange->listener);
}

static void exchange_call_close(struct exchange_call *call)
{
	exchange_call_unlink(call);
	event_free(call->deadline);
	bufferevent_free(call->bev);
	call->bev = NULL;
	if (call->state != SERVING)
		free(call);
	else if (call->streams)
		call->stream.gone(call->stream.arg); /* the call may be gone now */
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	exchange_call_close(arg);
}

static void exchange_serve(struct exchange_call *call, size_t length)
{
	struct evbuffer *input = bufferevent_get_input(call->bev);
	const struct exchange_kind *kind = call->exchange->kind;
	call->state = SERVING;
	if (length == 0 || length > kind->request_max)
		kind->serve(call, NULL, 0);
	else
		kind->serve(call, (const char *)evbuffer_pullup(input, (ev_ssize_t)length), length);
}

static void exchange_on_input(struct bufferevent *bev, void *arg)
{
	struct exchange_call *call = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	if (call->state != READING) {
		/* behind the request nothing matters; while it is served its bytes are still looked at */
		if (call->state != SERVING || call->streams)
			evbuffer_drain(input, evbuffer_get_length(input));
		return;
	}
	size_t length = evbuffer_get_length(input);
	const struct exchange_kind *kind = call->exchange->kind;
	size_t end = length == 0 ? 0 : kind->end((const char *)evbuffer_pullup(input, -1), length);
	if (end > 0 || length > kind->request_max)
		exchange_serve(call, end);
}

/* A client that closes only its sending side still reads. POLLHUP: it has closed both. */
static bool has_hung_up(struct bufferevent *bev)
{
	struct pollfd look = { .fd = bufferevent_getfd(bev) };
	return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR)) != 0;
}

static void exchange_on_end(struct bufferevent *bev, short what, void *arg)
{
	struct exchange_call *call = arg;
	bool half_closed = (what & BEV_EVENT_EOF) != 0 && (what & BEV_EVENT_ERROR) == 0;
	size_t length = evbuffer_get_length(bufferevent_get_input(bev));
	call->ended = true;
	if (half_closed && (call->state == SERVING || call->state == ANSWERING) && !(call->streams && has_hung_up(bev)))
		return;
	if (half_closed && call->state == READING && call->exchange->kind->close_ends && length > 0) {
		exchange_serve(call, length);
		return;
	}
	exchange_call_close(call);
}

static void exchange_on_written(struct bufferevent *bev, void *arg)
{
	struct exchange_call *call = arg;
	if (call->state != ANSWERING)
		return;
	if (call->ended) {
		exchange_call_close(call);
		return;
	}
	call->state = CLOSING;
	shutdown(bufferevent_getfd(bev), SHUT_WR);
}

/* ---- answers in parts */

static void renew_deadline(struct exchange_call *call)
{
	struct timeval deadline = { .tv_sec = call->exchange->kind->deadline_s };
	evtimer_add(call->deadline, &deadline);
}

/* The client is owed nothing: it cannot be late. */
static void exchange_on_output(struct evbuffer *output, const struct evbuffer_cb_info *info, void *arg)
{
	struct exchange_call *call = arg;
	size_t left = evbuffer_get_length(output);
	if (info->n_deleted == 0)
		return;
	if (left == 0 && call->state == SERVING)
		evtimer_del(call->deadline);
	else
		renew_deadline(call);
	if (!call->full || left >= EXCHANGE_LOW)
		return;
	call->full = false;
	call->stream.drained(call->stream.arg);
}

void exchange_begin(struct exchange_call *call, const struct exchange_stream *stream)
{
	struct evbuffer *input = bufferevent_get_input(call->bev);
	call->streams = true;
	call->stream = *stream;
	evbuffer_drain(input, evbuffer_get_length(input)); /* a full one would hide that the client leaves */
	evtimer_del(call->deadline);
	evbuffer_add_cb(bufferevent_get_output(call->bev), exchange_on_output, call);
}

bool exchange_send(struct exchange_call *call, struct evbuffer *part)
{
	if (call->bev == NULL) {
		evbuffer_drain(part, evbuffer_get_length(part));
		return true;
	}
	struct evbuffer *output = bufferevent_get_output(call->bev);
	if (evbuffer_get_length(output) == 0)
		renew_deadline(call);
	if (bufferevent_write_buffer(call->bev, part) != 0)
		event_active(call->deadline, EV_TIMEOUT, 0); /* no memory: nothing to wait for */
	/* who is to wait for `drained` does so even where what was under way comes meanwhile */
	call->full = call->full || evbuffer_get_length(output) > EXCHANGE_HIGH;
	return !call->full;
}

void exchange_answer(struct exchange_call *call, struct evbuffer *answer)
{
	if (call->bev == NULL) {
		free(call);
		return;
	}
	struct evbuffer *input = bufferevent_get_input(call->bev);
	evbuffer_drain(input, evbuffer_get_length(input));
	call->state = ANSWERING;
	call->since_ms = clock_monotonic_ms();
	call->full = false; /* nobody waits for `drained` any more */
	if (call->streams)
		renew_deadline(call);
	if (answer == NULL || evbuffer_get_length(answer) == 0 || bufferevent_write_buffer(call->bev, answer) != 0)
		event_active(call->deadline, EV_TIMEOUT, 0); /* nothing to wait for */
}

/* Whether it may be closed for another: its answer is read or not read, or it does not ask. */
static bool may_go(const struct exchange_call *call, int64_t now_ms)
{
	bool waited = now_ms >= call->since_ms + GRACE_MS;
	return call->state == CLOSING ||
	       (waited && (call->state == READING || (call->state == ANSWERING && !call->streams)));
}

/* At the cap. Who idles, trickles or does not read keeps nobody out; those that are served do, until one ends. */
static void exchange_make_room(struct exchange *exchange)
{
	struct timeval pause = { .tv_usec = GRACE_MS * 1000 };
	struct exchange_call *oldest = NULL;
	int64_t now_ms = clock_monotonic_ms();
	for (struct exchange_call *call = exchange->calls; call != NULL; call = call->next)
		if (may_go(call, now_ms))
			oldest = call;
	if (oldest != NULL) {
		if (exchange->kind->closed != NULL)
			exchange->kind->closed();
		exchange_call_close(oldest);
		return;
	}
	evconnlistener_disable(exchange->listener);
	evtimer_add(exchange->resume, &pause);
}

static bool exchange_call_start(struct exchange *exchange, struct exchange_call *call, evutil_socket_t fd)
{
	struct timeval deadline = { .tv_sec = exchange->kind->deadline_s };
	call->bev = bufferevent_socket_new(exchange->base, fd, BEV_OPT_CLOSE_ON_FREE);
	call->deadline = evtimer_new(exchange->base, on_deadline, call);
	if (call->bev == NULL || call->deadline == NULL || evtimer_add(call->deadline, &deadline) != 0)
		return false;
	bufferevent_setcb(call->bev, exchange_on_input, exchange_on_written, exchange_on_end, call);
	/* one byte more than a request may have shows that it is too long */
	bufferevent_setwatermark(call->bev, EV_READ, 0, exchange->kind->request_max + 1);
	return bufferevent_enable(call->bev, EV_READ | EV_WRITE) == 0;
}

static void exchange_on_connection(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
				   int length, void *arg)
{
	(void)listener;
	(void)address;
	(void)length;
	struct exchange *exchange = arg;
	struct exchange_call *call = calloc(1, sizeof *call);
	if (call == NULL || !exchange_call_start(exchange, call, fd)) {
		if (call != NULL && call->deadline != NULL)
			event_free(call->deadline);
		if (call != NULL && call->bev != NULL)
			bufferevent_free(call->bev);
		else
			close(fd);
		free(call);
		return;
	}
	call->exchange = exchange;
	call->since_ms = clock_monotonic_ms();
	call->next = exchange->calls;
	call->link = &exchange->calls;
	if (call->next != NULL)
		call->next->link = &call->next;
	exchange->calls = call;
	if (++exchange->count >= exchange->kind->connections_max)
		exchange_make_room(exchange);
}

/* Out of file descriptors: the connection stays in the queue and would wake the loop again at once. */
static void exchange_on_listen_error(struct evconnlistener *listener, void *arg)
{
	struct exchange *exchange = arg;
	struct timeval pause = { .tv_sec = 1 };
	if (descriptors_make_way(evconnlistener_get_fd(listener)))
		return;
	evconnlistener_disable(listener);
	evtimer_add(exchange->resume, &pause);
}

static void exchange_on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	struct exchange *exchange = arg;
	if (exchange->count >= exchange->kind->connections_max)
		exchange_make_room(exchange);
	else
		evconnlistener_enable(exchange->listener);
}

struct exchange *exchange_start(struct event_base *base, int listen_fd, const struct exchange_kind *kind)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);
	if (exchange != NULL) {
		*exchange = (struct exchange){ .kind = kind, .base = base };
		exchange->resume = evtimer_new(base, exchange_on_resume, exchange);
		exchange->listener = evconnlistener_new(base, exchange_on_connection, exchange,
							LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, listen_fd);
	}
	if (exchange == NULL || exchange->resume == NULL || exchange->listener == NULL) {
		if (exchange == NULL || exchange->listener == NULL)
			close(listen_fd);
		exchange_stop(&exchange);
		return NULL;
	}
	evconnlistener_set_error_cb(exchange->listener, exchange_on_listen_error);
	return exchange;
}

struct evconnlistener *exchange_listener(struct exchange *exchange)
{
	return exchange->listener;
}

void exchange_stop(struct exchange **exchange)
{
	struct exchange *old = *exchange;
	*exchange = NULL;
	if (old == NULL)
		return;
	if (old->listener != NULL)
		evconnlistener_free(old->listener);
	old->listener = NULL;
	if (old->resume != NULL)
		event_free(old->resume);
	while (old->calls != NULL)
		exchange_call_close(old->calls);
	free(old);
}

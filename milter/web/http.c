/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http.h"

#include "milter/clock.h"
#include "milter/endpoint.h"
#include "milter/report.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { HEAD_MAX = 8192, BODY_MAX = 0, SILENCE_S = 10, DEADLINE_S = 60 };

struct http {
	struct event_base *base;	/* borrowed */
	struct evhttp *evhttp;		/* owned */
	struct evconnlistener *listener;	/* evhttp's */
	struct event *sweep;		/* owned */
	int connections;
	struct {
		struct bufferevent *stream;	/* one reference */
		int64_t since_ms;
	} open[HTTP_CONNECTIONS_MAX];
};

/* evhttp has no cap on connections and no deadline for one. So a reference to each connection's stream is kept; one
 * from which evhttp has taken its callbacks is one that evhttp has freed. */
static bool is_over(struct bufferevent *stream)
{
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *arg;
	bufferevent_getcb(stream, &on_read, &on_write, &on_event, &arg);
	return on_read == NULL && on_write == NULL && on_event == NULL;
}

static void sweep(struct http *http)
{
	int64_t now_ms = clock_monotonic_ms();
	for (int i = 0; i < http->connections;) {
		struct bufferevent *stream = http->open[i].stream;
		if (!is_over(stream) && now_ms - http->open[i].since_ms > DEADLINE_S * 1000)
			bufferevent_trigger_event(stream, BEV_EVENT_TIMEOUT | BEV_EVENT_READING, 0);
		if (is_over(stream)) {
			http->open[i] = http->open[--http->connections];
			bufferevent_decref(stream);	/* closes */
		} else {
			i++;
		}
	}
	if (http->connections < HTTP_CONNECTIONS_MAX && http->listener != NULL)
		evconnlistener_enable(http->listener);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	sweep(arg);
}

static struct bufferevent *connection_begins(struct event_base *base, void *arg)
{
	struct http *http = arg;
	struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (stream == NULL)
		return NULL;
	if (http->connections == HTTP_CONNECTIONS_MAX - 1)	/* the rest waits in the kernel's queue */
		evconnlistener_disable(http->listener);
	bufferevent_incref(stream);
	http->open[http->connections].stream = stream;
	http->open[http->connections++].since_ms = clock_monotonic_ms();
	return stream;
}

static void answer(struct evhttp_request *request, int code, const char *reason, const char *type, struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_send_reply(request, code, reason, body);
}

static void page_health(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	enum health health = HEALTH_CRITICAL;
	(void)arg;
	if (body != NULL)
		report_write(body, report_status(&health));
	bool critical = health == HEALTH_CRITICAL;
	answer(request, critical ? 503 : 200, critical ? "Service Unavailable" : "OK", "application/json", body);
	if (body != NULL)
		evbuffer_free(body);
}

static void page_metrics(struct evhttp_request *request, void *arg)
{
	struct evbuffer *body = evbuffer_new();
	(void)arg;
	if (body != NULL)
		report_metrics(body);
	answer(request, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", body);
	if (body != NULL)
		evbuffer_free(body);
}

static void page_none(struct evhttp_request *request, void *arg)
{
	(void)arg;
	evhttp_send_error(request, HTTP_NOTFOUND, "expected /health or /metrics");
}

static const struct {
	const char *path;
	void (*page)(struct evhttp_request *request, void *arg);
} pages[] = {
	{ "/health", page_health },
	{ "/metrics", page_metrics },
};

static bool serve(struct http *http, int fd)
{
	struct timeval every = { .tv_sec = 1 };
	http->evhttp = evhttp_new(http->base);
	http->sweep = event_new(http->base, -1, EV_PERSIST, on_sweep, http);
	if (http->evhttp == NULL || http->sweep == NULL)
		return false;
	event_add(http->sweep, &every);
	evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http->evhttp, HEAD_MAX);
	evhttp_set_max_body_size(http->evhttp, BODY_MAX);
	evhttp_set_timeout(http->evhttp, SILENCE_S);
	evhttp_set_bevcb(http->evhttp, connection_begins, http);
	evhttp_set_gencb(http->evhttp, page_none, http);
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		evhttp_set_cb(http->evhttp, pages[i].path, pages[i].page, http);
	struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(http->evhttp, fd);
	if (bound == NULL)
		return false;
	http->listener = evhttp_bound_socket_get_listener(bound);
	return true;
}

struct http *http_start(struct event_base *base, const char *listen, char *error, size_t error_size)
{
	struct endpoint endpoint;
	if (!endpoint_parse(listen, &endpoint, error, error_size))
		return NULL;
	int fd = endpoint_listen(&endpoint, 0600, "", error, error_size);
	if (fd < 0)
		return NULL;
	struct http *http = calloc(1, sizeof *http);
	if (http != NULL)
		http->base = base;
	if (http != NULL && serve(http, fd))
		return http;
	snprintf(error, error_size, "%s: out of memory", listen);
	if (http == NULL || http->listener == NULL)
		close(fd);
	http_stop(&http);
	return NULL;
}

void http_stop(struct http **http)
{
	if (*http == NULL)
		return;
	if ((*http)->evhttp != NULL)
		evhttp_free((*http)->evhttp);
	for (int i = 0; i < (*http)->connections; i++)
		bufferevent_decref((*http)->open[i].stream);
	if ((*http)->sweep != NULL)
		event_free((*http)->sweep);
	free(*http);
	*http = NULL;
}

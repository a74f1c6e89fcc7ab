/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http.h"

#include "milter/clock.h"
#include "milter/daemon.h"
#include "milter/endpoint.h"
#include "milter/web/page.h"
#include "milter/web/rate.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	HEAD_MAX = 16384,
	UNREAD_MAX = 2 * HEAD_MAX,	/* what is read ahead while an answer is on its way */
	BODY_MAX = 0,
	SILENCE_S = 10,
	DEADLINE_S = 60,
};

struct http {
	struct event_base *base;	/* borrowed */
	struct evhttp *evhttp;		/* owned */
	struct evconnlistener *listener;	/* evhttp's */
	struct event *sweep;		/* owned */
	struct page_checks checks;	/* its rate is owned */
	int connections;
	struct {
		struct bufferevent *stream;	/* one reference */
		int64_t until_ms;
	} open[HTTP_CONNECTIONS_MAX];
};

/* ---- connections */

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
		if (!is_over(stream) && now_ms > http->open[i].until_ms)
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

/* While a request is answered evhttp goes on reading, to see the end, and keeps what comes: hence the mark. */
static struct bufferevent *connection_begins(struct event_base *base, void *arg)
{
	struct http *http = arg;
	struct bufferevent *stream = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	if (stream == NULL)
		return NULL;
	if (http->connections == HTTP_CONNECTIONS_MAX - 1)	/* the rest waits in the kernel's queue */
		evconnlistener_disable(http->listener);
	bufferevent_setwatermark(stream, EV_READ, 0, UNREAD_MAX);
	bufferevent_incref(stream);
	http->open[http->connections].stream = stream;
	http->open[http->connections++].until_ms = clock_monotonic_ms() + DEADLINE_S * 1000;
	return stream;
}

void http_hold_open(struct http *http, struct evhttp_request *request, int seconds)
{
	struct bufferevent *stream = evhttp_connection_get_bufferevent(evhttp_request_get_connection(request));
	for (int i = 0; i < http->connections; i++)
		if (http->open[i].stream == stream)
			http->open[i].until_ms = clock_monotonic_ms() + seconds * 1000;
}

struct page_checks *http_checks(struct http *http)
{
	return &http->checks;
}

/* ---- pages */

static const struct {
	const char *path;
	page_function *page;
	bool rbl;	/* there with http.rbl only */
} pages[] = {
	{ "/health", page_health, false },
	{ "/metrics", page_metrics, false },
	{ "/", page_root, true },
	{ "/rbl", page_file, true },
	{ "/rbl.css", page_file, true },
	{ "/rbl.js", page_file, true },
	{ "/rbl_view.js", page_file, true },
	{ "/favicon.svg", page_file, true },
	{ "/openapi.json", page_file, true },
	{ "/api/v1/rbl", page_check, true },
};

/* evhttp does not read the body of HEAD (RFC 9110 section 9.3.2), nor a second Content-Length: it takes what follows for
 * the next request, which behind a proxy would be answered to somebody else. */
static bool may_have_body(struct evhttp_request *request)
{
	struct evkeyval *header;
	TAILQ_FOREACH (header, evhttp_request_get_input_headers(request), next)
		if (evutil_ascii_strcasecmp(header->key, "Transfer-Encoding") == 0 ||
		    (evutil_ascii_strcasecmp(header->key, "Content-Length") == 0 && strcmp(header->value, "0") != 0))
			return true;
	return false;
}

static void serve_request(struct evhttp_request *request, void *arg)
{
	if (may_have_body(request)) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
		page_answer_error(request, 413, "A request may have no body.", 0);
		return;
	}
	struct setup *setup = setup_hold();
	bool rbl = setup->config->set.http_rbl;
	setup_drop(&setup);
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(page_path(request), pages[i].path) == 0 && (rbl || !pages[i].rbl)) {
			pages[i].page(arg, request);
			return;
		}
	if (strcmp(page_path(request), "/api/v1/rbl") == 0)
		page_answer_error(request, 404, "This daemon does not look up block lists for others: http.rbl is false.", 0);
	else
		evhttp_send_error(request, HTTP_NOTFOUND,
				  rbl ? "expected /health, /metrics, /rbl, /api/v1/rbl or /openapi.json"
				      : "expected /health or /metrics");
}

/* ---- the listener */

static bool serve(struct http *http, int fd)
{
	struct timeval every = { .tv_sec = 1 };
	http->evhttp = evhttp_new(http->base);
	http->sweep = event_new(http->base, -1, EV_PERSIST, on_sweep, http);
	http->checks.rate = rate_new();
	if (http->evhttp == NULL || http->sweep == NULL || http->checks.rate == NULL)
		return false;
	event_add(http->sweep, &every);
	evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http->evhttp, HEAD_MAX);
	evhttp_set_max_body_size(http->evhttp, BODY_MAX);
	evhttp_set_timeout(http->evhttp, SILENCE_S);
	evhttp_set_bevcb(http->evhttp, connection_begins, http);
	evhttp_set_gencb(http->evhttp, serve_request, http);
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
		evhttp_free((*http)->evhttp);	/* checks end with their connections */
	for (int i = 0; i < (*http)->connections; i++)
		bufferevent_decref((*http)->open[i].stream);
	if ((*http)->sweep != NULL)
		event_free((*http)->sweep);
	rate_free(&(*http)->checks.rate);
	free(*http);
	*http = NULL;
}

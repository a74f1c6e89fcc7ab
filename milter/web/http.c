/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http.h"

#include "milter/daemon/daemon.h"
#include "milter/base/sockets.h"
#include "milter/daemon/stats.h"
#include "milter/web/page.h"
#include "milter/web/rate_limit.h"
#include "milter/web/http_request.h"

#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	HEAD_MAX = 16384,
	BODY_MAX = 0,
	SILENCE_S = 10,
};

struct http {
	struct event_base *base; /* borrowed */
	struct evhttp *evhttp;	 /* owned */
	struct page_host host;	 /* its checks.rate is owned */
};

/* ---- pages */

/* clang-format off */
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
/* clang-format on */

/* ---- requests */

/* evhttp does not read the body of HEAD (RFC 9110 section 9.3.2), nor a second Content-Length: it takes what follows
 * for the next request, which behind a proxy would be answered to somebody else. */
static bool http_may_have_body(struct evhttp_request *request)
{
	struct evkeyval *header;
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	if (evutil_ascii_strcasecmp(header->key, "Transfer-Encoding") == 0 ||
	    (evutil_ascii_strcasecmp(header->key, "Content-Length") == 0 && strcmp(header->value, "0") != 0))
		return true;
	return false;
}

/* A browser that was led here by a name of somebody else's (DNS rebinding) says so. */
static bool http_is_for_us(struct evhttp_request *request, const struct config *config, char *error, size_t error_size)
{
	const char *hosts[] = { evhttp_uri_get_host(evhttp_request_get_evhttp_uri(request)),
				evhttp_find_header(evhttp_request_get_input_headers(request), "Host") };
	for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
		if (hosts[i] != NULL && !http_request_host_is_ours(hosts[i], config->hosts, config->host_count)) {
			snprintf(error, error_size,
				 "The request is for the host \"%.100s\"; expected an address, localhost or a name of "
				 "the option http.hosts.",
				 hosts[i]);
			return false;
		}
	return true;
}

static void refuse(struct evhttp_request *request, enum stats_http_refused why, int code, const char *sentence)
{
	stats_http_refused(why);
	evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
	page_answer_error(request, code, sentence, 0);
}

/* Once the answer is out. */
static void on_answered(struct evhttp_request *request, void *arg)
{
	struct connection *connection = page_connection(arg, request);
	if (connection != NULL)
		connection->does = CONNECTION_ASKS;
}

static void http_serve_page(struct page_host *host, struct evhttp_request *request, bool rbl)
{
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(page_path(request), pages[i].path) == 0 && (rbl || !pages[i].rbl)) {
			pages[i].page(host, request);
			return;
		}
	if (strcmp(page_path(request), "/api/v1/rbl") == 0)
		page_answer_error(request, 404,
				  "This daemon does not look up block lists for others: http.rbl is false.", 0);
	else
		evhttp_send_error(request, HTTP_NOTFOUND,
				  rbl ? "expected /health, /metrics, /rbl, /api/v1/rbl or /openapi.json"
				      : "expected /health or /metrics");
}

static void http_serve_request(struct evhttp_request *request, void *arg)
{
	struct page_host *host = arg;
	char error[300];
	struct connection *connection = page_connection(host, request);
	if (connection == NULL) { /* no memory for one: evhttp made its own */
		refuse(request, STATS_HTTP_REFUSED_MEMORY, 503, "The daemon is out of memory.");
		return;
	}
	struct setup *setup = setup_hold();
	connection->does = CONNECTION_IS_ANSWERED;
	evhttp_request_set_on_complete_cb(request, on_answered, host);
	if (http_may_have_body(request))
		refuse(request, STATS_HTTP_REFUSED_BODY, 413, "A request may have no body.");
	else if (connection->head.wrong != NULL)
		refuse(request, STATS_HTTP_REFUSED_MALFORMED, 400, connection->head.wrong);
	else if (!http_is_for_us(request, setup->config, error, sizeof error))
		refuse(request, STATS_HTTP_REFUSED_HOST, 421, error);
	else
		http_serve_page(host, request, setup->config->set.http_rbl);
	setup_drop(&setup);
}

/* ---- the listener */

static bool http_serve(struct http *http, int fd)
{
	http->evhttp = evhttp_new(http->base);
	http->host.checks.rate = rate_limit_new();
	if (http->evhttp == NULL || http->host.checks.rate == NULL ||
	    !connections_start(&http->host.connections, http->base))
		return false;
	evhttp_set_allowed_methods(http->evhttp, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(http->evhttp, HEAD_MAX);
	evhttp_set_max_body_size(http->evhttp, BODY_MAX);
	evhttp_set_timeout(http->evhttp, SILENCE_S);
	evhttp_set_bevcb(http->evhttp, connections_begin, &http->host.connections);
	evhttp_set_gencb(http->evhttp, http_serve_request, &http->host);
	struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(http->evhttp, fd);
	if (bound == NULL)
		return false;
	connections_listen(&http->host.connections, evhttp_bound_socket_get_listener(bound));
	return true;
}

struct http *http_start(struct event_base *base, const char *listen, char *error, size_t error_size)
{
	struct socket_form form = { .mode = 0600, .group = "" };
	if (!endpoint_parse(listen, &form.endpoint, error, error_size))
		return NULL;
	int fd = sockets_listen(&form, error, error_size);
	if (fd < 0)
		return NULL;
	struct http *http = calloc(1, sizeof *http);
	if (http != NULL)
		http->base = base;
	if (http != NULL && http_serve(http, fd)) {
		sockets_watch(SOCKET_HTTP, &form, fd, http->host.connections.listener);
		return http;
	}
	snprintf(error, error_size, "%s: out of memory", listen);
	if (http == NULL || http->host.connections.listener == NULL)
		close(fd);
	http_stop(&http);
	return NULL;
}

void http_stop(struct http **http)
{
	if (*http == NULL)
		return;
	if ((*http)->evhttp != NULL)
		evhttp_free((*http)->evhttp); /* checks end with their connections */
	connections_stop(&(*http)->host.connections);
	rate_limit_free(&(*http)->host.checks.rate);
	free(*http);
	*http = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/page.h"

#include "milter/base/clock.h"
#include "milter/base/json.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <stdio.h>

#include "policy/base/banned.h"

/* evhttp does not know all of them. */
static const char *page_reason_of(int code)
{
	static const struct {
		int code;
		const char *reason;
	} rows[] = {
		{ 200, "OK" },
		{ 302, "Found" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 413, "Content Too Large" },
		{ 421, "Misdirected Request" },
		{ 429, "Too Many Requests" },
		{ 503, "Service Unavailable" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].code == code)
			return rows[i].reason;
	return "Error";
}

struct connection *page_connection(struct page_host *host, struct evhttp_request *request)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	return connections_find(&host->connections, evhttp_connection_get_bufferevent(connection));
}

struct netaddr page_peer(struct page_host *host, struct evhttp_request *request)
{
	return page_connection(host, request)->peer;
}

void page_hold_open(struct page_host *host, struct evhttp_request *request, int seconds)
{
	struct connection *connection = page_connection(host, request);
	connection->does = CONNECTION_CHECKS;
	connection->until_ms = clock_monotonic_ms() + seconds * 1000;
}

const char *page_path(struct evhttp_request *request)
{
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
	return path == NULL ? "" : path;
}

bool page_is_head(struct evhttp_request *request)
{
	return evhttp_request_get_command(request) == EVHTTP_REQ_HEAD;
}

void page_headers(struct evhttp_request *request, const char *type, const char *cache)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", cache);
	evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
	evhttp_add_header(headers, "Referrer-Policy", "no-referrer");
}

/* evhttp would send the body in answer to HEAD, too. */
void page_send(struct evhttp_request *request, int code, struct evbuffer *body)
{
	char length[24];
	if (page_is_head(request) && body != NULL) {
		snprintf(length, sizeof length, "%zu", evbuffer_get_length(body));
		evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Length", length);
		evbuffer_drain(body, evbuffer_get_length(body));
	}
	evhttp_send_reply(request, code, page_reason_of(code), body);
}

void page_answer(struct evhttp_request *request, int code, const char *type, struct evbuffer *body)
{
	page_headers(request, type, "no-store");
	page_send(request, code, body);
}

void page_answer_error(struct evhttp_request *request, int code, const char *sentence, int64_t retry_s)
{
	struct evbuffer *body = evbuffer_new();
	char seconds[24];
	snprintf(seconds, sizeof seconds, "%" PRId64, retry_s);
	if (retry_s > 0)
		evhttp_add_header(evhttp_request_get_output_headers(request), "Retry-After", seconds);
	if (body != NULL)
		json_write(body, json_pack("{s:o}", "error", json_text(sentence)));
	page_answer(request, code, "application/json", body);
	if (body != NULL)
		evbuffer_free(body);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/http.h"

#include "milter/endpoint.h"
#include "milter/exchange.h"
#include "milter/report.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* libevent's own HTTP server of 2.1 has no cap on connections and no deadline for a whole request; for two pages
 * that anybody may ask for, one request a connection is enough. */

enum { HEAD_MAX = 8192, DEADLINE_S = 10 };

struct http {
	struct exchange *exchange;	/* owned */
};

struct answer {
	int code;
	const char *reason, *type;
	struct evbuffer *body;	/* owned by http_serve */
};

static void answer_plain(struct answer *answer, int code, const char *reason)
{
	answer->code = code;
	answer->reason = reason;
	answer->type = "text/plain; charset=utf-8";
	evbuffer_add_printf(answer->body, "%s\n", reason);
}

static void page_health(struct answer *answer)
{
	enum health health;
	report_write(answer->body, report_status(&health));
	answer->type = "application/json";
	if (health == HEALTH_CRITICAL) {
		answer->code = 503;
		answer->reason = "Service Unavailable";
	}
}

static void page_metrics(struct answer *answer)
{
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	report_metrics(answer->body);
}

static const struct {
	const char *path;
	void (*page)(struct answer *answer);
} pages[] = {
	{ "/health", page_health },
	{ "/metrics", page_metrics },
};

/* RFC 9112 section 3: METHOD SP TARGET SP HTTP/1.x. The method and the target's path; false: no such line. */
static bool request_line(const char *request, size_t length, char method[16], char path[64])
{
	char line[256];
	const char *end = memchr(request, '\n', length);
	size_t line_length = end == NULL ? length : (size_t)(end - request);
	if (line_length >= sizeof line)
		line_length = sizeof line - 1;	/* too long for a page of ours: nothing below finds its version */
	memcpy(line, request, line_length);
	line[line_length] = '\0';
	char *target = strchr(line, ' ');
	char *version = target == NULL ? NULL : strchr(target + 1, ' ');
	if (version == NULL || strncmp(version + 1, "HTTP/1.", 7) != 0)
		return false;
	*target++ = '\0';
	*version = '\0';
	target[strcspn(target, "?#")] = '\0';
	if (strlen(line) >= 16 || strlen(target) >= 64)
		return false;
	memcpy(method, line, strlen(line) + 1);
	memcpy(path, target, strlen(target) + 1);
	return true;
}

static void fill_answer(struct answer *answer, const char *request, size_t length, bool *head_out)
{
	char method[16], path[64];
	if (request == NULL) {
		answer_plain(answer, 431, "Request Header Fields Too Large");
		return;
	}
	if (!request_line(request, length, method, path)) {
		answer_plain(answer, 400, "Bad Request");
		return;
	}
	*head_out = strcmp(method, "HEAD") == 0;
	if (!*head_out && strcmp(method, "GET") != 0) {
		answer_plain(answer, 405, "Method Not Allowed");
		return;
	}
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
		if (strcmp(path, pages[i].path) == 0) {
			pages[i].page(answer);
			return;
		}
	answer_plain(answer, 404, "Not Found");
}

static void http_serve(struct exchange_call *call, const char *request, size_t length)
{
	struct evbuffer *whole = evbuffer_new();
	struct answer answer = { .code = 200, .reason = "OK", .body = evbuffer_new() };
	bool head_only = false;
	if (whole != NULL && answer.body != NULL) {
		fill_answer(&answer, request, length, &head_only);
		evbuffer_add_printf(whole,
				    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
				    "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
				    "Connection: close\r\n\r\n",
				    answer.code, answer.reason, answer.type, evbuffer_get_length(answer.body),
				    answer.code == 405 ? "Allow: GET, HEAD\r\n" : "");
		if (!head_only)
			evbuffer_add_buffer(whole, answer.body);
	}
	exchange_answer(call, whole);
	if (whole != NULL)
		evbuffer_free(whole);
	if (answer.body != NULL)
		evbuffer_free(answer.body);
}

/* The empty line behind the header; RFC 9112 section 2.2 lets a bare LF end a line. */
static size_t head_end(const char *bytes, size_t length)
{
	for (size_t i = 1; i < length; i++) {
		if (bytes[i] != '\n')
			continue;
		if (bytes[i - 1] == '\n' || (i >= 2 && bytes[i - 1] == '\r' && bytes[i - 2] == '\n'))
			return i + 1;
	}
	return 0;
}

static const struct exchange_kind kind = {
	.connections_max = HTTP_CONNECTIONS_MAX,
	.request_max = HEAD_MAX,
	.deadline_s = DEADLINE_S,
	.end = head_end,
	.serve = http_serve,
};

struct http *http_start(struct event_base *base, const char *listen, char *error, size_t error_size)
{
	struct endpoint endpoint;
	if (!endpoint_parse(listen, &endpoint, error, error_size))
		return NULL;
	int fd = endpoint_listen(&endpoint, 0600, "", error, error_size);
	if (fd < 0)
		return NULL;
	struct http *http = calloc(1, sizeof *http);
	struct exchange *exchange = exchange_start(base, fd, &kind);
	if (http == NULL || exchange == NULL) {
		snprintf(error, error_size, "%s: out of memory", listen);
		exchange_stop(&exchange);
		free(http);
		return NULL;
	}
	http->exchange = exchange;
	return http;
}

void http_stop(struct http **http)
{
	if (*http != NULL)
		exchange_stop(&(*http)->exchange);
	free(*http);
	*http = NULL;
}

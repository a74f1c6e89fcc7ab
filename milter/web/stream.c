/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/web/stream.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/base/loop.h"
#include "milter/report/report.h"
#include "milter/report/report_check.h"
#include "milter/daemon/stats.h"
#include "milter/web/page.h"
#include "milter/base/json.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/base/banned.h"

enum { SILENCE_S = 10, KERNEL_BYTES = 65536 };

struct stream_stream {
	struct page_checks *checks;	/* borrowed; outlives connections */
	struct evhttp_request *request; /* owes an answer */
	struct setup *setup;		/* held */
	struct check *check;		/* owned */
	struct event *deadline;		/* owned */
	struct rate_limit_settings limits;
	struct netaddr client;
	int64_t tokens;
	char query[CHECK_QUERY_MAX + 1];
	bool document, begun, paused;
	int64_t started_ms;
	struct check_sums sums; /* of the subjects so far, for the line of a check that is cut short */
	int64_t used;		/* addresses that were begun; at the end, that were asked about */
};

static void count_in(struct stream_stream *stream)
{
	struct page_checks *checks = stream->checks;
	checks->clients[checks->running++] = stream->client;
	stats_check_begins();
}

static void stream_count_out(struct stream_stream *stream)
{
	struct page_checks *checks = stream->checks;
	int i = 0;
	while (!rate_limit_same_client(&checks->clients[i], &stream->client))
		i++;
	checks->clients[i] = checks->clients[--checks->running];
	stats_check_ends();
}

/* What was paid for the addresses is no more than a guess where a name was asked for, which may have more, and even who
 * hangs up in time has had them asked about. */
static void settle(struct stream_stream *stream, bool whole)
{
	int64_t used = stream->used > 1 ? stream->used : 1;
	if (used > stream->tokens || (used < stream->tokens && whole))
		rate_limit_give_back(stream->checks->rate, &stream->limits, &stream->client, stream->tokens - used);
}

/* The request is somebody else's afterwards, or gone. */
static void stream_free(struct stream_stream *stream, bool whole)
{
	settle(stream, whole);
	check_end(&stream->check);
	if (stream->deadline != NULL)
		event_free(stream->deadline);
	setup_drop(&stream->setup);
	stream_count_out(stream);
	free(stream);
}

/* The connection is gone. evhttp has either let go of the request, or frees it next. */
static void stream_on_close(struct evhttp_connection *connection, void *arg)
{
	struct stream_stream *stream = arg;
	(void)connection;
	if (evhttp_request_get_connection(stream->request) == NULL)
		evhttp_request_free(stream->request);
	stream_free(stream, false);
}

static void stream_on_drained(struct evhttp_connection *connection, void *arg)
{
	struct stream_stream *stream = arg;
	(void)connection;
	if (stream->paused)
		check_pause(stream->check, false);
	stream->paused = false;
}

/* ---- lines */

/* The members of an object without its braces, "" on no memory. Takes `json`. */
static void stream_add_members(struct evbuffer *to, json_t *json)
{
	char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
	size_t length = text == NULL ? 0 : strlen(text);
	if (length > 2)
		evbuffer_add(to, text + 1, length - 2);
	free(text);
	json_decref(json);
}

/* The document's head before the first line, a comma before others. */
static void stream_add_before(struct stream_stream *stream, struct evbuffer *to, json_t *line)
{
	if (stream->begun) {
		evbuffer_add_printf(to, ",");
		return;
	}
	json_t *kind = json_object_get(line, "kind");
	evbuffer_add_printf(to, "{");
	stream_add_members(to, json_pack("{s:o, s:O?}", "query", json_text(stream->query), "kind", kind));
	evbuffer_add_printf(to, ",\"lines\":[\n");
	stream->begun = true;
}

/* Behind the last line, its members again: those of the document. */
static void stream_add_after(struct evbuffer *to, json_t *line)
{
	json_t *members = json_copy(line);
	if (members != NULL)
		json_object_del(members, "type");
	evbuffer_add_printf(to, "],");
	stream_add_members(to, members);
	evbuffer_add_printf(to, "}\n");
}

static size_t unread(const struct stream_stream *stream)
{
	struct evhttp_connection *connection = evhttp_request_get_connection(stream->request);
	return evbuffer_get_length(bufferevent_get_output(evhttp_connection_get_bufferevent(connection)));
}

static void stream_send_event(struct stream_stream *stream, const struct check_event *event)
{
	struct evbuffer *piece = evbuffer_new();
	json_t *line = report_check(event, stream->query);
	if (piece == NULL) {
		json_decref(line);
		return;
	}
	if (stream->document)
		stream_add_before(stream, piece, line);
	json_write(piece, json_incref(line));
	if (stream->document && event->kind == CHECK_EVENT_END)
		stream_add_after(piece, line);
	json_decref(line);
	evhttp_send_reply_chunk_with_cb(stream->request, piece, stream_on_drained, stream);
	evbuffer_free(piece);
	if (!stream->paused && unread(stream) > STREAM_UNREAD_MAX && event->kind != CHECK_EVENT_END) {
		stream->paused = true;
		check_pause(stream->check, true);
	}
}

/* The last event is sent. `whole`: it is the check's own. */
static void finish(struct stream_stream *stream, bool whole)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(stream->request), NULL, NULL);
	evhttp_send_reply_end(stream->request);
	stream_free(stream, whole);
}

static void stream_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct stream_stream *stream = arg;
	struct check_event event = {
		.kind = CHECK_EVENT_END,
		.sums = stream->sums,
		.took_ms = clock_monotonic_ms() - stream->started_ms,
		.error = "The check took too long and was ended; ask for a smaller network, or read faster.",
	};
	(void)fd;
	(void)what;
	check_end(&stream->check);
	stream_send_event(stream, &event);
	finish(stream, false);
}

static void stream_on_event(void *arg, const struct check_event *event)
{
	struct stream_stream *stream = arg;
	if (event->kind == CHECK_EVENT_TARGET)
		stream->used++;
	else if (event->kind == CHECK_EVENT_SUBJECT)
		check_sums_add(&stream->sums, &event->sums);
	stream_send_event(stream, event);
	if (event->kind != CHECK_EVENT_END)
		return;
	stream->used = (int64_t)event->sums.listed + event->sums.clean + event->sums.unknown;
	finish(stream, true);
}

/* ---- the start */

/* Not silence of the client ends it, but of our writing. What the kernel would keep for a client that does not read is
 * memory, too. */
static void stream_prepare_socket(struct evhttp_connection *connection)
{
	struct bufferevent *bufferevent = evhttp_connection_get_bufferevent(connection);
	int fd = bufferevent_getfd(bufferevent), bytes = KERNEL_BYTES, yes = 1;
	struct timeval silence = { .tv_sec = SILENCE_S };
	bufferevent_set_timeouts(bufferevent, NULL, &silence);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* fails on a unix socket, which needs none */
}

static void stream_send_head(struct stream_stream *stream)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(stream->request);
	page_headers(stream->request, stream->document ? "application/json" : "application/x-ndjson", "no-store");
	evhttp_add_header(headers, "Vary", "Accept");
	evhttp_add_header(headers, "Connection", "close");     /* its time-outs fit no other request */
	evhttp_add_header(headers, "X-Accel-Buffering", "no"); /* to nginx before us */
	evhttp_send_reply_start(stream->request, HTTP_OK, "OK");
}

bool stream_start(struct page_host *host, struct evhttp_request *request, const struct stream_settings *settings)
{
	struct stream_stream *stream = calloc(1, sizeof *stream);
	int seconds = settings->target->kind == CHECK_NETWORK ? STREAM_NETWORK_S : STREAM_ADDRESS_S;
	struct timeval deadline = { .tv_sec = seconds };
	if (stream == NULL)
		return false;
	stream->checks = &host->checks;
	stream->request = request;
	stream->limits = settings->limits;
	stream->client = settings->client;
	stream->tokens = settings->tokens;
	stream->document = settings->document;
	stream->started_ms = clock_monotonic_ms();
	text_copy(stream->query, sizeof stream->query, settings->query);
	stream->setup = setup_hold();
	count_in(stream);
	stream->deadline = evtimer_new(loop_base(the_daemon.loop), stream_on_deadline, stream);
	if (stream->deadline != NULL && evtimer_add(stream->deadline, &deadline) == 0)
		stream->check = setup_check(stream->setup, settings->target, true, stream_on_event, stream);
	if (stream->check == NULL) {
		stream_free(stream, true);
		return false;
	}
	stream_prepare_socket(evhttp_request_get_connection(request));
	page_hold_open(host, request, seconds + STREAM_LEAVE_S);
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), stream_on_close, stream);
	stream_send_head(stream);
	return true;
}

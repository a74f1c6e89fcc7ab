/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/content/scan.h"

#include "milter/base/ask.h"
#include "milter/base/clock.h"
#include "milter/content/spamd.h"
#include "milter/base/endpoint.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { HEAD_MAX = 512, AWAY_AFTER = 5, STATES = 2 * SCANNERS_MAX };

/* One row for each kind of scanner: what is sent before the message, and how its reply is read. */
struct protocol {
	size_t (*request)(const char *user, size_t length, char *request, size_t size);
	enum spamd_progress (*reply)(const char *bytes, size_t length, bool ended, struct content *content_out,
				     const char **why_out);
	size_t reply_max;
};

static const struct protocol protocols[SCANNER_COUNT] = {
	[SCANNER_SPAMD] = { spamd_request, spamd_reply, SPAMD_REPLY_MAX },
};

struct scan {
	struct ask ask; /* first */
	struct loop_job job;
	TAILQ_ENTRY(scan) place;    /* in `running` */
	struct loop *loop;	    /* borrowed, as long as it runs */
	struct scanner scanner;	    /* a copy: the asker may let go before we have ended */
	struct content content;	    /* the asker's once it is answered */
	struct bufferevent *stream; /* owned */
	struct event *timer;	    /* owned */
	bool sent;
	int write_error; /* errno; 0: none */
	size_t head_length, length;
	char head[HEAD_MAX];
	char message[]; /* `length` bytes */
};

static struct {
	atomic_uint_fast64_t scans, answers, failures, timeouts;
	atomic_size_t bytes; /* of messages under way */
} totals;

/* The loop thread's. */
static TAILQ_HEAD(scan_list, scan) running = TAILQ_HEAD_INITIALIZER(running);

/* How a scanner does; the loop thread's. One of an old configuration stays until its row is wanted for another. */
static struct scan_scan_state {
	char name[SCANNER_NAME_MAX + 1], address[256];
	uint64_t failures; /* in a row */
	bool away;	   /* and the log says so */
	uint64_t used;	   /* when: by the counter below */
} states[STATES];

static uint64_t uses;

static void add(atomic_uint_fast64_t *number)
{
	atomic_fetch_add_explicit(number, 1, memory_order_relaxed);
}

static bool is_of(const struct scan_scan_state *state, const struct scanner *scanner)
{
	return strcmp(state->name, scanner->name) == 0 && strcmp(state->address, scanner->address) == 0;
}

static struct scan_scan_state *scan_get_state(const struct scanner *scanner)
{
	struct scan_scan_state *state = &states[0];
	for (int i = 0; i < STATES && !is_of(state, scanner); i++)
		if (is_of(&states[i], scanner) || states[i].used < state->used)
			state = &states[i];
	if (!is_of(state, scanner)) {
		*state = (struct scan_scan_state){ 0 };
		text_copy(state->name, sizeof state->name, scanner->name);
		text_copy(state->address, sizeof state->address, scanner->address);
	}
	state->used = ++uses;
	return state;
}

uint64_t scan_failures(const struct scanner *scanner)
{
	for (int i = 0; i < STATES; i++)
		if (is_of(&states[i], scanner))
			return states[i].failures;
	return 0;
}

static void scan_note_success(const struct scanner *scanner)
{
	struct scan_scan_state *state = scan_get_state(scanner);
	add(&totals.answers);
	if (state->away)
		log_line(SEVERITY_INFO, "scanner %s at %s answers again", scanner->name, scanner->address);
	state->failures = 0;
	state->away = false;
}

static void scan_note_failure(const struct scanner *scanner, const char *why)
{
	struct scan_scan_state *state = scan_get_state(scanner);
	if (++state->failures < AWAY_AFTER || state->away)
		return;
	state->away = true;
	log_line(SEVERITY_ERROR,
		 "scanner %s at %s has failed %d times in a row (%s); content is unknown until it answers",
		 scanner->name, scanner->address, AWAY_AFTER, why);
}

/* After this the scan may be gone. */
static void scan_end(struct scan *scan)
{
	if (scan->stream != NULL)
		bufferevent_free(scan->stream);
	if (scan->timer != NULL)
		event_free(scan->timer);
	TAILQ_REMOVE(&running, scan, place);
	atomic_fetch_sub(&totals.bytes, scan->length);
	ask_answer(&scan->ask);
}

static void succeed(struct scan *scan)
{
	scan_note_success(&scan->scanner);
	scan_end(scan);
}

static void fail(struct scan *scan, const char *why)
{
	add(&totals.failures);
	scan_note_failure(&scan->scanner, why);
	scan_end(scan);
}

static void scan_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct scan *scan = arg;
	(void)fd;
	(void)what;
	add(&totals.timeouts);
	scan_note_failure(&scan->scanner, "no answer in time");
	scan_end(scan);
}

static const char *why_ended(const struct scan *scan, bool closed)
{
	int code = scan->write_error != 0 ? scan->write_error : closed ? 0 : errno;
	return code != 0 ? strerror(code) : "the connection was closed without a reply";
}

static void scan_read_reply(struct scan *scan, const char *ended)
{
	const struct protocol *protocol = &protocols[scan->scanner.kind];
	struct evbuffer *input = bufferevent_get_input(scan->stream);
	size_t length = evbuffer_get_length(input);
	if (ended != NULL && length == 0) {
		fail(scan, ended);
		return;
	}
	const char *why = "no memory", *bytes = (const char *)evbuffer_pullup(input, -1);
	enum spamd_progress progress = SPAMD_BAD;
	if (bytes != NULL)
		progress = protocol->reply(bytes, length, ended != NULL, &scan->content, &why);
	if (progress == SPAMD_DONE)
		succeed(scan);
	else if (progress == SPAMD_BAD)
		fail(scan, why);
}

static void on_readable(struct bufferevent *stream, void *arg)
{
	(void)stream;
	scan_read_reply(arg, NULL);
}

/* All is sent: close our half, as spamc does. spamd reads up to there if its Content-length was wrong. */
static void scan_on_sent(struct bufferevent *stream, void *arg)
{
	struct scan *scan = arg;
	if (!scan->sent)
		shutdown(bufferevent_getfd(stream), SHUT_WR);
	scan->sent = true;
}

/* A scanner that does not want the whole message closes early; its reply is still to be read, so only the reading
 * side's end is the end. */
static void scan_on_event(struct bufferevent *stream, short what, void *arg)
{
	struct scan *scan = arg;
	(void)stream;
	if ((what & BEV_EVENT_READING) != 0)
		scan_read_reply(scan, why_ended(scan, (what & BEV_EVENT_EOF) != 0));
	else if ((what & BEV_EVENT_WRITING) != 0)
		scan->write_error = errno;
	else if ((what & BEV_EVENT_ERROR) != 0)
		fail(scan, "cannot connect");
}

static const char *scan_connect_stream(struct scan *scan)
{
	struct endpoint endpoint;
	char ignored[300];
	if (!endpoint_parse(scan->scanner.address, &endpoint, ignored, sizeof ignored))
		return "its address is none";
	int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return strerror(errno);
	if (connect(fd, (const struct sockaddr *)&endpoint.address, endpoint.length) != 0 && errno != EINPROGRESS) {
		const char *why = strerror(errno);
		close(fd);
		return why;
	}
	scan->stream = bufferevent_socket_new(loop_base(scan->loop), fd, BEV_OPT_CLOSE_ON_FREE);
	if (scan->stream == NULL)
		close(fd);
	return scan->stream == NULL ? "no memory" : NULL;
}

static void scan_start_one(struct loop_job *job)
{
	struct scan *scan = (struct scan *)(void *)((char *)job - offsetof(struct scan, job));
	struct event_base *base = loop_base(scan->loop);
	struct timeval wait = { scan->scanner.timeout_ms / 1000, scan->scanner.timeout_ms % 1000 * 1000 };
	TAILQ_INSERT_TAIL(&running, scan, place);
	const char *why = scan_connect_stream(scan);
	if (why != NULL) {
		fail(scan, why);
		return;
	}
	struct evbuffer *output = bufferevent_get_output(scan->stream);
	scan->timer = event_new(base, -1, 0, scan_on_timeout, scan);
	bufferevent_setcb(scan->stream, on_readable, scan_on_sent, scan_on_event, scan);
	bufferevent_setwatermark(scan->stream, EV_READ, 0, protocols[scan->scanner.kind].reply_max + 1);
	/* no address: the socket is connecting already */
	if (scan->timer == NULL || event_add(scan->timer, &wait) != 0 ||
	    evbuffer_add_reference(output, scan->head, scan->head_length, NULL, NULL) != 0 ||
	    evbuffer_add_reference(output, scan->message, scan->length, NULL, NULL) != 0 ||
	    bufferevent_socket_connect(scan->stream, NULL, 0) != 0 ||
	    bufferevent_enable(scan->stream, EV_READ | EV_WRITE) != 0)
		fail(scan, "no memory");
}

static void free_scan(struct ask *ask)
{
	free(ask);
}

struct scan *scan_start(struct loop *loop, const struct scanner *scanner, const char *account, const char *message,
			size_t length)
{
	struct scan *scan = NULL;
	if (atomic_fetch_add(&totals.bytes, length) + length <= SCAN_BYTES_MAX)
		scan = malloc(sizeof *scan + length);
	add(&totals.scans);
	if (scan == NULL) {
		atomic_fetch_sub(&totals.bytes, length);
		add(&totals.failures);
		return NULL;
	}
	*scan = (struct scan){ .loop = loop, .scanner = *scanner, .length = length, .job.run = scan_start_one };
	ask_init(&scan->ask, free_scan);
	text_copy(scan->content.scanner, sizeof scan->content.scanner, scanner->name);
	if (length > 0) /* of nothing there are no bytes */
		memcpy(scan->message, message, length);
	scan->head_length = protocols[scanner->kind].request(account, length, scan->head, sizeof scan->head);
	loop_post(loop, &scan->job);
	return scan;
}

void scan_collect(struct scan *scan, int64_t deadline_ms, struct content *content_out)
{
	*content_out = (struct content){ 0 };
	if (scan == NULL)
		return;
	if (ask_wait(&scan->ask, deadline_ms))
		*content_out = scan->content;
	else
		text_copy(content_out->scanner, sizeof content_out->scanner, scan->scanner.name);
}

void scan_release(struct scan **scan)
{
	if (*scan != NULL)
		ask_drop(&(*scan)->ask);
	*scan = NULL;
}

void scan_end_all(void)
{
	struct scan *scan;
	while ((scan = TAILQ_FIRST(&running)) != NULL)
		scan_end(scan);
}

struct scan_stats scan_stats(void)
{
	return (struct scan_stats){
		.scans = atomic_load(&totals.scans),
		.answers = atomic_load(&totals.answers),
		.failures = atomic_load(&totals.failures),
		.timeouts = atomic_load(&totals.timeouts),
	};
}

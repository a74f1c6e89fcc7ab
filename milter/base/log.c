/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/log.h"

#include "milter/base/clock.h"
#include "milter/base/log_sink.h"
#include "milter/base/wait.h"
#include "policy/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LINE_MAX_BYTES = 8192, AGAIN_MS = 100, STACK = 128 * 1024 };

struct line {
	struct line *next;
	enum severity severity;
	time_t at;
	size_t length;
	char bytes[];
};

static struct {
	pthread_mutex_t lock; /* of all that follows */
	pthread_cond_t came, written;
	pthread_t thread;
	bool runs, ends, ended;
	struct line *first, **last; /* the first one is in the writer's hands */
	size_t bytes;
	struct log_stats stats;
	bool full;	  /* until half of it is written */
	int64_t since_ms; /* when the first one was tried first; 0: there is none */
} queue = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.came = PTHREAD_COND_INITIALIZER,
	.written = PTHREAD_COND_INITIALIZER,
};

/* The word stands in the line too: a file of syslog's shows no priorities. */
static const char *const words[] = {
	[SEVERITY_INFO] = "",
	[SEVERITY_WARNING] = "warning: ",
	[SEVERITY_ERROR] = "error: ",
};

void log_name(const char *name)
{
	log_sink_name(name);
}

void log_open(enum log_target target, enum log_facility facility)
{
	log_sink_open(target, facility);
}

/* -- the queue, with its lock held -- */

static bool log_append(enum severity severity, const char *bytes, size_t length)
{
	bool room = !queue.full && queue.bytes + length <= LOG_WAITING_MOST;
	struct line *line = room ? malloc(sizeof *line + length) : NULL;
	queue.full = line == NULL;
	if (line == NULL)
		return false;
	*line = (struct line){ .severity = severity, .at = time(NULL), .length = length };
	memcpy(line->bytes, bytes, length);
	*queue.last = line;
	queue.last = &line->next;
	queue.bytes += length;
	queue.stats.waiting++;
	pthread_cond_signal(&queue.came);
	return true;
}

/* Where lines were lost, one stands in their place. */
static void log_say_lost(void)
{
	char bytes[160];
	if (!queue.full || queue.bytes > LOG_WAITING_MOST / 2)
		return;
	int length =
		snprintf(bytes, sizeof bytes, "%slog: %" PRIu64 " lines are lost here: they were not taken in time\n",
			 words[SEVERITY_WARNING], queue.stats.unsaid);
	queue.full = false;
	if (log_append(SEVERITY_WARNING, bytes, (size_t)length))
		queue.stats.unsaid = 0;
}

static void log_add(enum severity severity, const char *bytes, size_t length)
{
	log_say_lost();
	bool kept = log_append(severity, bytes, length);
	queue.stats.lost += !kept;
	queue.stats.unsaid += !kept;
}

static void log_drop_first(void)
{
	struct line *gone = queue.first;
	queue.first = gone->next;
	if (queue.first == NULL)
		queue.last = &queue.first;
	queue.bytes -= gone->length;
	queue.stats.waiting--;
	queue.since_ms = 0;
	free(gone);
}

static void log_write_first(void)
{
	const struct line *line = queue.first;
	if (queue.since_ms == 0)
		queue.since_ms = clock_monotonic_ms();
	pthread_mutex_unlock(&queue.lock);
	bool taken = log_sink_write(line->severity, line->at, line->bytes, line->length);
	pthread_mutex_lock(&queue.lock);
	if (taken) {
		log_drop_first();
		log_say_lost();
		return;
	}
	pthread_mutex_unlock(&queue.lock);
	poll(NULL, 0, AGAIN_MS);
	pthread_mutex_lock(&queue.lock);
}

static void *log_writer(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&queue.lock);
	while (queue.first != NULL || !queue.ends) {
		if (queue.first != NULL)
			log_write_first();
		else
			pthread_cond_wait(&queue.came, &queue.lock);
	}
	queue.ended = true;
	pthread_cond_signal(&queue.written);
	pthread_mutex_unlock(&queue.lock);
	return NULL;
}

/* -- its life -- */

bool log_start(void)
{
	pthread_attr_t small;
	queue.last = &queue.first;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	queue.runs = pthread_create(&queue.thread, &small, log_writer, NULL) == 0;
	pthread_attr_destroy(&small);
	return queue.runs;
}

/* A writer that hangs ends with the process. */
void log_end(void)
{
	int64_t until_ms = clock_monotonic_ms() + LOG_END_S * 1000;
	pthread_mutex_lock(&queue.lock);
	bool runs = queue.runs;
	queue.ends = true;
	pthread_cond_signal(&queue.came);
	while (runs && !queue.ended && clock_monotonic_ms() < until_ms)
		wait_cond(&queue.written, &queue.lock, until_ms - clock_monotonic_ms());
	bool ended = queue.ended;
	queue.runs = queue.runs && !ended;
	pthread_mutex_unlock(&queue.lock);
	if (runs && ended)
		pthread_join(queue.thread, NULL);
}

struct log_stats log_stats(void)
{
	pthread_mutex_lock(&queue.lock);
	struct log_stats stats = queue.stats;
	if (queue.since_ms != 0)
		stats.stuck_s = (uint64_t)(clock_monotonic_ms() - queue.since_ms) / 1000;
	pthread_mutex_unlock(&queue.lock);
	return stats;
}

/* -- lines -- */

/* What a stranger sent must not begin a line of its own. */
static void log_make_one_line(struct text *line)
{
	for (size_t i = 0; i < line->length; i++) {
		unsigned char c = (unsigned char)line->at[i];
		if (c < 0x20 || c == 0x7f)
			line->at[i] = '?';
	}
}

static void log_put(enum severity severity, const char *bytes, size_t length)
{
	pthread_mutex_lock(&queue.lock);
	if (queue.runs)
		log_add(severity, bytes, length);
	else
		log_sink_write(severity, time(NULL), bytes, length);
	pthread_mutex_unlock(&queue.lock);
}

void log_line(enum severity severity, const char *format, ...)
{
	int saved = errno;
	char bytes[LINE_MAX_BYTES];
	struct text line = text_over(bytes, sizeof bytes - 1); /* leaves room for the line's end */
	text_add(&line, words[severity]);
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(line.at + line.length, line.size - line.length, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		line.length += strlen(line.at + line.length);
	log_make_one_line(&line);
	line.at[line.length++] = '\n';
	log_put(severity, line.at, line.length);
	errno = saved;
}

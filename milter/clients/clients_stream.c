/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The stream PREFIX:clients is read behind the last entry that was counted. At first, where nothing came for a while,
 * where Redis did not answer, and where more waits than one answer holds, that entry is asked for, too: where it is
 * gone, entries were lost before they were read, or it is another stream, which is read from its beginning.
 */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	TICK_MS = 500,
	ENTRIES = 16,		/* that are asked for at one time */
	LOOKS_BACK_TICKS = 120, /* without an entry */
};

static struct {
	pthread_mutex_t lock; /* of these two */
	int64_t read_s;	      /* Unix time */
	char why[200];
	struct event *tick; /* owned; this and what follows is the loop thread's */
	bool asking, looks_back;
	int idle;
} stream = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void clients_stream_ask(void);

/* That Redis is away is said elsewhere; what it says of this stream is. Said once, until it is another one, or none. */
static void clients_stream_trouble(const char *error)
{
	static const char *const of_stream[] = { "WRONGTYPE ", "NOPERM ", "ERR " }; /* ERR: it knows no streams */
	size_t i = 0, count = sizeof of_stream / sizeof of_stream[0];
	while (error != NULL && i < count && strncmp(error, of_stream[i], strlen(of_stream[i])) != 0)
		i++;
	if (i == count)
		return;
	pthread_mutex_lock(&stream.lock);
	char why[sizeof stream.why];
	text_copy(why, sizeof why, error != NULL ? error : "");
	bool new = strcmp(stream.why, why) != 0;
	text_copy(stream.why, sizeof stream.why, why);
	if (error == NULL)
		stream.read_s = clock_now_ms() / 1000;
	pthread_mutex_unlock(&stream.lock);
	if (new &&error != NULL)
		log_line(SEVERITY_WARNING,
			 "clients: the stream " KEY_PART_CLIENTS
			 " of Redis cannot be read: Redis says \"%s\"; what the "
			 "logs say of clients is not known here",
			 why);
}

static void clients_stream_on_entries(void *arg, const char *error, int count, const char *const *items)
{
	(void)arg;
	stream.asking = false;
	clients_stream_trouble(error);
	if (error != NULL) {
		stream.looks_back = true;
		return;
	}
	int entries = clients_batches_count(stream.looks_back, count, items);
	if (entries < 0)
		return; /* all is being copied: it is asked for again */
	stream.looks_back = entries >= ENTRIES - 1;
	stream.idle = entries > 0 ? 0 : stream.idle + 1;
	if (stream.looks_back)
		clients_stream_ask();
}

static void clients_stream_ask(void)
{
	char last[CLIENTS_STREAM_ID_MAX], from[CLIENTS_STREAM_ID_MAX + 1], count[12];
	if (!clients_batches_last(last))
		return;
	if (stream.idle >= LOOKS_BACK_TICKS) {
		stream.looks_back = true;
		stream.idle = 0;
	}
	stream.looks_back = stream.looks_back && last[0] != '\0';
	snprintf(from, sizeof from, "%s%s", last[0] == '\0' || stream.looks_back ? "" : "(",
		 last[0] == '\0' ? "-" : last);
	snprintf(count, sizeof count, "%d", ENTRIES);
	stream.asking = true;
	store_key_command(the_daemon.store, 6,
			  (const char *[]){ "XRANGE", KEY_PART_CLIENTS, from, "+", "COUNT", count },
			  clients_stream_on_entries, NULL);
}

static void clients_stream_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!stream.asking)
		clients_stream_ask();
}

bool clients_stream_start(struct event_base *base)
{
	struct timeval every = { .tv_usec = TICK_MS * 1000 };
	stream.read_s = 0;
	stream.why[0] = '\0';
	stream.looks_back = true;
	stream.asking = false;
	stream.idle = 0;
	stream.tick = event_new(base, -1, EV_PERSIST, clients_stream_on_tick, NULL);
	return stream.tick != NULL && event_add(stream.tick, &every) == 0;
}

void clients_stream_stop(void)
{
	if (stream.tick != NULL)
		event_free(stream.tick);
	stream.tick = NULL;
}

void clients_stream_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&stream.lock);
	stats->stream_read_s = stream.read_s;
	text_copy(stats->stream_why, sizeof stats->stream_why, stream.why);
	pthread_mutex_unlock(&stream.lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/outbox.h"

#include "milter/daemon/daemon.h"
#include "milter/base/log.h"
#include "milter/base/loop.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { WORDS_MAX = 24, RETRY_MS = 1000 };

struct outbox_command {
	struct outbox_command *next;
	int argc;
	const char *argv[WORDS_MAX]; /* in this block */
	char bytes[];
};

struct box {
	struct outbox_command *first, **last; /* owned; the first one is under way or next */
	struct outbox_stats stats;
	bool busy;	     /* the loop thread's: one is under way, or the retry is */
	struct event *retry; /* owned */
};

static const struct {
	const char *word;
	uint64_t most;
} rows[] = {
#define OUTBOX_ROW(id, word, most) { word, most },
	OUTBOX_ROWS(OUTBOX_ROW)
#undef OUTBOX_ROW
};

static struct {
	pthread_mutex_t lock; /* of boxes */
	struct box boxes[OUTBOX_COUNT];
	struct loop_job job;
	bool posted, running;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct outbox_command *outbox_command_new(int argc, const char *const *argv)
{
	size_t size = sizeof(struct outbox_command), length;
	for (int i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	struct outbox_command *command = argc <= WORDS_MAX ? malloc(size) : NULL;
	if (command == NULL)
		return NULL;
	command->next = NULL;
	command->argc = argc;
	char *at = command->bytes;
	for (int i = 0; i < argc; i++, at += length) {
		length = strlen(argv[i]) + 1;
		memcpy(at, argv[i], length);
		command->argv[i] = at;
	}
	return command;
}

/* With the lock held. */
static void outbox_drop_first(struct box *box)
{
	struct outbox_command *gone = box->first;
	box->first = gone->next;
	if (box->first == NULL)
		box->last = &box->first;
	box->stats.waiting--;
	free(gone);
}

static void outbox_pump(struct box *box);

/* Redis understood and will never do it: a key that somebody else made, or rights that we do not have. */
static bool is_final(const char *error)
{
	return strncmp(error, "WRONGTYPE", 9) == 0 || strncmp(error, "ERR ", 4) == 0 ||
	       strncmp(error, "NOPERM", 6) == 0;
}

static void outbox_on_done(void *arg, const char *error, int count, const char *const *items)
{
	struct box *box = arg;
	struct timeval wait = { .tv_sec = RETRY_MS / 1000, .tv_usec = RETRY_MS % 1000 * 1000 };
	(void)count;
	(void)items;
	if (!all.running)
		return;
	if (error != NULL && !is_final(error)) {
		evtimer_add(box->retry, &wait);
		return;
	}
	if (error != NULL)
		log_line(SEVERITY_WARNING, "redis: one of the %s is lost: redis says \"%.160s\"",
			 rows[box - all.boxes].word, error);
	pthread_mutex_lock(&all.lock);
	box->stats.dropped += error != NULL;
	outbox_drop_first(box);
	pthread_mutex_unlock(&all.lock);
	box->busy = false;
	outbox_pump(box);
}

/* Only the loop thread takes the first one off, so it stays while it is sent. */
static void outbox_pump(struct box *box)
{
	pthread_mutex_lock(&all.lock);
	const struct outbox_command *command = box->busy ? NULL : box->first;
	pthread_mutex_unlock(&all.lock);
	if (command == NULL)
		return;
	box->busy = true;
	store_key_command(the_daemon.store, command->argc, command->argv, outbox_on_done, box);
}

static void outbox_on_retry(evutil_socket_t fd, short what, void *arg)
{
	struct box *box = arg;
	(void)fd;
	(void)what;
	box->busy = false;
	outbox_pump(box);
}

static void outbox_on_posted(struct loop_job *job)
{
	(void)job;
	pthread_mutex_lock(&all.lock);
	all.posted = false;
	pthread_mutex_unlock(&all.lock);
	for (int i = 0; i < OUTBOX_COUNT; i++)
		outbox_pump(&all.boxes[i]);
}

void outbox_send(enum outbox which, int argc, const char *const *argv)
{
	struct box *box = &all.boxes[which];
	struct outbox_command *command = outbox_command_new(argc, argv);
	pthread_mutex_lock(&all.lock);
	bool full = command == NULL || !all.running || box->stats.waiting >= rows[which].most;
	if (full) {
		box->stats.dropped++;
	} else {
		*box->last = command;
		box->last = &command->next;
		box->stats.waiting++;
	}
	bool post = !full && !all.posted;
	all.posted |= post;
	pthread_mutex_unlock(&all.lock);
	if (post)
		loop_post(the_daemon.loop, &all.job);
	if (full)
		free(command);
}

struct outbox_stats outbox_stats(enum outbox box)
{
	pthread_mutex_lock(&all.lock);
	struct outbox_stats stats = all.boxes[box].stats;
	pthread_mutex_unlock(&all.lock);
	return stats;
}

bool outbox_start(struct event_base *base)
{
	all.job.run = outbox_on_posted;
	all.running = true;
	for (int i = 0; i < OUTBOX_COUNT; i++) {
		struct box *box = &all.boxes[i];
		*box = (struct box){ .last = &box->first, .retry = evtimer_new(base, outbox_on_retry, box) };
		if (box->retry == NULL)
			return false;
	}
	return true;
}

void outbox_stop(void)
{
	all.running = all.posted = false;
	for (int i = 0; i < OUTBOX_COUNT; i++) {
		struct box *box = &all.boxes[i];
		if (box->stats.waiting > 0)
			log_line(SEVERITY_WARNING, "%llu %s that Redis has not taken are lost",
				 (unsigned long long)box->stats.waiting, rows[i].word);
		while (box->first != NULL)
			outbox_drop_first(box);
		if (box->retry != NULL)
			event_free(box->retry);
		box->retry = NULL;
	}
}

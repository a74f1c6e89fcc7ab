/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/loop.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "policy/base/banned.h"

struct loop {
	struct event_base *base;
	struct event *woken;
	pthread_t thread;
	bool running;
	int wake_fd;
	pthread_mutex_t lock; /* of what follows */
	struct loop_job *first, **last;
	bool stop;
};

static struct loop_job *loop_take_jobs(struct loop *loop, bool *stop_out)
{
	pthread_mutex_lock(&loop->lock);
	struct loop_job *jobs = loop->first;
	loop->first = NULL;
	loop->last = &loop->first;
	*stop_out = loop->stop;
	pthread_mutex_unlock(&loop->lock);
	return jobs;
}

static void loop_run_jobs(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t count;
	bool stop;
	(void)what;
	if (read(fd, &count, sizeof count) < 0) { /* nothing to read: the jobs tell */
	}
	struct loop_job *next, *job = loop_take_jobs(loop, &stop);
	for (; job != NULL; job = next) {
		next = job->next; /* run() may free the job */
		job->run(job);
	}
	if (stop)
		event_base_loopbreak(loop->base);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return NULL;
	loop->last = &loop->first;
	pthread_mutex_init(&loop->lock, NULL);
	loop->base = event_base_new();
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->base != NULL && loop->wake_fd >= 0)
		loop->woken = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, loop_run_jobs, loop);
	if (loop->woken == NULL || event_add(loop->woken, NULL) != 0)
		loop_free(&loop);
	return loop;
}

void loop_free(struct loop **loop)
{
	if (*loop == NULL)
		return;
	struct loop *freed = *loop;
	*loop = NULL;
	if (freed->woken != NULL)
		event_free(freed->woken);
	if (freed->base != NULL)
		event_base_free(freed->base);
	if (freed->wake_fd >= 0)
		close(freed->wake_fd);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

static void *loop_thread(void *arg)
{
	struct loop *loop = arg;
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
	return NULL;
}

bool loop_start(struct loop *loop)
{
	loop->running = pthread_create(&loop->thread, NULL, loop_thread, loop) == 0;
	return loop->running;
}

static void wake(struct loop *loop)
{
	uint64_t one = 1;
	if (write(loop->wake_fd, &one, sizeof one) < 0) { /* the counter is full: the loop is awake */
	}
}

void loop_stop(struct loop *loop)
{
	if (!loop->running)
		return;
	pthread_mutex_lock(&loop->lock);
	loop->stop = true;
	pthread_mutex_unlock(&loop->lock);
	wake(loop);
	pthread_join(loop->thread, NULL);
	loop->running = false;
}

void loop_post(struct loop *loop, struct loop_job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&loop->lock);
	bool was_empty = loop->first == NULL;
	*loop->last = job;
	loop->last = &job->next;
	pthread_mutex_unlock(&loop->lock);
	if (was_empty)
		wake(loop);
}

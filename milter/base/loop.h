/* SPDX-License-Identifier: BSD-2-Clause
 *
 * loop: the one thread that owns all our sockets (libevent), and how other threads hand it work.
 */
#ifndef PENSTOCK_LOOP_H
#define PENSTOCK_LOOP_H

#include <stdbool.h>

struct event_base;
struct loop;

/* A piece of work; embed it in the thing that it works on. Owned by the caller until `run` is called. */
struct loop_job {
	void (*run)(struct loop_job *job);
	struct loop_job *next; /* the loop's */
};

struct loop *loop_new(void); /* NULL: no memory or no file descriptors */
void loop_free(struct loop **loop);
struct event_base *loop_base(struct loop *loop);

/* Starts and ends the thread. loop_stop returns when the thread has ended. */
bool loop_start(struct loop *loop);
void loop_stop(struct loop *loop);

/* Any thread: `job->run(job)` will be called on the loop thread, in order of posting. Never fails, never waits. */
void loop_post(struct loop *loop, struct loop_job *job);

#endif

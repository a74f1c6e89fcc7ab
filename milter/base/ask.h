/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ask: one question from a callback's thread to the loop thread. Counted: the callback holds one reference, whoever is
 * to answer holds one. The callback waits until an absolute deadline; an answer that comes later finds nobody and is
 * dropped with the last reference.
 *
 * Embed it first in the struct that carries question and answer; `release` frees that struct.
 */
#ifndef PENSTOCK_ASK_H
#define PENSTOCK_ASK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct ask {
	pthread_mutex_t lock;
	pthread_cond_t answered_cond;
	int references;
	bool answered;
	void (*release)(struct ask *ask);
};

/* Two references: the asker's and the answerer's. */
void ask_init(struct ask *ask, void (*release)(struct ask *ask));
/* The answer is filled in; wakes the asker and drops the answerer's reference. Loop thread, exactly once. */
void ask_answer(struct ask *ask);
/* Waits until the answer is there or clock_monotonic_ms() reaches the deadline. True: the answer may be read. */
bool ask_wait(struct ask *ask, int64_t deadline_ms);
/* Drops one reference; NULL is fine. */
void ask_drop(struct ask *ask);

#endif

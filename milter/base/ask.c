/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/ask.h"

#include "milter/base/clock.h"
#include "milter/base/wait.h"
#include "policy/base/panic.h"

#include <stddef.h>

#include "policy/base/banned.h"

void ask_init(struct ask *ask, void (*release)(struct ask *ask))
{
	pthread_cond_init(&ask->answered_cond, NULL);
	pthread_mutex_init(&ask->lock, NULL);
	ask->references = 2;
	ask->answered = false;
	ask->release = release;
}

void ask_answer(struct ask *ask)
{
	pthread_mutex_lock(&ask->lock);
	MUST(!ask->answered);
	ask->answered = true;
	pthread_cond_signal(&ask->answered_cond);
	pthread_mutex_unlock(&ask->lock);
	ask_drop(ask);
}

bool ask_wait(struct ask *ask, int64_t deadline_ms)
{
	pthread_mutex_lock(&ask->lock);
	while (!ask->answered) {
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		/* the condition's clock is the kernel's, while a scenario's deadline may be on a clock of its own */
		if (left_ms <= 0 || !wait_cond(&ask->answered_cond, &ask->lock, left_ms))
			break;
	}
	bool answered = ask->answered;
	pthread_mutex_unlock(&ask->lock);
	return answered;
}

void ask_drop(struct ask *ask)
{
	if (ask == NULL)
		return;
	pthread_mutex_lock(&ask->lock);
	int left = --ask->references;
	pthread_mutex_unlock(&ask->lock);
	MUST(left >= 0);
	if (left > 0)
		return;
	pthread_cond_destroy(&ask->answered_cond);
	pthread_mutex_destroy(&ask->lock);
	ask->release(ask);
}

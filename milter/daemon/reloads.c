/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/reloads.h"

#include "milter/base/clock.h"
#include "policy/base/text.h"

#include <pthread.h>

#include "policy/base/banned.h"

static struct {
	pthread_mutex_t lock;
	int64_t failed_s; /* Unix time; 0: it did not fail */
	char error[CONFIG_ERROR_MAX];
} last = { .lock = PTHREAD_MUTEX_INITIALIZER };

void reloads_note(const char *error)
{
	pthread_mutex_lock(&last.lock);
	last.failed_s = error != NULL ? clock_now_ms() / 1000 : 0;
	text_copy(last.error, sizeof last.error, error != NULL ? error : "");
	pthread_mutex_unlock(&last.lock);
}

bool reloads_failed(int64_t *unix_s_out, char error_out[CONFIG_ERROR_MAX])
{
	pthread_mutex_lock(&last.lock);
	*unix_s_out = last.failed_s;
	text_copy(error_out, CONFIG_ERROR_MAX, last.error);
	pthread_mutex_unlock(&last.lock);
	return *unix_s_out != 0;
}

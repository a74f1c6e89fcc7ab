/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of libmilter runs and ends the server. The daemon listens, but nobody accepts there: the scenario calls the
 * callbacks itself.
 */
#include "policy/base/text.h"

#include <fcntl.h>
#include <libmilter/mfapi.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stopped_cond = PTHREAD_COND_INITIALIZER;
static bool stopped;
static int listener = -1;

int smfi_setconn(char *name)
{
	int64_t fd = -1;
	bool fine = strncmp(name, "fd:", 3) == 0 && text_to_int(name + 3, 3, 1000000, &fd);
	listener = (int)fd;
	return fine ? MI_SUCCESS : MI_FAILURE;
}

int smfi_register(struct smfiDesc description)
{
	return description.xxfi_version == SMFI_VERSION ? MI_SUCCESS : MI_FAILURE;
}

int smfi_settimeout(int seconds)
{
	return seconds > 0 ? MI_SUCCESS : MI_FAILURE;
}

int smfi_setbacklog(int length)
{
	return length > 0 ? MI_SUCCESS : MI_FAILURE;
}

int smfi_opensocket(bool remove_old)
{
	(void)remove_old;
	return fcntl(listener, F_GETFD) >= 0 ? MI_SUCCESS : MI_FAILURE;
}

int smfi_main(void)
{
	pthread_mutex_lock(&lock);
	while (!stopped)
		pthread_cond_wait(&stopped_cond, &lock);
	pthread_mutex_unlock(&lock);
	close(listener);
	return MI_SUCCESS;
}

int smfi_stop(void)
{
	pthread_mutex_lock(&lock);
	stopped = true;
	pthread_cond_signal(&stopped_cond);
	pthread_mutex_unlock(&lock);
	return MI_SUCCESS;
}

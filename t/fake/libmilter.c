/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of libmilter opens, runs and ends the server. Nothing listens: the scenario calls the callbacks itself.
 */
#include <libmilter/mfapi.h>
#include <pthread.h>

#include "policy/base/banned.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stopped_cond = PTHREAD_COND_INITIALIZER;
static bool stopped;

int smfi_setconn(char *socket)
{
	return *socket != '\0' ? MI_SUCCESS : MI_FAILURE;
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

int smfi_opensocket(bool remove)
{
	(void)remove;
	return MI_SUCCESS;
}

int smfi_main(void)
{
	pthread_mutex_lock(&lock);
	while (!stopped)
		pthread_cond_wait(&stopped_cond, &lock);
	pthread_mutex_unlock(&lock);
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

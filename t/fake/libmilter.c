/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of libmilter opens, runs and ends the server. A unix socket is made, as the daemon shares it with the MTA, but
 * nobody accepts there: the scenario calls the callbacks itself.
 */
#include "policy/base/text.h"

#include <libmilter/mfapi.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stopped_cond = PTHREAD_COND_INITIALIZER;
static bool stopped;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener = -1;

int smfi_setconn(char *name)
{
	bool unix_socket = strncmp(name, "unix:", 5) == 0;
	return unix_socket && text_copy(address.sun_path, sizeof address.sun_path, name + 5) ? MI_SUCCESS : MI_FAILURE;
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
	if (remove_old)
		unlink(address.sun_path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool fine = listener >= 0 && bind(listener, (const struct sockaddr *)&address, sizeof address) == 0 &&
		    listen(listener, 1) == 0;
	return fine ? MI_SUCCESS : MI_FAILURE;
}

int smfi_main(void)
{
	pthread_mutex_lock(&lock);
	while (!stopped)
		pthread_cond_wait(&stopped_cond, &lock);
	pthread_mutex_unlock(&lock);
	close(listener);
	unlink(address.sun_path);
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

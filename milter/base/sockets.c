/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/sockets.h"

#include "milter/base/log.h"
#include "policy/base/text.h"

#include <errno.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/base/banned.h"

struct watched {
	struct socket_form form;
	const char *path; /* in `form`; NULL: there is no file */
	int fd;		  /* borrowed; -1: not known */
	int own, never; /* owned, where there is no listener: the same socket, and a file at which nobody comes; 0: none
			 */
	bool held;
	struct evconnlistener *listener; /* borrowed */
	dev_t device;
	ino_t inode;
	uint64_t remade;
	char trouble[400]; /* "" : none */
};

static const char *const options[] = {
#define SOCKETS_OPTION(id, option) option,
	SOCKETS_ROWS(SOCKETS_OPTION)
#undef SOCKETS_OPTION
};

static struct watched all[SOCKET_COUNT];
static atomic_bool ending;

int sockets_listen(const struct socket_form *form, char *error, size_t error_size)
{
	return endpoint_listen(&form->endpoint, form->mode, form->group, error, error_size);
}

static void sockets_remember_file(struct watched *watched)
{
	struct stat file;
	bool there = stat(watched->path, &file) == 0;
	watched->device = there ? file.st_dev : 0;
	watched->inode = there ? file.st_ino : 0;
}

void sockets_watch(enum socket_of which, const struct socket_form *form, int fd, struct evconnlistener *listener)
{
	struct watched *watched = &all[which];
	*watched = (struct watched){ .form = *form, .fd = fd, .listener = listener };
	if (fd >= 0 && listener == NULL) {
		int own = fcntl(fd, F_DUPFD_CLOEXEC, 3), never = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		watched->own = own > 0 ? own : 0;
		watched->never = never > 0 ? never : 0;
	}
	atomic_store(&ending, false);
	if (form->endpoint.length == 0 || form->endpoint.address.ss_family != AF_UNIX)
		return;
	watched->path = ((const struct sockaddr_un *)(const void *)&watched->form.endpoint.address)->sun_path;
	sockets_remember_file(watched);
}

enum sockets_file { FILE_OURS, FILE_GONE, FILE_UNSEEN };

/* A folder that this account may not look into says nothing of its files. */
static enum sockets_file sockets_look_for(const struct watched *watched)
{
	struct stat file;
	if (stat(watched->path, &file) != 0)
		return errno == ENOENT || errno == ENOTDIR ? FILE_GONE : FILE_UNSEEN;
	return file.st_dev == watched->device && file.st_ino == watched->inode ? FILE_OURS : FILE_GONE;
}

/* What libevent polls is registered by descriptor and file: it may not see one exchanged for the other. */
static bool sockets_listen_anew(struct watched *watched, char *error, size_t error_size)
{
	int made = sockets_listen(&watched->form, error, error_size);
	if (made < 0)
		return false;
	if (watched->listener != NULL)
		evconnlistener_disable(watched->listener);
	bool fine = (watched->own == 0 || dup3(made, watched->own, O_CLOEXEC) >= 0) &&
		    (watched->held || dup3(made, watched->fd, O_CLOEXEC) >= 0);
	if (!fine)
		snprintf(error, error_size, "%s", strerror(errno));
	if (watched->listener != NULL)
		evconnlistener_enable(watched->listener);
	close(made);
	return fine;
}

static void sockets_say_trouble(enum socket_of which, const char *why)
{
	struct watched *watched = &all[which];
	char trouble[sizeof watched->trouble];
	snprintf(trouble, sizeof trouble, "%s: the file %s is gone, and nobody reaches the daemon there: %s",
		 options[which], watched->path, why);
	if (strcmp(trouble, watched->trouble) != 0)
		log_line(SEVERITY_ERROR, "%s", trouble);
	memcpy(watched->trouble, trouble, sizeof trouble);
}

static void sockets_mend(enum socket_of which)
{
	struct watched *watched = &all[which];
	char error[300], why[340];
	if (watched->fd < 0 || watched->form.group == NULL) {
		sockets_say_trouble(
			which, watched->fd < 0 ? "a restart makes it again"
					       : "systemd holds it: systemctl restart penstock.socket makes it again");
		return;
	}
	if (!sockets_listen_anew(watched, error, sizeof error)) {
		snprintf(why, sizeof why, "it cannot be made again: %s", error);
		sockets_say_trouble(which, why);
		return;
	}
	log_line(SEVERITY_WARNING, "%s: the file %s was gone; the daemon has made it again", options[which],
		 watched->path);
	sockets_remember_file(watched);
	watched->trouble[0] = '\0';
	watched->remade++;
}

static void sockets_look_now(enum socket_of which)
{
	struct watched *watched = &all[which];
	enum sockets_file file = sockets_look_for(watched);
	if (file == FILE_GONE) {
		sockets_mend(which);
	} else if (file == FILE_OURS && watched->trouble[0] != '\0') {
		log_line(SEVERITY_INFO, "%s: the file %s is there again", options[which], watched->path);
		watched->trouble[0] = '\0';
	}
}

void sockets_look(void)
{
	for (int i = 0; i < SOCKET_COUNT && !atomic_load(&ending); i++)
		if (all[i].path != NULL)
			sockets_look_now((enum socket_of)i);
}

void sockets_hold(enum socket_of which, bool hold)
{
	struct watched *watched = &all[which];
	if (watched->own == 0 || watched->never == 0 || watched->held == hold || atomic_load(&ending))
		return;
	watched->held = hold;
	dup3(hold ? watched->never : watched->own, watched->fd, O_CLOEXEC);
}

void sockets_end(void)
{
	atomic_store(&ending, true);
	for (int i = 0; i < SOCKET_COUNT; i++)
		if (all[i].own != 0)
			dup3(all[i].own, all[i].fd, O_CLOEXEC);
}

void sockets_close(void)
{
	for (int i = 0; i < SOCKET_COUNT; i++) {
		if (all[i].own != 0)
			close(all[i].own);
		if (all[i].never != 0)
			close(all[i].never);
		all[i].own = all[i].never = 0;
	}
}

void sockets_remove(enum socket_of which)
{
	if (all[which].path != NULL && all[which].form.group != NULL && sockets_look_for(&all[which]) == FILE_OURS)
		unlink(all[which].path);
}

const char *sockets_trouble(enum socket_of which)
{
	return all[which].trouble[0] == '\0' ? NULL : all[which].trouble;
}

const char *sockets_option(enum socket_of which)
{
	return options[which];
}

const struct endpoint *sockets_endpoint(enum socket_of which)
{
	return all[which].form.endpoint.length == 0 ? NULL : &all[which].form.endpoint;
}

uint64_t sockets_remade(enum socket_of which)
{
	return all[which].remade;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_sockets.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_spot.h"
#include "milter/ctl/tool/run.h"
#include "policy/base/text.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

bool socket_outside(const struct postfix_line *line)
{
	return strstr(line->value, "unix:/") != NULL;
}

void socket_report_chroot(struct postfix_check *check, const struct postfix_service *service,
			  const struct postfix_line *line)
{
	char what[300], setting[300], why[1200];
	snprintf(what, sizeof what, "%s: chroot", service->path);
	snprintf(setting, sizeof setting, "%s/chroot=n", service->path);
	snprintf(why, sizeof why,
		 "chrooted into %.400s it cannot reach the socket of %s; or put that below the "
		 "folder, and let our configuration name it there",
		 check->wish.queue, line->name);
	check_report(check, (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, "y", "n", "master.cf", NULL, why },
		     check_fix_postconf(check, "-F", setting));
}

/* ---- may it be opened? */

/* As test(1) of that user says, with his groups. False, too, where it cannot be asked: then `*asked_out` is false. */
static bool postfix_sockets_user_may(const struct passwd *user, const char *operation, const char *path,
				     bool *asked_out)
{
	char uid[40], gid[40], said[400];
	int code = 0;
	snprintf(uid, sizeof uid, "--reuid=%u", (unsigned)user->pw_uid);
	snprintf(gid, sizeof gid, "--regid=%u", (unsigned)user->pw_gid);
	char *text = run_program(
		(const char *const[]){ "setpriv", uid, gid, "--init-groups", "test", operation, path, NULL }, -1, 4096,
		&code, said, sizeof said);
	*asked_out = text != NULL && *said == '\0' && code <= 1;
	free(text);
	return *asked_out && code == 0;
}

/* The first folder of a path, or the file itself, that the user cannot pass or write to; false: there is none.
 * Processes of Postfix begin in the queue directory: what is above it they do not pass. */
static bool postfix_sockets_find_closed(const struct passwd *user, const char *path, const char *queue,
					char closed[ELEMENT_MAX])
{
	bool asked;
	size_t length = strlen(queue);
	bool below = strncmp(path, queue, length) == 0 && path[length] == '/';
	for (const char *slash = strchr(path + (below ? length : 1), '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		snprintf(closed, ELEMENT_MAX, "%.*s", (int)(slash - path), path);
		if (!postfix_sockets_user_may(user, "-x", closed, &asked))
			return asked;
	}
	snprintf(closed, ELEMENT_MAX, "%s", path);
	return !postfix_sockets_user_may(user, "-w", path, &asked) && asked;
}

static void postfix_sockets_report_closed(struct postfix_check *check, const char *owner, const char *name,
					  const char *path, const char *closed)
{
	char what[ELEMENT_MAX + 100], found[100], expected[300], why[ELEMENT_MAX + 200], *fix = NULL;
	size_t fix_size = 0;
	struct stat about = { 0 };
	bool file = strcmp(path, closed) == 0, next = !file && strchr(path + strlen(closed) + 1, '/') == NULL;
	stat(closed, &about);
	snprintf(what, sizeof what, "the socket of %s: %s", name, closed);
	snprintf(found, sizeof found, "mode %04o, uid %u, gid %u", (unsigned)about.st_mode & 07777,
		 (unsigned)about.st_uid, (unsigned)about.st_gid);
	snprintf(expected, sizeof expected,
		 file ? "that %s may write to it: milter.socket_group = \"%s\" and socket_mode \"660\" of our "
			"configuration"
		      : "that %s may pass this folder",
		 owner, owner);
	snprintf(why, sizeof why, "Postfix's user %s cannot open the socket %s: each session is deferred", owner, path);
	if (next) { /* a folder that is there for the socket */
		FILE *to = have_memory(open_memstream(&fix, &fix_size));
		fputs("chgrp ", to);
		postfix_print_quoted(owner, to);
		fputc(' ', to);
		postfix_print_quoted(closed, to);
		fputs(" && chmod g+x ", to);
		postfix_print_quoted(closed, to);
		fclose(to);
	}
	check_report(check,
		     (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, found, expected,
				       file ? check->wish.config_file : closed, NULL, why },
		     fix);
}

void socket_check_access(struct postfix_check *check, const char *name, const char *ours)
{
	char path[ELEMENT_MAX], closed[ELEMENT_MAX];
	struct stat about;
	const char *owner = postfix_get(check->postfix, NULL, "mail_owner");
	const struct passwd *user = owner == NULL ? NULL : getpwnam(owner);
	if (strncmp(ours, "unix:", 5) != 0)
		return;
	spot_place(check->wish.queue, ours, false, path, sizeof path);
	for (int i = 0; i < check->place_count; i++)
		if (strcmp(check->places[i], path) == 0)
			return;
	if (check->place_count < CHECK_PLACES_MAX)
		text_copy(check->places[check->place_count++], sizeof check->places[0], path);
	if (stat(path, &about) != 0) {
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_DEFERRED, name, "no socket there", path,
					       check->wish.config_file, NULL,
					       "nobody listens: is penstock running? Mail is deferred until it does" },
			     NULL);
		return;
	}
	if (user != NULL && geteuid() == 0 && postfix_sockets_find_closed(user, path, check->wish.queue, closed))
		postfix_sockets_report_closed(check, owner, name, path, closed);
}

/* ---- the socketmap ---- */

/* Our element of a list of tables; false where it is not there. */
struct map_element {
	const char *at, *end;
};

bool socketmap_is_ours(const struct postfix_check *check, const char *element, bool chroot, char *map, size_t size)
{
	static const char start[] = "socketmap:";
	char ours[ELEMENT_MAX], socket[ELEMENT_MAX];
	const char *colon = strrchr(element, ':');
	if (strncmp(element, start, strlen(start)) != 0 || colon < element + strlen(start))
		return false;
	postfix_socket(check->wish.config->set.socketmap_listen, "", ours, sizeof ours);
	snprintf(socket, sizeof socket, "%.*s", (int)(colon - element) - (int)strlen(start), element + strlen(start));
	return text_copy(map, size, colon + 1) && spot_same(check->wish.queue, socket, chroot, ours);
}

static bool postfix_sockets_find_socketmap(const struct postfix_check *check, const char *list, bool chroot,
					   struct map_element *found_out)
{
	char element[ELEMENT_MAX], map[40];
	while ((found_out->at = postfix_next_element(&list, element)) != NULL) {
		found_out->end = list;
		if (socketmap_is_ours(check, element, chroot, map, sizeof map) && strcmp(map, "transport") == 0)
			return true;
	}
	return false;
}

bool socketmap_find(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out)
{
	struct map_element found;
	if (!postfix_sockets_find_socketmap(check, list, false, &found) &&
	    !postfix_sockets_find_socketmap(check, list, true, &found))
		return false;
	*at_out = found.at;
	*end_out = found.end;
	return true;
}

/* One trivial-rewrite(8) service; `said` once main.cf's own list was told of. */
static void check_rewrite(struct postfix_check *check, const struct postfix_service *service, bool *said)
{
	static const char name[] = "sender_dependent_default_transport_maps";
	const struct postfix_line *line = check_wanted(check, name);
	struct map_element found;
	char value[3000], what[300], ours[200];
	const char *own = postfix_override(check->postfix, service->path, name) != NULL ? service->path : NULL;
	const char *list = postfix_get(check->postfix, own, name), *raw = check_raw(check, own, name);
	bool chroot = service->chroot, reachable = !chroot || !socket_outside(line);
	list = list == NULL ? "" : list;
	postfix_socket(check->wish.config->set.socketmap_listen, "", ours, sizeof ours);
	socket_check_access(check, name, ours);
	if (postfix_sockets_find_socketmap(check, list, chroot, &found))
		return;
	bool there = postfix_sockets_find_socketmap(check, raw, !chroot, &found);
	if (!reachable)
		socket_report_chroot(check, service, line);
	if (!there)
		check_append(value, sizeof value, raw, line->value);
	else if (snprintf(value, sizeof value, "%.*s%s%s", (int)(found.at - raw), raw, line->value, found.end) >=
		 (int)sizeof value)
		*value = '\0';
	if ((there && !reachable) || (own == NULL && *said))
		return;
	*said |= own == NULL;
	check_name_setting(what, sizeof what, own, name);
	check_report(check,
		     (struct finding){ DIFFERENCE, there ? GRAVITY_DEFERRED : GRAVITY_ASTRAY, what, list,
				       !there || *value == '\0' ? line->value : value, check_file_of(own), NULL,
				       !there ? "messages with local recipients, bounces and requeued mail leave by "
						"the default address"
					      : "trivial-rewrite seeks the socket elsewhere" },
		     check_fix_setting(check, own, name, value));
}

void check_socketmap(struct postfix_check *check)
{
	const struct postfix_service *service;
	bool said = false;
	if (check_wanted(check, "sender_dependent_default_transport_maps") == NULL)
		return;
	for (size_t at = 0; (service = check_next_service(check, "trivial-rewrite", &at)) != NULL;)
		check_rewrite(check, service, &said);
}

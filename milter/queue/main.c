/* SPDX-License-Identifier: BSD-2-Clause
 *
 * penstock-queue [POSTFIX-FOLDER]: one request from standard input, its answer to standard output; see
 * penstock-follow(8), PARTS. systemd starts one as root for each connection to its socket, which penstock-follow may
 * open.
 *
 *   hold | release | delete, and a line for each queue id, up to the end of input
 *   what postsuper(1) says, which is a line for each message, then "ok" or "error SENTENCE"
 *
 * What is deleted is on hold. What is released is delivered at once, where it is no more than 100 messages:
 * postsuper(1) only puts it where the queue manager looks every few minutes.
 *
 * Whoever may connect can do this to any message, and nothing else: what he writes reaches postsuper(1) as queue ids on
 * its standard input, each of which is letters and digits.
 */
#include "milter/base/queue_id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define POSTSUPER "/usr/sbin/postsuper"
#define POSTQUEUE "/usr/sbin/postqueue"

enum { REQUEST_MOST = 512 * 1024, SECONDS_MOST = 60, AT_ONCE_MOST = 100 };

static const struct verb {
	const char *word, *option;
	const char *queue; /* NULL: any */
	int delivers;
} verbs[] = { { "hold", "-h", NULL, 0 }, { "release", "-H", NULL, 1 }, { "delete", "-d", "hold", 0 } };

static char *const no_environment[] = { NULL };

static int answer(const char *line)
{
	puts(line);
	return strcmp(line, "ok") != 0;
}

/* All of the input, with a NUL; -1: it is too long, has a NUL itself, or cannot be read. */
static ssize_t main_read_request(char request[REQUEST_MOST + 1])
{
	size_t length = 0;
	for (ssize_t got; (got = read(STDIN_FILENO, request + length, REQUEST_MOST + 1 - length)) != 0;) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || (length += (size_t)got) > REQUEST_MOST)
			return -1;
	}
	request[length] = '\0';
	return strlen(request) == length ? (ssize_t)length : -1;
}

/* Lines of letters and digits alone, each with its end? */
static int main_are_queue_ids(const char *ids)
{
	char id[QUEUE_ID_MOST + 1];
	for (const char *end; *ids != '\0'; ids = end + 1) {
		end = strchr(ids, '\n');
		if (end == NULL || end - ids > QUEUE_ID_MOST)
			return 0;
		memcpy(id, ids, (size_t)(end - ids));
		id[end - ids] = '\0';
		if (strcmp(id, "ALL") == 0 || !queue_id_fine(id))
			return 0;
	}
	return 1;
}

/* It says nothing where all is well, and a message that is gone is none of our business. */
static void main_deliver(const char *id, const char *folder)
{
	const char *argv[] = { POSTQUEUE, "-i", id, folder != NULL ? "-c" : NULL, folder, NULL };
	pid_t child = fork();
	if (child == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execve(POSTQUEUE, (char *const *)(const void *)argv, no_environment);
		_exit(127);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
}

static void main_deliver_all(const char *ids, const char *folder)
{
	char id[QUEUE_ID_MOST + 1];
	int count = 0;
	for (const char *at = ids; (at = strchr(at, '\n')) != NULL; at++)
		count++;
	for (const char *end; *ids != '\0' && count <= AT_ONCE_MOST; ids = end + 1) {
		end = strchr(ids, '\n');
		snprintf(id, sizeof id, "%.*s", (int)(end - ids), ids);
		main_deliver(id, folder);
	}
}

static int main_run_postsuper(const struct verb *verb, const char *ids, const char *folder)
{
	const char *argv[8] = { POSTSUPER, verb->option, "-" };
	int argc = 3;
	if (folder != NULL) {
		argv[argc++] = "-c";
		argv[argc++] = folder;
	}
	argv[argc] = verb->queue;
	int ends[2], status = 0;
	size_t length = strlen(ids), done = 0;
	pid_t child = pipe(ends) == 0 ? fork() : -1;
	if (child == 0) {
		dup2(ends[0], STDIN_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO); /* where it says "postsuper: ID: placed on hold" */
		close(ends[0]);
		close(ends[1]);
		execve(POSTSUPER, (char *const *)(const void *)argv, no_environment);
		_exit(127);
	}
	if (child < 0)
		return answer("error the system has no room for " POSTSUPER);
	close(ends[0]);
	for (ssize_t wrote; done < length && (wrote = write(ends[1], ids + done, length - done)) > 0;)
		done += (size_t)wrote;
	close(ends[1]);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 && done == length) {
		if (verb->delivers)
			main_deliver_all(ids, folder);
		return answer("ok");
	}
	return answer("error " POSTSUPER " failed");
}

int main(int argc, char **argv)
{
	static char request[REQUEST_MOST + 1];
	alarm(SECONDS_MOST); /* nobody stays here */
	ssize_t length = main_read_request(request);
	char *ids = length < 0 ? NULL : strchr(request, '\n');
	if (argc > 2)
		return answer("error expected the folder of Postfix's configuration, or nothing");
	if (ids == NULL)
		return answer("error expected a verb, and queue ids in lines of their own, 512 KiB at most");
	*ids++ = '\0';
	if (*ids == '\0' || !main_are_queue_ids(ids))
		return answer("error expected queue ids: 5 to 100 letters and digits in each line, and at least one");
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(request, verbs[i].word) == 0)
			return main_run_postsuper(&verbs[i], ids, argv[1]);
	return answer("error expected hold, release or delete");
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/run.h"

#include "milter/ctl/tool/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

extern char **environ;

enum { RUN_WAIT_MS = 15000 };

struct output {
	char *bytes; /* owned, ends with a NUL */
	size_t length, room;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* False at the end of the file. */
static bool run_output_read(struct output *output, int fd)
{
	if (output->room < output->length + 4096) {
		output->room = output->room * 2 + 8192;
		output->bytes = have_memory(realloc(output->bytes, output->room));
	}
	ssize_t got = read(fd, output->bytes + output->length, output->room - output->length - 1);
	output->length += got > 0 ? (size_t)got : 0;
	output->bytes[output->length] = '\0';
	return got > 0 || (got < 0 && errno == EINTR);
}

/* Reads both pipes to their ends; false where that takes too long or is too much. */
static bool run_outputs_read(struct output output[2], const int fds[2], size_t most)
{
	struct pollfd polls[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };
	int64_t deadline = now_ms() + RUN_WAIT_MS;
	while (polls[0].fd >= 0 || polls[1].fd >= 0) {
		int64_t left = deadline - now_ms();
		if (left <= 0 || output[0].length + output[1].length > most)
			return false;
		if (poll(polls, 2, (int)left) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (polls[i].fd >= 0 && polls[i].revents != 0 && !run_output_read(&output[i], fds[i]))
				polls[i].fd = -1;
	}
	return true;
}

/* Postfix's commands lie in /usr/sbin, which is not in everybody's PATH. */
static int run_spawn(pid_t *pid_out, char *const *argv, int in, const int out[2], const int err[2])
{
	posix_spawn_file_actions_t actions;
	char path[64];
	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	int failed = in >= 0 ? posix_spawn_file_actions_adddup2(&actions, in, 0)
			     : posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	failed = failed != 0 ? failed : posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	failed = failed != 0 ? failed : posix_spawn_file_actions_adddup2(&actions, err[1], 2);
	if (failed == 0) {
		failed = posix_spawnp(pid_out, argv[0], &actions, NULL, argv, environ);
		snprintf(path, sizeof path, "/usr/sbin/%s", argv[0]);
		if (failed == ENOENT)
			failed = posix_spawn(pid_out, path, &actions, NULL, argv, environ);
	}
	posix_spawn_file_actions_destroy(&actions);
	return failed;
}

static void close_both(const int fds[2])
{
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size)
{
	int out[2] = { -1, -1 }, err[2] = { -1, -1 }, status = 0;
	struct output output[2] = { { 0 }, { 0 } };
	pid_t pid;
	int failed = pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ? errno : 0;
	if (failed == 0)
		failed = run_spawn(&pid, (char *const *)(uintptr_t)argv, in, out, err);
	if (failed != 0) {
		close_both(out);
		close_both(err);
		snprintf(said, said_size, "cannot run %s: %s", argv[0], strerror(failed));
		return NULL;
	}
	close(out[1]);
	close(err[1]);
	bool whole = run_outputs_read(output, (const int[2]){ out[0], err[0] }, most);
	if (!whole)
		kill(pid, SIGKILL);
	close(out[0]);
	close(err[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*exit_out = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
	char *end = output[1].bytes == NULL ? NULL : output[1].bytes + output[1].length;
	while (end != NULL && end > output[1].bytes && end[-1] == '\n')
		*--end = '\0';
	char *last = end == NULL ? NULL : strrchr(output[1].bytes, '\n');
	snprintf(said, said_size, "%s",
		 !whole			   ? "it did not come to its end in time, or said too much"
		 : last != NULL		   ? last + 1
		 : output[1].bytes != NULL ? output[1].bytes
					   : "");
	free(output[1].bytes);
	if (!whole) {
		free(output[0].bytes);
		return NULL;
	}
	return output[0].bytes;
}

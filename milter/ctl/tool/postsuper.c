/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/postsuper.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "policy/base/banned.h"

#define POSTSUPER "/usr/sbin/postsuper"

static bool postsuper_spawn(const struct call *call, const char *const *argv, const char *otherwise)
{
	static char *const environment[] = { (char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };
	pid_t child;
	int status = 0;
	int failed = posix_spawn(&child, POSTSUPER, NULL, NULL, (char *const *)(uintptr_t)argv, environment);
	if (failed != 0) {
		complain(call, "cannot run %s: %s", POSTSUPER, strerror(failed));
		return false;
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	complain(call, "%s failed; %s", POSTSUPER, otherwise);
	return false;
}

bool postsuper_run(const struct call *call, const char *option, const char *const *ids, int count, const char *queue,
		   const char *otherwise)
{
	const char *argv[5 + 2 * POSTSUPER_IDS_MOST], *folder = call->option[OPTION_POSTFIX];
	int argc = 0;
	argv[argc++] = POSTSUPER;
	if (folder != NULL) {
		argv[argc++] = "-c";
		argv[argc++] = folder;
	}
	for (int i = 0; i < count && i < POSTSUPER_IDS_MOST; i++) {
		argv[argc++] = option;
		argv[argc++] = ids[i];
	}
	if (queue != NULL)
		argv[argc++] = queue;
	argv[argc] = NULL;
	return postsuper_spawn(call, argv, otherwise);
}

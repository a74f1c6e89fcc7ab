/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays scenarios: each file in a process of its own, with a daemon of its own; a few at once. Prints TAP.
 *
 *   t/scenario/play [FILE.scenario...]     without files: all in $srcdir/t/scenario
 */
#include "t/scenario/play.h"

#include "policy/base/text.h"
#include "t/fake/fake.h"

#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { AT_ONCE = 4, FAILURES_MOST = 10, HANGS_AFTER_S = 50 };

/* ---- in the child */

static bool play_line(struct play *play, const char *text)
{
	struct line line;
	bool fine = line_read(text, &line, play->error, sizeof play->error);
	if (fine && line.count > 0) {
		const struct command *command = command_find(line.words[0]);
		if (command == NULL)
			fine = play_fail(play, "\"%s\" is no command", line.words[0]);
		else if (line.count < command->least)
			fine = play_fail(play, "expected: %s", command->usage);
		else
			fine = command->run(play, &line);
	}
	line_free(&line);
	if (fine)
		return true;
	printf("# %s:%d: %s\n", play->file, play->line, play->error);
	fake_log_show("#   log: ");
	play->failures++;
	return false;
}

static void play_lines(struct play *play, FILE *from)
{
	char text[LINE_LONGEST];
	while (fgets(text, sizeof text, from) != NULL && play->failures < FAILURES_MOST) {
		play->line++;
		if (!play_line(play, text))
			return;
	}
}

static int play_file(const char *file)
{
	static struct play play; /* large */
	char base[300];
	const char *slash = strrchr(file, '/');
	FILE *from = fopen(file, "re");
	play.file = file;
	snprintf(play.folder, sizeof play.folder, "/tmp/penstock-scenario-XXXXXX");
	snprintf(base, sizeof base, "%.*sbase.conf", slash != NULL ? (int)(slash - file + 1) : 0, file);
	if (from == NULL || mkdtemp(play.folder) == NULL ||
	    !conf_load(&play.conf, base, play.error, sizeof play.error)) {
		printf("# %s: cannot be played: %s\n", file, play.error);
		return 1;
	}
	snprintf(play.conf_file, sizeof play.conf_file, "%s/penstock.conf", play.folder);
	snprintf(base, sizeof base, "%s/redis.sock", play.folder);
	if (!fake_redis_open(base)) {
		printf("# %s: Redis cannot listen at %s\n", file, base);
		return 1;
	}
	play_lines(&play, from);
	fclose(from);
	play_stop(&play);
	fake_redis_close();
	snprintf(base, sizeof base, "%s/control.sock", play.folder);
	unlink(base);
	unlink(play.conf_file);
	snprintf(base, sizeof base, "%s/file", play.folder);
	unlink(base);
	snprintf(base, sizeof base, "%s/facts", play.folder);
	unlink(base);
	rmdir(play.folder);
	return play.failures > 0;
}

/* ---- in the parent */

struct running {
	pid_t pid;
	FILE *said; /* what the child printed */
	int status;
	bool ended;
};

static void begin(struct running *running, const char *file)
{
	running->said = tmpfile();
	fflush(stdout);
	running->pid = running->said != NULL ? fork() : -1;
	if (running->pid > 0)
		return;
	if (running->pid < 0) {
		perror("# fork");
		exit(1);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	alarm(HANGS_AFTER_S);
	dup2(fileno(running->said), STDOUT_FILENO);
	dup2(fileno(running->said), STDERR_FILENO);
	int status = play_file(file);
	fflush(stdout);
	exit(status);
}

static void wait_for_one(struct running *all, int begun)
{
	int status;
	pid_t pid = wait(&status);
	for (int i = 0; i < begun; i++)
		if (all[i].pid == pid && !all[i].ended) {
			all[i].ended = true;
			all[i].status = status;
		}
}

/* A scenario's first comment says what it shows. */
static void print_title(const char *file)
{
	char line[200] = "";
	const char *slash = strrchr(file, '/');
	FILE *from = fopen(file, "re");
	bool titled = from != NULL && fgets(line, sizeof line, from) != NULL && line[0] == '#';
	line[strcspn(line, "\n")] = '\0';
	printf(" - %s%s%s\n", slash != NULL ? slash + 1 : file, titled ? ":" : "", titled ? line + 1 : "");
	if (from != NULL)
		fclose(from);
}

static bool report(struct running *running, int number, const char *file)
{
	char line[LINE_LONGEST];
	bool fine = WIFEXITED(running->status) && WEXITSTATUS(running->status) == 0;
	printf("%sok %d", fine ? "" : "not ", number);
	print_title(file);
	rewind(running->said);
	while (fgets(line, sizeof line, running->said) != NULL)
		printf("%s%s", line[0] == '#' ? "" : "# ", line);
	if (WIFSIGNALED(running->status))
		printf("# %s: ended by signal %d%s\n", file, WTERMSIG(running->status),
		       WTERMSIG(running->status) == SIGALRM ? ": it hangs" : "");
	fclose(running->said);
	fflush(stdout);
	return fine;
}

static int play_all(char **files, int count)
{
	struct running *all = calloc((size_t)count + 1, sizeof *all);
	int begun = 0, reported = 0, failed = 0;
	if (all == NULL)
		return 1;
	printf("1..%d\n", count);
	while (reported < count) {
		while (begun < count && begun < reported + AT_ONCE) {
			begin(&all[begun], files[begun]);
			begun++;
		}
		while (!all[reported].ended)
			wait_for_one(all, begun);
		failed += !report(&all[reported], reported + 1, files[reported]);
		reported++;
	}
	free(all);
	return failed > 0;
}

int main(int argc, char **argv)
{
	char pattern[400];
	glob_t found;
	const char *source = getenv("srcdir");
	signal(SIGPIPE, SIG_IGN);
	setenv("TZ", "UTC", 1);
	if (argc > 1)
		return play_all(argv + 1, argc - 1);
	snprintf(pattern, sizeof pattern, "%s/t/scenario/*.scenario", source != NULL ? source : ".");
	if (glob(pattern, 0, NULL, &found) != 0) {
		fprintf(stderr, "play: no file fits %s\n", pattern);
		return 1;
	}
	int status = play_all(found.gl_pathv, (int)found.gl_pathc);
	globfree(&found);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/progress.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/terminal.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	FIRST_MS = 500, /* what is done sooner needs no line */
	AGAIN_MS = 100,
	NEVER_MS = 60000,
	LINE_MAX_BYTES = 1024,
	BAR_LEAST = 5, /* columns between the brackets */
	BAR_MOST = 40,
};

static const char wipe[] = "\r\033[K";

static int64_t begun_ms, drawn_ms;
static bool wanted;
static volatile sig_atomic_t shown;

/* ---- what the line looks like ---- */

static void progress_add_bar(struct text *line, size_t columns, const struct progress *progress)
{
	double total = (double)progress->total, done = (double)progress->done;
	double part = total <= 0 || done <= 0 ? 0 : done >= total ? 1 : done / total;
	size_t full = (size_t)(part * (double)columns);
	text_add(line, "[");
	for (size_t i = 0; i < columns; i++)
		text_add(line, i < full ? "#" : ".");
	text_add(line, "] ");
}

void progress_draw(char *line, size_t size, size_t columns, const struct progress *progress)
{
	char numbers[120];
	struct text text = text_over(line, size), tail = text_over(numbers, sizeof numbers);
	text_addf(&tail, "%" PRId64, progress->done);
	if (progress->total > 0)
		text_addf(&tail, " of %" PRId64, progress->total);
	text_addf(&tail, " %s", progress->unit);
	if (progress->listed > 0)
		text_addf(&tail, ", %" PRId64 " listed", progress->listed);
	size_t what = text_columns(progress->what), room = columns;
	if (tail.length + 3 + BAR_LEAST <= columns) {
		room -= tail.length + 3;
		if (what > 0 && what + 1 + BAR_LEAST <= room) {
			text_addf(&text, "%s ", progress->what);
			room -= what + 1;
		}
		progress_add_bar(&text, room < BAR_MOST ? room : BAR_MOST, progress);
	}
	text_add_bytes(&text, numbers, tail.length < columns ? tail.length : columns);
}

/* ---- on the terminal ---- */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The signal then ends the program, as whoever started it expects. */
static void wipe_and_die(int signal_number)
{
	if (shown && write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
		shown = 0;
	raise(signal_number);
}

static void progress_guard(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	struct sigaction action = { .sa_handler = wipe_and_die, .sa_flags = (int)SA_RESETHAND }, before;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(signals[i], &action, NULL);
}

/* A pager or tee(1) at the other end of a pipe would write over the line. */
static bool output_is_piped(void)
{
	struct stat status;
	return fstat(STDOUT_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

void progress_begin(void)
{
	wanted = terminal_is(stderr) && !output_is_piped();
	begun_ms = now_ms();
	drawn_ms = begun_ms + FIRST_MS - AGAIN_MS;
	if (wanted)
		progress_guard();
}

int progress_show(const struct progress *progress)
{
	char line[LINE_MAX_BYTES];
	int64_t now = now_ms();
	int width = wanted ? terminal_width(stderr) : 0;
	if (width < 2)
		return NEVER_MS;
	if (now < drawn_ms + AGAIN_MS)
		return (int)(drawn_ms + AGAIN_MS - now);
	/* a character in the last column would move some terminals on to the next line */
	progress_draw(line, sizeof line, (size_t)width - 1, progress);
	shown = 1;
	fprintf(stderr, "%s%s", wipe, line);
	fflush(stderr);
	drawn_ms = now;
	return AGAIN_MS;
}

void progress_wipe(void)
{
	if (!shown)
		return;
	fputs(wipe, stderr);
	fflush(stderr);
	shown = 0;
}

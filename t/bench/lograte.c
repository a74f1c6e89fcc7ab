/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lograte FILE [LINES]: how many lines of a mail log are read in a second of the processor's time, heads and all, and
 * of which kinds they are. The file is read again and again until it was LINES lines (default 2,000,000).
 */
#include "milter/follow/log_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE = 64 * 1024, FILE_MOST = 64 * 1024 * 1024, LINES = 2000000 };

static long kinds[LOG_KINDS], no_head, lines;

static void read_line(struct span line, int64_t now_s)
{
	struct log_head head;
	struct log_event event;
	lines++;
	if (!line_head(line.at, line.length, now_s, &head)) {
		no_head++;
		return;
	}
	log_event_read(&head, &event);
	kinds[event.kind]++;
}

static void read_file(const char *bytes, size_t size, int64_t now_s)
{
	static struct line_split split;
	memset(&split, 0, sizeof split);
	for (size_t at = 0; at < size; at += PIECE) {
		struct span chunk = { bytes + at, size - at < PIECE ? size - at : PIECE }, line;
		while (line_split(&split, &chunk, &line))
			read_line(line, now_s);
	}
}

static double cpu_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
	char *bytes = malloc(FILE_MOST);
	long most = argc > 2 ? strtol(argv[2], NULL, 10) : LINES;
	size_t size = file != NULL && bytes != NULL ? fread(bytes, 1, FILE_MOST, file) : 0;
	if (size == 0 || memchr(bytes, '\n', size) == NULL) {
		fprintf(stderr, "lograte FILE [LINES]: FILE is a mail log\n");
		return 2;
	}
	fclose(file);
	int64_t now_s = time(NULL);
	double begun = cpu_s();
	while (lines < most)
		read_file(bytes, size, now_s);
	double took = cpu_s() - begun;
	printf("%ld lines in %.2f s of the processor: %.0f lines/s\n", lines, took, (double)lines / took);
	printf("without a head: %ld", no_head);
	for (int i = 0; i < LOG_KINDS; i++)
		printf("; %s: %ld", log_kind_word((enum log_kind)i), kinds[i]);
	printf("\n");
	free(bytes);
	return 0;
}

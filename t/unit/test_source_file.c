/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A log that is written, renamed, copied and cut under the eyes of who reads it, and of one who was away meanwhile.
 */
#include "milter/follow/source.h"

#include "t/unit/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/penstock-source-XXXXXX";
static char path[200];
static char said[2000];

static void say(void *arg, const char *line)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

static char *at_path(const char *suffix)
{
	static char paths[4][300];
	static int turn;
	char *to = paths[turn++ % 4];
	snprintf(to, sizeof paths[0], "%s%s", path, suffix);
	return to;
}

static void append(const char *suffix, const char *text)
{
	FILE *to = fopen(at_path(suffix), "a");
	fputs(text, to);
	fclose(to);
}

/* Line n: its head is told from others' by it. */
static void write_lines(const char *suffix, int first, int count)
{
	char line[200];
	for (int n = first; n < first + count; n++) {
		snprintf(line, sizeof line, "2026-11-28T17:10:%02d.%06d+00:00 out postfix/smtp[1]: %d\n", n % 60, n, n);
		append(suffix, line);
	}
}

static struct log_source *open_at(const struct source_place *place, bool from_start)
{
	struct source_options options = { .name = path, .from_start = from_start, .say = say };
	char error[300] = "";
	if (place != NULL)
		options.place = *place;
	said[0] = '\0';
	struct log_source *source = source_open(&options, error, sizeof error);
	ok(source != NULL, "it is opened %s", error);
	return source;
}

/* All that is there, as "1 2 | 3": the bar is where another file begins. */
static const char *read_all(struct log_source *source, int most)
{
	static char lines[4000];
	struct log_head head;
	bool known;
	lines[0] = '\0';
	for (enum source_got got; most > 0 && (got = source->next(source, &head, &known)) != SOURCE_NOTHING;) {
		size_t length = strlen(lines);
		if (got == SOURCE_TURNED) {
			snprintf(lines + length, sizeof lines - length, "%s|", length > 0 ? " " : "");
		} else {
			snprintf(lines + length, sizeof lines - length, "%s%s%.*s", length > 0 ? " " : "",
				 known ? "" : "?", (int)(head.message.length < 40 ? head.message.length : 40),
				 head.message.at);
			most--;
		}
	}
	return lines;
}

static struct source_place place_of(struct log_source *source)
{
	struct source_place place;
	source->place(source, &place);
	return place;
}

static void clean(void)
{
	static const char *const names[] = { "", ".1", ".2", ".1.gz", "-20261128", ".save" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(at_path(names[i]));
}

static void test_written(void)
{
	write_lines("", 1, 3);
	struct log_source *source = open_at(NULL, false);
	is_str(read_all(source, 100), "", "a log that is followed first: from its end on");
	write_lines("", 4, 1);
	append("", "2026-11-28T17:10:43.676032+00:00 out ");
	is_str(read_all(source, 100), "4", "whole lines alone");
	append("", "postfix/smtp[1]: 5\nno head\n");
	is_str(read_all(source, 100), "5 ?no head", "and when they are whole");
	struct source_place place = place_of(source);
	source_free(&source);
	write_lines("", 6, 2);
	source = open_at(&place, false);
	is_str(read_all(source, 1), "6", "it goes on where it was");
	place = place_of(source);
	source_free(&source);
	source = open_at(&place, false);
	is_str(read_all(source, 100), "7", "line by line");
	source_free(&source);
	source = open_at(NULL, true);
	is_str(read_all(source, 100), "1 2 3 4 5 ?no head 6 7", "or from the first line");
	source_free(&source);
	is_str(said, "", "and nothing is to be said");
	clean();
}

static void test_renamed(void)
{
	write_lines("", 1, 2);
	struct log_source *source = open_at(NULL, true);
	is_str(read_all(source, 1), "1", "one line");
	struct source_place early = place_of(source);
	rename(path, at_path(".1"));
	is_str(read_all(source, 100), "2", "a file that is renamed is read on");
	write_lines(".1", 3, 1);
	is_str(read_all(source, 100), "3", "whoever writes it may be late");
	append("", "");
	write_lines(".1", 4, 1);
	is_str(read_all(source, 100), "4", "also where there is a new one, but empty");
	append(".1", "2026-11-28T17:10:43.676032+00:00 out postfix/smtp[1]: 5");
	write_lines("", 6, 1);
	is_str(read_all(source, 100), "5 | 6", "the old one first, then the new one");
	struct source_place place = place_of(source);
	is_int(place.offset, (long long)strlen("2026-11-28T17:10:06.000006+00:00 out postfix/smtp[1]: 6\n"),
	       "at its place");
	source_free(&source);
	rename(at_path(".1"), at_path(".2"));
	rename(path, at_path(".1"));
	append(".1.gz", "\x1f\x8b");
	append(".save", "2026-11-28T17:10:43.676032+00:00 out postfix/smtp[1]: never\n");
	write_lines(".1", 7, 1);
	write_lines("", 8, 1);
	source = open_at(&place, false);
	is_str(read_all(source, 100), "7 | 8", "after a restart it is looked for by what it is");
	source_free(&source);
	source = open_at(&early, false);
	is_str(read_all(source, 100), "2 3 4 5 | 6 7 | 8", "and all that came after it is read");
	is_int((long long)source->lost_places, 0, "nothing is lost");
	source_free(&source);
	is_str(said, "", "nor said");
	unlink(at_path(".2"));
	source = open_at(&early, false);
	is_str(read_all(source, 100), "| 6 7 | 8", "where it is gone, with what was written after it");
	is_int((long long)source->lost_places, 1, "that is a loss");
	ok(strstr(said, "is gone, or was changed") != NULL, "which is said: %s", said);
	source_free(&source);
	clean();
}

static void copy(const char *from_suffix, const char *to_suffix)
{
	char command[700], line[400];
	FILE *from = fopen(at_path(from_suffix), "r");
	snprintf(command, sizeof command, "%s", at_path(to_suffix));
	FILE *to = fopen(command, "w");
	while (fgets(line, sizeof line, from) != NULL)
		fputs(line, to);
	fclose(from);
	fclose(to);
}

static void test_cut(void)
{
	write_lines("", 1, 4);
	struct log_source *source = open_at(NULL, true);
	is_str(read_all(source, 2), "1 2", "two lines");
	struct source_place place = place_of(source);
	is_str(read_all(source, 100), "3 4", "and two");
	write_lines("", 5, 1);
	copy("", ".1");
	if (truncate(path, 0) != 0)
		return;
	write_lines("", 6, 1);
	is_str(read_all(source, 100), "| 5 | 6", "a file that is copied and cut: first the rest of the copy");
	write_lines("", 7, 9); /* longer than before */
	is_str(read_all(source, 100), "7 8 9 10 11 12 13 14 15", "then the file");
	source_free(&source);
	source = open_at(&place, false);
	is_str(read_all(source, 3), "3 4 5", "after a restart the same");
	source_free(&source);
	source = open_at(&place, false);
	unlink(at_path(".1"));
	is_str(read_all(source, 100), "3 4 5 | 6 7 8 9 10 11 12 13 14 15", "whoever has it open has it");
	if (truncate(path, 0) != 0)
		return;
	write_lines("", 16, 1);
	said[0] = '\0';
	is_str(read_all(source, 100), "| 16", "without a copy it begins anew");
	ok(strstr(said, "it was cut") != NULL, "and says so: %s", said);
	is_int((long long)source->lost_places, 1, "that is a loss");
	source_free(&source);
	clean();
}

static void test_missing(void)
{
	struct log_source *source = open_at(NULL, false);
	is_str(read_all(source, 100), "", "no file yet");
	ok(strstr(said, "no such file") != NULL, "which is said: %s", said);
	write_lines("", 1, 1);
	is_str(read_all(source, 100), "| 1", "one that comes is read from its start");
	source_free(&source);
	clean();
	char error[300];
	const struct source_options options = { .name = "mail.log", .say = say };
	ok(source_open(&options, error, sizeof error) == NULL, "%s", error);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/mail.log", folder);
	test_written();
	test_renamed();
	test_cut();
	test_missing();
	rmdir(folder);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/checkpoint.h"

#include "milter/follow/log_event.h"
#include "milter/follow/queue_map.h"
#include "milter/follow/source.h"
#include "milter/follow/waiting.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char file[] = "/tmp/penstock-checkpoint-XXXXXX/checkpoint";
static char error[512];

struct seen {
	int rows;
	struct checkpoint_row last;
	char strings[3][200];
	int64_t number;
};

static bool take(void *arg, const struct checkpoint_row *row)
{
	struct seen *seen = arg;
	seen->rows++;
	seen->last = *row;
	for (int i = 0; i < 3; i++)
		snprintf(seen->strings[i], sizeof seen->strings[i], "%s", checkpoint_string(row, i));
	checkpoint_int(row, 2, &seen->number);
	return strcmp(seen->strings[0], "wrong") != 0;
}

static void write_rows(int rows, const char *word)
{
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	for (int i = 0; i < rows; i++) {
		checkpoint_row_begin(to, word);
		checkpoint_add(to, "a\tb\\c\nd\0e\x7f\xc3\xa4", 12);
		checkpoint_add_int(to, -INT64_C(9000000000));
		checkpoint_row_end(to);
	}
	ok(checkpoint_commit(&to, error, sizeof error) && to == NULL, "%d rows are written", rows);
}

static bool load(struct seen *seen)
{
	bool found;
	*seen = (struct seen){ 0 };
	error[0] = '\0';
	return checkpoint_load(file, take, seen, &found, error, sizeof error) && found;
}

static void test_rows(void)
{
	struct seen seen;
	bool found = true;
	ok(checkpoint_load(file, take, &seen, &found, error, sizeof error) && !found, "no file is fine");
	write_rows(3, "row");
	ok(load(&seen), "and read: %s", error);
	is_int(seen.rows, 3, "all of them");
	is_int(seen.last.count, 3, "with their fields");
	is_str(seen.strings[0], "row", "a word");
	is_str(seen.strings[1], "a\tb\\c\nd", "bytes, up to a NUL");
	is_int(seen.number, -INT64_C(9000000000), "a number");
	write_rows(0, "row");
	ok(load(&seen) && seen.rows == 0, "no rows are fine");
	write_rows(1, "wrong");
	ok(!load(&seen) && strstr(error, "means nothing") != NULL, "a row that nobody takes: %s", error);
}

static size_t slurp(char *bytes, size_t size)
{
	FILE *from = fopen(file, "r");
	size_t length = fread(bytes, 1, size, from);
	fclose(from);
	return length;
}

/* Whatever is taken away of it, and whatever byte is changed. */
static void test_damage(void)
{
	struct seen seen = { 0 };
	char whole[2000], bytes[2000];
	int taken = 0, changed = 0;
	write_rows(4, "row");
	size_t length = slurp(whole, sizeof whole);
	for (size_t cut = 0; cut < length; cut++) {
		memcpy(bytes, whole, cut);
		taken += checkpoint_parse(bytes, cut, take, &seen, error, sizeof error);
	}
	for (size_t at = 0; at < length; at++) {
		memcpy(bytes, whole, length);
		bytes[at] = (char)(bytes[at] ^ 1);
		changed += checkpoint_parse(bytes, length, take, &seen, error, sizeof error);
	}
	is_int(taken, 0, "no beginning of a file is taken for one");
	is_int(changed, 0, "nor is one with another byte");
	static const char *const bad[] = { "penstock-follow\t2\nend\t0\t0000000000000000\n",
					   "other\t1\nend\t0\t0000000000000000\n",
					   "penstock-follow\t1\nend\t1\t0000000000000000\n",
					   "\n",
					   "\n\n",
					   "penstock-follow\t1\n" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		size_t size = strlen(bad[i]);
		memcpy(bytes, bad[i], size);
		ok(!checkpoint_parse(bytes, size, take, &seen, error, sizeof error), "%s", error);
	}
}

static void test_disk(void)
{
	struct seen seen;
	write_rows(2, "row");
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	checkpoint_row_begin(to, "half");
	checkpoint_abandon(&to);
	ok(load(&seen) && seen.rows == 2, "the old one stays where a new one is given up");
	to = checkpoint_begin(file, error, sizeof error);
	checkpoint_row_begin(to, "long");
	for (int i = 0; i < 200; i++) {
		char piece[1000] = { 1 };
		checkpoint_add(to, piece, sizeof piece);
	}
	checkpoint_row_end(to);
	ok(!checkpoint_commit(&to, error, sizeof error), "or cannot be whole: %s", error);
	ok(load(&seen) && seen.rows == 2, "and the old one stays");
	ok(checkpoint_begin("/nonexistent/checkpoint", error, sizeof error) == NULL, "%s", error);
}

/* ---- the rows of those who use it */

static struct queue_map *map;
static struct waiting *waiting;
static struct source_place place;

static bool take_all(void *arg, const struct checkpoint_row *row)
{
	return source_place_load(&place, arg, row) || queue_map_load(map, row) || waiting_load(waiting, row);
}

#define SPAN(string) ((struct span){ string, sizeof(string) - 1 })

static void test_users(void)
{
	bool found;
	struct log_event event = { .queue_id = SPAN("4cABC"),
				   .transport = SPAN("clean-1"),
				   .reference = SPAN("-"),
				   .sender = SPAN("a@example.com"),
				   .time_us = 5,
				   .size = 7 };
	const struct log_head head = { 8, SPAN("postfix/smtp"), SPAN("4cXYZ: to=<\xff\t>"), 9 };
	struct source_place written = { .known = true,
					.cursor = "s=1;i=2",
					.device = 1,
					.inode = UINT64_MAX,
					.offset = 300,
					.hashed = 256,
					.hash = UINT64_C(1) << 63,
					.modified_ns = INT64_MAX };
	map = queue_map_new(100);
	waiting = waiting_new();
	queue_map_add(map, &event, "alice");
	waiting_add(waiting, &SPAN("4cXYZ"), &head);
	struct checkpoint *to = checkpoint_begin(file, error, sizeof error);
	source_place_save(&written, "journal", to);
	queue_map_save(map, to);
	waiting_save(waiting, to);
	checkpoint_commit(&to, error, sizeof error);
	queue_map_free(&map);
	waiting_free(&waiting);
	map = queue_map_new(100);
	waiting = waiting_new();
	ok(checkpoint_load(file, take_all, "journal", &found, error, sizeof error), "all is read again: %s", error);
	const struct queued *queued = queue_map_find(map, &SPAN("4cABC"));
	ok(queued != NULL && strcmp(queued->transport, "clean-1") == 0 && queued->reference[0] == '\0' &&
		   queued->size == 7 && strcmp(queued->account, "alice") == 0 &&
		   strcmp(queued->sender, "a@example.com") == 0,
	   "a message");
	struct waiting_line *line = waiting_take(waiting, &SPAN("4cXYZ"));
	ok(line != NULL && line->head.time_us == 8 && line->head.pid == 9 &&
		   span_is(line->head.program, "postfix/smtp") && span_is(line->head.message, "4cXYZ: to=<\xff\t>"),
	   "a line");
	free(line);
	ok(memcmp(&place, &written, sizeof place) == 0, "a place");
	place = (struct source_place){ 0 };
	ok(checkpoint_load(file, take_all, "/var/log/mail.log", &found, error, sizeof error) && !place.known,
	   "a place in another log is none");
	queue_map_free(&map);
	waiting_free(&waiting);
}

int main(void)
{
	char *slash = strrchr(file, '/');
	*slash = '\0';
	if (mkdtemp(file) == NULL)
		return 1;
	*slash = '/';
	test_rows();
	test_damage();
	test_disk();
	test_users();
	unlink(file);
	*slash = '\0';
	rmdir(file);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads the table of wordings, and holds each row to its tests: a row that another one hides is an error, not a
 * surprise of next winter.
 */
#include "milter/base/plain_file.h"
#include "milter/follow/replies_inside.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	LINE_LONGEST = 2000,
	SHOWN_MAX = 60,
	PLACE_LONGEST = 40, /* of a file's name in what is logged */
	TESTS_MAX = 4 * REPLIES_ROWS_MAX,
};

struct reply_test {
	int line, row_line;
	char text[LINE_LONGEST + 1];
};

struct replies_reader {
	const char *file;
	int line;
	struct replies *replies;
	struct reply_test *tests; /* owned */
	size_t test_count, test_size;
	bool tested;  /* the row at hand has a test */
	bool general; /* the rows from here on are */
	char *error;
	size_t error_size;
};

static bool replies_read_fail(const struct replies_reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static bool replies_read_fail(const struct replies_reader *reader, const char *format, ...)
{
	va_list arguments;
	struct text text = text_over(reader->error, reader->error_size);
	char what[400];
	va_start(arguments, format);
	vsnprintf(what, sizeof what, format, arguments);
	va_end(arguments);
	text_addf(&text, "%s:%d: %s", reader->file, reader->line, what);
	return false;
}

/* Room for one more of what has `count` of `size`. */
static bool replies_read_grow(const struct replies_reader *reader, void **at, size_t count, size_t *size, size_t each,
			      size_t most, const char *what)
{
	if (count == most)
		return replies_read_fail(reader, "is more than fits: expected at most %zu %s", most, what);
	if (count < *size)
		return true;
	size_t larger = *size == 0 ? 64 : *size * 2;
	void *more = realloc(*at, larger * each);
	if (more == NULL)
		return replies_read_fail(reader, "no memory for one more of at most %zu %s", most, what);
	*at = more;
	*size = larger;
	return true;
}

/* The next word of the line, with its NUL; "" where there is none. *rest goes behind it and the blanks there. */
static char *replies_read_word(char **rest)
{
	char *word = *rest, *end = word + strcspn(word, " \t");
	*rest = end + strspn(end, " \t");
	*end = '\0';
	return word;
}

static bool replies_read_is_name(const char *word)
{
	size_t length = strlen(word);
	return length > 0 && length <= RECEIVER_NAME_MAX &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* -- receivers -- */

static bool replies_read_is_host(const char *word)
{
	size_t length = strlen(word);
	return length > 0 && length < sizeof((struct replies_host *)NULL)->host && strchr(word, '.') != NULL &&
	       word[0] != '.' && word[length - 1] != '.' &&
	       strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-.") == length;
}

static bool replies_read_host(struct replies_reader *reader, const char *name, const char *host)
{
	struct replies *replies = reader->replies;
	if (!replies_read_is_host(host))
		return replies_read_fail(reader,
					 "has the host \"%.*s\", expected a domain in lower case, such as "
					 "mx.example.net, which stands for all below it too",
					 SHOWN_MAX, host);
	const char *before = replies_receiver(replies, host);
	if (before != NULL)
		return replies_read_fail(reader, "has the host \"%.*s\", which is the receiver %s's already", SHOWN_MAX,
					 host, before);
	if (!replies_read_grow(reader, (void **)&replies->hosts, replies->host_count, &replies->host_size,
			       sizeof replies->hosts[0], REPLIES_HOSTS_MAX, "hosts of receivers"))
		return false;
	struct replies_host *row = &replies->hosts[replies->host_count++];
	text_copy(row->name, sizeof row->name, name);
	text_copy(row->host, sizeof row->host, host);
	row->length = strlen(host);
	return true;
}

static bool replies_read_receiver(struct replies_reader *reader, char *rest)
{
	const char *name = replies_read_word(&rest);
	if (!replies_read_is_name(name))
		return replies_read_fail(reader,
					 "has the receiver \"%.*s\", expected a name of lower case letters, "
					 "digits and hyphens, and then its hosts",
					 SHOWN_MAX, name);
	if (*rest == '\0')
		return replies_read_fail(reader, "has no hosts for the receiver %s, expected at least one", name);
	while (*rest != '\0')
		if (!replies_read_host(reader, name, replies_read_word(&rest)))
			return false;
	return true;
}

static bool replies_read_knows(const struct replies *replies, const char *name)
{
	for (size_t i = 0; i < replies->host_count; i++)
		if (strcmp(replies->hosts[i].name, name) == 0)
			return true;
	return false;
}

/* -- the columns of a row -- */

/* "listed=bl.example.org": the list is known, though the words do not name its zone. */
static bool replies_read_list(char *word, struct reply_row *row)
{
	char *list = strchr(word, '=');
	if (list == NULL)
		return true;
	*list++ = '\0';
	text_copy(row->list, sizeof row->list, list);
	return strcmp(word, outcome_word(OUTCOME_LISTED)) == 0 && replies_read_is_host(list);
}

static bool is_of_replies(enum outcome outcome)
{
	return outcome != OUTCOME_SENT && outcome != OUTCOME_EXPIRED && outcome != OUTCOME_SUSPENDED &&
	       outcome != OUTCOME_COUNT;
}

static bool replies_read_class(const struct replies_reader *reader, char *word, struct reply_row *row)
{
	char shown[SHOWN_MAX + 1], all[300];
	struct text text = text_over(all, sizeof all);
	text_copy(shown, sizeof shown, word);
	bool fine = replies_read_list(word, row);
	row->outcome = outcome_find(word);
	if (fine && is_of_replies(row->outcome))
		return true;
	for (int i = 0; i < OUTCOME_COUNT; i++)
		if (is_of_replies((enum outcome)i))
			text_addf(&text, "%s, ", outcome_word((enum outcome)i));
	return replies_read_fail(reader, "has the class \"%s\", expected receiver, listed=DOMAIN or one of %sno other",
				 shown, all);
}

static bool replies_read_of(const struct replies_reader *reader, const char *word, struct reply_row *row)
{
	if (strcmp(word, "*") == 0)
		return true;
	if (!replies_read_knows(reader->replies, word))
		return replies_read_fail(reader,
					 "has the receiver \"%.*s\", expected * or one that a receiver line "
					 "further up names",
					 SHOWN_MAX, word);
	text_copy(row->receiver, sizeof row->receiver, word);
	return true;
}

static bool replies_read_stage(char *word, struct reply_row *row)
{
	static const char *const words[STAGES_OF_REPLY] = { [STAGE_OF_GREETING] = "greeting", [STAGE_OF_DOT] = "dot" };
	char *slash = strchr(word, '/');
	if (slash == NULL)
		return true;
	*slash = '\0';
	for (int i = STAGE_OF_ANY + 1; i < STAGES_OF_REPLY; i++)
		if (strcmp(slash + 1, words[i]) == 0)
			row->stage = (enum replies_stage)i;
	return row->stage != STAGE_OF_ANY;
}

/* "550", "5xx", "550,554"; false: something else. */
static bool replies_read_masks(const char *at, struct reply_row *row)
{
	for (; row->codes < REPLIES_CODES_MAX; at += 4) {
		if ((at[0] != '4' && at[0] != '5') || strspn(at + 1, "0123456789x") < 2)
			return false;
		memcpy(row->code[row->codes++], at, 3);
		if (at[3] != ',')
			return at[3] == '\0';
	}
	return false;
}

static bool replies_read_codes(const struct replies_reader *reader, char *word, struct reply_row *row)
{
	char shown[SHOWN_MAX + 1];
	text_copy(shown, sizeof shown, word);
	row->own = strcmp(word, "mta") == 0;
	if (row->own || (replies_read_stage(word, row) && (strcmp(word, "*") == 0 || replies_read_masks(word, row))))
		return true;
	return replies_read_fail(reader,
				 "has the codes \"%s\", expected *, mta, a code of 4 or 5 such as 550 or 5xx, or "
				 "up to %d of these with commas, and maybe /greeting or /dot behind them",
				 shown, REPLIES_CODES_MAX);
}

static bool replies_read_part(const char *word, int64_t least, int64_t most, int *part_out)
{
	int64_t number = REPLIES_ANY;
	if (strcmp(word, "x") != 0 && !text_to_int(word, least, most, &number))
		return false;
	*part_out = (int)number;
	return true;
}

static bool replies_read_parts(char *word, struct reply_row *row)
{
	char *subject = strchr(word, '.'), *detail = subject != NULL ? strchr(subject + 1, '.') : NULL;
	if (detail == NULL)
		return false;
	*subject++ = *detail++ = '\0';
	return replies_read_part(word, 4, 5, &row->class) && replies_read_part(subject, 0, 999, &row->subject) &&
	       replies_read_part(detail, 0, 999, &row->detail);
}

static bool replies_read_enhanced_code(const struct replies_reader *reader, char *word, struct reply_row *row)
{
	char shown[SHOWN_MAX + 1];
	text_copy(shown, sizeof shown, word);
	row->class = row->subject = row->detail = REPLIES_ANY;
	if (strcmp(word, "*") == 0 || (!row->own && replies_read_parts(word, row)))
		return true;
	return replies_read_fail(reader, "has the enhanced code \"%s\", expected %s", shown,
				 row->own ? "*: a text of the MTA's own has none"
					  : "* or such as 5.1.1, x.7.1 or 5.7.x");
}

static bool replies_read_words(const struct replies_reader *reader, const char *words, struct reply_row *row)
{
	if (strcmp(words, "*") == 0 || replies_words_read(row, words))
		return true;
	return replies_read_fail(reader,
				 "has the words \"%.*s\", expected * or up to %d bytes in lower case without accents, "
				 "with single blanks, in at most %d pieces with ... between them, and {a|b} closed",
				 SHOWN_MAX, words, REPLIES_WORDS_MAX, REPLIES_PIECES_MAX);
}

/* -- the vocabulary -- */

static bool replies_read_vocabulary(struct replies_reader *reader, enum outcome outcome, char *rest)
{
	struct replies *replies = reader->replies;
	struct replies_word word;
	do {
		const char *shown = replies_read_word(&rest);
		if (!replies_vocabulary_word(&word, shown, outcome))
			return replies_read_fail(reader,
						 "has the word \"%.*s\", expected up to %d letters in lower case "
						 "without accents, with * behind them for all words that begin so",
						 SHOWN_MAX, shown, REPLIES_WORD_MAX);
		if (!replies_read_grow(reader, (void **)&replies->vocabulary, replies->word_count, &replies->word_size,
				       sizeof word, REPLIES_VOCABULARY_MAX, "words of plain and turn lines"))
			return false;
		replies->vocabulary[replies->word_count++] = word;
	} while (*rest != '\0');
	return true;
}

static bool replies_read_turn(struct replies_reader *reader, char *rest)
{
	const char *class = replies_read_word(&rest);
	enum outcome outcome = outcome_find(class);
	if (!is_of_replies(outcome))
		return replies_read_fail(reader, "turns \"%.*s\", expected a class such as no_user, and words",
					 SHOWN_MAX, class);
	return replies_read_vocabulary(reader, outcome, rest);
}

/* -- lines -- */

static bool replies_read_was_tested(const struct replies_reader *reader)
{
	const struct replies *replies = reader->replies;
	if (replies->count == 0 || reader->tested)
		return true;
	struct replies_reader there = *reader;
	there.line = replies->rows[replies->count - 1].line;
	return replies_read_fail(&there, "has no test, expected a line such as \"  test: 550 5.1.1 ...\" below it");
}

static bool replies_read_row(struct replies_reader *reader, char *class, char *rest)
{
	struct replies *replies = reader->replies;
	struct reply_row row = { .line = reader->line, .general = reader->general };
	if (!replies_read_was_tested(reader) || !replies_read_class(reader, class, &row) ||
	    !replies_read_of(reader, replies_read_word(&rest), &row) ||
	    !replies_read_codes(reader, replies_read_word(&rest), &row) ||
	    !replies_read_enhanced_code(reader, replies_read_word(&rest), &row) ||
	    !replies_read_words(reader, rest, &row) ||
	    !replies_read_grow(reader, (void **)&replies->rows, replies->count, &replies->size, sizeof row,
			       REPLIES_ROWS_MAX, "rows"))
		return false;
	const char *slash = strrchr(reader->file, '/');
	snprintf(row.where, sizeof row.where, "%.*s:%d", PLACE_LONGEST, slash != NULL ? slash + 1 : reader->file,
		 reader->line);
	replies->rows[replies->count++] = row;
	reader->tested = false;
	return true;
}

static bool replies_read_test(struct replies_reader *reader, const char *line)
{
	const char *text = line + strspn(line, " \t");
	if (strncmp(text, "test: ", 6) != 0 || reader->replies->count == 0)
		return replies_read_fail(reader, "is \"%.*s\", expected \"test: \" and a reply, below a row", SHOWN_MAX,
					 text);
	if (!replies_read_grow(reader, (void **)&reader->tests, reader->test_count, &reader->test_size,
			       sizeof reader->tests[0], TESTS_MAX, "tests"))
		return false;
	struct reply_test *test = &reader->tests[reader->test_count++];
	test->line = reader->line;
	test->row_line = reader->replies->rows[reader->replies->count - 1].line;
	text_copy(test->text, sizeof test->text, text + 6);
	reader->tested = true;
	return true;
}

static bool replies_read_take_line(struct replies_reader *reader, char *line)
{
	size_t length = strlen(line);
	while (length > 0 && strchr(" \t\r", line[length - 1]) != NULL)
		line[--length] = '\0';
	if (length == 0 || line[0] == '#')
		return true;
	if (line[0] == ' ' || line[0] == '\t')
		return replies_read_test(reader, line);
	char *rest = line, *class = replies_read_word(&rest);
	if (strcmp(class, "receiver") == 0)
		return replies_read_receiver(reader, rest);
	if (strcmp(class, "plain") == 0)
		return replies_read_vocabulary(reader, OUTCOME_COUNT, rest);
	if (strcmp(class, "turn") == 0)
		return replies_read_turn(reader, rest);
	if (strcmp(class, "general") == 0)
		return reader->general = true;
	return replies_read_row(reader, class, rest);
}

/* What ended the line: EOF, its newline, or the byte that no longer fits. A NUL becomes what stands nowhere. */
static int replies_read_bytes(FILE *from, char line[LINE_LONGEST + 1])
{
	int c, length = 0;
	while ((c = getc_unlocked(from)) != EOF && c != '\n' && length < LINE_LONGEST)
		line[length++] = c != '\0' ? (char)c : '\x7f';
	line[length] = '\0';
	return c;
}

static bool replies_read_lines(struct replies_reader *reader, FILE *from)
{
	char line[LINE_LONGEST + 1];
	int end;
	do {
		end = replies_read_bytes(from, line);
		reader->line++;
		if (end != '\n' && end != EOF)
			return replies_read_fail(reader, "is too long a line, expected at most %d bytes", LINE_LONGEST);
		if (!replies_read_take_line(reader, line))
			return false;
	} while (end != EOF);
	if (ferror(from))
		return replies_read_fail(reader, "cannot be read: %s", strerror(errno));
	return replies_read_was_tested(reader);
}

/* -- once all are there -- */

static int replies_read_order(const void *a, const void *b)
{
	const struct reply_row *x = a, *y = b;
	if (x->general != y->general)
		return x->general ? 1 : -1;
	if ((x->receiver[0] == '\0') != (y->receiver[0] == '\0'))
		return x->receiver[0] == '\0' ? 1 : -1;
	return x->line - y->line;
}

static const struct reply_row *replies_read_row_at(const struct replies *replies, int line)
{
	for (size_t i = 0; i < replies->count; i++)
		if (replies->rows[i].line == line)
			return &replies->rows[i];
	return NULL;
}

static bool replies_read_run_test(struct replies_reader *reader, const struct reply_test *test)
{
	const struct reply_row *row = replies_read_row_at(reader->replies, test->row_line);
	struct log_event event;
	struct reply_class class = { .row = NULL };
	reader->line = test->line;
	replies_gates_event(row, test->text, &event);
	const struct reply_row *found = replies_find(reader->replies, row->receiver, &event, &class);
	if (found != NULL && found->line == row->line)
		return true;
	return found == NULL
		       ? replies_read_fail(reader, "is a test that no row classes, expected that of line %d", row->line)
		       : replies_read_fail(reader,
					   "is a test that the row of line %d classes, expected that of line %d: "
					   "rows of a receiver come first, and of these and the others the first "
					   "that fits",
					   found->line, row->line);
}

static bool replies_read_finish(struct replies_reader *reader)
{
	struct replies *replies = reader->replies;
	if (replies->count == 0)
		return replies_read_fail(reader, "ends, and there was no row");
	qsort(replies->rows, replies->count, sizeof replies->rows[0], replies_read_order);
	replies_vocabulary_sort(replies);
	if (!replies_gates_build(replies))
		return replies_read_fail(reader, "ends, and there is no memory for its rows");
	for (size_t i = 0; i < reader->test_count; i++)
		if (!replies_read_run_test(reader, &reader->tests[i]))
			return false;
	return true;
}

struct replies *replies_load(const char *file, char *error, size_t error_size)
{
	struct replies_reader reader = { .file = file, .error = error, .error_size = error_size };
	const char *why;
	FILE *from = plain_file_read(file, &why);
	reader.replies = calloc(1, sizeof *reader.replies);
	if (from == NULL)
		snprintf(error, error_size, "%s cannot be read: %s", file, why);
	else if (reader.replies == NULL)
		snprintf(error, error_size, "%s: no memory for it", file);
	bool fine = from != NULL && reader.replies != NULL && replies_read_lines(&reader, from) &&
		    replies_read_finish(&reader);
	if (from != NULL)
		fclose(from);
	free(reader.tests);
	if (!fine)
		replies_free(&reader.replies);
	return reader.replies;
}

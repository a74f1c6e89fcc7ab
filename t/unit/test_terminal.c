/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What penstockctl draws: the progress line to its width, text cut and broken by columns, the picture of a network.
 */
#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/progress.h"
#include "milter/ctl/rbl/rbl_picture.h"
#include "milter/ctl/tool/terminal.h"

#include "t/unit/tap.h"

#include <locale.h>
#include <stdlib.h>

static void test_progress(void)
{
	/* clang-format off */
	static const struct {
		const char *name;
		size_t columns;
		struct progress progress;
		const char *want;
	} rows[] = {
		{ "nothing done", 60, { "192.0.2.1", 0, 98, "lists", 0 },
		  "192.0.2.1 [..................................] 0 of 98 lists" },
		{ "half of it, some listed", 60, { "192.0.2.1", 49, 98, "lists", 2 },
		  "192.0.2.1 [###########............] 49 of 98 lists, 2 listed" },
		{ "all of it", 40, { "", 8, 8, "lists", 0 }, "[#########################] 8 of 8 lists" },
		{ "more than all of it", 40, { "", 9, 8, "lists", 0 }, "[#########################] 9 of 8 lists" },
		{ "no bar is wider than 40", 200, { "a", 1, 4, "lists", 0 },
		  "a [##########..............................] 1 of 4 lists" },
		{ "what it is about goes first", 39, { "mail.example.com", 200, 256, "addresses", 7 },
		  "[####..] 200 of 256 addresses, 7 listed" },
		{ "then the bar", 36, { "mail.example.com", 200, 256, "addresses", 7 },
		  "200 of 256 addresses, 7 listed" },
		{ "last the numbers", 10, { "mail.example.com", 200, 256, "addresses", 7 }, "200 of 256" },
		{ "a terminal of one column", 1, { "", 7, 9, "lists", 0 }, "7" },
		{ "a total that is not known", 40, { "", 3, 0, "lists", 0 },
		  "[..............................] 3 lists" },
		{ "huge numbers", 30, { "", INT64_MAX, INT64_MAX, "lists", 0 }, "9223372036854775807 of 9223372" },
		{ "below nothing", 30, { "", -5, 10, "lists", 0 }, "[.............] -5 of 10 lists" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char line[1024];
		progress_draw(line, sizeof line, rows[i].columns, &rows[i].progress);
		ok(text_columns(line) <= rows[i].columns, "progress: %s: fits", rows[i].name);
		is_str(line, rows[i].want, "progress: %s", rows[i].name);
	}
	char small[8];
	progress_draw(small, sizeof small, 60, &(struct progress){ "192.0.2.1", 1, 2, "lists", 0 });
	ok(strlen(small) < sizeof small, "progress: a small memory is not overrun");
}

static void test_clean(void)
{
	/* clang-format off */
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "plain text stays", "127.0.0.2 listed", "127.0.0.2 listed" },
		{ "UTF-8 stays", "Sperrliste f\xc3\xbcr M\xc3\xbcll", "Sperrliste f\xc3\xbcr M\xc3\xbcll" },
		{ "a colour", "\033[31mred", "?[31mred" },
		{ "a title", "\033]0;owned\007", "?]0;owned?" },
		{ "C1 in UTF-8", "\xc2\x9b" "31m", "?31m" },
		{ "C1 as a byte", "\x9b" "31m", "?31m" },
		{ "new lines and tabs", "a\r\nb\tc", "a??b?c" },
		{ "right to left", "a\xe2\x80\xae" "b", "a?b" },
		{ "too long a form", "\xc0\xaf", "??" },
		{ "half a character", "a\xe2\x82", "a??" },
		{ "a surrogate", "\xed\xa0\x80", "???" },
		{ "a character that is none", "\xef\xbf\xbf", "?" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *clean = clean_text(rows[i].text);
		is_str(clean, rows[i].want, "clean: %s", rows[i].name);
		free(clean);
	}
}

/* Domains in A-labels are for programs; what a stranger chose stays clean. */
static void test_shown(void)
{
	char *shown = clean_shown("\033alice@xn--exmple-cua.org");
	is_str(shown, "?alice@ex\xc3\xa4mple.org", "shown in UTF-8");
	free(shown);
	setlocale(LC_CTYPE, "C");
	shown = clean_shown("alice@xn--exmple-cua.org");
	is_str(shown, "alice@xn--exmple-cua.org", "shown in a locale that has none");
	free(shown);
	setlocale(LC_CTYPE, "C.UTF-8");
}

static void test_columns(void)
{
	/* clang-format off */
	static const struct {
		const char *name, *text;
		size_t columns;
	} rows[] = {
		{ "nothing", "", 0 },
		{ "ASCII", "abcdef", 6 },
		{ "two bytes a column", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f!", 5 },
		{ "two columns a character", "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", 6 },
		{ "a combining mark takes none", "abcd\xcc\x81" "e", 5 },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int((long long)text_columns(rows[i].text), (long long)rows[i].columns, "columns: %s", rows[i].name);
}

static void test_labelled(void)
{
	static const struct {
		const char *name;
		int width;
		bool colours;
		const char *label, *text, *want;
	} rows[] = {
		{ "without a width nothing is broken", 0, false, "  LISTED", "by a list with a long name: spam",
		  "  LISTED  by a list with a long name: spam\n" },
		{ "words go below the first", 30, false, "  LISTED", "by a list with a long name: spam",
		  "  LISTED  by a list with a\n          long name: spam\n" },
		{ "a long word stays whole", 30, false, "", "see https://example.com/a/very/long/page ok",
		  "          see\n          https://example.com/a/very/long/page\n          ok\n" },
		{ "a narrow terminal has no room to hang", 20, false, "  LISTED", "by a list with a name",
		  "  LISTED  by a list\nwith a name\n" },
		{ "a wide label", 40, false, "2001:db8::1:", "fine", "2001:db8::1: fine\n" },
		{ "no text", 40, false, "label", "", "label     \n" },
		{ "colours", 40, true, "  LISTED", "by \033[5m", "\033[1;31m  LISTED\033[0m  by ?[5m\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *bytes = NULL;
		size_t length = 0;
		struct paper paper = { open_memstream(&bytes, &length), rows[i].width, rows[i].colours };
		print_labelled(&paper, rows[i].label, TONE_BAD, 10, rows[i].text);
		fclose(paper.to);
		is_str(bytes, rows[i].want, "labelled: %s", rows[i].name);
		free(bytes);
	}
}

static void test_picture(void)
{
	char *bytes = NULL;
	size_t length = 0;
	struct paper paper = { open_memstream(&bytes, &length), 80, false };
	struct rbl_picture *picture = rbl_picture_new(27);
	for (int i = 32; i < 62; i++) {
		char address[20];
		snprintf(address, sizeof address, "192.0.2.%d", i);
		rbl_picture_mark(picture, address, i == 40 ? '#' : i == 50 ? '?' : '.');
	}
	rbl_picture_mark(picture, "mail.example.com", '#');
	rbl_picture_print(picture, &paper);
	rbl_picture_free(&picture);
	fclose(paper.to);
	is_str(bytes, "  .32  ........#.......\n  .48  ..?...........  \n  # listed  . clean  ? no answer\n",
	       "a picture; what was not told is left free");
	free(bytes);
	static const struct {
		int prefix, width;
		size_t widest;
	} rows[] = {
		{ 24, 80, 32 }, { 23, 80, 75 }, { 20, 80, 75 }, { 20, 60, 43 }, { 20, 40, 32 }, { 20, 20, 32 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		paper = (struct paper){ open_memstream(&bytes, &length), rows[i].width, false };
		picture = rbl_picture_new(rows[i].prefix);
		rbl_picture_mark(picture, "192.0.2.7", '#');
		rbl_picture_print(picture, &paper);
		fclose(paper.to);
		size_t widest = 0;
		for (const char *line = bytes; *line != '\0'; line += strcspn(line, "\n") + 1)
			widest = strcspn(line, "\n") > widest ? strcspn(line, "\n") : widest;
		is_int((long long)widest, (long long)rows[i].widest, "/%d on %d columns", rows[i].prefix,
		       rows[i].width);
		rbl_picture_free(&picture);
		free(bytes);
	}
	ok(rbl_picture_new(19) == NULL && rbl_picture_new(28) == NULL && rbl_picture_new(0) == NULL &&
		   rbl_picture_new(-1) == NULL,
	   "other networks have none");
}

int main(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL) {
		puts("1..0 # SKIP no locale C.UTF-8");
		return 0;
	}
	test_progress();
	test_clean();
	test_shown();
	test_columns();
	test_labelled();
	test_picture();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/terminal.h"

#include "milter/ctl/tool/clean.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { WIDTH_USUAL = 80, ROOM_LEAST = 16 };

bool terminal_is(FILE *to)
{
	const char *term = getenv("TERM");
	return isatty(fileno(to)) && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_colours(FILE *to)
{
	return getenv("NO_COLOR") == NULL && terminal_is(to);
}

int terminal_width(FILE *to)
{
	struct winsize size = { 0 };
	if (!isatty(fileno(to)))
		return 0;
	return ioctl(fileno(to), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH_USUAL;
}

void tone_begin(const struct paper *paper, enum tone tone)
{
	static const char *const codes[] = {
		[TONE_TITLE] = "\033[1m",  [TONE_BAD] = "\033[1;31m", [TONE_GOOD] = "\033[32m",
		[TONE_DOUBT] = "\033[33m", [TONE_FAINT] = "\033[2m",
	};
	if (paper->colours && tone != TONE_PLAIN)
		fputs(codes[tone], paper->to);
}

void tone_end(const struct paper *paper, enum tone tone)
{
	if (paper->colours && tone != TONE_PLAIN)
		fputs("\033[0m", paper->to);
}

static void break_line(const struct paper *paper, size_t indent)
{
	fputc('\n', paper->to);
	for (size_t i = 0; i < indent; i++)
		fputc(' ', paper->to);
}

/* `at` is the column where the first word may stand. Takes the text apart. */
static void terminal_fingerprint_words(const struct paper *paper, char *text, size_t at, size_t indent)
{
	bool first = true;
	while (*text != '\0') {
		size_t length = strcspn(text, " "), blanks = strspn(text + length, " ");
		char *next = text + length + blanks;
		text[length] = '\0';
		size_t columns = text_columns(text);
		if (!first && at + 1 + columns > (size_t)paper->width) {
			break_line(paper, indent);
			at = indent;
			first = true;
		}
		fprintf(paper->to, "%s%s", first ? "" : " ", text);
		at += columns + (first ? 0 : 1);
		first = false;
		text = next;
	}
}

void print_labelled(const struct paper *paper, const char *label, enum tone tone, size_t indent, const char *text)
{
	char *words = clean_text(text), *head = clean_text(label);
	size_t at = text_columns(head);
	tone_begin(paper, tone);
	fputs(head, paper->to);
	tone_end(paper, tone);
	for (size_t to = at > 0 && at >= indent && *words != '\0' ? at + 1 : indent; at < to; at++)
		fputc(' ', paper->to);
	if (paper->width == 0)
		fputs(words, paper->to);
	else
		terminal_fingerprint_words(paper, words, at, indent + ROOM_LEAST > (size_t)paper->width ? 0 : indent);
	fputc('\n', paper->to);
	free(words);
	free(head);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/scenario/play.h"

#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { REPEATED_MOST = 4 << 20 };

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte that an escape stands for; `*at` is at what follows the backslash. */
static char escaped(const char **at)
{
	static const char letters[] = "nrt0", bytes[] = "\n\r\t";
	char hex[3] = "";
	char c = *(*at)++;
	const char *letter = strchr(letters, c);
	if (c == 'x' && (*at)[0] != '\0' && (*at)[1] != '\0') {
		memcpy(hex, *at, 2);
		*at += 2;
		return (char)strtol(hex, NULL, 16);
	}
	return letter != NULL && *letter != '\0' ? bytes[letter - letters] : c;
}

static char *repeated(char *word, long times)
{
	size_t length = strlen(word);
	char *made = NULL;
	if (times > 0 && length * (size_t)times <= REPEATED_MOST)
		made = malloc(length * (size_t)times + 1);
	for (long i = 0; made != NULL && i < times; i++)
		memcpy(made + (size_t)i * length, word, length + 1);
	free(word);
	return made;
}

/* NULL: a quote without its end, or too much. */
static char *quoted(const char **at)
{
	size_t length = 0;
	char *word = malloc(strlen(*at) + 1);
	if (word == NULL)
		return NULL;
	for ((*at)++; **at != '\0' && **at != '"';) {
		bool escape = **at == '\\' && (*at)[1] != '\0';
		*at += escape;
		word[length++] = escape ? escaped(at) : *(*at)++;
	}
	word[length] = '\0';
	if (**at == '\0') {
		free(word);
		return NULL;
	}
	(*at)++;
	if (**at != '*')
		return word;
	char *end;
	long times = strtol(*at + 1, &end, 10);
	*at = end;
	return repeated(word, times);
}

static char *bare(const char **at)
{
	const char *start = *at;
	while (**at != '\0' && !blank(**at))
		(*at)++;
	return strndup(start, (size_t)(*at - start));
}

bool line_read(const char *text, struct line *line_out, char *error, size_t error_size)
{
	const char *at = text;
	*line_out = (struct line){ .rest = "" };
	for (;;) {
		while (blank(*at))
			at++;
		if (line_out->count == 1)
			line_out->rest = at;
		if (*at == '\0' || *at == '#')
			return true;
		if (line_out->count == WORDS_MAX) {
			snprintf(error, error_size, "more than %d words in one line", WORDS_MAX);
			return false;
		}
		char *word = *at == '"' ? quoted(&at) : bare(&at);
		if (word == NULL) {
			snprintf(error, error_size, "a quote without its end, or too long a word");
			return false;
		}
		line_out->words[line_out->count++] = word;
	}
}

void line_free(struct line *line)
{
	for (int i = 0; i < line->count; i++)
		free(line->words[i]);
	line->count = 0;
}

char *numbered(const char *text, int number)
{
	char digits[16];
	const char *mark = strstr(text, "%d");
	snprintf(digits, sizeof digits, "%d", number);
	size_t head = mark != NULL ? (size_t)(mark - text) : strlen(text), size = strlen(text) + sizeof digits;
	char *made = malloc(size);
	if (made == NULL)
		abort();
	struct text to = text_over(made, size);
	text_add_bytes(&to, text, head);
	if (mark != NULL) {
		text_add(&to, digits);
		text_add(&to, mark + 2);
	}
	return made;
}

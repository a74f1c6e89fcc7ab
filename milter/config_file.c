/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file in libconfig's syntax, parsed; and before that, what libconfig lets pass.
 */
#include "milter/config_read.h"

#include "policy/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct scan_state {
	const char *at;
	unsigned line;
};

static void skip_string(struct scan_state *scan)
{
	for (scan->at++; *scan->at != '\0' && *scan->at != '"'; scan->at++) {
		if (*scan->at == '\\' && scan->at[1] != '\0')
			scan->at++;
		scan->line += *scan->at == '\n';
	}
	scan->at += *scan->at != '\0';
}

static void skip_comment(struct scan_state *scan)
{
	bool block = scan->at[0] == '/' && scan->at[1] == '*';
	const char *end = block ? strstr(scan->at + 2, "*/") : strchr(scan->at, '\n');
	if (end == NULL)
		end = scan->at + strlen(scan->at);
	else if (block)
		end += 2;
	for (; scan->at < end; scan->at++)
		scan->line += *scan->at == '\n';
}

static bool word_char(char c)
{
	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z') || c == '_' || c == '-' ||
	       c == '.' || c == '*';
}

/* libconfig 1.5 keeps the low 32 bits of a whole number that is too large for its type, and says nothing. */
static bool number_fits(const char *word, size_t length)
{
	size_t digits = strspn(word, "0123456789");
	bool wide = digits < length && word[digits] == 'L';
	if (digits == 0 || (digits < length && !wide))
		return length < 2 || text_lower(word[1]) != 'x' || length <= 9;
	while (digits > 1 && *word == '0') {
		word++;
		digits--;
	}
	if (wide)
		return digits <= 18;
	return digits < 10 || (digits == 10 && strncmp(word, "2147483647", 10) <= 0);
}

/* What is in the string behind such a word, for people; NULL: nothing that others may not read. */
static const char *secret_behind(const char *word, size_t length)
{
	static const struct {
		const char *word, *what;
	} rows[] = {
		{ "key", "a key" }, { "password", "a password" }, { "salt", "a salt" }, { "secret", "a secret" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == length && strncmp(word, rows[i].word, length) == 0)
			return rows[i].what;
	return NULL;
}

static bool check_words(struct reader *reader, const char *text)
{
	struct scan_state scan = { text, 1 };
	reader->secret = NULL;
	const char *secret = NULL;	/* of the last name */
	while (*scan.at != '\0') {
		size_t length = 0;
		if (*scan.at == '"') {
			if (secret != NULL && scan.at[1] != '"')
				reader->secret = secret;
			skip_string(&scan);
		} else if (*scan.at == '#' || (*scan.at == '/' && (scan.at[1] == '/' || scan.at[1] == '*'))) {
			skip_comment(&scan);
		} else if (word_char(*scan.at)) {
			while (word_char(scan.at[length]))
				length++;
			const char *digits = *scan.at == '-' ? scan.at + 1 : scan.at;
			size_t rest = length - (size_t)(digits - scan.at);
			bool number = *digits >= '0' && *digits <= '9';
			if (number && !number_fits(digits, rest)) {
				snprintf(reader->error, CONFIG_ERROR_MAX,
					 "%s:%u: %.*s is too large: expected at most 2147483647%s", reader->file,
					 scan.line, (int)(length < 40 ? length : 40), secret != NULL ? "it" : scan.at,
					 secret != NULL ? "" : ", or an L behind it");
				return false;
			}
			if (!number)
				secret = secret_behind(scan.at, length);
			scan.at += length;
		} else if (strncmp(scan.at, "@include", 8) == 0) {
			snprintf(reader->error, CONFIG_ERROR_MAX, "%s:%u: @include is not allowed: expected one file",
				 reader->file, scan.line);
			return false;
		} else {
			scan.line += *scan.at++ == '\n';
		}
	}
	return true;
}

static char *read_file(const char *name, char *error, bool *missing_out)
{
	enum { FILE_MOST = 4 << 20 };
	FILE *file = fopen(name, "re");
	*missing_out = file == NULL && errno == ENOENT;
	char *text = file != NULL ? calloc(1, FILE_MOST + 1) : NULL;
	size_t length = text != NULL ? fread(text, 1, FILE_MOST, file) : 0;
	if (text == NULL || ferror(file)) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: cannot be read: %s", name, strerror(errno));
	} else if (length == FILE_MOST || strlen(text) != length) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: expected a text of less than %d bytes", name, FILE_MOST);
	} else {
		fclose(file);
		return text;
	}
	free(text);
	if (file != NULL)
		fclose(file);
	return NULL;
}

bool read_open(struct reader *reader, config_t *file_out, bool *missing_out)
{
	char *text = read_file(reader->file, reader->error, missing_out);
	/* first: libconfig 1.7 calls a number that is too large a syntax error */
	if (text == NULL || !check_words(reader, text)) {
		free(text);
		return false;
	}
	config_init(file_out);
	bool parsed = config_read_string(file_out, text) == CONFIG_TRUE;
	free(text);
	if (!parsed) {
		snprintf(reader->error, CONFIG_ERROR_MAX, "%s:%d: %s", reader->file, config_error_line(file_out),
			 config_error_text(file_out));
		config_destroy(file_out);
	}
	return parsed;
}

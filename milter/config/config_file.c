/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file in libconfig's syntax, parsed; and before that, what libconfig lets pass.
 */
#include "milter/config/config_read.h"

#include "milter/base/plain_file.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { DEPTH_MOST = 60, SHOWN_MOST = 60 };

struct bracket {
	char open;
	unsigned line;
};

struct config_file_scan_state {
	const char *at;
	unsigned line;
	struct bracket brackets[DEPTH_MOST];
	int depth;
};

static bool config_file_scan_error(struct reader *reader, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static bool config_file_scan_error(struct reader *reader, unsigned line, const char *format, ...)
{
	va_list arguments;
	int length = snprintf(reader->error, CONFIG_ERROR_MAX, "%s:%u: ", reader->file, line);
	va_start(arguments, format);
	if (length < CONFIG_ERROR_MAX)
		vsnprintf(reader->error + length, (size_t)(CONFIG_ERROR_MAX - length), format, arguments);
	va_end(arguments);
	return false;
}

/* libconfig would go on to the next quote, and tell of a line far below. */
static bool config_file_skip_string(struct reader *reader, struct config_file_scan_state *scan)
{
	for (scan->at++; *scan->at != '\0' && *scan->at != '"' && *scan->at != '\n'; scan->at++)
		if (*scan->at == '\\' && scan->at[1] != '\0' && scan->at[1] != '\n')
			scan->at++;
	if (*scan->at != '"')
		return config_file_scan_error(reader, scan->line,
					      "a string has no closing quote: expected \"...\" on one line");
	scan->at++;
	return true;
}

static bool config_file_skip_comment(struct reader *reader, struct config_file_scan_state *scan)
{
	bool block = scan->at[0] == '/' && scan->at[1] == '*';
	const char *end = block ? strstr(scan->at + 2, "*/") : strchr(scan->at, '\n');
	if (end == NULL && block)
		return config_file_scan_error(reader, scan->line,
					      "a comment is never closed: expected */ behind its /*");
	if (end == NULL)
		end = scan->at + strlen(scan->at);
	else if (block)
		end += 2;
	for (; scan->at < end; scan->at++)
		scan->line += *scan->at == '\n';
	return true;
}

static char closing_of(char open)
{
	return open == '(' ? ')' : open == '[' ? ']' : '}';
}

/* One byte that is in no string, comment or word. */
static bool config_file_take_byte(struct reader *reader, struct config_file_scan_state *scan)
{
	char byte = *scan->at++;
	struct bracket *last = scan->depth > 0 ? &scan->brackets[scan->depth - 1] : NULL;
	scan->line += byte == '\n';
	if (byte == '{' || byte == '(' || byte == '[') {
		if (scan->depth == DEPTH_MOST)
			return config_file_scan_error(reader, scan->line, "'%c' is in %d others: expected fewer", byte,
						      DEPTH_MOST);
		scan->brackets[scan->depth++] = (struct bracket){ byte, scan->line };
	} else if (byte == '}' || byte == ')' || byte == ']') {
		if (last == NULL)
			return config_file_scan_error(reader, scan->line,
						      "'%c' closes nothing: expected one opened before it", byte);
		if (byte != closing_of(last->open))
			return config_file_scan_error(reader, scan->line,
						      "'%c' is found, expected '%c': the '%c' of line %u is still open",
						      byte, closing_of(last->open), last->open, last->line);
		scan->depth--;
	}
	return true;
}

static bool word_char(char c)
{
	return (c >= '0' && c <= '9') || (text_lower(c) >= 'a' && text_lower(c) <= 'z') || c == '_' || c == '-' ||
	       c == '.' || c == '*';
}

/* libconfig 1.5 keeps the low 32 bits of a whole number that is too large for its type, and says nothing. */
static bool config_file_number_fits(const char *word, size_t length)
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
static const char *config_file_secret_behind(const char *word, size_t length)
{
	static const struct {
		const char *word, *what;
	} rows[] = {
		{ "key", "a key" },
		{ "password", "a password" },
		{ "salt", "a salt" },
		{ "secret", "a secret" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].word) == length && strncmp(word, rows[i].word, length) == 0)
			return rows[i].what;
	return NULL;
}

/* A word begins at the scan: a name, a number, true or false. `name` is the last name. */
struct scan_name {
	char word[40];
	const char *secret; /* what is behind it that others must not read; NULL: nothing */
};

static bool config_file_take_word(struct reader *reader, struct config_file_scan_state *scan, struct scan_name *name)
{
	size_t length = 0;
	while (word_char(scan->at[length]))
		length++;
	const char *digits = *scan->at == '-' ? scan->at + 1 : scan->at;
	bool number = *digits >= '0' && *digits <= '9';
	int shown = (int)(length < sizeof name->word ? length : sizeof name->word - 1);
	if (number && !config_file_number_fits(digits, length - (size_t)(digits - scan->at)))
		return config_file_scan_error(reader, scan->line,
					      "%s: %.*s is too large: expected at most 2147483647%s", name->word,
					      name->secret != NULL ? 2 : shown, name->secret != NULL ? "it" : scan->at,
					      name->secret != NULL ? "" : ", or an L behind it");
	if (!number) {
		name->secret = config_file_secret_behind(scan->at, length);
		snprintf(name->word, sizeof name->word, "%.*s", shown, scan->at);
	}
	scan->at += length;
	return true;
}

static bool config_file_take_token(struct reader *reader, struct config_file_scan_state *scan, struct scan_name *name)
{
	if (*scan->at == '"') {
		if (name->secret != NULL && scan->at[1] != '"')
			reader->secret = name->secret;
		return config_file_skip_string(reader, scan);
	}
	if (*scan->at == '#' || (*scan->at == '/' && (scan->at[1] == '/' || scan->at[1] == '*')))
		return config_file_skip_comment(reader, scan);
	if (word_char(*scan->at))
		return config_file_take_word(reader, scan, name);
	if (strncmp(scan->at, "@include", 8) == 0)
		return config_file_scan_error(reader, scan->line, "@include is not allowed: expected one file");
	return config_file_take_byte(reader, scan);
}

static bool config_file_check_words(struct reader *reader, const char *text)
{
	struct config_file_scan_state scan = { .at = text, .line = 1 };
	struct scan_name name = { .word = "a number" };
	reader->secret = NULL;
	if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
		return config_file_scan_error(reader, 1,
					      "a byte-order mark (BOM) is at the beginning, expected plain text: "
					      "LC_ALL=C sed -i '1s/^...//' %s takes it off",
					      reader->file);
	while (*scan.at != '\0')
		if (!config_file_take_token(reader, &scan, &name))
			return false;
	if (scan.depth > 0)
		return config_file_scan_error(reader, scan.brackets[scan.depth - 1].line,
					      "'%c' is never closed: expected '%c' before the end of the file",
					      scan.brackets[scan.depth - 1].open,
					      closing_of(scan.brackets[scan.depth - 1].open));
	return true;
}

/* The beginning of a line of the text, without what is in its strings, which may be secret. */
static void config_file_show_line(const char *text, int line, char shown[SHOWN_MOST + 8])
{
	size_t used = 0;
	bool quoted = false;
	for (; line > 1 && strchr(text, '\n') != NULL; line--)
		text = strchr(text, '\n') + 1;
	for (text += strspn(text, " \t"); *text != '\0' && *text != '\n' && used < SHOWN_MOST; text++) {
		if (!quoted || *text == '"')
			shown[used++] = (unsigned char)*text >= ' ' && *text != 0x7f ? *text : '?';
		else if (shown[used - 1] == '"')
			used += (size_t)snprintf(shown + used, 4, "...");
		quoted ^= *text == '"';
	}
	shown[used] = '\0';
}

/* How many named settings of the file, or of a part of it, begin in that line. */
static int config_file_names_in_line(const config_setting_t *part, unsigned line)
{
	int count = 0;
	for (int i = 0; i < config_setting_length(part); i++) {
		const config_setting_t *member = config_setting_get_elem(part, (unsigned)i);
		count += config_setting_name(member) != NULL && config_setting_source_line(member) == line;
		if (config_setting_is_aggregate(member))
			count += config_file_names_in_line(member, line);
	}
	return count;
}

/* The name of the line that libconfig did not take: it has taken those before it. "" : none is found. */
static void config_file_find_name(const char *text, const config_t *file, char name[SHOWN_MOST + 8])
{
	int taken = config_file_names_in_line(config_root_setting(file), (unsigned)config_error_line(file));
	config_file_show_line(text, config_error_line(file), name);
	for (const char *at = name; *at != '\0';) {
		size_t length = 0;
		while (word_char(at[length]))
			length++;
		const char *behind = at + length + strspn(at + length, " \t");
		if (length > 0 && (*behind == '=' || *behind == ':') && taken-- == 0) {
			memmove(name, at, length);
			name[length] = '\0';
			return;
		}
		at += length > 0 ? length : 1;
	}
	name[0] = '\0';
}

/* What libconfig says, in words that help. */
static void config_file_explain(struct reader *reader, const char *text, const config_t *file)
{
	/* clang-format off */
	static const struct { const char *theirs, *ours; } rows[] = {
		{ "syntax error", "syntax error, expected NAME = VALUE or NAME: { ... }" },
		{ "mismatched element type in array",
		  "an array has elements of several kinds, expected strings or numbers alone, or a list ( ... )" },
	};
	/* clang-format on */
	char shown[SHOWN_MOST + 8], name[SHOWN_MOST + 8], twice[SHOWN_MOST + 80];
	const char *said = config_error_text(file);
	config_file_show_line(text, config_error_line(file), shown);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(said, rows[i].theirs) == 0)
			said = rows[i].ours;
	if (strcmp(said, "duplicate setting name") == 0) {
		config_file_find_name(text, file, name);
		snprintf(twice, sizeof twice, "%s is there a second time, expected it once",
			 *name != '\0' ? name : "an option");
		said = twice;
	}
	config_file_scan_error(reader, (unsigned)config_error_line(file), "%s; found at or before: %s", said,
			       *shown != '\0' ? shown : "the end of the file");
}

static char *config_file_read(const char *name, char *error, bool *missing_out)
{
	enum { FILE_MOST = 4 << 20 };
	const char *why;
	FILE *file = plain_file_read(name, &why);
	*missing_out = file == NULL && errno == ENOENT;
	char *text = file != NULL ? calloc(1, FILE_MOST + 1) : NULL;
	size_t length = text != NULL ? fread(text, 1, FILE_MOST, file) : 0;
	if (text == NULL || ferror(file)) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: cannot be read: %s", name, file == NULL ? why : strerror(errno));
	} else if (length == FILE_MOST) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: is too long: expected less than %d bytes", name, FILE_MOST);
	} else if (strlen(text) != length) {
		unsigned line = 1;
		for (const char *at = text; *at != '\0'; at++)
			line += *at == '\n';
		snprintf(error, CONFIG_ERROR_MAX,
			 "%s:%u: a byte of value 0 is there: expected a text in UTF-8 or ASCII, not UTF-16", name,
			 line);
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
	char *text = config_file_read(reader->file, reader->error, missing_out);
	/* first: libconfig 1.7 calls a number that is too large a syntax error */
	if (text == NULL || !config_file_check_words(reader, text)) {
		free(text);
		return false;
	}
	config_init(file_out);
	bool parsed = config_read_string(file_out, text) == CONFIG_TRUE;
	if (!parsed) {
		config_file_explain(reader, text, file_out);
		config_destroy(file_out);
	}
	free(text);
	return parsed;
}

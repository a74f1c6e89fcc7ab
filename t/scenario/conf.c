/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a configuration, and single options changed in it. It relies on the form of the .conf files here: a
 * group's first line is `name: {` and its last `};`, an option has a line of its own, a list ends with the line `);`.
 */
#include "t/scenario/play.h"

#include "policy/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

bool conf_load(struct conf *conf, const char *file, char *error, size_t error_size)
{
	FILE *from = fopen(file, "re");
	size_t length = from != NULL ? fread(conf->text, 1, sizeof conf->text - 1, from) : 0;
	conf->text[length] = '\0';
	if (from != NULL)
		fclose(from);
	if (length == 0 || length == sizeof conf->text - 1)
		snprintf(error, error_size, "%s cannot be read, is empty or too long", file);
	return length > 0 && length < sizeof conf->text - 1;
}

static char *next_line(char *line)
{
	line += strcspn(line, "\n");
	return *line != '\0' ? line + 1 : line;
}

/* The line in from..to that sets `name`; NULL: none. */
static char *find_option(char *from, const char *to, const char *name)
{
	size_t length = strlen(name);
	for (char *line = from; line < to && *line != '\0'; line = next_line(line)) {
		const char *word = line + strspn(line, "\t ");
		const char *behind =
			word + length + strspn(word + (strlen(word) < length ? strlen(word) : length), " ");
		if (strncmp(word, name, length) == 0 && (*behind == '=' || *behind == ':'))
			return line;
	}
	return NULL;
}

/* Behind the option that begins at `line`: its one line, or the line that ends its list. */
static char *behind_option(char *line)
{
	char *end = next_line(line);
	if (end - line >= 2 && end[-2] == ';')
		return end;
	while (*end != '\0' && strncmp(end, ");", 2) != 0)
		end = next_line(end);
	return next_line(end);
}

static bool replace(struct conf *conf, char *from, const char *to, const char *with, char *error, size_t error_size)
{
	size_t tail = strlen(to) + 1, length = strlen(with);
	if ((size_t)(from - conf->text) + length + tail > sizeof conf->text) {
		snprintf(error, error_size, "the configuration becomes too long");
		return false;
	}
	memmove(from + length, to, tail);
	memcpy(from, with, length);
	return true;
}

bool conf_set(struct conf *conf, const char *name, const char *value, char *error, size_t error_size)
{
	char group[80], text[LINE_LONGEST + 200];
	const char *dot = strchr(name, '.');
	char *from = conf->text, *to = conf->text + strlen(conf->text);
	const char *member = dot != NULL ? dot + 1 : name;
	snprintf(text, sizeof text, "%s = %s;\n", member, value);
	if (dot != NULL) {
		snprintf(group, sizeof group, "%.*s", (int)(dot - name), name);
		char *start = find_option(conf->text, to, group);
		if (start == NULL) {
			snprintf(text, sizeof text, "%s: {\n%s = %s;\n};\n", group, member, value);
			return replace(conf, to, to, text, error, error_size);
		}
		from = to = next_line(start);
		while (*to != '\0' && *to != '}')
			to = next_line(to);
	}
	char *line = find_option(from, to, member);
	if (line == NULL)
		return replace(conf, dot != NULL ? from : to, dot != NULL ? from : to, text, error, error_size);
	return replace(conf, line, behind_option(line), text, error, error_size);
}

bool conf_write(const struct conf *conf, const char *folder, const char *file, char *error, size_t error_size)
{
	static const char mark[] = "@FOLDER@";
	FILE *to = fopen(file, "we");
	if (to == NULL) {
		snprintf(error, error_size, "%s cannot be written", file);
		return false;
	}
	const char *at = conf->text;
	for (const char *found; (found = strstr(at, mark)) != NULL; at = found + sizeof mark - 1)
		fprintf(to, "%.*s%s", (int)(found - at), at, folder);
	fputs(at, to);
	return fclose(to) == 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static void read_path(struct text *text, const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);
	if (parent == NULL)
		return;
	read_path(text, parent);
	const char *name = config_setting_name(setting);
	if (name != NULL)
		text_addf(text, config_setting_is_root(parent) ? "%s" : ".%s", name);
	else
		text_addf(text, "[%d]", config_setting_index(setting));
}

static void config_read_write_error(struct reader *reader, const config_setting_t *setting, bool path,
				    const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

static void config_read_write_error(struct reader *reader, const config_setting_t *setting, bool path,
				    const char *format, va_list arguments)
{
	char said[400];
	if (reader->error[0] != '\0')
		return;
	struct text text = text_over(reader->error, CONFIG_ERROR_MAX);
	text_add(&text, reader->file);
	if (setting != NULL)
		text_addf(&text, ":%u", config_setting_source_line(setting));
	text_add(&text, ": ");
	vsnprintf(said, sizeof said, format, arguments);
	for (char *at = said; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?'; /* a value's newline would be a line of its own */
	if (setting != NULL && path) {
		read_path(&text, setting);
		text_add(&text, " ");
	}
	text_add(&text, said);
}

bool read_error(struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	config_read_write_error(reader, setting, true, format, arguments);
	va_end(arguments);
	return false;
}

/* read_error without the path, which the sentence has itself. */
__attribute__((format(printf, 3, 4))) static bool read_fault(struct reader *reader, const config_setting_t *setting,
							     const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	config_read_write_error(reader, setting, false, format, arguments);
	va_end(arguments);
	return false;
}

bool read_unknown(struct reader *reader, const config_setting_t *setting, read_name_function *names, const void *arg)
{
	char section[200] = "", nearest[READ_NAME_MAX];
	const char *name = config_setting_name(setting);
	struct text text = text_over(section, sizeof section);
	const config_setting_t *parent = config_setting_parent(setting);
	if (!config_setting_is_root(parent)) {
		text_add(&text, " in section ");
		read_path(&text, parent);
	}
	if (read_nearest(name, names, arg, nearest))
		return read_fault(reader, setting, "unknown option \"%s\"%s; did you mean \"%s\"?", name, section,
				  nearest);
	return read_fault(reader, setting, "unknown option \"%s\"%s; see penstock.conf(5)", name, section);
}

char *read_keep(struct reader *reader, const char *string)
{
	char **more = realloc(reader->strings, (reader->string_count + 1) * sizeof *more);
	if (more == NULL)
		return NULL;
	reader->strings = more;
	char *kept = strdup(string);
	more[reader->string_count] = kept;
	reader->string_count += kept != NULL;
	return kept;
}

static const char *config_read_type_word(int type)
{
	switch (type) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a number";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	default:
		return "a list";
	}
}

static bool wrong_type(struct reader *reader, const config_setting_t *setting, int expected)
{
	return read_error(reader, setting, "is %s, expected %s", config_read_type_word(config_setting_type(setting)),
			  config_read_type_word(expected));
}

const char *read_number_text(double number, char text[NUMBER_TEXT_MAX])
{
	bool whole = fabs(number) < 1e16 && number >= floor(number) && number <= floor(number);
	snprintf(text, NUMBER_TEXT_MAX, whole ? "%.0f" : "%.10g", number);
	return text;
}

static bool read_string(struct reader *reader, const config_setting_t *setting, const struct field *field, void *at)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return wrong_type(reader, setting, CONFIG_TYPE_STRING);
	const char *value = config_setting_get_string(setting);
	size_t length = strlen(value);
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f) /* the value is not shown: it may be a secret */
			return read_error(reader, setting, "has a control character at byte %zu, expected none", i + 1);
	if ((double)length < field->least || (double)length > field->most)
		return read_error(reader, setting, "has %zu byte%s, expected %.0f to %.0f", length,
				  length == 1 ? "" : "s", field->least, field->most);
	if (field->type == FIELD_TEXT)
		return text_copy(at, (size_t)field->most + 1, value);
	*(const char **)at = read_keep(reader, value);
	return *(const char **)at != NULL || read_error(reader, setting, "does not fit into memory");
}

int read_word(struct reader *reader, const config_setting_t *setting, const char *const *words)
{
	char expected[200];
	struct text text = text_over(expected, sizeof expected);
	const char *value = read_text(reader, setting);
	for (int i = 0; value != NULL && words[i] != NULL; i++) {
		if (strcmp(value, words[i]) == 0)
			return i;
		text_addf(&text, i == 0 ? "%s" : words[i + 1] == NULL ? " or %s" : ", %s", words[i]);
	}
	if (value != NULL)
		read_error(reader, setting, "is \"%s\", expected %s", value, expected);
	return -1;
}

static bool read_number(struct reader *reader, const config_setting_t *setting, const struct field *field, void *at)
{
	char said[NUMBER_TEXT_MAX], least[NUMBER_TEXT_MAX], most[NUMBER_TEXT_MAX];
	int type = config_setting_type(setting);
	bool whole = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	if (!whole && (field->type == FIELD_INT || type != CONFIG_TYPE_FLOAT))
		return wrong_type(reader, setting, field->type == FIELD_INT ? CONFIG_TYPE_INT : CONFIG_TYPE_FLOAT);
	double value = whole ? (double)config_setting_get_int64(setting) : config_setting_get_float(setting);
	if (!isfinite(value) || value < field->least || value > field->most)
		return read_error(reader, setting, "is %s, expected %s to %s", read_number_text(value, said),
				  read_number_text(field->least, least), read_number_text(field->most, most));
	if (field->type == FIELD_INT)
		*(int64_t *)at = config_setting_get_int64(setting);
	else
		*(double *)at = value;
	return true;
}

static bool read_field(struct reader *reader, const config_setting_t *setting, const struct field *field, void *into)
{
	void *at = (char *)into + field->offset;
	switch (field->type) {
	case FIELD_STRING:
	case FIELD_TEXT:
		return read_string(reader, setting, field, at);
	case FIELD_INT:
	case FIELD_FLOAT:
		return read_number(reader, setting, field, at);
	case FIELD_BOOL:
		if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
			return wrong_type(reader, setting, CONFIG_TYPE_BOOL);
		*(bool *)at = config_setting_get_bool(setting) != 0;
		return true;
	case FIELD_OWN:
		return field->own(reader, setting, into);
	}
	return false;
}

bool read_value(struct reader *reader, const config_setting_t *setting, const struct field *field, void *into)
{
	return read_field(reader, setting, field, into);
}

/* A default is a small file of its own, read like the real one. */
static bool read_default(struct reader *reader, const struct field *field, void *into)
{
	char line[400];
	config_t config;
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "v = %s;", field->text);
	config_init(&config);
	bool fine = config_read_string(&config, line) == CONFIG_TRUE &&
		    read_field(reader, config_lookup(&config, "v"), field, into);
	config_destroy(&config);
	return fine;
}

static const config_setting_t *find_member(const config_setting_t *group, const char *path)
{
	return group != NULL ? config_setting_lookup((config_setting_t *)(uintptr_t)group, path) : NULL;
}

const config_setting_t *read_option(const struct reader *reader, const char *path)
{
	return find_member(reader->root, path);
}

struct known_fields {
	const struct field *fields;
	size_t count;
};

static bool field_name(const void *arg, size_t i, char name[READ_NAME_MAX])
{
	const struct known_fields *known = arg;
	return i < known->count && (text_copy(name, READ_NAME_MAX, known->fields[i].path) || true);
}

static bool config_read_refuse_unknown(struct reader *reader, const config_setting_t *group,
				       const struct known_fields *known)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
		size_t j = 0;
		while (j < known->count && strcmp(known->fields[j].path, config_setting_name(member)) != 0)
			j++;
		if (j == known->count)
			return read_unknown(reader, member, field_name, known);
	}
	return true;
}

static bool read_fields(struct reader *reader, const config_setting_t *group, const struct field *fields, size_t count,
			bool defaults, void *into)
{
	/* the fields of the whole file are checked for unknown ones by config.c, which knows the lists too */
	bool whole_file = group == NULL || config_setting_is_root(group);
	if (!whole_file && !config_setting_is_group(group))
		return wrong_type(reader, group, CONFIG_TYPE_GROUP);
	if (!whole_file && !config_read_refuse_unknown(reader, group, &(struct known_fields){ fields, count }))
		return false;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *member = find_member(group, fields[i].path);
		if (member != NULL) {
			if (!read_field(reader, member, &fields[i], into))
				return false;
		} else if (!defaults) {
			continue;
		} else if (fields[i].text == NULL) {
			return read_error(reader, group, "has no \"%s\", which must be given", fields[i].path);
		} else if (!read_default(reader, &fields[i], into)) {
			return false;
		}
	}
	return true;
}

bool read_group(struct reader *reader, const config_setting_t *group, const struct field *fields, size_t count,
		void *into)
{
	return read_fields(reader, group, fields, count, true, into);
}

bool read_given(struct reader *reader, const config_setting_t *group, const struct field *fields, size_t count,
		void *into)
{
	return read_fields(reader, group, fields, count, false, into);
}

const char *read_text(struct reader *reader, const config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);
	if (text == NULL)
		read_error(reader, setting, "is %s, expected a string",
			   config_read_type_word(config_setting_type(setting)));
	return text;
}

/* A service name in master.cf and a word of a header. */
bool read_name(struct reader *reader, const config_setting_t *setting, char *name, size_t size)
{
	const char *text = read_text(reader, setting);
	if (text == NULL)
		return false;
	if (*text == '\0' ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != strlen(text) ||
	    !text_copy(name, size, text))
		return read_error(reader, setting, "is \"%s\", expected 1 to %zu letters, digits, '-', '_' or '.'",
				  text, size - 1);
	return true;
}

/* What is a string, and is there already. Tables of thousands are sorted, and looked through by who reads them. */
static bool config_read_refuse_again(struct reader *reader, const config_setting_t *list, int index)
{
	enum { COMPARED_MOST = 300 };
	const config_setting_t *element = config_setting_get_elem(list, (unsigned)index);
	const char *text = config_setting_get_string(element);
	for (int i = 0; i < index && text != NULL && index < COMPARED_MOST; i++) {
		const config_setting_t *other = config_setting_get_elem(list, (unsigned)i);
		const char *same = config_setting_get_string(other);
		if (same != NULL && text_same_nocase(text, same))
			return read_error(reader, element, "is \"%s\" again, expected it once", text);
	}
	return true;
}

bool read_each(struct reader *reader, const config_setting_t *list, int most, read_function *read_one, void *into)
{
	if (!config_setting_is_list(list) && !config_setting_is_array(list))
		return read_error(reader, list, "is %s, expected a list: [ \"...\" ] or ( { ... } )",
				  config_read_type_word(config_setting_type(list)));
	int count = config_setting_length(list);
	if (count > most)
		return read_error(reader, list, "has %d elements, expected at most %d", count, most);
	for (int i = 0; i < count; i++)
		if (!config_read_refuse_again(reader, list, i) ||
		    !read_one(reader, config_setting_get_elem(list, (unsigned)i), into))
			return false;
	return true;
}

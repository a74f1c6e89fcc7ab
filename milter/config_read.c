/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/config_read.h"

#include "policy/base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static void add_path(struct text *text, const config_setting_t *setting)
{
	const config_setting_t *parent = config_setting_parent(setting);
	if (parent == NULL)
		return;
	add_path(text, parent);
	const char *name = config_setting_name(setting);
	if (name != NULL)
		text_addf(text, config_setting_is_root(parent) ? "%s" : ".%s", name);
	else
		text_addf(text, "[%d]", config_setting_index(setting));
}

bool read_error(struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	char said[300];
	va_list arguments;
	if (reader->error[0] != '\0')
		return false;
	struct text text = text_over(reader->error, CONFIG_ERROR_MAX);
	text_add(&text, reader->file);
	if (setting != NULL) {
		text_addf(&text, ":%u: ", config_setting_source_line(setting));
		add_path(&text, setting);
	} else {
		text_add(&text, ":");
	}
	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	for (char *at = said; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';	/* a value's newline would be a line of its own */
	text_addf(&text, " %s", said);
	return false;
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

static const char *type_word(int type)
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
	return read_error(reader, setting, "is %s, expected %s", type_word(config_setting_type(setting)),
			  type_word(expected));
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
	if ((double)length < field->least || (double)length > field->most)
		return read_error(reader, setting, "has %zu bytes, expected %.0f to %.0f", length, field->least,
				  field->most);
	if (field->type == FIELD_TEXT)
		return text_copy(at, (size_t)field->most + 1, value);
	*(const char **)at = read_keep(reader, value);
	return *(const char **)at != NULL || read_error(reader, setting, "does not fit into memory");
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

static bool is_known(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].path, name) == 0)
			return true;
	return false;
}

static bool refuse_unknown(struct reader *reader, const config_setting_t *group, const struct field *fields,
			   size_t count)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
		if (!is_known(fields, count, config_setting_name(member)))
			return read_error(reader, member, "is no option: look for a misspelt name");
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
	if (!whole_file && !refuse_unknown(reader, group, fields, count))
		return false;
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *member = find_member(group, fields[i].path);
		if (member != NULL) {
			if (!read_field(reader, member, &fields[i], into))
				return false;
		} else if (!defaults) {
			continue;
		} else if (fields[i].text == NULL) {
			return read_error(reader, group, "has no \"%s\", which it needs: %s", fields[i].path, fields[i].help);
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
		read_error(reader, setting, "is not a string: expected \"...\"");
	return text;
}

bool read_each(struct reader *reader, const config_setting_t *list, int most, read_function *read_one, void *into)
{
	if (!config_setting_is_list(list) && !config_setting_is_array(list))
		return read_error(reader, list, "is %s, expected a list: [ \"...\" ] or ( { ... } )",
				  type_word(config_setting_type(list)));
	int count = config_setting_length(list);
	if (count > most)
		return read_error(reader, list, "has %d elements, expected at most %d", count, most);
	for (int i = 0; i < count; i++)
		if (!read_one(reader, config_setting_get_elem(list, (unsigned)i), into))
			return false;
	return true;
}

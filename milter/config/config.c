/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/config/config.h"

#include "milter/config/config_read.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* What config_load makes; the configuration is its first member. */
struct held_config {
	struct config config;
	atomic_int references;
	char **strings;
	size_t string_count;
};

/* ---- options that are one of a few words */

#define WORD_TEXT(id, word) word,
#define WORD_READ(member, rows) \
	static bool read_##member(struct reader *reader, const config_setting_t *setting, void *into) \
	{ \
		static const char *const words[] = { rows(WORD_TEXT) NULL }; \
		int at = read_word(reader, setting, words); \
		if (at >= 0) \
			((struct settings *)into)->member = (enum member)at; \
		return at >= 0; \
	}
WORD_READ(log_target, LOG_TARGET_ROWS)
WORD_READ(log_facility, LOG_FACILITY_ROWS)
WORD_READ(redis_on_failure, REDIS_ON_FAILURE_ROWS)
WORD_READ(dns_on_failure, DNS_ON_FAILURE_ROWS)
WORD_READ(spf_client, SPF_CLIENT_ROWS)
WORD_READ(reputation_blocked_action, REPUTATION_BLOCKED_ACTION_ROWS)
WORD_READ(facts_accounts, FACTS_ACCOUNTS_ROWS)
WORD_READ(follow_trace_recipients, FOLLOW_TRACE_RECIPIENTS_ROWS)
WORD_READ(clients_hide_starttls, CLIENTS_HIDE_STARTTLS_ROWS)

/* ---- the options */

enum { FIELD_WORD = FIELD_OWN };

/* clang-format off */
const struct field config_fields[] = {
#define SETTING_FIELD(path, member, type, text, least, most, help)                                 \
	{ path, (enum field_type)FIELD_##type, offsetof(struct settings, member), least, most, SETTING_OWN_##type(member), \
	  SETTING_TEXT_##type(text), help },
#define SETTING_OWN_STRING(member) NULL
#define SETTING_OWN_INT(member) NULL
#define SETTING_OWN_FLOAT(member) NULL
#define SETTING_OWN_BOOL(member) NULL
#define SETTING_OWN_WORD(member) read_##member
#define SETTING_TEXT_STRING(text) "\"" text "\""
#define SETTING_TEXT_WORD(text) "\"" text "\""
#define SETTING_TEXT_INT(text) text
#define SETTING_TEXT_FLOAT(text) text
#define SETTING_TEXT_BOOL(text) text
	SETTING_ROWS(SETTING_FIELD, SETTING_FIELD)
#undef SETTING_FIELD
};
/* clang-format on */
const size_t config_field_count = sizeof config_fields / sizeof config_fields[0];

bool config_is_rare(size_t i)
{
	static const bool rare[] = {
#define SETTING_COMMON(path, member, type, text, least, most, help) false,
#define SETTING_RARE(path, member, type, text, least, most, help) true,
		SETTING_ROWS(SETTING_COMMON, SETTING_RARE)
#undef SETTING_RARE
#undef SETTING_COMMON
	};
	return rare[i];
}

/* ---- names */

static bool path_begins(const char *path, const char *start)
{
	size_t length = strlen(start);
	return strncmp(path, start, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

/* Is `path` an option, or a group that options are in? */
static bool config_path_known(const char *path)
{
	for (size_t i = 0; i < config_field_count; i++)
		if (path_begins(config_fields[i].path, path))
			return true;
	for (size_t i = 0; i < config_list_count; i++)
		if (config_lists[i].read != NULL && path_begins(config_lists[i].path, path))
			return true;
	return false;
}

/* A group in its place is an error, which the reading of the list tells better than its first word. */
static bool config_is_list(const char *path)
{
	for (size_t i = 0; i < config_list_count; i++)
		if (strcmp(config_lists[i].path, path) == 0)
			return true;
	return false;
}

/* The words that may stand in the group whose path is `arg`; some come several times, and "" is none. */
static bool config_member_name(const void *arg, size_t i, char name[READ_NAME_MAX])
{
	const char *group = arg;
	size_t length = strlen(group);
	if (i >= config_field_count + config_list_count)
		return false;
	const char *path = i < config_field_count ? config_fields[i].path : config_lists[i - config_field_count].path;
	bool inside = length == 0 || (strncmp(path, group, length) == 0 && path[length] == '.');
	text_copy(name, READ_NAME_MAX, inside ? path + length + (length > 0) : "");
	name[strcspn(name, ".")] = '\0';
	return true;
}

static const struct field *config_find_field(const char *path)
{
	for (size_t i = 0; i < config_field_count; i++)
		if (strcmp(config_fields[i].path, path) == 0)
			return &config_fields[i];
	return NULL;
}

static bool config_is_option(const char *path)
{
	return config_find_field(path) != NULL || config_is_list(path);
}

static bool config_check_names(struct reader *reader, const config_setting_t *group, const char *path)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
		char whole[300];
		snprintf(whole, sizeof whole, "%s%s%s", path, *path != '\0' ? "." : "", config_setting_name(member));
		if (!config_path_known(whole))
			return read_unknown(reader, member, config_member_name, path);
		if (config_is_option(whole))
			continue;
		if (!config_setting_is_group(member))
			return read_error(reader, member, "is no section, expected %s: { ... };",
					  config_setting_name(member));
		if (!config_check_names(reader, member, whole))
			return false;
	}
	return true;
}

/* ---- loading */

static void config_number_transports(struct config *config)
{
	int index = 0;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			config->pools[i].transports[j].index = index++;
}

static bool config_read_lists_and_arrays(struct reader *reader, config_t *file)
{
	for (size_t i = 0; i < config_list_count; i++) {
		const struct config_list *list = &config_lists[i];
		config_setting_t *setting = config_lookup(file, list->path);
		config_t example;
		if (list->read == NULL)
			continue;
		if (setting != NULL) {
			if (!list->read(reader, setting, reader->config))
				return false;
			continue;
		}
		char line[400];
		snprintf(line, sizeof line, "v = %s;", list->example);
		config_init(&example);
		bool fine = config_read_string(&example, line) == CONFIG_TRUE &&
			    list->read(reader, config_lookup(&example, "v"), reader->config);
		config_destroy(&example);
		if (!fine)
			return false;
	}
	return true;
}

/* The catalogue comes before the lists: rows of `blocklists` take theirs from it. */
static bool config_read_all(struct reader *reader, config_t *file)
{
	const config_setting_t *root = config_root_setting(file);
	reader->root = root;
	bool named = read_option(reader, "catalogue.file") != NULL;
	return config_check_names(reader, root, "") &&
	       read_group(reader, root, config_fields, config_field_count, &reader->config->set) &&
	       catalogue_read(reader, named) && config_read_lists_and_arrays(reader, file) && catalogue_place(reader) &&
	       config_agree(reader);
}

struct config *config_load(const char *name, char error[CONFIG_ERROR_MAX])
{
	error[0] = '\0';
	config_t file;
	bool missing;
	struct reader reader = { .file = name, .error = error };
	if (!read_open(&reader, &file, &missing))
		return NULL;
	struct held_config *held = calloc(1, sizeof *held);
	if (held == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: does not fit into memory", name);
		config_destroy(&file);
		return NULL;
	}
	atomic_init(&held->references, 1);
	reader.config = &held->config;
	held->config.secret = reader.secret; /* of this file, before the catalogue is read */
	bool fine = config_read_all(&reader, &file);
	catalogue_free(&reader.catalogue);
	config_destroy(&file);
	held->strings = reader.strings;
	held->string_count = reader.string_count;
	struct config *config = &held->config;
	if (fine) {
		config_number_transports(config);
		outgoing_of(config->pools, config->pool_count, &config->outgoing);
		config_fill_policy(config);
	} else
		config_drop(&config);
	return config;
}

static void config_free_strings(char **strings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(strings[i]);
	free(strings);
}

char *config_string(const char *name, const char *path, const char *otherwise)
{
	char error[CONFIG_ERROR_MAX] = "";
	config_t file;
	bool missing;
	struct reader reader = { .file = name, .error = error };
	if (!read_open(&reader, &file, &missing))
		return NULL;
	reader.root = config_root_setting(&file);
	const struct field *field = config_find_field(path);
	MUST(field != NULL && field->type == FIELD_STRING);
	struct settings set;
	const config_setting_t *setting = read_option(&reader, path);
	bool fine = setting == NULL || read_value(&reader, setting, field, &set);
	const char *value = setting == NULL ? otherwise : *(const char **)((char *)&set + field->offset);
	char *copy = fine ? strdup(value) : NULL;
	config_free_strings(reader.strings, reader.string_count);
	config_destroy(&file);
	return copy;
}

struct config *config_hold(struct config *config)
{
	atomic_fetch_add(&((struct held_config *)config)->references, 1);
	return config;
}

void config_drop(struct config **config)
{
	struct held_config *held = (struct held_config *)*config;
	*config = NULL;
	if (held == NULL || atomic_fetch_sub(&held->references, 1) > 1)
		return;
	for (int i = 0; i < held->config.pool_count; i++)
		free(held->config.pools[i].transports);
	config_free_strings(held->strings, held->string_count);
	free(held);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/config.h"

#include "milter/config_read.h"
#include "milter/endpoint.h"
#include "milter/idn.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <math.h>
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

const struct field config_fields[] = {
#define SETTING_FIELD(path, member, type, text, least, most, help)                                 \
	{ path, FIELD_##type, offsetof(struct settings, member), least, most, NULL, SETTING_TEXT_##type(text), help },
#define SETTING_TEXT_STRING(text) "\"" text "\""
#define SETTING_TEXT_INT(text) text
#define SETTING_TEXT_FLOAT(text) text
#define SETTING_TEXT_BOOL(text) text
	SETTING_ROWS(SETTING_FIELD)
#undef SETTING_FIELD
};
const size_t config_field_count = sizeof config_fields / sizeof config_fields[0];

/* ---- names */

static bool path_begins(const char *path, const char *start)
{
	size_t length = strlen(start);
	return strncmp(path, start, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

/* Is `path` an option, or a group that options are in? */
static bool path_known(const char *path)
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
static bool is_list(const char *path)
{
	for (size_t i = 0; i < config_list_count; i++)
		if (strcmp(config_lists[i].path, path) == 0)
			return true;
	return false;
}

static bool check_names(struct reader *reader, const config_setting_t *group, const char *path)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member = config_setting_get_elem(group, (unsigned)i);
		char whole[300];
		snprintf(whole, sizeof whole, "%s%s%s", path, *path != '\0' ? "." : "", config_setting_name(member));
		if (!path_known(whole))
			return read_error(reader, member, "is no option: look for a misspelt name");
		if (config_setting_is_group(member) && !is_list(whole) && !check_names(reader, member, whole))
			return false;
	}
	return true;
}

/* ---- between settings */

static bool is_word(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(word, *words) != 0)
		words++;
	return *words != NULL;
}

static bool check_choices(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	const struct {
		const char *path, *value;
		const char *const *words;
		const char *expected;
	} rows[] = {
		{ "log.target", set->log_target, (const char *[]){ "syslog", "stderr", NULL }, "syslog or stderr" },
		{ "redis.on_failure", set->redis_on_failure, (const char *[]){ "local", "defer", NULL }, "local or defer" },
		{ "dns.on_failure", set->dns_on_failure, (const char *[]){ "unknown", "defer", NULL }, "unknown or defer" },
		{ "spf.client", set->spf_client, (const char *[]){ "off", "signal", "refuse", NULL }, "off, signal or refuse" },
		{ "reputation.blocked_action", set->reputation_blocked_action,
		  (const char *[]){ "reject", "defer", "hold", NULL }, "reject, defer or hold" },
		{ "facts.accounts", set->facts_accounts, (const char *[]){ "clear", "hashed", NULL }, "clear or hashed" },
		{ "log.facility", set->log_facility,
		  (const char *[]){ "mail", "daemon", "local0", "local1", "local2", "local3", "local4", "local5",
				    "local6", "local7", NULL },
		  "mail, daemon or local0 to local7" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!is_word(rows[i].value, rows[i].words))
			return read_error(reader, read_option(reader, rows[i].path), "is \"%s\", expected %s", rows[i].value,
					  rows[i].expected);
	return true;
}

static bool check_pair(struct reader *reader, const struct pool *a, const struct pool *b)
{
	for (int level = LEVEL_GOOD; level < LEVEL_COUNT; level++)
		if (a->levels[level] && b->levels[level])
			return read_error(reader, NULL, "pools \"%s\" and \"%s\" overlap: both have level %s, expected one",
					  a->name, b->name, level_word((enum level)level));
	for (int lane = LANE_ACCOUNT + 1; lane < LANE_COUNT; lane++)
		if (a->lanes[lane] && b->lanes[lane])
			return read_error(reader, NULL, "pools \"%s\" and \"%s\" overlap: both have lane %s, expected one",
					  a->name, b->name, lane_word((enum lane)lane));
	if (strcmp(a->name, b->name) == 0)
		return read_error(reader, NULL, "two pools are named \"%s\"", a->name);
	return true;
}

static bool check_transports(struct reader *reader)
{
	const struct config *config = reader->config;
	const struct transport *all[POOLS_MAX * TRANSPORTS_MAX];
	int count = 0;
	for (int i = 0; i < config->pool_count; i++) {
		if (config->pools[i].transport_count == 0)
			return read_error(reader, NULL, "pool \"%s\" has no transport", config->pools[i].name);
		for (int j = 0; j < config->pools[i].transport_count; j++)
			all[count++] = &config->pools[i].transports[j];
	}
	for (int i = 0; i < count; i++)
		for (int j = 0; j < i; j++)
			if (text_same_nocase(all[i]->name, all[j]->name))	/* the MTA's header checks know no case */
				return read_error(reader, NULL, "two transports are named \"%s\": pools that share one "
								"overlap", all[i]->name);
	return true;
}

static bool check_pools(struct reader *reader)
{
	const struct config *config = reader->config;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < i; j++)
			if (!check_pair(reader, &config->pools[j], &config->pools[i]))
				return false;
	return check_transports(reader);
}

static bool check_plans(struct reader *reader)
{
	struct config *config = reader->config;
	for (int i = 0; i < config->plan_count; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(config->plans[i].name, config->plans[j].name) == 0)
				return read_error(reader, NULL, "two plans are named \"%s\"", config->plans[i].name);
	if (config_plan(config, "default") == NULL) {
		struct plan *plan = &config->plans[config->plan_count++];
		text_copy(plan->name, sizeof plan->name, "default");
		plan->limits = limits_unset;
	}
	for (int i = 0; i < config->plan_count; i++)
		if (strcmp(config->plans[i].name, "default") == 0 && config->plans[i].limits.over == OVER_UNSET)
			config->plans[i].limits.over = OVER_DEFER;
	return true;
}

/* What is counted of accounts alone would be ignored in silence. */
static bool check_group_plans(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	const struct { const char *option, *plan; } groups[] = {
		{ "limits.domain_plan", set->limits_domain_plan },
		{ "limits.customer_plan", set->limits_customer_plan },
		{ "limits.server_plan", set->limits_server_plan },
		{ "limits.client_plan", set->limits_client_plan },
		{ "the plan of lane bounce", lane_word(LANE_BOUNCE) },
		{ "the plan of lane forward", lane_word(LANE_FORWARD) },
	};
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		const struct limits *limits = groups[i].plan[0] != '\0' ? config_plan(reader->config, groups[i].plan) : NULL;
		const char *word = limits != NULL ? limits_not_of_groups(limits) : NULL;
		if (word != NULL)
			return read_error(reader, NULL, "%s is \"%s\", a plan that sets %s, which is of accounts alone; "
					  "expected a plan without it", groups[i].option, groups[i].plan, word);
	}
	return true;
}

static bool check_endpoint(struct reader *reader, const char *path, const char *value)
{
	struct endpoint endpoint;
	char error[300];
	if (*value == '\0' || endpoint_parse(value, &endpoint, error, sizeof error))
		return true;
	return read_error(reader, read_option(reader, path), "is %s", error);
}

static bool check_servers(struct reader *reader)
{
	const struct config *config = reader->config;
	struct endpoint endpoint;
	char error[300], path[40];
	for (int i = 0; i < config->dns_server_count; i++) {
		const char *server = config->dns_servers[i];
		snprintf(path, sizeof path, "dns.servers.[%d]", i);
		if (strncmp(server, "unix:", 5) == 0 || !endpoint_parse(server, &endpoint, error, sizeof error))
			return read_error(reader, read_option(reader, path),
					  "is \"%s\", expected address:port or [v6]:port, the address in numbers", server);
		if (endpoint_is_link_local(&endpoint))
			return read_error(reader, read_option(reader, path),
					  "is \"%s\", expected an address that is not link-local: those cannot be asked", server);
	}
	return true;
}

static bool check_scanners(struct reader *reader)
{
	char path[40];
	for (int i = 0; i < reader->config->scanner_count; i++) {
		snprintf(path, sizeof path, "scanners.[%d].address", i);
		if (!check_endpoint(reader, path, reader->config->scanners[i].address))
			return false;
	}
	return true;
}

static bool check_origin(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	const struct {
		const char *path, *zone;
	} rows[] = { { "origin.zone4", set->origin_zone4 }, { "origin.zone6", set->origin_zone6 },
		     { "origin.names", set->origin_names } };
	char zone[LIST_ZONE_MAX + 1];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!check_domain(reader, read_option(reader, rows[i].path), rows[i].zone, zone, LIST_ZONE_MAX))
			return false;
	return true;
}

static bool check_endpoints(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	if (set->control_socket[0] != '/')
		return read_error(reader, read_option(reader, "control.socket"), "is \"%s\", expected an absolute path",
				  set->control_socket);
	return check_scanners(reader) && check_servers(reader) && check_origin(reader) &&
	       check_endpoint(reader, "milter.socket", set->milter_socket) &&
	       check_endpoint(reader, "http.listen", set->http_listen) &&
	       check_endpoint(reader, "socketmap.listen", set->socketmap_listen) &&
	       check_endpoint(reader, "redis.server", set->redis_server);
}

/* The error is at the one of both that the file has. */
static bool check_order(struct reader *reader, const char *low_path, double low, const char *high_path, double high)
{
	const config_setting_t *setting = read_option(reader, low_path);
	if (low < high)
		return true;
	if (setting != NULL)
		return read_error(reader, setting, "is %g, expected less than %s, %g", low, high_path, high);
	return read_error(reader, read_option(reader, high_path), "is %g, expected more than %s, %g", high, low_path, low);
}

static bool check_scores(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	static const char *const paths[] = { "reputation.suspect_leave", "reputation.suspect_enter",
					     "reputation.blocked_leave", "reputation.blocked_enter" };
	return check_order(reader, paths[0], set->reputation_suspect_leave, paths[1], set->reputation_suspect_enter) &&
	       check_order(reader, paths[2], set->reputation_blocked_leave, paths[3], set->reputation_blocked_enter) &&
	       check_order(reader, paths[1], set->reputation_suspect_enter, paths[3], set->reputation_blocked_enter);
}

static bool check_words(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	if (strspn(set->milter_socket_mode, "01234567") != strlen(set->milter_socket_mode))
		return read_error(reader, read_option(reader, "milter.socket_mode"), "is \"%s\", expected three octal digits",
				  set->milter_socket_mode);
	if (strspn(set->node, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(set->node))
		return read_error(reader, read_option(reader, "node"), "is \"%s\", expected letters a-z and digits", set->node);
	if (set->facts_file[0] != '\0' && set->facts_file[0] != '/')
		return read_error(reader, read_option(reader, "facts.file"), "is \"%s\", expected an absolute path", set->facts_file);
	if (strcmp(set->facts_accounts, "hashed") == 0 && strlen(set->facts_salt) < 16)
		return read_error(reader, read_option(reader, "facts.accounts"), "is \"hashed\", expected a facts.salt of at least 16 bytes");
	return true;
}

bool config_agree(struct reader *reader)
{
	return check_choices(reader) && check_pools(reader) && check_plans(reader) && check_group_plans(reader) && check_scores(reader) && check_words(reader) &&
	       check_endpoints(reader) && config_postfix_agree(reader) && config_events_agree(reader);
}

/* ---- loading */

static void number_transports(struct config *config)
{
	int index = 0;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			config->pools[i].transports[j].index = index++;
}

static bool read_lists_and_arrays(struct reader *reader, config_t *file)
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
static bool read_all(struct reader *reader, config_t *file)
{
	const config_setting_t *root = config_root_setting(file);
	reader->root = root;
	bool named = read_option(reader, "catalogue.file") != NULL;
	return check_names(reader, root, "") &&
	       read_group(reader, root, config_fields, config_field_count, &reader->config->set) &&
	       catalogue_read(reader, named) && read_lists_and_arrays(reader, file) && catalogue_place(reader) &&
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
	held->config.secret = reader.secret;	/* of this file, before the catalogue is read */
	bool fine = read_all(&reader, &file);
	catalogue_free(&reader.catalogue);
	config_destroy(&file);
	held->strings = reader.strings;
	held->string_count = reader.string_count;
	struct config *config = &held->config;
	if (fine) {
		number_transports(config);
		outgoing_of(config->pools, config->pool_count, &config->outgoing);
		config_fill_policy(config);
	} else
		config_drop(&config);
	return config;
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
	for (size_t i = 0; i < held->string_count; i++)
		free(held->strings[i]);
	free(held->strings);
	free(held);
}

/* ---- questions */

const struct limits *config_plan(const struct config *config, const char *name)
{
	for (int i = 0; i < config->plan_count; i++)
		if (strcmp(config->plans[i].name, name) == 0)
			return &config->plans[i].limits;
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What must hold between settings of the configuration file, once all are read.
 */
#include "milter/config/config_read.h"

#include "milter/base/endpoint.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* An element of a list, or a transport of a pool's, where it stands. */
static const config_setting_t *element(const struct reader *reader, const char *list, int i, int j)
{
	char path[60];
	snprintf(path, sizeof path, j < 0 ? "%s.[%d]" : "%s.[%d].transports.[%d]", list, i, j);
	return read_option(reader, path);
}

static unsigned line_of(const config_setting_t *setting)
{
	return setting != NULL ? config_setting_source_line(setting) : 0;
}

static bool agree_check_pair(struct reader *reader, int i, int j)
{
	const struct pool *a = &reader->config->pools[i], *b = &reader->config->pools[j];
	const config_setting_t *place = element(reader, "pools", j, -1);
	unsigned line = line_of(element(reader, "pools", i, -1));
	if (strcmp(a->name, b->name) == 0)
		return read_error(reader, place, "is a second pool \"%s\", expected another name than that of line %u",
				  a->name, line);
	for (int level = LEVEL_GOOD; level < LEVEL_COUNT; level++)
		if (a->levels[level] && b->levels[level])
			return read_error(reader, place,
					  "is pool \"%s\" with level %s, which pool \"%s\" of line %u has, expected "
					  "one pool for each level",
					  b->name, level_word((enum level)level), a->name, line);
	for (int class = MAIL_CLASS_ACCOUNT + 1; class < MAIL_CLASS_COUNT; class ++)
		if (a->classes[class] && b->classes[class])
			return read_error(reader, place,
					  "is pool \"%s\" with class %s, which pool \"%s\" of line %u has, expected "
					  "one pool for each class",
					  b->name, mail_class_word((enum mail_class) class), a->name, line);
	return true;
}

/* The MTA's header checks know no case. */
static bool agree_check_transport(struct reader *reader, int pool, int transport)
{
	const struct pool *pools = reader->config->pools;
	const char *name = pools[pool].transports[transport].name;
	for (int i = 0; i <= pool; i++)
		for (int j = 0; j < (i < pool ? pools[i].transport_count : transport); j++)
			if (text_same_nocase(pools[i].transports[j].name, name))
				return read_error(
					reader, element(reader, "pools", pool, transport),
					"is a second transport \"%s\", expected another name than that of line %u",
					name, line_of(element(reader, "pools", i, j)));
	return true;
}

static bool agree_check_pools(struct reader *reader)
{
	const struct config *config = reader->config;
	for (int i = 0; i < config->pool_count; i++) {
		if (config->pools[i].transport_count == 0)
			return read_error(reader, element(reader, "pools", i, -1),
					  "has no transport, expected at least one");
		for (int j = 0; j < i; j++)
			if (!agree_check_pair(reader, j, i))
				return false;
		for (int j = 0; j < config->pools[i].transport_count; j++)
			if (!agree_check_transport(reader, i, j))
				return false;
	}
	return true;
}

static bool agree_check_plans(struct reader *reader)
{
	struct config *config = reader->config;
	for (int i = 0; i < config->plan_count; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(config->plans[i].name, config->plans[j].name) == 0)
				return read_error(reader, element(reader, "plans", i, -1),
						  "is a second plan \"%s\", expected another name than that of line %u",
						  config->plans[i].name, line_of(element(reader, "plans", j, -1)));
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

static const config_setting_t *agree_plan_place(const struct reader *reader, const char *name)
{
	for (int i = 0; i < reader->config->plan_count; i++)
		if (strcmp(reader->config->plans[i].name, name) == 0)
			return element(reader, "plans", i, -1);
	return NULL;
}

/* What is counted of accounts alone would be ignored in silence. */
static bool agree_check_group_plans(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	/* clang-format off */
	const struct { const char *option, *plan; } groups[] = {
		{ "limits.domain_plan", set->limits_domain_plan },
		{ "limits.customer_plan", set->limits_customer_plan },
		{ "limits.server_plan", set->limits_server_plan },
		{ "limits.client_plan", set->limits_client_plan },
		{ "class bounce", mail_class_word(MAIL_CLASS_BOUNCE) },
		{ "class forward", mail_class_word(MAIL_CLASS_FORWARD) },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
		const struct limits *limits =
			groups[i].plan[0] != '\0' ? config_plan(reader->config, groups[i].plan) : NULL;
		const char *word = limits != NULL ? limits_not_of_groups(limits) : NULL;
		if (word != NULL)
			return read_error(reader, agree_plan_place(reader, groups[i].plan),
					  "is plan \"%s\", that of %s, and sets %s, which is of accounts alone; "
					  "expected a plan without it",
					  groups[i].plan, groups[i].option, word);
	}
	return true;
}

static bool agree_check_endpoint(struct reader *reader, const char *path, const char *value)
{
	struct endpoint endpoint;
	char error[300];
	if (*value == '\0' || endpoint_parse(value, &endpoint, error, sizeof error))
		return true;
	if (strcmp(path, "milter.socket") == 0 && strncmp(value, "unix:", 5) != 0)
		return read_error(reader, read_option(reader, path),
				  "is \"%s\", expected unix:/path, inet:port@address, address:port or [v6]:port, the "
				  "address in numbers",
				  value);
	return read_error(reader, read_option(reader, path), "is %s", error);
}

static bool agree_check_servers(struct reader *reader)
{
	const struct config *config = reader->config;
	struct endpoint endpoint;
	char error[300], path[40];
	for (int i = 0; i < config->dns_server_count; i++) {
		const char *server = config->dns_servers[i];
		snprintf(path, sizeof path, "dns.servers.[%d]", i);
		if (strncmp(server, "unix:", 5) == 0 || !endpoint_parse(server, &endpoint, error, sizeof error))
			return read_error(reader, read_option(reader, path),
					  "is \"%s\", expected address:port or [v6]:port, the address in numbers",
					  server);
		if (endpoint_is_link_local(&endpoint))
			return read_error(
				reader, read_option(reader, path),
				"is \"%s\", expected an address that is not link-local: those cannot be asked", server);
	}
	return true;
}

static bool agree_check_scanners(struct reader *reader)
{
	char path[40];
	for (int i = 0; i < reader->config->scanner_count; i++) {
		snprintf(path, sizeof path, "scanners.[%d].address", i);
		if (!agree_check_endpoint(reader, path, reader->config->scanners[i].address))
			return false;
	}
	return true;
}

static bool agree_check_origin(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	/* clang-format off */
	const struct {
		const char *path, *zone;
	} rows[] = { { "origin.zone4", set->origin_zone4 }, { "origin.zone6", set->origin_zone6 },
		     { "origin.names", set->origin_names } };
	/* clang-format on */
	char zone[LIST_ZONE_MAX + 1];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (!check_domain(reader, read_option(reader, rows[i].path), rows[i].zone, zone, LIST_ZONE_MAX))
			return false;
	return true;
}

static bool agree_check_endpoints(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	return agree_check_scanners(reader) && agree_check_servers(reader) && agree_check_origin(reader) &&
	       agree_check_endpoint(reader, "milter.socket", set->milter_socket) &&
	       agree_check_endpoint(reader, "http.listen", set->http_listen) &&
	       agree_check_endpoint(reader, "socketmap.listen", set->socketmap_listen) &&
	       agree_check_endpoint(reader, "redis.server", set->redis_server);
}

/* The error is at the one of both that the file has. */
static bool agree_check_order(struct reader *reader, const char *low_path, double low, const char *high_path,
			      double high)
{
	const config_setting_t *setting = read_option(reader, low_path);
	if (low < high)
		return true;
	if (setting != NULL)
		return read_error(reader, setting, "is %g, expected less than %s, %g", low, high_path, high);
	return read_error(reader, read_option(reader, high_path), "is %g, expected more than %s, %g", high, low_path,
			  low);
}

static bool agree_check_scores(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	static const char *const paths[] = { "reputation.suspect_leave", "reputation.suspect_enter",
					     "reputation.blocked_leave", "reputation.blocked_enter" };
	return agree_check_order(reader, paths[0], set->reputation_suspect_leave, paths[1],
				 set->reputation_suspect_enter) &&
	       agree_check_order(reader, paths[2], set->reputation_blocked_leave, paths[3],
				 set->reputation_blocked_enter) &&
	       agree_check_order(reader, paths[1], set->reputation_suspect_enter, paths[3],
				 set->reputation_blocked_enter);
}

/* A reload looks from / where a start looked from somebody's folder. */
static bool agree_check_paths(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	const struct {
		const char *option, *value;
	} rows[] = {
		{ "facts.file", set->facts_file },	     { "traps.file", set->traps_file },
		{ "accounts.passwd", set->accounts_passwd }, { "webhook.ca_file", set->webhook_ca_file },
		{ "control.socket", set->control_socket },   { "clients.state", set->clients_state },
		{ "clients.zone", set->clients_zone },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].value[0] != '\0' && rows[i].value[0] != '/')
			return read_error(reader, read_option(reader, rows[i].option),
					  "is \"%s\", expected an absolute path", rows[i].value);
	return true;
}

static bool agree_check_words(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	if (strspn(set->milter_socket_mode, "01234567") != strlen(set->milter_socket_mode))
		return read_error(reader, read_option(reader, "milter.socket_mode"),
				  "is \"%s\", expected three octal digits", set->milter_socket_mode);
	if (strspn(set->node, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(set->node))
		return read_error(reader, read_option(reader, "node"), "is \"%s\", expected letters a-z and digits",
				  set->node);
	if (set->facts_accounts == FACTS_HASHED && strlen(set->facts_salt) < 16)
		return read_error(reader, read_option(reader, "facts.accounts"),
				  "is \"hashed\", and facts.salt has %zu bytes, expected at least 16",
				  strlen(set->facts_salt));
	return true;
}

static bool agree_check_clients(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	if (set->clients_history_days > 0 && set->clients_state[0] == '\0')
		return read_error(reader, read_option(reader, "clients.history_days"),
				  "is %lld, and clients.state is empty, expected a folder for the history",
				  (long long)set->clients_history_days);
	return true;
}

bool config_agree(struct reader *reader)
{
	return agree_check_pools(reader) && agree_check_plans(reader) && agree_check_group_plans(reader) &&
	       agree_check_scores(reader) && agree_check_words(reader) && agree_check_paths(reader) &&
	       agree_check_endpoints(reader) && agree_check_clients(reader) && config_postfix_agree(reader) &&
	       config_events_agree(reader) && config_feedback_agree(reader) && config_clients_agree(reader);
}

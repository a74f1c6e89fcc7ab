/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/showing.h"

#include "milter/control/control_request.h"
#include "milter/base/json.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/limits.h"
#include "milter/report/report.h"
#include "redis-schema/store/store.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static const char *const parts[] = { KEY_PART_LIMITS, KEY_PART_BLOCK, KEY_PART_EXEMPT };
enum { PARTS = sizeof parts / sizeof parts[0] };

struct showing {
	struct control_request *request;  /* owes an answer */
	json_t *json, *warnings, *groups; /* owned until the answer; warnings and groups are the json's */
	char typed[ACCOUNT_MAX + 1];
	int part; /* the next spelling that is looked for */
	char group[GROUPS_MAX][ACCOUNT_MAX + 1];
	int group_count, group_at;
};

static void finish(struct showing *showing)
{
	control_ok(showing->request, showing->json);
	free(showing);
}

static void warn(void *arg, const char *line)
{
	struct showing *showing = arg;
	json_array_append_new(showing->warnings, json_text(line));
}

/* ---- its groups */

static void showing_ask_group(struct showing *showing);

static void showing_on_group(void *arg, const struct account_state *state, const struct known *known)
{
	struct showing *showing = arg;
	(void)known;
	json_array_append_new(showing->groups, report_group(showing->group[showing->group_at++], state));
	showing_ask_group(showing);
}

static void showing_ask_group(struct showing *showing)
{
	if (showing->group_at == showing->group_count)
		finish(showing);
	else
		store_look(the_daemon.store, showing->group[showing->group_at], showing_on_group, showing);
}

static void add_group(struct showing *showing, enum scope scope, const char *name)
{
	account_group(scope, name, showing->group[showing->group_count++]);
}

/* Those that can be told from the account; the address that a claimed one comes from is another's at each message. */
static void showing_find_groups(struct showing *showing, const struct account_state *state)
{
	const struct config *config = showing->request->setup->config;
	const char *account = showing->request->account, *domain = address_domain(account);
	char customer[ACCOUNT_MAX + 1];
	bool claimed = strncmp(account, ACCOUNT_CLAIMED ":", strlen(ACCOUNT_CLAIMED ":")) == 0;
	if (account_is_group(account))
		return;
	if (*group_plan(config, SCOPE_DOMAIN) != '\0' && *domain != '\0' && !claimed)
		add_group(showing, SCOPE_DOMAIN, domain);
	if (account_name(state->limits.customer, false, customer))
		add_group(showing, SCOPE_CUSTOMER, customer);
	if (*group_plan(config, SCOPE_SERVER) != '\0')
		add_group(showing, SCOPE_SERVER, "all");
	add_group(showing, SCOPE_BOUNCE, account);
	add_group(showing, SCOPE_FORWARD, account);
}

/* ---- keys under the spelling that was typed */

static void showing_ask_spelling(struct showing *showing);

static void showing_on_spelling(void *arg, const char *error, int count, const char *const *items)
{
	struct showing *showing = arg;
	const char *part = parts[showing->part++], *prefix = showing->request->setup->config->set.redis_prefix;
	char line[2 * KEY_MAX + 100];
	if (error == NULL && count == 1 && items[0] != NULL && strcmp(items[0], "1") == 0) {
		snprintf(line, sizeof line, "nobody reads the key %s:{%s}:%s; this account's is %s:{%s}:%s", prefix,
			 showing->typed, part, prefix, showing->request->account, part);
		warn(showing, line);
	}
	showing_ask_spelling(showing);
}

static void showing_ask_spelling(struct showing *showing)
{
	bool same = strcmp(showing->typed, showing->request->account) == 0;
	if (same || showing->part == PARTS)
		showing_ask_group(showing);
	else
		store_account_command(the_daemon.store, showing->typed, 2,
				      (const char *[]){ "EXISTS", parts[showing->part] }, showing_on_spelling, showing);
}

/* ---- its own */

static void showing_on_limits(void *arg, const char *error, int count, const char *const *items)
{
	struct showing *showing = arg;
	struct limits limits = limits_unset, plan;
	char line[200];
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
		warn(showing, "the key limits is no hash; it is not read");
	reply_read_limits(showing->request->account, false, error == NULL ? count : 0, items, warn, showing, &limits);
	const struct config *config = showing->request->setup->config;
	if (limits.plan[0] != '\0' && config_plan(config, limits.plan) == NULL &&
	    !store_plan(the_daemon.store, limits.plan, &plan)) {
		snprintf(line, sizeof line,
			 "plan is \"%s\", expected a plan of the configuration file or of the hash plans", limits.plan);
		warn(showing, line);
	}
	showing_ask_spelling(showing);
}

static void showing_on_account(void *arg, const struct account_state *state, const struct known *known)
{
	struct showing *showing = arg;
	(void)known;
	showing->json = report_account(showing->request->account, state);
	showing->warnings = json_array();
	showing->groups = json_array();
	json_object_set_new(showing->json, "warnings", showing->warnings);
	json_object_set_new(showing->json, "groups", showing->groups);
	if (showing->json == NULL || showing->warnings == NULL || showing->groups == NULL ||
	    state->known != KNOWLEDGE_FULL) {
		finish(showing);
		return;
	}
	showing_find_groups(showing, state);
	store_account_command(the_daemon.store, showing->request->account, 2,
			      (const char *[]){ "HGETALL", KEY_PART_LIMITS }, showing_on_limits, showing);
}

bool showing_start(struct control_request *request, const char *typed, char *error, size_t error_size)
{
	struct showing *showing = calloc(1, sizeof *showing);
	if (showing == NULL)
		return control_fail(error, error_size, "account.show: the daemon is out of memory.");
	showing->request = request;
	text_copy(showing->typed, sizeof showing->typed, typed);
	store_look(the_daemon.store, request->account, showing_on_account, showing);
	return true;
}

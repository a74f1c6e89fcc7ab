/* SPDX-License-Identifier: BSD-2-Clause
 *
 * account.check: what panels and admins wrote and nobody reads.
 */
#include "milter/control/roster_inside.h"
#include "milter/base/idn.h"
#include "milter/base/json.h"
#include "milter/daemon/limits.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/networks.h"
#include "redis-schema/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { WHAT_MAX = 900, SHOWN_MAX = 63 };

/* One key that is asked about; the lines that come of it are its findings. */
struct roster_check_item {
	struct roster *roster;
	struct roster_key key;
	char shown[KEY_MAX];
};

static void find(struct roster *roster, const char *key, const char *what)
{
	roster->found++;
	roster_send(roster,
		    json_pack("{s:s, s:o, s:o}", "type", "finding", "key", json_text(key), "what", json_text(what)));
}

static void on_line(void *arg, const char *line)
{
	struct roster_check_item *item = arg;
	find(item->roster, item->shown, line);
}

static void roster_check_item_end(struct roster_check_item *item)
{
	struct roster *roster = item->roster;
	free(item);
	roster->in_flight--;
	roster_go_on(roster);
}

static struct roster_check_item *roster_check_item_new(struct roster *roster, const struct roster_key *key,
						       const char *shown)
{
	struct roster_check_item *item = calloc(1, sizeof *item);
	if (item == NULL) {
		roster_fail(roster, "the daemon is out of memory");
		return NULL;
	}
	item->roster = roster;
	item->key = *key;
	text_copy(item->shown, sizeof item->shown, shown);
	roster->in_flight++;
	return item;
}

/* ---- what is in a key */

static void check_plan(struct roster_check_item *item, const char *plan)
{
	char what[WHAT_MAX];
	struct limits limits;
	if (*plan == '\0' || config_plan(item->roster->setup->config, plan) != NULL ||
	    store_plan(the_daemon.store, plan, &limits))
		return;
	snprintf(what, sizeof what, "plan is \"%s\", expected a plan of the configuration file or of the hash plans",
		 plan);
	on_line(item, what);
}

static void roster_check_on_content(void *arg, const char *error, int count, const char *const *items)
{
	struct roster_check_item *item = arg;
	struct limits limits = limits_unset;
	bool of_limits = item->key.part == ROSTER_PART_LIMITS;
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
		on_line(item, of_limits ? "it is no hash; nobody reads it" : "it is no string; nobody reads it");
	else if (error != NULL)
		roster_fail(item->roster, error);
	else if (of_limits)
		reply_read_limits(item->key.name, false, count, items, on_line, item, &limits);
	else if (count == 1 && items[0] != NULL && *items[0] == '\0')
		on_line(item, "it is empty; a reason is expected");
	check_plan(item, limits.plan);
	roster_check_item_end(item);
}

/* ---- whose key it is */

static bool roster_check_name_fits(struct roster *roster, const char *key, const struct roster_key *read)
{
	char right[ACCOUNT_MAX + 1], what[WHAT_MAX];
	const char *expected, *prefix = roster->setup->config->set.redis_prefix;
	enum scope scope = account_scope(read->name);
	bool fits = roster_name_right(read->name, right, &expected) && read->braces;
	if (!fits && expected != NULL)
		snprintf(what, sizeof what, "nobody reads it: expected %s", expected);
	else if (!fits)
		snprintf(what, sizeof what, "nobody reads it: this account's is %s:{%s}:%s", prefix, right, read->word);
	else if ((scope == SCOPE_DOMAIN || scope == SCOPE_SERVER) && *group_plan(roster->setup->config, scope) == '\0')
		snprintf(what, sizeof what, "nobody reads it: limits.%s_plan is not set", scope_word(scope));
	else if (roster->setup->config->set.accounts_cut_tag && idn_typed(read->name, true, right) == NULL &&
		 strcmp(read->name, right) != 0)
		snprintf(what, sizeof what,
			 "a certificate's or a network's name alone reads it: a login's is %s:{%s}:%s", prefix, right,
			 read->word);
	else
		return true;
	find(roster, key, what);
	return false;
}

static void roster_check_take(struct roster *roster, const char *key)
{
	struct roster_key read;
	if (!roster_read_key(roster, key, &read) || read.part == ROSTER_PART_STATE ||
	    !roster_check_name_fits(roster, key, &read))
		return;
	struct roster_check_item *item = roster_check_item_new(roster, &read, key);
	if (item != NULL)
		store_account_command(
			the_daemon.store, read.name, 2,
			(const char *[]){ read.part == ROSTER_PART_LIMITS ? "HGETALL" : "GET", read.word },
			roster_check_on_content, item);
}

/* ---- networks and plans, behind all keys */

static void roster_check_ask_networks(void *arg);

static void check_network(struct roster_check_item *item, const char *field, const char *account)
{
	const char *wrong = networks_wrong(field, account);
	char what[WHAT_MAX], shown[SHOWN_MAX + 1];
	if (wrong == NULL)
		return;
	text_copy(shown, sizeof shown, field);
	snprintf(what, sizeof what, "%s: %s", shown, wrong);
	on_line(item, what);
}

/* True where the answer is not the last one: key.name is the next cursor. */
static bool roster_check_take_networks(struct roster_check_item *item, const char *error, int count,
				       const char *const *items)
{
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
		on_line(item, "it is no hash; nobody reads it");
	else if (error != NULL || count < 1 || items[0] == NULL)
		roster_fail(item->roster, error != NULL ? error : "its answer is none of HSCAN");
	if (error != NULL || count < 1 || items[0] == NULL)
		return false;
	for (int i = 1; i + 1 < count; i += 2)
		if (items[i] != NULL && items[i + 1] != NULL)
			check_network(item, items[i], items[i + 1]);
	text_copy(item->key.name, sizeof item->key.name, items[0]);
	return strcmp(items[0], "0") != 0;
}

static void roster_check_on_networks(void *arg, const char *error, int count, const char *const *items)
{
	struct roster_check_item *item = arg;
	struct roster *roster = item->roster;
	if (!roster_check_take_networks(item, error, count, items)) {
		roster_check_item_end(item);
	} else if (roster->paused && !roster->gone) {
		roster->wake = roster_check_ask_networks;
		roster->wake_arg = item;
	} else {
		roster_check_ask_networks(item);
	}
}

static void roster_check_ask_networks(void *arg)
{
	struct roster_check_item *item = arg;
	if (item->roster->gone)
		roster_check_item_end(item);
	else
		store_key_command(the_daemon.store, 5,
				  (const char *[]){ "HSCAN", "networks", item->key.name, "COUNT", "200" },
				  roster_check_on_networks, item);
}

static void check_plan_row(struct roster_check_item *item, const char *key, const char *name, const char *text)
{
	struct limits limits;
	char shown[SHOWN_MAX + 1];
	bool whole = text_copy(shown, sizeof shown, name);
	struct text row = text_over(item->shown, sizeof item->shown);
	text_addf(&row, "%s %s%s", key, shown, whole ? "" : "...");
	if (strlen(name) > PLAN_NAME_MAX)
		on_line(item, "its name is too long: expected at most 63 bytes");
	reply_read_plan(name, false, text, on_line, item, &limits);
}

static void roster_check_on_plans(void *arg, const char *error, int count, const char *const *items)
{
	enum { PLANS_MOST = 256 }; /* that redis-schema/plans.c keeps */
	struct roster_check_item *item = arg;
	char key[KEY_MAX];
	text_copy(key, sizeof key, item->shown);
	if (error != NULL && strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
		on_line(item, "it is no hash; nobody reads it");
	else if (error != NULL)
		roster_fail(item->roster, error);
	for (int i = 0; error == NULL && i + 1 < count && i < 2 * PLANS_MOST; i += 2)
		if (items[i] != NULL && items[i + 1] != NULL)
			check_plan_row(item, key, items[i], items[i + 1]);
	text_copy(item->shown, sizeof item->shown, key);
	if (error == NULL && count > 2 * PLANS_MOST)
		on_line(item, "it has more than 256 plans; the rest is left out");
	text_copy(item->key.name, sizeof item->key.name, "0");
	snprintf(item->shown, sizeof item->shown, KEY_NETWORKS, item->roster->setup->config->set.redis_prefix);
	roster_check_ask_networks(item);
}

static void check_rest(struct roster *roster)
{
	char key[KEY_MAX];
	struct roster_key none = { .part = ROSTER_PARTS };
	roster->behind = NULL;
	snprintf(key, sizeof key, KEY_PLANS, roster->setup->config->set.redis_prefix);
	struct roster_check_item *item = roster_check_item_new(roster, &none, key);
	if (item != NULL)
		store_key_command(the_daemon.store, 2, (const char *[]){ "HGETALL", "plans" }, roster_check_on_plans,
				  item);
	else
		roster_go_on(roster);
}

bool roster_check(struct exchange_call *call, const json_t *request, char *error, size_t error_size)
{
	(void)request;
	struct roster *roster = roster_new(call, "account.check", error, error_size);
	if (roster == NULL)
		return false;
	roster->pattern = "*:*";
	roster->take = roster_check_take;
	roster->behind = check_rest;
	roster_begin(roster);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/replay/replay_show.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { WAY_MAX = TRANSPORT_NAME_MAX + 32, WHEN_MAX = 32 };

unsigned char replay_pool(struct replay_totals *totals, const char *name)
{
	for (int i = 1; i <= totals->pool_count; i++)
		if (strcmp(totals->pools[i], name) == 0)
			return (unsigned char)i;
	if (totals->pool_count + 1 >= REPLAY_POOLS_MAX)
		return 0;
	totals->pool_count++;
	text_copy(totals->pools[totals->pool_count], sizeof totals->pools[0], name);
	return (unsigned char)totals->pool_count;
}

/* The place of an outcome in `ways`. */
static int way_of(struct replay_outcome outcome)
{
	bool by_pool = outcome.action == ACTION_PASS && outcome.pool > 0;
	return by_pool ? ACTION_COUNT + outcome.pool : outcome.action < ACTION_COUNT ? outcome.action : 0;
}

static void replay_show_way_text(const struct replay_totals *totals, int way, char text[WAY_MAX])
{
	if (way < ACTION_COUNT)
		snprintf(text, WAY_MAX, "%s", action_word((enum action)way));
	else
		snprintf(text, WAY_MAX, "pass by %s", totals->pools[way - ACTION_COUNT]);
}

void replay_count(struct replay_totals *totals, struct replay_account *account, int64_t now_ms,
		  struct replay_outcome from, struct replay_outcome to)
{
	int before = way_of(from), after = way_of(to);
	totals->messages++;
	account->messages++;
	if (totals->first_ms == 0 || now_ms < totals->first_ms)
		totals->first_ms = now_ms;
	if (now_ms > totals->last_ms)
		totals->last_ms = now_ms;
	totals->ways[before][after]++;
	totals->levels += from.level != to.level;
	if (before == after && from.level == to.level)
		return;
	totals->differ++;
	account->differ++;
	bool moved = before != after && from.action == ACTION_PASS && to.action == ACTION_PASS;
	bool refused = from.action == ACTION_PASS && to.action != ACTION_PASS;
	totals->moved += moved;
	account->moved += moved;
	totals->refused += refused;
	account->refused += refused;
	totals->freed += from.action != ACTION_PASS && to.action == ACTION_PASS;
	if (account->first_ms != 0)
		return;
	account->first_ms = now_ms;
	account->from = from;
	account->to = to;
}

void replay_damaged(struct replay_totals *totals, const char *file, uint64_t line)
{
	if (totals->damaged++ == 0)
		snprintf(totals->first_damaged, sizeof totals->first_damaged, "%.250s:%llu", file,
			 (unsigned long long)line);
}

/* ---- the accounts that differ most */

static int replay_show_worse(const void *a, const void *b)
{
	const struct replay_account *x = a, *y = b;
	uint64_t of_x = x->moved + x->refused, of_y = y->moved + y->refused;
	if (of_x != of_y)
		return of_x < of_y ? 1 : -1;
	if (x->differ != y->differ)
		return x->differ < y->differ ? 1 : -1;
	return x->differ == 0 ? 0 : strcmp(x->name, y->name);
}

static size_t replay_show_differing(struct replay_accounts *accounts)
{
	size_t count = 0;
	if (accounts->size > 0)
		qsort(accounts->rows, accounts->size, sizeof accounts->rows[0], replay_show_worse);
	while (count < accounts->size && accounts->rows[count].differ > 0)
		count++;
	return count;
}

static void replay_show_when(int64_t ms, char text[WHEN_MAX])
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm utc;
	if (gmtime_r(&seconds, &utc) == NULL || strftime(text, WHEN_MAX, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
}

static void outcome_text(const struct replay_totals *totals, struct replay_outcome outcome, char text[WAY_MAX + 16])
{
	char way[WAY_MAX];
	replay_show_way_text(totals, way_of(outcome), way);
	snprintf(text, WAY_MAX + 16, "%s, %s", way, level_word((enum level)outcome.level));
}

/* ---- for people */

static void show_ways(const struct replay_totals *totals, FILE *to)
{
	static const char *const titles[] = { "from", "to", ">messages", NULL };
	struct table *table = table_new(titles);
	for (int i = 0; i < REPLAY_WAYS; i++)
		for (int j = 0; j < REPLAY_WAYS; j++) {
			char from[WAY_MAX], into[WAY_MAX];
			if (i == j || totals->ways[i][j] == 0)
				continue;
			replay_show_way_text(totals, i, from);
			replay_show_way_text(totals, j, into);
			table_add(table, from);
			table_add(table, into);
			table_addf(table, "%llu", (unsigned long long)totals->ways[i][j]);
		}
	table_print(table, to, 2);
	table_free(&table);
}

static void show_accounts(const struct replay_totals *totals, const struct replay_accounts *accounts, size_t rows,
			  FILE *to)
{
	static const char *const titles[] = { "account", ">messages", ">differ", ">moved", ">refused",
					      "first",	 "from",      "to",	 NULL };
	struct table *table = table_new(titles);
	for (size_t i = 0; i < rows; i++) {
		const struct replay_account *account = &accounts->rows[i];
		char moment[WHEN_MAX], from[WAY_MAX + 16], into[WAY_MAX + 16];
		replay_show_when(account->first_ms, moment);
		outcome_text(totals, account->from, from);
		outcome_text(totals, account->to, into);
		table_add(table, account->name);
		table_addf(table, "%llu", (unsigned long long)account->messages);
		table_addf(table, "%llu", (unsigned long long)account->differ);
		table_addf(table, "%llu", (unsigned long long)account->moved);
		table_addf(table, "%llu", (unsigned long long)account->refused);
		table_add(table, moment);
		table_add(table, from);
		table_add(table, into);
	}
	table_print(table, to, 2);
	table_free(&table);
}

static void show_people(const struct replay_totals *totals, const struct replay_accounts *accounts, size_t count,
			size_t rows, const char *against, FILE *to)
{
	char first[WHEN_MAX] = "-", last[WHEN_MAX] = "-";
	if (totals->messages > 0) {
		replay_show_when(totals->first_ms, first);
		replay_show_when(totals->last_ms, last);
	}
	fprintf(to, "%llu %s of %zu %s, %s to %s, against %s\n", (unsigned long long)totals->messages,
		text_noun((int64_t)totals->messages, "message", "messages"), accounts->count,
		text_noun((int64_t)accounts->count, "account", "accounts"), first, last,
		against != NULL ? against : "the verdicts as they were");
	fprintf(to,
		"%llu %s of %zu %s: %llu by another pool, %llu refused or held instead of passed, "
		"%llu passed instead of refused or held, %llu with another level\n",
		(unsigned long long)totals->differ, text_noun((int64_t)totals->differ, "difference", "differences"),
		count, text_noun((int64_t)count, "account", "accounts"), (unsigned long long)totals->moved,
		(unsigned long long)totals->refused, (unsigned long long)totals->freed,
		(unsigned long long)totals->levels);
	if (totals->damaged > 0)
		fprintf(to, "%llu damaged %s left out, the first one is %s\n", (unsigned long long)totals->damaged,
			text_noun((int64_t)totals->damaged, "line was", "lines were"), totals->first_damaged);
	if (totals->cut > 0)
		fprintf(to, "%llu %s in mid line; that line was left out\n", (unsigned long long)totals->cut,
			text_noun((int64_t)totals->cut, "file ends", "files end"));
	fprintf(to, "plans are the configuration's, not those of Redis; %zu bytes of memory an account\n",
		accounts->count == 0 ? 0 : accounts->bytes / accounts->count);
	if (totals->differ == 0)
		return;
	fputs("\n", to);
	show_ways(totals, to);
	if (rows == 0)
		return;
	fputs("\n", to);
	show_accounts(totals, accounts, rows, to);
	if (rows < count)
		fprintf(to, "  ... and %zu more\n", count - rows);
}

/* ---- for programs */

static json_t *replay_show_ways_json(const struct replay_totals *totals)
{
	json_t *ways = json_array();
	for (int i = 0; i < REPLAY_WAYS; i++)
		for (int j = 0; j < REPLAY_WAYS; j++) {
			char from[WAY_MAX], to[WAY_MAX];
			if (i == j || totals->ways[i][j] == 0)
				continue;
			replay_show_way_text(totals, i, from);
			replay_show_way_text(totals, j, to);
			json_array_append_new(ways, json_pack("{s:s, s:s, s:I}", "from", from, "to", to, "messages",
							      (json_int_t)totals->ways[i][j]));
		}
	return ways;
}

static json_t *replay_show_accounts_json(const struct replay_totals *totals, const struct replay_accounts *accounts,
					 size_t rows)
{
	json_t *list = json_array();
	for (size_t i = 0; i < rows; i++) {
		const struct replay_account *account = &accounts->rows[i];
		char moment[WHEN_MAX], from[WAY_MAX + 16], to[WAY_MAX + 16];
		replay_show_when(account->first_ms, moment);
		outcome_text(totals, account->from, from);
		outcome_text(totals, account->to, to);
		json_t *row =
			json_pack("{s:I, s:I, s:I, s:I, s:s, s:s, s:s}", "messages", (json_int_t)account->messages,
				  "differ", (json_int_t)account->differ, "moved", (json_int_t)account->moved, "refused",
				  (json_int_t)account->refused, "first", moment, "from", from, "to", to);
		json_t *name = json_string(account->name);
		json_object_set_new(row, "account", name != NULL ? name : json_string("?")); /* no UTF-8 */
		json_array_append_new(list, row);
	}
	return list;
}

static void show_json(const struct replay_totals *totals, const struct replay_accounts *accounts, size_t count,
		      size_t rows, FILE *to)
{
	json_t *json = have_memory(json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:I}", "messages",
		(json_int_t)totals->messages, "accounts", (json_int_t)accounts->count, "first_ms",
		(json_int_t)totals->first_ms, "last_ms", (json_int_t)totals->last_ms, "differ",
		(json_int_t)totals->differ, "accounts_differ", (json_int_t)count, "moved", (json_int_t)totals->moved,
		"refused", (json_int_t)totals->refused, "freed", (json_int_t)totals->freed, "levels",
		(json_int_t)totals->levels, "damaged", (json_int_t)totals->damaged, "cut", (json_int_t)totals->cut,
		"first_damaged", totals->first_damaged, "bytes_an_account",
		(json_int_t)(accounts->count == 0 ? 0 : accounts->bytes / accounts->count)));
	json_object_set_new(json, "ways", replay_show_ways_json(totals));
	json_object_set_new(json, "most", replay_show_accounts_json(totals, accounts, rows));
	json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', to);
	json_decref(json);
}

void replay_show(const struct replay_totals *totals, struct replay_accounts *accounts, size_t rows, const char *against,
		 bool json, FILE *to)
{
	size_t count = replay_show_differing(accounts);
	if (rows > count)
		rows = count;
	if (json)
		show_json(totals, accounts, count, rows, to);
	else
		show_people(totals, accounts, count, rows, against, to);
}

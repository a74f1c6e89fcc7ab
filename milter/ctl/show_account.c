/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An account, or a group.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

/* The group whose block keeps its mail back, or NULL: an exemption of its own passes that. */
static const char *show_account_blocked_group(const json_t *answer)
{
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(answer, "groups"), index,
			   row) if (*text_of(row, "block") != '\0' &&
				    *text_of(answer, "exempt") == '\0') return text_of(row, "account");
	return NULL;
}

/* What is blocked is refused, or held where reputation.blocked_action says so. */
static void show_account_add_way(struct table *table, const json_t *answer)
{
	bool leaves = strcmp(text_of(answer, "action"), "pass") == 0; /* in shadow mode, for one */
	bool admin = *text_of(answer, "block") != '\0' && !leaves;
	bool level = strcmp(text_of(answer, "level"), "blocked") == 0 && !leaves;
	const char *transport = text_of(answer, "transport"), *group = show_account_blocked_group(answer);
	table_add(table, "leaves by");
	if (admin)
		table_add(table, "nothing: blocked by an admin, until the block ends or account unblock");
	else if (group != NULL)
		table_addf(table, "nothing: %s is blocked by an admin", group);
	else if (level)
		table_add(table, "nothing: blocked by its level, until account reset, a new password "
				 "(password_changed), or a score that has faded");
	else if (*transport == '\0')
		table_add(table, "the MTA's default transport");
	else
		table_addf(table, "%s of pool %s", transport, show_or_dash(text_of(answer, "pool")));
	if (json_is_true(json_object_get(answer, "waits")))
		show_add_pair(table, "its client", "waits before each recipient, where Postfix asks the map throttle");
}

/* It has no level, and what else an account is by its history. */
static bool of_group(const json_t *answer)
{
	return json_object_get(answer, "level") == NULL;
}

static void show_account_add_word_of_admin(struct table *table, const json_t *answer, bool all)
{
	const char *block = text_of(answer, "block"), *exempt = text_of(answer, "exempt");
	if (*block != '\0' || all)
		show_add_pair(table, "block", block);
	if (*exempt == '\0' && !all)
		return;
	table_add(table, "exempt");
	table_addf(table, "%s%s", show_or_dash(exempt),
		   *exempt != '\0' && *block != '\0' ? "; but the block holds" : "");
}

static void show_account_add_level(struct table *table, const json_t *answer)
{
	char form[FORM_MAX];
	int64_t now = time(NULL), since = whole_of(answer, "since");
	table_add(table, "level");
	table_addf(table, "%s%s%s", show_or_dash(text_of(answer, "level")), since > 0 ? ", since " : "",
		   since > 0 ? form_ago(form, since, now) : "");
	table_add(table, "score");
	show_add_score(table, json_object_get(answer, "score"));
	show_add_pair(table, "first message", form_ago(form, whole_of(answer, "first"), now));
}

/* Who keeps its mail back beside the account itself. */
static void show_account_add_groups(struct table *table, const json_t *answer, bool all)
{
	char form[FORM_MAX];
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(answer, "groups"), index, row)
	{
		const json_t *over = json_object_get(row, "over");
		const char *group = text_of(row, "account"), *block = text_of(row, "block");
		if (!all && *block == '\0' && *text_of(row, "exempt") == '\0' && !json_is_object(over))
			continue;
		table_add(table, "group");
		if (*block != '\0')
			table_addf(table, "%s is blocked by an admin: %s", group, block);
		else if (*text_of(row, "exempt") != '\0')
			table_addf(table, "%s is exempt: %s", group, text_of(row, "exempt"));
		else if (json_is_object(over))
			table_addf(table, "%s has used up %s: %.4g of %.0f, free again in %s", group,
				   text_of(over, "name"), number_of(over, "used"), number_of(over, "limit"),
				   form_span(form, whole_of(over, "frees_in_s")));
		else
			table_add(table, group);
	}
}

static void show_account_add_warnings(struct table *table, const json_t *answer)
{
	char form[FORM_MAX];
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(answer, "warnings"), index, row)
		show_add_pair(table, "WARNING", show_value(row, form));
}

static void show_account_add_complaints(struct table *table, const json_t *answer, bool all)
{
	const char *word = text_of(answer, "complaints");
	double share = number_of(answer, "complaint_share");
	if (*word == '\0' || (share <= 0 && !all))
		return;
	table_add(table, "complaints");
	table_addf(table, "%s: of %.2g %% of its recipients, lately", word, share * 100);
}

static void show_account_head(const json_t *answer, bool all, FILE *to)
{
	static const struct {
		const char *known, *said;
	} knowledge[] = {
		{ "full", "Redis" },
		{ "local", "this daemon's table of recent accounts; Redis does not answer" },
		{ "none", "nobody: Redis does not answer" },
	};
	const char *known = text_of(answer, "known");
	struct table *table = table_new(show_pairs);
	show_add_pair(table, "account", text_of(answer, "account"));
	show_account_add_warnings(table, answer);
	if (!of_group(answer))
		show_account_add_level(table, answer);
	table_add(table, "plan");
	table_addf(table, "%s; over a limit: %s", show_or_dash(text_of(answer, "plan")),
		   show_or_dash(text_of(answer, "over")));
	if (!of_group(answer))
		show_account_add_way(table, answer);
	if (*text_of(answer, "spf_unauthorised") != '\0') {
		table_add(table, "SPF");
		table_addf(table, "%s authorises none of our addresses: its mail fails SPF at its receivers",
			   text_of(answer, "spf_unauthorised"));
	}
	show_account_add_complaints(table, answer, all);
	show_account_add_word_of_admin(table, answer, all);
	show_account_add_groups(table, answer, all);
	for (size_t i = 0; i < sizeof knowledge / sizeof knowledge[0]; i++)
		if (strcmp(known, knowledge[i].known) == 0 && (all || i > 0))
			show_add_pair(table, "known from", knowledge[i].said);
	table_print(table, to, 0);
	table_free(&table);
}

static const char *limit_from(const json_t *own, const char *name, const json_t *limit)
{
	return json_object_get(own, name) != NULL ? "own" : json_is_number(limit) ? "plan" : "";
}

static void show_account_add_window(struct table *table, const json_t *answer, const json_t *row)
{
	const json_t *limit = json_object_get(row, "limit");
	char form[FORM_MAX];
	int64_t frees = whole_of(row, "frees_in_s");
	table_add(table, show_or_dash(text_of(row, "name")));
	show_add_number(table, row, "used");
	show_add_number(table, row, "limit");
	table_add(table, form_bar(form, number_of(row, "used"), json_is_number(limit) ? json_number_value(limit) : -1));
	table_add(table, frees > 0 ? form_span(form, frees) : "");
	table_add(table, limit_from(json_object_get(answer, "own_limits"), text_of(row, "name"), limit));
}

static void show_windows(const json_t *answer, bool all, FILE *to)
{
	static const char *const titles[] = { "LIMIT", ">USED", ">LIMIT", "", "FREES IN", "FROM", NULL };
	const json_t *most = json_object_get(answer, "rcpts_per_message");
	bool any = false;
	json_t *row;
	size_t index;
	struct table *table = table_new(titles);
	json_array_foreach(json_object_get(answer, "windows"), index,
			   row) if (all || json_is_number(json_object_get(row, "limit")) ||
				    number_of(row, "used") >= 0.5)
	{
		show_account_add_window(table, answer, row);
		any = true;
	}
	if (!of_group(answer) && (all || json_is_number(most))) {
		table_add(table, "rcpts_per_message");
		table_add(table, "");
		show_add_number(table, answer, "rcpts_per_message");
		table_add(table, "");
		table_add(table, "");
		table_add(table, limit_from(json_object_get(answer, "own_limits"), "rcpts_per_message", most));
		any = true;
	}
	fputs(any		 ? "\n"
	      : of_group(answer) ? "\nno limits, so nothing is counted\n"
				 : "\nno limits, and nothing sent lately\n",
	      to);
	if (any)
		table_print(table, to, 0);
	table_free(&table);
}

/* What a table's last column shows is not 0.00. */
static bool shows(double value)
{
	return value >= 0.005 || value <= -0.005;
}

static void show_reputation(const json_t *answer, bool all, FILE *to)
{
	static const char *const term_titles[] = { "TERM OF THE SCORE", ">VALUE", NULL };
	static const char *const counter_titles[] = { "COUNTER (DECAYED)", ">VALUE", NULL };
	json_t *row;
	size_t index;
	const char *key;
	struct table *terms = table_new(term_titles), *counters = table_new(counter_titles);
	json_array_foreach(json_object_get(answer, "terms"), index, row) if (all || shows(number_of(row, "value")))
	{
		table_add(terms, show_or_dash(text_of(row, "name")));
		show_add_score(terms, json_object_get(row, "value"));
	}
	double left_out = number_of(answer, "soft_left_out");
	if (shows(left_out)) {
		table_add(terms, "soft signals' cap");
		table_addf(terms, "%.2f", -left_out);
	}
	json_object_foreach(json_object_get(answer, "counters"), key, row) if (all)
	{
		table_add(counters, key);
		show_add_score(counters, row);
	}
	fputc('\n', to);
	table_print(terms, to, 0);
	show_spoke(json_object_get(answer, "terms"), "value", 0, to);
	if (all) {
		fputc('\n', to);
		table_print(counters, to, 0);
	}
	table_free(&terms);
	table_free(&counters);
}

/* What its first message would meet is the default plan and level new: that is no knowledge of it. */
static void show_unknown(const json_t *answer, FILE *to)
{
	struct table *table = table_new(show_pairs);
	show_add_pair(table, "account", text_of(answer, "account"));
	show_add_pair(table, "",
		      "Nothing is known of it: no mail, no limits, no block, no exemption. Is the name right? It is as "
		      "the log has it in account=.");
	show_account_add_warnings(table, answer);
	show_account_add_groups(table, answer, false);
	table_print(table, to, 0);
	table_free(&table);
}

void show_account(const json_t *answer, bool all, FILE *to)
{
	if (json_is_true(json_object_get(answer, "unknown")) && !all) {
		show_unknown(answer, to);
		return;
	}
	show_account_head(answer, all, to);
	show_windows(answer, all, to);
	if (!of_group(answer))
		show_reputation(answer, all, to);
}

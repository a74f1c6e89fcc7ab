/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/explain_show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/show.h"
#include "milter/ctl/tool/table.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { BAR_HALF = 12 };

static const char *const pairs[] = { "", "", NULL };

static const char *or_dash(const char *text)
{
	return *text == '\0' ? "-" : text;
}

/* "      |####        " : log-odds to the right speak for abuse; a character for each half */
static void explain_show_add_bar(struct table *table, double term)
{
	char bar[2 * BAR_HALF + 2];
	memset(bar, ' ', sizeof bar - 1);
	bar[sizeof bar - 1] = '\0';
	bar[BAR_HALF] = '|';
	int long_ = (int)lround(fmin(fabs(term) * 2, BAR_HALF));
	for (int i = 1; i <= long_; i++)
		bar[term < 0 ? BAR_HALF - i : BAR_HALF + i] = '#';
	table_add(table, bar);
}

static void explain_show_add_term(struct table *table, const char *name, const json_t *row, double term)
{
	table_add(table, name);
	if (json_object_get(row, "weight") != NULL) {
		table_addf(table, "%.2f", number_of(row, "value"));
		table_addf(table, "%.2f", number_of(row, "weight"));
		table_addf(table, "%.1f to %.1f", number_of(row, "floor"), number_of(row, "cap"));
	} else {
		table_add(table, "");
		table_add(table, "");
		table_add(table, "");
	}
	table_addf(table, "%+.2f", term);
	explain_show_add_bar(table, term);
}

static void show_sum(const json_t *entry, bool all, FILE *to)
{
	static const char *const titles[] = {
		"TERM OF THE SCORE", ">VALUE", ">WEIGHT", "KEPT WITHIN", ">TERM", "", NULL
	};
	const json_t *thresholds = json_object_get(entry, "thresholds"),
		     *age = json_object_get(entry, "evidence_age_s");
	struct table *table = table_new(titles);
	char form[FORM_MAX];
	size_t index;
	json_t *row;
	explain_show_add_term(table, "prior", NULL, number_of(entry, "prior"));
	json_array_foreach(json_object_get(entry, "terms"), index,
			   row) if (all || fabs(number_of(row, "term")) >= 0.005) /* what is not +0.00 */
		explain_show_add_term(table, or_dash(text_of(row, "name")), row, number_of(row, "term"));
	double left_out = number_of(entry, "soft_left_out");
	if (left_out >= 0.005)
		explain_show_add_term(table, "soft signals' cap", NULL, -left_out);
	explain_show_add_term(table, "sum", NULL, number_of(entry, "score"));
	fputc('\n', to);
	table_print(table, to, 2);
	table_free(&table);
	fprintf(to, "  suspect from %.2f (until below %.2f), blocked from %.2f (until below %.2f)\n",
		number_of(thresholds, "suspect_enter"), number_of(thresholds, "suspect_leave"),
		number_of(thresholds, "blocked_enter"), number_of(thresholds, "blocked_leave"));
	if (number_of(thresholds, "blocked_hard") > 0) /* not in entries of older daemons */
		fprintf(to, "  blocked only with %.2f of what abuse alone brings, here %.2f\n",
			number_of(thresholds, "blocked_hard"), number_of(entry, "hard"));
	if (json_is_integer(age))
		fprintf(to, "  the evidence before it was %s old\n", form_span(form, json_integer_value(age)));
	show_spoke(json_object_get(entry, "terms"), "term", 2, to);
}

static void explain_show_add_reasons(struct table *table, const json_t *entry)
{
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(entry, "reasons"), index, row)
	{
		double value = number_of(row, "value"), limit = number_of(row, "limit");
		const char *name = text_of(row, "name"), *detail = text_of(row, "detail"),
			   *gap = *detail == '\0' ? "" : " ";
		table_add(table, index == 0 ? "reasons" : "");
		if (limit != 0)
			table_addf(table, "%s%s%s: %.4g, held against %.4g", name, gap, detail, value, limit);
		else if (value != 0)
			table_addf(table, "%s%s%s: %.4g", name, gap, detail, value);
		else
			table_addf(table, "%s%s%s", name, gap, detail);
	}
}

static void explain_show_add_limit(struct table *table, const json_t *limit)
{
	char form[FORM_MAX];
	if (!json_is_object(limit))
		return;
	table_add(table, "limit");
	table_addf(table, "%s of the %s%s: %.4g of %.0f used, room again in %s", text_of(limit, "name"),
		   text_of(limit, "scope"), json_is_true(json_object_get(limit, "ramp")) ? " (a new account's)" : "",
		   number_of(limit, "used"), number_of(limit, "limit"), form_span(form, whole_of(limit, "frees_in_s")));
}

/* What else the verdict is or would have been. Whoever only leaves by the pool of another level has no cause. */
static void explain_show_add_other(struct table *table, const char *verb, const json_t *other)
{
	const char *cause = text_of(other, "cause");
	bool caused = *cause != '\0' && strcmp(cause, "-") != 0;
	table_addf(table, "%s: %s%s%s, level %s", verb, text_of(other, "action"), caused ? " for " : "",
		   caused ? cause : "", text_of(other, "level"));
}

/* Before its first message, and where Redis is away, an account has no level. */
static void explain_show_add_level(struct table *table, const char *level, const char *before)
{
	if (strcmp(level, before) == 0)
		table_addf(table, "%s (unchanged)", or_dash(level));
	else if (*before == '\0' || strcmp(before, "unknown") == 0)
		table_addf(table, "%s (not known before)", or_dash(level));
	else
		table_addf(table, "%s (was %s)", or_dash(level), before);
}

static void explain_show_add_happened(struct table *table, const json_t *entry)
{
	const json_t *would = json_object_get(entry, "would"), *campaign = json_object_get(entry, "campaign");
	const json_t *spared = json_object_get(entry, "spared");
	bool slow = json_is_true(json_object_get(entry, "slow")), tag = json_is_true(json_object_get(entry, "tag"));
	table_add(table, "what happened");
	table_addf(table, "%s%s%s at stage %s%s%s", text_of(entry, "action"),
		   *text_of(entry, "cause") == '\0' ? "" : " for ", text_of(entry, "cause"), text_of(entry, "stage"),
		   slow ? ", slowed" : "", tag ? ", tagged" : "");
	table_add(table, "client was told");
	table_add(table, *text_of(entry, "reply") == '\0' ? "that it was accepted" : text_of(entry, "reply"));
	table_add(table, "level");
	explain_show_add_level(table, text_of(entry, "level"), text_of(entry, "level_before"));
	if (*text_of(entry, "pool") != '\0') {
		table_add(table, "left by");
		table_addf(table, "%s of pool %s", or_dash(text_of(entry, "transport")), text_of(entry, "pool"));
	}
	explain_show_add_limit(table, json_object_get(entry, "limit"));
	if (json_is_object(campaign)) {
		table_add(table, "same body");
		double messages = number_of(campaign, "messages"), accounts = number_of(campaign, "accounts");
		double bad_accounts = number_of(campaign, "bad_accounts"); /* they fade: no whole numbers */
		table_addf(table, "%.4g %s of %.4g %s, %.4g of them bad, of %.4g %s", messages,
			   messages == 1 ? "message" : "messages", accounts, accounts == 1 ? "account" : "accounts",
			   number_of(campaign, "bad"), bad_accounts, bad_accounts == 1 ? "account" : "accounts");
	}
	if (json_is_object(would)) {
		table_add(table, "shadow mode");
		explain_show_add_other(table, "would have been", would);
	}
	if (json_is_object(spared)) {
		table_add(table, "not exempt");
		explain_show_add_other(table, "would be", spared);
	}
	explain_show_add_reasons(table, entry);
}

static void show_entry(const json_t *entry, bool all, FILE *to)
{
	struct table *table = table_new(pairs);
	char when[64], form[FORM_MAX];
	time_t then = (time_t)whole_of(entry, "time");
	struct tm local;
	localtime_r(&then, &local);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S", &local);
	table_add(table, "reference");
	table_add(table, or_dash(text_of(entry, "ref")));
	table_add(table, "when");
	table_addf(table, "%s, %s", when, form_ago(form, then, time(NULL)));
	table_add(table, "queue id");
	table_add(table, or_dash(text_of(entry, "queue_id")));
	table_add(table, "account");
	table_addf(table, "%s (%s)", text_of(entry, "account"), text_of(entry, "source"));
	table_add(table, "client, sender");
	table_addf(table, "%s, <%s>", text_of(entry, "client"), text_of(entry, "from"));
	explain_show_add_happened(table, entry);
	table_print(table, to, 0);
	table_free(&table);
	show_sum(entry, all, to);
}

void show_explain(const json_t *answer, bool all, FILE *to)
{
	const json_t *entries = json_object_get(answer, "entries"), *account = json_object_get(answer, "account");
	char form[FORM_MAX];
	size_t index;
	json_t *entry;
	if (strcmp(text_of(answer, "kind"), "alike") == 0)
		fprintf(to, "%s was judged like the following message of its account, within a minute of it:\n\n",
			text_of(answer, "what"));
	json_array_foreach(entries, index, entry)
	{
		show_entry(entry, all, to);
		fputc('\n', to);
	}
	if (!json_is_object(account))
		return;
	size_t count = json_array_size(entries);
	if (count == 0)
		fputs("No entry is about this account", to);
	else
		fprintf(to, "%zu %s", count, count == 1 ? "entry" : "entries, newest first");
	if (whole_of(answer, "read") > 0)
		fprintf(to, ", of the last %s", form_span(form, whole_of(answer, "reaches_back_s")));
	fputs(". The account as it stands now:\n\n", to);
	show_account(account, all, to);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How receivers take what transports send: those that rest first, then the most used.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"

#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

static void show_receivers_state(struct table *table, const json_t *row, int64_t now)
{
	char form[FORM_MAX];
	const char *state = text_of(row, "state");
	int64_t until = whole_of(row, "until");
	if (strcmp(state, "rests") == 0 && until > now)
		table_addf(table, "rests for %s", form_span(form, until - now));
	else
		table_add(table, strcmp(state, "free") == 0 ? "-" : show_or_dash(state));
}

static void show_receivers_row(struct table *table, const char *node, const json_t *row, int64_t now)
{
	char form[FORM_MAX];
	const char *wording = text_of(row, "wording");
	table_add(table, node);
	table_add(table, show_or_dash(text_of(row, "transport")));
	table_add(table, show_or_dash(text_of(row, "receiver")));
	table_addf(table, "%.0f", number_of(row, "volume"));
	table_addf(table, "%.0f %%", 100 * number_of(row, "refused"));
	table_addf(table, "%.0f %%", 100 * number_of(row, "deferred"));
	show_receivers_state(table, row, now);
	if (*wording == '\0')
		table_add(table, "-");
	else
		table_addf(table, "%s (%s)", wording, form_ago(form, whole_of(row, "worded"), now));
}

/* A line for each host: how fresh that is. */
static void show_receivers_follow(const json_t *node, FILE *to)
{
	const json_t *follow = json_object_get(node, "follow");
	char form[FORM_MAX];
	const char *trouble = text_of(node, "trouble"), *name = text_of(node, "node");
	if (*trouble != '\0')
		fprintf(to, "What the follower of host %s has told is ignored: %s.\n", name, trouble);
	else if (json_is_object(follow))
		fprintf(to, "The follower of host %s told this %s ago.\n", name,
			form_span(form, whole_of(follow, "age_s")));
	else
		fprintf(to, "No follower has told anything on host %s: what receivers answer is not known.\n", name);
}

void show_receivers(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	static const char *const titles[] = { "HOST",	   "TRANSPORT", "RECEIVER",	  ">ANSWERS", ">REFUSED",
					      ">DEFERRED", "STATE",	"NEWEST REFUSAL", NULL };
	const json_t *nodes = json_object_get(answer, "nodes");
	const char *why = text_of(answer, "why");
	struct table *table = table_new(titles);
	size_t told = 0;
	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i), *rows = json_object_get(node, "rows");
		for (size_t j = 0; j < json_array_size(rows); j++, told++)
			show_receivers_row(table, text_of(node, "node"), json_array_get(rows, j), time(NULL));
	}
	if (told > 0)
		table_print(table, to, 0);
	table_free(&table);
	for (size_t i = 0; i < json_array_size(nodes); i++)
		show_receivers_follow(json_array_get(nodes, i), to);
	if (*why != '\0')
		fprintf(to, "%s\n", why);
}

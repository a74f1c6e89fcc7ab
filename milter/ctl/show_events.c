/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The last events, newest first.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"

#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

static void show_events_add_when(struct table *table, const json_t *event)
{
	char text[40];
	time_t seconds = (time_t)whole_of(event, "time_s");
	struct tm local;
	localtime_r(&seconds, &local);
	if (strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local) == 0)
		text[0] = '\0';
	table_add(table, text);
}

static void show_events_add_what(struct table *table, const json_t *event)
{
	const char *before = text_of(event, "level_before"), *level = text_of(event, "level");
	const char *limit = text_of(json_object_get(event, "limit"), "name");
	if (*before != '\0')
		table_addf(table, "%s -> %s", before, level);
	else
		table_add(table, *limit != '\0' ? limit : *level != '\0' ? level : "-");
}

void show_events(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	static const char *const titles[] = { "when", "event", "who", "what", "why", "done", "reference", NULL };
	const json_t *events = json_object_get(answer, "events");
	int64_t strange = whole_of(answer, "strange");
	struct table *table = table_new(titles);
	for (size_t i = 0; i < json_array_size(events); i++) {
		const json_t *event = json_array_get(events, i);
		const char *account = text_of(event, "account"), *pool = text_of(event, "pool");
		const char *transport = *pool != '\0' ? pool : text_of(event, "transport");
		show_events_add_when(table, event);
		table_add(table, text_of(event, "event"));
		table_add(table, *account != '\0' ? account : *transport != '\0' ? transport : text_of(event, "node"));
		show_events_add_what(table, event);
		table_add(table, text_of(event, "reason"));
		table_add(table, text_of(event, "done"));
		table_add(table, text_of(event, "reference"));
	}
	if (json_array_size(events) > 0)
		table_print(table, to, 0);
	else
		fputs("no events\n", to);
	if (strange > 0)
		fprintf(to, "%lld %s of another form than ours.\n", (long long)strange,
			text_noun(strange, "entry of the stream is", "entries of the stream are"));
	table_free(&table);
}

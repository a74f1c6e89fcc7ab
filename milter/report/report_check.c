/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report_check.h"

#include "milter/report/report.h"
#include "milter/base/json.h"

#include <stdio.h>

#include "policy/base/banned.h"

/* NULL and "" become null. */
static void set_known(json_t *json, const char *name, const char *value)
{
	json_set_text(json, name, value != NULL && *value != '\0' ? value : NULL);
}

static void report_check_put_begin(json_t *json, const struct check_event *event)
{
	static const char *const kinds[] = { "address", "name", "network" };
	const struct check_target *target = event->target;
	json_set_text(json, "kind", kinds[target->kind]);
	json_set_int(json, "lists", event->lists);
	if (event->subjects > 0)
		json_set_int(json, "subjects", event->subjects);
	else
		json_object_set_new(json, "subjects", json_null());
	if (target->kind == CHECK_NETWORK)
		json_set_int(json, "prefix", target->prefix);
}

static void put_target(json_t *json, const struct check_event *event)
{
	json_set_text(json, "from", event->from);
}

static json_t *report_check_codes_of(const struct list_reply *reply)
{
	json_t *codes = json_array();
	for (int i = 0; i < reply->count; i++) {
		uint32_t code = reply->codes[i];
		char text[16];
		snprintf(text, sizeof text, "%u.%u.%u.%u", code >> 24, code >> 16 & 255, code >> 8 & 255, code & 255);
		json_array_append_new(codes, json_string(text));
	}
	return codes;
}

static void report_check_put_list(json_t *json, const struct check_event *event)
{
	static const char *const said[] = { [CHECK_CLEAN] = "clean",
					    [CHECK_LISTED] = "listed",
					    [CHECK_UNKNOWN] = "unknown",
					    [CHECK_SKIPPED] = "skipped" };
	const struct list *list = event->list;
	const struct list_answer *answer = event->answer;
	json_set_text(json, "list", list->name);
	json_set_text(json, "zone", list->zone);
	json_set_text(json, "said", said[event->said]);
	json_set_text(json, "kind", event->said == CHECK_LISTED ? list_kind_word(event->listed_as) : NULL);
	json_object_set_new(json, "codes", report_check_codes_of(&answer->reply));
	json_set_real(json, "weight", list->weight);
	json_set_text(json, "why", answer->why);
	set_known(json, "site", list->site);
	set_known(json, "removal", list->removal);
	set_known(json, "terms", list->terms);
	json_object_set_new(json, "cached", json_boolean(answer->cached));
	json_set_int(json, "ms", answer->took_ms);
}

static void put_text(json_t *json, const struct check_event *event)
{
	json_set_text(json, "list", event->list->name);
	json_set_text(json, "text", event->text);
}

static void report_check_put_origin(json_t *json, const struct check_event *event)
{
	if (event->as_number != 0)
		json_set_int(json, "as", event->as_number);
	else
		json_object_set_new(json, "as", json_null());
	set_known(json, "as_name", event->as_name);
	set_known(json, "prefix", event->prefix);
	set_known(json, "country", event->country);
}

static void report_check_put_ptr(json_t *json, const struct check_event *event)
{
	json_t *names = json_array();
	for (int i = 0; i < event->name_count; i++)
		json_array_append_new(names, json_text(event->names[i]));
	json_object_set_new(json, "names", names);
	json_object_set_new(json, "confirmed",
			    event->confirmed == CHECK_CONFIRM_UNKNOWN
				    ? json_null()
				    : json_boolean(event->confirmed == CHECK_CONFIRMED));
}

static void report_check_put_sums(json_t *json, const struct check_event *event)
{
	json_set_int(json, "listed", event->sums.listed);
	json_set_int(json, "clean", event->sums.clean);
	json_set_int(json, "unknown", event->sums.unknown);
	json_set_int(json, "skipped", event->sums.skipped);
	json_set_real(json, "weight", event->sums.weight);
	json_set_int(json, "ms", event->took_ms);
	json_set_int(json, "noted", event->sums.noted);
}

static void put_subject(json_t *json, const struct check_event *event)
{
	report_check_put_sums(json, event);
	json_set_text(json, "why", event->why);
}

static void report_check_put_end(json_t *json, const struct check_event *event)
{
	const struct check_sums *sums = &event->sums;
	json_set_int(json, "subjects", sums->listed + sums->clean + sums->unknown + sums->skipped);
	report_check_put_sums(json, event);
	json_set_text(json, "error", event->error);
}

/* clang-format off */
static const struct {
	const char *type;
	void (*put)(json_t *json, const struct check_event *event);
} rows[] = {
	[CHECK_EVENT_BEGIN] = { "begin", report_check_put_begin },	[CHECK_EVENT_TARGET] = { "target", put_target },
	[CHECK_EVENT_LIST] = { "list", report_check_put_list },	[CHECK_EVENT_TEXT] = { "text", put_text },
	[CHECK_EVENT_ORIGIN] = { "origin", report_check_put_origin }, [CHECK_EVENT_PTR] = { "ptr", report_check_put_ptr },
	[CHECK_EVENT_SUBJECT] = { "subject", put_subject }, [CHECK_EVENT_END] = { "end", report_check_put_end },
};
/* clang-format on */

json_t *report_check(const struct check_event *event, const char *query)
{
	json_t *json = json_object();
	if (json == NULL)
		return NULL;
	json_set_text(json, "type", rows[event->kind].type);
	if (event->kind == CHECK_EVENT_BEGIN)
		json_set_text(json, "query", query);
	else if (event->subject != NULL)
		json_set_text(json, "subject", event->subject);
	rows[event->kind].put(json, event);
	return json;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/rbl/rbl_text.h"

#include "milter/ctl/tool/member.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "policy/base/banned.h"

bool rbl_is_noted(const json_t *listing)
{
	const json_t *weight = json_object_get(listing, "weight");
	return json_is_number(weight) && json_number_value(weight) <= 0 &&
	       strcmp(text_of(listing, "kind"), "allow") != 0;
}

void rbl_add_weight(struct text *text, double weight)
{
	if (weight > 0)
		text_addf(text, " (weight %.4g)", weight);
}

void rbl_add_time(struct text *text, const json_t *line)
{
	int64_t ms = whole_of(line, "ms");
	if (ms < 10000)
		text_addf(text, ", in %" PRId64 " ms", ms);
	else
		text_addf(text, ", in %.1f s", (double)ms / 1000);
}

void rbl_add_items(struct text *text, const json_t *array)
{
	size_t i;
	json_t *item;
	json_array_foreach(array, i, item)
		text_addf(text, "%s%s", i == 0 ? "" : ", ", json_is_string(item) ? json_string_value(item) : "?");
}

void rbl_add_list(struct text *text, const json_t *line)
{
	const char *name = text_of(line, "list"), *zone = text_of(line, "zone");
	text_add(text, name);
	if (*zone != '\0' && strcmp(name, zone) != 0)
		text_addf(text, " (%s)", zone);
}

enum tone rbl_add_sums(struct text *text, const json_t *sums)
{
	int64_t listed = whole_of(sums, "listed"), clean = whole_of(sums, "clean");
	int64_t unknown = whole_of(sums, "unknown"), skipped = whole_of(sums, "skipped"),
		noted = whole_of(sums, "noted");
	int64_t asked = listed + noted + clean + unknown;
	const char *lists = asked == 1 ? "list" : "lists";
	if (asked == 0) {
		const char *why = text_of(sums, "why");
		text_addf(text, "not known: no list was asked%s%s%s", *why == '\0' ? "" : " (", why,
			  *why == '\0' ? "" : ")");
		return TONE_DOUBT;
	}
	if (listed > 0)
		text_addf(text, "listed by %" PRId64 " of %" PRId64 " %s", listed, asked, lists);
	else if (clean + noted > 0)
		text_addf(text, "listed by none of %" PRId64 " %s", asked, lists);
	else
		text_addf(text, "not known: none of %" PRId64 " %s answered", asked, lists);
	rbl_add_weight(text, number_of(sums, "weight"));
	if (noted > 0)
		text_addf(text, ", %snamed by %" PRId64 " %s without weight", listed > 0 ? "also " : "", noted,
			  noted == 1 ? "list" : "lists");
	if (unknown > 0 && listed + noted + clean > 0)
		text_addf(text, ", %" PRId64 " did not answer", unknown);
	if (skipped > 0)
		text_addf(text, ", %" PRId64 " not asked", skipped);
	rbl_add_time(text, sums);
	return listed > 0 ? TONE_BAD : clean + noted > 0 ? TONE_GOOD : TONE_DOUBT;
}

void rbl_add_origin(struct text *text, const json_t *origin)
{
	int64_t as = whole_of(origin, "as");
	static const char *const members[] = { "as_name", "prefix", "country" };
	if (as > 0)
		text_addf(text, "AS%" PRId64, as);
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (*text_of(origin, members[i]) != '\0')
			text_addf(text, "%s%s",
				  text->length == 0 ? ""
				  : i == 0	    ? " "
						    : ", ",
				  text_of(origin, members[i]));
	if (text->length == 0)
		text_add(text, "not known");
}

void rbl_add_names(struct text *text, const json_t *ptr)
{
	const json_t *names = json_object_get(ptr, "names"), *confirmed = json_object_get(ptr, "confirmed");
	bool known = json_is_boolean(confirmed);
	if (json_array_size(names) == 0) {
		text_add(text, known ? "none" : "not known");
		return;
	}
	rbl_add_items(text, names);
	text_add(text, !known			 ? " (whether forward-confirmed is not known)"
		       : json_is_true(confirmed) ? " (forward-confirmed)"
						 : " (not forward-confirmed)");
}

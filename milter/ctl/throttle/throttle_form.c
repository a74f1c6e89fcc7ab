/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/throttle/throttle_form.h"

#include "policy/base/text.h"

#include <stdio.h>

#include "policy/base/banned.h"

const char *throttle_form_count(char form[THROTTLE_FORM_MAX], uint64_t count)
{
	char digits[24];
	struct text text = text_over(form, THROTTLE_FORM_MAX);
	int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text_add(&text, ",");
		text_add_bytes(&text, digits + i, 1);
	}
	return form;
}

/* What is not all and not nothing is shown as neither. */
const char *throttle_form_share(char form[THROTTLE_FORM_MAX], uint64_t part, uint64_t whole)
{
	double share = whole == 0 ? 0 : 100 * (double)part / (double)whole;
	if (part > 0 && share < 0.05)
		snprintf(form, THROTTLE_FORM_MAX, "< 0.1 %%");
	else if (part < whole && share >= 99.95)
		snprintf(form, THROTTLE_FORM_MAX, "> 99.9 %%");
	else
		snprintf(form, THROTTLE_FORM_MAX, "%.1f %%", share);
	return form;
}

const char *throttle_form_span(char form[THROTTLE_FORM_MAX], double seconds)
{
	static const struct {
		double from, of;
		const char *unit;
	} units[] = { { 172800, 86400, "days" }, { 7200, 3600, "hours" }, { 120, 60, "minutes" } };
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (seconds >= units[i].from) {
			snprintf(form, THROTTLE_FORM_MAX, "%.1f %s", seconds / units[i].of, units[i].unit);
			return form;
		}
	snprintf(form, THROTTLE_FORM_MAX, "%.0f %s", seconds, text_noun((int64_t)seconds, "second", "seconds"));
	return form;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/member.h"

#include "policy/base/banned.h"

const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text == NULL ? "" : text;
}

double number_of(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

int64_t whole_of(const json_t *object, const char *name)
{
	double number = number_of(object, name);
	return number > -9e15 && number < 9e15 ? (int64_t)number : 0;
}

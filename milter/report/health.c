/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/health.h"

#include "milter/base/json.h"

#include <stdarg.h>
#include <stdio.h>

#include "policy/base/banned.h"

void health_add(struct health_list *list, enum health health, const char *format, ...)
{
	char sentence[1100];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	if (health > list->worst)
		list->worst = health;
	json_array_append_new(list->reasons, json_text(sentence));
}

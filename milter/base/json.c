/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/json.h"

#include "policy/spoke.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

json_t *json_text(const char *string)
{
	json_t *text = json_string(string);
	if (text != NULL)
		return text;
	char *copy = strdup(string);
	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	text = copy == NULL ? NULL : json_string(copy);
	free(copy);
	return text;
}

void json_set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, value == NULL ? json_null() : json_text(value));
}

void json_set_int(json_t *object, const char *name, int64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

void json_set_real(json_t *object, const char *name, double value)
{
	json_t *real = json_real(value); /* NULL: not a finite number */
	json_object_set_new(object, name, real == NULL ? json_null() : real);
}

json_t *json_breach(const struct breach *breach)
{
	if (breach->window >= WINDOW_COUNT || breach->blocked)
		return json_null();
	json_t *json = json_object();
	json_set_text(json, "name", window_word(breach->window));
	json_set_text(json, "scope", scope_word(breach->scope));
	json_set_int(json, "limit", breach->limit);
	json_set_real(json, "used", breach->used);
	json_set_int(json, "frees_in_s", breach->frees_in_s);
	json_object_set_new(json, "ramp", json_boolean(breach->ramp));
	return json;
}

/* An entry of explain is kept for weeks: what is nought is not written. */
json_t *json_terms(const struct signal_setting settings[SIGNAL_COUNT], const struct score *score)
{
	json_t *terms = json_array();
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		bool weighed = score->raw[i] != 0 || score->term[i] != 0;
		if (!weighed && score->spoke[i] == SPOKE_NOTHING)
			continue;
		json_t *row = json_object();
		json_set_text(row, "name", signal_word((enum signal)i));
		if (weighed) {
			json_set_real(row, "value", score->raw[i]);
			json_set_real(row, "weight", settings[i].weight);
			json_set_real(row, "floor", settings[i].floor);
			json_set_real(row, "cap", settings[i].cap);
			json_set_real(row, "term", score->term[i]);
		}
		if (score->spoke[i] != SPOKE_NOTHING)
			json_set_text(row, "spoke", spoke_word((enum spoke)score->spoke[i]));
		json_array_append_new(terms, row);
	}
	return terms;
}

void json_write(struct evbuffer *to, json_t *json)
{
	char *line = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
	evbuffer_add_printf(to, "%s\n", line == NULL ? "{\"error\":\"The daemon is out of memory.\"}" : line);
	free(line);
	json_decref(json);
}

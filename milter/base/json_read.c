/* SPDX-License-Identifier: BSD-2-Clause */
#define PENSTOCK_JSON_READ_INSIDE /* banned.h: others call json_read */
#include "milter/base/json_read.h"

#include <stdbool.h>
#include <stdio.h>

#include "policy/base/banned.h"

static const struct {
	size_t bytes, levels;
} limits[] = {
#define JSON_SOURCE_LIMIT(source, bytes, levels) [source] = { bytes, levels },
	JSON_SOURCE_ROWS(JSON_SOURCE_LIMIT)
#undef JSON_SOURCE_LIMIT
};

/* Brackets outside of strings; whether they fit each other is the library's business, which goes no deeper than this.
 */
static bool json_read_is_deeper(const char *text, size_t length, size_t levels)
{
	size_t depth = 0;
	bool string = false;
	for (size_t i = 0; i < length; i++) {
		if (string) {
			string = text[i] != '"';
			i += text[i] == '\\';
			continue;
		}
		string = text[i] == '"';
		if (text[i] == '[' || text[i] == '{')
			depth++;
		else if ((text[i] == ']' || text[i] == '}') && depth > 0)
			depth--;
		if (depth > levels)
			return true;
	}
	return false;
}

json_t *json_read(enum json_source source, const char *text, size_t length, char *error, size_t error_size)
{
	json_error_t why = { .text = "" };
	json_t *json = NULL;
	if (length > limits[source].bytes) {
		snprintf(error, error_size, "it has %zu bytes, more than the %zu that are read", length,
			 limits[source].bytes);
		return NULL;
	}
	if (json_read_is_deeper(text, length, limits[source].levels)) {
		snprintf(error, error_size, "it is nested more than %zu levels deep", limits[source].levels);
		return NULL;
	}
	json = json_loadb(text, length, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(json))
		return json;
	snprintf(error, error_size,
		 json == NULL ? "it is not JSON: %.160s" : "it is another kind of value than an object", why.text);
	json_decref(json);
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * JSON from outside: what is read is an object of no more levels than are allowed.
 */
#include "milter/base/json_read.h"

#include "policy/base/panic.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int levels_of(const json_t *json)
{
	int most = 0, levels;
	size_t index;
	const char *key;
	json_t *value;
	if (json_is_array(json))
		json_array_foreach(json, index, value) most = (levels = levels_of(value)) > most ? levels : most;
	else if (json_is_object(json))
		json_object_foreach((json_t *)(uintptr_t)json, key, value) most =
			(levels = levels_of(value)) > most ? levels : most;
	else
		return 0;
	return most + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[200] = "";
	json_t *json = json_read(JSON_OF_CLIENT, (const char *)data, size, error, sizeof error);
	MUST((json != NULL) == (error[0] == '\0'));
	MUST(json == NULL || (json_is_object(json) && levels_of(json) <= 32));
	json_decref(json);
	return 0;
}

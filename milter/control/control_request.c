/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_request.h"

#include "milter/base/json.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

void control_end(struct control_request *request)
{
	json_decref(request->json);
	setup_drop(&request->setup);
	free(request);
}

void control_send(struct exchange_call *call, json_t *json)
{
	struct evbuffer *line = evbuffer_new();
	if (line != NULL)
		json_write(line, json);
	else
		json_decref(json);
	exchange_answer(call, line);
	if (line != NULL)
		evbuffer_free(line);
}

/* Takes `json`. The request is gone afterwards. */
static void answer(struct control_request *request, json_t *json)
{
	control_send(request->call, json);
	control_end(request);
}

void control_ok(struct control_request *request, json_t *json)
{
	if (json != NULL)
		json_object_set_new(json, "ok", json_true());
	answer(request, json);
}

void control_error(struct control_request *request, const char *error)
{
	answer(request, json_pack("{s:o}", "error", json_text(error)));
}

bool control_fail(char *error, size_t error_size, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, error_size, format, arguments);
	va_end(arguments);
	return false;
}

void control_show_value(const json_t *value, char shown[VALUE_SHOWN_MAX + 1])
{
	char *text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
	text_copy(shown, VALUE_SHOWN_MAX + 1, text == NULL ? "missing" : text);
	free(text);
}

bool control_fail_value(const struct control_request *request, const char *member, const char *expected, char *error,
			size_t error_size)
{
	char shown[VALUE_SHOWN_MAX + 1];
	control_show_value(json_object_get(request->json, member), shown);
	return control_fail(error, error_size, "%s: \"%s\" is %s; expected %s.", request->command->word, member, shown,
			    expected);
}

/* What Redis itself says begins with a word in capitals: "NOPERM this user has no permissions ...". */
void control_read_error(char *sentence, size_t size, const char *word, const char *things, const char *error)
{
	size_t capitals = strspn(error, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
	bool says = capitals > 1 && error[capitals] == ' ';
	snprintf(sentence, size,
		 says ? "%s: %s cannot be read now: Redis says \"%.200s\"."
		      : "%s: %s cannot be read now: Redis does not answer (%.200s).",
		 word, things, error);
}

void control_store_error(struct control_request *request, const char *what)
{
	char error[700];
	snprintf(error, sizeof error,
		 "%s %s: Redis did not confirm it: %.200s; look with account show whether it holds.",
		 request->command->word, request->account, what);
	control_error(request, error);
}

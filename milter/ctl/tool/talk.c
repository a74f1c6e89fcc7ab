/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/talk.h"

#include "milter/ctl/tool/client.h"

#include <stdlib.h>

#include "policy/base/banned.h"

json_t *talk_ask(const struct call *call, const json_t *request, int *code_out)
{
	char error[600];
	*code_out = EXIT_USAGE;
	char *path = call_socket(call);
	if (path == NULL)
		return NULL;
	json_t *answer = client_ask(path, request, error, sizeof error);
	free(path);
	if (answer == NULL) {
		complain(call, "%s", error);
		return NULL;
	}
	const json_t *refusal = json_object_get(answer, "error");
	*code_out = refusal == NULL ? EXIT_FINE : EXIT_NO;
	if (call->option[OPTION_JSON] != NULL)
		call_print_json(answer, stdout);
	else if (refusal != NULL)
		complain(call, "%s", json_is_string(refusal) ? json_string_value(refusal) : "the daemon refused");
	else
		return answer;
	json_decref(answer);
	return NULL;
}

int talk_show(const struct call *call, json_t *request, void (*show)(const json_t *answer, bool all, FILE *to))
{
	int code;
	json_t *answer = talk_ask(call, request, &code);
	if (answer != NULL)
		show(answer, call->option[OPTION_VERBOSE] != NULL, stdout);
	json_decref(answer);
	json_decref(request);
	return code;
}

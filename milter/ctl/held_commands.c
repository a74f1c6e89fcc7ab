/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/held_commands.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/client.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/postsuper.h"
#include "milter/ctl/tool/table.h"
#include "milter/base/queue_id.h"
#include "policy/base/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { AT_ONCE = 16, PIECE = 500 };

/* One way of ending a hold: postsuper's option and what is said of it. */
struct way {
	const char *option, *done;
};

static const struct way release = { "-H", "released" }, drop = { "-d", "deleted" };

void show_held(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	static const char *const titles[] = { "QUEUE ID", "REFERENCE", "ACCOUNT", "NODE", "RELEASE", NULL };
	char form[FORM_MAX];
	json_t *rows = json_object_get(answer, "held"), *row;
	size_t index;
	struct table *table = table_new(titles);
	int64_t now = time(NULL), waiting = whole_of(answer, "not_listed_yet"), strange = whole_of(answer, "strange");
	json_array_foreach(rows, index, row)
	{
		const json_t *until = json_object_get(row, "until");
		int64_t left = whole_of(row, "until") - now;
		table_add(table, text_of(row, "queue_id"));
		table_add(table, text_of(row, "ref"));
		table_add(table, text_of(row, "account"));
		table_add(table, text_of(row, "node"));
		if (!json_is_integer(until))
			table_add(table, "by an admin");
		else
			table_addf(table, left > 0 ? "in %s" : "due for %s", form_span(form, left > 0 ? left : -left));
	}
	if (json_array_size(rows) == 0)
		fputs("No message is listed as held.\n", to);
	else
		table_print(table, to, 0);
	if (json_is_true(json_object_get(answer, "more")))
		fputs("There are more.\n", to);
	if (strange > 0)
		fprintf(to, "%lld %s of another form than ours.\n", (long long)strange,
			text_noun(strange, "entry of the list is", "entries of the list are"));
	if (waiting > 0)
		fprintf(to, "%lld more %s held and not listed yet: Redis is away.\n", (long long)waiting,
			text_noun(waiting, "is", "are"));
	table_free(&table);
}

/* Asks the daemon, takes over `request`. NULL with the complaint made. */
static json_t *held_ask(const struct call *call, const char *socket, json_t *request)
{
	char error[600];
	json_t *answer = client_ask(socket, request, error, sizeof error);
	json_decref(request);
	const char *refusal = answer == NULL ? error : text_of(answer, "error");
	if (*refusal == '\0')
		return answer;
	complain(call, "%s", refusal);
	json_decref(answer);
	return NULL;
}

/* `rows` are at most AT_ONCE. What stays on the list all the same is skipped, or we would come to it for ever. False
 * with the complaint made. */
static bool held_end_hold(const struct call *call, const char *socket, const struct way *way, const json_t *rows,
			  int64_t *skip)
{
	const char *ids[AT_ONCE];
	int count = 0;
	size_t index;
	json_t *row, *members = have_memory(json_array());
	json_array_foreach(rows, index, row)
	{
		ids[count++] = text_of(row, "queue_id");
		json_array_append(members, json_object_get(row, "member"));
	}
	/* no other queue's message of that name */
	if (!postsuper_run(call, way->option, ids, count, "hold", "the messages stay held and listed")) {
		json_decref(members);
		return false;
	}
	json_t *answer =
		held_ask(call, socket, have_memory(json_pack("{s:s, s:o}", "do", "held.remove", "members", members)));
	json_array_foreach(rows, index, row)
	{
		printf("%s of ", text_of(row, "queue_id"));
		clean_print(stdout, text_of(row, "account"));
		printf(": %s\n", way->done);
	}
	int64_t stay = (int64_t)json_array_size(rows) - whole_of(answer, "removed");
	*skip += stay > 0 ? stay : 0;
	bool fine = answer != NULL;
	json_decref(answer);
	return fine;
}

bool held_commands_wants(const struct call *call, const json_t *row, const char *node, bool *found)
{
	const char *id = text_of(row, "queue_id");
	bool here = strcmp(text_of(row, "node"), node) == 0, named = call->option[OPTION_DUE] != NULL;
	for (int i = 0; i < call->count; i++)
		if (strcmp(call->arguments[i], id) == 0) {
			named = true;
			found[i] |= here;
		}
	return named && here && queue_id_fine(id);
}

/* What is asked for of one piece of the list. Below 0: the complaint was made; else how many rows there were. */
static int held_end_piece(const struct call *call, const char *socket, const struct way *way, int64_t *skip,
			  bool *found)
{
	json_t *request = have_memory(json_pack("{s:s, s:b, s:I}", "do", "held.list", "due",
						call->option[OPTION_DUE] != NULL, "skip", (json_int_t)*skip));
	json_t *answer = held_ask(call, socket, request), *row, *some = have_memory(json_array());
	const json_t *rows = json_object_get(answer, "held");
	const char *node = text_of(answer, "node");
	bool fine = answer != NULL;
	size_t index;
	*skip += whole_of(answer, "strange"); /* they stay where they are, and have no row */
	json_array_foreach(rows, index, row)
	{
		if (!held_commands_wants(call, row, node, found)) {
			(*skip)++;
			continue;
		}
		json_array_append(some, row);
		if (fine && json_array_size(some) == AT_ONCE) {
			fine = held_end_hold(call, socket, way, some, skip);
			json_array_clear(some);
		}
	}
	if (fine && json_array_size(some) > 0)
		fine = held_end_hold(call, socket, way, some, skip);
	int count = fine ? json_is_true(json_object_get(answer, "more")) ? PIECE : 0 : -1;
	json_decref(some);
	json_decref(answer);
	return count;
}

static int held_run(const struct call *call, const struct way *way)
{
	bool due = call->option[OPTION_DUE] != NULL;
	if (due == (call->count > 0))
		return complain(call, "expected queue ids%s", way == &release ? ", or --due" : "");
	for (int i = 0; i < call->count; i++)
		if (!queue_id_fine(call->arguments[i]))
			return complain(call, "\"%.100s\" is not a queue id: expected %d to %d letters and digits",
					call->arguments[i], QUEUE_ID_LEAST, QUEUE_ID_MOST);
	char *socket = call_socket(call);
	bool *found = have_memory(calloc((size_t)call->count + 1, sizeof *found));
	int64_t skip = 0;
	int left = socket == NULL ? -1 : PIECE, code = EXIT_FINE;
	while (left > 0)
		left = held_end_piece(call, socket, way, &skip, found);
	for (int i = 0; left == 0 && i < call->count; i++)
		if (!found[i]) {
			complain(call,
				 "%s is not in the list of messages that this host holds; postqueue -p names what "
				 "Postfix holds, and postsuper -H releases it",
				 call->arguments[i]);
			code = EXIT_NO;
		}
	free(found);
	free(socket);
	return left < 0 ? EXIT_USAGE : code;
}

int held_release_run(const struct call *call)
{
	return held_run(call, &release);
}

int held_drop_run(const struct call *call)
{
	return held_run(call, &drop);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of held messages: from what Redis says (the input: a member a line, and its score on the next) to the rows
 * of the answer, to what penstockctl shows and gives to postsuper.
 */
#include "milter/ctl/held_commands.h"
#include "milter/control/control_held.h"
#include "milter/record/held.h"
#include "milter/base/queue_id.h"

#include "t/fuzz/fuzz.h"

enum { ITEMS_MAX = 60 };

static void check_member(const char *member)
{
	struct held held;
	char again[HELD_MEMBER_MAX + 1];
	if (!held_read(member, &held))
		return;
	held_write(&held, again);
	MUST(strcmp(again, member) == 0);
	MUST(queue_id_fine(held.queue_id) && held.node[0] != '\0' && held.account[0] != '\0');
}

/* Each row is a member that can be taken off the list again, by what it says. */
static void check_row(const json_t *row)
{
	const char *member = json_string_value(json_object_get(row, "member"));
	const json_t *until = json_object_get(row, "until");
	struct held held;
	MUST(member != NULL && held_read(member, &held));
	MUST(strcmp(held.queue_id, json_string_value(json_object_get(row, "queue_id"))) == 0);
	MUST(strcmp(held.account, json_string_value(json_object_get(row, "account"))) == 0);
	MUST(json_is_null(until) || (json_integer_value(until) >= 0 && json_integer_value(until) < HELD_NEVER_S));
	MUST(json_is_boolean(json_object_get(row, "due")));
}

static void show(const json_t *answer)
{
	char *shown = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&shown, &size);
	MUST(to != NULL);
	show_held(answer, false, to);
	fclose(to);
	must_be_clean(shown, size);
	free(shown);
}

/* As an argument it can be nothing but a queue id. */
static void check_argument(const json_t *row)
{
	static char other[] = "ABCDE";
	char *arguments[] = { other };
	struct call due = { .option = { [OPTION_DUE] = "" } }, named = { .count = 1, .arguments = arguments };
	bool found[2] = { false };
	const char *id = json_string_value(json_object_get(row, "queue_id"));
	const char *node = json_string_value(json_object_get(row, "node"));
	if (held_commands_wants(&due, row, "mx1", found))
		MUST(id != NULL && queue_id_fine(id) && node != NULL && strcmp(node, "mx1") == 0);
	bool wants = held_commands_wants(&named, row, "mx1", found);
	MUST(!wants || strcmp(id, other) == 0);
	MUST(found[0] == wants && !found[1]);
}

/* A daemon of another age, or who took its place, may say anything. */
static void check_answer(const uint8_t *data, size_t size)
{
	json_t *answer = json_loadb((const char *)data, size, 0, NULL), *row;
	size_t index;
	show(answer);
	json_array_foreach(json_object_get(answer, "held"), index, row) check_argument(row);
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *items[ITEMS_MAX];
	char *text = string_of(data, size), *rest = NULL;
	int count = 0;
	int64_t strange;
	size_t index;
	json_t *row;
	for (char *at = strtok_r(text, "\n", &rest); at != NULL && count < ITEMS_MAX;
	     at = strtok_r(NULL, "\n", &rest)) {
		check_member(at);
		items[count++] = *at == '\1' ? NULL : at;
	}
	json_t *rows = control_held_rows(count, items, &strange);
	MUST((int64_t)json_array_size(rows) + strange == count / 2);
	json_array_foreach(rows, index, row)
	{
		check_row(row);
		check_argument(row);
	}
	json_t *answer = json_pack("{s:o, s:I, s:b}", "held", rows, "strange", (json_int_t)strange, "more", 1);
	show(answer);
	json_decref(answer);
	free(text);
	check_answer(data, size);
	return 0;
}

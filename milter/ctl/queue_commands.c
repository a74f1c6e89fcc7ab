/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/queue_commands.h"

#include "milter/base/idn.h"
#include "milter/base/queue_id.h"
#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/postsuper.h"
#include "milter/ctl/tool/table.h"
#include "milter/follow/checkpoint.h"
#include "policy/base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "policy/base/banned.h"

/* Fields of the follower's rows "queued" (milter/follow/queue_map.c). */
enum {
	FIELD_ID = 1,
	FIELD_ACCOUNT,
	FIELD_TRANSPORT,
	FIELD_REFERENCE,
	FIELD_SENDER = 7,
	FIELD_TIME,
	FIELD_SIZE,
	FIELD_RCPTS,
	FIELD_ENDED
};

struct queue_commands_reading {
	char account[ACCOUNT_MAX + 1];
	json_t *messages; /* objects; "held" says that the follower put it on hold */
	json_t *held;	  /* queue ids */
};

static bool queue_commands_take(void *arg, const struct checkpoint_row *row)
{
	struct queue_commands_reading *reading = arg;
	int64_t time_us = 0, size = 0, rcpts = 0, ended = 0;
	if (span_is(row->fields[0], "held"))
		json_object_set_new(reading->held, checkpoint_string(row, FIELD_ID), json_true());
	if (!span_is(row->fields[0], "queued") ||
	    strcmp(checkpoint_string(row, FIELD_ACCOUNT), reading->account) != 0 ||
	    !queue_id_fine(checkpoint_string(row, FIELD_ID)))
		return true;
	checkpoint_int(row, FIELD_TIME, &time_us);
	checkpoint_int(row, FIELD_SIZE, &size);
	checkpoint_int(row, FIELD_RCPTS, &rcpts);
	checkpoint_int(row, FIELD_ENDED, &ended);
	/* what is no UTF-8 is left out */
	json_array_append_new(
		reading->messages,
		have_memory(json_pack("{s:s, s:s, s:o*, s:o*, s:o*, s:I, s:I, s:o*}", "queue_id",
				      checkpoint_string(row, FIELD_ID), "account", reading->account, "transport",
				      json_string(checkpoint_string(row, FIELD_TRANSPORT)), "ref",
				      json_string(checkpoint_string(row, FIELD_REFERENCE)), "sender",
				      json_string(checkpoint_string(row, FIELD_SENDER)), "time_s",
				      (json_int_t)(time_us / 1000000), "size", (json_int_t)size, "rcpts_left",
				      rcpts > 0 ? json_integer(rcpts > ended ? rcpts - ended : 0)
						: NULL))); /* the queue manager did not say yet */
	return true;
}

static void queue_commands_mark_held(struct queue_commands_reading *reading)
{
	size_t index;
	json_t *message;
	json_array_foreach(reading->messages, index, message)
	{
		const char *id = json_string_value(json_object_get(message, "queue_id"));
		json_object_set_new(message, "held", json_boolean(json_object_get(reading->held, id) != NULL));
	}
}

/* The account's messages, a new reference; how old that knowledge is in *age_s_out. NULL with the complaint made. */
static json_t *queue_commands_read(const struct call *call, int64_t *age_s_out)
{
	char file[300], error[600];
	struct text name = text_over(file, sizeof file);
	struct queue_commands_reading reading = { 0 };
	struct stat status;
	bool found = false;
	struct config *config = call_config(call);
	if (config == NULL)
		return NULL;
	const char *expected = idn_typed(call->arguments[0], config->set.accounts_cut_tag, reading.account);
	text_addf(&name, "%s/checkpoint", config->set.follow_state);
	config_drop(&config);
	if (expected != NULL) {
		complain(call, "\"%.400s\" is not an account: expected %s", call->arguments[0], expected);
		return NULL;
	}
	reading.messages = have_memory(json_array());
	reading.held = have_memory(json_object());
	bool fine = checkpoint_load(file, queue_commands_take, &reading, &found, error, sizeof error);
	queue_commands_mark_held(&reading);
	json_decref(reading.held);
	*age_s_out = fine && stat(file, &status) == 0 ? time(NULL) - status.st_mtime : 0;
	if (fine && found)
		return reading.messages;
	json_decref(reading.messages);
	complain(call, fine ? "%s is not there; penstock-follow writes it: systemctl status penstock-follow" : "%s",
		 fine ? file : error);
	return NULL;
}

/* ---- */

static void queue_commands_print(const json_t *messages, const char *account, int64_t age_s)
{
	static const char *const titles[] = { "QUEUE ID", "REFERENCE", ">AGE", "SENDER", ">RECIPIENTS LEFT",
					      ">KIB",	  "TRANSPORT", "",     NULL };
	char form[FORM_MAX];
	struct table *table = table_new(titles);
	int64_t now = time(NULL);
	size_t index;
	json_t *row;
	json_array_foreach((json_t *)(uintptr_t)messages, index, row)
	{
		table_add(table, json_string_value(json_object_get(row, "queue_id")));
		table_add(table, json_string_value(json_object_get(row, "ref")));
		table_add(table, form_span(form, now - json_integer_value(json_object_get(row, "time_s"))));
		const char *sender = json_string_value(json_object_get(row, "sender"));
		table_add(table, sender == NULL || *sender == '\0' ? "<>" : sender);
		const json_t *left = json_object_get(row, "rcpts_left");
		if (left != NULL)
			table_addf(table, "%lld", json_integer_value(left));
		else
			table_add(table, "?");
		table_addf(table, "%lld", (json_integer_value(json_object_get(row, "size")) + 1023) / 1024);
		table_add(table, json_string_value(json_object_get(row, "transport")));
		table_add(table, json_is_true(json_object_get(row, "held")) ? "on hold, while it is blocked" : "");
	}
	if (index > 0)
		table_print(table, stdout, 0);
	table_free(&table);
	printf("%zu %s of ", index, text_noun((int64_t)index, "message", "messages"));
	clean_print(stdout, account);
	printf(" %s in the queue, as penstock-follow knew %s ago.\n", text_noun((int64_t)index, "is", "are"),
	       form_span(form, age_s));
}

int queue_show_run(const struct call *call)
{
	int64_t age_s;
	json_t *messages = queue_commands_read(call, &age_s);
	if (messages == NULL)
		return EXIT_USAGE;
	if (call->option[OPTION_JSON] == NULL) {
		queue_commands_print(messages, call->arguments[0], age_s);
	} else {
		json_t *json = have_memory(json_pack("{s:O, s:I}", "messages", messages, "age_s", (json_int_t)age_s));
		call_print_json(json, stdout);
		json_decref(json);
	}
	json_decref(messages);
	return EXIT_FINE;
}

/* postsuper(1) says itself what it did with which message, and which were not there any more. */
static int queue_commands_change(const struct call *call, const char *option)
{
	const char *ids[POSTSUPER_IDS_MOST];
	int64_t age_s;
	int count = 0;
	size_t index;
	json_t *messages = queue_commands_read(call, &age_s), *row;
	bool fine = messages != NULL;
	json_array_foreach(messages, index, row)
	{
		ids[count++] = json_string_value(json_object_get(row, "queue_id"));
		if (count == POSTSUPER_IDS_MOST || index + 1 == json_array_size(messages)) {
			fine = fine &&
			       postsuper_run(call, option, ids, count, NULL, "what it did not name is as it was");
			count = 0;
		}
	}
	if (fine && json_array_size(messages) == 0)
		complain(call, "penstock-follow knows of no mail of \"%.400s\" in the queue", call->arguments[0]);
	int code = !fine ? EXIT_USAGE : json_array_size(messages) == 0 ? EXIT_NO : EXIT_FINE;
	json_decref(messages);
	return code;
}

int queue_hold_run(const struct call *call)
{
	return queue_commands_change(call, "-h");
}

int queue_release_run(const struct call *call)
{
	return queue_commands_change(call, "-H");
}

int queue_delete_run(const struct call *call)
{
	return queue_commands_change(call, "-d");
}

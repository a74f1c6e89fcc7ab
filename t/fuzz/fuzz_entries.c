/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Entries of Redis that hold JSON: the streams `events` and `explain`, and what the webhook has not taken. Whoever may
 * write there may write anything. The first byte picks one, the rest is what Redis answers (t/fuzz/world.h).
 */
#include "milter/control/control_explain.h"
#include "milter/daemon/daemon.h"
#include "milter/tell/event.h"
#include "milter/tell/feed.h"
#include "milter/tell/webhook_backlog.h"

#include "t/fuzz/fuzz.h"
#include "t/fuzz/world.h"

enum { ITEMS_MAX = 60, ENTRIES_MAX = 300 };

static int handed;

static void check_text_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	MUST(text != NULL && strchr(text, '\n') == NULL);
	json_t *again = json_loads(text, 0, NULL);
	MUST(again != NULL);
	json_decref(again);
	free(text);
}

/* Each is an object; what is none is left out, and no more come out than went in. */
static void list_events(char *text)
{
	const char *items[ITEMS_MAX];
	char *rest = NULL;
	int count = 0;
	size_t index;
	json_t *event;
	for (char *at = strtok_r(text, "\n", &rest); at != NULL && count < ITEMS_MAX; at = strtok_r(NULL, "\n", &rest))
		items[count++] = *at == '\1' ? NULL : at;
	json_t *json = feed_list(count, items), *list = json_object_get(json, "events");
	MUST(json_is_array(list) && json_array_size(list) <= (size_t)count / 2);
	json_array_foreach(list, index, event) MUST(json_is_object(event));
	check_text_of(json);
	json_decref(json);
}

static void explain(const char *what)
{
	struct exchange_call call = { .answers = 0 };
	char error[300];
	MUST(control_explain_start(&call, what, error, sizeof error));
	world_run();
	MUST(call.answers == 1);
	json_t *entries = json_object_get(call.answer, "entries");
	const char *kind = json_string_value(json_object_get(call.answer, "kind"));
	MUST((entries == NULL) == (json_object_get(call.answer, "error") != NULL));
	MUST(entries == NULL || (kind != NULL && json_integer_value(json_object_get(call.answer, "read")) >= 0));
	MUST(json_array_size(entries) <= EXPLAIN_ENTRIES_MAX);
	check_text_of(call.answer);
	json_decref(call.answer);
}

/* It becomes a request's header and body. */
static void take(const char *id, enum event_kind kind, const char *json, int64_t age_s)
{
	MUST(++handed <= ENTRIES_MAX);
	MUST(id[0] != '\0' && strlen(id) <= EVENT_ID_MAX &&
	     strspn(id, "-0123456789abcdefghijklmnopqrstuvwxyz") == strlen(id));
	MUST(kind < EVENT_COUNT && age_s >= 0 && json[0] != '\0');
}

static void read_kept(void)
{
	handed = 0;
	MUST(webhook_backlog_start(the_daemon.loop, WORLD_NODE, WORLD_NOW_MS / 1000, take));
	world_run();
	world_run(); /* what is to be forgotten is sent by the outbox */
	webhook_backlog_stop();
	MUST(world_word_count == 0 || strcmp(world_words[1], "penstock:webhook:" WORLD_NODE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const asked[] = { "1T4Q9M-2K0B7F", "4Zabc123", "alice@example.com" };
	static bool started;
	if (!started)
		world_start();
	started = true;
	if (size == 0)
		return 0;
	char *text = string_of(data + 1, size - 1);
	world_begin(text, size - 1);
	switch (data[0] % 5) {
	case 0:
		list_events(text);
		break;
	case 1:
		read_kept();
		break;
	default:
		explain(asked[data[0] % 5 - 2]);
		break;
	}
	world_begin("", 0);
	world_run();
	free(text);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_receivers.h"

#include "milter/base/json.h"
#include "milter/report/report.h"
#include "policy/base/text.h"
#include "redis-schema/follow_head.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { NODES_MOST = 32, NODE_BYTES = 17, KEY_BYTES = 80 };

struct control_receivers {
	struct control_request *request;
	json_t *nodes;			   /* owned */
	char left[NODES_MOST][NODE_BYTES]; /* whose value is to be read */
	int count, next;
};

static void control_receivers_finish(struct control_receivers *asking, const char *error)
{
	char sentence[300] = "";
	if (error != NULL)
		control_read_error(sentence, sizeof sentence, "receivers", "those of other hosts", error);
	control_ok(asking->request, json_pack("{s:o, s:o}", "nodes", asking->nodes, "why",
					      error == NULL ? json_null() : json_text(sentence)));
	free(asking);
}

static void control_receivers_ask(struct control_receivers *asking);

static void control_receivers_on_value(void *arg, const char *error, int count, const char *const *items)
{
	struct control_receivers *asking = arg;
	if (error != NULL) {
		control_receivers_finish(asking, error);
		return;
	}
	if (count > 0 && items[0] != NULL && *items[0] != '\0') /* else it told nothing for long */
		json_array_append_new(asking->nodes, report_receivers_of(asking->left[asking->next], items[0]));
	asking->next++;
	control_receivers_ask(asking);
}

static void control_receivers_ask(struct control_receivers *asking)
{
	char key[KEY_BYTES], last[24];
	if (asking->next == asking->count) {
		control_receivers_finish(asking, NULL);
		return;
	}
	snprintf(key, sizeof key, KEY_PART_FOLLOW, asking->left[asking->next]);
	snprintf(last, sizeof last, "%d", FOLLOW_VALUE_MAX);
	store_key_command(the_daemon.store, 4, (const char *[]){ "GETRANGE", key, "0", last },
			  control_receivers_on_value, asking);
}

/* Names of nodes, as the configuration has them. */
static bool control_receivers_is_node(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
	return length > 0 && name[length] == '\0' && length < NODE_BYTES;
}

static void control_receivers_on_nodes(void *arg, const char *error, int count, const char *const *items)
{
	struct control_receivers *asking = arg;
	for (int i = 0; error == NULL && i + 1 < count && asking->count < NODES_MOST; i += 2)
		if (items[i] != NULL && control_receivers_is_node(items[i]) && strcmp(items[i], the_daemon.node) != 0)
			text_copy(asking->left[asking->count++], NODE_BYTES, items[i]);
	if (error != NULL)
		control_receivers_finish(asking, error);
	else
		control_receivers_ask(asking);
}

bool control_receivers(struct control_request *request, char *error, size_t error_size)
{
	struct control_receivers *asking = calloc(1, sizeof *asking);
	(void)error;
	(void)error_size;
	if (asking == NULL) {
		control_ok(request, NULL);
		return true;
	}
	asking->request = request;
	asking->nodes = json_array();
	json_array_append_new(asking->nodes, report_receivers());
	store_key_command(the_daemon.store, 2, (const char *[]){ "HGETALL", KEY_PART_FOLLOWERS },
			  control_receivers_on_nodes, asking);
	return true;
}

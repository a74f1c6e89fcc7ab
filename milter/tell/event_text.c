/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An event as JSON: its members are a contract.
 */
#include "milter/tell/event.h"

#include "milter/daemon/daemon.h"
#include "milter/base/json.h"

#include <stdio.h>
#include <time.h>

#include "policy/base/banned.h"

static void set_or_null(json_t *object, const char *name, const char *value)
{
	json_set_text(object, name, *value == '\0' ? NULL : value);
}

static void event_text_set_time(json_t *object, int64_t unix_s)
{
	char text[40];
	time_t seconds = (time_t)unix_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	if (strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		text[0] = '\0';
	set_or_null(object, "time", text);
	json_set_int(object, "time_s", unix_s);
}

static void set_level(json_t *object, const char *name, enum level level)
{
	json_set_text(object, name, level == LEVEL_UNKNOWN ? NULL : level_word(level));
}

json_t *event_json(const struct notice *event)
{
	json_t *object = json_object();
	if (object == NULL)
		return NULL;
	json_set_int(object, "version", EVENT_VERSION);
	json_set_text(object, "id", event->id);
	json_set_text(object, "event", notice_word(event->kind));
	event_text_set_time(object, event->time_s);
	json_set_text(object, "node", the_daemon.node);
	set_or_null(object, "account", event->account);
	set_or_null(object, "pool", event->pool);
	set_or_null(object, "transport", event->transport);
	set_or_null(object, "address", event->address);
	set_level(object, "level", event->to);
	set_level(object, "level_before", event->from);
	if (event->judged)
		json_set_real(object, "score", event->score);
	else
		json_object_set_new(object, "score", json_null());
	json_set_text(object, "action", event->judged ? action_word(event->action) : NULL);
	json_object_set_new(object, "limit", json_breach(&event->limit));
	set_or_null(object, "reason", event->reason);
	set_or_null(object, "done", event->done);
	set_or_null(object, "reference", event->reference);
	set_or_null(object, "recipient", event->recipient);
	return object;
}

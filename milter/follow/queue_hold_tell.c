/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/queue_hold_tell.h"

#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/base/log.h"
#include "milter/config/config.h"
#include "policy/base/text.h"
#include "policy/notice.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "policy/base/banned.h"

/* The members of milter/tell/event_text.c. */
static json_t *queue_hold_tell_json(const char *node, const char *account, const char *why, const char *done)
{
	static uint64_t number;
	char id[EVENT_ID_MAX + 1], when[40] = "";
	time_t now_s = (time_t)(clock_now_ms() / 1000);
	struct tm utc;
	if (gmtime_r(&now_s, &utc) == NULL || strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		when[0] = '\0';
	snprintf(id, sizeof id, "%s-queue-%" PRId64 "-%" PRIu64, node, (int64_t)now_s, ++number);
	return json_pack("{s:i, s:s, s:s, s:s, s:I, s:s, s:o, s:n, s:n, s:n, s:s?, s:n, s:n, s:n, s:n, s:o, s:s, s:n}",
			 "version", EVENT_VERSION, "id", id, "event", notice_word(EVENT_HELD), "time", when, "time_s",
			 (json_int_t)now_s, "node", node, "account", json_text(account), "pool", "transport", "address",
			 "level", why[0] != '\0' ? level_word(LEVEL_BLOCKED) : NULL, "level_before", "score", "action",
			 "limit", "reason", json_text(why), "done", done, "reference");
}

void queue_hold_tell(struct store *store, const struct config *config, const char *node, const char *account,
		     enum queue_verb verb, int64_t count, const char *why)
{
	static const struct {
		const char *done, *why;
	} words[] = {
		[QUEUE_HOLDS] = { "put on hold", "the account is blocked" },
		[QUEUE_RELEASES] = { "released", "the account is not blocked any more" },
		[QUEUE_DELETES] = { "deleted", "the account is blocked, and follow.hold_hours are over" },
	};
	char done[100], keep[24], word[ACCOUNT_MAX + 1];
	struct text text = text_over(word, sizeof word);
	text_add_word(&text, account);
	snprintf(done, sizeof done, "%" PRId64 " %s in the queue %s %s", count, text_noun(count, "message", "messages"),
		 text_noun(count, "is", "are"), words[verb].done);
	log_line(SEVERITY_INFO, "queue: account=%s: %s: %s", word, done, words[verb].why);
	json_t *json = queue_hold_tell_json(node, account, why, done);
	char *line = json == NULL || config->set.events_keep == 0 ? NULL : json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (line == NULL)
		return;
	snprintf(keep, sizeof keep, "%" PRId64, config->set.events_keep);
	const char *argv[] = { "XADD",	  "events", "MAXLEN", "~", keep, "*", "event", notice_word(EVENT_HELD),
			       "account", account,  "json",   line };
	store_key_command(store, (int)(sizeof argv / sizeof argv[0]), argv, NULL, NULL);
	free(line);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What answers, and their want, say of Redis: the breaker, and what is an outage.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/base/text.h"

#include <stdio.h>

#include "policy/base/banned.h"

static void health_failed(struct store *store, bool late)
{
	pthread_mutex_lock(&store->lock);
	store->stats.failures++;
	store->stats.timeouts += late;
	pthread_mutex_unlock(&store->lock);
	/* at the end of the daemon the wire is gone before its last requests end */
	if (++store->failures < store->settings.breaker_failures || store->wire == NULL || !wire_is_up(store->wire))
		return;
	char line[120];
	snprintf(line, sizeof line, "%lld requests in a row failed, the last %s", (long long)store->failures,
		 late ? "had no answer in time" : "by an error");
	wire_disconnect(store->wire, line);
}

void store_noted(struct store *store, enum wire_end end)
{
	if (end == WIRE_OK)
		store->failures = 0;
	else if (end == WIRE_LATE)
		health_failed(store, true);
}

static void health_ignore(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	(void)count;
	(void)answers;
	store_noted(arg, end);
}

void store_send_behind(struct store *store, const struct request *request)
{
	if (request->count > 0)
		store_send(store, request, health_ignore, NULL, store);
}

/* An error that another request of its kind would have, too. */
static void health_refused(struct store *store, const char *names, const struct wire_answer *answer)
{
	char line[300], shown[160];
	struct text text = text_over(line, sizeof line);
	text_copy(shown, sizeof shown, answer->error);
	text_addf(&text, "redis says \"%s\" to %s", shown, names);
	store->refused = true;
	if (answer->blame != BLAME_COMMAND) {
		if (store->wire != NULL)
			wire_disconnect(store->wire, line);
		return;
	}
	store_say_seldom(store, line);
	health_failed(store, false);
}

enum heard store_heard(struct store *store, const char *names, enum wire_end end, int count,
		       const struct wire_answer *answers)
{
	enum heard heard = HEARD_ANSWER;
	if (end == WIRE_LATE)
		health_failed(store, true);
	if (end != WIRE_OK)
		return end == WIRE_LATE ? HEARD_LATE : HEARD_LOST;
	for (int i = 0; i < count; i++) {
		if (answers[i].blame == BLAME_NOBODY)
			continue;
		if (answers[i].blame != BLAME_KEY && answers[i].blame != BLAME_SCRIPT) {
			health_refused(store, names, &answers[i]);
			return HEARD_ERROR;
		}
		heard = answers[i].blame == BLAME_KEY ? HEARD_KEY : HEARD_SCRIPT;
	}
	store->failures = 0;
	return heard;
}

void store_bad_shape(struct store *store, const char *names)
{
	const struct wire_answer strange = { .blame = BLAME_COMMAND,
					     .error = "an answer of another kind than expected" };
	health_refused(store, names, &strange);
}

void store_say_up(struct store *store)
{
	char line[200];
	pthread_mutex_lock(&store->lock);
	unsigned long long pending = store->stats.pending;
	store->away_since_s = 0;
	store->stats.up = true;
	store->stats.breaker_open = false;
	store->stats.why[0] = '\0';
	pthread_mutex_unlock(&store->lock);
	if (store->settings.credits_only)
		snprintf(line, sizeof line, "redis %s answers again", store->settings.server);
	else
		snprintf(line, sizeof line, "redis %s answers again; %llu charges were kept for it",
			 store->settings.server, pending);
	if (store->said_away)
		store->say(store->say_arg, line);
	store->said_away = false;
	store->retry_ms = store->settings.retry_ms;
}

/* A Redis that greets us and takes no charges would otherwise be away and back at each try. */
void store_taken(struct store *store)
{
	if (store->untaken >= store->settings.breaker_failures) /* of a group, while those of accounts are not taken */
		return;
	if (store->refused && store->serving)
		store_say_up(store);
	store->refused = false;
}

void store_untaken(struct store *store)
{
	char line[120];
	if (++store->untaken < store->settings.breaker_failures || store->wire == NULL || !wire_is_up(store->wire))
		return;
	snprintf(line, sizeof line, "it takes no charges: %lld in a row ended in errors", (long long)store->untaken);
	wire_disconnect(store->wire, line);
}

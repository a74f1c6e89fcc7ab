/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is read every second: the plans of panels, and the key of the hashes that decide anything.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/account.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- plans */

bool store_plan(struct store *store, const char *name, struct limits *limits_out)
{
	pthread_mutex_lock(&store->lock);
	const struct limits *limits = plans_find(store->plans, name);
	if (limits != NULL)
		*limits_out = *limits;
	pthread_mutex_unlock(&store->lock);
	return limits != NULL;
}

bool store_plan_missing(struct store *store, const char *account, const char *plan)
{
	char line[600];
	struct limits limits;
	if (*plan == '\0' || store->settings.has_plan == NULL || store_plan(store, plan, &limits) ||
	    store->settings.has_plan(plan))
		return false;
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis: %s ", account_is_group(account) ? "group" : "account");
	text_add_word(&text, account);
	text_add(&text, ": plan is \"");
	text_add_word(&text, plan);
	text_add(&text,
		 "\", expected a plan of the configuration file or of the hash plans; what holds without one holds");
	store_say_of_account(store, line);
	return true;
}

static void plans_say(struct store *store, const char *error)
{
	char line[700], key[KEY_MAX];
	snprintf(key, sizeof key, KEY_PLANS, store->settings.prefix);
	snprintf(line, sizeof line, "redis: key %s cannot be read as a hash of plans: %s", key, error);
	store_say_seldom(store, line);
}

static void plans_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store *store = arg;
	(void)count;
	store->plans_asked = false;
	if (end == WIRE_OK && answers[0].error != NULL) {
		plans_say(store, answers[0].error);
	} else if (end == WIRE_OK) {
		pthread_mutex_lock(&store->lock);
		plans_set(store->plans, answers[0].count, answers[0].text, store->say, store->say_arg);
		pthread_mutex_unlock(&store->lock);
	}
	store_noted(store, end);
}

void store_ask_plans(struct store *store)
{
	struct request request;
	if (store->plans_asked)
		return;
	request_begin(&request);
	request_command(&request, "HGETALL");
	request_text(&request, KEY_PLANS, store->settings.prefix);
	store->plans_asked = store_send(store, &request, plans_come, NULL, store);
}

/* ---- the secret */

static bool plans_read_secret(const char *text, uint64_t key[2])
{
	enum { HALF = 16 };
	char half[HALF + 1], *end;
	if (strspn(text, "0123456789abcdef") != 2 * HALF || text[2 * HALF] != '\0')
		return false;
	for (int i = 0; i < 2; i++) {
		memcpy(half, text + i * HALF, HALF);
		half[HALF] = '\0';
		key[i] = strtoull(half, &end, 16);
	}
	return true;
}

static void plans_say_secret(struct store *store, const char *what)
{
	char line[KEY_MAX + 200], key[KEY_MAX];
	snprintf(key, sizeof key, KEY_SECRET, store->settings.prefix);
	snprintf(line, sizeof line, "redis: key %s %s", key, what);
	store_say_seldom(store, line);
}

static void plans_take_secret(struct store *store, const uint64_t key[2])
{
	pthread_mutex_lock(&store->lock);
	bool changed = store->secret_shared && memcmp(store->secret, key, sizeof store->secret) != 0;
	memcpy(store->secret, key, sizeof store->secret);
	store->secret_shared = true;
	pthread_mutex_unlock(&store->lock);
	if (changed)
		plans_say_secret(store,
				 "changed: what accounts are used to (recipients, places, senders) is learnt anew");
}

/* The first daemon that asks makes it. Where it was lost, the next one writes its own, which is the same. */
static void plans_secret_come(void *arg, enum wire_end end, int count, const struct wire_answer *answers)
{
	struct store *store = arg;
	const struct wire_answer *answer = end == WIRE_OK ? &answers[count - 1] : NULL;
	uint64_t key[2];
	store->secret_asked = false;
	store_noted(store, end);
	for (int i = 0; answer != NULL && i < count; i++)
		if (answers[i].error != NULL)
			plans_say_secret(store, answers[i].error);
	if (answer == NULL || answer->error != NULL)
		return;
	store->secret_missing = answer->text[0] == NULL;
	if (store->secret_missing && store->secret_shared)
		plans_say_secret(store, "is gone: Redis has lost its data, and with them limits, blocks and histories");
	if (answer->text[0] != NULL && plans_read_secret(answer->text[0], key))
		plans_take_secret(store, key);
	else if (answer->text[0] != NULL)
		plans_say_secret(store, "is not 32 hexadecimal digits: delete it, and a daemon makes a new one");
}

void store_ask_secret(struct store *store)
{
	struct request request;
	if (store->secret_asked)
		return;
	request_begin(&request);
	if (!store->secret_shared || store->secret_missing) {
		request_command(&request, "SET");
		request_text(&request, KEY_SECRET, store->settings.prefix);
		request_text(&request, "%016" PRIx64 "%016" PRIx64, store->secret[0], store->secret[1]);
		request_word(&request, "NX");
	}
	request_command(&request, "GET");
	request_text(&request, KEY_SECRET, store->settings.prefix);
	store->secret_asked = store_send(store, &request, plans_secret_come, NULL, store);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store without memory for a question: who asks hears that nothing is known, and of no limit that nobody set.
 */
#include "redis-schema/store/store.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <stdlib.h>

static bool no_memory;

/* By the linker in place of calloc(), for what is linked here. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_calloc(size_t count, size_t size)
{
	return no_memory ? NULL : __real_calloc(count, size);
}

static void say(void *arg, const char *line)
{
	(void)arg;
	printf("# %s\n", line);
}

static void fetched(void *arg, const struct account_state *state, const struct known *known)
{
	*(struct account_state *)arg = *state;
	ok(known->bytes == NULL, "no recipient is known");
}

static void network_found(void *arg, const char *account)
{
	*(bool *)arg = account != NULL;
}

int main(void)
{
	const struct store_settings settings = { .server = "unix:/nowhere/redis.sock",
						 .username = "",
						 .password = "",
						 .prefix = "penstock",
						 .node = "a",
						 .timeout_ms = 100,
						 .breaker_failures = 3,
						 .retry_ms = 1000,
						 .recent_accounts = 100,
						 .state_ttl_s = 86400 };
	const struct netaddr address = { .family = NETADDR_UNKNOWN };
	char error[200] = "";
	struct event_base *base = event_base_new();
	struct store *store = store_new(base, &settings, say, NULL, error, sizeof error);
	struct account_state state = { .known = KNOWLEDGE_FULL };
	bool found = true;
	if (!ok(store != NULL, "there is a store: %s", error))
		return done_testing();
	no_memory = true;
	store_fetch(store, "alice@example.com", fetched, &state);
	store_network(store, &address, network_found, &found);
	no_memory = false;
	is_int(state.known, KNOWLEDGE_NONE, "nothing is known of the account");
	for (int i = 0; i < WINDOW_COUNT; i++)
		is_int(state.limits.window[i], LIMIT_UNSET, "no limit %s", window_word((enum window)i));
	is_int(state.limits.rcpts_per_message, LIMIT_UNSET, "no limit of recipients in a message");
	ok(!found, "no network names an account");
	store_free(&store);
	event_base_free(base);
	return done_testing();
}

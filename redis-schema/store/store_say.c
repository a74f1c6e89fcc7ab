/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines for the log, each at most once in ten minutes.
 */
#include "redis-schema/store/store_inside.h"

#include "policy/account.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SAID_AGAIN_S = 600 };

static void say(struct store *store, const char *line)
{
	store->say(store->say_arg, line);
}

/* The row of a line that was said, or the one to forget for it: the oldest. */
static size_t say_row_of(const struct store *store, uint64_t line)
{
	size_t oldest = 0;
	for (size_t row = 0; row < SAID_ROWS; row++) {
		if (store->said[row].line == line)
			return row;
		if (store->said[row].at_s < store->said[oldest].at_s)
			oldest = row;
	}
	return oldest;
}

static bool say_said_lately(struct store *store, const char *line)
{
	uint64_t hash = hash_keyed(store->said_key, line, strlen(line));
	size_t row = say_row_of(store, hash);
	if (store->said[row].line == hash && store_clock_s() - store->said[row].at_s < SAID_AGAIN_S)
		return true;
	store->said[row].line = hash;
	store->said[row].at_s = store_clock_s();
	return false;
}

/* What a panel wrote is said once in ten minutes, not once a message. */
void store_say_seldom(void *arg, const char *line)
{
	if (!say_said_lately(arg, line))
		say(arg, line);
}

void store_say_of_account(void *arg, const char *line)
{
	struct store *store = arg;
	char more[200];
	if (say_said_lately(store, line))
		return;
	if (store_clock_s() - store->accounts_said_from_s >= SAID_AGAIN_S) {
		store->accounts_said_from_s = store_clock_s();
		store->accounts_said = 0;
	}
	if (++store->accounts_said <= SAID_MOST) {
		say(store, line);
	} else if (store->accounts_said == SAID_MOST + 1) {
		snprintf(more, sizeof more,
			 "redis: more than %d lines about accounts in ten minutes; what comes until they are over is "
			 "not written: penstockctl account check names all",
			 SAID_MOST);
		say(store, more);
	}
}

void store_say_account(struct store *store, const char *account, const char *what)
{
	char line[600];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis: %s ", account_is_group(account) ? "group" : "account");
	text_add_word(&text, account);
	text_addf(&text, ": %s", what);
	store_say_of_account(store, line);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The campaigns of the Redis in memory: what campaign.lua does, without decay, for the few prints of a scenario.
 */
#include "t/fake/fake.h"

#include <pthread.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { PRINTS_MAX = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	uint64_t print, accounts, bad_accounts;	/* a bit for each of 64 */
	int messages, bad;
} prints[PRINTS_MAX];

void fake_redis_campaign(const struct wire_print *print, struct campaign *campaign_out)
{
	pthread_mutex_lock(&lock);
	int i = 0;
	while (i < PRINTS_MAX && prints[i].print != print->print && prints[i].print != 0)
		i++;
	if (i == PRINTS_MAX)
		abort();
	*campaign_out = (struct campaign){ .known = KNOWLEDGE_FULL, .messages = prints[i].messages, .bad = prints[i].bad,
					   .accounts = __builtin_popcountll(prints[i].accounts),
					   .bad_accounts = __builtin_popcountll(prints[i].bad_accounts) };
	prints[i].print = print->print;
	prints[i].messages++;
	prints[i].bad += print->bad;
	prints[i].accounts |= (uint64_t)1 << print->account % 64;
	if (print->bad)
		prints[i].bad_accounts |= (uint64_t)1 << print->account % 64;
	pthread_mutex_unlock(&lock);
}

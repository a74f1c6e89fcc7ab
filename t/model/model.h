/* SPDX-License-Identifier: BSD-2-Clause
 *
 * model: one schedule: who takes part in it, and what may happen. model.c.
 */
#ifndef PENSTOCK_MODEL_H
#define PENSTOCK_MODEL_H

#include "redis-schema/store/store.h"

enum { MODEL_DAEMONS = 4, MODEL_ACCOUNTS = 5, MODEL_GROUPS = 2, MODEL_TIMEOUT_MS = 1000 };

enum { MODEL_NAME_MAX = 60 };

struct model_account {
	char name[MODEL_NAME_MAX];
	struct limits limits; /* of each charge of it */
};

struct model_group {
	enum scope scope;
	char name[ACCOUNT_MAX + 1];
	struct limits limits; /* of its plan, which each charge names ... */
	int64_t own;	      /* ... and in its own key the same window; LIMIT_UNSET: it has none */
	enum window window;
};

struct model {
	bool talks;
	uint64_t seed;
	long step;
	bool calm;     /* no connection is lost or late, and Redis is well */
	bool checked;  /* all charges are held to the limits */
	bool in_order; /* who is to be called soon is called before anything else */
	bool foreign;  /* somebody resets accounts, writes records that are none, sets Redis's clock: it is not exact */
	bool well;     /* from now on all is: the schedule ends */
	bool ends;     /* a daemon does, just now: nobody asks more */
	bool panels;   /* limits of groups were changed, so far */
	bool lost;     /* a connection was lost, or Redis refused something, so far */
	int daemons, accounts, groups;
	struct store_settings settings[MODEL_DAEMONS];
	struct store *store[MODEL_DAEMONS]; /* owned */
	struct model_account account[MODEL_ACCOUNTS];
	struct model_group group[MODEL_GROUPS];
	int64_t begun_ms; /* Redis's time */
};

extern struct model model;

/* Zeros; without memory the model ends. */
void *model_new(size_t size);
/* One line of the schedule, where it is shown. */
__attribute__((format(printf, 1, 2))) void model_say(const char *format, ...);
/* All that are to be called soon are. */
void model_call_all_soon(void);
/* The store was caught: prints the seed and ends. */
__attribute__((format(printf, 1, 2), noreturn)) void model_fail(const char *format, ...);

#define MODEL_MUST(holds, ...) \
	do \
		if (!(holds)) \
			model_fail(__VA_ARGS__); \
	while (0)

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * settings: which Redis, under which names, and how patient one is with it. The strings are the caller's and live as
 * long as the store.
 */
#ifndef PENSTOCK_SCHEMA_SETTINGS_H
#define PENSTOCK_SCHEMA_SETTINGS_H

#include "policy/limit.h"

struct store_settings {
	const char *server;		 /* "unix:/path", "address:port" or "[v6]:port" */
	const char *username, *password; /* "" : none */
	int64_t database;
	const char *prefix;		    /* of every key, "penstock" */
	const char *node;		    /* this daemon among those that share one Redis: [a-z0-9]{1,16} */
	int64_t timeout_ms;		    /* of one request, from asking to answer */
	int64_t breaker_failures;	    /* in a row, that open the breaker */
	int64_t retry_ms;		    /* first wait before a probe; doubles to 30 s, with jitter */
	int64_t recent_accounts;	    /* rows in the local table */
	int64_t state_ttl_s;		    /* an account that is silent for so long is forgotten */
	bool credits_only;		    /* its user charges nothing: for what the log says of an outage */
	int64_t (*steady_ms)(void);	    /* a clock that nobody sets; NULL: alarm_clock_ms() */
	bool (*has_plan)(const char *name); /* has the configuration in force one? Said of keys that name none; NULL:
					       not asked */
};

#endif

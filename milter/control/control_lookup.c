/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_lookup.h"

#include "milter/daemon/daemon.h"
#include "milter/base/exchange.h"
#include "milter/report/report.h"
#include "milter/report/report_check.h"
#include "milter/base/json.h"
#include "policy/base/text.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

struct control_lookup_call {
	struct exchange_call *call; /* owes exchange_answer */
	struct setup *setup;	    /* held: a reload does not change what is being asked */
	struct check *check;	    /* owned */
	struct evbuffer *line;	    /* owned */
	char query[CHECK_QUERY_MAX + 1];
};

static int under_way; /* the loop thread's */

/* With what is in `line`. */
static void control_lookup_finish(struct control_lookup_call *lookup)
{
	check_end(&lookup->check);
	exchange_answer(lookup->call, lookup->line);
	evbuffer_free(lookup->line);
	setup_drop(&lookup->setup);
	free(lookup);
	under_way--;
}

static void control_lookup_on_event(void *arg, const struct check_event *event)
{
	struct control_lookup_call *lookup = arg;
	json_write(lookup->line, report_check(event, lookup->query));
	if (event->kind == CHECK_EVENT_END)
		control_lookup_finish(lookup);
	else if (!exchange_send(lookup->call, lookup->line))
		check_pause(lookup->check, true);
}

static void on_gone(void *arg)
{
	control_lookup_finish(arg);
}

static void on_drained(void *arg)
{
	struct control_lookup_call *lookup = arg;
	check_pause(lookup->check, false);
}

/* False: no memory. */
static bool control_lookup_begin(struct control_lookup_call *lookup, const struct check_target *target)
{
	struct exchange_stream stream = { on_gone, on_drained, lookup };
	lookup->line = evbuffer_new();
	if (lookup->line != NULL)
		lookup->check = setup_check(lookup->setup, target, false, control_lookup_on_event, lookup);
	if (lookup->check == NULL)
		return false;
	exchange_begin(lookup->call, &stream);
	return true;
}

bool control_lookup_start(struct exchange_call *call, const char *target, char *error, size_t error_size)
{
	struct check_target parsed;
	char why[300];
	if (!check_parse(target, false, &parsed, why, sizeof why)) {
		snprintf(error, error_size, "%s", why);
		return false;
	}
	if (under_way == CONTROL_LOOKUPS_MAX) {
		snprintf(error, error_size, "%d look-ups are in progress already; try again when one has ended.",
			 CONTROL_LOOKUPS_MAX);
		return false;
	}
	struct control_lookup_call *lookup = calloc(1, sizeof *lookup);
	if (lookup != NULL) {
		lookup->call = call;
		lookup->setup = setup_hold();
		text_copy(lookup->query, sizeof lookup->query, target);
	}
	if (lookup != NULL && control_lookup_begin(lookup, &parsed)) {
		under_way++;
		return true;
	}
	if (lookup != NULL && lookup->line != NULL)
		evbuffer_free(lookup->line);
	if (lookup != NULL)
		setup_drop(&lookup->setup);
	free(lookup);
	snprintf(error, error_size, "The daemon is out of memory.");
	return false;
}

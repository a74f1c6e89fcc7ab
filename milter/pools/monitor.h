/* SPDX-License-Identifier: BSD-2-Clause
 *
 * monitor: our own addresses, looked up in the block lists on a schedule. Each address under which the world sees a
 * transport is checked by all lists of the catalogue once in monitor.interval_minutes, give or take a fifth, one after
 * another; what comes of it over time is its standing (policy/standing.h). A transport whose address is listed leaves
 * its pool, and returns when it has been off the lists for long enough.
 *
 * A check that said nothing is made up for after a tenth of the interval. There is no other hurry: one who is out waits
 * for hours anyway, and lists that are free to use have a limit of questions.
 *
 * Standings are kept by address, in memory: a reload changes none, a restart begins with a check.
 */
#ifndef PENSTOCK_MONITOR_H
#define PENSTOCK_MONITOR_H

#include "milter/config/config.h"
#include "policy/standing.h"

struct loop;

/* Before the loop starts; with the setup in force. False: no memory. */
bool monitor_start(struct loop *loop);
/* Any thread: another setup is in force. New addresses are checked at once. */
void monitor_reload(void);
/* With the loop stopped, before setup_clear. */
void monitor_stop(void);

/* Any thread, at the cost of a lock where a transport is out or returns, and of nothing where none is: fills the
 * `withheld` of each transport of `config`, which may be older than the configuration in force. `states` is zeroed. */
void monitor_states(const struct config *config, struct transport_state *states);
/* The monitor's own: what monitor_states is to say. NULL config: nothing is withheld. */
void monitor_publish(const struct config *config, const struct transport_state *states);

/* All that is known of a transport's address, of two of the worse one, for people. Loop thread; `standing` is borrowed
 * until it returns to the loop. */
struct monitor_view {
	const struct standing *standing; /* NULL: not watched ... */
	char address[NETADDR_TEXT_MAX];	 /* whose it is: of two the one that has the worse */
	char why[100];			 /* ... for this reason: "reserved address (private), set public_address" */
	int withheld; /* of this transport: 0 for the least-listed one of a pool that has no better */
	int64_t since_ms, checked_ms, ends_ms; /* Unix time, of the standing; 0: never, not by itself */
	int64_t silent_ms; /* since the last check that said something, or since it has been watched */
};
void monitor_view(const struct config *config, const struct transport *transport, struct monitor_view *view_out);

/* The name of the transport that goes on although all of the pool are listed; NULL: they are not. Loop thread. */
const char *monitor_all_listed(const struct pool *pool);

/* All addresses are due now; how many there are. Loop thread. */
int monitor_check_now(void);

/* ---- what happened, told once: to the log, and to whoever else may want to know. id, severity */
#define MONITOR_EVENT_ROWS(ROW) \
	ROW(LISTED, WARNING)	  /* it leaves its pool */ \
	ROW(LISTS, INFO)	  /* other lists than before, and its state is the same */ \
	ROW(DELISTED, INFO)	  /* it waits */ \
	ROW(RETURNS, INFO)	  /* with a part of its share */ \
	ROW(BACK, INFO)		  /* with all of it */ \
	ROW(ALL_LISTED, ERROR)	  /* of a pool; the transport is the one that goes on */ \
	ROW(NOT_ALL_LISTED, INFO) /* of a pool, any more */ \
	ROW(NOT_WATCHED, INFO)	  /* the address cannot be looked up */

/* clang-format off */
enum monitor_event_kind {
#define MONITOR_EVENT_ENUM(id, severity) MONITOR_##id,
	MONITOR_EVENT_ROWS(MONITOR_EVENT_ENUM)
#undef MONITOR_EVENT_ENUM
	MONITOR_EVENT_COUNT
};
/* clang-format on */

/* All pointers are borrowed for the call; NULL where the kind has no such thing. */
struct monitor_event {
	enum monitor_event_kind kind;
	const char *pool, *transport, *address;
	const struct standing *standing; /* of the transport */
	double limit;			 /* weight from which on it is out */
	int64_t ends_ms;		 /* Unix time of the state's end; 0: not by itself */
	const char *why;		 /* NOT_WATCHED */
};
void monitor_tell(const struct monitor_event *event);

/* Like "spamhaus-zen, spamcop": the lists that count; "" where none does. `pages`: with their removal pages, only those
 * that have one. */
void monitor_lists_text(const struct standing *standing, bool pages, char *text, size_t size);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zone: our own block list. Every few seconds a thread of its own looks who stands so badly that he is listed, and
 * keeps them until clients.zone_hours after he last did; with clients.zone it writes them as zones for rbldnsd. What is
 * listed outlives a restart in clients.state. Own networks are never on it, nor a client whose account an admin
 * exempted (`penstockctl account exempt ip:ADDRESS`).
 *
 * A reference is spelt of the client and of the minute in which it was listed: it says both long after it has left the
 * list.
 */
#ifndef PENSTOCK_ZONE_H
#define PENSTOCK_ZONE_H

#include "policy/client_listing.h"

#include <stddef.h>

struct loop;

enum { ZONE_REFERENCE_MAX = 22, ZONE_MOST = 1 << 20 };

/* An IPv6 client is its /64. */
struct zone_entry {
	struct netaddr client;
	enum client_code code;
	int64_t since_s, seen_s; /* listed since then; last found bad then. Unix time */
};

/* Before the loop starts, with setup and clients there. False with a sentence in `error`. */
bool zone_start(struct loop *loop, char *error, size_t error_size);
/* Before the loop stops; waits for a write that is under way. */
void zone_stop(void);
/* With the loop stopped. */
void zone_clear(void);

/* Any thread. Is it on the list now? `until_s_out`: it leaves it then unless it is found bad again. */
bool zone_find(const struct netaddr *client, struct zone_entry *entry_out, int64_t *until_s_out);

/* "C-0123456789ABCD". */
void zone_reference(const struct zone_entry *entry, char reference[ZONE_REFERENCE_MAX + 1]);
/* Of either case. False: it is none, or was mistyped. */
bool zone_reference_read(const char *reference, struct netaddr *client_out, int64_t *since_s_out);

/* Any thread: at most `most` entries behind `*at`, in the order of their addresses, IPv4 first; how many. `*at` begins
 * as 0 (family unknown) and is moved on. */
size_t zone_walk(struct netaddr *at, struct zone_entry *entries, size_t most, int64_t *keep_s_out);

/* Any thread, for /health, metrics and status. */
struct zone_stats {
	bool runs;		 /* it has looked at least once */
	uint64_t v4, v6;	 /* listed now */
	uint64_t left_out;	 /* bad, but beyond ZONE_MOST */
	uint64_t writes, failed; /* of the zones and of the list in clients.state */
	int64_t written_s;	 /* the zones; 0: never */
	char why[300];		 /* why the newest write failed; "": it did not */
	bool subscribers_known;	 /* Redis has said all of them once */
	int64_t subscribers_s;	 /* ... and then lastly. Unix time */
};
struct zone_stats zone_stats(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients_report: what the clients' table holds, for people, metrics and the block list. Any thread; what walks the
 * whole table says so and stays out of the loop thread.
 *
 * Notes come from all mail logs of the fleet, so their totals are the fleet's; sessions and messages are counted by
 * the daemon that had them, so those are this node's.
 */
#ifndef PENSTOCK_CLIENTS_REPORT_H
#define PENSTOCK_CLIENTS_REPORT_H

#include "policy/client.h"
#include "policy/netaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CLIENTS_HOURS_MOST = 400 * 24, /* hours that totals are kept for */
	CLIENTS_LIST_MOST = 100,       /* rows of a ready list */
	CLIENTS_WALK_MOST = 256,       /* rows that are copied at one time */
};

/* Is it on this host, or in accounts.own_networks of the configuration in force? Nothing is held against these. */
bool clients_ours(const struct netaddr *client);

/* What the table counts for. */
enum clients_kind { CLIENTS_CLIENT, CLIENTS_NETWORK, CLIENTS_AS, CLIENTS_KINDS };

struct clients_row {
	enum clients_kind kind;
	struct netblock block;	       /* a client: /32 or /64; a network: /24 or /48; an AS: none */
	uint32_t as_number;	       /* 0: unknown */
	int64_t first_s, last_s;       /* when it was first and last heard of, since it stands in the table */
	struct client_facts facts;     /* of a network or an AS: its counts as `own` */
	struct client_verdict verdict; /* of a client; of others: as if one client had done all of it */
};

/* One client, with the counts of its network and AS. False: nothing is known of it (its block and verdict are there
 * all the same). */
bool clients_row(const struct netaddr *client, struct clients_row *row_out);

/* All rows of a kind, piece by piece, in no order: begins with *cursor 0, and ends with the answer 0. One that comes
 * or goes meanwhile may be missed. Not in the loop thread. */
size_t clients_walk(enum clients_kind kind, size_t *cursor, struct clients_row rows[CLIENTS_WALK_MOST]);

/* Ready lists, made by a thread of the table's own some seconds ago, the longer the larger the table is. */
enum clients_order {
	CLIENTS_WORST,	 /* by the sum of the verdict */
	CLIENTS_HANGUPS, /* by sessions without QUIT */
	CLIENTS_LOGINS,	 /* by failed logins */
	CLIENTS_SPAM,	 /* by spam */
	CLIENTS_ORDERS
};
/* Fills at most `most` rows, best first in that order; none that has nothing of it. Returns how many. */
size_t clients_list(enum clients_kind kind, enum clients_order order, size_t most, struct clients_row *rows);

/* Counts of one hour (Unix time / 3600). */
struct clients_hour {
	uint32_t hour;	 /* 0: none */
	uint32_t jumped; /* 1: the alarm of hang-ups was on */
	uint32_t event[CLIENT_EVENT_COUNT];
	uint32_t stage[CLIENT_STAGE_COUNT];	       /* of NO_QUIT */
	uint32_t failure[CLIENT_SERVICE_COUNT];	       /* of AUTH_FAILURE */
	uint32_t session[CLIENT_STANDING_COUNT][2];    /* without login, of strangers; [1]: encrypted */
	uint32_t message[CLIENT_STANDING_COUNT][2][2]; /* likewise; [encrypted][spam] */
};

/* The totals of that hour; all 0 but the hour where nothing happened. */
void clients_hour(int64_t hour, struct clients_hour *hour_out);

/* Sums over hours; wider than one hour's. */
struct clients_totals {
	uint64_t event[CLIENT_EVENT_COUNT];
	uint64_t stage[CLIENT_STAGE_COUNT];
	uint64_t failure[CLIENT_SERVICE_COUNT];
	uint64_t session[CLIENT_STANDING_COUNT][2];
	uint64_t message[CLIENT_STANDING_COUNT][2][2];
};
/* From the hour `first` to the hour `last`, both included. */
void clients_totals(int64_t first, int64_t last, struct clients_totals *totals_out);

/* The share of sessions without QUIT of such totals, 0 to 1; 0 where there was none. */
double clients_hangup_share(const struct clients_totals *totals);

/* The alarm of sessions without QUIT against what is usual (policy/hangups.h). */
struct clients_alarm {
	bool known;	   /* there is a baseline to compare with */
	bool on;	   /* the share has jumped, and has not come back yet */
	double usual, now; /* shares, 0 to 1 */
	int64_t since_s;   /* Unix time; 0: it is not on */
	char who[200];	   /* "192.0.2.0/24 (310 of 402), ..." of the networks that have most of them; "": not on */
	char where[100];   /* "after RCPT (280), ..." likewise of stages, by the words of policy/client.h */
};
void clients_alarm(struct clients_alarm *alarm_out);

/* For /health and /metrics; all since the daemon started where it is a count. */
struct clients_stats {
	uint64_t rows[CLIENTS_KINDS], most[CLIENTS_KINDS];
	uint64_t standing[CLIENT_STANDING_COUNT]; /* clients in the table, some seconds ago */
	uint64_t forgotten;			  /* clients that were pushed out of a full table ... */
	uint64_t forgotten_known;		  /* ... of which more was known than that they came once */
	uint64_t notes;				  /* counted, from wherever */
	struct clients_totals total;

	uint64_t slow_most, slow_used; /* places of clients.slow_most, now */
	uint64_t slow_denied;	       /* clients that found none */
	int64_t slow_full_since_s;     /* Unix time since when all have been taken again and again; 0: they are not */

	uint64_t batches, again; /* of the stream: counted; skipped since they were counted before */
	uint64_t bad_rows;	 /* rows of it that could not be read */
	uint64_t gaps;		 /* times that entries were gone before they were read */
	int64_t stream_read_s;	 /* Unix time when Redis last answered about it; 0: never */
	char stream_why[200];	 /* why it cannot be read, "": it can; that Redis is away is said elsewhere */

	int64_t saved_s;    /* Unix time of the snapshot; 0: none yet */
	char save_why[300]; /* why the newest one could not be written; "": it could, or none is wanted */
};
void clients_stats(struct clients_stats *stats_out);

#endif

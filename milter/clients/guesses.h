/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guesses: who tries passwords of many accounts, and which account is tried by many clients. Two tables of fixed size
 * under one lock, in hashes with a random key that never leaves this host: any thread. Where a row has no place, the
 * one of fewest names, or fewest clients, of a few gives way: a flood of addresses pushes out its own.
 *
 * That many clients try an account is told, and held against nobody's account: it can only be said of the clients.
 */
#ifndef PENSTOCK_GUESSES_H
#define PENSTOCK_GUESSES_H

#include "redis-schema/client_note.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Before any other call; false: no memory. Stop: forgets all. Without a start nothing is noted. */
bool guesses_start(void);
void guesses_stop(void);

/* clients_note()'s: counts AUTH_FAILURE, as it was told, and LOGIN, nothing else, and tells of the events `guesser` and
 * `attacked`. `ours`: the client is in our own networks or on this host; behind it (webmail) anybody may be, so it is
 * counted in the report and is never told of as a guesser. Never waits. */
void guesses_note(const struct client_note *note, bool ours);

/* How many different names failed from this client within about a day, `login` not counted ("": all of them). What
 * clients_guesses() answers, and struct client_facts.logins with "". Exact up to GUESS_EXACT of them. */
double guesses_of_client(const struct netaddr *client, const char *login);

/* What the client of a note is to the tables: IPv4 as it is, IPv6 its /64. */
struct netaddr guesses_client(const struct netaddr *client);

struct guess_row {
	struct netaddr client; /* of a guesser; family NETADDR_UNKNOWN: the row is of a name */
	char name[CLIENT_NOTE_NAME_MAX +
		  1];		 /* of an attacked one; of a guesser: as whom it got in last, "": it did not */
	double others;		 /* different names that it tried, or clients that tried it, within a day */
	uint64_t failures;	 /* in all since first_s */
	int64_t first_s, last_s; /* Unix time of its failures */
	unsigned services;	 /* 1 << enum client_service, each that told */
	bool ours;
	bool told; /* it is at it, as policy has it (policy/guess.h): an event was told, or would be */
};

enum guess_side { GUESS_CLIENTS, GUESS_NAMES };

/* The worst first; how many of at most `most`. */
size_t guesses_worst(enum guess_side side, struct guess_row *rows_out, size_t most);

struct guess_stats {
	uint64_t failures, logins; /* noted */
	uint64_t unnamed;	   /* failures that told no name */
	uint64_t unproven;	   /* whose sender may be forged (client_event_as()): they name no name either */
	uint64_t forgotten[2];	   /* rows that gave way, by side */
	uint64_t rows[2], size;	   /* in use; of each side there are at most `size` */
	uint64_t told[2], untold;  /* events by side; those kept back since too many came in an hour */
	uint64_t got_in;	   /* logins that worked from a client that had guessed */
};
struct guess_stats guesses_stats(void);

/* For clients.state: the tables with their key, as bytes of this machine. Read: in place of what is there; false: it is
 * no whole one, and the tables are empty. */
bool guesses_save(FILE *to);
bool guesses_load(FILE *from);

#endif

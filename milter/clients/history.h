/* SPDX-License-Identifier: BSD-2-Clause
 *
 * history: who was refused by a list, slowed, gave up, and got mail through, for the study of throttling: files of a
 * day with rows of 16 bytes in clients.state, written by a thread of its own, so that nobody waits for a disk.
 */
#ifndef PENSTOCK_CLIENT_HISTORY_H
#define PENSTOCK_CLIENT_HISTORY_H

#include "policy/netaddr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In files they go by their number. */
enum history_kind { HISTORY_REFUSED = 1, HISTORY_SLOWED = 2, HISTORY_GAVE_UP = 3, HISTORY_TAKEN = 4 };

struct history_row {
	uint64_t client; /* IPv4: its 32 bits; IPv6: its first 64 bits. Little-endian in the file, as all of it */
	uint32_t time_s;
	uint32_t kind;
};

uint64_t history_client(const struct netaddr *client);

/* Days of 0: nothing is written, and history_note() does nothing. False with a sentence in `error`. */
bool history_start(const char *folder, int64_t days, char *error, size_t error_size);
void history_stop(void);
/* Any thread; never waits. What does not fit is lost and counted. */
void history_note(const struct netaddr *client, enum history_kind kind, int64_t time_s);
/* Rows that were lost, and why the newest write failed ("": it did not). */
uint64_t history_lost(char why[200]);

#endif

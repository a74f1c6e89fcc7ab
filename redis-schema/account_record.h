/* SPDX-License-Identifier: BSD-2-Clause
 *
 * account_record: an account's history as Redis holds it, one value of bytes. No I/O: anybody may have written
 * anything.
 *
 * Its head is the version and the name of the write that made it, which no two writes share: compare_and_set.lua writes
 * a record only where the head is still the one that was read. Behind it stand the last writes of others, newest first:
 *
 * - of daemons, so that one which lost an answer can read whether its write was taken. It asks at its next connection,
 *   and its name ends with its process: of daemons the one that wrote longest ago gives way.
 * - of followers of mail logs, so that lines which are read again after a crash are not credited again. A follower may
 *   ask after days, while daemons were started anew many times: it gives way to no daemon, and only where there are
 *   more than RECORD_FOLLOWERS of them; then to a follower, whoever wrote longest ago first.
 *
 * A follower's name comes again after a reset with numbers that a record had before, so it is never the head: a write
 * of its has beside it a passing name of the process's own as the head, which is dropped at the next write.
 */
#ifndef PENSTOCK_ACCOUNT_RECORD_H
#define PENSTOCK_ACCOUNT_RECORD_H

#include "policy/history.h"

#include <stddef.h>
#include <stdint.h>

enum {
	RECORD_VERSION = 5, /* 4, without texts, is read as well */
	RECORD_HEAD = 11,   /* bytes: the version, writer and number of the newest write */
	RECORD_DAEMONS = 8, /* whose last write is kept */
	RECORD_FOLLOWERS = 8,
	RECORD_WRITERS = RECORD_DAEMONS + RECORD_FOLLOWERS + 1, /* and the passing name */
	RECORD_MAX = 850,					/* bytes; most have fewer than 300 */
};

struct record_write {
	uint64_t writer; /* 40 bits, drawn by lot when a daemon starts; the last two say whose it is; 0: none */
	uint64_t number; /* 40 bits, rising from 1 */
};

struct account_record {
	struct history history;
	struct record_write writes[RECORD_WRITERS]; /* newest first, each writer once; writer 0 behind the last */
	uint8_t earlier; /* the version of the bytes that it was read from, where it is an earlier one; else 0 */
};

enum record_kind {
	RECORD_NONE, /* no bytes */
	RECORD_FINE,
	RECORD_OTHER,  /* of another version: it is left alone */
	RECORD_BROKEN, /* no record of ours */
};

/* `bytes` NULL or `length` 0: NONE. `record_out` is empty where the kind is not FINE. */
enum record_kind record_read(const char *bytes, size_t length, struct account_record *record_out);
/* Returns how many bytes. The counts of rates are whole numbers; counters have that of four digits. */
size_t record_write(const struct account_record *record, char bytes[RECORD_MAX]);
/* The first RECORD_HEAD bytes of it; of one without a write none. Returns how many. Of a record that is not FINE the
 * head is that of the bytes themselves. */
size_t record_head(const struct account_record *record, char bytes[RECORD_HEAD]);

/* Names of 40 bits that were drawn by lot. */
uint64_t record_daemon(uint64_t lot);
uint64_t record_follower(uint64_t lot);
uint64_t record_passing(uint64_t lot);

/* The write is the newest; a follower's is signed before the passing one that goes with it. */
void record_sign(struct account_record *record, struct record_write write);
/* The number of the writer's last write; 0: none is kept. */
uint64_t record_last(const struct account_record *record, uint64_t writer);

#endif

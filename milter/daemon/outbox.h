/* SPDX-License-Identifier: BSD-2-Clause
 *
 * outbox: commands on keys of ours in Redis that nobody waits for, but that must not be lost while Redis is away: what
 * is held and until when, and what explains a refusal. Each box is a queue of bounded length; its commands are sent in
 * their order, one after another, and each until Redis took it, so one whose answer was lost is sent twice.
 */
#ifndef PENSTOCK_OUTBOX_H
#define PENSTOCK_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/* id, word for the log, commands that wait at most */
#define OUTBOX_ROWS(ROW) \
	ROW(HELD, "dates of held messages", 100000) \
	ROW(EXPLAIN, "explanations", 2000) \
	ROW(WEBHOOK, "notes of what the webhook is to get", 20000)

/* clang-format off */
enum outbox {
#define OUTBOX_ENUM(id, word, most) OUTBOX_##id,
	OUTBOX_ROWS(OUTBOX_ENUM)
#undef OUTBOX_ENUM
	OUTBOX_COUNT
};
/* clang-format on */

/* Before the loop starts. False: no memory. */
bool outbox_start(struct event_base *base);
/* With the loop stopped and the store freed: says in the log what is lost. */
void outbox_stop(void);

/* `argv` as store_key_command wants it; copied. Any thread; never waits. Where the box is full the command is dropped
 * and counted, and losses.h has it said. */
void outbox_send(enum outbox box, int argc, const char *const *argv);

/* Any thread. */
struct outbox_stats {
	uint64_t waiting, dropped;
};
struct outbox_stats outbox_stats(enum outbox box);

#endif

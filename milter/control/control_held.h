/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control_held: the list of held messages (milter/record/held.h) over the control socket: what stands in it, and taking
 * off it what was released. Loop thread only. True: the call will be answered. False with a sentence in `error`.
 */
#ifndef PENSTOCK_CONTROL_HELD_H
#define PENSTOCK_CONTROL_HELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange_call;

enum {
	CONTROL_HELD_LIST_MAX = 500,  /* messages in one answer: those whose date is next */
	CONTROL_HELD_REMOVE_MAX = 16, /* members in one request */
};

/* The flat answer of ZRANGEBYSCORE with its scores, as rows of "held"; a new reference. What is no member of ours is
 * counted. */
json_t *control_held_rows(int count, const char *const *items, int64_t *strange_out);

/* {"due":true}: only those whose date has come; {"skip":N}: not the first N. Answers {"node":..,"held":[..],"more":..}
 */
bool control_held_list(struct exchange_call *call, const json_t *request, char *error, size_t error_size);
/* {"members":[..]}, as the list gave them. Answers {"removed":..} */
bool control_held_remove(struct exchange_call *call, const json_t *request, char *error, size_t error_size);

#endif

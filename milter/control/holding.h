/* SPDX-License-Identifier: BSD-2-Clause
 *
 * holding: the list of held messages (milter/record/held.h) over the control socket: what stands in it, and taking off it what
 * was released. Loop thread only. True: the call will be answered. False with a sentence in `error`.
 */
#ifndef PENSTOCK_HOLDING_H
#define PENSTOCK_HOLDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exchange_call;

enum {
	HOLDING_LIST_MAX = 500,		/* messages in one answer: those whose date is next */
	HOLDING_REMOVE_MAX = 16,	/* members in one request */
};

/* The flat answer of ZRANGEBYSCORE with its scores, as rows of "held"; a new reference. What is no member of ours is
 * counted. */
json_t *holding_rows(int count, const char *const *items, int64_t *strange_out);

/* {"due":true}: only those whose date has come; {"skip":N}: not the first N. Answers {"node":..,"held":[..],"more":..} */
bool holding_list(struct exchange_call *call, const json_t *request, char *error, size_t error_size);
/* {"members":[..]}, as the list gave them. Answers {"removed":..} */
bool holding_remove(struct exchange_call *call, const json_t *request, char *error, size_t error_size);

#endif

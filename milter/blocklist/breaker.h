/* SPDX-License-Identifier: BSD-2-Clause
 *
 * breaker: whether something that fails is to be asked again. After so many failures in a row it is left alone for a
 * while; then one question is let through, and the while doubles where that fails too. No clock and no chance of its
 * own; zeroed, it is closed.
 */
#ifndef PENSTOCK_BREAKER_H
#define PENSTOCK_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker_settings {
	int64_t failures;      /* in a row that open it */
	int64_t retry_ms;      /* the first while ... */
	int64_t retry_most_ms; /* ... and the longest; each is shortened by up to a half, by chance */
};

struct breaker {
	int64_t failures; /* in a row */
	int64_t wait_ms;  /* the while at hand, before chance; 0: closed */
	int64_t until_ms;
	bool probing; /* one question is let through */
};

/* True: ask, and say how it went, or breaker_unasked. */
bool breaker_may_ask(struct breaker *breaker, int64_t now_ms);
void breaker_unasked(struct breaker *breaker);

/* True: it opens now (not: it stays open). */
bool breaker_failed(struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms, uint32_t chance);
/* True: it was open. */
bool breaker_answered(struct breaker *breaker);

/* breaker_may_ask would let one question through. */
bool breaker_due(const struct breaker *breaker, int64_t now_ms);
bool breaker_open(const struct breaker *breaker);
/* Until something may change: 0 where it is closed. */
int64_t breaker_left_ms(const struct breaker *breaker, int64_t now_ms);

#endif

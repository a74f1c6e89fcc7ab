/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/breaker.h"

#include "policy/base/banned.h"

bool breaker_may_ask(struct breaker *breaker, int64_t now_ms)
{
	if (breaker->wait_ms == 0)
		return true;
	if (!breaker_due(breaker, now_ms))
		return false;
	breaker->probing = true;
	return true;
}

bool breaker_due(const struct breaker *breaker, int64_t now_ms)
{
	return breaker->wait_ms > 0 && !breaker->probing && now_ms >= breaker->until_ms;
}

void breaker_unasked(struct breaker *breaker)
{
	breaker->probing = false;
}

static void leave_alone(struct breaker *breaker, int64_t wait_ms, int64_t now_ms, uint32_t chance)
{
	breaker->probing = false;
	breaker->wait_ms = wait_ms;
	breaker->until_ms = now_ms + wait_ms - (int64_t)(chance % (uint32_t)(wait_ms / 2 + 1));
}

/* Failures that come while it is left alone are of questions from before. */
bool breaker_failed(struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms, uint32_t chance)
{
	breaker->failures++;
	if (breaker->wait_ms == 0 && breaker->failures >= settings->failures) {
		leave_alone(breaker, settings->retry_ms, now_ms, chance);
		return true;
	}
	if (breaker->probing) {
		int64_t twice = breaker->wait_ms * 2;
		leave_alone(breaker, twice < settings->retry_most_ms ? twice : settings->retry_most_ms, now_ms, chance);
	}
	return false;
}

bool breaker_answered(struct breaker *breaker)
{
	bool was_open = breaker->wait_ms > 0;
	*breaker = (struct breaker){ 0 };
	return was_open;
}

bool breaker_open(const struct breaker *breaker)
{
	return breaker->wait_ms > 0;
}

int64_t breaker_left_ms(const struct breaker *breaker, int64_t now_ms)
{
	if (breaker->wait_ms == 0)
		return 0;
	return breaker->until_ms > now_ms ? breaker->until_ms - now_ms : 1;
}

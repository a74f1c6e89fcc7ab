/* SPDX-License-Identifier: BSD-2-Clause
 *
 * quick_told: what is told of an account later, in order of time.
 */
#include "t/eval/quick.h"

#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* A heap: none is due before the one at half its place. */
static struct told {
	int64_t t;
	struct quick_account *account;
	enum counter counter;
} * told;
static size_t told_count, told_room;

static bool told_swap_late(size_t upper, size_t lower)
{
	struct told swap = told[upper];
	if (swap.t <= told[lower].t)
		return false;
	told[upper] = told[lower];
	told[lower] = swap;
	return true;
}

void quick_told_add(int64_t t, struct quick_account *account, enum counter counter)
{
	if (told_count == told_room) {
		told_room = told_room == 0 ? 1024 : 2 * told_room;
		told = realloc(told, told_room * sizeof *told);
		if (told == NULL)
			quick_die("no memory");
	}
	told[told_count++] = (struct told){ t, account, counter };
	for (size_t at = told_count; at > 1 && told_swap_late(at / 2 - 1, at - 1); at /= 2)
		;
}

static struct told told_take(void)
{
	struct told first = told[0];
	told[0] = told[--told_count];
	for (size_t at = 1, next; (next = 2 * at) <= told_count; at = next) {
		if (next < told_count && told[next].t < told[next - 1].t)
			next++;
		if (!told_swap_late(at - 1, next - 1))
			break;
	}
	return first;
}

void quick_told_until(int64_t t)
{
	while (told_count > 0 && told[0].t <= t) {
		struct told first = told_take();
		struct charge charge = { .now_ms = (quick_begin_s + first.t) * 1000, .limits = limits_unset };
		text_copy(charge.account, sizeof charge.account, first.account->name);
		charge.counts[first.counter] = 1;
		quick_store_charge(first.account, &charge);
		quick_store_round(first.account);
	}
}

/* What the world answers: "12:dead,40:refused", with '?' behind a reply that could mean anything. */
void quick_told_world(const struct quick_event *event)
{
	enum quick_circle circle = quick_options.circle;
	for (const char *at = event->told; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
		char *end;
		int64_t after_s = strtoll(at, &end, 10);
		size_t length = strcspn(at, ",");
		bool vague = length > 0 && at[length - 1] == '?';
		if (strncmp(end, ":dead", 5) == 0 && circle == CIRCLE_REPORT)
			quick_told_add(event->t + after_s + TOLD_AFTER_S, event->account, COUNTER_DEAD);
		else if (strncmp(end, ":dead", 5) == 0 && !vague && circle >= CIRCLE_FOLLOW)
			quick_told_add(event->t + after_s, event->account, COUNTER_DEAD);
		else if (strncmp(end, ":refused", 8) == 0 && !vague && circle >= CIRCLE_FOLLOW)
			quick_told_add(event->t + after_s, event->account, COUNTER_REFUSED);
		else if (strncmp(end, ":complaint", 10) == 0 && circle == CIRCLE_ALL)
			quick_told_add(event->t + after_s, event->account, COUNTER_COMPLAINTS);
	}
}

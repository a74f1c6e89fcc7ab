/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/track.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

void track_failed(struct track *track, const struct list *list, const struct breaker_settings *settings, bool quiet)
{
	track->failures++;
	if (!breaker_failed(&track->breaker, settings, clock_monotonic_ms(), (uint32_t)random()))
		return;
	track->told_away = !quiet;
	if (!quiet)
		log_line(list->mail ? SEVERITY_WARNING : SEVERITY_INFO,
			 "dns: block list %s gave no answer to %lld questions in a row; it is left alone for a while, "
			 "what it lists is unknown",
			 list->name, (long long)settings->failures);
}

void track_answered(struct track *track, const struct list *list, int64_t took_ms)
{
	track->times_ms[track->answers++ % TRACK_TIMES] = took_ms;
	breaker_answered(&track->breaker);
	if (track->told_away)
		log_line(SEVERITY_INFO, "dns: block list %s answers again", list->name);
	track->told_away = false;
}

static int by_size(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int64_t track_median_ms(const struct track *track)
{
	int64_t times_ms[TRACK_TIMES];
	size_t count = track->answers < TRACK_TIMES ? (size_t)track->answers : TRACK_TIMES;
	if (count == 0)
		return -1;
	memcpy(times_ms, track->times_ms, count * sizeof times_ms[0]);
	qsort(times_ms, count, sizeof times_ms[0], by_size);
	return times_ms[count / 2];
}

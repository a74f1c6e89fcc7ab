/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An account's record as it stands in Redis, where anybody may have written anything. What is read is the same when it
 * is written and read again, and the next message can be charged upon it.
 */
#include "redis-schema/account_record.h"

#include "policy/base/panic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct account_record *record)
{
	const struct history *history = &record->history;
	MUST(history->rates.at_ms >= 0 && history->rates.at_ms == history->counters.at_ms);
	for (int i = 0; i < WINDOW_SUMS; i++)
		MUST(history->rates.present[i] >= 0 && history->rates.before[i] >= 0);
	for (int i = 0; i < COUNTER_COUNT; i++)
		MUST(history->counters.value[i] >= 0 && history->counters.value[i] <= counter_cap((enum counter)i));
	MUST(history->level < LEVEL_COUNT && isfinite(history->score));
	MUST(history->level_since_s >= 0 && history->first_s >= 0 && history->pardoned_s >= 0);
	MUST(strlen(history->unauthorised) <= STATE_DOMAIN_MAX);
	for (int i = 0; i < RECORD_WRITERS && record->writes[i].writer != 0; i++)
		MUST(record_last(record, record->writes[i].writer) == record->writes[i].number);
}

static void use(struct account_record *record)
{
	struct charge charge = { .now_ms = 1800000000000, .limits = limits_unset, .quota = true };
	charge.amounts.of[COUNTED_MESSAGES] = charge.amounts.of[COUNTED_RECIPIENTS] = 1;
	charge.counts[COUNTER_MESSAGES] = 1;
	history_charge(&record->history, &charge);
	record_sign(record, (struct record_write){ 7, 8 });
	MUST(record_last(record, 7) == 8);
	record_sign(record, (struct record_write){ record_follower(8), 9 });
	record_sign(record, (struct record_write){ record_passing(8), 10 });
	MUST(record_last(record, 7) == 8 && record_last(record, record_follower(8)) == 9);
	MUST(record->history.rates.present[WINDOW_MSGS_PER_DAY] >= 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct account_record record, again;
	char bytes[RECORD_MAX], other[RECORD_MAX], head[RECORD_HEAD];
	char *exact = malloc(size + 1);
	if (exact == NULL)
		return 0;
	if (size > 0)
		memcpy(exact, data, size);
	enum record_kind kind = record_read(exact, size, &record);
	check(&record);
	MUST((kind == RECORD_NONE) == (size == 0));
	if (kind != RECORD_FINE) /* each record was made by a write */
		record_sign(&record, (struct record_write){ 7, 7 });
	size_t length = record_write(&record, bytes);
	MUST(length <= RECORD_MAX && (kind != RECORD_FINE || length <= size + (record.earlier != 0)));
	MUST(record_read(bytes, length, &again) == RECORD_FINE);
	MUST(record_write(&again, other) == length && memcmp(bytes, other, length) == 0);
	size_t headed = record_head(&record, head);
	MUST(headed == 0 || (memcmp(head + 1, bytes + 1, headed - 1) == 0 &&
			     memcmp(head, kind == RECORD_FINE ? exact : bytes, headed) == 0));
	use(&record);
	check(&record);
	length = record_write(&record, bytes);
	MUST(record_read(bytes, length, &again) == RECORD_FINE && record_last(&again, 7) == 8);
	free(exact);
	return 0;
}

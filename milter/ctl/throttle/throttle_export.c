/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/throttle/throttle_export.h"

#include "milter/clients/history_file.h"
#include "milter/ctl/tool/memory.h"

#include "policy/base/banned.h"

/* clang-format off */
/* member of struct study, word */
#define THROTTLE_EXPORT_ROWS(ROW) \
	ROW(files, "files") ROW(rows, "rows") ROW(damaged_rows, "damaged_rows") ROW(other_rows, "other_rows") \
	ROW(foreign_files, "foreign_files") ROW(cut_files, "cut_files") ROW(missing_days, "missing_days") \
	ROW(passes, "passes") ROW(clients, "clients") ROW(always_refused, "always_refused") \
	ROW(refused_and_slowed, "refused_and_slowed") ROW(refused_and_taken, "refused_and_taken") \
	ROW(slowed_only, "slowed_only") ROW(taken_only, "taken_only") ROW(gave_up, "gave_up") \
	ROW(gave_up_never_listed, "gave_up_never_listed") ROW(gave_up_taken, "gave_up_taken") \
	ROW(slowed_below_10, "slowed_fewer_than_10_times") ROW(slowed_below_5, "slowed_no_more_than_4_times")
/* clang-format on */

static void throttle_export_add(json_t *object, const char *word, json_t *value)
{
	have_memory(value);
	json_object_set_new(object, word, value);
}

static void throttle_export_number(json_t *object, const char *word, uint64_t number)
{
	throttle_export_add(object, word, json_integer((json_int_t)number));
}

static void throttle_export_mean(json_t *object, const char *word, uint64_t sum, uint64_t clients)
{
	throttle_export_add(object, word, clients == 0 ? json_null() : json_real((double)sum / (double)clients));
}

/* Rows of a histogram: from where each goes, and how many clients there are. */
static void throttle_export_row(json_t *rows, const char *from_word, uint64_t from, uint64_t clients)
{
	json_t *row = have_memory(json_object());
	throttle_export_number(row, from_word, from);
	throttle_export_number(row, "clients", clients);
	json_array_append_new(rows, row);
}

static json_t *throttle_export_span(const struct study_span *span)
{
	json_t *object = have_memory(json_object()), *rows = have_memory(json_array());
	throttle_export_number(object, "clients", span->clients);
	throttle_export_mean(object, "mean_s", span->sum_s, span->clients);
	throttle_export_number(object, "least_s", span->least_s);
	throttle_export_number(object, "most_s", span->most_s);
	for (int i = 0; i < STUDY_SPAN_COUNT; i++)
		throttle_export_row(rows, "from_s", (uint64_t)study_span_from((enum study_span_row)i), span->row[i]);
	throttle_export_add(object, "histogram", rows);
	return object;
}

static json_t *throttle_export_times(const struct study_times *times)
{
	json_t *object = have_memory(json_object()), *rows = have_memory(json_array());
	throttle_export_number(object, "clients", times->clients);
	throttle_export_number(object, "times", times->sum);
	throttle_export_mean(object, "mean", times->sum, times->clients);
	throttle_export_number(object, "most", times->most);
	for (int i = 0; i < STUDY_TIMES_COUNT; i++)
		throttle_export_row(rows, "from", study_times_from((enum study_times_row)i), times->row[i]);
	throttle_export_add(object, "histogram", rows);
	return object;
}

json_t *throttle_export(const struct study *study)
{
	static const char *const kinds[] = { [HISTORY_REFUSED] = "refused",
					     [HISTORY_SLOWED] = "slowed",
					     [HISTORY_GAVE_UP] = "gave_up",
					     [HISTORY_TAKEN] = "taken" };
	json_t *object = have_memory(json_object()), *times = have_memory(json_object());
	throttle_export_number(object, "days", (uint64_t)study_days(study));
	throttle_export_number(object, "first_s", (uint64_t)study->first_s);
	throttle_export_number(object, "last_s", (uint64_t)study->last_s);
#define THROTTLE_EXPORT_ROW(member, word) throttle_export_number(object, word, (uint64_t)study->member);
	THROTTLE_EXPORT_ROWS(THROTTLE_EXPORT_ROW)
#undef THROTTLE_EXPORT_ROW
	for (int kind = HISTORY_REFUSED; kind <= HISTORY_TAKEN; kind++)
		throttle_export_number(times, kinds[kind], study->kind_rows[kind]);
	throttle_export_add(object, "times", times);
	throttle_export_add(object, "listed_later", throttle_export_span(&study->given_up_first));
	throttle_export_add(object, "listed_before", throttle_export_span(&study->listed_first));
	throttle_export_add(object, "refusals", throttle_export_times(&study->refusals));
	throttle_export_add(object, "slowed_never_refused", throttle_export_times(&study->slowed_never_refused));
	return object;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/throttle/throttle_show.h"

#include "milter/clients/history_file.h"
#include "milter/ctl/throttle/throttle_form.h"
#include "milter/ctl/throttle/throttle_means.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { BAR_COLUMNS = 36, LABEL_COLUMNS = 46 };

/* Rounded. */
static uint64_t throttle_show_mean_s(const struct study_span *span)
{
	return (span->sum_s + span->clients / 2) / span->clients;
}

/* ---- rows */

/* "  label          1,947,976    6.9 %" */
static void throttle_show_row(FILE *to, int indent, const char *label, uint64_t count, uint64_t whole)
{
	char number[THROTTLE_FORM_MAX], share[THROTTLE_FORM_MAX];
	fprintf(to, "%*s%-*s %14s", indent, "", LABEL_COLUMNS - indent, label, throttle_form_count(number, count));
	if (whole > 0)
		fprintf(to, "  %8s", throttle_form_share(share, count, whole));
	fputc('\n', to);
}

/* "  2 to 4 days       ########             50,000     8.9 %" */
static void throttle_show_bar(FILE *to, const char *label, uint64_t count, uint64_t most, uint64_t whole)
{
	char bar[BAR_COLUMNS + 1] = "", number[THROTTLE_FORM_MAX], share[THROTTLE_FORM_MAX];
	size_t length = most == 0 ? 0 : (size_t)((double)count / (double)most * BAR_COLUMNS + 0.5);
	/* what is there can be seen */
	length = length == 0 && count > 0 ? 1 : length;
	memset(bar, '#', length < BAR_COLUMNS ? length : BAR_COLUMNS);
	bar[length < BAR_COLUMNS ? length : BAR_COLUMNS] = '\0';
	fprintf(to, "  %-17s %-*s %12s %8s\n", label, BAR_COLUMNS, bar, throttle_form_count(number, count),
		throttle_form_share(share, count, whole));
}

static uint64_t throttle_show_most(const uint64_t *rows, int count)
{
	uint64_t most = 0;
	for (int i = 0; i < count; i++)
		most = rows[i] > most ? rows[i] : most;
	return most;
}

static void throttle_show_span(FILE *to, const char *title, const struct study_span *span)
{
	char mean[THROTTLE_FORM_MAX], seconds[THROTTLE_FORM_MAX], least[THROTTLE_FORM_MAX], most[THROTTLE_FORM_MAX];
	if (span->clients == 0)
		return;
	fprintf(to, "\n%s\n", title);
	fprintf(to, "  on average %s (%s s), at least %s, at most %s\n",
		throttle_form_span(mean, (double)span->sum_s / (double)span->clients),
		throttle_form_count(seconds, throttle_show_mean_s(span)),
		throttle_form_span(least, (double)span->least_s), throttle_form_span(most, (double)span->most_s));
	for (int i = 0; i < STUDY_SPAN_COUNT; i++)
		throttle_show_bar(to, study_span_word((enum study_span_row)i), span->row[i],
				  throttle_show_most(span->row, STUDY_SPAN_COUNT), span->clients);
}

static void throttle_show_times(FILE *to, const char *title, const struct study_times *times)
{
	char sum[THROTTLE_FORM_MAX], most[THROTTLE_FORM_MAX];
	if (times->clients == 0)
		return;
	fprintf(to, "\n%s\n", title);
	fprintf(to, "  %s in all, %.2f a client, at most %s\n", throttle_form_count(sum, times->sum),
		(double)times->sum / (double)times->clients, throttle_form_count(most, times->most));
	for (int i = 0; i < STUDY_TIMES_COUNT; i++)
		throttle_show_bar(to, study_times_word((enum study_times_row)i), times->row[i],
				  throttle_show_most(times->row, STUDY_TIMES_COUNT), times->clients);
}

/* ---- parts */

static void throttle_show_clients(const struct study *study, FILE *to)
{
	const struct {
		const char *label;
		uint64_t count;
	} rows[] = {
		{ "always refused by a list", study->always_refused },
		{ "gave up while made to wait", study->gave_up },
		{ "made to wait, and never gave up", study->slowed_only },
		{ "made to wait and refused, and never gave up", study->refused_and_slowed },
		{ "refused at times, mail taken at others", study->refused_and_taken },
		{ "neither refused nor made to wait", study->taken_only },
	};
	fputc('\n', to);
	throttle_show_row(to, 0, "clients", study->clients, 0);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		throttle_show_row(to, 2, rows[i].label, rows[i].count, study->clients);
}

static void throttle_show_given_up(const struct study *study, FILE *to)
{
	if (study->gave_up == 0)
		return;
	fputc('\n', to);
	throttle_show_row(to, 0, "clients that gave up", study->gave_up, 0);
	throttle_show_row(to, 2, "no list ever refused it", study->gave_up_never_listed, study->gave_up);
	throttle_show_row(to, 2, "a list refused it later", study->given_up_first.clients, study->gave_up);
	throttle_show_row(to, 2, "a list had refused it before", study->listed_first.clients, study->gave_up);
	throttle_show_row(to, 0, "of these, mail was taken at other times", study->gave_up_taken, study->gave_up);
	throttle_show_row(to, 0, "clients both refused and given up",
			  study->given_up_first.clients + study->listed_first.clients, 0);
}

static void throttle_show_slowed(const struct study *study, FILE *to)
{
	uint64_t clients = study->slowed_never_refused.clients;
	if (clients == 0)
		return;
	fputc('\n', to);
	throttle_show_row(to, 0, "clients made to wait and never refused", clients, 0);
	throttle_show_row(to, 2, "fewer than 10 times", study->slowed_below_10, clients);
	throttle_show_row(to, 2, "no more than 4 times", study->slowed_below_5, clients);
}

void throttle_show(const struct study *study, FILE *to)
{
	char first[HISTORY_NAME_MAX], last[HISTORY_NAME_MAX];
	int64_t days = study_days(study);
	history_day_write(study->first_s / HISTORY_DAY_S, first);
	history_day_write(study->last_s / HISTORY_DAY_S, last);
	fprintf(to, "throttling from %s to %s, %lld %s (UTC)\n\n", strchr(first, '-') + 1, strchr(last, '-') + 1,
		(long long)days, text_noun(days, "day", "days"));
	throttle_means(study, to);
	throttle_show_clients(study, to);
	throttle_show_given_up(study, to);
	throttle_show_span(to, "time from giving up to the first refusal by a list", &study->given_up_first);
	throttle_show_span(to, "time from the first refusal by a list to giving up", &study->listed_first);
	throttle_show_times(to, "refusals by a list", &study->refusals);
	throttle_show_slowed(study, to);
	throttle_show_times(to, "waits of clients never refused", &study->slowed_never_refused);
}

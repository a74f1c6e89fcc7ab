/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_report: what a run found, as lines for people or as one line of JSON.
 */
#include "t/bench/load.h"

#include <inttypes.h>
#include <stdlib.h>

#include "policy/base/banned.h"

static const char *const reply_words[REPLY_COUNT] = {
#define REPLY_WORD(id, byte, word) word,
	REPLY_ROWS(REPLY_WORD)
#undef REPLY_WORD
};

static const char *const edit_words[EDIT_COUNT] = {
#define EDIT_WORD(id, byte, word) word,
	EDIT_ROWS(EDIT_WORD)
#undef EDIT_WORD
};

static const char *const outcome_words[OUTCOME_COUNT] = {
#define OUTCOME_WORD(id, word) word,
	OUTCOME_ROWS(OUTCOME_WORD)
#undef OUTCOME_WORD
};

static int compare_u32(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* In milliseconds; the array is sorted. */
static double quantile(const struct load *load, double part)
{
	int64_t at = (int64_t)(part * (double)load->latency_count);

	if (load->latency_count == 0)
		return 0;
	if (at >= load->latency_count)
		at = load->latency_count - 1;
	return (double)load->latency_us[at] / 1000.0;
}

static void json_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\')
			fprintf(to, "\\%c", byte);
		else if (byte < 0x20 || byte >= 0x7f)
			fprintf(to, "\\u%04x", (unsigned)byte);
		else
			fputc(byte, to);
	}
	fputc('"', to);
}

static void json_counts(FILE *to, const char *name, const char *const *words, const uint64_t *counts, int count)
{
	fprintf(to, ",\"%s\":{", name);
	for (int i = 0; i < count; i++)
		fprintf(to, "%s\"%s\":%" PRIu64, i == 0 ? "" : ",", words[i], counts[i]);
	fprintf(to, "}");
}

static void json_inserted(FILE *to, const struct tally *tally)
{
	fprintf(to, ",\"inserted\":{");
	for (int i = 0; i < INSERTED_MAX && tally->inserted[i].count > 0; i++) {
		fprintf(to, "%s", i == 0 ? "" : ",");
		json_string(to, tally->inserted[i].text);
		fprintf(to, ":%" PRIu64, tally->inserted[i].count);
	}
	fprintf(to, "}");
}

static void report_json(const struct load *load, double seconds, bool timed_out, FILE *to)
{
	const struct tally *tally = &load->tally;

	fprintf(to, "{\"messages\":%lld,\"seconds\":%.6f,\"messages_per_s\":%.1f", (long long)load->done, seconds,
		seconds > 0 ? (double)load->done / seconds : 0);
	fprintf(to, ",\"latency_ms\":{\"median\":%.3f,\"p99\":%.3f,\"max\":%.3f}", quantile(load, 0.5),
		quantile(load, 0.99), quantile(load, 1.0));
	json_counts(to, "outcomes", outcome_words, tally->outcomes, OUTCOME_COUNT);
	fprintf(to, ",\"rcpts\":{\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"passed\":%" PRIu64 "}",
		tally->rcpts_accepted, tally->rcpts_refused, tally->rcpts_passed);
	json_counts(to, "replies", reply_words, tally->replies, REPLY_COUNT);
	fprintf(to, ",\"replies_4xx\":%" PRIu64 ",\"replies_5xx\":%" PRIu64, tally->replies_4xx, tally->replies_5xx);
	json_counts(to, "edits", edit_words, tally->edits, EDIT_COUNT);
	json_inserted(to, tally);
	fprintf(to, ",\"protocol_errors\":%" PRIu64 ",\"connect_retries\":%" PRIu64 ",\"connect_failures\":%" PRIu64,
		tally->protocol_errors, tally->connect_retries, tally->connect_failures);
	fprintf(to, ",\"idle\":%lld,\"idle_lost\":%" PRIu64, (long long)load->idle_ready, tally->idle_lost);
	fprintf(to, ",\"steps\":\"0x%08x\",\"actions\":\"0x%08x\"", (unsigned)tally->steps_agreed,
		(unsigned)tally->actions_agreed);
	fprintf(to, ",\"first_refusal\":");
	json_string(to, tally->first_refusal);
	fprintf(to, ",\"first_error\":");
	json_string(to, tally->first_error);
	fprintf(to, ",\"timed_out\":%s}\n", timed_out ? "true" : "false");
}

static void text_counts(FILE *to, const char *name, const char *const *words, const uint64_t *counts, int count)
{
	fprintf(to, "%-12s", name);
	for (int i = 0; i < count; i++)
		if (counts[i] > 0)
			fprintf(to, " %s=%" PRIu64, words[i], counts[i]);
	fprintf(to, "\n");
}

/* What a milter said may hold any byte: print it as JSON does. */
static void text_said(FILE *to, const char *name, const char *said)
{
	if (said[0] == '\0')
		return;
	fprintf(to, "%-12s ", name);
	json_string(to, said);
	fputc('\n', to);
}

static void report_text(const struct load *load, double seconds, bool timed_out, FILE *to)
{
	const struct tally *tally = &load->tally;

	fprintf(to, "%-12s %lld in %.2f s: %.1f a second%s\n", "messages", (long long)load->done, seconds,
		seconds > 0 ? (double)load->done / seconds : 0, timed_out ? " (stopped by --timeout)" : "");
	fprintf(to, "%-12s median %.3f ms, p99 %.3f ms, max %.3f ms\n", "latency", quantile(load, 0.5),
		quantile(load, 0.99), quantile(load, 1.0));
	text_counts(to, "outcomes", outcome_words, tally->outcomes, OUTCOME_COUNT);
	text_counts(to, "replies", reply_words, tally->replies, REPLY_COUNT);
	text_counts(to, "changes", edit_words, tally->edits, EDIT_COUNT);
	fprintf(to, "%-12s accepted=%" PRIu64 " refused=%" PRIu64 " passed=%" PRIu64 "\n", "recipients",
		tally->rcpts_accepted, tally->rcpts_refused, tally->rcpts_passed);
	fprintf(to, "%-12s 4xx=%" PRIu64 " 5xx=%" PRIu64 "\n", "reply codes", tally->replies_4xx, tally->replies_5xx);
	for (int i = 0; i < INSERTED_MAX && tally->inserted[i].count > 0; i++)
		fprintf(to, "%-12s %" PRIu64 " x %s\n", "inserted", tally->inserted[i].count, tally->inserted[i].text);
	fprintf(to, "%-12s protocol=%" PRIu64 " connect=%" PRIu64 " (listen queue full, tried again: %" PRIu64 ")\n",
		"errors", tally->protocol_errors, tally->connect_failures, tally->connect_retries);
	if (load->options.idle > 0)
		fprintf(to, "%-12s open=%lld lost=%" PRIu64 "\n", "idle", (long long)load->idle_ready,
			tally->idle_lost);
	text_said(to, "refusal", tally->first_refusal);
	text_said(to, "error", tally->first_error);
}

void load_report(struct load *load, double seconds, bool timed_out, FILE *to)
{
	qsort(load->latency_us, (size_t)load->latency_count, sizeof(load->latency_us[0]), compare_u32);
	if (load->options.json)
		report_json(load, seconds, timed_out, to);
	else
		report_text(load, seconds, timed_out, to);
	fflush(to);
}

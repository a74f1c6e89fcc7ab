/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"
#include "policy/outcome.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum { RCPTS_SHOWN = 10, SENTENCE_BYTES = 1200 };

/* ---- one delivery */

static bool trace_show_is(const struct trace_row *row, enum trace_column column, const char *word)
{
	return row->value[column] != NULL && strcmp(row->value[column], word) == 0;
}

static void trace_show_add_outcome(struct text *text, const struct trace_row *row)
{
	bool away = row->value[TRACE_RELAY] == NULL;
	if (trace_show_is(row, TRACE_STATUS, "sent"))
		text_add(text, "delivered");
	else if (trace_show_is(row, TRACE_STATUS, "deferred"))
		text_add(text, away ? "waits" : "deferred");
	else if (trace_show_is(row, TRACE_STATUS, "expired"))
		text_add(text, "given up");
	else
		text_add(text, away ? "returned" : "refused");
}

/* " to google (142.250.1.27)" */
static void trace_show_add_where(struct text *text, const struct trace_row *row)
{
	const char *receiver = row->value[TRACE_RECEIVER], *relay = row->value[TRACE_RELAY];
	if (receiver == NULL && relay == NULL)
		return;
	text_addf(text, " %s %s", trace_show_is(row, TRACE_STATUS, "sent") ? "to" : "by",
		  receiver != NULL ? receiver : relay);
	if (receiver != NULL && relay != NULL)
		text_addf(text, " (%s)", relay);
}

/* What it means in our words, and what was said in theirs. */
static void trace_show_add_why(struct text *text, const struct trace_row *row)
{
	const char *word = row->value[TRACE_OUTCOME], *said = row->value[TRACE_TEXT];
	if (trace_show_is(row, TRACE_STATUS, "sent"))
		return;
	enum outcome outcome = word != NULL ? outcome_find(word) : OUTCOME_COUNT;
	if (outcome < OUTCOME_COUNT)
		text_addf(text, ": %s", outcome_plain(outcome));
	if (said != NULL)
		text_addf(text, outcome < OUTCOME_COUNT ? " (%s)" : ": %s", said);
}

static void trace_show_sentence(const struct trace_story *story, const struct trace_row *row, int attempts,
				char sentence[SENTENCE_BYTES])
{
	char form[FORM_MAX];
	struct text text = text_over(sentence, SENTENCE_BYTES);
	if (row->value[TRACE_RCPT] != NULL)
		text_addf(&text, "%s: ", row->value[TRACE_RCPT]);
	else
		text_addf(&text, "all%s%s that are left: ", row->value[TRACE_RCPTS] != NULL ? " " : "",
			  row->value[TRACE_RCPTS] != NULL ? row->value[TRACE_RCPTS] : "");
	trace_show_add_outcome(&text, row);
	trace_show_add_where(&text, row);
	if (trace_show_is(row, TRACE_STATUS, "sent") && row->value[TRACE_DSN] != NULL)
		text_addf(&text, " as %s", row->value[TRACE_DSN]);
	if (story->message != NULL && row->time_ms >= story->message->row.time_ms)
		text_addf(&text, " after %s", form_span(form, (row->time_ms - story->message->row.time_ms) / 1000));
	if (attempts > 1)
		text_addf(&text, ", tried %d times", attempts);
	trace_show_add_why(&text, row);
}

/* ---- one message */

static void trace_show_line(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void trace_show_line(FILE *to, const char *format, ...)
{
	char *line = NULL;
	va_list arguments;
	va_start(arguments, format);
	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	va_end(arguments);
	clean_print(to, have_memory(line));
	fputc('\n', to);
	free(line);
}

static const char *trace_show_when(int64_t time_ms, char form[FORM_MAX])
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm local;
	if (localtime_r(&seconds, &local) == NULL || strftime(form, FORM_MAX, "%Y-%m-%d %H:%M:%S", &local) == 0)
		form[0] = '\0';
	return form;
}

static const char *or_none(const char *value)
{
	return value != NULL ? value : "-";
}

static void trace_show_message(const struct trace_row *row, FILE *to)
{
	char form[FORM_MAX];
	const char *const *value = row->value;
	bool many = !trace_show_is(row, TRACE_RCPTS, "1");
	trace_show_line(to, "%s  %s  from %s to %s recipient%s, %s KiB", trace_show_when(row->time_ms, form),
			or_none(value[TRACE_ACCOUNT]), or_none(value[TRACE_SENDER]), or_none(value[TRACE_RCPTS]),
			many ? "s" : "", or_none(value[TRACE_KBYTES]));
	trace_show_line(to, "    %s as %s%s%s, from client %s%s%s", or_none(value[TRACE_ACTION]),
			or_none(value[TRACE_LEVEL]), value[TRACE_TRANSPORT] != NULL ? " by " : "",
			value[TRACE_TRANSPORT] != NULL ? value[TRACE_TRANSPORT] : "", or_none(value[TRACE_CLIENT]),
			value[TRACE_CUSTOMER] != NULL ? ", of customer " : "",
			value[TRACE_CUSTOMER] != NULL ? value[TRACE_CUSTOMER] : "");
	trace_show_line(to, "    queue id %s, reference %s, Message-ID %s", or_none(value[TRACE_QUEUE_ID]),
			or_none(value[TRACE_REFERENCE]), or_none(value[TRACE_MESSAGE_ID]));
}

static void trace_show_headless(const struct trace_story *story, FILE *to)
{
	char form[FORM_MAX];
	const struct trace_row *row = &story->deliveries[0]->row;
	trace_show_line(to, "%s  %s  queue id %s: the message itself is in no file any more",
			trace_show_when(row->time_ms, form), or_none(row->value[TRACE_ACCOUNT]),
			or_none(row->value[TRACE_QUEUE_ID]));
}

static void trace_show_attempts(const struct trace_story *story, FILE *to)
{
	char sentence[SENTENCE_BYTES], form[FORM_MAX];
	for (int i = 0; i < story->count; i++) {
		const struct trace_row *row = &story->deliveries[i]->row;
		trace_show_when(row->time_ms, form);
		if (row->kind == TRACE_REQUEUED) {
			trace_show_line(to, "    %s  it got the queue id %s", form, row->value[TRACE_QUEUE_ID]);
			continue;
		}
		trace_show_sentence(story, row, 1, sentence);
		trace_show_line(to, "    %s  %s", form, sentence);
	}
}

/* The last attempt for each recipient, in the order of the first ones: `last` and `attempts` by number, which
 * `number_of` has by recipient. The count of them. */
static int trace_show_last(const struct trace_story *story, json_t *number_of, int *last, int *attempts)
{
	int count = 0;
	for (int i = 0; i < story->count; i++) {
		const struct trace_row *row = &story->deliveries[i]->row;
		const char *rcpt = row->value[TRACE_RCPT] != NULL ? row->value[TRACE_RCPT] : "";
		const json_t *known = json_object_get(number_of, rcpt);
		int number = known != NULL ? (int)json_integer_value(known) : count;
		if (row->kind != TRACE_DELIVERY)
			continue;
		if (known == NULL) {
			json_object_set_new(number_of, rcpt, json_integer(count));
			attempts[count++] = 0;
		}
		last[number] = i;
		attempts[number]++;
	}
	return count;
}

static void trace_show_rcpts(const struct trace_story *story, FILE *to)
{
	char sentence[SENTENCE_BYTES];
	size_t most = (size_t)story->count + 1;
	int *last = have_memory(calloc(most, sizeof *last)), *attempts = have_memory(calloc(most, sizeof *attempts));
	json_t *number_of = have_memory(json_object());
	int count = trace_show_last(story, number_of, last, attempts);
	for (int i = 0; i < count && i < RCPTS_SHOWN; i++) {
		trace_show_sentence(story, &story->deliveries[last[i]]->row, attempts[i], sentence);
		trace_show_line(to, "    %s", sentence);
	}
	if (count > RCPTS_SHOWN)
		trace_show_line(to, "    and %d more recipients; -v shows them", count - RCPTS_SHOWN);
	if (count == 0)
		trace_show_line(to, "    no delivery was seen yet");
	json_decref(number_of);
	free(last);
	free(attempts);
}

static bool trace_show_was_refused(const struct trace_story *story)
{
	const struct trace_row *row = story->message != NULL ? &story->message->row : NULL;
	return row != NULL && (trace_show_is(row, TRACE_ACTION, "reject") || trace_show_is(row, TRACE_ACTION, "defer"));
}

void trace_show(const struct trace_found *found, bool all, FILE *to)
{
	for (int i = 0; i < found->stories.count; i++) {
		const struct trace_story *story = &found->stories.at[i];
		if (story->message != NULL)
			trace_show_message(&story->message->row, to);
		else
			trace_show_headless(story, to);
		if (trace_show_was_refused(story) && story->count == 0)
			trace_show_line(to, "    it was not accepted; penstockctl explain says why");
		else if (all)
			trace_show_attempts(story, to);
		else
			trace_show_rcpts(story, to);
	}
	if (found->stories.count == 0)
		fputs("No message is found.\n", to);
	if (found->more)
		fputs("There are more; --count, --since and --until choose among them.\n", to);
}

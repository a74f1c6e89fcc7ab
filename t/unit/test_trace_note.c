/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What lines of the log become in a trace.
 */
#include "milter/follow/log_event.h"
#include "milter/follow/queue_map.h"
#include "milter/follow/replies.h"
#include "milter/follow/trace.h"
#include "milter/trace/trace_row.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static const int64_t noon = INT64_C(20785) * 86400000 + 43200000; /* 2026-11-28 */

static struct span span(const char *string)
{
	return (struct span){ string, strlen(string) };
}

static void test_notes(void)
{
	static const struct queued queued = {
		.rcpts = 2, .queue_id = "4jcG2b", .account = "alice@example.com", .transport = "clean-1"
	};
	char folder[] = "/tmp/test_trace_note.XXXXXX", path[100], error[200] = "";
	ok(mkdtemp(folder) != NULL, "a folder");
	snprintf(path, sizeof path, "%s/2026-11-28", folder);
	struct trace *trace =
		trace_open(&(struct trace_options){ .folder = folder, .days = 3, .salt = "" }, error, sizeof error);
	struct log_event id = { .kind = LOG_MESSAGE_ID,
				.queue_id = span("4jcG2b"),
				.message_id = span("<x@example.com>") };
	struct log_event verdict = { .kind = LOG_VERDICT,
				     .time_us = noon * 1000,
				     .queue_id = span("4jcG2b"),
				     .sender = span(""),
				     .customer = span("-"),
				     .action = span("pass"),
				     .size = 1025,
				     .rcpts = 2 };
	struct log_event delivery = { .kind = LOG_DELIVERY,
				      .status = LOG_STATUS_BOUNCED,
				      .time_us = noon * 1000,
				      .rcpt = span("bob@example.net"),
				      .relay_address = span("192.0.2.25"),
				      .dsn = span("5.1.1"),
				      .text = span("550 5.1.1 no\tuser") };
	struct log_event expired = { .kind = LOG_EXPIRED, .status = LOG_STATUS_EXPIRED, .time_us = noon * 1000 };
	struct log_event requeued = {
		.kind = LOG_REQUEUED, .time_us = noon * 1000, .queue_id = span("4new"), .orig_id = span("4jcG2b")
	};
	struct reply_class class = { .outcome = OUTCOME_NO_USER };
	trace_message_id(trace, &id);
	trace_message(trace, &verdict, &queued);
	verdict.queue_id = span("-");
	trace_message(trace, &verdict, NULL);
	trace_delivery(trace, &queued, &delivery.rcpt, &delivery, &class, "example.net");
	class.outcome = OUTCOME_EXPIRED;
	trace_delivery(trace, &queued, NULL, &expired, &class, "");
	trace_requeued(trace, &requeued);
	trace_message(NULL, &verdict, &queued);
	trace_close(&trace);
	/* clang-format off */
	static const char *const expected[] = {
		"M\t2026-11-28T12:00:00.000Z\t4jcG2b\t-\talice@example.com\t-\t<>\t-\tpass\t-\t-\t2\t2\tx@example.com\n",
		"M\t2026-11-28T12:00:00.000Z\t-\t-\t-\t-\t<>\t-\tpass\t-\t-\t2\t2\t-\n",
		"D\t2026-11-28T12:00:00.000Z\t4jcG2b\talice@example.com\tbob@example.net\tno_user\tbounced\t5.1.1\texample.net\t192.0.2.25\tclean-1\t550 5.1.1 no\\x09user\t-\n",
		"D\t2026-11-28T12:00:00.000Z\t4jcG2b\talice@example.com\t-\texpired\texpired\t-\t-\t-\tclean-1\t-\t2\n",
		"R\t2026-11-28T12:00:00.000Z\t4new\t4jcG2b\n",
	};
	/* clang-format on */
	char line[TRACE_LINE_MAX];
	int count = 0;
	FILE *file = fopen(path, "r");
	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (line[0] != '#' && count < 5)
			is_str(line, expected[count++], "a row of the log's line");
	is_int(count, 5, "all five");
	fclose(file);
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	test_notes();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A table of wordings: it is read, or the error names its line.
 */
#include "milter/follow/replies.h"

#include "t/fuzz/fuzz.h"

static void check_asked(const struct replies *replies)
{
	static const char text[] = "550 5.1.1 user unknown";
	struct log_event event;
	struct reply_class class;
	memset(&event, 0, sizeof event);
	event.kind = LOG_DELIVERY;
	event.remote = true;
	event.status = LOG_STATUS_BOUNCED;
	event.text = (struct span){ text, sizeof text - 1 };
	replies_class(replies, "google", &event, &class);
	MUST(class.outcome < OUTCOME_COUNT && class.outcome != OUTCOME_SENT && class.outcome != OUTCOME_SUSPENDED);
	MUST((class.row == NULL) == class.unknown_wording && strlen(class.list) <= REPLIES_LIST_MAX);
	const char *name = replies_receiver(replies, "mx.google.com");
	MUST(name == NULL || (name[0] != '\0' && strlen(name) <= RECEIVER_NAME_MAX && strchr(name, '.') == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[MEMORY_FILE_NAME], error[600] = "";
	int fd = memory_file(data, size, name);
	struct replies *replies = replies_load(name, error, sizeof error);
	MUST((replies == NULL) == (error[0] != '\0') && strlen(error) < sizeof error - 1);
	MUST(replies != NULL || strncmp(error, name, strlen(name)) == 0);
	if (replies != NULL)
		check_asked(replies);
	replies_free(&replies);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What strangers answer, and what their hosts are called. Seeds are replies; the first byte says how the log has it.
 */
#include "milter/follow/receiver_name.h"

#include "t/fuzz/fuzz.h"

static const char table[] = "receiver big big.example\n"
			    "listed big 5xx * spam ... see\n test: 550 a spam, see b.example\n"
			    "listed * * * blocked using\n test: 550 blocked using a.example\n"
			    "no_user * 5xx x.1.x user unknown\n test: 550 5.1.1 user unknown\n"
			    "rate * 4xx/greeting * *\n test: refused to talk to me: 421 a\n"
			    "content * */dot * @ ... spam\n test: 550 <a@b> spam (in reply to end of DATA command)\n"
			    "policy * 5xx * {a|be} * {spam|} ... c\n test: 550 be x spam c\n"
			    "turn no_user spam*\nplain user unknown no\ngeneral\n"
			    "no_user * 5xx * no user\n test: 550 no user\n"
			    "tls * mta * tls\n test: TLS\n";

static const struct replies *the_table(void)
{
	static struct replies *replies;
	char name[MEMORY_FILE_NAME], error[500] = "";
	if (replies != NULL)
		return replies;
	int fd = memory_file((const uint8_t *)table, sizeof table - 1, name);
	replies = replies_load(name, error, sizeof error);
	MUST(replies != NULL);
	close(fd);
	return replies;
}

/* What a list is called comes from the reply, and is a domain. */
static void check_list(const struct reply_class *class)
{
	size_t length = strlen(class->list);
	MUST(length <= REPLIES_LIST_MAX && strspn(class->list, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == length);
	MUST(length == 0 || (class->outcome == OUTCOME_LISTED && strchr(class->list, '.') != NULL));
}

static void check_class(const struct log_event *event)
{
	struct reply_class class, again;
	replies_class(the_table(), "big", event, &class);
	MUST(class.outcome < OUTCOME_COUNT && (class.row == NULL) == class.unknown_wording);
	MUST(outcome_credit_of(class.outcome, true).count == 0 || class.row != NULL ||
	     class.outcome == OUTCOME_NO_USER || class.outcome == OUTCOME_INACTIVE);
	MUST(!event->stage_mail || (class.outcome != OUTCOME_NO_USER && class.outcome != OUTCOME_INACTIVE));
	check_list(&class);
	replies_class(the_table(), "big", event, &again);
	MUST(class.outcome == again.outcome && class.row == again.row && strcmp(class.list, again.list) == 0);
}

static void check_name(const struct log_event *event)
{
	char name[RECEIVER_NAME_MAX + 1];
	receiver_name(the_table(), event, name);
	MUST(strlen(name) <= RECEIVER_NAME_MAX &&
	     strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == strlen(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct log_event event;
	memset(&event, 0, sizeof event);
	event.kind = LOG_DELIVERY;
	event.status = (data[0] & 1) != 0 ? LOG_STATUS_BOUNCED : LOG_STATUS_DEFERRED;
	event.remote = (data[0] & 2) == 0;
	event.greeting = (data[0] & 4) != 0;
	event.stage_mail = (data[0] & 16) != 0;
	event.stage_dot = (data[0] & 8) != 0;
	char *text = string_of(data + 1, size - 1);
	event.text = event.relay_host = (struct span){ text, size - 1 };
	check_class(&event);
	check_name(&event);
	free(text);
	return 0;
}

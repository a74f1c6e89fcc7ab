/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/rests.h"

#include "milter/base/log.h"
#include "milter/tell/event.h"
#include "policy/base/text.h"

#include <time.h>

#include "policy/base/banned.h"

enum { WHEN_BYTES = 40, LINE_BYTES = 600, TOLD_MOST = 20 /* of one reading; more are a world that is down */ };

static void rests_tell_when(int64_t unix_ms, char text[WHEN_BYTES])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm local;
	localtime_r(&seconds, &local);
	if (strftime(text, WHEN_BYTES, "%Y-%m-%d %H:%M", &local) == 0)
		text[0] = '\0';
}

static void rests_tell_event(enum event_kind kind, const char *transport, const char *sentence, const char *done)
{
	struct notice event;
	notice_init(&event, kind, "");
	text_copy(event.transport, sizeof event.transport, transport);
	text_copy(event.reason, sizeof event.reason, sentence);
	text_copy(event.done, sizeof event.done, done);
	log_line(kind == EVENT_REST ? SEVERITY_WARNING : SEVERITY_INFO, "receivers: %s; %s", sentence, done);
	event_tell(&event);
}

static void rests_tell_begun(const struct rests_row *row)
{
	char line[LINE_BYTES], done[LINE_BYTES], until[WHEN_BYTES];
	struct text text = text_over(line, sizeof line), what = text_over(done, sizeof done);
	rests_tell_when(row->row.until_ms, until);
	text_addf(&text, "%s refuses what leaves by transport %s", row->receiver, row->transport);
	if (row->row.wording[0] != '\0')
		text_addf(&text, ": %s", row->row.wording);
	text_addf(&what, "mail to it alone leaves by other transports of the pool until %s", until);
	rests_tell_event(EVENT_REST, row->transport, line, done);
}

static void rests_tell_ended(const struct rests_row *row)
{
	char line[LINE_BYTES];
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "%s no longer refuses what leaves by transport %s", row->receiver, row->transport);
	rests_tell_event(EVENT_REST_ENDED, row->transport, line, "mail to it leaves by it again");
}

static bool rests_tell_is_new(const struct rests_table *before, const struct rests_row *row, int64_t since_ms)
{
	const struct rests_row *was = before == NULL ? NULL : rests_table_find(before, row->transport, row->receiver);
	if (row->row.state != RECEIVER_RESTS || row->row.since_ms < since_ms)
		return false;
	return was == NULL || was->row.state != RECEIVER_RESTS || was->row.since_ms != row->row.since_ms;
}

void rests_tell(const struct rests_table *before, const struct rests_table *after, int64_t since_ms, int64_t now_ms)
{
	int told = 0;
	for (int i = 0; after != NULL && i < after->row_count; i++)
		if (rests_tell_is_new(before, &after->rows[i], since_ms) && told++ < TOLD_MOST)
			rests_tell_begun(&after->rows[i]);
	for (int i = 0; before != NULL && i < before->row_count; i++) {
		const struct rests_row *was = &before->rows[i];
		const struct rests_row *is =
			after == NULL ? NULL : rests_table_find(after, was->transport, was->receiver);
		bool rests = after != NULL ? is != NULL && is->row.state != RECEIVER_FREE
					   : rests_row_state(was, now_ms) == RECEIVER_FREE;
		if (was->row.state != RECEIVER_FREE && !rests && told++ < TOLD_MOST)
			rests_tell_ended(was);
	}
	if (told > TOLD_MOST)
		log_line(SEVERITY_WARNING,
			 "receivers: %d more rests began or ended; penstockctl receivers has them all",
			 told - TOLD_MOST);
}

void rests_tell_fall(const char *transport, int receivers, int withheld, int withheld_before)
{
	char line[LINE_BYTES], done[LINE_BYTES];
	struct text text = text_over(line, sizeof line), what = text_over(done, sizeof done);
	if (withheld == 0)
		text_addf(&text, "not several receivers any more refuse what leaves by transport %s", transport);
	else
		text_addf(&text, "%d receivers refuse what leaves by transport %s", receivers, transport);
	text_addf(&what, "it has %d %% of its share of all mail", TRANSPORT_OUT - withheld);
	rests_tell_event(withheld > withheld_before ? EVENT_REST : EVENT_REST_ENDED, transport, line, done);
}

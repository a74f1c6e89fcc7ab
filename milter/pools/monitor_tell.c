/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/monitor.h"

#include "milter/tell/event.h"
#include "milter/base/log.h"
#include "policy/base/text.h"

#include <time.h>

#include "policy/base/banned.h"

enum { LISTS_BYTES = 2048, WHEN_BYTES = 40 };

void monitor_lists_text(const struct standing *standing, bool pages, char *text, size_t size)
{
	struct text to = text_over(text, size);
	for (int i = 0; i < standing->list_count; i++) {
		const struct standing_list *list = &standing->lists[i];
		if (list->weight <= 0 || (pages && list->removal[0] == '\0'))
			continue;
		text_addf(&to, "%s%s", to.length > 0 ? ", " : "", list->name);
		if (pages)
			text_addf(&to, " %s", list->removal);
	}
}

static void monitor_tell_when(int64_t unix_ms, char text[WHEN_BYTES])
{
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm local;
	localtime_r(&seconds, &local);
	if (strftime(text, WHEN_BYTES, "%Y-%m-%d %H:%M", &local) == 0)
		text[0] = '\0';
}

/* ---- one function a kind, each writes what comes behind "transport clean-1 (192.0.2.1) " */

static void monitor_tell_add_lists(struct text *text, const struct monitor_event *event)
{
	char lists[LISTS_BYTES];
	monitor_lists_text(event->standing, false, lists, sizeof lists);
	text_addf(text, "%s (weight %.4g, limit %.4g)", lists[0] == '\0' ? "no list that counts" : lists,
		  event->standing->weight, event->limit);
}

static void say_listed(struct text *text, const struct monitor_event *event)
{
	text_add(text, "is listed by ");
	monitor_tell_add_lists(text, event);
	text_addf(text, "; it leaves its pool %s", event->pool);
}

static void say_lists(struct text *text, const struct monitor_event *event)
{
	text_add(text, "is now listed by ");
	monitor_tell_add_lists(text, event);
}

static void say_delisted(struct text *text, const struct monitor_event *event)
{
	char from[WHEN_BYTES];
	monitor_tell_when(event->ends_ms, from);
	text_addf(text, "is no longer listed; it returns to pool %s from %s on", event->pool, from);
}

static void monitor_tell_say_returns(struct text *text, const struct monitor_event *event)
{
	char from[WHEN_BYTES];
	monitor_tell_when(event->ends_ms, from);
	text_addf(text, "returns to pool %s with %d %% of its share; with all of it from %s on", event->pool,
		  TRANSPORT_OUT - event->standing->withheld, from);
}

static void say_back(struct text *text, const struct monitor_event *event)
{
	text_addf(text, "has its full share of pool %s again", event->pool);
}

static void say_not_watched(struct text *text, const struct monitor_event *event)
{
	text_addf(text, "is not watched: %s", event->why);
}

static void say_all_listed(struct text *text, const struct monitor_event *event)
{
	text_addf(text, "all transports of pool %s are listed; %s (least listed, weight %.4g) goes on", event->pool,
		  event->transport, event->standing->weight);
}

static void say_not_all_listed(struct text *text, const struct monitor_event *event)
{
	text_addf(text, "not all transports of pool %s are listed any more", event->pool);
}

static const struct {
	void (*say)(struct text *text, const struct monitor_event *event);
	bool of_pool;
} sayings[MONITOR_EVENT_COUNT] = {
	[MONITOR_LISTED] = { say_listed, false },
	[MONITOR_LISTS] = { say_lists, false },
	[MONITOR_DELISTED] = { say_delisted, false },
	[MONITOR_RETURNS] = { monitor_tell_say_returns, false },
	[MONITOR_BACK] = { say_back, false },
	[MONITOR_ALL_LISTED] = { say_all_listed, true },
	[MONITOR_NOT_ALL_LISTED] = { say_not_all_listed, true },
	[MONITOR_NOT_WATCHED] = { say_not_watched, false },
};

static const enum severity severities[MONITOR_EVENT_COUNT] = {
#define MONITOR_EVENT_SEVERITY(id, severity) [MONITOR_##id] = SEVERITY_##severity,
	MONITOR_EVENT_ROWS(MONITOR_EVENT_SEVERITY)
#undef MONITOR_EVENT_SEVERITY
};

/* Where lists come and go and the state is the same, nothing has happened that wants somebody. */
static const struct {
	bool told;
	enum event_kind kind;
	const char *done;
	bool of_pool;
} listing_rows[MONITOR_EVENT_COUNT] = {
	[MONITOR_LISTED] = { true, EVENT_LISTED, "it left its pool, whose other transports take its mail", false },
	[MONITOR_ALL_LISTED] = { true, EVENT_LISTED, "the least listed one goes on", true },
	[MONITOR_DELISTED] = { true, EVENT_DELISTED, "it will return to its pool", false },
	[MONITOR_BACK] = { true, EVENT_DELISTED, "it has its full share again", false },
	[MONITOR_NOT_ALL_LISTED] = { true, EVENT_DELISTED, "", true },
};

static void tell_event(const struct monitor_event *listing, const char *sentence)
{
	struct notice event;
	if (!listing_rows[listing->kind].told)
		return;
	notice_init(&event, listing_rows[listing->kind].kind, "");
	if (listing_rows[listing->kind].of_pool && listing->pool != NULL)
		text_copy(event.pool, sizeof event.pool, listing->pool);
	if (listing->transport != NULL)
		text_copy(event.transport, sizeof event.transport, listing->transport);
	if (listing->address != NULL)
		text_copy(event.address, sizeof event.address, listing->address);
	text_copy(event.reason, sizeof event.reason, sentence);
	text_copy(event.done, sizeof event.done, listing_rows[listing->kind].done);
	event_tell(&event);
}

void monitor_tell(const struct monitor_event *event)
{
	char line[LISTS_BYTES + 1024], pages[LISTS_BYTES];
	struct text text = text_over(line, sizeof line);
	if (!sayings[event->kind].of_pool)
		text_addf(&text, "transport %s%s%s%s ", event->transport, *event->address != '\0' ? " (" : "",
			  event->address, *event->address != '\0' ? ")" : "");
	sayings[event->kind].say(&text, event);
	log_line(severities[event->kind], "monitor: %s", line);
	tell_event(event, line);
	if (event->kind != MONITOR_LISTED)
		return;
	monitor_lists_text(event->standing, true, pages, sizeof pages);
	if (pages[0] != '\0')
		log_line(SEVERITY_INFO, "monitor: where %s may be taken off: %s", event->address, pages);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/monitor.h"

#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/lookup/check.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	UNDER_WAY_MOST = 4, /* checks: each asks a hundred lists at once */
	TICK_S = 1,
	SPREAD_MS = 10000,	/* between the first checks of two addresses */
	AGAIN_LEAST_MS = 60000, /* after a check that said nothing */
};

/* One address of the configuration's `outgoing`. */
struct monitor_watch {
	struct netaddr address;
	struct standing standing;
	int64_t begun_ms, due_ms;
	struct check *check;	    /* owned; NULL: none under way */
	struct standing_check said; /* by it, so far */
};

/* What was told of a pool last. */
struct pool_note {
	char pool[TRANSPORT_NAME_MAX + 1];
	char kept[TRANSPORT_NAME_MAX + 1]; /* goes on although all are listed; "": they are not */
};

/* The loop thread's, but for the start and the end. */
static struct monitor {
	struct loop *loop;   /* borrowed; NULL: not started */
	struct setup *setup; /* held */
	struct event *tick;  /* owned */
	struct monitor_watch
		*watches;	    /* owned: of each address of the configuration's `outgoing`, by its place there */
	int watch_count, under_way; /* watch_count 0: nothing is watched */
	struct pool_note notes[POOLS_MAX];
	int note_count;
} monitor;

/* ---- settings */

static int64_t interval_ms(const struct config *config)
{
	return (int64_t)(config->set.monitor_interval_minutes * 60000);
}

static struct standing_settings monitor_settings_of(const struct config *config)
{
	return (struct standing_settings){
		.weight = config->set.monitor_weight,
		.wait_ms = (int64_t)(config->set.monitor_return_hours * 3600000),
		.return_ms = (int64_t)(config->set.monitor_return_days * 86400000),
	};
}

/* Of one of its addresses. */
static bool is_watched(const struct config *config, const struct transport *transport, enum transport_address which)
{
	return interval_ms(config) > 0 && config->outgoing.of[transport->index][which] >= 0;
}

/* Why one that is not watched is not. */
static void monitor_say_why(const struct config *config, const struct transport *transport,
			    enum transport_address which, char *why, size_t why_size)
{
	const char *seen_as = transport_seen_as(transport, which),
		   *option = which == TRANSPORT_ADDRESS6 ? "public_address6" : "public_address";
	struct netaddr address;
	struct text text = text_over(why, why_size);
	if (interval_ms(config) <= 0)
		text_add(&text, "monitor.interval_minutes is 0");
	else if (!netaddr_parse(seen_as, &address))
		text_addf(&text, "no address, set %s", option);
	else
		text_addf(&text, "reserved address (%s), set %s", netaddr_reserved(&address), option);
}

/* Of a transport of the setup in force; NULL: not watched. */
static const struct monitor_watch *watch_at(const struct transport *transport, enum transport_address which)
{
	int place = monitor.setup->config->outgoing.of[transport->index][which];
	return place < 0 || place >= monitor.watch_count ? NULL : &monitor.watches[place];
}

/* Of two addresses the one that withholds more of the transport's share: its mail leaves by either. NULL is the better.
 */
static const struct monitor_watch *monitor_worse(const struct monitor_watch *a, const struct monitor_watch *b)
{
	if (a == NULL || b == NULL)
		return a == NULL ? b : a;
	if (a->standing.withheld != b->standing.withheld)
		return a->standing.withheld > b->standing.withheld ? a : b;
	return b->standing.weight > a->standing.weight ? b : a;
}

static const struct monitor_watch *watch_of(const struct transport *transport)
{
	return monitor_worse(watch_at(transport, TRANSPORT_ADDRESS), watch_at(transport, TRANSPORT_ADDRESS6));
}

/* Of the same clock as `then`, which is monotonic. */
static int64_t unix_of(int64_t then_ms)
{
	return then_ms == 0 ? 0 : clock_now_ms() + (then_ms - clock_monotonic_ms());
}

/* ---- pools */

static struct pool_note *monitor_note_of(struct pool_note *notes, int count, const char *pool)
{
	for (int i = 0; i < count; i++)
		if (strcmp(notes[i].pool, pool) == 0)
			return &notes[i];
	return NULL;
}

/* Who goes on is told again where it is another one. */
static void monitor_note_pool(struct pool_note *note, const struct pool *pool, const struct transport *kept)
{
	const char *name = kept == NULL ? "" : kept->name;
	if (strcmp(note->kept, name) == 0)
		return;
	struct monitor_event event = { .kind = MONITOR_NOT_ALL_LISTED, .pool = pool->name };
	if (kept != NULL) {
		event.kind = MONITOR_ALL_LISTED;
		event.transport = kept->name;
		event.standing = &watch_of(kept)->standing;
	}
	text_copy(note->kept, sizeof note->kept, name);
	monitor_tell(&event);
}

/* After any change of a standing: who serves, in each pool. */
static void monitor_settle(void)
{
	const struct config *config = monitor.setup->config;
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	const struct standing *standings[TRANSPORTS_ALL_MAX] = { NULL };
	for (int i = 0; i < config->pool_count; i++) {
		const struct pool *pool = &config->pools[i];
		for (int j = 0; j < pool->transport_count; j++) {
			const struct monitor_watch *watch = watch_of(&pool->transports[j]);
			standings[pool->transports[j].index] = watch == NULL ? NULL : &watch->standing;
		}
		const struct transport *kept = standing_withhold(pool, standings, states);
		bool all_listed = standing_all_listed(pool, standings);
		monitor_note_pool(monitor_note_of(monitor.notes, monitor.note_count, pool->name), pool,
				  all_listed ? kept : NULL);
	}
	monitor_publish(config, states);
}

/* ---- one check */

static bool monitor_same_lists(const struct standing *a, const struct standing *b)
{
	char before[2048], after[sizeof before];
	monitor_lists_text(a, false, before, sizeof before);
	monitor_lists_text(b, false, after, sizeof after);
	return strcmp(before, after) == 0;
}

/* MONITOR_EVENT_COUNT: nothing that is worth a line. */
static enum monitor_event_kind monitor_change_of(const struct standing *before, const struct standing *after)
{
	static const enum monitor_event_kind entered[STANDING_COUNT] = {
		[STANDING_UNKNOWN] = MONITOR_EVENT_COUNT, [STANDING_CLEAN] = MONITOR_BACK,
		[STANDING_LISTED] = MONITOR_LISTED,	  [STANDING_WAITING] = MONITOR_DELISTED,
		[STANDING_RETURNING] = MONITOR_RETURNS,
	};
	bool first = before->state == STANDING_UNKNOWN && after->state == STANDING_CLEAN;
	if (before->state != after->state && !first)
		return entered[after->state];
	return monitor_same_lists(before, after) ? MONITOR_EVENT_COUNT : MONITOR_LISTS;
}

static void monitor_tell_change(const struct monitor_watch *watch, enum monitor_event_kind kind)
{
	const struct config *config = monitor.setup->config;
	struct standing_settings settings = monitor_settings_of(config);
	char address[NETADDR_TEXT_MAX];
	netaddr_text(&watch->address, address);
	struct monitor_event event = {
		.kind = kind,
		.address = address,
		.standing = &watch->standing,
		.limit = settings.weight,
		.ends_ms = unix_of(standing_ends_ms(&watch->standing, &settings)),
	};
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			if (watch_at(transport, TRANSPORT_ADDRESS) != watch &&
			    watch_at(transport, TRANSPORT_ADDRESS6) != watch)
				continue;
			event.pool = config->pools[i].name;
			event.transport = transport->name;
			monitor_tell(&event);
		}
}

/* Give or take a fifth, by chance. */
static int64_t monitor_next_ms(int64_t now_ms, bool said)
{
	int64_t interval = interval_ms(monitor.setup->config);
	int64_t again = interval / 10 > AGAIN_LEAST_MS ? interval / 10 : AGAIN_LEAST_MS;
	int64_t from = said || again > interval ? interval : again;
	return now_ms + from * 4 / 5 + (int64_t)random() % (from * 2 / 5 + 1);
}

/* Not `whole`: lists are missing in it that nobody has heard. */
static void monitor_finish(struct monitor_watch *watch, bool whole)
{
	struct standing_settings settings = monitor_settings_of(monitor.setup->config);
	struct standing before = watch->standing;
	int64_t now_ms = clock_monotonic_ms();
	bool said = whole && standing_judge(&watch->standing, &settings, &watch->said, now_ms);
	watch->due_ms = monitor_next_ms(now_ms, said);
	check_end(&watch->check);
	monitor.under_way--;
	if (!said)
		return;
	enum monitor_event_kind kind = monitor_change_of(&before, &watch->standing);
	if (kind != MONITOR_EVENT_COUNT)
		monitor_tell_change(watch, kind);
	monitor_settle();
}

static void monitor_hear(struct monitor_watch *watch, const struct check_event *event)
{
	static const enum standing_said saids[] = {
		[CHECK_CLEAN] = STANDING_SAYS_NO,
		[CHECK_LISTED] = STANDING_SAYS_YES,
		[CHECK_UNKNOWN] = STANDING_NO_ANSWER,
	};
	for (int i = 0; event->answer != NULL && i < event->answer->reply.count; i++)
		watch->said.lies = watch->said.lies || listing_code_lies(event->answer->reply.codes[i]);
	/* a list that fails its test says nothing, and its word of before is worth nothing either */
	if (event->said != CHECK_SKIPPED)
		standing_hear(&watch->said, &watch->standing, event->list, saids[event->said], event->listed_as,
			      clock_monotonic_ms());
}

static void monitor_on_check(void *arg, const struct check_event *event)
{
	struct monitor_watch *watch = arg;
	if (event->kind == CHECK_EVENT_LIST)
		monitor_hear(watch, event);
	else if (event->kind == CHECK_EVENT_END)
		monitor_finish(watch, event->error == NULL);
}

static void monitor_begin(struct monitor_watch *watch, int64_t now_ms)
{
	struct check_settings settings = {
		.engine = monitor.setup->engine,
		.lists = monitor.setup->lists,
		.origin4 = "",
		.origin6 = "",
		.as_names = "",
		.ours = true,
	};
	struct check_target target = { .kind = CHECK_ADDRESS, .address = watch->address };
	memset(&watch->said, 0, sizeof watch->said);
	watch->check = check_start(monitor.loop, &settings, &target, monitor_on_check, watch);
	if (watch->check != NULL)
		monitor.under_way++;
	else
		watch->due_ms = now_ms + AGAIN_LEAST_MS;
}

static void monitor_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	int64_t now_ms = clock_monotonic_ms();
	for (int i = 0; i < monitor.watch_count && monitor.under_way < UNDER_WAY_MOST; i++)
		if (monitor.watches[i].check == NULL && monitor.watches[i].due_ms <= now_ms)
			monitor_begin(&monitor.watches[i], now_ms);
}

int monitor_check_now(void)
{
	int64_t now_ms = clock_monotonic_ms();
	for (int i = 0; i < monitor.watch_count; i++)
		monitor.watches[i].due_ms = now_ms;
	return monitor.watch_count;
}

/* ---- which addresses */

static const struct monitor_watch *monitor_find_watch(const struct netaddr *address)
{
	for (int i = 0; i < monitor.watch_count; i++)
		if (netaddr_same(&monitor.watches[i].address, address))
			return &monitor.watches[i];
	return NULL;
}

/* The lists that a check asks go with the setup: it begins anew. */
static void monitor_break_off(struct monitor_watch *watch)
{
	if (watch->check == NULL)
		return;
	monitor.under_way--;
	check_end(&watch->check);
	watch->due_ms = 0;
}

/* One that was watched before keeps its standing. */
static struct monitor_watch monitor_take_watch(const struct netaddr *address)
{
	const struct monitor_watch *was = monitor_find_watch(address);
	if (was != NULL)
		return *was;
	return (struct monitor_watch){ .address = *address,
				       .begun_ms = clock_monotonic_ms(),
				       .due_ms = -1 /* to be spread */ };
}

static bool monitor_was_watched_as_little(const struct config *before, const struct transport *transport,
					  enum transport_address which)
{
	for (int i = 0; before != NULL && interval_ms(before) > 0 && i < before->pool_count; i++)
		for (int j = 0; j < before->pools[i].transport_count; j++) {
			const struct transport *was = &before->pools[i].transports[j];
			if (strcmp(was->name, transport->name) == 0)
				return !is_watched(before, was, which) &&
				       (which == TRANSPORT_ADDRESS || *transport_seen_as(was, which) != '\0');
		}
	return false;
}

/* Once, not again at each reload. */
static void monitor_say_not_watched(const struct config *before, const struct config *config, const struct pool *pool,
				    const struct transport *transport, enum transport_address which)
{
	char why[100];
	struct monitor_event event = {
		.kind = MONITOR_NOT_WATCHED,
		.pool = pool->name,
		.transport = transport->name,
		.address = transport_seen_as(transport, which),
		.why = why,
	};
	bool has_none = which != TRANSPORT_ADDRESS && *event.address == '\0';
	if (interval_ms(config) <= 0 || has_none || is_watched(config, transport, which) ||
	    monitor_was_watched_as_little(before, transport, which))
		return;
	monitor_say_why(config, transport, which, why, sizeof why);
	monitor_tell(&event);
}

/* The new ones one after another, within the interval. */
static void monitor_spread(const struct config *config)
{
	int64_t now_ms = clock_monotonic_ms(), due_ms = now_ms;
	int fresh = 0;
	for (int i = 0; i < monitor.watch_count; i++)
		fresh += monitor.watches[i].due_ms < 0;
	int64_t step = fresh == 0 ? 0 : interval_ms(config) / fresh;
	for (int i = 0; i < monitor.watch_count; i++)
		if (monitor.watches[i].due_ms < 0) {
			monitor.watches[i].due_ms = due_ms;
			due_ms += step < SPREAD_MS ? step : SPREAD_MS;
		}
}

/* False: no memory. */
static bool monitor_gather_watches(const struct config *before, const struct config *config)
{
	const struct outgoing *outgoing = &config->outgoing;
	int count = interval_ms(config) > 0 ? outgoing->count : 0;
	struct monitor_watch *watches = calloc((size_t)count + 1, sizeof *watches);
	if (watches == NULL)
		return false;
	for (int i = 0; i < monitor.watch_count; i++)
		monitor_break_off(&monitor.watches[i]);
	for (int i = 0; i < count; i++)
		watches[i] = monitor_take_watch(&outgoing->addresses[i]);
	free(monitor.watches);
	monitor.watches = watches;
	monitor.watch_count = count;
	monitor_spread(config);
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			for (int k = 0; k < TRANSPORT_ADDRESSES; k++)
				monitor_say_not_watched(before, config, &config->pools[i],
							&config->pools[i].transports[j], (enum transport_address)k);
	return true;
}

static void monitor_gather_notes(const struct config *config)
{
	struct pool_note old[POOLS_MAX];
	int old_count = interval_ms(config) > 0 ? monitor.note_count : 0;
	memcpy(old, monitor.notes, sizeof old);
	for (int i = 0; i < config->pool_count; i++) {
		const char *name = config->pools[i].name;
		const struct pool_note *was = monitor_note_of(old, old_count, name);
		monitor.notes[i] = was != NULL ? *was : (struct pool_note){ .kept = "" };
		text_copy(monitor.notes[i].pool, sizeof monitor.notes[i].pool, name);
	}
	monitor.note_count = config->pool_count;
}

/* ---- the setup in force */

static bool monitor_follow(void)
{
	struct timeval every = { .tv_sec = TICK_S };
	struct setup *before = monitor.setup, *setup = setup_hold();
	if (!monitor_gather_watches(before == NULL ? NULL : before->config, setup->config)) {
		setup_drop(&setup);
		return false;
	}
	monitor.setup = setup;
	monitor_gather_notes(setup->config);
	monitor_settle();
	if (monitor.watch_count > 0)
		event_add(monitor.tick, &every);
	else
		event_del(monitor.tick);
	setup_drop(&before);
	return true;
}

static void follow_on_loop(struct loop_job *job)
{
	free(job);
	monitor_follow();
}

void monitor_reload(void)
{
	struct loop_job *job = calloc(1, sizeof *job);
	if (job == NULL) { /* the setup of before is watched on */
		stats_job_dropped();
		return;
	}
	job->run = follow_on_loop;
	loop_post(monitor.loop, job);
}

bool monitor_start(struct loop *loop)
{
	monitor.loop = loop;
	monitor.tick = event_new(loop_base(loop), -1, EV_PERSIST, monitor_on_tick, NULL);
	return monitor.tick != NULL && monitor_follow();
}

void monitor_stop(void)
{
	for (int i = 0; i < monitor.watch_count; i++)
		monitor_break_off(&monitor.watches[i]);
	free(monitor.watches);
	if (monitor.tick != NULL)
		event_free(monitor.tick);
	setup_drop(&monitor.setup);
	monitor = (struct monitor){ .loop = NULL };
	monitor_publish(NULL, NULL);
}

/* ---- for people */

void monitor_view(const struct config *config, const struct transport *transport, struct monitor_view *view_out)
{
	struct standing_settings settings = monitor_settings_of(config);
	struct transport_state states[TRANSPORTS_ALL_MAX] = { { 0 } };
	const short *places = config->outgoing.of[transport->index];
	const struct monitor_watch *watch = NULL;
	*view_out = (struct monitor_view){ .why = "" };
	if (!is_watched(config, transport, TRANSPORT_ADDRESS) && !is_watched(config, transport, TRANSPORT_ADDRESS6)) {
		monitor_say_why(config, transport, TRANSPORT_ADDRESS, view_out->why, sizeof view_out->why);
		return;
	}
	for (int i = 0; i < TRANSPORT_ADDRESSES; i++)
		if (places[i] >= 0)
			watch = monitor_worse(watch, monitor_find_watch(&config->outgoing.addresses[places[i]]));
	if (watch == NULL) { /* a reload is on its way */
		text_copy(view_out->why, sizeof view_out->why, "not yet");
		return;
	}
	monitor_states(config, states);
	netaddr_text(&watch->address, view_out->address);
	view_out->standing = &watch->standing;
	view_out->withheld = states[transport->index].withheld;
	view_out->silent_ms =
		clock_monotonic_ms() - (watch->standing.checked_ms != 0 ? watch->standing.checked_ms : watch->begun_ms);
	view_out->since_ms = unix_of(watch->standing.since_ms);
	view_out->checked_ms = unix_of(watch->standing.checked_ms);
	view_out->ends_ms = unix_of(standing_ends_ms(&watch->standing, &settings));
}

const char *monitor_all_listed(const struct pool *pool)
{
	const struct pool_note *note = monitor_note_of(monitor.notes, monitor.note_count, pool->name);
	return note == NULL || note->kept[0] == '\0' ? NULL : note->kept;
}

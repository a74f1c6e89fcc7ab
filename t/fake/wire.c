/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of redis-schema/wire/wire.c: a connection to the Redis of redis.c, and the ways in which one fails.
 */
#include "redis-schema/wire/wire.h"

#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "t/fake/fake.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum flight_kind { FLIGHT_FETCH, FLIGHT_CHARGE, FLIGHT_CAMPAIGN, FLIGHT_COMMAND };
enum { WORDS_MAX = 64, LAG_MS = 30 };

struct flight {
	struct flight *next;
	struct wire *wire;
	struct event *timer;
	enum flight_kind kind;
	enum fake_redis how; /* as Redis was when it was asked */
	bool executed, told; /* told: its end was LATE */
	bool doomed;	     /* the connection ends instead of an answer */
	union {
		wire_fetch_done *fetch;
		wire_charge_done *charge;
		wire_campaign_done *campaign;
		wire_command_done *command;
	} done;
	wire_charge_done *late;
	void *arg;
	struct charge charge; /* of a fetch its account alone */
	int64_t number;
	enum scope scope;
	char plan[PLAN_NAME_MAX + 1];
	struct wire_fingerprint fingerprint;
	struct campaign campaign;
	char *words[WORDS_MAX];
	int word_count;
	struct account_state state; /* the answers */
	struct wire_charged charged;
	struct fake_reply reply;
};

struct wire {
	struct event_base *base;
	struct store_settings settings;
	struct wire_events events;
	struct event *connected;
	bool connecting, up;
	bool deaf; /* Redis hears no more on this connection: it does things in their order or not at all */
	struct flight *first, **last; /* in the order of their asking */
};

static struct wire *the_wire; /* loop thread's */
static _Atomic enum fake_redis how_now;
static char error_now[120]; /* loop thread's */
static atomic_int plans_read, in_flight;

/* ---- flights */

static void flight_remove(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct flight **at = &wire->first;
	while (*at != flight)
		at = &(*at)->next;
	*at = flight->next;
	if (wire->last == &flight->next)
		wire->last = at;
	atomic_fetch_sub(&in_flight, 1);
}

static void flight_free(struct flight *flight)
{
	event_free(flight->timer);
	for (int i = 0; i < flight->word_count; i++)
		free(flight->words[i]);
	fake_reply_free(&flight->reply);
	free(flight);
}

static void execute(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct wire_charge charge = {
		.charge = &flight->charge, .number = flight->number, .scope = flight->scope, .plan = flight->plan
	};
	if (flight->executed)
		return;
	flight->executed = true;
	if (flight->kind == FLIGHT_FETCH)
		fake_redis_fetch(&wire->settings, flight->charge.account, wire->events.say, wire->events.arg,
				 &flight->state);
	else if (flight->kind == FLIGHT_CHARGE)
		fake_redis_charge(&wire->settings, &charge, &flight->charged);
	else if (flight->kind == FLIGHT_CAMPAIGN)
		fake_redis_campaign(&flight->fingerprint, &flight->campaign);
	else
		fake_redis_command(flight->word_count, (const char *const *)flight->words, &flight->reply);
}

static void tell_command(struct flight *flight, enum wire_end end)
{
	const char *error = end == WIRE_LATE ? "no answer in time" : "the connection to Redis ended";
	if (end == WIRE_OK && flight->reply.error[0] != '\0') {
		flight->done.command(flight->arg, WIRE_ERROR, flight->reply.error, 0, NULL);
	} else if (end == WIRE_OK) {
		if (strcmp(flight->words[0], "HGETALL") == 0)
			atomic_fetch_add(&plans_read, 1);
		flight->done.command(flight->arg, WIRE_OK, NULL, flight->reply.count,
				     (const char *const *)flight->reply.items);
	} else {
		flight->done.command(flight->arg, end, error, 0, NULL);
	}
}

static void tell(struct flight *flight, enum wire_end end)
{
	bool told = flight->told;
	flight->told = true;
	if (flight->kind == FLIGHT_FETCH && !told)
		flight->done.fetch(flight->arg, end, end == WIRE_OK ? &flight->state : NULL,
				   &(struct known){ NULL, 0 });
	else if (flight->kind == FLIGHT_CHARGE)
		(told ? flight->late : flight->done.charge)(flight->arg, end, end == WIRE_OK ? &flight->charged : NULL);
	else if (flight->kind == FLIGHT_CAMPAIGN && !told)
		flight->done.campaign(flight->arg, end, end == WIRE_OK ? &flight->campaign : NULL);
	else if (flight->kind == FLIGHT_COMMAND && !told)
		tell_command(flight, end);
}

static void end_flight(struct flight *flight, enum wire_end end)
{
	flight_remove(flight);
	tell(flight, end);
	flight_free(flight);
}

static bool is_charge_of(const struct flight *flight, enum fake_redis how)
{
	return flight->how == how && flight->kind == FLIGHT_CHARGE;
}

static bool is_stuck(const struct flight *flight)
{
	return flight->how == FAKE_REDIS_SILENT || flight->how == FAKE_REDIS_SLOW;
}

/* Redis answers in the order of its requests; timers of one moment run in any. */
static bool is_next(const struct flight *flight)
{
	const struct flight *next = flight->wire->first;
	while (is_stuck(next) && next != flight)
		next = next->next;
	return next == flight;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct flight *flight = arg;
	struct wire *wire = flight->wire;
	(void)fd;
	(void)what;
	if (is_stuck(flight)) {
		tell(flight, WIRE_LATE);
	} else if (!is_next(flight)) {
		evtimer_add(flight->timer, &(struct timeval){ .tv_usec = 1000 });
	} else if (flight->doomed) {
		wire_disconnect(wire, "the connection ended: closed");
	} else if (is_charge_of(flight, FAKE_REDIS_ERROR)) {
		char line[160];
		snprintf(line, sizeof line, "redis says \"%s\"", error_now);
		end_flight(flight, WIRE_REFUSED);
		wire_disconnect(wire, line);
	} else {
		end_flight(flight, WIRE_OK);
	}
}

static struct flight *flight_new(struct wire *wire, enum flight_kind kind, void *arg)
{
	struct flight *flight = wire->up ? calloc(1, sizeof *flight) : NULL;
	if (flight == NULL)
		return NULL;
	flight->wire = wire;
	flight->kind = kind;
	flight->arg = arg;
	flight->how = atomic_load(&how_now);
	flight->timer = evtimer_new(wire->base, on_timer, flight);
	return flight;
}

static bool launch(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct timeval wait = { 0 };
	if (is_stuck(flight)) {
		wait.tv_sec = wire->settings.timeout_ms / 1000;
		wait.tv_usec = wire->settings.timeout_ms % 1000 * 1000;
	} else if (flight->how == FAKE_REDIS_LAGS) {
		wait.tv_usec = LAG_MS * 1000;
	}
	bool loses = is_charge_of(flight, FAKE_REDIS_LOSES_DONE) || is_charge_of(flight, FAKE_REDIS_LOSES_UNDONE);
	if (loses)
		atomic_store(&how_now, FAKE_REDIS_FINE);
	wire->deaf |= is_charge_of(flight, FAKE_REDIS_LOSES_UNDONE);
	flight->doomed = loses || wire->deaf;
	if (flight->how != FAKE_REDIS_SILENT && !is_charge_of(flight, FAKE_REDIS_ERROR) && !wire->deaf)
		execute(flight);
	wire->deaf |= is_charge_of(flight, FAKE_REDIS_LOSES_DONE);
	*wire->last = flight;
	wire->last = &flight->next;
	atomic_fetch_add(&in_flight, 1);
	evtimer_add(flight->timer, &wait);
	return true;
}

bool wire_fetch(struct wire *wire, const char *account, wire_fetch_done *done, void *arg)
{
	struct flight *flight = flight_new(wire, FLIGHT_FETCH, arg);
	if (flight == NULL)
		return false;
	text_copy(flight->charge.account, sizeof flight->charge.account, account);
	flight->done.fetch = done;
	return launch(flight);
}

bool wire_charge(struct wire *wire, const struct wire_charge *charge, wire_charge_done *done, wire_charge_done *late,
		 void *arg)
{
	struct flight *flight = flight_new(wire, FLIGHT_CHARGE, arg);
	if (flight == NULL)
		return false;
	flight->charge = *charge->charge;
	flight->number = charge->number;
	flight->scope = charge->scope;
	if (charge->plan != NULL)
		text_copy(flight->plan, sizeof flight->plan, charge->plan);
	flight->done.charge = done;
	flight->late = late;
	return launch(flight);
}

bool wire_campaign(struct wire *wire, const struct wire_fingerprint *fingerprint, wire_campaign_done *done, void *arg)
{
	struct flight *flight = flight_new(wire, FLIGHT_CAMPAIGN, arg);
	if (flight == NULL)
		return false;
	flight->fingerprint = *fingerprint;
	flight->done.campaign = done;
	return launch(flight);
}

bool wire_command(struct wire *wire, int argc, const char *const *argv, wire_command_done *done, void *arg)
{
	struct flight *flight = argc <= WORDS_MAX ? flight_new(wire, FLIGHT_COMMAND, arg) : NULL;
	if (flight == NULL)
		return false;
	for (; flight->word_count < argc; flight->word_count++)
		flight->words[flight->word_count] = strdup(argv[flight->word_count]);
	flight->done.command = done;
	return launch(flight);
}

/* ---- the connection */

static void end_all(struct wire *wire)
{
	while (wire->first != NULL)
		end_flight(wire->first, WIRE_LOST);
}

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	char line[160];
	enum fake_redis how = atomic_load(&how_now);
	(void)fd;
	(void)what;
	wire->connecting = false;
	if (how == FAKE_REDIS_AWAY) {
		wire->events.down(wire->events.arg, "cannot connect: Connection refused");
	} else if (how == FAKE_REDIS_LOADING) {
		snprintf(line, sizeof line, "redis answered the greeting with \"%s\"", error_now);
		wire->events.down(wire->events.arg, line);
	} else if (how == FAKE_REDIS_SILENT || how == FAKE_REDIS_SLOW) {
		wire->events.down(wire->events.arg, "no answer to the greeting");
	} else {
		wire->up = true;
		wire->deaf = false;
		wire->events.up(wire->events.arg);
	}
}

void wire_connect(struct wire *wire)
{
	enum fake_redis how = atomic_load(&how_now);
	bool silent = how == FAKE_REDIS_SILENT || how == FAKE_REDIS_SLOW;
	int64_t wait_ms = silent ? wire->settings.timeout_ms : 0;
	struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
	MUST(!wire->up && !wire->connecting);
	wire->connecting = true;
	evtimer_add(wire->connected, &wait);
}

void wire_disconnect(struct wire *wire, const char *why)
{
	if (!wire->up)
		return;
	wire->up = false;
	end_all(wire);
	wire->events.down(wire->events.arg, why);
}

struct wire *wire_new(struct event_base *base, const struct store_settings *settings, const struct wire_events *events,
		      char *error, size_t error_size)
{
	struct wire *wire = calloc(1, sizeof *wire);
	if (wire == NULL) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	wire->base = base;
	wire->settings = *settings;
	wire->events = *events;
	wire->last = &wire->first;
	wire->connected = evtimer_new(base, on_connected, wire);
	the_wire = wire;
	return wire;
}

/* As the real one: who waits hears that the connection ended. */
void wire_free(struct wire **wire)
{
	struct wire *freed = *wire;
	*wire = NULL;
	if (freed == NULL)
		return;
	the_wire = NULL;
	freed->up = false;
	end_all(freed);
	event_free(freed->connected);
	free(freed);
}

/* ---- the scenario's side */

/* What was asked in silence is done now, and answered. */
static void wake(struct wire *wire)
{
	for (struct flight *flight = wire->first; flight != NULL; flight = flight->next)
		execute(flight);
	while (wire->first != NULL)
		end_flight(wire->first, WIRE_OK);
}

void fake_redis_is(enum fake_redis how, const char *error)
{
	enum fake_redis before = atomic_exchange(&how_now, how);
	text_copy(error_now, sizeof error_now, error);
	if (the_wire == NULL || !the_wire->up)
		return;
	if (how == FAKE_REDIS_AWAY || how == FAKE_REDIS_LOADING)
		wire_disconnect(the_wire, "the connection ended: closed");
	else if (how == FAKE_REDIS_FINE && (before == FAKE_REDIS_SILENT || before == FAKE_REDIS_SLOW))
		wake(the_wire);
}

int fake_redis_plans_read(void)
{
	return atomic_load(&plans_read);
}

int fake_redis_in_flight(void)
{
	return atomic_load(&in_flight);
}

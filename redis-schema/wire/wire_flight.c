/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/wire.h"

#include "policy/base/panic.h"
#include "redis-schema/wire/wire_inside.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* ---- deadlines */

void flight_wake_by(struct wire *wire, int64_t ms)
{
	if (ms >= wire->rings_ms)
		return;
	int64_t now = alarm_clock_ms();
	wire->rings_ms = ms;
	alarm_set(wire->alarm, ms > now ? ms - now : 0);
}

/* Most deadlines are later than all that are there. */
static void flight_wait(struct wire *wire, struct flight *flight)
{
	struct flight *older = wire->newest;
	while (older != NULL && older->deadline_ms > flight->deadline_ms)
		older = older->older;
	flight->older = older;
	flight->newer = older != NULL ? older->newer : wire->oldest;
	*(flight->older != NULL ? &flight->older->newer : &wire->oldest) = flight;
	*(flight->newer != NULL ? &flight->newer->older : &wire->newest) = flight;
	flight_wake_by(wire, flight->deadline_ms);
}

static void flight_unwait(struct wire *wire, struct flight *flight)
{
	*(flight->older != NULL ? &flight->older->newer : &wire->oldest) = flight->newer;
	*(flight->newer != NULL ? &flight->newer->older : &wire->newest) = flight->older;
	flight->newer = flight->older = NULL;
}

/* He is told LATE, and may give the connection up: that his answer is lost he is told when he has returned. */
static void flight_tell_one_late(struct wire *wire, struct flight *flight)
{
	wire_done *late = flight->late;
	void *arg = flight->arg;
	flight->told = true;
	wire->telling = flight;
	flight->done(arg, WIRE_LATE, 0, NULL);
	bool lost = wire->telling == NULL;
	wire->telling = NULL;
	if (lost && late != NULL)
		late(arg, WIRE_LOST, 0, NULL);
}

/* Who is told may ask again with a deadline that has passed: he waits for the next alarm. */
static void flight_tell_late(struct wire *wire, int64_t now)
{
	unsigned life = wire->life;
	for (int left = wire->flights; left > 0 && wire->life == life; left--) {
		struct flight *flight = wire->oldest;
		if (flight == NULL || flight->deadline_ms > now)
			return;
		flight_unwait(wire, flight);
		flight_tell_one_late(wire, flight);
	}
}

void flight_on_alarm(void *arg)
{
	struct wire *wire = arg;
	int64_t now = alarm_clock_ms();
	wire->rings_ms = INT64_MAX;
	if (wire->state == WIRE_CONNECTING && wire->connect_by_ms <= now) {
		wire_disconnect(wire, wire->failed[0] != '\0' ? wire->failed : "cannot connect: no answer in time");
		return;
	}
	flight_tell_late(wire, now);
	if (wire->state == WIRE_CONNECTING)
		flight_wake_by(wire, wire->connect_by_ms);
	if (wire->oldest != NULL)
		flight_wake_by(wire, wire->oldest->deadline_ms);
}

/* ---- the end of a flight */

struct flight *flight_take_first(struct wire *wire)
{
	struct flight *flight = wire->first;
	wire->first = flight->next;
	if (wire->first == NULL)
		wire->last = NULL;
	wire->flights--;
	if (!flight->told)
		flight_unwait(wire, flight);
	return flight;
}

/* No more of them can come: the connection is gone. */
void flight_end_all(struct wire *wire)
{
	while (wire->first != NULL) {
		struct flight *flight = flight_take_first(wire);
		wire_done *told = flight->told ? flight->late : flight->done;
		void *arg = flight->arg;
		if (flight == wire->telling) { /* he hears it later */
			wire->telling = NULL;
			told = NULL;
		}
		free(flight);
		if (told != NULL)
			told(arg, WIRE_LOST, 0, NULL);
	}
}

/* ---- requests */

enum { FRAME_MAX = 32 /* of a word, and of their number */, REQUEST_FIRST = 4096, REQUEST_IDLE = 1 << 20 };

static char *flight_write_count(char *at, char kind, size_t count)
{
	char digits[24];
	size_t length = 0;
	*at++ = kind;
	do
		digits[length++] = (char)('0' + count % 10);
	while ((count /= 10) > 0);
	while (length > 0)
		*at++ = digits[--length];
	*at++ = '\r';
	*at++ = '\n';
	return at;
}

/* Room for `more` bytes behind the `used` ones; NULL: no memory. */
static char *flight_room(struct wire *wire, size_t used, size_t more)
{
	size_t size = wire->request_size > 0 ? wire->request_size : REQUEST_FIRST;
	if (used + more <= wire->request_size)
		return wire->request + used;
	while (size < used + more)
		size *= 2;
	char *grown = realloc(wire->request, size);
	if (grown == NULL)
		return NULL;
	wire->request = grown;
	wire->request_size = size;
	return grown + used;
}

/* Writes RESP's array of words behind the `used` bytes. hiredis has a formatter of its own, which takes more than all
 * else of a request. Returns how many bytes are used then; 0: no memory. */
static size_t flight_write_command(struct wire *wire, const struct wire_command *command, size_t used)
{
	MUST(command->argc > 0 && command->argc <= WIRE_WORDS_MAX);
	char *at = flight_room(wire, used, FRAME_MAX);
	if (at == NULL)
		return 0;
	at = flight_write_count(at, '*', (size_t)command->argc);
	for (int i = 0; i < command->argc; i++) {
		size_t length = command->length != NULL ? command->length[i] : strlen(command->argv[i]);
		if (length > CHANNEL_KEPT_MAX)
			return 0;
		at = flight_room(wire, (size_t)(at - wire->request), FRAME_MAX + length);
		if (at == NULL)
			return 0;
		at = flight_write_count(at, '$', length);
		if (length > 0)
			memcpy(at, command->argv[i], length);
		at += length;
		*at++ = '\r';
		*at++ = '\n';
	}
	return (size_t)(at - wire->request);
}

/* In one piece: a part of a request would make nonsense of all that follow. */
static bool flight_write(struct wire *wire, const struct wire_command *commands, int count)
{
	size_t used = 0;
	for (int i = 0; i < count; i++) {
		used = flight_write_command(wire, &commands[i], used);
		if (used == 0)
			return false;
	}
	bool written = channel_write(wire->channel, wire->request, used);
	if (wire->request_size > REQUEST_IDLE) {
		free(wire->request);
		wire->request = NULL;
		wire->request_size = 0;
	}
	return written;
}

bool flight_send(struct wire *wire, int64_t deadline_ms, const struct wire_command *commands, int count,
		 wire_done *done, wire_done *late, void *arg)
{
	MUST(count > 0 && count <= WIRE_COMMANDS_MAX);
	struct flight *flight = malloc(sizeof *flight);
	if (flight == NULL)
		return false;
	*flight = (struct flight){ .deadline_ms = deadline_ms, .count = count, .done = done, .late = late, .arg = arg };
	if (!flight_write(wire, commands, count)) {
		free(flight);
		return false;
	}
	*(wire->last != NULL ? &wire->last->next : &wire->first) = flight;
	wire->last = flight;
	wire->flights++;
	flight_wait(wire, flight);
	return true;
}

bool wire_ask_until(struct wire *wire, int64_t deadline_ms, const struct wire_command *commands, int count,
		    wire_done *done, wire_done *late, void *arg)
{
	return wire->state == WIRE_UP && wire->flights < WIRE_FLIGHTS_MAX &&
	       flight_send(wire, deadline_ms, commands, count, done, late, arg);
}

bool wire_ask(struct wire *wire, const struct wire_command *commands, int count, wire_done *done, wire_done *late,
	      void *arg)
{
	return wire_ask_until(wire, alarm_clock_ms() + wire->settings.timeout_ms, commands, count, done, late, arg);
}

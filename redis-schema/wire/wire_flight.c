/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/wire.h"

#include "policy/base/text.h"
#include "redis-schema/wire/wire_inside.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

/* ---- flights */

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void add_timer(struct wire *wire, int64_t ms)
{
	struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	evtimer_add(wire->timer, &wait);
}

void flight_wait(struct flight *flight)
{
	struct wire *wire = flight->wire;
	flight->deadline_ms = now_ms() + wire->settings.timeout_ms;
	flight->waiting = true;
	flight->older = wire->newest;
	if (wire->newest != NULL)
		wire->newest->newer = flight;
	else
		wire->oldest = flight;
	wire->newest = flight;
	if (!evtimer_pending(wire->timer, NULL))
		add_timer(wire, wire->settings.timeout_ms);
}

void flight_unwait(struct flight *flight)
{
	struct wire *wire = flight->wire;
	if (!flight->waiting)
		return;
	flight->waiting = false;
	if (flight->older != NULL)
		flight->older->newer = flight->newer;
	else
		wire->oldest = flight->newer;
	if (flight->newer != NULL)
		flight->newer->older = flight->older;
	else
		wire->newest = flight->older;
	flight->newer = flight->older = NULL;
}

struct flight *flight_new(struct wire *wire, enum flight_kind kind, void *arg)
{
	if (wire->context == NULL || wire->flights >= FLIGHTS_MAX)
		return NULL;
	struct flight *flight = malloc(sizeof *flight);
	if (flight == NULL)
		return NULL;
	wire->flights++;
	*flight = (struct flight){ .wire = wire, .kind = kind, .arg = arg };
	return flight;
}

void flight_free(struct flight *flight)
{
	flight_unwait(flight);
	flight->wire->flights--;
	free(flight->new_known);
	free(flight);
}

void flight_tell(struct flight *flight, enum wire_end end, const char *error)
{
	bool first = flight->waiting;
	flight_unwait(flight);
	switch (flight->kind) {
	case FLIGHT_FETCH:
		if (first)
			flight->done.fetch(flight->arg, end, NULL, NULL);
		break;
	case FLIGHT_CHARGE:
		(first ? flight->done.charge : flight->late)(flight->arg, end, NULL);
		break;
	case FLIGHT_CAMPAIGN:
		if (first)
			flight->done.campaign(flight->arg, end, NULL);
		break;
	case FLIGHT_COMMAND:
		if (first)
			flight->done.command(flight->arg, end, error, 0, NULL);
		break;
	case FLIGHT_GREETING:
		break;
	}
}

void flight_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct wire *wire = arg;
	(void)fd;
	(void)what;
	int64_t now = now_ms();
	while (wire->oldest != NULL && wire->oldest->deadline_ms <= now) {
		if (wire->oldest->kind == FLIGHT_GREETING) {
			wire_disconnect(wire, "no answer to the greeting");
			return;
		}
		flight_tell(wire->oldest, WIRE_LATE, "no answer in time");
	}
	if (wire->oldest != NULL)
		add_timer(wire, wire->oldest->deadline_ms - now);
}

/* ---- requests */

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

/* RESP's array of words. hiredis has a formatter of its own, which takes more than all else of a request. */
static bool flight_send_words(struct flight *flight, int argc, const char *const *argv, const size_t *lengths)
{
	enum { FRAME_MAX = 32 }; /* of a word, and of their number */
	size_t size = FRAME_MAX;
	for (int i = 0; i < argc; i++)
		size += FRAME_MAX + lengths[i];
	char *text = malloc(size);
	if (text == NULL)
		return false;
	char *at = flight_write_count(text, '*', (size_t)argc);
	for (int i = 0; i < argc; i++) {
		at = flight_write_count(at, '$', lengths[i]);
		memcpy(at, argv[i], lengths[i]);
		at += lengths[i];
		*at++ = '\r';
		*at++ = '\n';
	}
	int sent = redisAsyncFormattedCommand(flight->wire->context, wire_answered, flight, text, (size_t)(at - text));
	free(text);
	return sent == REDIS_OK;
}

static enum script flight_arguments_of(const struct flight *flight, struct script_arguments *arguments)
{
	const struct store_settings *settings = &flight->wire->settings;
	struct wire_charge charge = { .charge = &flight->charge,
				      .number = flight->number,
				      .scope = flight->scope,
				      .plan = flight->plan,
				      .new_known = flight->new_known,
				      .new_known_count = flight->new_known_count };
	if (flight->kind == FLIGHT_FETCH) {
		script_fetch_arguments(arguments, settings->prefix, flight->charge.account);
		return SCRIPT_FETCH;
	}
	if (flight->kind == FLIGHT_CAMPAIGN) {
		script_campaign_arguments(arguments, settings->prefix, &flight->fingerprint);
		return SCRIPT_CAMPAIGN;
	}
	if (flight->scope != SCOPE_ACCOUNT) {
		script_group_arguments(arguments, settings, &charge);
		return SCRIPT_GROUP;
	}
	script_charge_arguments(arguments, settings, &charge);
	return SCRIPT_CHARGE;
}

static bool flight_try_send_script(struct flight *flight)
{
	struct wire *wire = flight->wire;
	struct script_arguments arguments;
	const char *argv[SCRIPT_ARGUMENTS_MAX + 2];
	size_t lengths[SCRIPT_ARGUMENTS_MAX + 2];
	enum script script = flight_arguments_of(flight, &arguments);
	if (wire->sha[script][0] == '\0')
		flight->by_text = true;
	argv[0] = flight->by_text ? "EVAL" : "EVALSHA";
	argv[1] = flight->by_text ? script_text[script] : wire->sha[script];
	for (int i = 0; i < 2; i++)
		lengths[i] = strlen(argv[i]);
	memcpy(argv + 2, arguments.word, (size_t)arguments.count * sizeof argv[0]);
	memcpy(lengths + 2, arguments.length, (size_t)arguments.count * sizeof lengths[0]);
	return flight_send_words(flight, arguments.count + 2, argv, lengths);
}

void flight_send_script(struct flight *flight)
{
	if (flight_try_send_script(flight))
		return;
	flight_tell(flight, WIRE_LOST, NULL);
	flight_free(flight);
}

static bool flight_launch(struct flight *flight, bool sent)
{
	if (!sent) {
		flight_free(flight);
		return false;
	}
	flight_wait(flight);
	return true;
}

bool wire_fetch(struct wire *wire, const char *account, wire_fetch_done *done, void *arg)
{
	struct flight *flight = wire->up ? flight_new(wire, FLIGHT_FETCH, arg) : NULL;
	if (flight == NULL)
		return false;
	text_copy(flight->charge.account, sizeof flight->charge.account, account);
	flight->done.fetch = done;
	return flight_launch(flight, flight_try_send_script(flight));
}

static bool flight_keep_known(struct flight *flight, const struct wire_charge *charge)
{
	flight->new_known = calloc((size_t)charge->new_known_count, sizeof flight->new_known[0]);
	if (flight->new_known == NULL)
		return false;
	memcpy(flight->new_known, charge->new_known, (size_t)charge->new_known_count * sizeof flight->new_known[0]);
	flight->new_known_count = charge->new_known_count;
	return true;
}

bool wire_charge(struct wire *wire, const struct wire_charge *charge, wire_charge_done *done, wire_charge_done *late,
		 void *arg)
{
	struct flight *flight = wire->up ? flight_new(wire, FLIGHT_CHARGE, arg) : NULL;
	if (flight == NULL)
		return false;
	flight->charge = *charge->charge;
	flight->number = charge->number;
	flight->scope = charge->scope;
	if (charge->plan != NULL)
		text_copy(flight->plan, sizeof flight->plan, charge->plan);
	if (charge->new_known_count > 0 && !flight_keep_known(flight, charge)) {
		flight_free(flight);
		return false;
	}
	flight->done.charge = done;
	flight->late = late;
	return flight_launch(flight, flight_try_send_script(flight));
}

bool wire_campaign(struct wire *wire, const struct wire_fingerprint *fingerprint, wire_campaign_done *done, void *arg)
{
	struct flight *flight = wire->up ? flight_new(wire, FLIGHT_CAMPAIGN, arg) : NULL;
	if (flight == NULL)
		return false;
	flight->fingerprint = *fingerprint;
	flight->done.campaign = done;
	return flight_launch(flight, flight_try_send_script(flight));
}

bool wire_command(struct wire *wire, int argc, const char *const *argv, wire_command_done *done, void *arg)
{
	enum { WORDS_MAX = 64 };
	size_t lengths[WORDS_MAX];
	struct flight *flight = wire->up && argc <= WORDS_MAX ? flight_new(wire, FLIGHT_COMMAND, arg) : NULL;
	if (flight == NULL)
		return false;
	for (int i = 0; i < argc; i++)
		lengths[i] = strlen(argv[i]);
	flight->done.command = done;
	return flight_launch(flight, flight_send_words(flight, argc, argv, lengths));
}

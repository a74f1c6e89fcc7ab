/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/wire.h"

#include "policy/base/text.h"
#include "redis-schema/reply.h"
#include "redis-schema/wire/wire_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ITEMS_MAX = 1 << 20 }; /* of an answer to a command: a day of shadow counts of fifty daemons */

/* The strings of an answer as one flat list. */
struct flat {
	int count, most; /* count -1: it is nested too deep */
	const char **text;
	size_t *length;
	char (*memory)[24]; /* of numbers */
};

enum { DEPTH_MAX = 4 };

static void wire_answer_flatten(const redisReply *reply, int depth, struct flat *flat)
{
	if (reply->type == REDIS_REPLY_ARRAY) {
		for (size_t i = 0; i < reply->elements && flat->count >= 0 && flat->count < flat->most; i++)
			if (depth == DEPTH_MAX)
				flat->count = -1;
			else
				wire_answer_flatten(reply->element[i], depth + 1, flat);
		return;
	}
	int at = flat->count++;
	flat->text[at] = reply->type == REDIS_REPLY_NIL ? NULL : reply->str;
	flat->length[at] = reply->type == REDIS_REPLY_NIL ? 0 : reply->len;
	if (reply->type == REDIS_REPLY_INTEGER) {
		snprintf(flat->memory[at], sizeof flat->memory[at], "%lld", reply->integer);
		flat->text[at] = flat->memory[at];
		flat->length[at] = strlen(flat->memory[at]);
	}
}

/* The room that flatten() needs for it. */
static int wire_answer_items_of(const redisReply *reply, int depth)
{
	if (reply->type != REDIS_REPLY_ARRAY || depth > DEPTH_MAX)
		return 1;
	int count = 1;
	for (size_t i = 0; i < reply->elements && count < ITEMS_MAX; i++)
		count += wire_answer_items_of(reply->element[i], depth + 1);
	return count < ITEMS_MAX ? count : ITEMS_MAX;
}

static void answer_fetch(struct flight *flight, const redisReply *reply)
{
	enum { MOST = 160 };
	const char *text[MOST];
	size_t length[MOST];
	char memory[MOST][24];
	struct account_state state;
	struct known known;
	struct wire *wire = flight->wire;
	struct flat flat = { 0, MOST, text, length, memory };
	wire_answer_flatten(reply, 0, &flat);
	struct reply_items items = { flat.count, text, length };
	if (!reply_read_fetch(flight->charge.account, &items, wire->events.say, wire->events.arg, &state, &known)) {
		flight_tell(flight, WIRE_ERROR, NULL);
		return;
	}
	if (!flight->waiting)
		return;
	flight_unwait(flight);
	flight->done.fetch(flight->arg, WIRE_OK, &state, &known);
}

static bool wire_answer_read_status(const char *word, enum wire_status *status_out)
{
	/* clang-format off */
	static const struct {
		const char *word;
		enum wire_status status;
	} statuses[] = { { "charged", WIRE_CHARGED }, { "over", WIRE_OVER },	 { "again", WIRE_AGAIN },
			 { "version", WIRE_VERSION }, { "wrong", WIRE_WRONG },
			 { "blocked", WIRE_BLOCKED }, { "plan", WIRE_PLAN } };
	/* clang-format on */
	for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++)
		if (strcmp(word, statuses[i].word) == 0) {
			*status_out = statuses[i].status;
			return true;
		}
	return false;
}

/* Places in the answers of charge.lua and group.lua. */
enum { AT_STATUS, AT_OVER, AT_M, AT_R, CHARGE_ITEMS, AT_LIMIT = CHARGE_ITEMS, AT_LIMIT_OVER, AT_PLAN, AT_OWN };

static void wire_answer_read_group(struct wire *wire, const char *group, const struct flat *flat,
				   struct wire_charged *charged)
{
	const char *expected;
	struct limits limits = limits_unset;
	text_to_int(flat->text[AT_LIMIT], 0, LIMIT_MAX, &charged->limit);
	if (limits_set(&limits, "over", flat->text[AT_LIMIT_OVER], &expected))
		charged->limit_over = limits.over;
	charged->useless = reply_read_limits(group, true, flat->count - AT_OWN, flat->text + AT_OWN, wire->events.say,
					     wire->events.arg, &charged->own);
	text_copy(charged->own.plan, sizeof charged->own.plan, flat->text[AT_PLAN]);
	if (charged->status == WIRE_BLOCKED)
		text_copy(charged->block, sizeof charged->block, flat->text[AT_LIMIT_OVER]);
}

static bool wire_answer_read_charged(const struct flight *flight, const redisReply *reply, struct wire_charged *charged)
{
	enum { MOST = AT_OWN + 2 * (REPLY_FIELDS_MAX + 1) };
	const char *text[MOST];
	size_t length[MOST];
	char memory[MOST][24];
	int64_t over;
	struct flat flat = { 0, MOST, text, length, memory };
	bool group = flight->scope != SCOPE_ACCOUNT;
	wire_answer_flatten(reply, 0, &flat);
	for (int i = 0; i < flat.count; i++)
		if (text[i] == NULL)
			return false;
	if (flat.count < (group ? (int)AT_OWN : (int)CHARGE_ITEMS) ||
	    !text_to_int(text[AT_OVER], 0, WINDOW_COUNT, &over) ||
	    !wire_answer_read_status(text[AT_STATUS], &charged->status))
		return false;
	charged->over = over == 0 ? WINDOW_COUNT : (enum window)(over - 1);
	if (group)
		wire_answer_read_group(flight->wire, flight->charge.account, &flat, charged);
	struct reply_field m = { text[AT_M], length[AT_M] }, r = { text[AT_R], length[AT_R] };
	return charged->status == WIRE_AGAIN ? text_to_int(m.bytes, 0, INT64_MAX, &charged->number)
					     : reply_read_sums(m, r, &charged->rates);
}

static void answer_charge(struct flight *flight, const redisReply *reply)
{
	struct wire_charged charged = { .over = WINDOW_COUNT, .own = limits_unset };
	if (!wire_answer_read_charged(flight, reply, &charged))
		charged.status = WIRE_WRONG; /* the script ran: sending it again would charge again */
	bool first = flight->waiting;
	flight_unwait(flight);
	(first ? flight->done.charge : flight->late)(flight->arg, WIRE_OK, &charged);
}

static void answer_campaign(struct flight *flight, const redisReply *reply)
{
	double numbers[4] = { 0 };
	bool fine = reply->type == REDIS_REPLY_ARRAY && reply->elements == 4;
	for (size_t i = 0; fine && i < 4; i++) {
		fine = reply->element[i]->type == REDIS_REPLY_STRING;
		numbers[i] = fine ? strtod(reply->element[i]->str, NULL) : 0;
	}
	struct campaign campaign = { .known = KNOWLEDGE_FULL };
	if (!fine) {
		flight_tell(flight, WIRE_ERROR, NULL);
		return;
	}
	campaign.messages = numbers[0];
	campaign.bad = numbers[1];
	campaign.accounts = numbers[2];
	campaign.bad_accounts = numbers[3];
	if (!flight->waiting)
		return;
	flight_unwait(flight);
	flight->done.campaign(flight->arg, WIRE_OK, &campaign);
}

static void answer_command(struct flight *flight, const redisReply *reply)
{
	int most = wire_answer_items_of(reply, 0);
	struct flat flat = { 0, most, malloc((size_t)most * sizeof(char *)), malloc((size_t)most * sizeof(size_t)),
			     malloc((size_t)most * sizeof(char[24])) };
	if (flat.text == NULL || flat.length == NULL || flat.memory == NULL)
		flat.count = -1;
	else
		wire_answer_flatten(reply, 0, &flat);
	if (flat.count < 0) {
		flight_tell(flight, WIRE_ERROR, "the answer is nested too deep");
	} else if (flight->waiting) {
		flight_unwait(flight);
		flight->done.command(flight->arg, WIRE_OK, NULL, flat.count, flat.text);
	}
	free(flat.memory);
	free(flat.length);
	free(flat.text);
}

/* Errors that say something of the server, not of the request. */
static bool wire_answer_is_of_server(const char *error)
{
	static const char *const words[] = { "READONLY",   "LOADING", "OOM",	 "MASTERDOWN", "NOAUTH",     "NOPERM",
					     "NOREPLICAS", "BUSY ",   "MISCONF", "TRYAGAIN",   "CLUSTERDOWN" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strncmp(error, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

static void answer_error(struct flight *flight, const char *error)
{
	struct wire *wire = flight->wire;
	bool script = flight->kind == FLIGHT_FETCH || flight->kind == FLIGHT_CHARGE || flight->kind == FLIGHT_CAMPAIGN;
	if (script && !flight->by_text && strncmp(error, "NOSCRIPT", 8) == 0) {
		flight->by_text = true;
		flight_send_script(flight);
		return;
	}
	char line[300], shown[160];
	text_copy(shown, sizeof shown, error);
	struct text text = text_over(line, sizeof line);
	text_addf(&text, "redis says \"%s\"", shown);
	bool server = wire_answer_is_of_server(error);
	if (script && !server) {
		if (flight->kind != FLIGHT_CAMPAIGN) {
			text_add(&text, " about account ");
			text_add_word(&text, flight->charge.account);
		}
		wire->events.say(wire->events.arg, line);
	}
	flight_tell(flight, server ? WIRE_REFUSED : WIRE_ERROR, shown);
	flight_free(flight);
	if (server)
		wire_disconnect(wire, line);
}

void wire_answered(redisAsyncContext *context, void *answer, void *arg)
{
	struct flight *flight = arg;
	const redisReply *reply = answer;
	(void)context;
	if (reply == NULL) {
		flight_tell(flight, WIRE_LOST, "the connection to Redis ended");
	} else if (reply->type == REDIS_REPLY_ERROR) {
		answer_error(flight, reply->str);
		return;
	} else if (flight->kind == FLIGHT_FETCH) {
		answer_fetch(flight, reply);
	} else if (flight->kind == FLIGHT_CHARGE) {
		answer_charge(flight, reply);
	} else if (flight->kind == FLIGHT_CAMPAIGN) {
		answer_campaign(flight, reply);
	} else {
		answer_command(flight, reply);
	}
	flight_free(flight);
}

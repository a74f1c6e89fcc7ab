/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/receivers.h"

#include "milter/base/json.h"
#include "milter/config/config.h"
#include "milter/follow/receivers_inside.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { TELLS_MOST_BYTES = FOLLOW_VALUE_MAX - FOLLOW_HEAD_MAX };

#define BACK_MOST_MS (RECEIVER_BACK_MOST_S * INT64_C(1000))
#define DOMAIN_OF_SEVERAL_MS (30 * INT64_C(86400000)) /* so much younger is one that several write to */

/* ---- the table */

/* What is remembered of one that rests is worth more than any count; and whatever a single sender hears, who may have
 * as many receivers as he likes, is worth less than one answer to two. */
static double receivers_row_worth(const void *arg, int place)
{
	const struct receivers *receivers = arg;
	const struct receiver_row *row = &receivers->rows[place];
	double counts[RECEIVER_COUNTS];
	double volume = receiver_volume(row, receivers->now_ms, counts);
	bool alone = receiver_senders(row, receivers->now_ms) == 1;
	return alone ? volume / (1 + volume) : volume + (row->state == RECEIVER_FREE ? 1 : 1e9);
}

static double receivers_domain_worth(const void *arg, int place)
{
	const struct receivers *receivers = arg;
	const struct receivers_domain *row = &receivers->domains[place];
	return (double)(row->time_ms + (row->sender == 0 ? DOMAIN_OF_SEVERAL_MS : 0));
}

struct receiver_row *receivers_put_row(struct receivers *receivers, const char *transport, const char *receiver)
{
	char name[SHELF_NAME_MAX + 1];
	bool new;
	struct text text = text_over(name, sizeof name);
	text_addf(&text, "%s" RECEIVERS_BETWEEN "%s", transport, receiver);
	int place = text.cut ? -1 : shelf_put(receivers->row_names, name, receivers_row_worth, receivers, &new);
	if (place < 0)
		return NULL;
	if (new)
		receivers->rows[place] = (struct receiver_row){ .at_ms = 0 };
	return &receivers->rows[place];
}

void receivers_put_domain(struct receivers *receivers, const char *domain, const char *receiver, uint64_t sender,
			  int64_t time_ms)
{
	char name[RECEIVERS_DOMAIN_MAX + 1];
	bool new;
	size_t length = strlen(domain);
	if (length == 0 || length > RECEIVERS_DOMAIN_MAX || !receivers_is_name(domain))
		return;
	for (size_t i = 0; i <= length; i++)
		name[i] = text_lower(domain[i]);
	int place = shelf_put(receivers->domain_names, name, receivers_domain_worth, receivers, &new);
	struct receivers_domain *row = &receivers->domains[place];
	text_copy(row->receiver, sizeof row->receiver, receiver);
	row->time_ms = time_ms;
	if (new)
		row->sender = sender;
	else if (sender != 0 && sender != row->sender)
		row->sender = 0;
}

/* Of hosts, domains and transports, as they may stand in a log line, a key of JSON and a label. */
bool receivers_is_name(const char *name)
{
	const char *at = name;
	while (*at > ' ' && *at <= '~' && *at != '"' && *at != '\\')
		at++;
	return *name != '\0' && *at == '\0';
}

bool receivers_follows(const struct receivers *receivers, const char *transport)
{
	for (int i = 0; i < receivers->transport_count; i++)
		if (strcmp(receivers->transports[i], transport) == 0)
			return true;
	return false;
}

/* 0: nobody's. The same in each process: what is read again from a checkpoint ends alike. */
static uint64_t receivers_sender(const char *name)
{
	return name == NULL || *name == '\0' ? 0 : hash_string(name, 0) | 1;
}

/* A line that is a little late changes nothing; days back, it was the clock before it that was wrong. */
static void receivers_take_time(struct receivers *receivers, int64_t time_ms)
{
	if (time_ms <= 0)
		return; /* no line yet */
	if (time_ms > receivers->now_ms || receivers->now_ms - time_ms > BACK_MOST_MS)
		receivers->now_ms = time_ms;
}

bool receivers_hear(struct receivers *receivers, const struct receivers_answer *answer)
{
	uint64_t sender = receivers_sender(answer->sender);
	receivers_take_time(receivers, answer->time_ms);
	if (!receivers_is_name(answer->receiver) || strlen(answer->receiver) > RECEIVER_NAME_MAX)
		return false;
	if (answer->domain != NULL)
		receivers_put_domain(receivers, answer->domain, answer->receiver, sender, receivers->now_ms);
	if (!receivers_follows(receivers, answer->transport) || answer->count >= RECEIVER_COUNTS)
		return false;
	struct receiver_row *row = receivers_put_row(receivers, answer->transport, answer->receiver);
	const struct receiver_answer heard = {
		.count = answer->count,
		.final = answer->final,
		.sender = sender,
		.wording = answer->wording,
		.wording_length = answer->wording_length,
	};
	return row != NULL && receiver_hear(row, &heard, receivers->now_ms);
}

bool receivers_pass(struct receivers *receivers, int64_t now_ms)
{
	bool changed = false;
	receivers_take_time(receivers, now_ms);
	for (int i = 0; i < shelf_count(receivers->row_names); i++)
		changed |= receiver_pass(&receivers->rows[i], receivers->now_ms);
	return changed;
}

/* ---- its life */

static int receivers_count_transports(const struct config *config)
{
	int count = 0;
	for (int i = 0; i < config->pool_count; i++)
		count += config->pools[i].transport_count;
	return count;
}

struct receivers *receivers_new(const struct config *config)
{
	int count = receivers_count_transports(config);
	struct receivers *receivers = calloc(1, sizeof *receivers);
	if (receivers == NULL)
		return NULL;
	receivers->rows = calloc(RECEIVERS_ROWS_MAX, sizeof *receivers->rows);
	receivers->domains = calloc(RECEIVERS_DOMAINS_MAX, sizeof *receivers->domains);
	receivers->row_names = shelf_new(RECEIVERS_ROWS_MAX);
	receivers->domain_names = shelf_new(RECEIVERS_DOMAINS_MAX);
	receivers->transports = calloc((size_t)count + 1, sizeof *receivers->transports);
	if (receivers->rows == NULL || receivers->domains == NULL || receivers->row_names == NULL ||
	    receivers->domain_names == NULL || receivers->transports == NULL)
		receivers_free(&receivers);
	for (int i = 0; receivers != NULL && i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			text_copy(receivers->transports[receivers->transport_count++], TRANSPORT_NAME_MAX + 1,
				  config->pools[i].transports[j].name);
	return receivers;
}

void receivers_free(struct receivers **receivers)
{
	if (*receivers == NULL)
		return;
	shelf_free(&(*receivers)->row_names);
	shelf_free(&(*receivers)->domain_names);
	free((*receivers)->rows);
	free((*receivers)->domains);
	free((*receivers)->transports);
	free(*receivers);
	*receivers = NULL;
}

/* ---- what the daemons are told */

struct receivers_rank {
	int place;
	double worth;
};

/* The most first; of two that are alike the one that came first. */
static int receivers_compare(const void *a, const void *b)
{
	const struct receivers_rank *one = a, *other = b;
	if (one->worth > other->worth || one->worth < other->worth)
		return one->worth > other->worth ? -1 : 1;
	return one->place - other->place;
}

/* The places of a shelf, the worthiest first. The caller frees them; NULL: no memory. */
static struct receivers_rank *receivers_ranked(const struct receivers *receivers, const struct shelf *shelf,
					       shelf_worth *worth)
{
	int count = shelf_count(shelf);
	struct receivers_rank *ranks = calloc((size_t)count + 1, sizeof *ranks);
	for (int i = 0; ranks != NULL && i < count; i++)
		ranks[i] = (struct receivers_rank){ i, worth(receivers, i) };
	if (ranks != NULL)
		qsort(ranks, (size_t)count, sizeof *ranks, receivers_compare);
	return ranks;
}

static double receivers_round(double value)
{
	return round(value * 1000) / 1000;
}

static json_t *receivers_row_json(const char *name, const struct receiver_row *row, int64_t now_ms)
{
	double values[RECEIVER_COUNTS];
	const char *between = strstr(name, RECEIVERS_BETWEEN);
	json_t *counts = json_object(), *json = json_object();
	receiver_volume(row, now_ms, values);
	for (int i = 0; i < RECEIVER_COUNTS; i++)
		if (values[i] >= 0.001)
			json_set_real(counts, receiver_count_word((enum receiver_count)i), receivers_round(values[i]));
	json_object_set_new(json, "transport", json_stringn(name, (size_t)(between - name)));
	json_set_text(json, "receiver", between + strlen(RECEIVERS_BETWEEN));
	json_object_set_new(json, "counts", counts);
	json_set_text(json, "state", receiver_state_word(row->state));
	json_set_int(json, "senders", receiver_senders(row, now_ms));
	json_set_real(json, "refused", receivers_round(receiver_refused_share(row)));
	json_set_int(json, "since_ms", row->since_ms);
	json_set_int(json, "until_ms", row->until_ms);
	json_set_int(json, "worded_ms", row->worded_ms);
	json_set_text(json, "wording", row->wording);
	return json;
}

static json_t *receivers_rows_json(const struct receivers *receivers, int64_t now_ms, json_t *resting)
{
	json_t *rows = json_array();
	struct receivers_rank *ranks = receivers_ranked(receivers, receivers->row_names, receivers_row_worth);
	for (int i = 0; ranks != NULL && i < shelf_count(receivers->row_names) && i < RECEIVERS_SHOWN_MAX; i++) {
		const struct receiver_row *row = &receivers->rows[ranks[i].place];
		const char *name = shelf_name(receivers->row_names, ranks[i].place);
		json_array_append_new(rows, receivers_row_json(name, row, now_ms));
		if (row->state != RECEIVER_FREE)
			json_object_set_new(resting, strstr(name, RECEIVERS_BETWEEN) + strlen(RECEIVERS_BETWEEN),
					    json_array());
	}
	free(ranks);
	return rows;
}

/* Only of receivers for whom something rests: nobody asks about others. */
static void receivers_add_domains(const struct receivers *receivers, json_t *resting)
{
	struct receivers_rank *ranks = receivers_ranked(receivers, receivers->domain_names, receivers_domain_worth);
	int told = 0;
	for (int i = 0; ranks != NULL && i < shelf_count(receivers->domain_names) && told < RECEIVERS_TOLD_DOMAINS;
	     i++) {
		json_t *list = json_object_get(resting, receivers->domains[ranks[i].place].receiver);
		if (list == NULL)
			continue;
		json_array_append_new(list, json_string(shelf_name(receivers->domain_names, ranks[i].place)));
		told++;
	}
	free(ranks);
}

char *receivers_value(const struct receivers *receivers, const struct follow_head *head, const char *const *troubles,
		      bool quits, int64_t now_ms)
{
	char line[FOLLOW_HEAD_MAX];
	size_t length = follow_head_write(head, line, sizeof line);
	json_t *resting = json_object(), *rows = receivers_rows_json(receivers, now_ms, resting);
	receivers_add_domains(receivers, resting);
	json_t *json = json_pack("{s:o, s:o}", "rows", rows, "domains", resting), *told = json_array();
	for (; troubles != NULL && *troubles != NULL; troubles++)
		json_array_append_new(told, json_text(*troubles));
	json_object_set_new(json, "troubles", told);
	json_object_set_new(json, "quits", json_boolean(quits));
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(6)), *value = NULL;
	json_decref(json);
	if (text != NULL && strlen(text) <= TELLS_MOST_BYTES)
		value = malloc(length + strlen(text) + 1);
	if (value != NULL) {
		memcpy(value, line, length);
		memcpy(value + length, text, strlen(text) + 1);
	}
	free(text);
	return value;
}

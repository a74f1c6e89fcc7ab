/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/control/control_logins.h"

#include "milter/base/json.h"
#include "milter/clients/clients.h"
#include "milter/clients/guesses.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

enum { ROWS_DEFAULT = 20, ROWS_MOST = 1000, NUMBER_BYTES = 64 };

/* ---- logins.report */

static json_t *control_logins_services(unsigned services)
{
	json_t *words = json_array();
	for (int i = 0; i < CLIENT_SERVICE_COUNT; i++)
		if ((services & 1u << i) != 0)
			json_array_append_new(words, json_string(client_service_word((enum client_service)i)));
	return words;
}

static json_t *control_logins_row(enum guess_side side, const struct guess_row *row)
{
	char address[NETADDR_TEXT_MAX];
	json_t *json = json_object();
	netaddr_text(&row->client, address);
	if (side == GUESS_CLIENTS) {
		json_set_text(json, "client", address);
		json_set_text(json, "got_in", row->name[0] != '\0' ? row->name : NULL);
		json_object_set_new(json, "ours", json_boolean(row->ours));
	} else {
		json_set_text(json, "name", row->name);
	}
	json_set_int(json, side == GUESS_CLIENTS ? "names" : "clients", (int64_t)row->others);
	json_set_int(json, "failures", (int64_t)row->failures);
	json_set_int(json, "first_s", row->first_s);
	json_set_int(json, "last_s", row->last_s);
	json_object_set_new(json, "services", control_logins_services(row->services));
	json_object_set_new(json, side == GUESS_CLIENTS ? "guesses" : "attacked", json_boolean(row->told));
	return json;
}

static json_t *control_logins_rows(enum guess_side side, size_t most)
{
	struct guess_row *rows = calloc(most, sizeof *rows);
	json_t *list = json_array();
	size_t count = rows == NULL ? 0 : guesses_worst(side, rows, most);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, control_logins_row(side, &rows[i]));
	free(rows);
	return list;
}

static json_t *control_logins_totals(void)
{
	struct guess_stats stats = guesses_stats();
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{ "failures", stats.failures },
		{ "unnamed", stats.unnamed },
		{ "unproven", stats.unproven },
		{ "logins", stats.logins },
		{ "got_in", stats.got_in },
		{ "clients", stats.rows[GUESS_CLIENTS] },
		{ "names", stats.rows[GUESS_NAMES] },
		{ "clients_forgotten", stats.forgotten[GUESS_CLIENTS] },
		{ "names_forgotten", stats.forgotten[GUESS_NAMES] },
		{ "events", stats.told[GUESS_CLIENTS] + stats.told[GUESS_NAMES] },
		{ "events_kept_back", stats.untold },
	};
	json_t *json = json_object();
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
		json_set_int(json, counts[i].name, (int64_t)counts[i].count);
	return json;
}

bool control_logins_report(struct control_request *request, char *error, size_t error_size)
{
	const json_t *count = json_object_get(request->json, "count");
	json_int_t rows = count == NULL ? ROWS_DEFAULT : json_integer_value(count);
	if (rows < 1 || rows > ROWS_MOST)
		return control_fail_value(request, "count", "a whole number from 1 to 1000", error, error_size);
	json_t *json = json_object();
	json_object_set_new(json, "totals", control_logins_totals());
	json_object_set_new(json, "clients", control_logins_rows(GUESS_CLIENTS, (size_t)rows));
	json_object_set_new(json, "names", control_logins_rows(GUESS_NAMES, (size_t)rows));
	control_ok(request, json);
	return true;
}

/* ---- client.report */

struct logins_told {
	struct control_request *request;
	int count;
	char number[NUMBER_BYTES], most[24];
	char rows[CLIENT_NOTE_BATCH_MAX * CLIENT_NOTE_ROW_MAX];
	struct client_note notes[CLIENT_NOTE_BATCH_MAX];
};

static void control_logins_counted(struct logins_told *told, bool shared)
{
	control_ok(told->request, json_pack("{s:i, s:b}", "counted", told->count, "shared", shared));
	free(told);
}

/* In the stream they are read by each daemon, us too: then they are not counted here. */
static void control_logins_on_added(void *arg, const char *error, int count, const char *const *items)
{
	struct logins_told *told = arg;
	(void)count;
	(void)items;
	for (int i = 0; error != NULL && i < told->count; i++)
		clients_note(&told->notes[i]);
	control_logins_counted(told, error == NULL);
}

/* Each life of the daemon is a writer of its own: whatever an earlier one gave, by whatever clock, is not higher. */
static void control_logins_number(char number[NUMBER_BYTES])
{
	static uint64_t writer;
	static int64_t last;
	if (writer == 0)
		MUST(getrandom(&writer, sizeof writer, 0) == (ssize_t)sizeof writer);
	snprintf(number, NUMBER_BYTES, "%s:told-%016" PRIx64 ":%" PRId64, the_daemon.node, writer, ++last);
}

static bool control_logins_read(struct logins_told *told, const json_t *rows, char *error, size_t error_size)
{
	char why[300];
	size_t length = 0;
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		const char *text = json_string_value(row);
		if (text == NULL || !client_note_read(text, json_string_length(row), &told->notes[i], why, sizeof why))
			return control_fail(error, error_size, "client.report: row %zu: %s", i + 1,
					    text == NULL ? "It is no text." : why);
		length += client_note_write(&told->notes[i], told->rows + length);
	}
	told->count = (int)json_array_size(rows);
	return true;
}

bool control_client_report(struct control_request *request, char *error, size_t error_size)
{
	const json_t *rows = json_object_get(request->json, "rows");
	if (json_array_size(rows) == 0 || json_array_size(rows) > CLIENT_NOTE_BATCH_MAX)
		return control_fail_value(request, "rows", "a list of 1 to 100 rows", error, error_size);
	struct logins_told *told = calloc(1, sizeof *told);
	if (told == NULL)
		return control_fail(error, error_size, "client.report: there is no memory.");
	if (!control_logins_read(told, rows, error, error_size)) {
		free(told);
		return false;
	}
	told->request = request;
	control_logins_number(told->number);
	snprintf(told->most, sizeof told->most, "%d", CLIENT_NOTE_STREAM_MOST);
	const char *argv[] = { "XADD", KEY_PART_CLIENTS, "MAXLEN", "~",	      told->most, "*",
			       "n",    told->number,	 "r",	   told->rows };
	store_key_command(the_daemon.store, (int)(sizeof argv / sizeof argv[0]), argv, control_logins_on_added, told);
	return true;
}

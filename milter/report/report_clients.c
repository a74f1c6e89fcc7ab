/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is known of the hosts that connect, for people and programs: one of them, and sessions without QUIT over time.
 */
#include "milter/base/clock.h"
#include "milter/base/json.h"
#include "milter/clients/clients.h"
#include "milter/clients/clients_report.h"
#include "milter/clients/zone.h"
#include "milter/daemon/daemon.h"
#include "milter/report/report_inside.h"
#include "policy/judge.h"

#include <stdio.h>

#include "policy/base/banned.h"

enum { LIST_ROWS = 10, HOUR_S = 3600, DAY_HOURS = 24 };

static const char *const kind_words[] = {
	[CLIENTS_CLIENT] = "client", [CLIENTS_NETWORK] = "network", [CLIENTS_AS] = "as"
};

/* An address alone, as people write it; else with its prefix. */
static void report_clients_block_text(const struct netblock *block, char text[NETADDR_TEXT_MAX + 4])
{
	char address[NETADDR_TEXT_MAX];
	netaddr_text(&block->address, address);
	if (block->address.family == NETADDR_V4 && block->bits == 32)
		snprintf(text, NETADDR_TEXT_MAX + 4, "%s", address);
	else
		snprintf(text, NETADDR_TEXT_MAX + 4, "%s/%d", address, block->bits);
}

static void report_clients_set_block(json_t *json, const char *name, const struct netblock *block)
{
	char text[NETADDR_TEXT_MAX + 4];
	report_clients_block_text(block, text);
	json_set_text(json, name, block->address.family == NETADDR_UNKNOWN ? NULL : text);
}

static void report_clients_set_as(json_t *json, uint32_t number)
{
	json_object_set_new(json, "as", number == 0 ? json_null() : json_integer((json_int_t)number));
}

static void report_clients_set_time(json_t *json, const char *name, int64_t unix_s)
{
	json_object_set_new(json, name, unix_s == 0 ? json_null() : json_integer((json_int_t)unix_s));
}

/* -- client show -- */

/* Of what counts of its own a term is made, see policy/client.c. */
#define OF(id) (1U << CLIENT_EVENT_##id)
static const unsigned term_counts[CLIENT_TERM_COUNT] = {
	[CLIENT_TERM_HANGUPS] = OF(NO_QUIT) | OF(QUIT) | OF(GAVE_UP) | OF(MAIL),
	[CLIENT_TERM_GAVE_UP] = OF(GAVE_UP) | OF(SLOWED),
	[CLIENT_TERM_LISTED] = OF(LISTED) | OF(MAIL),
	[CLIENT_TERM_REFUSED] = OF(REFUSED) | OF(MAIL) | OF(QUIT),
	[CLIENT_TERM_PROTOCOL] = OF(PROTOCOL) | OF(QUIT) | OF(MAIL),
	[CLIENT_TERM_LOGINS] = OF(AUTH_FAILURE) | OF(UNPROVEN),
	[CLIENT_TERM_SPAM] = OF(SPAM) | OF(MAIL),
	[CLIENT_TERM_MAIL] = OF(MAIL) | OF(SPAM) | OF(LOGIN),
	[CLIENT_TERM_NETWORK] = OF(QUIT) | OF(LOGIN), /* what is known of itself makes its neighbours' less */
	[CLIENT_TERM_AS] = OF(QUIT) | OF(LOGIN),
};

static json_t *report_clients_counts(const struct client_counts *counts, unsigned which)
{
	json_t *json = json_object();
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		if ((which >> i & 1) != 0)
			json_set_real(json, client_event_word((enum client_event)i), (double)counts->value[i]);
	return json;
}

static json_t *report_clients_terms(const struct clients_row *row)
{
	json_t *terms = json_array();
	for (int i = 0; i < CLIENT_TERM_COUNT; i++) {
		json_t *term = json_object();
		json_set_text(term, "name", client_term_word((enum client_term)i));
		json_set_real(term, "value", row->verdict.term[i]);
		json_object_set_new(term, "of", report_clients_counts(&row->facts.own, term_counts[i]));
		if (i == CLIENT_TERM_LOGINS)
			json_set_real(term, "names", row->facts.logins);
		if (i == CLIENT_TERM_MAIL)
			json_set_real(term, "days", (double)row->facts.own.mail_days);
		json_array_append_new(terms, term);
	}
	return terms;
}

/* What its standing does to it, where the MTA asks. In shadow mode it is put on the block list and no more. */
static json_t *report_clients_does(const struct clients_row *row)
{
	static const enum client_standing from[] = {
		[HIDE_FROM_UNKNOWN] = CLIENT_UNKNOWN,
		[HIDE_FROM_NEUTRAL] = CLIENT_NEUTRAL,
		[HIDE_FROM_POOR] = CLIENT_POOR,
		[HIDE_FROM_BAD] = CLIENT_BAD,
	};
	enum client_standing standing = row->verdict.standing;
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	unsigned all = rules_find("all");
	bool stranger = !row->facts.ours, shadow = (setup->config->policy.shadow & all) == all;
	bool acts = stranger && !shadow;
	json_t *does = json_pack("{s:b, s:b, s:b, s:b, s:b}", "slowed",
				 acts && set->socketmap_throttle_s > 0 && client_slows(standing), "starttls_hidden",
				 acts && client_hides_starttls(standing, from[set->clients_hide_starttls]),
				 "waits_for_quit", acts && set->clients_require_quit && client_waits_for_quit(standing),
				 "listed", stranger && client_is_listed(standing), "shadow", shadow);
	setup_drop(&setup);
	return does;
}

/* The network of a client, as the table counts it. */
static struct netblock report_clients_network(const struct netblock *client)
{
	int bits = client->address.family == NETADDR_V4 ? 24 : 48;
	return (struct netblock){ .address = netaddr_network(&client->address, bits), .bits = bits };
}

/* The row of client.list; null: it is not on the list now. */
static json_t *report_clients_listed(const struct netaddr *client)
{
	struct zone_entry entry;
	char reference[ZONE_REFERENCE_MAX + 1];
	int64_t until_s;
	if (!zone_find(client, &entry, &until_s))
		return json_null();
	json_t *json = json_object();
	zone_reference(&entry, reference);
	json_set_int(json, "code", entry.code);
	json_set_text(json, "why", client_code_word(entry.code));
	json_set_text(json, "meaning", client_code_meaning(entry.code));
	json_set_int(json, "since", entry.since_s);
	json_set_int(json, "until", until_s);
	json_set_text(json, "ref", reference);
	return json;
}

json_t *report_client(const struct netaddr *client)
{
	struct clients_row row;
	bool known = clients_row(client, &row);
	struct netblock network = report_clients_network(&row.block);
	json_t *json = json_object();
	report_clients_set_block(json, "client", &row.block);
	json_object_set_new(json, "known", json_boolean(known));
	json_object_set_new(json, "ours", json_boolean(row.facts.ours));
	json_set_text(json, "standing", client_standing_word(row.verdict.standing));
	json_set_real(json, "sum", row.verdict.sum);
	report_clients_set_block(json, "network", &network);
	report_clients_set_as(json, row.as_number);
	report_clients_set_time(json, "first", row.first_s);
	report_clients_set_time(json, "last", row.last_s);
	json_object_set_new(json, "list", report_clients_listed(client));
	json_object_set_new(json, "does", report_clients_does(&row));
	json_object_set_new(json, "terms", report_clients_terms(&row));
	json_object_set_new(json, "counts",
			    json_pack("{s:o, s:o, s:o}", "client", report_clients_counts(&row.facts.own, UINT32_MAX),
				      "network", report_clients_counts(&row.facts.network, UINT32_MAX), "as",
				      report_clients_counts(&row.facts.as, UINT32_MAX)));
	return json;
}

/* -- sessions report -- */

static json_t *report_clients_alarm(void)
{
	struct clients_alarm alarm;
	clients_alarm(&alarm);
	json_t *json = json_object();
	json_object_set_new(json, "on", json_boolean(alarm.on));
	json_object_set_new(json, "usual", alarm.known ? json_real(alarm.usual) : json_null());
	json_object_set_new(json, "now", alarm.known ? json_real(alarm.now) : json_null());
	report_clients_set_time(json, "since", alarm.since_s);
	json_set_text(json, "who", alarm.who[0] == '\0' ? NULL : alarm.who);
	json_set_text(json, "where", alarm.where[0] == '\0' ? NULL : alarm.where);
	return json;
}

static json_t *report_clients_hour(const struct clients_hour *hour)
{
	return json_pack("[I, I, I]", (json_int_t)hour->hour * HOUR_S,
			 (json_int_t)hour->event[CLIENT_EVENT_QUIT] + hour->event[CLIENT_EVENT_NO_QUIT],
			 (json_int_t)hour->event[CLIENT_EVENT_NO_QUIT]);
}

/* Hours in which there were sessions: [its begin, sessions, those without QUIT]. */
static json_t *report_clients_hours(int64_t first, int64_t last)
{
	json_t *hours = json_array();
	for (int64_t at = first; at <= last; at++) {
		struct clients_hour hour;
		clients_hour(at, &hour);
		if (hour.event[CLIENT_EVENT_QUIT] > 0 || hour.event[CLIENT_EVENT_NO_QUIT] > 0)
			json_array_append_new(hours, report_clients_hour(&hour));
	}
	return hours;
}

static json_t *report_clients_stages(const struct clients_totals *totals)
{
	json_t *stages = json_object();
	for (int i = 0; i < CLIENT_STAGE_COUNT; i++)
		json_set_int(stages, i == CLIENT_STAGE_NONE ? "unknown" : client_stage_word((enum client_stage)i),
			     (int64_t)totals->stage[i]);
	return stages;
}

static json_t *report_clients_standings(const struct clients_totals *totals)
{
	json_t *rows = json_array();
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++) {
		json_t *row = json_object();
		json_set_text(row, "standing", client_standing_word((enum client_standing)i));
		json_set_int(row, "sessions", (int64_t)(totals->session[i][0] + totals->session[i][1]));
		json_set_int(row, "sessions_encrypted", (int64_t)totals->session[i][1]);
		json_set_int(row, "mail", (int64_t)(totals->message[i][0][0] + totals->message[i][1][0]));
		json_set_int(row, "mail_encrypted", (int64_t)totals->message[i][1][0]);
		json_set_int(row, "spam", (int64_t)(totals->message[i][0][1] + totals->message[i][1][1]));
		json_set_int(row, "spam_encrypted", (int64_t)totals->message[i][1][1]);
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *report_clients_row(const struct clients_row *from)
{
	json_t *row = json_object();
	double without = (double)from->facts.own.value[CLIENT_EVENT_NO_QUIT];
	if (from->kind != CLIENTS_AS)
		report_clients_set_block(row, kind_words[from->kind], &from->block);
	report_clients_set_as(row, from->as_number);
	json_set_text(row, "standing", client_standing_word(from->verdict.standing));
	json_set_real(row, "sessions", (double)from->facts.own.value[CLIENT_EVENT_QUIT] + without);
	json_set_real(row, "no_quit", without);
	return row;
}

static json_t *report_clients_rows(enum clients_kind kind)
{
	struct clients_row rows[LIST_ROWS];
	json_t *json = json_array();
	size_t count = clients_list(kind, CLIENTS_HANGUPS, LIST_ROWS, rows);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(json, report_clients_row(&rows[i]));
	return json;
}

json_t *report_sessions(int days)
{
	int64_t now_s = clock_now_ms() / 1000, last = now_s / HOUR_S;
	int64_t first = (last / DAY_HOURS - (days - 1)) * DAY_HOURS;
	struct clients_totals totals;
	clients_totals(first, last, &totals);
	json_t *json = json_object();
	json_set_text(json, "node", the_daemon.node);
	json_set_int(json, "days", days);
	json_set_int(json, "from", first * HOUR_S);
	json_set_int(json, "until", now_s);
	json_set_int(json, "sessions", (int64_t)(totals.event[CLIENT_EVENT_QUIT] + totals.event[CLIENT_EVENT_NO_QUIT]));
	json_set_int(json, "no_quit", (int64_t)totals.event[CLIENT_EVENT_NO_QUIT]);
	json_set_real(json, "share", clients_hangup_share(&totals));
	json_object_set_new(json, "alarm", report_clients_alarm());
	json_object_set_new(json, "stages", report_clients_stages(&totals));
	json_object_set_new(json, "hours", report_clients_hours(first, last));
	json_object_set_new(json, "clients", report_clients_rows(CLIENTS_CLIENT));
	json_object_set_new(json, "networks", report_clients_rows(CLIENTS_NETWORK));
	json_object_set_new(json, "ases", report_clients_rows(CLIENTS_AS));
	json_object_set_new(json, "standings", report_clients_standings(&totals));
	return json;
}

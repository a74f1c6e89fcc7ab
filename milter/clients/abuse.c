/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/abuse.h"

#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "milter/base/own_hash.h"
#include "milter/clients/abuse_text.h"
#include "milter/clients/clients.h"
#include "milter/daemon/daemon.h"
#include "milter/dns/engine.h"
#include "milter/tell/courier.h"
#include "milter/tell/http_client.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	TICK_MS = 200, /* no more questions to the zone of contacts than one in that time */
	PIECE = 500,   /* entries of the list that are looked at in one tick */
	DAY_S = 86400,
	AGAIN_S = 600,	   /* after an answer that did not come */
	WAITING_MOST = 50, /* reports that nobody takes */
	TIMEOUT_MS = 30000,
	NETWORKS = 4096, /* that are known to have had theirs; Redis knows it better */
	NAME_MAX = DNS_NAME_MAX + 1,
};

static struct {
	struct event *tick;	 /* owned */
	struct courier *courier; /* owned */
	char host[256];
	struct netaddr at; /* how far the list was looked through */
	int64_t spent_day;
	struct {
		uint64_t network;
		int64_t until_ms; /* clock_monotonic_ms() */
	} quiet[NETWORKS];
	/* the one report that is being made */
	struct setup *setup; /* held; NULL: none is */
	struct zone_entry entry;
	char network[60]; /* "network:192.0.2.0/24" */
	char to[ABUSE_ADDRESS_MAX + 1];
	_Atomic uint64_t reported, no_contact, unanswered;
	atomic_bool spent;
} abuse;

/* ---- whose turn it is */

static void abuse_name_network(const struct netaddr *client, char name[sizeof abuse.network])
{
	int bits = client->family == NETADDR_V4 ? 24 : 48;
	struct netaddr network = netaddr_network(client, bits);
	char text[NETADDR_TEXT_MAX];
	netaddr_text(&network, text);
	snprintf(name, sizeof abuse.network, "network:%s/%d", text, bits);
}

static size_t abuse_place(const char *network, uint64_t *hash_out)
{
	*hash_out = own_hash_string(network, 0);
	return *hash_out % NETWORKS;
}

static bool abuse_is_quiet(const char *network)
{
	uint64_t hash;
	size_t at = abuse_place(network, &hash);
	return abuse.quiet[at].network == hash && clock_monotonic_ms() < abuse.quiet[at].until_ms;
}

static void abuse_be_quiet(int64_t seconds)
{
	uint64_t hash;
	size_t at = abuse_place(abuse.network, &hash);
	abuse.quiet[at].network = hash;
	abuse.quiet[at].until_ms = clock_monotonic_ms() + seconds * 1000;
}

static void abuse_end(int64_t quiet_s)
{
	abuse_be_quiet(quiet_s);
	if (abuse.setup != NULL)
		setup_drop(&abuse.setup);
}

/* ---- the mail */

/* The text of a parcel is the recipient, a newline, and the message. */
static enum courier_said abuse_send(const struct parcel *parcel, const atomic_bool *stop,
				    struct courier_answer *answer_out)
{
	struct setup *setup = setup_hold();
	const struct settings *set = &setup->config->set;
	const char *body = strchr(parcel->text, '\n');
	char to[ABUSE_ADDRESS_MAX + 1], url[300];
	enum courier_said said = COURIER_NEVER;
	text_copy(answer_out->whom, sizeof answer_out->whom, set->admin_smtp);
	if (set->clients_abuse_from[0] != '\0' && body != NULL && body - parcel->text <= ABUSE_ADDRESS_MAX) {
		snprintf(to, sizeof to, "%.*s", (int)(body - parcel->text), parcel->text);
		snprintf(url, sizeof url, "smtp://%s", set->admin_smtp);
		struct http_client_request post = {
			.url = url,
			.ca_file = "",
			.timeout_ms = TIMEOUT_MS,
			.mail_from = set->clients_abuse_from,
			.mail_to = (const char *const[]){ to, NULL },
			.body = body + 1,
			.length = strlen(body + 1),
			.stop = stop,
		};
		struct http_client_answer answer;
		http_client_send(&post, &answer);
		if (answer.status >= 400)
			snprintf(answer_out->why, sizeof answer_out->why, "answers %ld", answer.status);
		else
			snprintf(answer_out->why, sizeof answer_out->why, "does not take it: %s", answer.error);
		said = answer.whole && answer.status < 400 ? COURIER_TAKEN
		       : answer.status >= 500		   ? COURIER_NEVER
							   : COURIER_LATER;
	} else {
		text_copy(answer_out->why, sizeof answer_out->why, "is not asked: clients.abuse_from is empty now");
	}
	setup_drop(&setup);
	return said;
}

static void abuse_write(void)
{
	struct client_facts facts;
	struct abuse_report report = {
		.entry = abuse.entry,
		.now_s = clock_now_ms() / 1000,
		.from = abuse.setup->config->set.clients_abuse_from,
		.to = abuse.to,
		.host = abuse.host,
	};
	if (clients_look(&abuse.entry.client, false, &facts))
		report.counts = facts.own;
	char *text = abuse_text_of(&report);
	size_t length = text == NULL ? 0 : strlen(abuse.to) + 1 + strlen(text);
	struct parcel *parcel = text == NULL ? NULL : calloc(1, sizeof *parcel + length + 1);
	if (parcel != NULL) {
		snprintf(parcel->text, length + 1, "%s\n%s", abuse.to, text);
		parcel->length = length;
		zone_reference(&abuse.entry, parcel->id);
		courier_take(abuse.courier, parcel, WAITING_MOST);
		atomic_fetch_add(&abuse.reported, 1);
	}
	free(text);
}

/* ---- who may be told, by Redis and DNS */

static void abuse_on_count(void *arg, const char *error, int count, const char *const *items)
{
	int64_t today = clock_now_ms() / 1000 / DAY_S, number;
	(void)arg;
	if (error != NULL || count != 1 || items[0] == NULL || !text_to_int(items[0], 1, INT64_MAX, &number)) {
		atomic_fetch_add(&abuse.unanswered, 1);
	} else if (number > abuse.setup->config->set.clients_abuse_a_day) {
		abuse.spent_day = today;
		atomic_store(&abuse.spent, true);
	} else {
		char part[40];
		snprintf(part, sizeof part, KEY_PART_ABUSE, (long long)today);
		store_key_command(the_daemon.store, 3, (const char *[]){ "EXPIRE", part, "172800" }, NULL, NULL);
		abuse_write();
	}
	abuse_end(DAY_S);
}

static void abuse_on_first(void *arg, const char *error, int count, const char *const *items)
{
	char part[40];
	(void)arg;
	if (error != NULL) {
		atomic_fetch_add(&abuse.unanswered, 1);
		abuse_end(AGAIN_S);
	} else if (count < 1 || items[0] == NULL) {
		abuse_end(DAY_S); /* it had its report */
	} else {
		snprintf(part, sizeof part, KEY_PART_ABUSE, (long long)(clock_now_ms() / 1000 / DAY_S));
		store_key_command(the_daemon.store, 4, (const char *[]){ "HINCRBY", part, "reports", "1" },
				  abuse_on_count, NULL);
	}
}

static void abuse_on_contact(void *arg, const struct dns_answer *answer)
{
	struct dns_record record;
	size_t at = 0;
	bool found = false;
	(void)arg;
	while (answer->outcome == DNS_FOUND && !found && dns_answer_next(answer, &at, &record))
		found = record.text != NULL && abuse_text_contact(record.text, record.length, abuse.to);
	if (!dns_outcome_tells(answer->outcome)) {
		atomic_fetch_add(&abuse.unanswered, 1);
		abuse_end(AGAIN_S);
	} else if (!found) {
		atomic_fetch_add(&abuse.no_contact, 1);
		abuse_end(DAY_S);
	} else {
		static const char *const argv[] = { "SET", "told:abuse", "1", "EX", "86400", "NX" };
		store_account_command(the_daemon.store, abuse.network, sizeof argv / sizeof argv[0], argv,
				      abuse_on_first, NULL);
	}
}

static void abuse_begin(const struct zone_entry *entry)
{
	char reversed[NETADDR_REVERSE_MAX], name[NAME_MAX];
	struct dns_data data;
	struct dns_answer answer;
	abuse.entry = *entry;
	abuse.setup = setup_hold();
	netaddr_reverse(&entry->client, reversed);
	snprintf(name, sizeof name, "%s.%s", reversed, abuse.setup->config->set.clients_abuse_contacts);
	if (engine_find(abuse.setup->engine, name, DNS_TXT, &data, &answer)) {
		abuse_on_contact(NULL, &answer);
	} else if (!engine_ask(abuse.setup->engine, name, DNS_TXT, abuse_on_contact, NULL)) {
		atomic_fetch_add(&abuse.unanswered, 1);
		abuse_end(AGAIN_S);
	}
}

/* ---- the list, piece by piece */

static bool abuse_wants(const struct zone_entry *entry)
{
	abuse_name_network(&entry->client, abuse.network);
	return client_code_is_reported(entry->code) && netaddr_reserved(&entry->client) == NULL &&
	       !abuse_is_quiet(abuse.network);
}

static void abuse_on_tick(evutil_socket_t fd, short what, void *arg)
{
	static struct zone_entry entries[PIECE];
	int64_t keep_s, now_s = clock_now_ms() / 1000;
	(void)fd;
	(void)what;
	(void)arg;
	struct setup *setup = setup_hold();
	bool wanted = setup->config->set.clients_abuse_contacts[0] != '\0' &&
		      setup->config->set.clients_abuse_from[0] != '\0';
	setup_drop(&setup);
	if (!wanted || abuse.setup != NULL || abuse.spent_day == now_s / DAY_S)
		return;
	atomic_store(&abuse.spent, false);
	size_t count = zone_walk(&abuse.at, entries, PIECE, &keep_s);
	for (size_t i = 0; i < count; i++)
		if (abuse_wants(&entries[i])) {
			abuse.at = entries[i].client;
			abuse_begin(&entries[i]);
			return;
		}
	if (count < PIECE)
		abuse.at = (struct netaddr){ 0 };
}

/* ---- life */

bool abuse_start(struct loop *loop)
{
	struct timeval every = { .tv_usec = TICK_MS * 1000 };
	if (gethostname(abuse.host, sizeof abuse.host - 1) != 0)
		text_copy(abuse.host, sizeof abuse.host, "localhost");
	abuse.courier = courier_new("abuse reports", abuse_send, NULL);
	abuse.tick = event_new(loop_base(loop), -1, EV_PERSIST, abuse_on_tick, NULL);
	return abuse.courier != NULL && abuse.tick != NULL && event_add(abuse.tick, &every) == 0;
}

void abuse_stop(void)
{
	courier_stop(abuse.courier);
}

void abuse_clear(void)
{
	if (abuse.tick != NULL)
		event_free(abuse.tick);
	abuse.tick = NULL;
	if (abuse.setup != NULL)
		setup_drop(&abuse.setup);
	courier_free(&abuse.courier);
}

struct abuse_stats abuse_stats(void)
{
	struct abuse_stats stats = { .reported = atomic_load(&abuse.reported),
				     .no_contact = atomic_load(&abuse.no_contact),
				     .unanswered = atomic_load(&abuse.unanswered),
				     .spent = atomic_load(&abuse.spent) };
	if (abuse.courier != NULL)
		stats.mail = courier_stats(abuse.courier);
	return stats;
}

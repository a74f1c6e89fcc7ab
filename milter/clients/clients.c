/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients.h"

#include "milter/base/clock.h"
#include "milter/clients/clients_inside.h"
#include "milter/clients/guesses.h"
#include "milter/clients/history.h"

#include <pthread.h>
#include <string.h>

#include "policy/base/banned.h"

/* Postfix tells of the end of a session that waited when its client's next command is due. */
enum { GAVE_UP_WITHIN_S = 300, CLOCKS_DIFFER_S = 5, NETWORKS_LEAST = 1024, AS_SHARE = 8 };

static struct {
	pthread_mutex_t lock;
	struct clients_table *tables[CLIENTS_KINDS]; /* owned; NULL: it is not started */
	struct netblock own[NETWORKS_MAX];
	int own_count;
	int64_t throttle_s;
	uint64_t notes;
} clients = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t clients_now_s(void)
{
	return clock_now_ms() / 1000;
}

/* ---- keys */

static uint64_t clients_bits(const struct netaddr *client)
{
	uint64_t bits = 0;
	for (int i = 0; i < (client->family == NETADDR_V4 ? 4 : 8); i++)
		bits = bits << 8 | client->bytes[i];
	return bits;
}

static struct clients_key clients_key_of(const struct netaddr *client)
{
	return (struct clients_key){ clients_bits(client), client->family };
}

/* Behind the client's part: 8 bits of an IPv4 address, 16 of a /64. */
static struct clients_key clients_network_of(struct clients_key key)
{
	key.bits &= key.family == NETADDR_V4 ? ~UINT64_C(0xff) : ~UINT64_C(0xffff);
	return key;
}

static struct clients_key clients_as_of(uint32_t as_number)
{
	return (struct clients_key){ as_number, NETADDR_UNKNOWN };
}

static struct netblock clients_block_of(enum clients_kind kind, struct clients_key key)
{
	struct netblock block = { .address.family = key.family };
	int bytes = key.family == NETADDR_V4 ? 4 : 8;
	if (kind == CLIENTS_AS)
		return block;
	for (int i = 0; i < bytes; i++)
		block.address.bytes[i] = (uint8_t)(key.bits >> (8 * (bytes - 1 - i)));
	block.bits = key.family == NETADDR_V4 ? 32 : 64;
	if (kind == CLIENTS_NETWORK)
		block.bits -= key.family == NETADDR_V4 ? 8 : 16;
	return block;
}

bool clients_ours(const struct netaddr *client)
{
	bool ours = netaddr_is_loopback(client);
	pthread_mutex_lock(&clients.lock);
	for (int i = 0; i < clients.own_count && !ours; i++)
		ours = netblock_has(&clients.own[i], client);
	pthread_mutex_unlock(&clients.lock);
	return ours;
}

/* ---- what a client did; with the lock held */

static void clients_touch(struct clients_entry *entry, int64_t time_s)
{
	if (entry->last_s < (uint32_t)time_s)
		entry->last_s = (uint32_t)time_s;
	if (entry->first_s > (uint32_t)time_s)
		entry->first_s = (uint32_t)time_s;
}

/* What it did before it was known in which AS it is belongs there, too. */
static void clients_move_as(struct clients_entry *entry, uint32_t as_number, int64_t now_s)
{
	if (as_number == 0 || entry->as_number == as_number)
		return;
	struct clients_table *table = clients.tables[CLIENTS_AS];
	struct clients_entry *old =
		entry->as_number != 0 ? clients_table_find(table, clients_as_of(entry->as_number)) : NULL;
	client_counts_decay(&entry->counts, now_s);
	if (old != NULL) {
		client_counts_decay(&old->counts, now_s);
		client_counts_without(&old->counts, &entry->counts);
	}
	struct clients_entry *new = clients_table_get(table, clients_as_of(as_number), now_s);
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		client_counts_add(&new->counts, (enum client_event)i, (double)entry->counts.value[i], now_s);
	clients_touch(new, now_s);
	entry->as_number = as_number;
}

static bool clients_before_mail(enum client_stage stage)
{
	return stage <= CLIENT_STAGE_RCPT || stage == CLIENT_STAGE_RSET;
}

/* Did it hang up while it was made to wait? Once for each wait; who went on to QUIT or to mail has waited. */
static bool clients_gives_up(struct clients_entry *entry, const struct client_note *note)
{
	int64_t since_s = note->time_s - entry->slowed_s;
	bool waited = entry->slowed_s != 0 && since_s >= -CLOCKS_DIFFER_S;
	switch (note->event) {
	case CLIENT_EVENT_SLOWED:
		entry->slowed_s = (uint32_t)note->time_s;
		return false;
	case CLIENT_EVENT_QUIT:
	case CLIENT_EVENT_MAIL:
	case CLIENT_EVENT_SPAM:
		if (waited)
			entry->slowed_s = 0;
		return false;
	case CLIENT_EVENT_NO_QUIT:
		if (!waited || !clients_before_mail(note->stage))
			return false;
		entry->slowed_s = 0;
		return since_s <= clients.throttle_s + GAVE_UP_WITHIN_S;
	default:
		return false;
	}
}

/* Logs come late, and out of order: what was long ago counts as what is left of it. */
static struct clients_entry *clients_add(enum clients_kind kind, struct clients_key key, const struct client_note *note,
					 int64_t now_s)
{
	struct clients_entry *entry = clients_table_get(clients.tables[kind], key, now_s);
	client_counts_add_seen(&entry->counts, client_event_as(note->event, note->service), note->time_s, now_s);
	clients_touch(entry, note->time_s);
	return entry;
}

/* Whether it gave up, and in which AS it is. */
static bool clients_count(const struct client_note *note, int64_t now_s, uint32_t *as_out)
{
	struct clients_key key = clients_key_of(&note->client);
	struct clients_entry *entry = clients_add(CLIENTS_CLIENT, key, note, now_s);
	bool gave_up = clients_gives_up(entry, note);
	*as_out = entry->as_number;
	clients_add(CLIENTS_NETWORK, clients_network_of(key), note, now_s);
	if (*as_out != 0)
		clients_add(CLIENTS_AS, clients_as_of(*as_out), note, now_s);
	clients.notes++;
	return gave_up;
}

/* ---- notes */

/* What the study of throttling is made of. */
static void clients_write_history(const struct client_note *note)
{
	static const enum history_kind kinds[CLIENT_EVENT_COUNT] = {
		[CLIENT_EVENT_LISTED] = HISTORY_REFUSED,  [CLIENT_EVENT_SLOWED] = HISTORY_SLOWED,
		[CLIENT_EVENT_GAVE_UP] = HISTORY_GAVE_UP, [CLIENT_EVENT_MAIL] = HISTORY_TAKEN,
		[CLIENT_EVENT_SPAM] = HISTORY_TAKEN,
	};
	if (kinds[note->event] != 0)
		history_note(&note->client, kinds[note->event], note->time_s);
}

/* True: it gave up, too. */
static bool clients_note_one(const struct client_note *note, int64_t now_s)
{
	uint32_t as_number = 0;
	pthread_mutex_lock(&clients.lock);
	bool runs = clients.tables[CLIENTS_CLIENT] != NULL;
	bool gave_up = runs && clients_count(note, now_s, &as_number);
	pthread_mutex_unlock(&clients.lock);
	if (!runs)
		return false;
	clients_hours_note(note, now_s);
	clients_alarm_note(note, as_number, now_s);
	clients_write_history(note);
	return gave_up;
}

void clients_note(const struct client_note *note)
{
	int64_t now_s = clients_now_s();
	struct client_note dated = *note;
	bool ours = clients_ours(&note->client);
	if (note->client.family == NETADDR_UNKNOWN)
		return;
	if (note->time_s <= 0 || note->time_s > now_s) /* a clock that is ahead elsewhere, or was here */
		dated.time_s = now_s;
	guesses_note(&dated, ours);
	if ((ours && note->event != CLIENT_EVENT_LOGIN) || !clients_note_one(&dated, now_s))
		return;
	dated.event = CLIENT_EVENT_GAVE_UP;
	clients_note_one(&dated, now_s);
}

void clients_note_as(const struct netaddr *client, uint32_t as_number)
{
	int64_t now_s = clients_now_s();
	if (client->family == NETADDR_UNKNOWN || as_number == 0 || clients_ours(client))
		return;
	pthread_mutex_lock(&clients.lock);
	if (clients.tables[CLIENTS_CLIENT] != NULL)
		clients_move_as(clients_table_get(clients.tables[CLIENTS_CLIENT], clients_key_of(client), now_s),
				as_number, now_s);
	pthread_mutex_unlock(&clients.lock);
}

void clients_note_session(const struct netaddr *client, bool encrypted)
{
	if (client->family == NETADDR_UNKNOWN || clients_ours(client))
		return;
	clients_hours_session(clients_judge(client, false).standing, encrypted, clients_now_s());
}

void clients_note_message(const struct netaddr *client, bool encrypted, bool spam, bool forwarder)
{
	struct client_note note = {
		.time_s = clients_now_s(),
		.client = *client,
		.event = spam ? CLIENT_EVENT_SPAM : CLIENT_EVENT_MAIL,
	};
	if (client->family == NETADDR_UNKNOWN || clients_ours(client))
		return;
	clients_hours_message(clients_judge(client, false).standing, encrypted, spam, note.time_s);
	if (!spam || !forwarder)
		clients_note(&note);
}

/* ---- what is known of it */

/* A row of a time to come, of a clock that was wrong, is put right where it is met: else it would decay from its next
 * note on alone. */
static void clients_decayed(struct clients_entry *entry, int64_t now_s, struct client_counts *counts_out)
{
	if (entry == NULL)
		return;
	if (entry->counts.at_s > now_s)
		client_counts_decay(&entry->counts, now_s);
	*counts_out = entry->counts;
	client_counts_decay(counts_out, now_s);
}

/* With the lock held. Of a client whose row is NULL: its network. */
static void clients_fill_facts(struct clients_key key, struct clients_entry *entry, struct client_facts *facts)
{
	clients_decayed(entry, facts->now_s, &facts->own);
	clients_decayed(clients_table_find(clients.tables[CLIENTS_NETWORK], clients_network_of(key)), facts->now_s,
			&facts->network);
	client_counts_without(&facts->network, &facts->own);
	if (entry == NULL || entry->as_number == 0)
		return;
	clients_decayed(clients_table_find(clients.tables[CLIENTS_AS], clients_as_of(entry->as_number)), facts->now_s,
			&facts->as);
	client_counts_without(&facts->as, &facts->own);
}

static bool clients_find(const struct netaddr *client, struct client_facts *facts, struct clients_entry *entry_out)
{
	struct clients_entry *entry = NULL;
	*entry_out = (struct clients_entry){ .key = clients_key_of(client) };
	pthread_mutex_lock(&clients.lock);
	if (clients.tables[CLIENTS_CLIENT] != NULL && client->family != NETADDR_UNKNOWN) {
		entry = clients_table_find(clients.tables[CLIENTS_CLIENT], entry_out->key);
		clients_fill_facts(entry_out->key, entry, facts);
	}
	if (entry != NULL)
		*entry_out = *entry;
	pthread_mutex_unlock(&clients.lock);
	return entry != NULL;
}

/* Of those who failed at none there is nothing to ask for. */
static void clients_fill_logins(const struct netaddr *client, struct client_facts *facts)
{
	if (facts->own.value[CLIENT_EVENT_AUTH_FAILURE] > 0)
		facts->logins = guesses_of_client(client, "");
}

bool clients_look(const struct netaddr *client, bool ours, struct client_facts *facts_out)
{
	struct clients_entry entry;
	*facts_out = (struct client_facts){ .now_s = clients_now_s(), .ours = ours };
	bool known = clients_find(client, facts_out, &entry);
	clients_fill_logins(client, facts_out);
	return known;
}

double clients_guesses(const struct netaddr *client, const char *login)
{
	return guesses_of_client(client, login);
}

struct client_verdict clients_judge(const struct netaddr *client, bool ours)
{
	struct client_facts facts;
	clients_look(client, ours, &facts);
	return client_judge(&facts);
}

/* ---- rows for people */

static void clients_fill_row(enum clients_kind kind, const struct clients_entry *entry, struct clients_row *row)
{
	row->kind = kind;
	row->block = clients_block_of(kind, entry->key);
	row->as_number = kind == CLIENTS_AS ? (uint32_t)entry->key.bits : entry->as_number;
	row->first_s = entry->first_s;
	row->last_s = entry->last_s;
}

bool clients_row(const struct netaddr *client, struct clients_row *row_out)
{
	struct clients_entry entry;
	*row_out = (struct clients_row){ .facts = { .now_s = clients_now_s(), .ours = clients_ours(client) } };
	bool known = clients_find(client, &row_out->facts, &entry);
	clients_fill_logins(client, &row_out->facts);
	clients_fill_row(CLIENTS_CLIENT, &entry, row_out);
	row_out->verdict = client_judge(&row_out->facts);
	return known;
}

/* With the lock held. */
static size_t clients_walk_piece(enum clients_kind kind, size_t place, int64_t now_s, struct clients_row *rows)
{
	struct clients_table *table = clients.tables[kind];
	size_t count = 0;
	for (; table != NULL && count < CLIENTS_WALK_MOST && place < clients_table_used(table); place++, count++) {
		struct clients_entry *entry = clients_table_at(table, place);
		rows[count] = (struct clients_row){ .facts.now_s = now_s };
		clients_fill_row(kind, entry, &rows[count]);
		if (kind == CLIENTS_CLIENT)
			clients_fill_facts(entry->key, entry, &rows[count].facts);
		else
			clients_decayed(entry, now_s, &rows[count].facts.own);
	}
	return count;
}

size_t clients_walk(enum clients_kind kind, size_t *cursor, struct clients_row rows[CLIENTS_WALK_MOST])
{
	pthread_mutex_lock(&clients.lock);
	size_t count = clients_walk_piece(kind, *cursor, clients_now_s(), rows);
	pthread_mutex_unlock(&clients.lock);
	for (size_t i = 0; i < count; i++) {
		if (kind == CLIENTS_CLIENT)
			clients_fill_logins(&rows[i].block.address, &rows[i].facts);
		rows[i].verdict = client_judge(&rows[i].facts);
	}
	*cursor += count;
	return count;
}

size_t clients_copy(enum clients_kind kind, size_t place, struct clients_entry entries[CLIENTS_WALK_MOST])
{
	size_t count = 0;
	pthread_mutex_lock(&clients.lock);
	struct clients_table *table = clients.tables[kind];
	while (count < CLIENTS_WALK_MOST && place + count < clients_table_used(table)) {
		entries[count] = *clients_table_at(table, place + count);
		count++;
	}
	pthread_mutex_unlock(&clients.lock);
	return count;
}

void clients_restore(enum clients_kind kind, const struct clients_entry *entry)
{
	pthread_mutex_lock(&clients.lock);
	struct clients_entry *own = clients_table_get(clients.tables[kind], entry->key, entry->last_s);
	own->as_number = entry->as_number;
	own->first_s = entry->first_s;
	own->last_s = entry->last_s;
	own->slowed_s = entry->slowed_s;
	own->counts = entry->counts;
	pthread_mutex_unlock(&clients.lock);
}

void clients_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&clients.lock);
	for (int i = 0; i < CLIENTS_KINDS && clients.tables[i] != NULL; i++) {
		stats->rows[i] = clients_table_used(clients.tables[i]);
		stats->most[i] = clients_table_most(clients.tables[i]);
	}
	if (clients.tables[CLIENTS_CLIENT] != NULL)
		stats->forgotten = clients_table_forgotten(clients.tables[CLIENTS_CLIENT], &stats->forgotten_known);
	stats->notes = clients.notes;
	pthread_mutex_unlock(&clients.lock);
}

/* ---- tables */

void clients_set(const struct config *config)
{
	pthread_mutex_lock(&clients.lock);
	clients.own_count = config->own_network_count;
	memcpy(clients.own, config->own_networks, sizeof clients.own);
	clients.throttle_s = config->set.socketmap_throttle_s;
	pthread_mutex_unlock(&clients.lock);
}

bool clients_open(int64_t most)
{
	const size_t sizes[CLIENTS_KINDS] = {
		[CLIENTS_CLIENT] = (size_t)most,
		[CLIENTS_NETWORK] = (size_t)(most / 2 > NETWORKS_LEAST ? most / 2 : NETWORKS_LEAST),
		[CLIENTS_AS] = (size_t)(most / AS_SHARE > NETWORKS_LEAST ? most / AS_SHARE : NETWORKS_LEAST),
	};
	bool all = true;
	pthread_mutex_lock(&clients.lock);
	for (int i = 0; i < CLIENTS_KINDS; i++) {
		clients.tables[i] = clients_table_new(sizes[i]);
		all = all && clients.tables[i] != NULL;
	}
	pthread_mutex_unlock(&clients.lock);
	return all;
}

void clients_close(void)
{
	pthread_mutex_lock(&clients.lock);
	for (int i = 0; i < CLIENTS_KINDS; i++)
		clients_table_free(&clients.tables[i]);
	clients.notes = 0;
	pthread_mutex_unlock(&clients.lock);
}

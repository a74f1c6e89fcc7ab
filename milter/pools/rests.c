/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/pools/rests.h"

#include "milter/base/clock.h"
#include "milter/base/idn.h"
#include "milter/base/log.h"
#include "milter/daemon/daemon.h"
#include "policy/base/text.h"
#include "redis-schema/keys.h"
#include "redis-schema/store/store.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { TICK_S = 2, HALF_HOUR_MS = 1800 * 1000, KEY_BYTES = 80, TROUBLE_BYTES = 300 };

struct rests_fall {
	char transport[TRANSPORT_NAME_MAX + 1];
	int receivers, withheld;
};

static struct {
	atomic_bool any;		  /* there is a table, and something in it rests */
	_Atomic int64_t follows_until_ms; /* Unix time */
	atomic_uint tries;		  /* messages that met a transport whose rest is over */
	pthread_mutex_t lock;		  /* of `table` and the falls */
	struct rests_table *table;	  /* one reference; what is believed */
	int fall_count;
	struct rests_fall falls[TRANSPORTS_ALL_MAX];
	struct event *tick; /* owned; this and what follows is the loop thread's */
	bool asking;
	int64_t started_ms;
	struct follow_head head, halfway, before;
	char trouble[TROUBLE_BYTES];
} rests = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- messages */

/* NULL: nothing rests. */
static struct rests_table *rests_hold(void)
{
	struct rests_table *table = NULL;
	if (!atomic_load(&rests.any))
		return NULL;
	pthread_mutex_lock(&rests.lock);
	if (rests.table != NULL) {
		table = rests.table;
		rests_table_hold(table);
	}
	pthread_mutex_unlock(&rests.lock);
	return table;
}

static const char *rests_receiver_of(const struct rests_table *table, const char *raw)
{
	char address[ADDRESS_MAX + 1];
	if (!idn_address(raw, address))
		return NULL;
	char *domain = strrchr(address, '@');
	if (domain == NULL)
		return NULL;
	for (char *at = domain; *at != '\0'; at++)
		*at = text_lower(*at);
	return rests_table_receiver(table, domain + 1);
}

/* A message is looked at with the table that stood there at its first recipient. */
void rests_add_rcpt(struct rests_of_message *message, const char *raw)
{
	if (message->rcpts++ == 0) {
		message->table = rests_hold();
		message->receiver = message->table == NULL ? NULL : rests_receiver_of(message->table, raw);
		return;
	}
	if (message->receiver == NULL)
		return;
	const char *receiver = rests_receiver_of(message->table, raw);
	if (receiver == NULL || strcmp(receiver, message->receiver) != 0)
		message->receiver = NULL;
}

void rests_release(struct rests_of_message *message)
{
	rests_table_drop(&message->table);
	*message = (struct rests_of_message){ .table = NULL };
}

/* Whether this message is the one in so many. */
static bool rests_tries(void)
{
	return atomic_fetch_add(&rests.tries, 1) % RECEIVER_TRIES_ONE_IN == 0;
}

/* What rests of one pool; whether anything does. */
static bool rests_find_of_pool(const struct rests_of_message *message, const struct pool *pool, int64_t now_ms,
			       struct receiver_rest found[TRANSPORTS_MAX], bool *tries)
{
	bool any = false;
	for (int i = 0; i < pool->transport_count; i++) {
		const struct rests_row *row =
			rests_table_find(message->table, pool->transports[i].name, message->receiver);
		found[i] = (struct receiver_rest){ .state = RECEIVER_FREE };
		if (row == NULL)
			continue;
		found[i] = (struct receiver_rest){ rests_row_state(row, now_ms), row->refused };
		any = any || found[i].state != RECEIVER_FREE;
		*tries = *tries || found[i].state == RECEIVER_TRIES;
	}
	return any;
}

void rests_fill(const struct rests_of_message *message, const struct config *config, struct facts *facts)
{
	struct receiver_rest found[TRANSPORTS_MAX];
	bool drawn = false, tries = false;
	if (message->receiver == NULL || facts->rcpts_local > 0 || facts->rcpts_unknown_mailer > 0)
		return; /* it cannot be marked: the MTA asks for its sender's transport, which stays */
	for (int i = 0; i < config->pool_count; i++) {
		bool trying = false;
		if (!rests_find_of_pool(message, &config->pools[i], facts->now_ms, found, &trying))
			continue;
		if (trying && !drawn) {
			tries = rests_tries();
			drawn = true;
		}
		text_copy(facts->receiver, sizeof facts->receiver, message->receiver);
		receiver_withhold(&config->pools[i], found, tries, facts->transports);
	}
}

/* ---- several receivers refuse one transport */

static int rests_find_fall(const struct rests_fall *falls, int count, const char *transport)
{
	int at = 0;
	while (at < count && strcmp(falls[at].transport, transport) != 0)
		at++;
	return at;
}

/* With the lock held. */
static int rests_fall_of(const char *transport)
{
	int at = rests_find_fall(rests.falls, rests.fall_count, transport);
	return at < rests.fall_count ? rests.falls[at].withheld : 0;
}

int rests_withheld(const char *transport)
{
	pthread_mutex_lock(&rests.lock);
	int withheld = rests_fall_of(transport);
	pthread_mutex_unlock(&rests.lock);
	return withheld;
}

void rests_states(const struct config *config, struct transport_state *states)
{
	if (!atomic_load(&rests.any))
		return;
	pthread_mutex_lock(&rests.lock);
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			int withheld = rests_fall_of(transport->name);
			if (withheld > states[transport->index].withheld)
				states[transport->index].withheld = (unsigned char)withheld;
		}
	pthread_mutex_unlock(&rests.lock);
}

/* How many receivers refuse each transport now; those that matter come first, and are all that is kept. */
static int rests_count_falls(const struct rests_table *table, int64_t now_ms,
			     struct rests_fall falls[TRANSPORTS_ALL_MAX])
{
	int count = 0, kept = 0;
	for (int i = 0; table != NULL && i < table->row_count; i++) {
		if (rests_row_state(&table->rows[i], now_ms) != RECEIVER_RESTS ||
		    table->rows[i].senders < RECEIVER_SENDERS_SPEAK)
			continue; /* of few senders one may have a server of his own */
		int at = rests_find_fall(falls, count, table->rows[i].transport);
		if (at == TRANSPORTS_ALL_MAX)
			continue;
		if (at == count) {
			falls[count] = (struct rests_fall){ .receivers = 0 };
			text_copy(falls[count].transport, sizeof falls[count].transport, table->rows[i].transport);
			count++;
		}
		falls[at].receivers++;
	}
	for (int i = 0; i < count; i++) {
		falls[i].withheld = receiver_withheld(falls[i].receivers);
		if (falls[i].withheld > 0)
			falls[kept++] = falls[i];
	}
	return kept;
}

static void rests_tell_falls(const struct rests_fall *was, int was_count, const struct rests_fall *is, int is_count)
{
	for (int i = 0; i < is_count; i++) {
		int at = rests_find_fall(was, was_count, is[i].transport);
		int before = at < was_count ? was[at].withheld : 0;
		if (is[i].withheld != before)
			rests_tell_fall(is[i].transport, is[i].receivers, is[i].withheld, before);
	}
	for (int i = 0; i < was_count; i++)
		if (rests_find_fall(is, is_count, was[i].transport) == is_count)
			rests_tell_fall(was[i].transport, 0, 0, was[i].withheld);
}

/* ---- the table that is believed */

static bool rests_has_rest(const struct rests_table *table, int64_t now_ms)
{
	for (int i = 0; table != NULL && i < table->row_count; i++)
		if (rests_row_state(&table->rows[i], now_ms) != RECEIVER_FREE)
			return true;
	return false;
}

/* Time has passed, or `table` is another one; takes the reference. */
static void rests_publish(struct rests_table *table)
{
	static struct rests_fall was[TRANSPORTS_ALL_MAX], is[TRANSPORTS_ALL_MAX]; /* the loop thread's alone */
	int64_t now_ms = clock_now_ms();
	int was_count = rests.fall_count, is_count = rests_count_falls(table, now_ms, is);
	memcpy(was, rests.falls, sizeof was);
	pthread_mutex_lock(&rests.lock);
	struct rests_table *old = rests.table;
	rests.table = table;
	rests.fall_count = is_count;
	memcpy(rests.falls, is, sizeof is);
	pthread_mutex_unlock(&rests.lock);
	atomic_store(&rests.any, rests_has_rest(table, now_ms));
	rests_tell_falls(was, was_count, is, is_count);
	if (old != table)
		rests_tell(old, table, rests.started_ms, now_ms);
	if (old != table)
		rests_table_drop(&old);
}

static bool rests_too_old(const struct follow_head *head)
{
	return clock_now_ms() - head->at_ms > (int64_t)RESTS_TOO_OLD_S * 1000;
}

/* Said once, until it is another trouble, or none. */
static void rests_note_trouble(const char *trouble)
{
	if (strcmp(rests.trouble, trouble) == 0)
		return;
	text_copy(rests.trouble, sizeof rests.trouble, trouble);
	if (*trouble != '\0')
		log_line(SEVERITY_WARNING, "follow: the key " KEY_PART_FOLLOW " of Redis is ignored: %s",
			 the_daemon.node, trouble);
}

static void rests_note_head(const struct follow_head *head, bool quits)
{
	if (rests.before.number == 0 || head->lines < rests.before.lines) /* the first, or a follower that began anew */
		rests.before = rests.halfway = *head;
	if (head->at_ms - rests.halfway.at_ms >= HALF_HOUR_MS) {
		rests.before = rests.halfway;
		rests.halfway = *head;
	}
	rests.head = *head;
	atomic_store(&rests.follows_until_ms,
		     quits && head->lag_s <= RESTS_BEHIND_S ? head->at_ms + (int64_t)RESTS_FOLLOWS_S * 1000 : 0);
}

bool rests_follows(void)
{
	int64_t now_ms = clock_now_ms();
	return now_ms < atomic_load(&rests.follows_until_ms);
}

/* ---- Redis */

static void rests_key(char key[KEY_BYTES])
{
	snprintf(key, KEY_BYTES, KEY_PART_FOLLOW, the_daemon.node);
}

/* Asks for the value's bytes up to this one. */
static void rests_ask(int last_byte, store_command_done *done)
{
	char key[KEY_BYTES], last[24];
	rests_key(key);
	snprintf(last, sizeof last, "%d", last_byte);
	rests.asking = true;
	store_key_command(the_daemon.store, 4, (const char *[]){ "GETRANGE", key, "0", last }, done, NULL);
}

static void rests_on_value(void *arg, const char *error, int count, const char *const *items)
{
	char why[TROUBLE_BYTES];
	(void)arg;
	rests.asking = false;
	if (error != NULL || count < 1 || items[0] == NULL || *items[0] == '\0')
		return;
	struct rests_table *table = rests_table_read(items[0], strlen(items[0]), why, sizeof why);
	rests_note_trouble(table == NULL ? why : "");
	if (table == NULL)
		return;
	rests_note_head(&table->head, table->quits);
	if (rests_too_old(&table->head)) {
		rests_table_drop(&table);
		return;
	}
	rests_publish(table);
}

static void rests_on_head(void *arg, const char *error, int count, const char *const *items)
{
	struct follow_head head;
	(void)arg;
	rests.asking = false;
	if (error != NULL) { /* that Redis is away is said elsewhere */
		char why[TROUBLE_BYTES];
		snprintf(why, sizeof why, "it is no string: Redis says \"%.200s\"", error);
		if (strncmp(error, "WRONGTYPE", strlen("WRONGTYPE")) == 0)
			rests_note_trouble(why);
		return;
	}
	if (count < 1 || items[0] == NULL || *items[0] == '\0') {
		rests_note_trouble("");
		return;
	}
	if (follow_head_read(items[0], strlen(items[0]), &head) == 0) {
		rests_note_trouble("it does not begin with \"penstock-follow 1\" and six whole numbers");
		return;
	}
	bool same = rests.table != NULL && head.number == rests.table->head.number;
	if (same)
		rests_note_head(&head, rests.table->quits);
	else
		rests_ask(FOLLOW_VALUE_MAX, rests_on_value);
}

static void rests_on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (rests.table != NULL)
		rests_publish(rests_too_old(&rests.head) ? NULL : rests.table);
	if (!rests.asking)
		rests_ask(FOLLOW_HEAD_MAX - 1, rests_on_head);
}

bool rests_start(struct event_base *base)
{
	struct timeval every = { .tv_sec = TICK_S };
	rests.started_ms = clock_now_ms();
	rests.tick = event_new(base, -1, EV_PERSIST, rests_on_tick, NULL);
	return rests.tick != NULL && event_add(rests.tick, &every) == 0;
}

void rests_stop(void)
{
	if (rests.tick != NULL)
		event_free(rests.tick);
	rests.tick = NULL;
	rests.asking = false;
	rests_table_drop(&rests.table);
	rests.fall_count = 0;
	rests.head = rests.before = (struct follow_head){ .number = 0 };
	rests.trouble[0] = '\0';
	atomic_store(&rests.any, false);
	atomic_store(&rests.follows_until_ms, 0);
}

void rests_view(struct rests_view *view_out)
{
	*view_out = (struct rests_view){
		.table = rests.table, .head = rests.head, .before = rests.before, .trouble = rests.trouble
	};
	rests_key(view_out->key);
}

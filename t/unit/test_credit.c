/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Credits on their way into records: a real store, at a Redis in memory behind a unix socket that the test serves
 * between turns of the one loop, and that misbehaves when the test says so.
 */
#include "milter/follow/credit.h"

#include "redis-schema/account_record.h"
#include "redis-schema/wire/alarm.h"
#include "t/fake/redis_call.h"
#include "t/fake/redis_session.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { STUCK_MS = 60000, TTL_S = 86400, MOST = 10 };
#define WRITER UINT64_C(0x123456789a)
#define NOW_MS INT64_C(1790000000000)

/* What happens to writes of accounts. */
enum trouble {
	FINE,
	LOSES_ANSWER,	 /* one is done, and its connection ends */
	LOSES_REQUEST,	 /* one is not done, and its connection ends */
	IS_OVERTAKEN,	 /* before one another daemon writes */
	SAYS_ERROR,	 /* none is done */
	SAYS_ERROR_ONCE, /* one is not done */
};

static char folder[] = "/tmp/penstock-credit-XXXXXX", path[80], server_name[90], said[4000];
static int listener = -1, client = -1;
static struct redis_session session;
static enum trouble trouble;
static const char *trouble_error;
static int writes;
static struct event_base *base;
static struct store *store;
static struct credit *credit;
static int eased;

/* ---- the server */

static int64_t redis_now_ms(void)
{
	return NOW_MS + alarm_clock_ms();
}

static struct redis_data data = { .now_ms = redis_now_ms };

static void server_hang_up(void)
{
	close(client);
	client = -1;
	redis_session_close(&session);
}

static struct redis_key *key_of(const char *account, const char *part)
{
	char key[200];
	size_t length = (size_t)snprintf(key, sizeof key, "penstock:{%s}:%s", account, part);
	return redis_find(&data, 0, (struct fake_word){ key, length });
}

static void set_record(const char *account, const char *bytes, size_t length)
{
	char key[200];
	snprintf(key, sizeof key, "penstock:{%s}:record", account);
	struct redis_session other;
	redis_session_open(&other, &data);
	fake_bytes_addf(&other.in, "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%zu\r\n", strlen(key), key, length);
	fake_bytes_add(&other.in, bytes, length);
	fake_bytes_addf(&other.in, "\r\n");
	while (redis_session_next(&other))
		redis_session_do(&other);
	redis_session_close(&other);
}

static enum record_kind get_record(const char *account, struct account_record *record)
{
	const struct redis_key *key = key_of(account, "record");
	return record_read(key != NULL ? key->string.at : NULL, key != NULL ? key->string.length : 0, record);
}

static void daemon_writes(const char *account, uint64_t number)
{
	struct account_record record;
	struct charge charge = { .now_ms = redis_now_ms(), .limits = limits_unset, .quota = true };
	char bytes[RECORD_MAX];
	get_record(account, &record);
	charge.amounts.of[COUNTED_MESSAGES] = 1;
	charge.counts[COUNTER_MESSAGES] = 1;
	charge.counts[COUNTER_DEAD] = 1;
	history_charge(&record.history, &charge);
	record_sign(&record, (struct record_write){ record_daemon(77), number });
	set_record(account, bytes, record_write(&record, bytes));
}

/* Is it the write of an account, not of the probe? */
static bool is_write(const struct redis_request *request)
{
	return request->argc > 3 && strncmp(request->argv[0].at, "EVAL", 4) == 0 &&
	       strstr(request->argv[3].at, "probe") == NULL;
}

/* False: the connection ended. */
static bool server_do_write(void)
{
	enum trouble now = trouble;
	writes++;
	if (now == SAYS_ERROR || now == SAYS_ERROR_ONCE) {
		fake_bytes_addf(&session.out, "-%s\r\n", trouble_error);
		redis_session_skip(&session);
		trouble = now == SAYS_ERROR ? SAYS_ERROR : FINE;
		return true;
	}
	trouble = FINE;
	if (now == IS_OVERTAKEN)
		daemon_writes("alice", (uint64_t)writes);
	if (now != LOSES_REQUEST)
		redis_session_do(&session);
	if (now == LOSES_ANSWER || now == LOSES_REQUEST)
		server_hang_up();
	return client >= 0;
}

static void server_turn(void)
{
	char bytes[65536];
	if (client < 0) {
		client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (client >= 0)
			redis_session_open(&session, &data);
	}
	if (client < 0)
		return;
	ssize_t got = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
	if (got == 0) {
		server_hang_up();
		return;
	}
	fake_bytes_add(&session.in, bytes, got > 0 ? (size_t)got : 0);
	while (redis_session_next(&session)) {
		if (!is_write(&session.request))
			redis_session_do(&session);
		else if (!server_do_write())
			return;
	}
	ssize_t sent = send(client, session.out.at, session.out.length, MSG_NOSIGNAL);
	fake_bytes_cut(&session.out, sent > 0 ? (size_t)sent : 0);
}

/* ---- the follower */

static void say(void *arg, const char *line)
{
	(void)arg;
	printf("# %s\n", line);
	snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}

static void on_eased(void *arg)
{
	(void)arg;
	eased++;
}

static void turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
	server_turn();
}

static void start(void)
{
	const struct store_settings settings = { .server = server_name,
						 .username = "",
						 .password = "",
						 .prefix = "penstock",
						 .node = "a",
						 .timeout_ms = 20000,
						 .breaker_failures = 3,
						 .retry_ms = 2,
						 .recent_accounts = 100,
						 .credits_only = true,
						 .state_ttl_s = TTL_S };
	char error[200];
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	credit = store != NULL ? credit_new(store, WRITER, MOST, on_eased, NULL) : NULL;
	if (credit == NULL)
		printf("Bail out! %s\n", error);
	for (int64_t until = alarm_clock_ms() + STUCK_MS; !store_stats(store).up && alarm_clock_ms() < until;)
		turn();
	said[0] = '\0';
	writes = eased = 0;
}

static void kill_it(void)
{
	store_free(&store);
	credit_free(&credit);
	turn();
}

static void add(const char *account, uint64_t ordinal, double dead)
{
	double counts[COUNTER_COUNT] = { [COUNTER_DEAD] = dead };
	credit_add(credit, account, ordinal, counts);
}

/* Until all is acknowledged; seconds go by as the loop turns. */
static bool settle(void)
{
	for (int64_t until = alarm_clock_ms() + STUCK_MS; !credit_idle(credit) && alarm_clock_ms() < until;) {
		credit_tick(credit);
		turn();
	}
	return credit_idle(credit);
}

static void is_dead(const char *account, double want, const char *what)
{
	struct account_record record;
	get_record(account, &record);
	is_near(record.history.counters.value[COUNTER_DEAD], want, 0.01, "%s", what);
}

static void is_counts(uint64_t pending, uint64_t done, uint64_t refused, uint64_t given_up, const char *what)
{
	struct credit_counts counts = credit_counts(credit);
	ok(counts.pending == pending && counts.done == done && counts.refused == refused && counts.given_up == given_up,
	   "%s: %llu pending, %llu done, %llu refused, %llu given up", what, (unsigned long long)counts.pending,
	   (unsigned long long)counts.done, (unsigned long long)counts.refused, (unsigned long long)counts.given_up);
}

/* ---- tests */

static void test_fresh(void)
{
	struct account_record record;
	start();
	add("alice", 5, 1);
	add("alice", 5, 2);
	add("alice", 7, 0);
	add("alice", 8, 4);
	is_counts(2, 0, 0, 0, "what one line says is one credit, and nothing is none");
	turn();
	is_int(writes, 0, "nothing is sent before the line is worked off");
	credit_send(credit);
	ok(settle(), "it is acknowledged");
	is_counts(0, 2, 0, 0, "both are done");
	is_int(writes, 1, "by one write");
	is_int(eased, 1, "which is told");
	is_int(get_record("alice", &record), RECORD_FINE, "an account without a record gets one");
	is_dead("alice", 7, "with the counts");
	is_int((long long)record_last(&record, record_follower(WRITER)), 8, "and the number of the last credit");
	is_int((long long)(record.writes[0].writer & 3), 0, "below a passing name");
	ok(record.history.first_s == 0 && record.history.level == LEVEL_UNKNOWN &&
		   record.history.rates.present[WINDOW_MSGS_PER_DAY] == 0,
	   "no message is counted");
	const struct redis_key *state = key_of("alice", "state");
	ok(state != NULL && state->ends_ms > redis_now_ms() && key_of("alice", "record")->ends_ms == state->ends_ms,
	   "record and state have their time to live");
	kill_it();
}

static void test_again(void)
{
	start();
	add("alice", 5, 3);
	add("alice", 8, 4);
	credit_send(credit);
	add("alice", 9, 10);
	credit_send(credit);
	ok(settle(), "lines are read again after a crash, and one more");
	is_counts(0, 1, 2, 0, "two are refused");
	is_dead("alice", 17, "and count once");
	kill_it();
	credit = NULL;
	start();
	credit_free(&credit);
	credit = credit_new(store, WRITER + 64, MOST, NULL, NULL);
	add("alice", 1, 1);
	credit_send(credit);
	ok(settle(), "another log has its own numbers");
	is_counts(0, 1, 0, 0, "it is done");
	is_dead("alice", 18, "and counts");
	kill_it();
}

static const struct {
	const char *what;
	enum trouble trouble;
	const char *error;
	double more; /* by a daemon */
	int done, refused, least_writes;
} troubles[] = {
	{ "an answer is lost", LOSES_ANSWER, NULL, 0, 0, 1, 1 },
	{ "a request is lost", LOSES_REQUEST, NULL, 0, 1, 0, 2 },
	{ "a daemon writes in between", IS_OVERTAKEN, NULL, 1, 1, 0, 2 },
	{ "the script is forgotten", SAYS_ERROR_ONCE, "NOSCRIPT No matching script. Please use EVAL.", 0, 1, 0, 2 },
	{ "it is a replica", SAYS_ERROR_ONCE, "READONLY You can't write against a read only replica.", 0, 1, 0, 2 },
	{ "it has no memory", SAYS_ERROR_ONCE, "OOM command not allowed when used memory > 'maxmemory'.", 0, 1, 0, 2 },
};

static void test_troubles(void)
{
	double dead = 18;
	uint64_t ordinal = 100;
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		start();
		trouble = troubles[i].trouble;
		trouble_error = troubles[i].error;
		add("alice", ++ordinal, 2);
		credit_send(credit);
		dead += 2 + troubles[i].more;
		ok(settle(), "%s, and it is acknowledged all the same", troubles[i].what);
		is_counts(0, (uint64_t)troubles[i].done, (uint64_t)troubles[i].refused, 0, troubles[i].what);
		is_dead("alice", dead, "it counts once");
		ok(writes >= troubles[i].least_writes, "after %d writes", writes);
		kill_it();
	}
}

static void test_away(void)
{
	start();
	trouble = SAYS_ERROR;
	trouble_error = "READONLY You can't write against a read only replica.";
	for (uint64_t i = 0; i < MOST; i++) {
		ok(!credit_full(credit), "there is room for %d", (int)i);
		add("bob", 200 + i, 1);
		credit_send(credit);
	}
	ok(credit_full(credit), "it is full");
	add("bob", 300, 1);
	credit_send(credit);
	is_counts(MOST + 1, 0, 0, 0, "what was read waits all the same");
	for (int i = 0; i < 200; i++) {
		credit_tick(credit);
		turn();
	}
	is_counts(MOST + 1, 0, 0, 0, "as long as Redis does not take it");
	is_int(eased, 0, "and nobody reads on");
	ok(strstr(said, "READONLY") != NULL && strstr(said, "; credits wait until it is back\n") != NULL,
	   "which is said");
	trouble = FINE;
	ok(settle(), "then it does");
	is_counts(0, MOST + 1, 0, 0, "all are done");
	ok(eased > 0, "and the log is read on");
	is_dead("bob", MOST + 1, "each once");
	ok(strstr(said, "/s answers again\n") != NULL, "and it is said that Redis is back");
	kill_it();
}

static void test_foreign(void)
{
	static const struct {
		const char *what, *bytes, *line;
	} rows[] = {
		{ "of another version", "\x1fnewer",
		  "redis: account eve: record is of another version of Penstock; it is left alone, and what the mail "
		  "log says of it is not counted" },
		{ "none", "hello",
		  "redis: account eve: record is none of Penstock's; it is left alone, and what the mail log says of "
		  "it is not counted" },
	};
	for (size_t i = 0; i < 2; i++) {
		start();
		set_record("eve", rows[i].bytes, strlen(rows[i].bytes));
		add("eve", 400 + i, 1);
		add("alice", 400 + i, 0.5);
		credit_send(credit);
		ok(settle(), "a record that is %s holds nobody up", rows[i].what);
		is_counts(0, 1, 0, 1, "what is meant for it is given up");
		ok(fake_bytes_are(&key_of("eve", "record")->string,
				  (struct fake_word){ rows[i].bytes, strlen(rows[i].bytes) }),
		   "it is left alone");
		ok(strstr(said, rows[i].line) != NULL, "and named in the log");
		kill_it();
	}
}

static void test_many(void)
{
	enum { ACCOUNTS = 300, LINES = 10 };
	char name[40];
	bool all = true;
	start();
	for (int line = 0; line < LINES; line++) {
		for (int i = 0; i < ACCOUNTS; i++) {
			snprintf(name, sizeof name, "user%d@example.com", i);
			add(name, 1000 + (uint64_t)line, 1);
		}
		credit_send(credit);
	}
	ok(settle(), "of many accounts some at once");
	is_counts(0, (uint64_t)ACCOUNTS * LINES, 0, 0, "all are done");
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_record record;
		snprintf(name, sizeof name, "user%d@example.com", i);
		get_record(name, &record);
		all = all && fabs(record.history.counters.value[COUNTER_DEAD] - LINES) < 0.01 &&
		      record_last(&record, record_follower(WRITER)) == 1000 + LINES - 1;
	}
	ok(all, "each has its own");
	ok(writes < ACCOUNTS * LINES, "in fewer writes than credits: %d", writes);
	kill_it();
}

/* A daemon that read the record before it was reset must not take the new one for it. */
static void test_reset(void)
{
	char heads[2][RECORD_HEAD];
	struct account_record record;
	for (int i = 0; i < 2; i++) {
		start();
		add("dave", 3000, 1);
		credit_send(credit);
		ok(settle(), "it is credited");
		is_dead("dave", 1, "to a new record");
		get_record("dave", &record);
		is_int((int)record_head(&record, heads[i]), RECORD_HEAD, "which has a head");
		redis_remove(&data, key_of("dave", "record"));
		kill_it();
	}
	ok(memcmp(heads[0], heads[1], RECORD_HEAD) != 0, "another one after a reset, though the line is the same");
}

static void on_charge(void *arg, const struct charge_result *result)
{
	*(int *)arg += result->known == KNOWLEDGE_FULL;
}

/* Who charges the same account by the same store writes over none of it. */
static void test_beside(void)
{
	struct message_charge message = { .charge = { .limits = limits_unset, .quota = true } };
	struct account_record record;
	int charged = 0;
	start();
	snprintf(message.charge.account, sizeof message.charge.account, "carol");
	message.charge.amounts.of[COUNTED_MESSAGES] = 1;
	for (int i = 0; i < 20; i++) {
		message.charge.now_ms = redis_now_ms();
		store_charge(store, &message, on_charge, &charged);
		add("carol", 2000 + (uint64_t)i, 1);
		credit_send(credit);
		if (i % 3 == 0)
			turn();
	}
	ok(settle(), "a daemon may credit, too");
	for (int64_t until = alarm_clock_ms() + STUCK_MS; charged < 20 && alarm_clock_ms() < until;)
		turn();
	is_int(charged, 20, "its charges are answered by what Redis holds");
	get_record("carol", &record);
	is_near(record.history.rates.present[WINDOW_MSGS_PER_DAY] + record.history.rates.before[WINDOW_MSGS_PER_DAY],
		20, 0, "each message counts once");
	is_dead("carol", 20, "and so does each credit");
	kill_it();
}

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/s", folder);
	snprintf(server_name, sizeof server_name, "unix:%s", path);
	memcpy(address.sun_path, path, strlen(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 5) < 0)
		return 1;
	base = event_base_new();
	test_fresh();
	test_again();
	test_troubles();
	test_away();
	test_foreign();
	test_many();
	test_reset();
	test_beside();
	if (client >= 0)
		server_hang_up();
	event_base_free(base);
	redis_data_clear(&data);
	close(listener);
	unlink(path);
	rmdir(folder);
	return done_testing();
}

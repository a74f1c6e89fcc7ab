/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notes of clients on their way into the stream: a real store, at a Redis in memory behind a unix socket that the test
 * serves between turns of the one loop, and that misbehaves when the test says so. What a daemon would count of the
 * stream is each note once, in its order.
 */
#include "milter/follow/notes.h"

#include "redis-schema/store/store.h"
#include "redis-schema/wire/alarm.h"
#include "t/fake/redis_call.h"
#include "t/fake/redis_session.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { STUCK_MS = 60000 };
#define WRITER UINT64_C(0x123456789a)
#define NOW_MS INT64_C(1790000000000)

/* What happens to what is added to the stream. */
enum trouble {
	FINE,
	LOSES_ANSWER,	 /* one is done, and its connection ends */
	LOSES_REQUEST,	 /* one is not done, and its connection ends */
	SAYS_ERROR_ONCE, /* one is not done */
	SAYS_ERROR,	 /* none is */
};

static char folder[] = "/tmp/penstock-notes-XXXXXX", path[80], server_name[90];
static int listener = -1, client = -1, writes;
static struct redis_session session;
static enum trouble trouble;
static const char *trouble_error;
static struct event_base *base;
static struct store *store;
static struct notes *notes;

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

static bool is_write(const struct redis_request *request)
{
	return request->argc > 3 && strncmp(request->argv[0].at, "XADD", 4) == 0 &&
	       strncmp(request->argv[1].at, "penstock:clients", request->argv[1].length) == 0;
}

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

/* ---- the stream, as a daemon counts it */

/* The names of notes, in their order, each with a blank. */
static void counted(char shown[4000])
{
	static const char ask[] = "*4\r\n$6\r\nXRANGE\r\n$16\r\npenstock:clients\r\n$1\r\n-\r\n$1\r\n+\r\n";
	static const char name[] = "\na:123456789a:";
	struct redis_session other;
	long long last = 0;
	size_t used = 0;
	redis_session_open(&other, &data);
	redis_session_feed(&other, ask, strlen(ask));
	fake_bytes_add(&other.out, "", 1);
	shown[0] = '\0';
	for (const char *at = other.out.at; (at = strstr(at, name)) != NULL;) {
		long long ordinal = strtoll(at + strlen(name), NULL, 10);
		bool again = ordinal <= last;
		at++;
		const char *end = strstr(at, name), *row = at;
		last = again ? last : ordinal;
		while (!again && (row = strstr(row, " smtp ")) != NULL && (end == NULL || row < end)) {
			size_t length = strcspn(row += strlen(" smtp "), "\n");
			used += (size_t)snprintf(shown + used, 4000 - used, "%.*s ", (int)length, row);
		}
	}
	redis_session_close(&other);
}

static void forget_stream(void)
{
	static const char ask[] = "*2\r\n$3\r\nDEL\r\n$16\r\npenstock:clients\r\n";
	struct redis_session other;
	redis_session_open(&other, &data);
	redis_session_feed(&other, ask, strlen(ask));
	redis_session_close(&other);
}

/* ---- the follower */

static void say(void *arg, const char *line)
{
	(void)arg;
	printf("# %s\n", line);
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
						 .state_ttl_s = 86400 };
	char error[200];
	store = store_new(base, &settings, say, NULL, error, sizeof error);
	notes = store != NULL ? notes_new(store, "a", WRITER, NULL, NULL) : NULL;
	if (notes == NULL)
		printf("Bail out! %s\n", error);
	for (int64_t until = alarm_clock_ms() + STUCK_MS; !store_stats(store).up && alarm_clock_ms() < until;)
		turn();
	writes = 0;
}

static void kill_it(void)
{
	store_free(&store);
	notes_free(&notes);
	turn();
}

static void add(uint64_t ordinal)
{
	struct client_note note = { .time_s = 1790000000, .event = CLIENT_EVENT_QUIT };
	netaddr_parse("192.0.2.1", &note.client);
	snprintf(note.name, sizeof note.name, "%llu", (unsigned long long)ordinal);
	notes_add(notes, ordinal, &note);
}

static bool settle(void)
{
	for (int64_t until = alarm_clock_ms() + STUCK_MS; !notes_idle(notes) && alarm_clock_ms() < until;) {
		notes_tick(notes, alarm_clock_ms());
		turn();
	}
	return notes_idle(notes);
}

static void is_counted(const char *want, const char *what)
{
	char shown[4000];
	counted(shown);
	is_str(shown, want, "%s", what);
}

/* ---- tests */

static void test_again(void)
{
	start();
	add(3);
	add(3);
	add(5);
	ok(settle(), "notes are taken");
	is_int(writes, 1, "by one write");
	is_counted("3 3 5 ", "all of them are in the stream");
	kill_it();
	start();
	add(3);
	add(3);
	add(5);
	add(7);
	ok(settle(), "lines are read again after a crash, and one more");
	is_int((long long)notes_counts(notes).left_out, 3, "what the stream has is left out");
	is_counted("3 3 5 7 ", "each is there once");
	kill_it();
}

static const struct {
	const char *what;
	enum trouble trouble;
	const char *error;
} troubles[] = {
	{ "an answer is lost", LOSES_ANSWER, NULL },
	{ "a request is lost", LOSES_REQUEST, NULL },
	{ "it is a replica", SAYS_ERROR_ONCE, "READONLY You can't write against a read only replica." },
	{ "it has no memory", SAYS_ERROR_ONCE, "OOM command not allowed when used memory > 'maxmemory'." },
	{ "it loads", SAYS_ERROR_ONCE, "LOADING Redis is loading the dataset in memory" },
};

static void test_troubles(void)
{
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		forget_stream();
		start();
		trouble = troubles[i].trouble;
		trouble_error = troubles[i].error;
		add(1);
		notes_tick(notes, 0);
		turn();
		add(2);
		ok(settle(), "%s, and they are taken all the same", troubles[i].what);
		add(3);
		settle();
		is_counted("1 2 3 ", "each counts once");
		is_int((long long)notes_counts(notes).lost, 0, "none is lost");
		kill_it();
	}
}

static void test_refused(const char *error)
{
	forget_stream();
	start();
	trouble = SAYS_ERROR;
	trouble_error = error;
	add(1);
	ok(settle(), "what is refused for good holds nobody up");
	is_int((long long)notes_counts(notes).lost, 1, "it is lost");
	is_str(notes_counts(notes).why, trouble_error, "and why is kept");
	trouble = FINE;
	add(2);
	settle();
	is_counted("2 ", "later ones are taken");
	is_str(notes_counts(notes).why, "", "and all is well");
	kill_it();
}

/* No line makes so many. */
static void test_long_line(void)
{
	forget_stream();
	start();
	for (int i = 0; i < CLIENT_NOTE_BATCH_MAX + 50; i++)
		add(1);
	ok(settle(), "more notes of one line than a batch has hold nobody up");
	add(2);
	ok(settle(), "later ones are taken");
	is_int((long long)notes_counts(notes).sent, CLIENT_NOTE_BATCH_MAX + 51, "all are sent");
	kill_it();
}

static void test_full(void)
{
	forget_stream();
	start();
	trouble = SAYS_ERROR;
	trouble_error = "READONLY You can't write against a read only replica.";
	for (uint64_t i = 1; i <= NOTES_MOST + 10; i++)
		add(i);
	is_int((long long)notes_counts(notes).pending, NOTES_MOST, "so many wait and no more");
	is_int((long long)notes_counts(notes).lost, 10, "the others are lost, which is counted");
	trouble = FINE;
	ok(settle(), "then they are taken");
	is_int((long long)notes_counts(notes).sent, NOTES_MOST, "all that waited");
	is_int(writes, NOTES_MOST / CLIENT_NOTE_BATCH_MAX, "in full batches");
	kill_it();
}

int main(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	base = event_base_new();
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/redis", folder);
	snprintf(server_name, sizeof server_name, "unix:%s", path);
	memcpy(address.sun_path, path, strlen(path));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 5) != 0)
		return 1;
	test_again();
	test_troubles();
	test_refused("NOPERM this user has no permissions to run the 'xadd' command");
	test_refused("ERR unknown command 'XADD'");
	test_long_line();
	test_full();
	unlink(path);
	rmdir(folder);
	event_base_free(base);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socketmap and its maps, of a store that answers before it has taken the question, as it does without memory: each
 * request has one answer, and is asked once. Who is asked about, by whom Postfix asks, and what the standing of a
 * client does.
 */
#include <config.h>

#include "milter/mta/socketmap.h"

#include "milter/clients/clients.h"
#include "milter/clients/clients_report.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/pools/monitor.h"
#include "milter/pools/pools.h"
#include "milter/pools/sender.h"
#include "policy/base/text.h"
#include "policy/judge.h"
#include "redis-schema/store/store.h"
#include "t/fake/fake.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct daemon the_daemon;
static struct config config;
static struct setup setup = { .config = &config };
static int asked, places, noted;
static char asked_of[ACCOUNT_MAX + 1];
static enum client_standing standing;
static bool known, waits;

/* In place of the daemon's. */
struct setup *setup_hold(void)
{
	return &setup;
}

void setup_drop(struct setup **dropped)
{
	*dropped = NULL;
}

void store_fetch(struct store *store, const char *account, store_fetch_done *done, void *arg)
{
	static const struct account_state unknown = { .known = KNOWLEDGE_NONE };
	static const struct account_state blocked = { .known = KNOWLEDGE_FULL, .block = "stolen" };
	(void)store;
	text_copy(asked_of, sizeof asked_of, account);
	if (++asked > 100)
		_exit(1); /* for ever */
	done(arg, known ? &blocked : &unknown, NULL);
}

void pools_now(const struct config *of, struct transport_state states[TRANSPORTS_ALL_MAX])
{
	(void)of, (void)states;
}

struct verdict pools_judge(const struct config *of, const char *account, const struct account_state *state)
{
	(void)of, (void)account, (void)state;
	return (struct verdict){ .breach = breach_none, .throttle = waits };
}

void monitor_states(const struct config *of, struct transport_state *states)
{
	(void)of, (void)states;
}

bool sender_find(const char *sender, int64_t now_ms, char transport_out[TRANSPORT_NAME_MAX + 1])
{
	(void)sender, (void)now_ms, (void)transport_out;
	return false;
}

void stats_closed(enum stats_closed what)
{
	(void)what;
}

bool clients_ours(const struct netaddr *client)
{
	return client->bytes[0] == 10;
}

struct client_verdict clients_judge(const struct netaddr *client, bool ours)
{
	(void)client;
	return (struct client_verdict){ .standing = ours ? CLIENT_GOOD : standing };
}

bool clients_slow(const struct netaddr *client, int64_t seconds, bool again)
{
	if (places == 0 || seconds != 5)
		return false;
	places--;
	if (client->family != NETADDR_UNKNOWN && !again)
		noted++;
	return true;
}

static struct event_base *base;
static int listener;

static int new_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t size = sizeof address;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	getsockname(listener, (struct sockaddr *)&address, &size);
	return connect(client, (struct sockaddr *)&address, size) == 0 ? client : -1;
}

/* Sends the bytes in one go and reads what comes back. */
static const char *talk(int client, const char *bytes, size_t length, bool ends)
{
	static char answers[4096];
	if (write(client, bytes, length) != (ssize_t)length)
		return "not taken";
	if (ends)
		shutdown(client, SHUT_WR);
	event_base_loopexit(base, &(struct timeval){ .tv_usec = 50000 });
	event_base_dispatch(base);
	ssize_t came = recv(client, answers, sizeof answers - 1, MSG_DONTWAIT);
	answers[came > 0 ? came : 0] = '\0';
	return answers;
}

/* On a connection of its own, which ends where `ends`. */
static const char *answers_to(const char *bytes, size_t length, bool ends)
{
	char rest;
	int client = new_client();
	const char *answers = talk(client, bytes, length, ends);
	bool ended = recv(client, &rest, 1, MSG_DONTWAIT) == 0;
	close(client);
	event_base_loopexit(base, &(struct timeval){ .tv_usec = 1000 });
	event_base_dispatch(base);
	if (ends && !ended)
		return "who has ended is not left";
	return answers;
}

static const char *answer_to(const char *map, const char *key)
{
	char line[400], framed[420];
	int length = snprintf(line, sizeof line, "%s %s", map, key);
	int whole = snprintf(framed, sizeof framed, "%d:%s,", length, line);
	asked = noted = 0;
	asked_of[0] = '\0';
	return answers_to(framed, (size_t)whole, false);
}

static const char nothing[] = "9:NOTFOUND ,", sleeps[] = "10:OK sleep 5,", hides[] = "11:OK starttls,";

static void test_order(void)
{
	static const char two[] = "34:account-throttle alice@example.com,24:throttle bob@example.com,";
	is_str(answers_to(two, sizeof two - 1, true), "9:NOTFOUND ,9:NOTFOUND ,", "each has its answer");
	is_int(asked, 2, "and is asked once");
}

/* Who is asked about: an address by itself, a login by check_sasl_access, and neither for a name. */
static void test_keys(void)
{
	static const struct {
		const char *map, *key, *asked_of;
	} rows[] = {
		{ "throttle", "192.0.2.7", "ip:192.0.2.7" },
		{ "throttle_client", "192.0.2.7", "ip:192.0.2.7" },
		{ "throttle", "2001:db8:1:2:3:4:5:6", "ip:2001:db8:1:2::/64" },
		{ "throttle", "::ffff:192.0.2.7", "ip:192.0.2.7" },
		{ "throttle", "alice@example.com", "alice@example.com" },
		{ "account-throttle", "alice@example.com", "alice@example.com" },
		{ "account-throttle", "alice", "alice" },
		{ "throttle", "mail.example.com", "" },
		{ "throttle", "unknown", "" },
		{ "throttle", "192.0.2", "" },
		{ "throttle", "192.0.2.256", "" },
		{ "throttle", "192.0.2.7 ", "" },
		{ "throttle", "", "" },
		{ "account-throttle", "", "" },
		{ "nothing", "192.0.2.7", "" },
	};
	standing = CLIENT_GOOD;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		is_str(answer_to(rows[i].map, rows[i].key), nothing, "of nobody anything is known");
		is_str(asked_of, rows[i].asked_of, "and whose account it is");
	}
}

static void test_throttle(void)
{
	known = waits = true;
	places = 2;
	standing = CLIENT_UNKNOWN;
	is_str(answer_to("throttle", "192.0.2.7"), sleeps, "a stranger waits");
	is_int(asked, 0, "and the store is not asked");
	is_str(answer_to("throttle", "mail.example.com"), nothing, "not his name");
	standing = CLIENT_GOOD;
	is_str(answer_to("throttle", "192.0.2.7"), sleeps,
	       "who stands well waits where the account of the address does");
	is_int(asked, 1, "for which the store is asked");
	is_str(answer_to("throttle", "192.0.2.7"), nothing, "nobody waits where no place is left");
	places = 10;
	known = false;
	standing = CLIENT_BAD;
	is_str(answer_to("throttle", "10.0.0.7"), nothing, "a client of our own has no standing");
	is_int(asked, 1, "but an account");
	config.policy.shadow = rules_find("all");
	is_str(answer_to("throttle", "192.0.2.7"), nothing, "in shadow mode nobody waits for his standing");
	is_int(noted, 0, "and nothing is noted");
	config.policy.shadow = rules_find("limits");
	is_str(answer_to("throttle", "192.0.2.7"), sleeps, "... but where a rule alone is in it");
	config.policy.shadow = 0;
	config.set.socketmap_throttle_s = 0;
	is_str(answer_to("throttle", "192.0.2.7"), nothing, "nor where the wait is no time");
	config.set.socketmap_throttle_s = 5;
	places = 0;
	is_str(answer_to("throttle", "192.0.2.7"), nothing, "nor where there are no places at all");
	is_int(asked, 0, "and then the store is not asked either");
}

/* One session waits before each of its recipients, and is one session; the next one in the same process is another. */
static void test_sessions(void)
{
	static const char ask[] = "18:throttle 192.0.2.7,", other[] = "18:throttle 192.0.2.8,";
	static const struct {
		const char *request;
		int64_t after_ms;
		int noted;
		const char *what;
	} rows[] = {
		{ ask, 0, 1, "a session waits" },
		{ ask, 5100, 1, "... and before its second recipient: it is the same" },
		{ ask, 5900, 1, "... and before its third" },
		{ ask, 6500, 2, "after more than a moment it is another one of that client" },
		{ ask, 1000, 3, "who asks before the wait ended is another one, behind proxymap" },
		{ other, 5100, 4, "and so is another client" },
	};
	int client = new_client();
	places = 10;
	noted = 0;
	standing = CLIENT_UNKNOWN;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		fake_clock_pass(rows[i].after_ms);
		is_str(talk(client, rows[i].request, sizeof ask - 1, false), sleeps, "%s", rows[i].what);
		is_int(noted, rows[i].noted, "sessions that waited");
	}
	close(client);
}

static void test_starttls(void)
{
	static const struct {
		enum client_standing standing;
		enum clients_hide_starttls from;
		const char *key, *answer, *why;
	} rows[] = {
		{ CLIENT_POOR, HIDE_FROM_POOR, "192.0.2.7", hides, "hidden from the poor" },
		{ CLIENT_BAD, HIDE_FROM_POOR, "192.0.2.7", hides, "and from the bad" },
		{ CLIENT_UNKNOWN, HIDE_FROM_POOR, "192.0.2.7", nothing, "not from who is unknown" },
		{ CLIENT_POOR, HIDE_FROM_BAD, "192.0.2.7", nothing, "nor from the poor, where from the bad alone" },
		{ CLIENT_BAD, HIDE_FROM_BAD, "2001:db8::1", hides, "IPv6" },
		{ CLIENT_UNKNOWN, HIDE_FROM_UNKNOWN, "192.0.2.7", hides, "from who is unknown" },
		{ CLIENT_NEUTRAL, HIDE_FROM_NEUTRAL, "192.0.2.7", hides, "from the neutral" },
		{ CLIENT_GOOD, HIDE_FROM_NEUTRAL, "192.0.2.7", nothing, "never from the good" },
		{ CLIENT_BAD, HIDE_FROM_POOR, "10.0.0.7", nothing, "nor from ours" },
		{ CLIENT_BAD, HIDE_FROM_POOR, "mail.example.com", nothing, "nor by name" },
		{ CLIENT_BAD, HIDE_FROM_POOR, "alice@example.com", nothing, "nor by login" },
		{ CLIENT_BAD, HIDE_FROM_POOR, "", nothing, "nor from nobody" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		standing = rows[i].standing;
		config.set.clients_hide_starttls = rows[i].from;
		is_str(answer_to("starttls", rows[i].key), rows[i].answer, "%s", rows[i].why);
	}
	config.set.clients_hide_starttls = HIDE_FROM_POOR;
	standing = CLIENT_BAD;
	config.policy.shadow = rules_find("all");
	is_str(answer_to("starttls", "192.0.2.7"), nothing, "in shadow mode nothing is hidden");
	config.policy.shadow = 0;
}

/* Nothing of these makes an answer that another request would take for its own. */
static void test_nonsense(void)
{
	static const struct {
		const char *bytes, *why;
		size_t length;
		bool ends;
	} rows[] = {
#define NONSENSE(bytes, ends) { bytes, #bytes, sizeof bytes - 1, ends }
		NONSENSE("99999999999999999999:throttle 192.0.2.7,", false),
		NONSENSE("-1:throttle 192.0.2.7,", false),
		NONSENSE("2049:throttle 192.0.2.7,", false),
		NONSENSE("017:throttle 192.0.2.7,", false),
		NONSENSE("x18:throttle 192.0.2.7,", false),
		NONSENSE("18:throttle 192.0.2.7;", false),
		NONSENSE("17:throttle 192.0.2.7,", false),
		NONSENSE("18throttle 192.0.2.7,", false),
		NONSENSE(",", false),
		NONSENSE("18:throttle 192.0.2.7", true),
		NONSENSE("18", true),
#undef NONSENSE
	};
	places = 100;
	standing = CLIENT_BAD;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_str(answers_to(rows[i].bytes, rows[i].length, rows[i].ends), "", "%s", rows[i].why);
	is_str(answers_to("19:throttle 192.0.2.7\0,", 23, false), nothing, "a NUL is in no address");
	is_str(answers_to("8:throttle,0:,", 14, false), "9:NOTFOUND ,9:NOTFOUND ,", "nor is nothing one");
	is_int(places, 100, "and nobody took a place");
}

int main(void)
{
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	base = event_base_new();
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	config.set.socketmap_throttle_s = 5;
	ok(bind(listener, (struct sockaddr *)&any, sizeof any.sun_family) == 0 && listen(listener, 5) == 0, "a socket");
	struct socketmap *socketmap = socketmap_start(base, listener);
	test_order();
	test_keys();
	test_throttle();
	test_sessions();
	test_starttls();
	test_nonsense();
	socketmap_stop(&socketmap);
	event_base_free(base);
	return done_testing();
}

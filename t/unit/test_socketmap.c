/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The socketmap of a store that answers before it has taken the question, as it does without memory: each request has
 * one answer, and is asked once.
 */
#include <config.h>

#include "milter/mta/socketmap.h"

#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/pools/monitor.h"
#include "milter/pools/pools.h"
#include "milter/pools/sender.h"
#include "redis-schema/store/store.h"
#include "t/unit/tap.h"

#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct daemon the_daemon;
static struct config config;
static struct setup setup = { .config = &config };
static int asked;

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
	(void)store, (void)account;
	if (++asked > 10)
		_exit(1); /* for ever */
	done(arg, &unknown, NULL);
}

void pools_now(const struct config *of, struct transport_state states[TRANSPORTS_ALL_MAX])
{
	(void)of, (void)states;
}

struct verdict pools_judge(const struct config *of, const char *account, const struct account_state *state)
{
	(void)of, (void)account, (void)state;
	return (struct verdict){ .breach = breach_none };
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

static int connect_to(int listener)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t length = sizeof address;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	getsockname(listener, (struct sockaddr *)&address, &length);
	return connect(client, (struct sockaddr *)&address, length) == 0 ? client : -1;
}

int main(void)
{
	static const char two[] = "26:throttle alice@example.com,24:throttle bob@example.com,";
	char answers[100] = "";
	struct sockaddr_un any = { .sun_family = AF_UNIX };
	struct event_base *base = event_base_new();
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	config.set.socketmap_throttle_s = 5;
	ok(bind(listener, (struct sockaddr *)&any, sizeof any.sun_family) == 0 && listen(listener, 5) == 0, "a socket");
	struct socketmap *socketmap = socketmap_start(base, listener);
	int client = connect_to(listener);
	ok(write(client, two, sizeof two - 1) == (ssize_t)sizeof two - 1, "two requests at once");
	shutdown(client, SHUT_WR);
	event_base_loopexit(base, &(struct timeval){ .tv_usec = 200000 });
	event_base_dispatch(base);
	ssize_t length = recv(client, answers, sizeof answers - 1, MSG_DONTWAIT);
	is_str(length > 0 ? answers : "none", "9:NOTFOUND ,9:NOTFOUND ,", "each has its answer");
	is_int(asked, 2, "and is asked once");
	is_int(recv(client, answers, sizeof answers, MSG_DONTWAIT), 0, "who has ended is left");
	close(client);
	socketmap_stop(&socketmap);
	event_base_free(base);
	return done_testing();
}

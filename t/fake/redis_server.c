/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis in memory at a unix socket, and the ways in which one fails there. A thread of its own serves it; what the
 * scenario's thread asks of it is done by that thread, between two rounds of all connections.
 */
#include "t/fake/fake.h"

#include "t/fake/redis_call.h"
#include "t/fake/redis_session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { LAG_MS = 30, CONNECTIONS_MAX = 64 };

/* One request and its answer. */
struct exchange {
	struct exchange *next; /* owned */
	struct fake_bytes request, answer;
	bool done;
	bool plans;	/* asks for the plans */
	bool last;	/* the connection ends instead of an answer */
	int64_t due_ms; /* when it is answered, by the monotonic clock */
};

struct connection {
	int fd;
	struct redis_session taken; /* cuts what comes in into requests */
	struct redis_session doing; /* does them */
	struct exchange *first, **end;
	struct fake_bytes sending;
	bool closed; /* the other side has gone; what it had asked for may still be done */
	bool deaf;   /* nothing more is done */
	bool over;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static pthread_cond_t came_round = PTHREAD_COND_INITIALIZER;
static pthread_t thread;
static struct redis_data data = { .now_ms = fake_clock_redis_ms };
static struct connection *connections[CONNECTIONS_MAX]; /* owned */
static int connection_count;
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listening = -1, waking = -1;
static enum fake_redis how_now, how_next;
static char error_now[200];
static uint64_t rounds_asked, rounds_done;
static int taken, plans_read;
static bool running, ending;

static int64_t real_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- requests */

static void exchange_remove(struct connection *connection)
{
	struct exchange *gone = connection->first;
	connection->first = gone->next;
	if (connection->first == NULL)
		connection->end = &connection->first;
	fake_bytes_free(&gone->request);
	fake_bytes_free(&gone->answer);
	free(gone);
}

static bool is_script(struct fake_word word)
{
	return redis_word_is(word, "EVAL") || redis_word_is(word, "EVALSHA");
}

static bool is_write(struct fake_word word)
{
	const struct redis_command *command = redis_command_find(word);
	return command != NULL && command->writes;
}

/* True: it is not done, but answered with the error, or not at all. */
static bool exchange_fails(struct connection *connection, struct exchange *exchange, struct fake_word word)
{
	bool loses = (how_now == FAKE_REDIS_LOSES_DONE || how_now == FAKE_REDIS_LOSES_UNDONE) && is_script(word);
	if (how_now == FAKE_REDIS_LOADING || (how_now == FAKE_REDIS_ERROR && is_write(word))) {
		fake_bytes_addf(&exchange->answer, "-%s\r\n", error_now);
		return true;
	}
	if (!loses)
		return false;
	bool undone = how_now == FAKE_REDIS_LOSES_UNDONE;
	exchange->last = true;
	connection->deaf = true;
	how_now = FAKE_REDIS_FINE;
	return undone;
}

static void exchange_do(struct connection *connection, struct exchange *exchange)
{
	struct redis_session *session = &connection->doing;
	const struct redis_request *request = &session->request;
	exchange->done = true;
	if (connection->deaf)
		return;
	fake_bytes_add(&session->in, exchange->request.at, exchange->request.length);
	if (!redis_session_next(session))
		abort();
	struct fake_word key = request->argc > 1 ? request->argv[1] : request->argv[0];
	exchange->plans = redis_word_is(request->argv[0], "HGETALL") && key.length > 6 &&
			  memcmp(key.at + key.length - 6, ":plans", 6) == 0;
	if (exchange_fails(connection, exchange, request->argv[0])) {
		redis_session_skip(session);
		return;
	}
	redis_session_do(session);
	fake_bytes_add(&exchange->answer, session->out.at, session->out.length);
	session->out.length = 0;
	exchange->due_ms = how_now == FAKE_REDIS_LAGS ? real_ms() + LAG_MS : 0;
}

static void exchange_new(struct connection *connection)
{
	struct exchange *exchange = calloc(1, sizeof *exchange);
	if (exchange == NULL)
		abort();
	/* with its words ended by NUL, which the next reading passes over as it does \r */
	fake_bytes_add(&exchange->request, connection->taken.in.at, connection->taken.request.whole);
	redis_session_skip(&connection->taken);
	*connection->end = exchange;
	connection->end = &exchange->next;
	taken++;
}

/* ---- connections */

static void connection_free(struct connection *connection)
{
	while (connection->first != NULL)
		exchange_remove(connection);
	redis_session_close(&connection->taken);
	redis_session_close(&connection->doing);
	fake_bytes_free(&connection->sending);
	close(connection->fd);
	free(connection);
}

static void connection_accept(void)
{
	int fd;
	while (listening >= 0 && connection_count < CONNECTIONS_MAX &&
	       (fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct connection *connection = calloc(1, sizeof *connection);
		if (connection == NULL)
			abort();
		connection->fd = fd;
		connection->end = &connection->first;
		redis_session_open(&connection->taken, &data);
		redis_session_open(&connection->doing, &data);
		connections[connection_count++] = connection;
	}
}

static void connection_read(struct connection *connection)
{
	char bytes[65536];
	while (!connection->closed) {
		ssize_t length = read(connection->fd, bytes, sizeof bytes);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0 && errno == EAGAIN)
			break;
		connection->closed = length <= 0;
		if (length > 0 && !connection->taken.broken)
			fake_bytes_add(&connection->taken.in, bytes, (size_t)length);
	}
	while (redis_session_next(&connection->taken))
		exchange_new(connection);
}

static bool is_due(const struct exchange *exchange)
{
	return exchange->done && how_now != FAKE_REDIS_SILENT && how_now != FAKE_REDIS_SLOW &&
	       exchange->due_ms <= real_ms();
}

static void connection_answer(struct connection *connection)
{
	while (!connection->over && connection->first != NULL && is_due(connection->first)) {
		const struct exchange *exchange = connection->first;
		connection->over = exchange->last;
		if (!exchange->last)
			fake_bytes_add(&connection->sending, exchange->answer.at, exchange->answer.length);
		plans_read += exchange->plans && !exchange->last;
		exchange_remove(connection);
	}
	if (connection->first == NULL && connection->taken.broken) {
		fake_bytes_add(&connection->sending, connection->taken.out.at, connection->taken.out.length);
		connection->over = true;
	}
	while (connection->sending.length > 0) {
		ssize_t sent = send(connection->fd, connection->sending.at, connection->sending.length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EAGAIN)
			return;
		connection->closed |= sent < 0 && errno != EINTR;
		fake_bytes_cut(&connection->sending, sent > 0		  ? (size_t)sent
						     : connection->closed ? connection->sending.length
									  : 0);
	}
	connection->over |= connection->closed && connection->first == NULL;
}

static void connections_end(bool all)
{
	int left = 0;
	for (int i = 0; i < connection_count; i++)
		if (all || connections[i]->over)
			connection_free(connections[i]);
		else
			connections[left++] = connections[i];
	connection_count = left;
}

/* ---- the thread */

static bool server_listen(void)
{
	unlink(address.sun_path);
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return listening >= 0 &&
	       bind(listening, (const struct sockaddr *)(const void *)&address, sizeof address) == 0 &&
	       listen(listening, CONNECTIONS_MAX) == 0;
}

/* Without a listener behind it the file of the socket refuses who connects. */
static void server_change(void)
{
	enum fake_redis before = how_now;
	how_now = how_next;
	if (before == how_now)
		return;
	if (how_now == FAKE_REDIS_AWAY || how_now == FAKE_REDIS_LOADING)
		connections_end(true);
	if (how_now == FAKE_REDIS_AWAY) {
		close(listening);
		listening = -1;
	} else if (before == FAKE_REDIS_AWAY && !server_listen()) {
		abort();
	}
}

/* What was asked is done in the order of its coming, connection by connection. */
static void server_serve(void)
{
	for (int i = 0; i < connection_count; i++) {
		struct connection *connection = connections[i];
		for (struct exchange *at = connection->first; at != NULL && how_now != FAKE_REDIS_SILENT; at = at->next)
			if (!at->done)
				exchange_do(connection, at);
		connection_answer(connection);
	}
	connections_end(false);
}

static void server_round(void)
{
	uint64_t asked = rounds_asked;
	enum fake_redis before = how_now;
	connection_accept();
	for (int i = 0; i < connection_count; i++)
		connection_read(connections[i]);
	server_serve();
	if (how_next != before) {
		server_change();
		server_serve();
	}
	how_next = how_now;
	rounds_done = asked;
	pthread_cond_broadcast(&came_round);
}

/* Milliseconds until an answer is due; -1: none waits for its time. */
static int server_patience(void)
{
	int64_t least = -1, now_ms = real_ms();
	for (int i = 0; i < connection_count; i++) {
		const struct exchange *exchange = connections[i]->first;
		if (exchange == NULL || exchange->due_ms == 0 || how_now == FAKE_REDIS_SILENT ||
		    how_now == FAKE_REDIS_SLOW)
			continue;
		int64_t left = exchange->due_ms > now_ms ? exchange->due_ms - now_ms : 0;
		least = least < 0 || left < least ? left : least;
	}
	return (int)least;
}

static void server_wait(void)
{
	struct pollfd fds[CONNECTIONS_MAX + 2];
	eventfd_t many;
	nfds_t count = 0;
	pthread_mutex_lock(&lock);
	fds[count++] = (struct pollfd){ .fd = waking, .events = POLLIN };
	fds[count++] = (struct pollfd){ .fd = listening, .events = POLLIN };
	for (int i = 0; i < connection_count; i++)
		fds[count++] = (struct pollfd){
			.fd = connections[i]->closed ? -1 : connections[i]->fd,
			.events = (short)(POLLIN | (connections[i]->sending.length > 0 ? POLLOUT : 0)),
		};
	int patience = server_patience();
	pthread_mutex_unlock(&lock);
	poll(fds, count, patience);
	if ((fds[0].revents & POLLIN) != 0)
		eventfd_read(waking, &many);
}

static void *server_run(void *arg)
{
	bool goes_on = true;
	while (goes_on) {
		server_wait();
		pthread_mutex_lock(&lock);
		server_round();
		goes_on = !ending;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

/* Under the lock: the thread comes round once more, and has seen all that was sent before. */
static void server_ask(void)
{
	uint64_t round = ++rounds_asked;
	if (!running)
		return;
	eventfd_write(waking, 1);
	while (rounds_done < round)
		pthread_cond_wait(&came_round, &lock);
}

bool fake_redis_open(const char *path)
{
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= (int)sizeof address.sun_path)
		return false;
	how_now = how_next = FAKE_REDIS_FINE;
	waking = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waking < 0 || !server_listen())
		return false;
	running = pthread_create(&thread, NULL, server_run, NULL) == 0;
	return running;
}

void fake_redis_close(void)
{
	if (!running)
		return;
	pthread_mutex_lock(&lock);
	ending = true;
	eventfd_write(waking, 1);
	pthread_mutex_unlock(&lock);
	pthread_join(thread, NULL);
	running = ending = false;
	connections_end(true);
	redis_data_clear(&data);
	if (listening >= 0)
		close(listening);
	close(waking);
	unlink(address.sun_path);
}

/* ---- the scenario's side */

void fake_redis_is(enum fake_redis how, const char *error)
{
	pthread_mutex_lock(&lock);
	server_ask(); /* as it was */
	snprintf(error_now, sizeof error_now, "%s", error);
	how_next = how;
	server_ask();
	pthread_mutex_unlock(&lock);
}

int fake_redis_catch_up(void)
{
	pthread_mutex_lock(&lock);
	server_ask();
	int count = taken;
	pthread_mutex_unlock(&lock);
	return count;
}

int fake_redis_plans_read(void)
{
	pthread_mutex_lock(&lock);
	int count = plans_read;
	pthread_mutex_unlock(&lock);
	return count;
}

int fake_redis_in_flight(void)
{
	int count = 0;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < connection_count; i++)
		for (const struct exchange *at = connections[i]->first; at != NULL && !connections[i]->closed;
		     at = at->next)
			count++;
	pthread_mutex_unlock(&lock);
	return count;
}

/* ---- commands of the scenario's own */

static void reply_add(struct fake_reply *reply, const char *item, size_t length)
{
	reply->items = realloc(reply->items, (size_t)(reply->count + 1) * sizeof reply->items[0]);
	reply->lengths = realloc(reply->lengths, (size_t)(reply->count + 1) * sizeof reply->lengths[0]);
	char *copy = item != NULL ? calloc(1, length + 1) : NULL;
	if (reply->items == NULL || reply->lengths == NULL || (item != NULL && copy == NULL))
		abort();
	if (item != NULL && length > 0)
		memcpy(copy, item, length);
	reply->items[reply->count] = copy;
	reply->lengths[reply->count++] = item != NULL ? length : 0;
}

/* An answer of our own: it is whole and well formed. */
static void reply_read(struct fake_reply *reply, const struct fake_bytes *out)
{
	const char *end = out->at + out->length;
	for (const char *at = out->at; at < end;) {
		const char *line = at + 1, *behind = strstr(line, "\r\n") + 2;
		size_t length = (size_t)(behind - 2 - line);
		long long count = strtoll(line, NULL, 10);
		char type = *at;
		at = behind;
		if (type == '-')
			snprintf(reply->error, sizeof reply->error, "%.*s", (int)length, line);
		else if (type == '+' || type == ':')
			reply_add(reply, line, length);
		else if (type == '$' && count < 0)
			reply_add(reply, NULL, 0);
		if (type != '$' || count < 0)
			continue;
		reply_add(reply, at, (size_t)count);
		at += count + 2;
	}
}

void fake_redis_command(int argc, const char *const *argv, struct fake_reply *reply_out)
{
	struct fake_bytes request = { 0 };
	struct redis_session session;
	*reply_out = (struct fake_reply){ .error = "" };
	fake_bytes_addf(&request, "*%d\r\n", argc);
	for (int i = 0; i < argc; i++) {
		fake_bytes_addf(&request, "$%zu\r\n", strlen(argv[i]));
		fake_bytes_add(&request, argv[i], strlen(argv[i]));
		fake_bytes_add(&request, "\r\n", 2);
	}
	pthread_mutex_lock(&lock);
	redis_session_open(&session, &data);
	redis_session_feed(&session, request.at, request.length);
	pthread_mutex_unlock(&lock);
	reply_read(reply_out, &session.out);
	redis_session_close(&session);
	fake_bytes_free(&request);
}

void fake_redis_set(const char *key, const void *bytes, size_t length)
{
	struct redis_key *set;
	struct fake_word name = { key, strlen(key) };
	pthread_mutex_lock(&lock);
	if ((set = redis_find(&data, 0, name)) != NULL)
		redis_remove(&data, set);
	fake_bytes_set(&redis_get(&data, 0, name, REDIS_STRING)->string, bytes, length);
	pthread_mutex_unlock(&lock);
}

void fake_reply_free(struct fake_reply *reply)
{
	for (int i = 0; i < reply->count; i++)
		free(reply->items[i]);
	free(reply->items);
	free(reply->lengths);
	*reply = (struct fake_reply){ .error = "" };
}

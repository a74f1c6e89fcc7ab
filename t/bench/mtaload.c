/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mtaload: a load generator that plays the MTA's side of the milter protocol. `mtaload --help` lists its options.
 *
 * Exit status: 0 all messages got an answer; 1 time-out, lost connections or broken protocol; 2 wrong options.
 */
#include "t/bench/load.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { EVENTS_MAX = 256, FAILURES_MAX = 1000, EXIT_RUN = 1, EXIT_USAGE = 2 };

/* option, member, default, least, most, help */
#define NUMBER_ROWS(ROW) \
	ROW("sessions", sessions, 64, 1, 100000, "sessions at once") \
	ROW("messages", messages, 1000, 0, 100000000, "messages in all") \
	ROW("per-session", per_session, 1, 1, 1000000, "messages in one session") \
	ROW("rcpts", rcpts, 1, 1, 1000000, "recipients of a message") \
	ROW("size", size, 4096, 0, 1000000000, "bytes of a message's body") \
	ROW("accounts", accounts, 100, 1, 100000000, "logins that take turns, session by session") \
	ROW("first-account", first_account, 0, 0, 1000000000, "number of the first login") \
	ROW("clients", clients, 100, 1, 131072, "client addresses that take turns") \
	ROW("port", port, 20000, 1024, 65000, "client port of the first session") \
	ROW("idle", idle, 0, 0, 100000, "sessions that say hello and then nothing") \
	ROW("hold", hold, 0, 0, 86400, "seconds that these stay after the run") \
	ROW("timeout", timeout, 300, 1, 86400, "seconds after which the run is given up")

struct number_row {
	const char *name;
	size_t offset;
	int64_t usual, least, most;
	const char *help;
};

static const struct number_row number_rows[] = {
#define NUMBER_ROW(name, member, usual, least, most, help) \
	{ name, offsetof(struct load_options, member), usual, least, most, help },
	NUMBER_ROWS(NUMBER_ROW)
#undef NUMBER_ROW
};

enum { NUMBER_COUNT = sizeof(number_rows) / sizeof(number_rows[0]) };

static volatile sig_atomic_t stop_asked;

static void on_stop(int signal)
{
	(void)signal;
	stop_asked = 1;
}

int64_t load_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void print_help(FILE *to)
{
	fprintf(to, "usage: mtaload --socket unix:/path|inet:address:port [options]\n");
	for (int i = 0; i < NUMBER_COUNT; i++)
		fprintf(to, "  --%-14s N  %s (%lld)\n", number_rows[i].name, number_rows[i].help,
			(long long)number_rows[i].usual);
	fprintf(to, "  --%-14s    %s\n", "json", "one line of JSON instead of text");
	fprintf(to, "With --hold, TERM ends the waiting.\n");
}

static int64_t *number_at(struct load_options *options, const struct number_row *row)
{
	return (int64_t *)(void *)((char *)options + row->offset);
}

static bool read_number(struct load_options *options, const struct number_row *row, const char *text)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < row->least || value > row->most) {
		fprintf(stderr, "mtaload: --%s is \"%s\"; expected a number from %lld to %lld\n", row->name, text,
			(long long)row->least, (long long)row->most);
		return false;
	}
	*number_at(options, row) = value;
	return true;
}

enum { OPTION_SOCKET = NUMBER_COUNT, OPTION_JSON, OPTION_HELP, OPTION_COUNT };

/* 0 to go on, else the exit status plus one. */
static int read_options(struct load_options *options, int argc, char **argv)
{
	struct option names[OPTION_COUNT + 1] = {
		[OPTION_SOCKET] = { "socket", required_argument, NULL, OPTION_SOCKET },
		[OPTION_JSON] = { "json", no_argument, NULL, OPTION_JSON },
		[OPTION_HELP] = { "help", no_argument, NULL, OPTION_HELP },
	};
	int found;

	for (int i = 0; i < NUMBER_COUNT; i++) {
		names[i] = (struct option){ number_rows[i].name, required_argument, NULL, i };
		*number_at(options, &number_rows[i]) = number_rows[i].usual;
	}
	while ((found = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (found == OPTION_HELP) {
			print_help(stdout);
			return 1;
		}
		if (found == OPTION_SOCKET)
			options->socket = optarg;
		else if (found == OPTION_JSON)
			options->json = true;
		else if (found == '?' || !read_number(options, &number_rows[found], optarg))
			return EXIT_USAGE + 1;
	}
	if (options->socket == NULL || optind != argc) {
		print_help(stderr);
		return EXIT_USAGE + 1;
	}
	return 0;
}

/* The soft limit of descriptors is often 1,024. */
static bool raise_descriptors(int64_t needed)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= (rlim_t)needed + 16)
		return true;
	fprintf(stderr, "mtaload: %lld sessions need as many descriptors; the limit (ulimit -n) is %lld\n",
		(long long)needed, (long long)limit.rlim_cur);
	return false;
}

/* Words of no language, in lines, and the same in each run. Each message takes its piece from a place of its own: one
 * text of a thousand accounts would be a campaign. */
static char *make_body(int64_t size)
{
	uint64_t random = 88172645463325252u;
	char *body = malloc((size_t)size + BODY_SPREAD + 1);

	for (int64_t i = 0; body != NULL && i < size + BODY_SPREAD; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		unsigned lot = (unsigned)(random >> 33) % 32;
		body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : lot < 26 ? (char)('a' + lot) : ' ';
	}
	return body;
}

static bool load_prepare(struct load *load)
{
	int64_t count = load->options.sessions + load->options.idle;
	char error[256];

	if (!endpoint_parse(load->options.socket, &load->endpoint, error, sizeof(error))) {
		fprintf(stderr, "mtaload: --socket: %s\n", error);
		return false;
	}
	if (!raise_descriptors(count))
		return false;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->sessions = calloc((size_t)count, sizeof(load->sessions[0]));
	load->latency_us = calloc((size_t)load->options.messages + 1, sizeof(load->latency_us[0]));
	load->body = make_body(load->options.size);
	if (load->epoll < 0 || load->sessions == NULL || load->latency_us == NULL || load->body == NULL) {
		fprintf(stderr, "mtaload: out of memory or descriptors at start\n");
		return false;
	}
	for (int64_t i = 0; i < count; i++) {
		load->sessions[i].load = load;
		load->sessions[i].fd = -1;
		load->sessions[i].idle = i >= load->options.sessions;
	}
	load->start_s = (int64_t)time(NULL);
	load->process = getpid();
	load_default_macros(load);
	return true;
}

static void open_waiting(struct load *load)
{
	load->refused = false;
	while (load->to_open != NULL && !load->refused) {
		struct session *session = load->to_open;

		load->to_open = session->next;
		session_open(session);
	}
}

static bool gave_up(const struct load *load)
{
	return stop_asked || load->tally.connect_failures > FAILURES_MAX;
}

static void turn(struct load *load, int most_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int count;

	open_waiting(load);
	count = epoll_wait(load->epoll, events, EVENTS_MAX, load->refused ? 1 : most_ms);
	for (int i = 0; i < count; i++)
		session_ready(events[i].data.ptr, events[i].events);
}

static void open_range(struct load *load, int64_t from, int64_t to)
{
	for (int64_t i = from; i < to; i++)
		session_want_open(&load->sessions[i]);
}

/* False: time-out, or given up. */
static bool run_idle(struct load *load, int64_t deadline_us)
{
	int64_t lost = 0;

	load->to_open = NULL;
	open_range(load, load->options.sessions, load->options.sessions + load->options.idle);
	while (load->idle_ready + lost < load->options.idle) {
		if (gave_up(load) || load_now_us() > deadline_us)
			return false;
		turn(load, 100);
		lost = (int64_t)load->tally.idle_lost;
	}
	return true;
}

static bool run_messages(struct load *load, int64_t deadline_us)
{
	load->to_open = NULL;
	open_range(load, 0, load->options.sessions);
	while (load->done < load->options.messages) {
		if (gave_up(load) || load_now_us() > deadline_us)
			return false;
		turn(load, 100);
	}
	return true;
}

static void hold(struct load *load)
{
	int64_t deadline_us = load_now_us() + load->options.hold * 1000000;

	while (!stop_asked && load_now_us() < deadline_us)
		turn(load, 100);
}

static void load_free(struct load *load)
{
	for (int64_t i = 0; i < load->options.sessions + load->options.idle; i++) {
		session_close(&load->sessions[i]);
		buffer_release(&load->sessions[i].in);
		buffer_release(&load->sessions[i].out);
	}
	free(load->sessions);
	free(load->latency_us);
	free(load->body);
	close(load->epoll);
}

static int run(struct load *load)
{
	int64_t began_us = load_now_us();
	int64_t deadline_us = began_us + load->options.timeout * 1000000;
	bool whole = run_idle(load, deadline_us);
	const struct tally *tally = &load->tally;

	began_us = load_now_us();
	whole = whole && run_messages(load, deadline_us);
	load_report(load, (double)(load_now_us() - began_us) / 1e6, !whole && !gave_up(load), stdout);
	if (whole)
		hold(load);
	if (!whole || tally->outcomes[OUTCOME_LOST] > 0 || tally->protocol_errors > 0 || tally->idle_lost > 0)
		return EXIT_RUN;
	return 0;
}

int main(int argc, char **argv)
{
	static struct load load;
	struct sigaction stop = { .sa_handler = on_stop };
	int status = read_options(&load.options, argc, argv);

	if (status != 0)
		return status - 1;
	if (!load_prepare(&load))
		return EXIT_USAGE;
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	status = run(&load);
	load_free(&load);
	return status;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A scan over a socket, against a scanner of the test's own on loopback.
 */
#include "milter/content/scan.h"

#include "milter/base/clock.h"
#include "milter/base/loop.h"
#include "t/unit/tap.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

static char request[2000];

/* One client: reads what it sends up to its end, and replies. */
static void *serve(void *arg)
{
	static const char reply[] =
		"SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\nSpam: False ; 1.5 / 5.0\r\n\r\nFAKE_RULE";
	int fd = accept(*(const int *)arg, NULL, NULL);
	size_t length = 0;
	for (ssize_t got; (got = read(fd, request + length, sizeof request - 1 - length)) > 0;)
		length += (size_t)got;
	request[length] = '\0';
	if (write(fd, reply, sizeof reply - 1) < 0)
		printf("# no reply\n");
	close(fd);
	return NULL;
}

static int listen_on(struct scanner *scanner)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t length = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ok(fd >= 0 && bind(fd, (const struct sockaddr *)&address, length) == 0 && listen(fd, 5) == 0 &&
		   getsockname(fd, (struct sockaddr *)&address, &length) == 0,
	   "the scanner listens");
	snprintf(scanner->address, sizeof scanner->address, "127.0.0.1:%d", ntohs(address.sin_port));
	return fd;
}

static void test_message(struct loop *loop, const char *message, size_t length, const char *end)
{
	struct scanner scanner = { .name = "s", .kind = SCANNER_SPAMD, .max_size = 1000, .timeout_ms = DEADLINE_MS };
	struct content content;
	pthread_t server;
	int fd = listen_on(&scanner);
	pthread_create(&server, NULL, serve, &fd);
	struct scan *scan = scan_start(loop, &scanner, "alice", message, length);
	scan_collect(scan, clock_monotonic_ms() + DEADLINE_MS, &content);
	scan_release(&scan);
	pthread_join(server, NULL);
	close(fd);
	is_int(content.known, KNOWLEDGE_FULL, "a message of %zu bytes has an answer", length);
	is_near(content.score, 1.5, 0, "... its score");
	size_t seen = strlen(request), want = strlen(end);
	ok(seen >= want && strcmp(request + seen - want, end) == 0, "... and was sent as it is: %s", request);
}

/* One that is not there, once; then of how many failures in a row the loop thread knows. */
static void fail_once(struct loop *loop, const struct scanner *scanner)
{
	struct content content;
	struct scan *scan = scan_start(loop, scanner, "alice", "A: b\r\n\r\n", 8);
	scan_collect(scan, clock_monotonic_ms() + DEADLINE_MS, &content);
	scan_release(&scan);
}

struct question {
	struct loop_job job; /* first */
	const struct scanner *scanner;
	uint64_t failures;
	atomic_bool done;
};

static void on_question(struct loop_job *job)
{
	struct question *question = (struct question *)job;
	question->failures = scan_failures(question->scanner);
	atomic_store(&question->done, true);
}

static long long failures_of(struct loop *loop, const struct scanner *scanner)
{
	struct question question = { .job.run = on_question, .scanner = scanner };
	loop_post(loop, &question.job);
	while (!atomic_load(&question.done))
		sched_yield();
	return (long long)question.failures;
}

static void test_failures(struct loop *loop)
{
	struct scanner gone = {
		.name = "gone", .address = "unix:/nowhere/at/all", .max_size = 1000, .timeout_ms = DEADLINE_MS
	};
	struct scanner moved = gone, other = gone;
	snprintf(moved.address, sizeof moved.address, "unix:/nowhere/else");
	snprintf(other.name, sizeof other.name, "other");
	for (int i = 0; i < 7; i++)
		fail_once(loop, &gone);
	is_int(failures_of(loop, &gone), 7, "one that failed seven times");
	is_int(failures_of(loop, &moved), 0, "is not the same at another address");
	is_int(failures_of(loop, &other), 0, "nor under another name");
	for (int i = 0; i < 20; i++) {
		snprintf(moved.address, sizeof moved.address, "unix:/nowhere/%d", i);
		fail_once(loop, &moved);
		fail_once(loop, &gone);
	}
	is_int(failures_of(loop, &gone), 27, "others that come and go take its row not away while it is used");
	is_int(failures_of(loop, &moved), 1, "and have rows of their own");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	struct loop *loop = loop_new();
	ok(loop != NULL && loop_start(loop), "the loop runs");
	test_message(loop, "A: b\r\n\r\nc\r\n", 11, "\r\nUser: alice\r\n\r\nA: b\r\n\r\nc\r\n");
	test_message(loop, NULL, 0, "\r\nContent-length: 0\r\nUser: alice\r\n\r\n"); /* neither header nor body */
	test_failures(loop);
	loop_stop(loop);
	loop_free(&loop);
	return done_testing();
}

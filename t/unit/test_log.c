/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Logs that nobody reads, that hang, that are away and come back. Each in a process of its own, which ends by an alarm
 * where a line is waited for. /dev/log is one of this process's own, in a namespace: without the right to that it is
 * not looked at.
 */
#include "milter/base/log.h"

#include "policy/base/panic.h"
#include "t/unit/tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINES = 60000, HANGS_S = 30 };

static char filler[201];

static void log_numbers(int from, int to)
{
	for (int i = from; i < to; i++)
		log_line(SEVERITY_INFO, "line %d %s", i, filler);
}

/* Runs `what` with a pipe as standard error, which may be full; hands over its reading end, and that of a pipe on which
 * `what` tells how far it is. */
static pid_t begin(void (*what)(int tell), bool full, int *read_out, int *told_out)
{
	int log[2], told[2];
	if (pipe(log) != 0 || pipe(told) != 0)
		exit(1);
	fcntl(log[1], F_SETPIPE_SZ, 65536);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(HANGS_S);
		signal(SIGPIPE, SIG_IGN);
		dup2(log[1], STDERR_FILENO);
		close(log[0]);
		close(log[1]);
		close(told[0]);
		if (full) {
			fcntl(STDERR_FILENO, F_SETFL, O_NONBLOCK);
			while (write(STDERR_FILENO, "x\n", 2) > 0) {
			}
			fcntl(STDERR_FILENO, F_SETFL, 0);
		}
		what(told[1]);
		_exit(0);
	}
	close(log[1]);
	close(told[1]);
	*read_out = log[0];
	*told_out = told[0];
	return pid;
}

static int end_of(pid_t pid)
{
	int status = -1;
	waitpid(pid, &status, 0);
	return status;
}

/* Reads lines up to `ended`, and looks whether their numbers are in order; what lines say is lost is no gap. */
static void look(FILE *from, int *seen_out, long long *lost_out, int *broken_out)
{
	char line[1000];
	long long number, next = 0, lost;
	*seen_out = *broken_out = 0;
	*lost_out = 0;
	while (fgets(line, sizeof line, from) != NULL) {
		if (sscanf(line, "line %lld", &number) == 1) {
			*broken_out += number != next || strlen(line) < sizeof filler;
			next = number + 1;
			++*seen_out;
		} else if (sscanf(line, "warning: log: %lld lines are lost here", &lost) == 1) {
			*lost_out += lost;
			next += lost;
		} else if (strcmp(line, "x\n") != 0) {
			++*broken_out;
			printf("# %s", line);
		}
	}
}

/* ---- standard error */

static void child_full(int tell)
{
	log_open(LOG_TO_STDERR, FACILITY_MAIL);
	log_start();
	log_numbers(0, LINES);
	if (log_stats().lost == 0 || log_stats().waiting == 0)
		_exit(4);
	if (write(tell, "", 1) != 1) /* now somebody reads */
		_exit(5);
	while (log_stats().unsaid > 0 || log_stats().waiting > 0)
		poll(NULL, 0, 5);
	log_numbers(LINES, LINES + 10);
	log_end();
}

static void test_full(void)
{
	int fd, told, seen, broken;
	long long lost;
	pid_t pid = begin(child_full, true, &fd, &told);
	char byte;
	is_int(read(told, &byte, 1), 1, "who logs does not wait for a pipe that nobody reads");
	FILE *from = fdopen(fd, "r");
	look(from, &seen, &lost, &broken);
	is_int(end_of(pid), 0, "... and ends");
	is_int(broken, 0, "what is read of it later is whole and in order, with a line where some are lost");
	is_int(seen + lost, LINES + 10, "%d lines came and %lld are lost", seen, lost);
	ok(lost > 0 && seen > 10000, "as many wait as may");
	fclose(from);
	close(told);
}

static void child_ends(int tell)
{
	(void)tell;
	log_open(LOG_TO_STDERR, FACILITY_MAIL);
	log_start();
	log_numbers(0, 100);
	log_end();
}

static void test_end(void)
{
	int fd, told, seen, broken;
	long long lost;
	pid_t pid = begin(child_ends, true, &fd, &told);
	is_int(end_of(pid), 0, "one that is never read does not keep the daemon from its end");
	close(fd);
	close(told);
	pid = begin(child_ends, false, &fd, &told);
	FILE *from = fdopen(fd, "r");
	look(from, &seen, &lost, &broken);
	is_int(end_of(pid), 0, "the end");
	is_int(seen, 100, "what waits at the end is written");
	fclose(from);
	close(told);
	pid = begin(child_ends, false, &fd, &told);
	close(fd);
	is_int(end_of(pid), 0, "a pipe whose reader is gone");
	close(told);
}

static void child_panics(int tell)
{
	(void)tell;
	log_open(LOG_TO_STDERR, FACILITY_MAIL);
	log_start();
	log_numbers(0, 3);
	panic_at("here.c", 7, "it must not be");
}

static void test_panic(void)
{
	int fd, told;
	char text[2000] = "";
	size_t length = 0;
	pid_t pid = begin(child_panics, false, &fd, &told);
	for (ssize_t got; (got = read(fd, text + length, sizeof text - 1 - length)) > 0;)
		length += (size_t)got;
	int status = end_of(pid);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "a panic ends it");
	ok(strstr(text, "line 2 ") != NULL && strstr(text, "panic: here.c:7: it must not be\n") != NULL,
	   "and its line is written, behind those before");
	close(fd);
	close(told);
	pid = begin(child_panics, true, &fd, &told);
	status = end_of(pid);
	ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "also where nobody reads");
	close(fd);
	close(told);
}

/* ---- syslogd */

static int listen_at_dev_log(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	unlink("/dev/log");
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		_exit(6);
	return fd;
}

/* The next datagram, without its head; "" : none came. */
static const char *receive(int fd)
{
	static char datagram[9000];
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	datagram[0] = '\0';
	if (poll(&ready, 1, HANGS_S * 500) <= 0)
		return datagram;
	ssize_t length = recv(fd, datagram, sizeof datagram - 1, 0);
	datagram[length > 0 ? length : 0] = '\0';
	char *text = strstr(datagram, "]: ");
	if ((strncmp(datagram, "<22>", 4) != 0 && strncmp(datagram, "<20>", 4) != 0 &&
	     strncmp(datagram, "<19>", 4) != 0) ||
	    strstr(datagram, " penstock[") == NULL)
		printf("# a strange head: %.100s\n", datagram);
	return text != NULL ? text + 3 : datagram;
}

static bool have_own_dev(void)
{
	return (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
	       mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("none", "/dev", "tmpfs", 0, NULL) == 0;
}

static void child_syslog(int tell)
{
	(void)tell;
	char text[40];
	if (!have_own_dev()) {
		printf("# no namespace of our own: syslog is not looked at\n");
		fflush(stdout);
		return;
	}
	int syslogd = listen_at_dev_log();
	log_open(LOG_TO_SYSLOG, FACILITY_MAIL);
	log_start();
	log_numbers(0, LINES); /* it does not read */
	if (log_stats().lost == 0)
		_exit(8);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "line %d ", i);
		if (strncmp(receive(syslogd), text, strlen(text)) != 0)
			_exit(9);
	}
	close(syslogd); /* its end, with what it had not read, and a new one */
	syslogd = listen_at_dev_log();
	const char *line = "";
	while (strstr(line, "lines are lost here") == NULL)
		if (*(line = receive(syslogd)) == '\0')
			_exit(10);
	while (log_stats().waiting > 0)
		poll(NULL, 0, 5);
	log_line(SEVERITY_INFO, "behind it all");
	if (strcmp(receive(syslogd), "behind it all") != 0)
		_exit(11);
	close(syslogd);
	log_line(SEVERITY_INFO, "while it is away");
	syslogd = listen_at_dev_log();
	if (strcmp(receive(syslogd), "while it is away") != 0)
		_exit(12);
	log_end();
}

/* In the background there is no standard error. */
static void child_panics_to_syslog(int tell)
{
	(void)tell;
	int status = 0;
	if (!have_own_dev()) {
		printf("# no namespace of our own: syslog is not looked at\n");
		fflush(stdout);
		return;
	}
	int syslogd = listen_at_dev_log();
	pid_t pid = fork();
	if (pid == 0) {
		close(STDERR_FILENO);
		log_open(LOG_TO_SYSLOG, FACILITY_MAIL);
		log_start();
		log_line(SEVERITY_INFO, "before it");
		panic_at("here.c", 7, "it must not be");
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
		_exit(8);
	if (strcmp(receive(syslogd), "before it") != 0)
		_exit(9);
	if (strcmp(receive(syslogd), "error: panic: here.c:7: it must not be") != 0)
		_exit(10);
	close(syslogd);
}

static void test_syslog(void)
{
	int fd, told;
	pid_t pid = begin(child_syslog, false, &fd, &told);
	is_int(end_of(pid), 0, "a syslogd that hangs, ends and is there again stops nobody, and has the lines");
	close(fd);
	close(told);
	pid = begin(child_panics_to_syslog, false, &fd, &told);
	is_int(end_of(pid), 0, "a panic without standard error is in syslog, behind the line before it");
	close(fd);
	close(told);
}

int main(void)
{
	memset(filler, 'f', sizeof filler - 1);
	test_full();
	test_end();
	test_panic();
	test_syslog();
	return done_testing();
}

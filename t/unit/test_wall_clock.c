/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The wall clock is an hour ahead of what it becomes: nobody who waits for a second waits for that hour.
 */
#include "milter/base/clock.h"
#include "milter/record/factlog.h"
#include "milter/base/log.h"
#include "milter/tell/courier.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MOST_MS = 10000 };

/* Takes the place of libc's for the whole program; waits of the kernel's are by the true clock. */
int clock_gettime(clockid_t which, struct timespec *now)
{
	int result = (int)syscall(SYS_clock_gettime, which, now);
	if (which == CLOCK_REALTIME)
		now->tv_sec += 3600;
	return result;
}

static bool comes(bool (*is_there)(void))
{
	int64_t until = clock_monotonic_ms() + MOST_MS;
	while (!is_there() && clock_monotonic_ms() < until)
		usleep(10000);
	return is_there();
}

/* ---- the file of facts */

static char file[] = "/tmp/penstock-wall-clock-XXXXXX";

static bool has_line(void)
{
	FILE *from = fopen(file, "r");
	int first = from != NULL ? getc(from) : EOF;
	if (from != NULL)
		fclose(from);
	return first != EOF;
}

static void test_facts(void)
{
	static struct config config;
	char error[300] = "";
	int fd = mkstemp(file);
	config.set.facts_file = file;
	config.set.facts_salt = "";
	ok(fd >= 0 && factlog_open(&config, error, sizeof error), "a file of facts: %s", error);
	usleep(100000); /* its thread waits for lines */
	factlog_feedback("alice@example.org", COUNTER_TRAPS, 1, 1000);
	ok(comes(has_line), "a line is written");
	factlog_close();
	close(fd);
	unlink(file);
}

/* ---- a courier */

static atomic_int tries;

static enum courier_said send_second(const struct parcel *parcel, const atomic_bool *stop,
				     struct courier_answer *answer)
{
	(void)parcel, (void)stop, (void)answer;
	return atomic_fetch_add(&tries, 1) == 0 ? COURIER_LATER : COURIER_TAKEN;
}

static bool was_taken(void)
{
	return atomic_load(&tries) == 2;
}

static void test_courier(void)
{
	struct courier *courier = courier_new("webhook", send_second, NULL);
	courier_take(courier, calloc(1, sizeof(struct parcel) + 1), 10);
	ok(comes(was_taken), "what was not taken is tried again");
	courier_stop(courier);
	courier_free(&courier);
}

/* ---- the log's end */

static void test_log(void)
{
	int pipe_fds[2], held = dup(STDERR_FILENO);
	ok(pipe(pipe_fds) == 0 && dup2(pipe_fds[1], STDERR_FILENO) >= 0, "nobody reads the log");
	log_open(LOG_TO_STDERR, FACILITY_MAIL);
	log_start();
	for (int i = 0; i < 20000; i++)
		log_line(SEVERITY_INFO, "a line of which nobody takes any notice");
	int64_t began_ms = clock_monotonic_ms();
	log_end();
	ok(clock_monotonic_ms() - began_ms < MOST_MS, "its end does not wait for it");
	dup2(held, STDERR_FILENO);
}

int main(void)
{
	alarm(60); /* a wait of an hour fails the program */
	test_facts();
	test_courier();
	test_log();
	printf("1..%d\n", tap_count);
	fflush(stdout);
	_exit(tap_failed > 0); /* the log's thread hangs */
}

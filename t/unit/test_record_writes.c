/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose last write a record keeps.
 */
#include "redis-schema/account_record.h"
#include "t/unit/tap.h"

static uint64_t daemon_of(uint64_t i)
{
	return record_daemon(8 * i);
}

static uint64_t follower_of(uint64_t i)
{
	return record_follower(8 * i);
}

static uint64_t passing_of(uint64_t i)
{
	return record_passing(8 * i);
}

static void sign(struct account_record *record, uint64_t writer, uint64_t number)
{
	record_sign(record, (struct record_write){ writer, number });
}

static void test_writes(void)
{
	struct account_record record = { .writes = { { 0, 0 } } };
	is_int((long long)record_last(&record, 0), 0, "nobody has written");
	for (uint64_t i = 1; i <= RECORD_DAEMONS; i++)
		sign(&record, daemon_of(i), 10 * i);
	sign(&record, daemon_of(3), 99);
	is_int((long long)record.writes[0].writer, (long long)daemon_of(3), "who has written is the newest");
	is_int((long long)record_last(&record, daemon_of(3)), 99, "once");
	is_int((long long)record_last(&record, daemon_of(1)), 10, "nobody gives way for it");
	sign(&record, daemon_of(77), 1);
	is_int((long long)record_last(&record, daemon_of(1)), 0, "for one more the one that is longest ago does");
	is_int((long long)record_last(&record, daemon_of(2)), 20, "and no other");
	is_int((long long)record_last(&record, daemon_of(78)), 0, "of a writer that is not there none is kept");
}

static void credit(struct account_record *record, uint64_t host, uint64_t number)
{
	sign(record, follower_of(host), number);
	sign(record, passing_of(host), number);
}

static int count_writes(const struct account_record *record)
{
	int count = 0;
	while (count < RECORD_WRITERS && record->writes[count].writer != 0)
		count++;
	return count;
}

/* Five hosts with a daemon and a follower each; daemons are started anew a hundred times between two credits. */
static void test_followers(void)
{
	struct account_record record = { .writes = { { 0, 0 } } };
	for (uint64_t host = 1; host <= 5; host++) {
		sign(&record, daemon_of(host), 1);
		credit(&record, host, 100 * host);
	}
	is_int((long long)record.writes[0].writer, (long long)passing_of(5), "a passing name is the head");
	is_int(count_writes(&record), 11, "and there is one of these: five daemons, five followers and it");
	for (uint64_t start = 1; start <= 100; start++)
		for (uint64_t host = 1; host <= 5; host++)
			sign(&record, daemon_of(1000 * start + host), start);
	bool all = true;
	for (uint64_t host = 1; host <= 5; host++)
		all = all && record_last(&record, follower_of(host)) == 100 * host;
	ok(all, "no daemon takes a follower's place");
	is_int(count_writes(&record), 13,
	       "five followers and the eight daemons that wrote last; the passing name is gone");
	sign(&record, daemon_of(1), 7);
	for (uint64_t i = 0; i < 50; i++)
		credit(&record, 1 + i % 5, 1000 + i);
	is_int((long long)record_last(&record, daemon_of(1)), 7, "no follower takes a daemon's");
	is_int((long long)record_last(&record, follower_of(5)), 1049, "and each of them has its last");
	for (uint64_t host = 6; host <= 9; host++)
		credit(&record, host, 1);
	is_int((long long)record_last(&record, follower_of(1)), 0,
	       "a ninth follower takes the place of the one longest ago");
	is_int((long long)record_last(&record, follower_of(2)), 1046, "and of no other");
	ok((record_daemon(0) & 1) == 1 && (record_follower(UINT64_MAX) & 3) == 2 && record_follower(0) != 0 &&
		   record_passing(0) != 0 && (record_passing(UINT64_MAX) & 3) == 0,
	   "a name says whose it is, and is one");
	ok(record_follower(UINT64_MAX) < UINT64_C(1) << 40 && record_passing(UINT64_MAX) < UINT64_C(1) << 40,
	   "of 40 bits");
}

int main(void)
{
	test_writes();
	test_followers();
	return done_testing();
}

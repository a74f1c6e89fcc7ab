/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Members of the list of held messages: what is one is written as it was read.
 */
#include "milter/held.h"

#include "t/unit/tap.h"

static void test_members(void)
{
	static const struct {
		const char *member;
		bool ours;
	} rows[] = {
		{ "mx1 ABCDE12345 1T4Q9M-2K0B7F alice@example.com", true },
		{ "mx1 4Zabcd12345 1T4Q9M-2K0B7F uid:33", true },
		{ "mx1 ABCDE12345 1T4Q9M-2K0B7F alice@example.com ", false },
		{ "mx1 ABCDE12345 1T4Q9M-2K0B7F ", false },
		{ "mx1 ABCDE12345 1T4Q9M-2K0B7F", false },
		{ "mx1 ABCDE12345  1T4Q9M-2K0B7F alice", false },
		{ " mx1 ABCDE12345 1T4Q9M-2K0B7F alice", false },
		{ "mx1 -ABCDE12345 1T4Q9M-2K0B7F alice", false },
		{ "mx1 ABCD 1T4Q9M-2K0B7F alice", false },
		{ "mx1 ABCDE12345 none alice", false },
		{ "abcdefghijklmnopq ABCDE12345 1T4Q9M-2K0B7F alice", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct held held;
		char again[HELD_MEMBER_MAX + 1];
		bool ours = held_read(rows[i].member, &held);
		is_int(ours, rows[i].ours, "\"%s\"", rows[i].member);
		if (!ours)
			continue;
		held_write(&held, again);
		is_str(again, rows[i].member, "... and is written again");
	}
}

int main(void)
{
	test_members();
	return done_testing();
}

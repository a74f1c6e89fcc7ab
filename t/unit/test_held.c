/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Members of the list of held messages: what is one is written as it was read. And how the list is shown.
 */
#include "milter/ctl/held_commands.h"
#include "milter/record/held.h"

#include "t/unit/tap.h"

#include <stdlib.h>

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

static void test_release(void)
{
	/* clang-format off */
	static const struct {
		const char *until, *part;
	} rows[] = {
		{ "null", "by an admin" },
		{ "\"soon\"", "by an admin" },
		{ "4000000000", " in " },
		{ "1000000000", "due for " },
		{ "-9223372036854775808", "due for " },
		{ "253402300798", " in " },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char text[200], *shown = NULL;
		size_t size = 0;
		snprintf(text, sizeof text, "{\"held\":[{\"queue_id\":\"ABCDE\",\"until\":%s}]}", rows[i].until);
		json_t *answer = json_loads(text, 0, NULL);
		FILE *to = open_memstream(&shown, &size);
		show_held(answer, false, to);
		fclose(to);
		ok(strstr(shown, rows[i].part) != NULL, "until %s: %s", rows[i].until, shown);
		free(shown);
		json_decref(answer);
	}
}

int main(void)
{
	test_members();
	test_release();
	return done_testing();
}

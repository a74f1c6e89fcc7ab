/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/reference.h"

#include "milter/record/held.h"
#include "t/unit/tap.h"

static void test_made(void)
{
	char one[REFERENCE_MAX + 1], two[REFERENCE_MAX + 1], read[REFERENCE_MAX + 1];
	int64_t second = 0;
	reference_make(INT64_C(1767225600123), "a", one);
	reference_make(INT64_C(1767225600999), "a", two);
	is_int((long long)strlen(one), REFERENCE_MAX, "its length");
	ok(one[6] == '-', "a dash in the middle");
	ok(strcmp(one, two) != 0, "two of one second differ");
	ok(strncmp(one, two, 6) == 0, "... behind the dash, where one daemon made them");
	ok(reference_read(one, read, &second), "it is read again");
	is_str(read, one, "... as it was");
	is_int(second, 1767225600, "... with its second");
	reference_make(INT64_C(1767225600999), "b", two);
	ok(strcmp(one, two) != 0, "another daemon's differs");
	reference_make(INT64_C(4294967295999), "a", one);
	ok(reference_read(one, read, &second) && second == 4294967295, "the last second is that of 2106");
}

static void test_all_differ(void)
{
	enum { COUNT = 4096 };
	static char made[COUNT][REFERENCE_MAX + 1];
	int same = 0;
	for (int i = 0; i < COUNT; i++)
		reference_make(INT64_C(1767225600000), "a", made[i]);
	for (int i = 0; i < COUNT; i++)
		for (int j = 0; j < i; j++)
			same += strcmp(made[i], made[j]) == 0;
	is_int(same, 0, "%d of one second are all different", COUNT);
}

static void test_read(void)
{
	/* clang-format off */
	static const struct {
		const char *text, *read;	/* NULL: it is none */
	} rows[] = {
		{ "1T4Q9M-2K0B7F", "1T4Q9M-2K0B7F" }, { "1t4q9m-2k0b7f", "1T4Q9M-2K0B7F" },
		{ "1T4Q9M2K0B7F", "1T4Q9M-2K0B7F" },  { "IT4Q9M-2KOB7F", "1T4Q9M-2K0B7F" },
		{ "LT4Q9M-2K0B7F", "1T4Q9M-2K0B7F" }, { "1T4Q9M-2K0B7", NULL },
		{ "1T4Q9M-2K0B7FF", NULL },	      { "1T4Q9-M2K0B7F", NULL },
		{ "UT4Q9M-2K0B7F", NULL },
		{ "alice@example.com", NULL },	      { "", NULL },
		{ "-", NULL },			      { "1T4Q9M 2K0B7F", NULL },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char read[REFERENCE_MAX + 1] = "";
		int64_t second;
		bool fine = reference_read(rows[i].text, read, &second);
		ok(fine == (rows[i].read != NULL), "\"%s\" is %s", rows[i].text, rows[i].read != NULL ? "one" : "none");
		if (fine && rows[i].read != NULL)
			is_str(read, rows[i].read, "... this one");
	}
}

#define DIGITS_50 "01234567890123456789012345678901234567890123456789"

static void test_held(void)
{
	static const struct {
		const char *member;
		bool fine;
	} rows[] = {
		{ "a 4F2A1B3C9D 1T4Q9M-2K0B7F alice@example.com", true },
		{ "a 4F2 1T4Q9M-2K0B7F alice@example.com", false },
		{ "a 4F2A-1B3C9D 1T4Q9M-2K0B7F alice@example.com", false },
		{ "a 4dQQ9S2bV1zHmsBdkXWbR2K9z 1T4Q9M-2K0B7F alice@example.com", true },
		{ "a " DIGITS_50 DIGITS_50 " 1T4Q9M-2K0B7F alice@example.com", true }, /* QUEUE_ID_MOST */
		{ "a " DIGITS_50 DIGITS_50 "0 1T4Q9M-2K0B7F alice@example.com", false },
		{ "a 4F2A1B3C9D 1T4Q9M alice@example.com", false },
		{ "a 4F2A1B3C9D 1T4Q9M-2K0B7F", false },
		{ "a 4F2A1B3C9D 1T4Q9M-2K0B7F alice@example.com more", false },
		{ "sixteen-lettersx 4F2A1B3C9D 1T4Q9M-2K0B7F alice@example.com", true },
		{ "seventeen-letters 4F2A1B3C9D 1T4Q9M-2K0B7F alice@example.com", false },
		{ " 4F2A1B3C9D 1T4Q9M-2K0B7F alice@example.com", false },
		{ "", false },
		{ "a -d 1T4Q9M-2K0B7F alice", false },
		{ "a ALLALL;id 1T4Q9M-2K0B7F alice", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct held held;
		char member[HELD_MEMBER_MAX + 1];
		ok(held_read(rows[i].member, &held) == rows[i].fine, "\"%s\" is %s", rows[i].member,
		   rows[i].fine ? "a held message" : "none");
		if (!rows[i].fine)
			continue;
		held_write(&held, member);
		is_str(member, rows[i].member, "... and is written as it was read");
	}
}

int main(void)
{
	test_made();
	test_all_differ();
	test_read();
	test_held();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/base/text.h"

#include "t/unit/tap.h"

static void test_builder(void)
{
	char memory[8];
	memset(memory, 'x', sizeof memory);
	struct text text = text_over(memory, sizeof memory);
	is_str(memory, "", "a new text is empty");
	text_add(&text, "abc");
	text_addf(&text, "%d", 42);
	is_str(memory, "abc42", "strings and formats follow each other");
	ok(!text.cut && text.length == 5, "nothing was cut");
	text_add(&text, "defg");
	is_str(memory, "abc42de", "what does not fit is cut at the end");
	ok(text.cut && text.length == 7, "and noted");
	text_add(&text, "h");
	text_addf(&text, "%s", "i");
	text_add_bytes(&text, "j", 1);
	is_str(memory, "abc42de", "a full text stays as it is");

	text = text_over(memory, sizeof memory);
	text_addf(&text, "%s", "1234567");
	ok(!text.cut, "a format that just fits is not cut");
	text = text_over(memory, sizeof memory);
	text_addf(&text, "%s", "12345678");
	is_str(memory, "1234567", "a format is cut too");
	ok(text.cut && text.length == 7, "and noted");

	text = text_over(memory, 1);
	text_add(&text, "a");
	ok(memory[0] == '\0' && text.cut, "one byte of memory holds the NUL alone");
	text = text_over(memory, sizeof memory);
	text_add_bytes(&text, "ab", 0);
	is_str(memory, "", "no bytes add nothing");
}

static void test_word(void)
{
	static const struct {
		const char *from, *want;
	} rows[] = {
		{ "", "" },
		{ "plain-word_1.2@x", "plain-word_1.2@x" },
		{ "two words", "two_words" },
		{ "one, two", "one;_two" },
		{ "a\"b\\c", "a?b?c" },
		{ "a\r\nb\tc\x01\x7f", "a??b?c??" },
		{ "\xc3\xa4", "??" },
		{ "%s%n", "%s%n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char memory[64];
		struct text text = text_over(memory, sizeof memory);
		text_add_word(&text, rows[i].from);
		is_str(memory, rows[i].want, "one word: %s", rows[i].want);
	}
}

static void test_noun(void)
{
	is_str(text_noun(1, "entry", "entries"), "entry", "1 entry");
	is_str(text_noun(0, "entry", "entries"), "entries", "0 entries");
	is_str(text_noun(2, "entry", "entries"), "entries", "2 entries");
}

static void test_copy(void)
{
	char to[4];
	ok(text_copy(to, sizeof to, "abc"), "a string that fits is copied whole");
	is_str(to, "abc", "byte for byte");
	ok(!text_copy(to, sizeof to, "abcd"), "a longer one is not");
	is_str(to, "abc", "its head is there");
	ok(text_copy(to, 1, ""), "the empty string fits into one byte");
}

static void test_numbers(void)
{
	static const struct {
		const char *text;
		bool good;
		int64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "7", true, 7 },
		{ "007", true, 7 },
		{ "-7", true, -7 },
		{ "-0", true, 0 },
		{ "1000", true, 1000 },
		{ "-1000", true, -1000 },
		{ "1001", false, 0 },
		{ "-1001", false, 0 },
		{ "", false, 0 },
		{ "-", false, 0 },
		{ "--1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1\n", false, 0 },
		{ "1.0", false, 0 },
		{ "1e2", false, 0 },
		{ "0x10", false, 0 },
		{ "many", false, 0 },
		{ "999999999999999999", false, 0 },
		{ "9223372036854775808", false, 0 },
		{ "18446744073709551617", false, 0 },
		{ "-9223372036854775809", false, 0 },
		{ "99999999999999999999999999999999999999999999", false, 0 },
		{ "\xd9\xa1", false, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t number = 4711;
		bool good = text_to_int(rows[i].text, -1000, 1000, &number);
		ok(good == rows[i].good, "'%s' is %sa number", rows[i].text, rows[i].good ? "" : "not ");
		is_int(number, rows[i].good ? rows[i].want : 4711, "'%s': the number, or untouched", rows[i].text);
	}
	int64_t number = 0;
	ok(text_to_int("999999999999999999", INT64_MIN, INT64_MAX, &number), "eighteen digits are read");
	is_int(number, 999999999999999999, "exactly");
}

static void test_case(void)
{
	is_int(text_lower('A'), 'a', "A");
	is_int(text_lower('Z'), 'z', "Z");
	is_int(text_lower('@'), '@', "before A");
	is_int(text_lower('['), '[', "behind Z");
	is_int(text_lower('\xc4'), '\xc4', "8-bit stays");
	/* clang-format off */
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "", "", true },	{ "abc", "ABC", true }, { "abc", "abcd", false },
		{ "abcd", "abc", false }, { "abc", "abd", false }, { "", "a", false },
		{ "a@b", "a`b", false },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ok(text_same_nocase(rows[i].a, rows[i].b) == rows[i].same, "'%s' and '%s'", rows[i].a, rows[i].b);
}

static void test_hex(void)
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < 16; i++)
		is_int(text_hex(digits[i]), i, "%c", digits[i]);
	is_int(text_hex('A'), 10, "A");
	is_int(text_hex('F'), 15, "F");
	static const char others[] = { '/', ':', '@', 'G', '`', 'g', '\0', '\xb1' };
	for (size_t i = 0; i < sizeof others; i++)
		is_int(text_hex(others[i]), -1, "no hexadecimal digit: %d", others[i]);
}

int main(void)
{
	test_builder();
	test_word();
	test_noun();
	test_copy();
	test_numbers();
	test_case();
	test_hex();
	return done_testing();
}

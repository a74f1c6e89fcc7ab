/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/netstring.h"

#include "t/unit/tap.h"

enum { MOST = 2048 };

static const char *const progress_words[] = {
	[NETSTRING_MORE] = "more",
	[NETSTRING_DONE] = "done",
	[NETSTRING_BAD] = "bad",
};

static void test_parse(void)
{
	static const struct {
		const char *input;
		enum netstring_progress want;
		const char *bytes; /* where it is done */
		size_t whole;
	} rows[] = {
		{ "", NETSTRING_MORE, NULL, 0 },
		{ "1", NETSTRING_MORE, NULL, 0 },
		{ "12", NETSTRING_MORE, NULL, 0 },
		{ "3:", NETSTRING_MORE, NULL, 0 },
		{ "3:ab", NETSTRING_MORE, NULL, 0 },
		{ "3:abc", NETSTRING_MORE, NULL, 0 },
		{ "3:abc,", NETSTRING_DONE, "abc", 6 },
		{ "3:abc,5:", NETSTRING_DONE, "abc", 6 },
		{ "0:,", NETSTRING_DONE, "", 3 },
		{ "0:", NETSTRING_MORE, NULL, 0 },
		{ "0", NETSTRING_MORE, NULL, 0 },
		{ "18:transport a@b.test,", NETSTRING_DONE, "transport a@b.test", 22 },
		{ "19:transport a@b.test,", NETSTRING_MORE, NULL, 0 },
		{ "17:transport a@b.test,", NETSTRING_BAD, NULL, 0 },
		{ "2048:", NETSTRING_MORE, NULL, 0 },
		{ "2049", NETSTRING_BAD, NULL, 0 },
		{ "2049:", NETSTRING_BAD, NULL, 0 },
		{ "99999999999999999999999999", NETSTRING_BAD, NULL, 0 },
		{ "18446744073709551619:abc,", NETSTRING_BAD, NULL, 0 },
		{ "00:,", NETSTRING_BAD, NULL, 0 },
		{ "03:abc,", NETSTRING_BAD, NULL, 0 },
		{ "3:abcd", NETSTRING_BAD, NULL, 0 },
		{ "3:abc;", NETSTRING_BAD, NULL, 0 },
		{ ":abc,", NETSTRING_BAD, NULL, 0 },
		{ "-3:abc,", NETSTRING_BAD, NULL, 0 },
		{ "+3:abc,", NETSTRING_BAD, NULL, 0 },
		{ " 3:abc,", NETSTRING_BAD, NULL, 0 },
		{ "3 :abc,", NETSTRING_BAD, NULL, 0 },
		{ "3,abc,", NETSTRING_BAD, NULL, 0 },
		{ "GET / HTTP/1.1\r\n", NETSTRING_BAD, NULL, 0 },
		{ "\xff", NETSTRING_BAD, NULL, 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netstring got = { 0 };
		enum netstring_progress progress = netstring_parse(rows[i].input, strlen(rows[i].input), MOST, &got);
		is_str(progress_words[progress], progress_words[rows[i].want], "'%s'", rows[i].input);
		if (progress != NETSTRING_DONE || rows[i].want != NETSTRING_DONE)
			continue;
		is_int((long long)got.whole, (long long)rows[i].whole, "'%s': where the next begins", rows[i].input);
		ok(got.length == strlen(rows[i].bytes) && memcmp(got.bytes, rows[i].bytes, got.length) == 0,
		   "'%s': its bytes", rows[i].input);
	}
}

/* What comes in pieces is MORE until the last byte, whatever is in it. */
static void test_pieces(void)
{
	static const char input[] = "7:a\0,:\xff\n9,";
	struct netstring got;
	size_t length = sizeof input - 1;
	bool more = true;
	for (size_t i = 0; i < length; i++)
		more = more && netstring_parse(input, i, MOST, &got) == NETSTRING_MORE;
	ok(more, "each part of a netstring is not whole");
	ok(netstring_parse(input, length, MOST, &got) == NETSTRING_DONE && got.length == 7 &&
		   memcmp(got.bytes, "a\0,:\xff\n9", 7) == 0,
	   "NUL, comma and 8-bit bytes in a netstring are bytes like others");
}

static void test_write(void)
{
	char to[16];
	size_t length = netstring_write(to, sizeof to, "OK clean-1:", 11);
	ok(length == 15 && memcmp(to, "11:OK clean-1:,", 15) == 0, "a netstring is written");
	is_int((long long)netstring_write(to, 15, "OK clean-1:", 11), 15, "into just enough room");
	is_int((long long)netstring_write(to, 14, "OK clean-1:", 11), 0, "not into one byte less");
	is_int((long long)netstring_write(to, 0, "", 0), 0, "not into nothing");
	length = netstring_write(to, 3, "", 0);
	ok(length == 3 && memcmp(to, "0:,", 3) == 0, "the empty one");
}

int main(void)
{
	test_parse();
	test_pieces();
	test_write();
	return done_testing();
}

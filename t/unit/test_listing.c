/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/listing.h"

#include "t/unit/tap.h"

#define A(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static const struct list mixed = {
	.zone = "bl.example.test",
	.codes = {
		{ A(127, 0, 0, 2), A(127, 0, 0, 2), LIST_SPAM },
		{ A(127, 0, 0, 4), A(127, 0, 0, 7), LIST_EXPLOIT },
		{ A(127, 0, 0, 10), A(127, 0, 0, 11), LIST_POLICY },
		{ A(127, 0, 0, 0), A(127, 0, 0, 255), LIST_ALLOW },
	},
	.code_count = 3,	/* the last row is not in force */
};

static const struct list plain = { .zone = "refuse.example.test", .kind = LIST_SPAM };

static const struct {
	const char *name;
	const struct list *list;
	uint32_t codes[4];
	size_t count;
	enum list_answer want;
	int unknown, hijacked, hits;
	enum list_kind kinds[2];
} rows[] = {
	{ "no address: not listed", &mixed, { 0 }, 0, ANSWER_CLEAN, 0, 0, 0, { 0 } },
	{ "a code of its own", &mixed, { A(127, 0, 0, 2) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_SPAM } },
	{ "the first of a range", &mixed, { A(127, 0, 0, 4) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_EXPLOIT } },
	{ "the last of a range", &mixed, { A(127, 0, 0, 7) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_EXPLOIT } },
	{ "before a range", &mixed, { A(127, 0, 0, 3) }, 1, ANSWER_CLEAN, 0, 0, 0, { 0 } },
	{ "behind a range", &mixed, { A(127, 0, 0, 8) }, 1, ANSWER_CLEAN, 0, 0, 0, { 0 } },
	{ "two codes, two kinds", &mixed, { A(127, 0, 0, 2), A(127, 0, 0, 11) }, 2, ANSWER_LISTED, 0, 0, 2,
	  { LIST_SPAM, LIST_POLICY } },
	{ "two codes of one kind are one listing", &mixed, { A(127, 0, 0, 4), A(127, 0, 0, 5) }, 2, ANSWER_LISTED, 0, 0,
	  1, { LIST_EXPLOIT } },
	{ "a code that means nothing, beside one that does", &mixed, { A(127, 0, 0, 200), A(127, 0, 0, 2) }, 2,
	  ANSWER_LISTED, 0, 0, 1, { LIST_SPAM } },
	{ "a list of one kind: any code", &plain, { A(127, 1, 2, 3) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_SPAM } },
	{ "the list refuses us", &plain, { A(127, 255, 255, 254) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "the first code of refusal", &plain, { A(127, 255, 255, 0) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "the last", &plain, { A(127, 255, 255, 255) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "just before them", &plain, { A(127, 255, 254, 255) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_SPAM } },
	{ "a refusal beside a code", &plain, { A(127, 0, 0, 2), A(127, 255, 255, 252) }, 2, ANSWER_UNKNOWN, 1, 0, 0,
	  { 0 } },
	{ "a resolver that lies", &plain, { A(192, 0, 2, 1) }, 1, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
	{ "just below 127/8", &plain, { A(126, 255, 255, 255) }, 1, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
	{ "just above it", &plain, { A(128, 0, 0, 0) }, 1, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
	{ "0.0.0.0", &plain, { 0 }, 1, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
	{ "a lie beside a code", &mixed, { A(127, 0, 0, 2), A(10, 0, 0, 1) }, 2, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
};

static void test_answers(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct listings listings = { .asked = true };
		is_int(listings_add(&listings, rows[i].list, rows[i].codes, rows[i].count), rows[i].want, "%s",
		       rows[i].name);
		is_int(listings.unknown, rows[i].unknown, "unknown lists");
		is_int(listings.hijacked, rows[i].hijacked, "hijacked ones");
		is_int(listings.hit_count, rows[i].hits, "hits");
		for (int hit = 0; hit < rows[i].hits && hit < listings.hit_count; hit++) {
			is_int(listings.hits[hit].kind, rows[i].kinds[hit], "kind of hit %d", hit);
			ok(listings.hits[hit].list == rows[i].list, "its list");
		}
	}
}

static void test_many(void)
{
	static struct list lists[2 * LISTING_HITS_MAX];
	struct listings listings = { .asked = true };
	const uint32_t code = A(127, 0, 0, 2);
	for (int i = 0; i < 2 * LISTING_HITS_MAX; i++) {
		lists[i].kind = LIST_SPAM;
		listings_add(&listings, &lists[i], &code, 1);
	}
	is_int(listings.hit_count, LISTING_HITS_MAX, "more hits than there are places for");
	struct listings two = { .asked = true };
	listings_add(&two, &plain, &code, 1);
	listings_add(&two, &mixed, &code, 1);
	is_int(two.hit_count, 2, "two lists are two hits of one kind");
	ok(listings_find(&two, LIST_SPAM) == &two.hits[0], "the first of a kind is found");
	ok(listings_find(&two, LIST_EXPLOIT) == NULL, "a kind that is not there is not");
	struct listings none = { .asked = false };
	ok(listings_find(&none, LIST_SPAM) == NULL, "nothing asked, nothing found");
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		uint32_t first, last;
		enum list_kind kind;	/* NONE: not a code */
	} codes[] = {
		{ "127.0.0.2 spam", A(127, 0, 0, 2), A(127, 0, 0, 2), LIST_SPAM },
		{ "127.0.0.4-127.0.0.7 exploit", A(127, 0, 0, 4), A(127, 0, 0, 7), LIST_EXPLOIT },
		{ "127.0.0.10-127.0.0.10 policy", A(127, 0, 0, 10), A(127, 0, 0, 10), LIST_POLICY },
		{ "127.255.255.255-127.255.255.255 allow", A(127, 255, 255, 255), A(127, 255, 255, 255), LIST_ALLOW },
		{ "127.0.0.0-127.255.255.255 spam", A(127, 0, 0, 0), A(127, 255, 255, 255), LIST_SPAM },
		{ "", 0, 0, LIST_NONE },
		{ " ", 0, 0, LIST_NONE },
		{ "spam", 0, 0, LIST_NONE },
		{ " spam", 0, 0, LIST_NONE },
		{ "127.0.0.2", 0, 0, LIST_NONE },
		{ "127.0.0.2 ", 0, 0, LIST_NONE },
		{ "127.0.0.2 none", 0, 0, LIST_NONE },
		{ "127.0.0.2 Spam", 0, 0, LIST_NONE },
		{ "127.0.0.2 spam ", 0, 0, LIST_NONE },
		{ "127.0.0.2 spam exploit", 0, 0, LIST_NONE },
		{ "127.0.0.2spam", 0, 0, LIST_NONE },
		{ "127.0.0.7-127.0.0.4 exploit", 0, 0, LIST_NONE },
		{ "127.0.0.4- exploit", 0, 0, LIST_NONE },
		{ "-127.0.0.4 exploit", 0, 0, LIST_NONE },
		{ "127.0.0.4 - 127.0.0.7 exploit", 0, 0, LIST_NONE },
		{ "127.0.0.4-127.0.0.5-127.0.0.6 exploit", 0, 0, LIST_NONE },
		{ "127.0.0.4-7 exploit", 0, 0, LIST_NONE },
		{ "127.0.0.256 spam", 0, 0, LIST_NONE },
		{ "127.0.2 spam", 0, 0, LIST_NONE },
		{ "127.0.0.2.2 spam", 0, 0, LIST_NONE },
		{ "10.0.0.2 spam", 0, 0, LIST_NONE },
		{ "126.0.0.0-127.0.0.1 spam", 0, 0, LIST_NONE },
		{ "127.0.0.1-128.0.0.0 spam", 0, 0, LIST_NONE },
		{ "::1 spam", 0, 0, LIST_NONE },
		{ "::ffff:7f00:2 spam", 0, 0, LIST_NONE },
		{ "IPv6:127.0.0.2 spam", 0, 0, LIST_NONE },
		{ "127.0.0.2\tspam", 0, 0, LIST_NONE },
		{ "%s%n spam", 0, 0, LIST_NONE },
		{ "1111111111111111111111111111111111 spam", 0, 0, LIST_NONE },
	};
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		struct list_code code = { 1, 2, LIST_ALLOW };
		bool good = list_code_parse(codes[i].text, &code);
		ok(good == (codes[i].kind != LIST_NONE), "'%s' is %sa code", codes[i].text,
		   codes[i].kind != LIST_NONE ? "" : "not ");
		if (!good || codes[i].kind == LIST_NONE)
			continue;
		is_int(code.first, codes[i].first, "its first address");
		is_int(code.last, codes[i].last, "its last");
		is_int(code.kind, codes[i].kind, "its kind");
	}
}

static void test_words(void)
{
	static const char *const words[] = { "exploit", "policy", "spam", "allow" };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		is_str(list_kind_word(list_kind_find(words[i])), words[i], "kind %s", words[i]);
	is_int(list_kind_find("none"), LIST_NONE, "'none' is no kind");
	is_int(list_kind_find(""), LIST_NONE, "nor is the empty word");
}

static void test_close(void)
{
	static const uint32_t listed = 0x7f000002, lie = 0xcb007107, refusal = 0x7ffffffe;
	struct listings listings = { .asked = true };
	listings_add(&listings, &plain, &listed, 1);
	listings_add(&listings, &mixed, &refusal, 1);
	listings_close(&listings, 2);
	is_int(listings.hit_count, 1, "a list that refuses takes nothing from the others");
	is_int(listings.unknown, 1, "it alone is unknown");
	listings_add(&listings, &mixed, &lie, 1);
	listings_close(&listings, 3);
	is_int(listings.hit_count, 0, "where one answer is a lie no other is believed");
	is_int(listings.unknown, 3, "all are unknown");
	ok(listing_code_lies(0x80000001) && listing_code_lies(0x7effffff) && !listing_code_lies(0x7f000000), "outside 127/8");
	ok(listing_code_refuses(0x7fffff00) && listing_code_refuses(0x7fffffff) && !listing_code_refuses(0x7ffffeff),
	   "127.255.255.0/24");
}

int main(void)
{
	test_answers();
	test_close();
	test_many();
	test_parse();
	test_words();
	return done_testing();
}

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

/* As lists of domains do it: refusals are codes of their own, and a code that is not named is no listing. */
static const struct list refusing = {
	.zone = "multi.example.test",
	.codes = { { A(127, 0, 0, 1), A(127, 0, 0, 2), LIST_DOMAIN },
		   { A(127, 0, 1, 0), A(127, 0, 1, 255), LIST_ALLOW } },
	.code_count = 2,
	.errors = { { A(127, 0, 0, 1), A(127, 0, 0, 1) }, { A(127, 0, 1, 250), A(127, 0, 1, 255) } },
	.error_count = 2,
};

static const struct list plain = { .zone = "refuse.example.test", .kind = LIST_SPAM };

/* clang-format off */
static const struct {
	const char *name;
	const struct list *list;
	uint32_t codes[4];
	size_t count;
	enum list_meaning want;
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
	{ "an error of the list's own", &refusing, { A(127, 0, 0, 1) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "the first of a range of errors", &refusing, { A(127, 0, 1, 250) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "the last", &refusing, { A(127, 0, 1, 255) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "just before them", &refusing, { A(127, 0, 1, 249) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_ALLOW } },
	{ "an error beside "
	  "a code", &refusing, { A(127, 0, 0, 2), A(127, 0, 0, 1) }, 2, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "the refusal of all lists", &refusing, { A(127, 255, 255, 254) }, 1, ANSWER_UNKNOWN, 1, 0, 0, { 0 } },
	{ "another list's error is a "
	  "listing here", &plain, { A(127, 0, 0, 1) }, 1, ANSWER_LISTED, 0, 0, 1, { LIST_SPAM } },
	{ "kind none: an answer without a row", &refusing, { A(127, 0, 0, 3) }, 1, ANSWER_CLEAN, 0, 0, 0, { 0 } },
	{ "a lie beside a code", &mixed, { A(127, 0, 0, 2), A(10, 0, 0, 1) }, 2, ANSWER_UNKNOWN, 1, 1, 0, { 0 } },
};
/* clang-format on */

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

/* Of too many listings those stay that a verdict hangs on. */
static void test_many(void)
{
	static struct list lists[2 * LISTING_HITS_MAX + 4];
	struct listings listings = { .asked = true };
	const uint32_t code = A(127, 0, 0, 2);
	int spam = 0, exploit = 0, allow = 0, refuse = 0;
	for (int i = 0; i < 2 * LISTING_HITS_MAX + 4; i++) {
		lists[i] = (struct list){ .kind = i % 2 == 0 ? LIST_SPAM : LIST_REPUTATION, .weight = 0.5 };
		if (i == LISTING_HITS_MAX - 1 || i >= 2 * LISTING_HITS_MAX)
			lists[i].kind = LIST_EXPLOIT;
		if (i == LISTING_HITS_MAX + 1)
			lists[i].kind = LIST_ALLOW;
		if (i == LISTING_HITS_MAX + 2)
			lists[i].action = LIST_ACTION_REFUSE;
		if (i == 2 * LISTING_HITS_MAX + 2)
			lists[i].weight = 1;
		is_int(listings_add(&listings, &lists[i], &code, 1), ANSWER_LISTED, "list %d lists", i);
	}
	is_int(listings.hit_count, LISTING_HITS_MAX, "more hits than there are places for");
	for (int i = 0; i < listings.hit_count; i++) {
		spam += listings.hits[i].kind == LIST_SPAM;
		exploit += listings.hits[i].kind == LIST_EXPLOIT;
		allow += listings.hits[i].kind == LIST_ALLOW;
		refuse += listings.hits[i].list->action == LIST_ACTION_REFUSE;
	}
	is_int(exploit, 5, "every exploit listing stays");
	is_int(allow, 1, "the only allow listing stays");
	is_int(refuse, 1, "and the only one that refuses");
	is_int(spam, LISTING_HITS_MAX - 5 - 1 - 1, "of the mildest kind one is left, the rest is spam");
	ok(listings_meaning(&listings, CLIENT_AUTHENTICATED, LISTING_EXPLOITED)->list ==
		   &lists[2 * LISTING_HITS_MAX + 2],
	   "the heaviest exploit listing counts");
	ok(listings.hits[0].list == &lists[0], "the first of a kind is still the first");
}

static const struct list signals = { .zone = "signal.test", .weight = 1 };
static const struct list refuses = { .zone = "refuse.test", .weight = 1, .action = LIST_ACTION_REFUSE };

/* kind of listing, of a list that signals: a stranger, our own network, authenticated; and a stranger where the list
 * refuses */
static const struct {
	enum list_kind kind;
	enum listing_fact stranger, own_network, authenticated, refused;
} meanings[] = {
	{ LIST_NONE, LISTING_NOTHING, LISTING_NOTHING, LISTING_NOTHING, LISTING_NOTHING },
	{ LIST_EXPLOIT, LISTING_SHOWN, LISTING_EXPLOITED, LISTING_EXPLOITED, LISTING_AGAINST },
	{ LIST_POLICY, LISTING_SHOWN, LISTING_NOTHING, LISTING_NOTHING, LISTING_AGAINST },
	{ LIST_SPAM, LISTING_SHOWN, LISTING_EXPLOITED, LISTING_NOTHING, LISTING_AGAINST },
	{ LIST_AUTH, LISTING_SHOWN, LISTING_NOTHING, LISTING_NOTHING, LISTING_AGAINST },
	{ LIST_REPUTATION, LISTING_SHOWN, LISTING_NOTHING, LISTING_NOTHING, LISTING_SHOWN },
	{ LIST_ALLOW, LISTING_FOR, LISTING_NOTHING, LISTING_NOTHING, LISTING_FOR },
	{ LIST_DOMAIN, LISTING_NOTHING, LISTING_NOTHING, LISTING_NOTHING, LISTING_NOTHING },
};

static void test_meanings(void)
{
	is_int(sizeof meanings / sizeof meanings[0], LIST_KIND_COUNT, "each kind has a row");
	for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
		const char *word = meanings[i].kind == LIST_NONE ? "none" : list_kind_word(meanings[i].kind);
		struct listing signal = { &signals, meanings[i].kind }, refuse = { &refuses, meanings[i].kind };
		is_int(listing_means(&signal, CLIENT_KIND_UNKNOWN), LISTING_NOTHING, "%s, nobody knows of whom", word);
		is_int(listing_means(&refuse, CLIENT_KIND_UNKNOWN), LISTING_NOTHING, "%s, refusing, nobody knows whom",
		       word);
		is_int(listing_means(&signal, CLIENT_STRANGER), meanings[i].stranger, "%s, a stranger", word);
		is_int(listing_means(&refuse, CLIENT_STRANGER), meanings[i].refused, "%s, refusing, a stranger", word);
		is_int(listing_means(&signal, CLIENT_OWN_NETWORK), meanings[i].own_network, "%s, our own network",
		       word);
		is_int(listing_means(&refuse, CLIENT_OWN_NETWORK), meanings[i].own_network, "%s, refusing, our own",
		       word);
		is_int(listing_means(&signal, CLIENT_AUTHENTICATED), meanings[i].authenticated, "%s, logged in", word);
		is_int(listing_means(&refuse, CLIENT_AUTHENTICATED), meanings[i].authenticated,
		       "%s, refusing, logged in", word);
	}
}

static void test_meaning(void)
{
	struct listings two = { .asked = true };
	const uint32_t code = A(127, 0, 0, 2);
	listings_add(&two, &plain, &code, 1);
	listings_add(&two, &mixed, &code, 1);
	is_int(two.hit_count, 2, "two lists are two hits of one kind");
	ok(listings_meaning(&two, CLIENT_OWN_NETWORK, LISTING_EXPLOITED) == &two.hits[0],
	   "of two that weigh the same the first is found");
	ok(listings_meaning(&two, CLIENT_AUTHENTICATED, LISTING_EXPLOITED) == NULL, "what nobody says is not");
	ok(listings_find(&two, LIST_SPAM) == &two.hits[0], "the first of a kind is found");
	ok(listings_find(&two, LIST_EXPLOIT) == NULL, "a kind that is not there is not");
	struct listings none = { .asked = false };
	ok(listings_meaning(&none, CLIENT_STRANGER, LISTING_FOR) == NULL, "nothing asked, nothing found");
}

static void test_weight(void)
{
	static const struct list whole = { .weight = 1 }, other = { .weight = 0.25 };
	static const struct list part = { .weight = 0.5, .whole = &whole }, second = { .weight = 0.5, .whole = &whole };
	static const struct {
		const char *name;
		const struct list *lists[4];
		int count;
		double want;
	} sums[] = {
		{ "nothing", { NULL }, 0, 0 },
		{ "one list", { &whole }, 1, 1 },
		{ "two lists", { &whole, &other }, 2, 1.25 },
		{ "a part beside its whole", { &whole, &part }, 2, 1 },
		{ "before it", { &part, &whole }, 2, 1 },
		{ "two parts and their whole", { &part, &whole, &second, &other }, 4, 1.25 },
		{ "a part whose whole does not list", { &part, &other }, 2, 0.75 },
		{ "two parts of one whole", { &part, &second }, 2, 1 },
	};
	for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++)
		is_near(listings_weight(sums[i].lists, sums[i].count), sums[i].want, 1e-9, "%s", sums[i].name);
}

static void test_parse(void)
{
	static const struct {
		const char *text;
		uint32_t first, last;
		enum list_kind kind; /* NONE: not a code */
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

static void test_errors(void)
{
	static const struct {
		const char *text;
		uint32_t first, last; /* 0: not an error */
	} errors[] = {
		{ "127.0.0.1", A(127, 0, 0, 1), A(127, 0, 0, 1) },
		{ "127.255.255.252-127.255.255.255", A(127, 255, 255, 252), A(127, 255, 255, 255) },
		{ "", 0, 0 },
		{ "-", 0, 0 },
		{ "127.0.0.1 ", 0, 0 },
		{ "127.0.0.1 spam", 0, 0 },
		{ "127.0.0.2-127.0.0.1", 0, 0 },
		{ "127.0.0.1-", 0, 0 },
		{ "10.0.0.1", 0, 0 },
	};
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct list_error error = { 0, 0 };
		is_int(list_error_parse(errors[i].text, &error), errors[i].first != 0, "'%s' as an error",
		       errors[i].text);
		is_int(error.first, errors[i].first, "its first address");
		is_int(error.last, errors[i].last, "its last");
	}
}

static void test_words(void)
{
	static const char *const words[] = { "exploit", "policy", "spam", "auth", "reputation", "allow", "domain" };
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
	ok(listing_code_lies(0x80000001) && listing_code_lies(0x7effffff) && !listing_code_lies(0x7f000000),
	   "outside 127/8");
	ok(list_code_refuses(&plain, 0x7fffff00) && list_code_refuses(&plain, 0x7fffffff) &&
		   !list_code_refuses(&plain, 0x7ffffeff),
	   "127.255.255.0/24");
}

int main(void)
{
	test_answers();
	test_close();
	test_many();
	test_meanings();
	test_meaning();
	test_weight();
	test_parse();
	test_errors();
	test_words();
	return done_testing();
}

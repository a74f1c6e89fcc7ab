/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/anomaly.h"

#include "t/unit/tap.h"

#define BIT(id) (1U << ANOMALY_##id)
#define MISSING (BIT(NO_DATE) | BIT(NO_FROM) | BIT(NO_MESSAGE_ID))
#define WHOLE "Date: Mon, 5 Jan 2026 12:00:00 +0000", "From: Alice <alice@example.com>", "Message-ID: <1@example.com>"

enum { FIELDS_MAX = 8 };

/* clang-format off */
static const struct {
	const char *name;
	const char *helo;
	bool ours;
	const char *from;
	int64_t rcpts;
	const char *fields[FIELDS_MAX];
	unsigned want;
	bool forwarded;
} rows[] = {
	{ "a whole header", "mail.example.com", false, "alice@example.com", 1, { WHOLE }, 0, false },
	{ "no header", "mail.example.com", false, "alice@example.com", 1, { NULL }, MISSING, false },
	{ "bare HELO", "DESKTOP-1", false, "a@example.com", 1, { WHOLE }, BIT(HELO_BARE), false },
	{ "bare HELO of ours", "DESKTOP-1", true, "a@example.com", 1, { WHOLE }, 0, false },
	{ "HELO is an address", "192.0.2.1", false, "a@example.com", 1, { WHOLE }, BIT(HELO_ADDRESS), false },
	{ "HELO is a v6 address", "2001:db8::1", false, "a@example.com", 1, { WHOLE }, BIT(HELO_ADDRESS), false },
	{ "HELO is a literal", "[192.0.2.1]", false, "a@example.com", 1, { WHOLE }, 0, false },
	{ "no HELO", NULL, false, "a@example.com", 1, { WHOLE }, 0, false },
	{ "From differs", "a.b", false, "a@example.org", 1, { WHOLE }, BIT(FROM_DIFFERS), false },
	{ "From is below the sender", "a.b", false, "a@EXAMPLE.com", 1,
	  { "Date: x", "Message-ID: <x>", "From: <a@news.example.com>" }, 0, false },
	{ "not all that ends so is below", "a.b", false, "a@badexample.com", 1, { WHOLE }, BIT(FROM_DIFFERS), false },
	{ "a bounce has no sender to differ", "a.b", false, "", 1, { WHOLE }, 0, false },
	{ "a quoted name with an address in it", "a.b", false, "a@example.com", 1,
	  { "Date: x", "Message-ID: <x>", "From: \"x@evil.test, <y@evil.test>\" (z@evil.test) "
	    "<a@example.com>" }, 0, false },
	{ "From without brackets", "a.b", false, "a@example.com", 1, { "Date: x", "Message-ID: <x>",
	  "From: a@example.com (A)" }, 0,
	  false },
	{ "From without an address", "a.b", false, "a@example.com", 1, { "Date: x", "Message-ID: <x>",
	  "From: nobody" }, 0, false },
	{ "Reply-To elsewhere", "a.b", false, "a@example.com", 1, { WHOLE, "Reply-To: x@example.net" }, BIT(REPLY_ELSEWHERE), false },
	{ "Reply-To here", "a.b", false, "a@example.com", 1, { WHOLE, "reply-to: <x@Example.com>" }, 0, false },
	{ "nine hidden", "a.b", false, "a@example.com", 9, { WHOLE }, 0, false },
	{ "ten hidden", "a.b", false, "a@example.com", 10, { WHOLE, "To: undisclosed-recipients:;" }, BIT(MANY_HIDDEN), false },
	{ "ten, one named", "a.b", false, "a@example.com", 10, { WHOLE,
	  "CC: team: zz@example.net, \"B\" <Bob+x@example.net>;" }, 0,
	  false },
	{ "ten, another named", "a.b", false, "a@example.com", 10, { WHOLE, "To: zz@example.net" }, BIT(MANY_HIDDEN), false },
	{ "a bulk mailer", "a.b", false, "a@example.com", 1, { WHOLE, "X-Mailer: Mass-Mailer 3.1" }, BIT(BULK_MAILER), false },
	{ "a person's mailer", "a.b", false, "a@example.com", 1, { WHOLE, "User-Agent: Mozilla "
	  "Thunderbird" }, 0, false },
	{ "resent", "a.b", false, "a@example.com", 1, { WHOLE, "Resent-From: b@example.org" }, 0, true },
	{ "forwarded", "a.b", false, "a@example.com", 1, { WHOLE, "X-Forwarded-To: b@example.org" }, 0, true },
	{ "redirected by Sieve", "a.b", false, "a@example.com", 1, { WHOLE, "X-Sieve-Redirected-From: "
	  "b@example.org" }, 0, true },
	{ "delivered before", "a.b", false, "a@example.com", 1, { WHOLE, "Delivered-To: b@example.org" }, 0, true },
	{ "forwarded by a program", "a.b", false, "a@example.com", 1, { WHOLE, "Auto-Submitted: "
	  "Auto-Forwarded; x=y" }, 0, true },
	{ "written by a program", "a.b", false, "a@example.com", 1, { WHOLE, "Auto-Submitted: "
	  "auto-generated" }, 0, false },
	{ "empty fields are "
	  "missing", "a.b", false, "a@example.com", 1, { "Date:", "From:", "Message-ID:  " }, MISSING, false },
};
/* clang-format on */

static const uint64_t key[2] = { 1, 2 };

static void read_field(struct anomaly_reader *reader, const char *field, const struct rcpts *rcpts,
		       const struct facts *facts)
{
	char name[60];
	const char *colon = strchr(field, ':');
	snprintf(name, sizeof name, "%.*s", (int)(colon - field), field);
	colon++;
	anomaly_header(reader, name, colon + (*colon == ' '), rcpts, facts);
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = { .account = "alice@example.com", .rcpts_remote = rows[i].rcpts };
		uint32_t bob = rcpt_hash(key, facts.account, "bob@example.net");
		struct rcpts rcpts = { .key = key, .hashes = &bob, .count = 1, .size = 1 };
		struct anomaly_reader reader = { 0 };
		const struct anomaly_client client = { rows[i].helo, rows[i].ours };
		for (int j = 0; j < FIELDS_MAX && rows[i].fields[j] != NULL; j++)
			read_field(&reader, rows[i].fields[j], &rcpts, &facts);
		is_int(anomaly_sum(&reader, &client, rows[i].from, &facts), rows[i].want, "%s", rows[i].name);
		is_int(reader.forwarded, rows[i].forwarded, "%s: forwarded", rows[i].name);
	}
}

static void test_names(void)
{
	static const struct {
		const char *field, *other;
		bool same;
	} names[] = {
		{ "X-Mailer: Apple Mail (2.3654.1)", "X-Mailer: Apple Mail (2.3731)", true },
		{ "X-Mailer: Apple Mail", "User-Agent: Mozilla Thunderbird", false },
		{ "X-Mailer: 12.3", "X-Mailer: ", true },
	};
	struct facts facts = { .account = "a" };
	struct rcpts rcpts = { .key = key };
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct anomaly_reader one = { 0 }, two = { 0 };
		read_field(&one, names[i].field, &rcpts, &facts);
		read_field(&two, names[i].other, &rcpts, &facts);
		is_int(one.mailer == two.mailer, names[i].same, "%s, %s", names[i].field, names[i].other);
	}
	struct anomaly_reader reader = { 0 };
	read_field(&reader, "X-Mailer: 12.3", &rcpts, &facts);
	ok(reader.mailer == 0, "a name without letters is none");
}

int main(void)
{
	test_rows();
	test_names();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/feedback/token.h"

#include "t/unit/tap.h"

static const uint64_t secret[2] = { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) };
static const int64_t now_s = 1767225600; /* in the midst of an epoch */

static struct token token_of(const char *account, const char *transport, int64_t time_ms)
{
	struct token token = { .time_ms = time_ms, .rcpts = 3 };
	snprintf(token.account, sizeof token.account, "%s", account);
	snprintf(token.transport, sizeof token.transport, "%s", transport);
	return token;
}

static void test_there_and_back(void)
{
	static const struct {
		const char *account, *transport, *transport_read, *what;
	} rows[] = {
		{ "alice@example.com", "clean-1", "clean-1", "a usual one" },
		{ "a", "", "", "the shortest" },
		{ "uid:1000", "relay", "relay", "a local user" },
		{ "a-rather-long-name@mail.customer.example.com", "clean-1", "",
		  "the transport goes where it does not fit" },
	};
	struct token read;
	char text[TOKEN_TEXT_MAX + 1], again[TOKEN_TEXT_MAX + 1];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct token token = token_of(rows[i].account, rows[i].transport, now_s * 1000 + 123);
		ok(token_make(secret, &token, text) && token_make(secret, &token, again), "%s: made", rows[i].what);
		is_str(again, text, "... the same each time");
		ok(strlen(text) <= TOKEN_ENVID_MAX, "... fits an ENVID: %s", text);
		ok(strstr(text, "alice") == NULL, "... and tells nobody the name");
		is_int(token_read(secret, text, now_s, &read), TOKEN_FINE, "... read");
		is_str(read.account, rows[i].account, "... the account");
		is_str(read.transport, rows[i].transport_read, "... the transport");
		is_int(read.time_ms, token.time_ms, "... the time");
		is_int(read.rcpts, 3, "... the recipients");
	}
}

static void test_long(void)
{
	char name[ACCOUNT_MAX + 1], text[TOKEN_TEXT_MAX + 1];
	static const int lengths[] = { 255, 256, ACCOUNT_MAX };
	struct token read;
	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		memset(name, 'x', sizeof name);
		name[lengths[i]] = '\0';
		struct token token = token_of(name, "clean-1", now_s * 1000);
		token.rcpts = 70000;
		ok(token_make(secret, &token, text), "an account of %d bytes", lengths[i]);
		is_int(token_read(secret, text, now_s, &read), TOKEN_FINE, "... read");
		is_str(read.account, name, "... whole");
		is_int(read.rcpts, 65535, "... and as many recipients as there is room for");
	}
	struct token none = token_of("", "clean-1", now_s * 1000);
	ok(!token_make(secret, &none, text) && text[0] == '\0', "of no account none is made");
}

static void test_ages(void)
{
	static const struct {
		int64_t days;
		enum token_answer answer;
		const char *what;
	} rows[] = {
		{ 0, TOKEN_FINE, "at once" },
		{ 30, TOKEN_FINE, "after a month" },
		{ 40, TOKEN_FINE, "in the next epoch" },
		{ 80, TOKEN_EXPIRED, "two epochs later" },
		{ 4000, TOKEN_EXPIRED, "years later" },
		{ 40 * 300, TOKEN_FORGED, "so late that no key is tried" },
	};
	char text[TOKEN_TEXT_MAX + 1];
	struct token read, token = token_of("alice@example.com", "clean-1", now_s * 1000);
	token_make(secret, &token, text);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(token_read(secret, text, now_s + rows[i].days * 86400, &read), rows[i].answer, "%s",
		       rows[i].what);
	is_int(token_read(secret, text, now_s - 86400, &read), TOKEN_FINE, "by a clock that is a day behind");
	/* both keys at once */
	int64_t edge_s = (now_s / TOKEN_EPOCH_S + 1) * TOKEN_EPOCH_S;
	token.time_ms = edge_s * 1000 - 1;
	token_make(secret, &token, text);
	is_int(token_read(secret, text, edge_s, &read), TOKEN_FINE, "of the epoch's last moment, in the next");
	token.time_ms = edge_s * 1000;
	token_make(secret, &token, text);
	is_int(token_read(secret, text, edge_s, &read), TOKEN_FINE, "... beside one of the new key");
	is_int(token_read(secret, text, edge_s - 1, &read), TOKEN_FINE, "... also where this clock is behind");
}

static void test_forged(void)
{
	uint64_t other[2] = { secret[0], secret[1] ^ 1 };
	char text[TOKEN_TEXT_MAX + 2], changed[TOKEN_TEXT_MAX + 2];
	struct token read, token = token_of("alice@example.com", "clean-1", now_s * 1000);
	token_make(secret, &token, text);
	is_int(token_read(other, text, now_s, &read), TOKEN_FORGED, "another installation's");
	is_str(read.account, "", "... tells no account");
	int fine = 0;
	size_t length = strlen(text);
	for (size_t i = 0; i < length; i++)
		for (int bit = 0; bit < 7; bit++) {
			memcpy(changed, text, length + 1);
			changed[i] = (char)(changed[i] ^ 1 << bit);
			fine += token_read(secret, changed, now_s, &read) != TOKEN_FORGED;
		}
	is_int(fine, 0, "no bit of %zu letters can be changed", length);
	for (size_t i = 0; i < length; i++) {
		snprintf(changed, i + 1, "%s", text);
		fine += token_read(secret, changed, now_s, &read) != TOKEN_FORGED;
	}
	snprintf(changed, sizeof changed, "%sA", text);
	fine += token_read(secret, changed, now_s, &read) != TOKEN_FORGED;
	is_int(fine, 0, "nor may it be shorter or longer");
	memset(changed, 'A', sizeof changed);
	memcpy(changed, TOKEN_BEGINS, strlen(TOKEN_BEGINS));
	changed[sizeof changed - 1] = '\0';
	is_int(token_read(secret, changed, now_s, &read), TOKEN_FORGED, "one that is too long");
}

static void test_tags(void)
{
	char one[TOKEN_TEXT_MAX + 1], two[TOKEN_TEXT_MAX + 1], tag[TOKEN_TAG_MAX + 1], other[TOKEN_TAG_MAX + 1];
	struct token token = token_of("alice@example.com", "clean-1", now_s * 1000);
	token_make(secret, &token, one);
	token.time_ms++;
	token_make(secret, &token, two);
	token_tag(one, tag);
	token_tag(two, other);
	ok(strcmp(tag, other) != 0 && strlen(tag) == TOKEN_TAG_MAX, "a millisecond later it is another one: %s", tag);
}

int main(void)
{
	test_there_and_back();
	test_long();
	test_ages();
	test_forged();
	test_tags();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Events: their JSON and the signature of it, mail that nothing can break out of, how long a server that fails is left
 * alone, and what is not said twice.
 */
#include "milter/tell/event.h"

#include "milter/tell/admin_mail.h"
#include "milter/tell/sign.h"
#include "milter/tell/seen.h"
#include "milter/tell/webhook.h"
#include "policy/base/text.h"

#include "t/unit/tap.h"

#include <stdlib.h>

enum { NOW = 1700006400 }; /* 2023-11-15 00:00:00 UTC */

static struct notice full_notice(void)
{
	struct notice event;
	notice_init(&event, EVENT_LIMIT, "alice@example.com");
	event.time_s = NOW;
	event.judged = true;
	event.action = ACTION_DEFER;
	event.score = 1.25;
	event.limit = (struct breach){ .window = WINDOW_MSGS_PER_HOUR, .limit = 500, .used = 500, .frees_in_s = 60 };
	text_copy(event.reason, sizeof event.reason, "limit msgs_per_hour \"quoted\"\n");
	text_copy(event.done, sizeof event.done, "the message was deferred");
	text_copy(event.reference, sizeof event.reference, "1T4Q9M-2K0B7F");
	text_copy(event.id, sizeof event.id, "n-1-2");
	return event;
}

static char *json_text(const struct notice *event)
{
	json_t *json = event_json(event);
	char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));
	json_decref(json);
	return text;
}

static void test_json(void)
{
	struct notice event = full_notice();
	char *text = json_text(&event);
	is_str(text,
	       "{\"version\":1,\"id\":\"n-1-2\",\"event\":\"limit\",\"time\":\"2023-11-15T00:00:00Z\",\"time_s\":"
	       "1700006400,\"node\":\"\",\"account\":\"alice@example.com\",\"pool\":null,\"transport\":null,"
	       "\"address\":null,\"level\":null,\"level_before\":null,\"score\":1.25,\"action\":\"defer\",\"limit\":{"
	       "\"name\":\"msgs_per_hour\",\"scope\":\"account\",\"limit\":500,\"used\":500.0,\"frees_in_s\":60,"
	       "\"ramp\":false},\"reason\":\"limit msgs_per_hour \\\"quoted\\\"\\n\",\"done\":\"the message was "
	       "deferred\",\"reference\":\"1T4Q9M-2K0B7F\",\"recipient\":null}",
	       "a limit");
	free(text);
	notice_init(&event, EVENT_LISTED, "");
	text_copy(event.transport, sizeof event.transport, "clean-1");
	text_copy(event.address, sizeof event.address, "192.0.2.11");
	text = json_text(&event);
	ok(strstr(text, "\"account\":null,\"pool\":null,\"transport\":\"clean-1\",\"address\":\"192.0.2.11\"") !=
			   NULL &&
		   strstr(text, "\"score\":null,\"action\":null,\"limit\":null") != NULL,
	   "what is not there is null: %s", text);
	free(text);
}

/* Made by openssl dgst -sha256 -mac HMAC. */
static void test_signature(void)
{
	/* clang-format off */
	static const struct { const char *secret; int64_t time_s; const char *body, *hex; } rows[] = {
		{ "key", INT64_C(1700006400), "{\"version\":1}",
		  "a752738286f067443643db0063af34d9e7ba5846157cf34ba886673164c0ba2b" },
		{ "a much longer key than the block of the hash has room for: "
		  "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk", INT64_C(0), "",
		  "538096d4306254affd403f0aa255ab209a1f4395e69f2391396265afc40c3c40" },
		{ "\xc3\xa9", INT64_C(253402300799), "{\"a\":\"b\"}",
		  "f46f4345b381266995620894ee8116de74e4680df9b9426cca372f72502b0964" },
	};
	/* clang-format on */
	char hex[SIGNATURE_HEX + 1];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ok(sign_body(rows[i].secret, rows[i].time_s, rows[i].body, strlen(rows[i].body), hex), "signed");
		is_str(hex, rows[i].hex, "as openssl does, row %zu", i);
	}
}

static void test_wait(void)
{
	static const struct {
		unsigned tries;
		int64_t most_ms;
	} rows[] = {
		{ 1, 1000 },
		{ 2, 2000 },
		{ 3, 4000 },
		{ 10, 512000 },
		{ 12, 2048000 },
		{ 13, 3600000 },
		{ 4000000000u, 3600000 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t most = rows[i].most_ms;
		ok(courier_wait_ms(rows[i].tries, 0) == most / 2 &&
			   courier_wait_ms(rows[i].tries, (uint32_t)(most / 2)) == most,
		   "after %u failures half of %lld ms, and the other half by chance", rows[i].tries, (long long)most);
		for (uint32_t chance = 0; chance < 50; chance++) {
			int64_t wait = courier_wait_ms(rows[i].tries, chance * 85899345u);
			if (wait < most / 2 || wait > most)
				ok(false, "%lld ms", (long long)wait);
		}
	}
}

static void test_asked(void)
{
	/* clang-format off */
	static const struct { int64_t wait_ms, asked_s, longer_ms; } rows[] = {
		{ 1500, 0, 1500 }, { 1500, 1, 1500 }, { 1500, 2, 2000 }, { 1500, 3599, 3599000 }, { 1500, 3600, 3600000 },
		{ 1500, 86400, 3600000 }, { 1500, INT64_MAX, 3600000 }, { 1500, INT64_MAX / 1000 + 1, 3600000 },
		{ 1500, -1, 1500 }, { 1500, INT64_MIN, 1500 },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ok(courier_longer_ms(rows[i].wait_ms, rows[i].asked_s) == rows[i].longer_ms,
		   "asked for %lld s of patience", (long long)rows[i].asked_s);
}

static void test_meaning(void)
{
	/* clang-format off */
	static const struct { long status; bool whole; enum courier_said said; } rows[] = {
		{ 200, true, COURIER_TAKEN }, { 204, true, COURIER_TAKEN }, { 200, false, COURIER_TAKEN },
		{ 0, false, COURIER_LATER }, { 301, true, COURIER_LATER }, { 307, true, COURIER_LATER },
		{ 400, true, COURIER_NEVER }, { 404, true, COURIER_NEVER }, { 404, false, COURIER_LATER },
		{ 408, true, COURIER_LATER }, { 410, true, COURIER_NEVER }, { 429, true, COURIER_LATER },
		{ 500, true, COURIER_LATER }, { 503, true, COURIER_LATER }, { 100, false, COURIER_LATER },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		ok(webhook_meaning(rows[i].status, rows[i].whole) == rows[i].said, "answer %ld%s", rows[i].status,
		   rows[i].whole ? "" : ", broken off");
}

static void test_host(void)
{
	/* clang-format off */
	static const struct { const char *url, *host; } rows[] = {
		{ "https://user:pass@hooks.example.com:8443/secret?key=1", "hooks.example.com" },
		{ "http://hooks.example.com", "hooks.example.com" },
		{ "http://a@b@hooks.example.com/x@y", "hooks.example.com" },
		{ "http://[2001:db8::1]:80/x", "[2001:db8::1]" },
		{ "http://hooks.example.com?user@host", "hooks.example.com" },
		{ "", "" },
	};
	/* clang-format on */
	char host[256], small[6];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		webhook_host(rows[i].url, host, sizeof host);
		is_str(host, rows[i].host, "host of %s", rows[i].url);
	}
	webhook_host("http://hooks.example.com", small, sizeof small);
	ok(strlen(small) < sizeof small, "a host that is too long is cut: %s", small);
}

static void test_kinds(void)
{
	unsigned set = 0, all = (1u << EVENT_COUNT) - 1;
	char wrong[32];
	ok(notice_kinds("", &set, wrong) && set == all, "no words: all");
	ok(notice_kinds(" level,\tblock ", &set, wrong) && set == (1u << EVENT_LEVEL | 1u << EVENT_BLOCK), "two");
	ok(!notice_kinds("level blockk", &set, wrong) && strcmp(wrong, "blockk") == 0, "one that is none");
	ok(!notice_kinds("levellevellevellevellevellevellevellevel", &set, wrong) && strlen(wrong) < sizeof wrong,
	   "a long one");
}

static void test_told(void)
{
	static struct seen seen;
	ok(!seen_before(&seen, 7, NOW, 60) && seen_before(&seen, 7, NOW + 59, 60), "within the period it is told");
	ok(!seen_before(&seen, 7, NOW + 60, 60), "and after it no longer");
	ok(!seen_before(&seen, 8, NOW, 60), "another is another");
	ok(!seen_before(&seen, 7, NOW - 3600, 60), "a clock that went back an hour keeps nothing quiet");
	ok(seen_before(&seen, 7, NOW - 3590, 60), "... but within the period");
	ok(!seen_before(&seen, 0, NOW, 60) && seen_before(&seen, 0, NOW, 60), "a hash of 0 is one, too");
	int again = 0;
	for (uint64_t what = 1; what <= 100000; what++)
		again += seen_before(&seen, what * UINT64_C(0x9e3779b97f4a7c15), NOW + 100, 60);
	ok(again == 0, "a flood: the oldest give way, and none is held for told that was not");
}

/* Header and body of a letter end their lines by CRLF, and only we begin lines. */
static void test_letter(void)
{
	const struct admin_mail_settings settings = {
		.from = "",
		.to = "root@example.test, night@example.test",
		.host = "mx.example.test",
		.now_s = NOW,
	};
	struct notice event = full_notice();
	text_copy(event.account, sizeof event.account, "a'b\r\nBcc: x@example.test\r\n.\r\nQUIT\r\n");
	text_copy(event.reason, sizeof event.reason, "spamd\r\n\r\n.\r\nMAIL FROM:<>\xff\x01");
	char *letter = admin_mail_of(&event, &settings);
	ok(strstr(letter, "\nBcc") == NULL && strstr(letter, "\n.") == NULL && strstr(letter, "\nMAIL") == NULL &&
		   strstr(letter, "\nQUIT") == NULL,
	   "nothing breaks out of its line");
	bool plain = true;
	for (const char *at = letter; *at != '\0'; at++)
		plain = plain && (*at == '\n'	? at > letter && at[-1] == '\r'
				  : *at == '\r' ? at[1] == '\n'
						: *at >= ' ' && *at <= '~');
	ok(plain, "printable ASCII in lines that end by CRLF");
	ok(strstr(letter, "account show 'a'\\''b") != NULL, "the account is one word of a shell");
	ok(strstr(letter, "\r\nDate: Wed, 15 Nov 2023 00:00:00 +0000\r\n") != NULL, "RFC 5322's date");
	ok(strstr(letter, "From: Penstock <penstock@mx.example.test>\r\n") == letter, "a sender of this host");
	free(letter);
	notice_init(&event, EVENT_DELISTED, "");
	ok(!admin_mail_wanted(&event), "good news is no mail");
	notice_init(&event, EVENT_LEVEL, "a");
	event.from = LEVEL_SUSPECT;
	event.to = LEVEL_GOOD;
	ok(!admin_mail_wanted(&event), "nor is a better level");
	event.to = LEVEL_BLOCKED;
	ok(admin_mail_wanted(&event), "a worse one is");
}

int main(void)
{
	test_json();
	test_signature();
	test_wait();
	test_asked();
	test_meaning();
	test_host();
	test_kinds();
	test_told();
	test_letter();
	return done_testing();
}

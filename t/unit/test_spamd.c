/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The two texts of the SPAMC protocol.
 */
#include "milter/content/spamd.h"
#include "t/unit/tap.h"

#include <stdlib.h>

static const struct request_row {
	const char *user, *user_line, *name;
} requests[] = {
	{ "alice@example.com", "User: alice@example.com\r\n", "a login" },
	{ NULL, "", "nobody" },
	{ "", "", "an empty name" },
	{ "a b", "", "a space" },
	{ "a\r\nQuarantine: x", "", "a line break" },
	{ "../../etc", "", "a path" },
	{ "a/b", "", "a slash" },
	{ "a..b", "", "two dots" },
	{ "-x", "", "an option" },
	{ "m\xc3\xbcller", "", "8-bit" },
	{ "a%s", "", "a format directive" },
};

static void test_requests(void)
{
	char request[512], want[512];
	for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
		size_t length = spamd_request(requests[i].user, 1234, request, sizeof request);
		snprintf(want, sizeof want, "SYMBOLS SPAMC/1.5\r\nContent-length: 1234\r\n%s\r\n",
			 requests[i].user_line);
		is_str(request, want, "request: %s", requests[i].name);
		is_int((long long)length, (long long)strlen(want), "request: length with %s", requests[i].name);
	}
	is_int((long long)spamd_request("alice", 1, request, 20), 0, "request: too small a buffer");
	is_int((long long)spamd_request("alice", 1, request, 0), 0, "request: no buffer");
}

#define OK_LINE "SPAMD/1.1 0 EX_OK\r\n"

/* clang-format off */
static const struct reply_row {
	const char *reply;
	bool ended;
	enum spamd_progress progress;
	bool spam;
	double score, threshold;
	const char *rules, *name;
} replies[] = {
	{ OK_LINE "Content-length: 11\r\nSpam: True ; 15.3 / 5.0\r\n\r\nRULE1,RULE2", false, SPAMD_DONE, true, 15.3, 5,
	  "RULE1,RULE2", "spam" },
	{ OK_LINE "Content-length: 9\r\nSpam: False ; -1.25 / "
	  "5.0\r\n\r\nBAYES_00\n", false, SPAMD_DONE, false, -1.25, 5,
	  "BAYES_00", "ham" },
	{ OK_LINE "content-LENGTH: 0\nspam: yes;7/5\n\n", false, SPAMD_DONE, true, 7, 5, "",
	  "other case, bare newlines" },
	{ OK_LINE "Spam: False ; 0.0 / 5.0\r\n\r\nA,B\r\n", true, SPAMD_DONE, false, 0, 5, "A,B", "no length, closed" },
	{ OK_LINE "Spam: False ; 0.0 / 5.0\r\n\r\nA,B", false, SPAMD_MORE, false, 0, 0, "", "no length, still open" },
	{ OK_LINE "Content-length: 1\r\nSpam: False ; 0.0 / 5.0\r\n\r\nABC", false, SPAMD_DONE, false, 0, 5, "A",
	  "more than its length" },
	{ OK_LINE "X-Other: thing\r\nContent-length: 1\r\nSpam: False ; 0.0 / "
	  "5.0\r\n\r\nA", false, SPAMD_DONE, false, 0,
	  5, "A", "an unknown header" },
	{ OK_LINE "Content-length: 3\r\nSpam: False ; 0.0 / 5.0\r\n\r\nA\x01\"", false, SPAMD_DONE, false, 0, 5, "A??",
	  "odd bytes in the rules" },
	{ OK_LINE "Content-length: 9\r\nSpam: False ; 0.0 / 5.0\r\n\r\nA,B", false, SPAMD_MORE, false, 0, 0, "",
	  "half a body" },
	{ OK_LINE "Content-length: 9\r\nSpam: False ; 0.0 / 5.0\r\n\r\nA,B", true, SPAMD_BAD, false, 0, 0, "",
	  "half a body, closed" },
	{ "", false, SPAMD_MORE, false, 0, 0, "", "nothing yet" },
	{ "", true, SPAMD_BAD, false, 0, 0, "", "nothing, closed" },
	{ "SPAMD/1.1 0 EX", false, SPAMD_MORE, false, 0, 0, "", "half a line" },
	{ OK_LINE, true, SPAMD_BAD, false, 0, 0, "", "one line, closed" },
	{ "SPAMD/1.0 76 Bad header line: x\r\n", false, SPAMD_BAD, false, 0, 0, "", "an error code" },
	{ "SPAMD/1.1 79 EX_TIMEOUT\r\n\r\n", false, SPAMD_BAD, false, 0, 0, "", "spamd's own time-out" },
	{ "SPAMD/1.1 00000000000000000000000 EX_OK\r\n", false, SPAMD_BAD, false, 0, 0, "", "a code of many digits" },
	{ "HTTP/1.1 200 OK\r\n", false, SPAMD_BAD, false, 0, 0, "", "another protocol" },
	{ "\r\n\r\n", false, SPAMD_BAD, false, 0, 0, "", "empty lines" },
	{ OK_LINE "Content-length: 0\r\n\r\n", false, SPAMD_BAD, false, 0, 0, "", "no Spam header" },
	{ OK_LINE "Content-length: 99999\r\n", false, SPAMD_BAD, false, 0, 0, "", "too large a length" },
	{ OK_LINE "Content-length: -1\r\n", false, SPAMD_BAD, false, 0, 0, "", "a negative length" },
	{ OK_LINE "Content-length: 18446744073709551617\r\n", false, SPAMD_BAD, false, 0, 0, "",
	  "a length that wraps" },
	{ OK_LINE "Spam: True ; nan / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "nan" },
	{ OK_LINE "Spam: True ; inf / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "inf" },
	{ OK_LINE "Spam: True ; 1e9 / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "an exponent" },
	{ OK_LINE "Spam: True ; 5,3 / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "a comma" },
	{ OK_LINE "Spam: True ; 0x10 / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "hexadecimal" },
	{ OK_LINE "Spam: True ; 99999999999 / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "too many digits" },
	{ OK_LINE "Spam: True ; 5. / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "nothing behind the point" },
	{ OK_LINE "Spam: True ; 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "no threshold" },
	{ OK_LINE "Spam: Maybe ; 5.0 / 5.0\r\n", false, SPAMD_BAD, false, 0, 0, "", "neither true nor false" },
	{ OK_LINE "Spam: True ; 5.0 / 5.0 x\r\n", false, SPAMD_BAD, false, 0, 0, "", "something behind it" },
};
/* clang-format on */

static void test_reply(const struct reply_row *row)
{
	/* a copy of its own size, so that a sanitizer sees a read past it */
	size_t length = strlen(row->reply);
	char *bytes = malloc(length + 1);
	struct content content = { .scanner = "spamd" };
	const char *why = NULL;
	if (bytes == NULL)
		abort();
	memcpy(bytes, row->reply, length);
	enum spamd_progress progress = spamd_reply(bytes, length, row->ended, &content, &why);
	is_int(progress, row->progress, "reply: %s", row->name);
	is_int(content.known, row->progress == SPAMD_DONE ? KNOWLEDGE_FULL : KNOWLEDGE_NONE, "reply: known, %s",
	       row->name);
	is_str(content.rules, row->rules, "reply: rules, %s", row->name);
	is_str(content.scanner, "spamd", "reply: scanner is left alone, %s", row->name);
	ok(content.spam == row->spam && fabs(content.score - row->score) < 1e-9 &&
		   fabs(content.threshold - row->threshold) < 1e-9,
	   "reply: numbers, %s", row->name);
	ok(row->progress != SPAMD_BAD || (why != NULL && *why != '\0'), "reply: says why, %s", row->name);
	free(bytes);
}

static void test_bounds(void)
{
	char reply[SPAMD_REPLY_MAX + 2] = OK_LINE "Spam: False ; 0.0 / 5.0\r\n\r\n";
	struct content content = { 0 };
	const char *why;
	size_t head = strlen(reply);
	for (size_t i = head; i < sizeof reply; i++)
		reply[i] = "ABCDEFGHI,"[(i - head) % 10];
	is_int(spamd_reply(reply, sizeof reply - 1, true, &content, &why), SPAMD_BAD, "one byte too long");
	is_int(spamd_reply(reply, sizeof reply - 2, true, &content, &why), SPAMD_DONE, "as long as may be");
	is_int((long long)strlen(content.rules), 199, "rules are cut");
	is_int(spamd_reply(reply, head + 205, true, &content, &why), SPAMD_DONE, "rules that nearly fit");
	ok(content.rules[strlen(content.rules) - 1] != ',', "no comma at the end");
	memset(reply + head, 'A', 300);
	spamd_reply(reply, head + 300, true, &content, &why);
	is_str(content.rules, "", "a name that does not fit is left out");
}

int main(void)
{
	test_requests();
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
		test_reply(&replies[i]);
	test_bounds();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/client_note.h"

#include "t/unit/tap.h"

static void test_rows(void)
{
	static const struct {
		const char *row, *name, *again; /* again NULL: the same, with its newline */
	} rows[] = {
		{ "1764483108 192.0.2.7 auth_failure - imap alice%40example.com", "alice@example.com", NULL },
		{ "1764483108 192.0.2.7 auth_failure - imap alice%40example.com\n", "alice@example.com",
		  "1764483108 192.0.2.7 auth_failure - imap alice%40example.com\n" },
		{ "1 2001:db8::1 no_quit end_of_message smtp -", "", NULL },
		{ "1 ::ffff:192.0.2.7 quit - submission -", "", "1 192.0.2.7 quit - submission -\n" },
		{ "1 192.0.2.7 auth_failure auth sip %2D", "-", NULL },
		{ "1 192.0.2.7 auth_failure auth sip --", "--", NULL },
		{ "1 192.0.2.7 auth_failure auth sip_proven a%20b%25%41", "a b%A",
		  "1 192.0.2.7 auth_failure auth sip_proven a%20b%25A\n" },
		{ "1 192.0.2.7 auth_failure auth smtp %00%0a%1b%7f", "????",
		  "1 192.0.2.7 auth_failure auth smtp %3F%3F%3F%3F\n" },
		{ "1 192.0.2.7 auth_failure auth smtp j%C3%BCrgen", "j\xc3\xbcrgen", NULL },
		{ "1 192.0.2.7 auth_failure auth smtp %c3%bc", "\xc3\xbc",
		  "1 192.0.2.7 auth_failure auth smtp %C3%BC\n" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct client_note note;
		char error[200] = "", again[CLIENT_NOTE_ROW_MAX], want[CLIENT_NOTE_ROW_MAX];
		bool fine = client_note_read(rows[i].row, strlen(rows[i].row), &note, error, sizeof error);
		if (!ok(fine, "\"%s\" is read %s", rows[i].row, error))
			continue;
		is_str(note.name, rows[i].name, "its name");
		size_t length = client_note_write(&note, again);
		is_int((long long)length, (long long)strlen(again), "its length");
		snprintf(want, sizeof want, "%s\n", rows[i].row);
		is_str(again, rows[i].again != NULL ? rows[i].again : want, "written again");
	}
}

static void test_mistakes(void)
{
	static const struct {
		const char *row, *error;
	} rows[] = {
		{ "", "The row is \"\"; expected TIME ADDRESS EVENT STAGE SERVICE NAME, parted by one blank each." },
		{ "1 192.0.2.7 quit - smtp",
		  "The row is \"1_192.0.2.7_quit_-_smtp\"; expected TIME ADDRESS EVENT STAGE "
		  "SERVICE NAME, parted by one blank each." },
		{ "1 192.0.2.7 quit - smtp - -",
		  "The row is \"1_192.0.2.7_quit_-_smtp_-_-\"; expected TIME ADDRESS EVENT "
		  "STAGE SERVICE NAME, parted by one blank each." },
		{ "1  192.0.2.7 quit - smtp -",
		  "The row is \"1__192.0.2.7_quit_-_smtp_-\"; expected TIME ADDRESS EVENT "
		  "STAGE SERVICE NAME, parted by one blank each." },
		{ "0 192.0.2.7 quit - smtp -", "The time is \"0\"; expected seconds of Unix time." },
		{ "99999999999 192.0.2.7 quit - smtp -",
		  "The time is \"99999999999\"; expected seconds of Unix time." },
		{ "1 mx.example.com quit - smtp -",
		  "The address is \"mx.example.com\"; expected an IPv4 or IPv6 address." },
		{ "1 192.0.2.7 left - smtp -",
		  "The event is \"left\"; expected a word such as auth_failure or no_quit." },
		{ "1 192.0.2.7 quit bdat smtp -", "The stage is \"bdat\"; expected \"-\" or a word such as helo." },
		{ "1 192.0.2.7 quit - nntp -", "The service is \"nntp\"; expected a word such as smtp, imap or sip." },
		{ "1 192.0.2.7 quit - smtp a@b",
		  "The name is \"a@b\"; expected letters, digits, . _ - and %XX for each other byte." },
		{ "1 192.0.2.7 quit - smtp a%4",
		  "The name is \"a%4\"; expected letters, digits, . _ - and %XX for each other byte." },
		{ "1 192.0.2.7 quit - smtp a\r",
		  "The name is \"a?\"; expected letters, digits, . _ - and %XX for each other byte." },
		{ "1 192.0.2.7 \x1b[31m - smtp -",
		  "The event is \"?[31m\"; expected a word such as auth_failure or no_quit." },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct client_note note;
		char error[200] = "";
		ok(!client_note_read(rows[i].row, strlen(rows[i].row), &note, error, sizeof error), "%s",
		   rows[i].error);
		is_str(error, rows[i].error, "what is said");
	}
	struct client_note note;
	char error[200];
	static const char nul[] = "1 192.0.2.7 quit\0x - smtp -";
	ok(!client_note_read(nul, sizeof nul - 1, &note, error, sizeof error), "a NUL within");
	char many[4000];
	memset(many, 'a', sizeof many);
	ok(!client_note_read(many, sizeof many, &note, error, sizeof error), "a row of 4,000 bytes");
}

/* What a stranger types is cut between characters, and no row grows beyond its room. */
static void test_names(void)
{
	struct client_note note = { .time_s = 4102444800,
				    .event = CLIENT_EVENT_AUTH_FAILURE,
				    .stage = CLIENT_STAGE_DOT,
				    .service = CLIENT_SERVICE_SUBMISSION };
	char bytes[300], row[CLIENT_NOTE_ROW_MAX], error[200];
	netaddr_parse("2001:db8:1111:2222:3333:4444:5555:6666", &note.client);
	memset(bytes, '@', sizeof bytes);
	client_note_name(&note, bytes, sizeof bytes);
	is_int((long long)strlen(note.name), CLIENT_NOTE_NAME_MAX, "a long name is cut");
	size_t length = client_note_write(&note, row);
	ok(length < CLIENT_NOTE_ROW_MAX - 1 && row[length - 1] == '\n', "and its row fits: %zu bytes", length);
	struct client_note read;
	ok(client_note_read(row, length, &read, error, sizeof error) && strcmp(read.name, note.name) == 0,
	   "and is read again");
	memcpy(bytes + 62, "\xf0\x9f\x98\x80", 4);
	client_note_name(&note, bytes, sizeof bytes);
	is_int((long long)strlen(note.name), 62, "a character that does not fit is left out");
	static const char odd[] = "\xc3\x28\xed\xa0\x80\xc2\x85\xff\xe2\x82";
	client_note_name(&note, odd, sizeof odd - 1);
	is_str(note.name,
	       "?(????"
	       "??"
	       "?"
	       "?",
	       "no UTF-8, surrogates, C1 controls, and half a character");
	client_note_name(&note, "", 0);
	is_str(note.name, "", "none");
}

int main(void)
{
	test_rows();
	test_mistakes();
	test_names();
	return done_testing();
}

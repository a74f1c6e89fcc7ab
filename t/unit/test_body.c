/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a message, as it is fed to the fingerprint: two messages of one text have one fingerprint, however they
 * are written and cut into pieces.
 */
#include "milter/message/body.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define TEXT \
	"Dear customer your account will be closed tomorrow unless you confirm it by this link today please hurry\r\n"
#define TEXT64 \
	"RGVhciBjdXN0b21lciB5b3VyIGFjY291bnQgd2lsbCBiZSBjbG9zZWQgdG9tb3Jyb3cgdW5sZXNz\r\n" \
	"IHlvdSBjb25maXJtIGl0IGJ5IHRoaXMgbGluayB0b2RheSBwbGVhc2UgaHVycnkNCg==\r\n"
#define TEXTQP \
	"Dear customer your accoun=\r\nt will be closed=20tomorrow unless you confir=6D it by this link today please " \
	"hurry\r\n"
#define PLAIN "Content-Type: text/plain\r\n"
#define MIXED "multipart/mixed; boundary=\"=_b 1\""

static const uint64_t key[2] = { 11, 12 };

struct row {
	const char *name;
	const char *type, *encoding; /* of the message; NULL: none */
	const char *body;
	bool same; /* as TEXT alone; else no text is found */
};

/* clang-format off */
static const struct row rows[] = {
	{ "plain", NULL, NULL, TEXT, true },
	{ "said to be plain", "text/plain; charset=utf-8", "7bit", TEXT, true },
	{ "html", "text/html", "8bit", TEXT, true },
	{ "type in capitals", "TEXT/Plain", "8BIT", TEXT, true },
	{ "base64", "text/plain", "base64", TEXT64, true },
	{ "base64 with junk in it", "text/plain", " Base64 ", "!" TEXT64 "=-\xff", true },
	{ "quoted-printable", "text/plain", "quoted-printable", TEXTQP, true },
	{ "an image", "image/png", "base64", TEXT64, false },
	{ "one part", MIXED, NULL, "preamble\r\n--=_b 1\r\n" PLAIN "\r\n" TEXT "--=_b 1--\r\nepilogue", true },
	{ "a part without a header", MIXED, NULL, "--=_b 1\r\n\r\n" TEXT "--=_b 1--\r\n", true },
	{ "a part in base64", MIXED, NULL,
	  "--=_b 1\r\n" PLAIN "content-transfer-encoding:\r\n\tbase64\r\n\r\n" TEXT64 "--=_b 1--\r\n", true },
	{ "no last boundary", MIXED, NULL, "--=_b 1\r\n" PLAIN "\r\n" TEXT, true },
	{ "bare line feeds", MIXED, NULL, "--=_b 1\n\n" TEXT "--=_b 1--\n", true },
	{ "blanks behind the boundary", MIXED, NULL, "--=_b 1 \t\r\n\r\n" TEXT, true },
	{ "no boundary comes", MIXED, NULL, TEXT, false },
	{ "no boundary is named", "multipart/mixed", NULL, TEXT, false },
	{ "an empty boundary", "multipart/mixed; boundary=\"\"", NULL, "--\r\n\r\n" TEXT, false },
	{ "a boundary without quotes", "multipart/mixed; "
	  "boundary=xyz; a=b", NULL, "--xyz\r\n\r\n" TEXT "--xyz--", true },
	{ "text beside an image", MIXED, NULL,
	  "--=_b 1\r\nContent-Type: image/gif\r\nContent-Transfer-Encoding: "
	  "base64\r\n\r\n" TEXT64 "--=_b 1\r\n\r\n" TEXT, true },
	{ "a multipart inside", MIXED, NULL,
	  "--=_b 1\r\nContent-Type: multipart/alternative;\r\n boundary=in\r\n\r\n--in\r\n\r\n" TEXT "--in--\r\n" TEXT
	  "--=_b 1--\r\n", true },
	{ "an outer boundary ends an inner part", MIXED, NULL,
	  "--=_b 1\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: a/b\r\n\r\n" TEXT
	  "--=_b 1\r\n\r\n" TEXT, true },
	{ "a message inside", MIXED, NULL,
	  "--=_b 1\r\nContent-Type: message/rfc822\r\n\r\nSubject: what\r\n" PLAIN "\r\n" TEXT "--=_b 1--\r\n", true },
	{ "a message alone", "message/rfc822", NULL, "Subject: what\r\n\r\n" TEXT, true },
};
/* clang-format on */

static uint64_t fingerprint_of(const struct row *row, const char *bytes, size_t length, size_t piece)
{
	static struct body body;
	memset(&body, 0xa5, sizeof body);
	body_begin(&body, key);
	if (row->type != NULL)
		body_header(&body, "Content-Type", row->type);
	if (row->encoding != NULL)
		body_header(&body, "content-transfer-encoding", row->encoding);
	body_header_end(&body);
	for (size_t at = 0; at < length; at += piece) {
		char copy[4096]; /* so that a sanitizer sees a look beyond it */
		size_t left = length - at < piece ? length - at : piece;
		memcpy(copy, bytes + at, left);
		body_add(&body, copy, left);
	}
	struct facts facts = { 0 };
	body_end(&body, &facts);
	return facts.fingerprint;
}

static void test_rows(void)
{
	uint64_t plain = fingerprint_of(&rows[0], TEXT, strlen(TEXT), 4096);
	ok(plain != 0, "the text has a fingerprint");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		bool fine = true;
		for (size_t piece = 1; piece < 200; piece++) {
			uint64_t print = fingerprint_of(row, row->body, strlen(row->body), piece);
			fine = fine && print == (row->same ? plain : 0);
		}
		ok(fine, "%s: %s, in pieces of any length", row->name, row->same ? "the same text" : "no text");
	}
}

/* What a stranger can do. */
static void test_bounds(void)
{
	static char big[400000];
	static const struct row plain = { "", NULL, NULL, "", true }, mixed = { "", MIXED, NULL, "", true };
	for (size_t i = 0; i < sizeof big; i++)
		big[i] = "abcdefg "[i * 7 / 3 % 8];
	uint64_t print = fingerprint_of(&plain, big, BODY_LOOKED_MAX, 4096);
	is_int((long long)fingerprint_of(&plain, big, sizeof big, 4000), (long long)print,
	       "what is beyond 128 KiB is not looked at");
	memcpy(big, "--=_b 1\r\nX: ", 12); /* a header field without end */
	is_int((long long)fingerprint_of(&mixed, big, sizeof big, 4096), 0, "a header without end has no text");
	struct body body;
	body_begin(&body, key);
	for (int i = 0; i < 100; i++)
		body_header(&body, "Content-Type", "multipart/mixed; boundary=a");
	is_int(body.depth, BODY_DEPTH_MAX, "multiparts are counted");
	char type[300] = "multipart/mixed; boundary=";
	memset(type + strlen(type), 'b', BODY_BOUNDARY_MAX + 1);
	body_begin(&body, key);
	body_header(&body, "Content-Type", type);
	is_int(body.depth, 0, "a boundary that is too long is none");
}

int main(void)
{
	test_rows();
	test_bounds();
	return done_testing();
}

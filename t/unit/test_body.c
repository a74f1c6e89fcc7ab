/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The text of a message, as it is fed to the fingerprint: two messages of one text have one fingerprint, however they
 * are written and cut into pieces. What stands beside the text, what may hide in it, and whose hosts its links name.
 */
#include "milter/message/body.h"

#include "policy/hash.h"

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

static struct facts facts_of(const struct row *row, const char *bytes, size_t length, size_t piece)
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
	body_end(&body, NULL, &facts);
	return facts;
}

static uint64_t fingerprint_of(const struct row *row, const char *bytes, size_t length, size_t piece)
{
	return facts_of(row, bytes, length, piece).fingerprint;
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

/* ---- the text as it is known again: its fingerprint and what stands beside it */

#define PART "--=_b 1\r\n"
#define END "--=_b 1--\r\n"
#define BASE64 "Content-Transfer-Encoding: base64\r\n"

/* clang-format off */
static const struct {
	const char *name, *type, *encoding, *body;
	int same; /* rows of one number are one text; 0: what can be seen is not all there is */
} text_rows[] = {
	{ "plain", NULL, NULL, TEXT, 1 },
	{ "the same in base64", "text/plain", "base64", TEXT64, 1 },
	{ "the same, quoted-printable", "text/plain", "quoted-printable", TEXTQP, 1 },
	{ "the same in a multipart", MIXED, NULL, PART PLAIN "\r\n" TEXT END, 1 },
	{ "HTML", "text/html", NULL, TEXT, 2 },
	{ "HTML in a multipart", MIXED, NULL, PART "Content-Type: text/html\r\n\r\n" TEXT END, 2 },
	{ "a picture beside it", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: image/png\r\n\r\nx\r\n" END, 3 },
	{ "two pictures beside it", MIXED, NULL,
	  PART "\r\n" TEXT PART "Content-Type: image/png\r\n\r\nx\r\n" PART "Content-Type: IMAGE/gif\r\n\r\ny" END, 3 },
	{ "a PDF beside it", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: application/pdf\r\n\r\nx\r\n" END, 4 },
	{ "another file", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: application/zip\r\n\r\nx\r\n" END, 5 },
	{ "a message about it", MIXED, NULL, PART "Content-Type: message/rfc822\r\n\r\nSubject: a\r\n\r\n" TEXT END, 6 },
	{ "a sound beside it", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: audio/ogg\r\n\r\nx\r\n" END, 7 },
	{ "a film beside it", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: video/ogg\r\n\r\nx\r\n" END, 8 },
	{ "a date beside it", MIXED, NULL, PART "\r\n" TEXT PART "Content-Type: text/calendar\r\n\r\nx\r\n" END, 9 },
	{ "a page of another kind beside it", MIXED, NULL,
	  PART "\r\n" TEXT PART "Content-Type: text/x-amp-html\r\n\r\nx\r\n" END, 10 },
	{ "few words", NULL, NULL, "see http://shop.example/\r\n", 0 },
	{ "a PDF alone", "application/pdf", "base64", TEXT64, 0 },
	{ "no boundary is named", MIXED, NULL,
	  PART "\r\n" TEXT PART "Content-Type: multipart/mixed\r\n\r\nx\r\n" END, 0 },
	{ "a message in base64 beside it", MIXED, NULL,
	  PART "\r\n" TEXT PART "Content-Type: message/rfc822\r\n" BASE64 "\r\nx\r\n" END, 0 },
	{ "a digest beside it", MIXED, NULL,
	  PART "\r\n" TEXT PART "Content-Type: multipart/digest; boundary=d\r\n\r\n--d--\r\n" END, 0 },
	{ "two types of one part", MIXED, NULL, PART PLAIN PLAIN "\r\n" TEXT END, 0 },
	{ "two encodings of one part", MIXED, NULL,
	  PART "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" TEXT END, 0 },
	{ "an encoding that is not known", "text/plain", "x-uuencode", TEXT, 0 },
	{ "UTF-7", "text/plain; charset=UTF-7", NULL, TEXT, 0 },
	{ "base64 that begins anew", "text/plain", "base64", TEXT64 TEXT64, 0 },
	{ "what is not quoted-printable", "text/plain", "quoted-printable", TEXTQP "=zz\r\n", 0 },
	{ "a header without end", MIXED, NULL, PART "\r\n" TEXT PART PLAIN, 0 },
	{ "a picture behind the last boundary", MIXED, NULL,
	  PART "\r\n" TEXT END "Content-Type: image/png\r\n\r\nx\r\n", 1 },
};
/* clang-format on */
enum { TEXT_ROWS = sizeof text_rows / sizeof text_rows[0] };

static void test_texts(void)
{
	uint64_t texts[TEXT_ROWS];
	for (int i = 0; i < TEXT_ROWS; i++) {
		const struct row row = { "", text_rows[i].type, text_rows[i].encoding, text_rows[i].body, true };
		bool fine = true;
		texts[i] = facts_of(&row, row.body, strlen(row.body), 4096).text;
		for (size_t piece = 1; piece < 200; piece++)
			fine = fine && facts_of(&row, row.body, strlen(row.body), piece).text == texts[i];
		for (int before = 0; before < i && text_rows[i].same != 0; before++)
			fine = fine && (texts[i] == texts[before]) == (text_rows[i].same == text_rows[before].same);
		ok(fine && (texts[i] == 0) == (text_rows[i].same == 0), "%s: text %d", text_rows[i].name,
		   text_rows[i].same);
	}
}

/* ---- links */

#define LINKED "Dear customer your parcel is under way, see where it is today and when it comes to you at "

/* clang-format off */
static const struct {
	const char *name, *type, *encoding, *body, *host;
} link_rows[] = {
	{ "plain", NULL, NULL, LINKED "https://shop.example/1\r\n", "shop.example" },
	{ "another link", NULL, NULL, LINKED "https://evil.example/1\r\n", "evil.example" },
	{ "in base64", "text/plain", "base64",
	  "RGVhciBjdXN0b21lciB5b3VyIHBhcmNlbCBpcyB1bmRlciB3YXksIHNlZSB3aGVyZSBpdCBpcyB0\r\n"
	  "b2RheSBhbmQgd2hlbiBpdCBjb21lcyB0byB5b3UgYXQgaHR0cHM6Ly9ldmlsLmV4YW1wbGUvMQ0K\r\n", "evil.example" },
	{ "quoted-printable", "text/plain", "quoted-printable", LINKED "https:=2F/evi=\r\nl.exa=6Dple/1\r\n", "evil.example" },
	{ "a soft line break with blanks", "text/plain", "quoted-printable", LINKED "https://shop.example=  \r\n.evil.example/\r\n",
	  "shop.example.evil.example" },
	{ "in HTML", "text/html", NULL, "<p>" LINKED "<a href='&#47;/evil&#46;example/'>", "evil.example" },
	{ "HTML is plain text", "text/plain", NULL, LINKED "http://shop.example&#46;evil.example", "shop.example" },
	{ "in a part", MIXED, NULL, PART "\r\nhttp://shop.example\r\n" END "http://none.example", "shop.example" },
};
/* clang-format on */

static void test_links(void)
{
	for (size_t i = 0; i < sizeof link_rows / sizeof link_rows[0]; i++) {
		const struct row row = { "", link_rows[i].type, link_rows[i].encoding, link_rows[i].body, true };
		const char *host = link_rows[i].host;
		uint64_t want = hash_keyed(key, host, strlen(host));
		bool fine = true;
		for (size_t piece = 1; piece < 200; piece++) {
			struct facts facts = facts_of(&row, row.body, strlen(row.body), piece);
			fine = fine && facts.host_count > 0 && facts.hosts[0] == want;
		}
		ok(fine, "%s: %s, in pieces of any length", link_rows[i].name, host);
	}
	/* the owner's template with a thief's link in it is known by the link alone */
	const struct row one = { "", NULL, NULL, link_rows[0].body, true },
			 other = { "", "text/plain", "base64", link_rows[2].body, true };
	struct facts owner = facts_of(&one, one.body, strlen(one.body), 4096);
	struct facts thief = facts_of(&other, other.body, strlen(other.body), 4096);
	is_int(owner.host_count, 1, "one host");
	is_int(thief.host_count, 1, "and one of the other");
	ok(owner.hosts[0] != thief.hosts[0], "they differ");
	struct body body;
	struct facts facts = { 0 };
	body_begin(&body, key);
	body_header_end(&body);
	body_add(&body, "http://shop.example ", 20);
	body_end(&body, "reply.example", &facts);
	ok(facts.host_count == 2 && facts.hosts[1] == hash_keyed(key, "reply.example", 13),
	   "the host that answers go to is one");
	is_int(facts.text_words, 2, "words are counted, where they are few, too");
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
	ok(facts_of(&plain, big, BODY_LOOKED_MAX, 4096).text != 0, "up to there it is a text");
	is_int((long long)facts_of(&plain, big, BODY_LOOKED_MAX + 1, 4096).text, 0,
	       "... and with a byte more it is none");
	memcpy(big, "--=_b 1\r\nX: ", 12); /* a header field without end */
	is_int((long long)fingerprint_of(&mixed, big, sizeof big, 4096), 0, "a header without end has no text");
	snprintf(big, sizeof big, "--=_b 1\r\nContent-Type: text/plain; a=\"%0*d\"; charset=any\r\n\r\n" TEXT,
		 BODY_FIELD_MAX, 0);
	struct facts cut = facts_of(&mixed, big, strlen(big), 4096);
	ok(cut.fingerprint != 0 && cut.text == 0, "a field that is too long may have said anything");
	struct body body;
	body_begin(&body, key);
	for (int i = 0; i < 100; i++)
		body_header(&body, "Content-Type", "multipart/mixed; boundary=a");
	is_int(body.depth, BODY_DEPTH_MAX, "multiparts are counted");
	ok(body.unseen, "... and what is deeper is not seen");
	char type[300] = "multipart/mixed; boundary=";
	memset(type + strlen(type), 'b', BODY_BOUNDARY_MAX + 1);
	body_begin(&body, key);
	body_header(&body, "Content-Type", type);
	is_int(body.depth, 0, "a boundary that is too long is none");
}

int main(void)
{
	test_rows();
	test_texts();
	test_links();
	test_bounds();
	return done_testing();
}

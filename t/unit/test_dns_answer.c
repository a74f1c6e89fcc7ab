/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS answers, written as lists of records. A name in a record is dotted text; "&12" is a compression pointer to
 * offset 12, where the question's name stands.
 */
#include "milter/dns/answer.h"
#include "policy/base/text.h"
#include "t/unit/tap.h"

#include <stdlib.h>

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, MX = 15, TXT = 16, AAAA = 28, OPT = 41, IN = 1, CH = 3 };
enum { ANSWER, AUTHORITY, ADDITIONAL };

#define QUESTION "2.0.0.127.bl.example.test"

struct row_record {
	int section;
	const char *owner;
	unsigned type, class;
	uint32_t ttl;
	const char *name; /* CNAME, NS: the target. SOA: NULL */
	uint32_t number;  /* A: the address. SOA: the minimum */
	int length_off;	  /* added to the length of the data */
};

/* clang-format off */
static const struct row {
	const char *name;
	unsigned flags;
	const char *question;
	unsigned question_type;
	struct row_record records[12];
	enum dns_outcome outcome;
	int64_t ttl_s;
	int count;
	uint32_t first;
} rows[] = {
	{ "listed", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 } }, DNS_FOUND, 300, 1, 0x7f000002 },
	{ "listed twice, the shorter time holds", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 }, { ANSWER, "&12", A, IN, 200, NULL, 0x7f000004, 0 } },
	  DNS_FOUND, 200, 2, 0x7f000002 },
	{ "other case", 0x8180, "2.0.0.127.BL.Example.TEST", A,
	  { { ANSWER, "2.0.0.127.bl.EXAMPLE.test", A, IN, 300, NULL, 0x7f000002, 0 } }, DNS_FOUND, 300, 1, 0x7f000002 },
	{ "a short time is "
	  "lengthened", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 0, NULL, 0x7f000002, 0 } }, DNS_FOUND,
	  30, 1, 0x7f000002 },
	{ "a long time is shortened", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 86400, NULL, 0x7f000002, 0 } },
	  DNS_FOUND, 3600, 1, 0x7f000002 },
	{ "a negative time is none", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 0x80000001, NULL, 0x7f000002, 0 } },
	  DNS_FOUND, 30, 1, 0x7f000002 },
	{ "another owner", 0x8180, QUESTION, A, { { ANSWER, "evil.example.test", A, IN, 300, NULL, 0x7f000002, 0 } },
	  DNS_NONE, 30, 0, 0 },
	{ "another class", 0x8180, QUESTION, A, { { ANSWER, "&12", A, CH, 300, NULL, 0x7f000002, 0 } }, DNS_NONE, 30, 0, 0 },
	{ "another type", 0x8180, QUESTION, A, { { ANSWER, "&12", TXT, IN, 300, NULL, 0x7f000002, 0 } }, DNS_NONE, 30, 0, 0 },
	{ "no such name", 0x8183, QUESTION, A, { { AUTHORITY, "bl.example.test", SOA, IN, 900, NULL, 120, 0 } }, DNS_NONE,
	  120, 0, 0 },
	{ "no such name, the SOA's own time", 0x8183, QUESTION, A,
	  { { AUTHORITY, "bl.example.test", SOA, IN, 60, NULL, 120, 0 } }, DNS_NONE, 60, 0, 0 },
	{ "no such name, a long minimum", 0x8183, QUESTION, A,
	  { { AUTHORITY, "bl.example.test", SOA, IN, 86400, NULL, 86400, 0 } }, DNS_NONE, 3600, 0, 0 },
	{ "no such name, a stranger's SOA", 0x8183, QUESTION, A,
	  { { AUTHORITY, "example.org", SOA, IN, 900, NULL, 900, 0 } }, DNS_NONE, 30, 0, 0 },
	{ "no such name, an SOA at half a label", 0x8183, QUESTION, A,
	  { { AUTHORITY, "ample.test", SOA, IN, 900, NULL, 900, 0 } }, DNS_NONE, 30, 0, 0 },
	{ "no such name, no SOA", 0x8183, QUESTION, A, { { 0 } }, DNS_NONE, 30, 0, 0 },
	{ "no such name with an address", 0x8183, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 } },
	  DNS_NONE, 30, 0, 0 },
	{ "no data", 0x8180, QUESTION, A, { { AUTHORITY, "bl.example.test", SOA, IN, 900, NULL, 90, 0 } }, DNS_NONE, 90, 0,
	  0 },
	{ "no data, and name servers", 0x8180, QUESTION, A,
	  { { AUTHORITY, "test", NS, IN, 900, "ns.test", 0, 0 }, { AUTHORITY, "test", SOA, IN, 900, NULL, 90, 0 } },
	  DNS_NONE, 90, 0, 0 },
	{ "a referral", 0x8100, QUESTION, A, { { AUTHORITY, "example.test", NS, IN, 900, "ns.example.test", 0, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "by an alias", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", CNAME, IN, 100, "x.example.test", 0, 0 },
	    { ANSWER, "x.example.test", A, IN, 300, NULL, 0x7f000004, 0 } }, DNS_FOUND, 100, 1, 0x7f000004 },
	{ "by an alias, in the other order", 0x8180, QUESTION, A,
	  { { ANSWER, "x.example.test", A, IN, 300, NULL, 0x7f000004, 0 },
	    { ANSWER, "&12", CNAME, IN, 400, "x.example.test", 0, 0 } }, DNS_FOUND, 300, 1, 0x7f000004 },
	{ "an alias hides the name's own address", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 }, { ANSWER, "&12", CNAME, IN, 300, "x.test", 0, 0 },
	    { ANSWER, "x.test", A, IN, 300, NULL, 0x7f000004, 0 } }, DNS_FOUND, 300, 1, 0x7f000004 },
	{ "an alias to nothing", 0x8183, QUESTION, A,
	  { { ANSWER, "&12", CNAME, IN, 300, "x.example.org", 0, 0 },
	    { AUTHORITY, "example.org", SOA, IN, 900, NULL, 120, 0 } }, DNS_NONE, 120, 0, 0 },
	{ "an alias to "
	  "itself", 0x8180, QUESTION, A, { { ANSWER, "&12", CNAME, IN, 300, QUESTION, 0, 0 } }, DNS_UNKNOWN, 0,
	  0, 0 },
	{ "eight aliases", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", CNAME, IN, 300, "a1", 0, 0 }, { ANSWER, "a1", CNAME, IN, 300, "a2", 0, 0 },
	    { ANSWER, "a2", CNAME, IN, 300, "a3", 0, 0 }, { ANSWER, "a3", CNAME, IN, 300, "a4", 0, 0 },
	    { ANSWER, "a4", CNAME, IN, 300, "a5", 0, 0 }, { ANSWER, "a5", CNAME, IN, 300, "a6", 0, 0 },
	    { ANSWER, "a6", CNAME, IN, 300, "a7", 0, 0 }, { ANSWER, "a7", CNAME, IN, 300, "a8", 0, 0 },
	    { ANSWER, "a8", A, IN, 300, NULL, 0x7f000002, 0 } }, DNS_FOUND, 300, 1, 0x7f000002 },
	{ "nine aliases", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", CNAME, IN, 300, "a1", 0, 0 }, { ANSWER, "a1", CNAME, IN, 300, "a2", 0, 0 },
	    { ANSWER, "a2", CNAME, IN, 300, "a3", 0, 0 }, { ANSWER, "a3", CNAME, IN, 300, "a4", 0, 0 },
	    { ANSWER, "a4", CNAME, IN, 300, "a5", 0, 0 }, { ANSWER, "a5", CNAME, IN, 300, "a6", 0, 0 },
	    { ANSWER, "a6", CNAME, IN, 300, "a7", 0, 0 }, { ANSWER, "a7", CNAME, IN, 300, "a8", 0, 0 },
	    { ANSWER, "a8", CNAME, IN, 300, "a9", 0, 0 }, { ANSWER, "a9", A, IN, 300, NULL, 0x7f000002, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "with EDNS", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 }, { ADDITIONAL, "", OPT, 1232, 0, NULL, 0, 0 } }, DNS_FOUND, 300,
	  1, 0x7f000002 },
	{ "the upper bits of an rcode", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 }, { ADDITIONAL, "", OPT, 1232, 0x01000000, NULL, 0, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "SERVFAIL", 0x8182, QUESTION, A, { { 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "REFUSED", 0x8185, QUESTION, A, { { 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a question, not an "
	  "answer", 0x0100, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "cut", 0x8380, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "another opcode", 0x9180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "another question", 0x8180, "3.0.0.127.bl.example.test", A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "a question of "
	  "another type", 0x8180, QUESTION, AAAA, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0,
	  0, 0 },
	{ "an address of "
	  "five bytes", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 1 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "an address of "
	  "three bytes", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, -1 } }, DNS_UNKNOWN, 0, 0,
	  0 },
	{ "data past the end", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 400 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a pointer to "
	  "itself", 0x8180, QUESTION, A, { { ANSWER, "&43", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a pointer forwards", 0x8180, QUESTION, A, { { ANSWER, "&60", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a time of 2^32-1 "
	  "is none", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, UINT32_MAX, NULL, 0x7f000002, 0 } },
	  DNS_FOUND, 30, 1, 0x7f000002 },
	{ "an address "
	  "without bytes", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, -4 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "an alias to its alias", 0x8180, QUESTION, A,
	  { { ANSWER, "&12", CNAME, IN, 300, "a.test", 0, 0 }, { ANSWER, "a.test", CNAME, IN, 300, QUESTION, 0, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "an SOA that is "
	  "too short", 0x8183, QUESTION, A, { { AUTHORITY, "test", SOA, IN, 900, NULL, 120, -4 } }, DNS_UNKNOWN,
	  0, 0, 0 },
};
/* clang-format on */

/* Of the other types: what was kept, each record in <>, and "+" where some were left out. */
static const struct kept_row {
	const char *name;
	unsigned type;
	const char *owner, *data; /* of one record, and its length ... */
	int length;
	int times; /* ... that stands there so often */
	enum dns_outcome outcome;
	const char *kept;
} kept_rows[] = {
	{ "AAAA", AAAA, "&12", "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16, 2, DNS_FOUND,
	  "<20010db8000000000000000000000007><20010db8000000000000000000000007>" },
	{ "AAAA of four bytes", AAAA, "&12", "\1\2\3\4", 4, 1, DNS_UNKNOWN, "" },
	{ "AAAA of another owner", AAAA, "x.test", "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7", 16, 1, DNS_NONE, "" },
	{ "TXT", TXT, "&12", "\5hello", 6, 1, DNS_FOUND, "<hello>" },
	{ "TXT of two strings", TXT, "&12", "\6v=spf1\5 -all", 13, 1, DNS_FOUND, "<v=spf1 -all>" },
	{ "TXT, two records", TXT, "&12", "\1a", 2, 2, DNS_FOUND, "<a><a>" },
	{ "TXT with a NUL in it", TXT, "&12", "\3a\0b", 4, 1, DNS_FOUND, "<a\\0b>" },
	{ "TXT of an empty string", TXT, "&12", "\0", 1, 1, DNS_FOUND, "<>" },
	{ "TXT without a string", TXT, "&12", "", 0, 1, DNS_UNKNOWN, "" },
	{ "TXT whose string is longer than it", TXT, "&12", "\7hello", 6, 1, DNS_UNKNOWN, "" },
	{ "TXT whose second string is cut", TXT, "&12", "\1a\2b", 4, 1, DNS_UNKNOWN, "" },
	{ "PTR", PTR, "&12", "\4mail\7example\3org", 18, 1, DNS_FOUND, "<mail.example.org>" },
	{ "PTR by a pointer", PTR, "&12", "\4mail\xc0\x0c", 7, 1, DNS_FOUND, "<mail." QUESTION ">" },
	{ "PTR that points at itself", PTR, "&12", "\xc0\x37", 2, 1, DNS_UNKNOWN, "" },
	{ "PTR with something behind the name", PTR, "&12", "\1a\0\0", 4, 1, DNS_UNKNOWN, "" },
	{ "PTR without bytes", PTR, "&12", "", 0, 1, DNS_UNKNOWN, "" },
	{ "PTR with a dot in a label", PTR, "&12", "\4a.bc\4test", 11, 1, DNS_FOUND, "+" },
	{ "PTR with a NUL in a label", PTR, "&12", "\3a\0b\4test", 10, 1, DNS_FOUND, "+" },
	{ "PTR to the root", PTR, "&12", "", 1, 1, DNS_FOUND, "<>" },
	{ "MX", MX, "&12", "\0\012\2mx\4test", 11, 2, DNS_FOUND, "<10 mx.test><10 mx.test>" },
	{ "MX that says: no mail", MX, "&12", "\0\0", 3, 1, DNS_FOUND, "<0 >" },
	{ "MX without a name", MX, "&12", "\0\012", 2, 1, DNS_UNKNOWN, "" },
	{ "MX of one byte", MX, "&12", "\0", 1, 1, DNS_UNKNOWN, "" },
};

struct packet {
	uint8_t bytes[66000];
	size_t length;
};

static void put(struct packet *packet, uint32_t number, int bytes)
{
	while (bytes-- > 0)
		packet->bytes[packet->length++] = (uint8_t)(number >> 8 * bytes);
}

static void put_name(struct packet *packet, const char *name)
{
	if (*name == '&') {
		put(packet, 0xc000U | (uint32_t)strtoul(name + 1, NULL, 10), 2);
		return;
	}
	while (*name != '\0') {
		size_t length = strcspn(name, ".");
		put(packet, (uint32_t)length, 1);
		for (; length > 0; length--)
			put(packet, (uint8_t)*name++, 1);
		name += *name == '.';
	}
	put(packet, 0, 1);
}

static void put_record(struct packet *packet, const struct row_record *record)
{
	put_name(packet, record->owner);
	put(packet, record->type, 2);
	put(packet, record->class, 2);
	put(packet, record->ttl, 4);
	size_t start = packet->length;
	put(packet, 0, 2);
	if (record->type == SOA) {
		put_name(packet, "ns.test");
		put_name(packet, "root.test");
		for (int i = 0; i < 4; i++)
			put(packet, 1, 4);
	}
	if (record->name != NULL)
		put_name(packet, record->name);
	else if (record->type != OPT)
		put(packet, record->number, 4);
	size_t length = packet->length - start - 2 + (size_t)record->length_off;
	packet->length = start;
	put(packet, (uint32_t)length, 2);
	packet->length = record->length_off > 4 ? start + 6 : start + 2 + length;
}

static void build(struct packet *packet, const struct row *row)
{
	int counts[3] = { 0 }, records = 0;
	*packet = (struct packet){ 0 };
	for (; row->records[records].owner != NULL; records++)
		counts[row->records[records].section]++;
	put(packet, 0x1234, 2);
	put(packet, row->flags, 2);
	put(packet, 1, 2);
	for (int i = 0; i < 3; i++)
		put(packet, (uint32_t)counts[i], 2);
	put_name(packet, row->question);
	put(packet, row->question_type, 2);
	put(packet, IN, 2);
	for (int i = 0; i < records; i++)
		put_record(packet, &row->records[i]);
}

static struct packet packet;
static struct dns_data data;

/* From a copy of its own size, so that a sanitizer sees a read past it. */
static struct dns_answer parse_type(const uint8_t *bytes, size_t length, const char *name, enum dns_type type)
{
	struct dns_answer answer;
	uint8_t *copy = malloc(length > 0 ? length : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes, length);
	dns_answer_parse(copy, length, name, type, &data, &answer);
	free(copy);
	return answer;
}

static struct dns_answer parse(const uint8_t *bytes, size_t length, const char *name)
{
	return parse_type(bytes, length, name, DNS_A);
}

static void test_row(const struct row *row)
{
	build(&packet, row);
	struct dns_answer answer = parse(packet.bytes, packet.length, QUESTION);
	is_int(answer.outcome, row->outcome, "%s", row->name);
	is_int(answer.ttl_s, row->ttl_s, "%s: time", row->name);
	is_int(answer.count, row->count, "%s: addresses", row->name);
	uint32_t first = 0;
	dns_answer_addresses(&answer, &first, 1);
	is_int(first, row->first, "%s: first address", row->name);
}

static void show(const struct dns_answer *answer, char *text, size_t size)
{
	struct dns_record record;
	size_t at = 0;
	struct text to = text_over(text, size);
	while (dns_answer_next(answer, &at, &record)) {
		text_add(&to, "<");
		if (answer->type == DNS_MX)
			text_addf(&to, "%u ", record.preference);
		for (int i = 0; record.address != NULL && i < (answer->type == DNS_A ? 4 : 16); i++)
			text_addf(&to, "%02x", record.address[i]);
		for (size_t i = 0; i < record.length; i++)
			text_addf(&to, record.text[i] == '\0' ? "\\0" : "%c", record.text[i]);
		text_add(&to, ">");
	}
	text_add(&to, answer->partial ? "+" : "");
}

static void put_raw(struct packet *to, const char *owner, unsigned type, const char *bytes, size_t length)
{
	put_name(to, owner);
	put(to, type, 2);
	put(to, IN, 2);
	put(to, 300, 4);
	put(to, (uint32_t)length, 2);
	memcpy(to->bytes + to->length, bytes, length);
	to->length += length;
}

static void build_raw(struct packet *to, unsigned type, const char *owner, const char *bytes, size_t length, int times)
{
	struct row empty = { .flags = 0x8180, .question = QUESTION, .question_type = type };
	build(to, &empty);
	to->bytes[6] = (uint8_t)(times >> 8);
	to->bytes[7] = (uint8_t)times;
	while (times-- > 0)
		put_raw(to, owner, type, bytes, length);
}

static void test_kept(const struct kept_row *row)
{
	char text[400];
	int known = 0;
	build_raw(&packet, row->type, row->owner, row->data, (size_t)row->length, row->times);
	struct dns_answer answer = parse_type(packet.bytes, packet.length, QUESTION, (enum dns_type)row->type);
	show(&answer, text, sizeof text);
	is_int(answer.outcome, row->outcome, "%s", row->name);
	is_str(text, row->kept, "%s: what is kept", row->name);
	for (size_t length = 0; length < packet.length; length++)
		known += parse_type(packet.bytes, length, QUESTION, (enum dns_type)row->type).outcome != DNS_UNKNOWN;
	is_int(known, 0, "%s: cut anywhere it is unknown", row->name);
}

/* Strings of 255 and less, so many bytes in all, as the data of one TXT record. */
static size_t long_text(char *bytes, size_t length)
{
	size_t at = 0;
	while (length > 0) {
		size_t part = length > 255 ? 255 : length;
		bytes[at++] = (char)part;
		memset(bytes + at, 'x', part);
		at += part;
		length -= part;
	}
	return at;
}

static void test_large(void)
{
	static char bytes[66000];
	build_raw(&packet, TXT, "&12", bytes, long_text(bytes, DNS_TEXT_MAX), 1);
	struct dns_answer answer = parse_type(packet.bytes, packet.length, QUESTION, DNS_TXT);
	is_int((long long)answer.size, DNS_TEXT_MAX + 3, "a text of 2,048 bytes");
	is_int(answer.partial, false, "a text of 2,048 bytes is whole");
	build_raw(&packet, TXT, "&12", bytes, long_text(bytes, DNS_TEXT_MAX + 1), 1);
	answer = parse_type(packet.bytes, packet.length, QUESTION, DNS_TXT);
	is_int(answer.outcome, DNS_FOUND, "a text of 2,049 bytes is there");
	is_int(answer.count, 0, "but it is left out");
	is_int(answer.partial, true, "and that is said");
	build_raw(&packet, TXT, "&12", bytes, long_text(bytes, 65000), 1);
	ok(packet.length > 65000, "an answer of 65 KB: %zu", packet.length);
	answer = parse_type(packet.bytes, packet.length, QUESTION, DNS_TXT);
	is_int(answer.outcome, DNS_FOUND, "65 KB of one text");
	is_int(answer.partial && answer.size == 0, true, "65 KB of one text are left out");
	build_raw(&packet, TXT, "&12", bytes, long_text(bytes, 240), 250);
	answer = parse_type(packet.bytes, packet.length, QUESTION, DNS_TXT);
	ok(answer.partial && answer.count == 33 && answer.size <= DNS_DATA_MAX, "60 KB of many texts: %d kept",
	   answer.count);
}

/* Pointers that lead down one step each: short on the wire, long to follow. */
static void test_pointer_chain(void)
{
	char bytes[8000];
	memset(bytes, 0, 2);
	for (size_t i = 1; i < sizeof bytes / 2; i++) {
		size_t target = 12 + sizeof QUESTION + 1 + 4 + 12 + 2 * (i - 1);
		bytes[2 * i] = (char)(0xc0U | target >> 8);
		bytes[2 * i + 1] = (char)target;
	}
	build_raw(&packet, PTR, "&12", "", 0, 0);
	packet.bytes[7] = 2;
	put_raw(&packet, "&12", TXT, bytes, sizeof bytes);
	size_t before = packet.length;
	put_raw(&packet, "&255", PTR, "\1a", 3);
	is_int(parse_type(packet.bytes, packet.length, QUESTION, DNS_PTR).outcome, DNS_NONE, "a chain of 101 pointers");
	packet.length = before;
	put_raw(&packet, "&7901", PTR, "\1a", 3);
	is_int(parse_type(packet.bytes, packet.length, QUESTION, DNS_PTR).outcome, DNS_UNKNOWN,
	       "a chain of 3,900 pointers");
}

static void test_cut_anywhere(void)
{
	int known = 0;
	build(&packet, &rows[1]);
	for (size_t length = 0; length < packet.length; length++)
		known += parse(packet.bytes, length, QUESTION).outcome != DNS_UNKNOWN;
	is_int(known, 0, "an answer that is cut anywhere is unknown");
}

static void test_many(void)
{
	static const struct row_record record = { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 };
	build(&packet, &rows[0]);
	for (int i = 1; i < 100; i++)
		put_record(&packet, &record);
	packet.bytes[7] = 100;
	struct dns_answer answer = parse(packet.bytes, packet.length, QUESTION);
	is_int(answer.outcome, DNS_FOUND, "a hundred addresses");
	is_int(answer.count, DNS_KEPT_MAX, "a hundred addresses: the first are kept");
	packet.bytes[6] = 255;
	is_int(parse(packet.bytes, packet.length, QUESTION).outcome, DNS_UNKNOWN, "too many records");
}

static void test_names(void)
{
	char longest[300];
	struct row row = rows[0];
	memset(longest, 'a', sizeof longest);
	for (int i = 63; i < 253; i += 64)
		longest[i] = '.';
	longest[253] = '\0';
	row.question = longest;
	build(&packet, &row);
	is_int(parse(packet.bytes, packet.length, longest).outcome, DNS_FOUND, "a name of 253 bytes");
	longest[253] = 'a';
	longest[254] = '\0';
	build(&packet, &row);
	is_int(parse(packet.bytes, packet.length, longest).outcome, DNS_UNKNOWN, "a name of 254 bytes");
	build(&packet, &rows[0]);
	is_int(parse(packet.bytes, packet.length, "2.0..test").outcome, DNS_UNKNOWN, "a name with an empty label");
	is_int(parse(packet.bytes, packet.length, QUESTION ".").outcome, DNS_FOUND, "a name with a dot at the end");
}

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		test_row(&rows[i]);
	for (size_t i = 0; i < sizeof kept_rows / sizeof kept_rows[0]; i++)
		test_kept(&kept_rows[i]);
	test_large();
	test_pointer_chain();
	test_cut_anywhere();
	test_many();
	test_names();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS answers, written as lists of records. A name in a record is dotted text; "&12" is a compression pointer to
 * offset 12, where the question's name stands.
 */
#include "milter/dns/answer.h"
#include "t/unit/tap.h"

#include <stdlib.h>

enum { A = 1, NS = 2, CNAME = 5, SOA = 6, TXT = 16, AAAA = 28, OPT = 41, IN = 1, CH = 3 };
enum { ANSWER, AUTHORITY, ADDITIONAL };

#define QUESTION "2.0.0.127.bl.example.test"

struct row_record {
	int section;
	const char *owner;
	unsigned type, class;
	uint32_t ttl;
	const char *name;	/* CNAME, NS: the target. SOA: NULL */
	uint32_t number;	/* A: the address. SOA: the minimum */
	int length_off;		/* added to the length of the data */
};

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
	{ "a short time is lengthened", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 0, NULL, 0x7f000002, 0 } }, DNS_FOUND,
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
	{ "an alias to itself", 0x8180, QUESTION, A, { { ANSWER, "&12", CNAME, IN, 300, QUESTION, 0, 0 } }, DNS_UNKNOWN, 0,
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
	{ "a question, not an answer", 0x0100, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "cut", 0x8380, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "another opcode", 0x9180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "another question", 0x8180, "3.0.0.127.bl.example.test", A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } },
	  DNS_UNKNOWN, 0, 0, 0 },
	{ "a question of another type", 0x8180, QUESTION, AAAA, { { ANSWER, "&12", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0,
	  0, 0 },
	{ "an address of five bytes", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 1 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "an address of three bytes", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, -1 } }, DNS_UNKNOWN, 0, 0,
	  0 },
	{ "data past the end", 0x8180, QUESTION, A, { { ANSWER, "&12", A, IN, 300, NULL, 1, 400 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a pointer to itself", 0x8180, QUESTION, A, { { ANSWER, "&43", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "a pointer forwards", 0x8180, QUESTION, A, { { ANSWER, "&60", A, IN, 300, NULL, 1, 0 } }, DNS_UNKNOWN, 0, 0, 0 },
	{ "an SOA that is too short", 0x8183, QUESTION, A, { { AUTHORITY, "test", SOA, IN, 900, NULL, 120, -4 } }, DNS_UNKNOWN,
	  0, 0, 0 },
};

struct packet {
	uint8_t bytes[2048];
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

/* From a copy of its own size, so that a sanitizer sees a read past it. */
static struct dns_answer parse(const uint8_t *bytes, size_t length, const char *name)
{
	struct dns_answer answer;
	uint8_t *copy = malloc(length > 0 ? length : 1);
	if (copy == NULL)
		abort();
	memcpy(copy, bytes, length);
	dns_answer_parse(copy, length, name, &answer);
	free(copy);
	return answer;
}

static void test_row(const struct row *row)
{
	struct packet packet;
	build(&packet, row);
	struct dns_answer answer = parse(packet.bytes, packet.length, QUESTION);
	is_int(answer.outcome, row->outcome, "%s", row->name);
	is_int(answer.ttl_s, row->ttl_s, "%s: time", row->name);
	is_int(answer.count, row->count, "%s: addresses", row->name);
	is_int(answer.addresses[0], row->first, "%s: first address", row->name);
}

static void test_cut_anywhere(void)
{
	struct packet packet;
	int known = 0;
	build(&packet, &rows[1]);
	for (size_t length = 0; length < packet.length; length++)
		known += parse(packet.bytes, length, QUESTION).outcome != DNS_UNKNOWN;
	is_int(known, 0, "an answer that is cut anywhere is unknown");
}

static void test_many(void)
{
	static const struct row_record record = { ANSWER, "&12", A, IN, 300, NULL, 0x7f000002, 0 };
	struct packet packet;
	build(&packet, &rows[0]);
	for (int i = 1; i < 100; i++)
		put_record(&packet, &record);
	packet.bytes[7] = 100;
	struct dns_answer answer = parse(packet.bytes, packet.length, QUESTION);
	is_int(answer.outcome, DNS_FOUND, "a hundred addresses");
	is_int(answer.count, DNS_A_MAX, "a hundred addresses: the first are kept");
	packet.bytes[6] = 255;
	is_int(parse(packet.bytes, packet.length, QUESTION).outcome, DNS_UNKNOWN, "too many records");
}

static void test_names(void)
{
	char longest[300];
	struct packet packet;
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
	test_cut_anywhere();
	test_many();
	test_names();
	return done_testing();
}

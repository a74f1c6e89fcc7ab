/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/anomaly.h"

#include "milter/base/idn.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "policy/netaddr.h"

#include <string.h>

#include "policy/base/banned.h"

enum { MAILER_MAX = 60 };

/* ---- addresses in a header field, RFC 5322 section 3.4, as far as is needed to compare them */

static const char *anomaly_skip_quoted(const char *at, const char *end)
{
	for (at++; at < end && *at != '"'; at++)
		if (*at == '\\' && at + 1 < end)
			at++;
	return at < end ? at + 1 : end;
}

static const char *anomaly_skip_comment(const char *at, const char *end)
{
	int depth = 0;
	for (; at < end; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
		else if (*at == '(')
			depth++;
		else if (*at == ')' && --depth == 0)
			return at + 1;
	}
	return end;
}

/* What stands before the next ',' or ';': of "Name <address>" the address. */
static const char *anomaly_read_item(const char *at, const char *end, struct text *address)
{
	bool closed = false;
	while (at < end && *at != ',' && *at != ';') {
		if (*at == '"')
			at = anomaly_skip_quoted(at, end);
		else if (*at == '(')
			at = anomaly_skip_comment(at, end);
		else {
			if (!closed && (*at == '<' || *at == ':')) /* a name, or that of a group, ends */
				*address = text_over(address->at, address->size);
			else if (*at == '>')
				closed = true;
			else if (!closed && (unsigned char)*at > ' ')
				text_add_bytes(address, at, 1);
			at++;
		}
	}
	return at < end ? at + 1 : end;
}

/* The next address; false: there is none. */
static bool anomaly_next_address(const char **at, const char *end, char address[ACCOUNT_MAX + 1])
{
	while (*at < end) {
		struct text text = text_over(address, ACCOUNT_MAX + 1);
		*at = anomaly_read_item(*at, end, &text);
		if (!text.cut && *address_domain(address) != '\0')
			return true;
	}
	return false;
}

static const char *end_of(const char *value)
{
	return value + strnlen(value, ANOMALY_VALUE_MAX);
}

/* ---- fields */

struct field_facts {
	struct anomaly_reader *reader;
	const struct rcpts *rcpts;
	const struct facts *facts;
};

static void anomaly_read_domain(const char *value, char domain[ANOMALY_DOMAIN_MAX + 1])
{
	char address[ACCOUNT_MAX + 1], normal[ADDRESS_MAX + 1];
	if (domain[0] != '\0' || !anomaly_next_address(&value, end_of(value), address))
		return;
	if (!idn_address(address, normal) || !text_copy(domain, ANOMALY_DOMAIN_MAX + 1, address_domain(normal)))
		domain[0] = '\0';
	for (char *c = domain; *c != '\0'; c++)
		*c = text_lower(*c);
}

static void anomaly_read_authors(struct anomaly_reader *reader, const char *value)
{
	char address[ACCOUNT_MAX + 1], normal[ADDRESS_MAX + 1];
	const char *end = end_of(value);
	while (reader->authors < 2 && anomaly_next_address(&value, end, address)) {
		bool fits = idn_address(address, normal) && strlen(normal) <= ACCOUNT_MAX;
		if (reader->authors++ == 0 && fits)
			text_copy(reader->author, sizeof reader->author, normal);
	}
}

static void on_date(const struct field_facts *field, const char *value)
{
	field->reader->date |= *value != '\0';
}

static void anomaly_on_from(const struct field_facts *field, const char *value)
{
	field->reader->from |= *value != '\0';
	anomaly_read_domain(value, field->reader->from_domain);
	if (field->facts->class == MAIL_CLASS_BOUNCE)
		anomaly_read_authors(field->reader, value);
}

static void on_reply_to(const struct field_facts *field, const char *value)
{
	anomaly_read_domain(value, field->reader->reply_domain);
}

static void anomaly_on_message_id(const struct field_facts *field, const char *value)
{
	const char *end = end_of(value);
	while (value < end && (unsigned char)*value <= ' ')
		value++;
	field->reader->message_id |= value < end;
}

/* Of few recipients nobody asks whether they are hidden. */
static void anomaly_on_to(const struct field_facts *field, const char *value)
{
	char address[ACCOUNT_MAX + 1], normal[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1];
	const char *end = end_of(value);
	if (field->facts->rcpts_remote < MANY_RCPTS)
		return;
	for (int i = 0;
	     i < ANOMALY_ADDRESSES_MAX && !field->reader->named && anomaly_next_address(&value, end, address); i++)
		field->reader->named = idn_address(address, normal) && rcpt_name(normal, name) &&
				       rcpts_have(field->rcpts, field->facts->account, name);
}

/* Letters alone, lower-cased: no version, and "Mass-Mailer" is "Mass Mailer". */
static void anomaly_on_mailer(const struct field_facts *field, const char *value)
{
	static const char *const bulk[] = {
		"alexusmailer", "atomicmailsender", "bulkmail",	     "darkmailer",  "emailblast",
		"gammadyne",	"leafmailer",	    "leafphpmailer", "massmail",    "masssender",
		"maxbulk",	"sendblaster",	    "sendsafe",	     "turbomailer",
	};
	char letters[MAILER_MAX + 1];
	size_t length = 0;
	for (const char *end = end_of(value); value < end && length < MAILER_MAX; value++) {
		char c = text_lower(*value);
		if (c >= 'a' && c <= 'z')
			letters[length++] = c;
	}
	letters[length] = '\0';
	if (length == 0)
		return;
	if (field->reader->mailer == 0)
		field->reader->mailer = hash_keyed(field->rcpts->key, letters, strlen(letters));
	for (size_t i = 0; i < sizeof bulk / sizeof bulk[0]; i++)
		field->reader->bulk |= strstr(letters, bulk[i]) != NULL;
}

static void on_forwarded(const struct field_facts *field, const char *value)
{
	field->reader->forwarded |= *value != '\0';
}

/* RFC 3834 section 5; auto-forwarded is what some forwarders write there. */
static void anomaly_on_auto_submitted(const struct field_facts *field, const char *value)
{
	char word[20];
	value += strspn(value, " \t\r\n");
	text_copy(word, sizeof word, value);
	word[strcspn(word, " ;\t\r\n(")] = '\0';
	field->reader->forwarded |= text_same_nocase(word, "auto-forwarded");
	field->reader->replied |= text_same_nocase(word, "auto-replied");
}

static const struct {
	const char *name;
	void (*read)(const struct field_facts *field, const char *value);
} rows[] = {
	{ "auto-submitted", anomaly_on_auto_submitted },
	{ "cc", anomaly_on_to },
	{ "date", on_date },
	{ "delivered-to", on_forwarded }, /* RFC 9228: it was in a mailbox already */
	{ "from", anomaly_on_from },
	{ "message-id", anomaly_on_message_id },
	{ "reply-to", on_reply_to },
	{ "resent-from", on_forwarded },
	{ "to", anomaly_on_to },
	{ "user-agent", anomaly_on_mailer },
	{ "x-forwarded-for", on_forwarded },
	{ "x-forwarded-to", on_forwarded },
	{ "x-mailer", anomaly_on_mailer },
	{ "x-sieve-redirected-from", on_forwarded }, /* Pigeonhole's */
};

void anomaly_header(struct anomaly_reader *reader, const char *name, const char *value, const struct rcpts *rcpts,
		    const struct facts *facts)
{
	const struct field_facts field = { reader, rcpts, facts };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (text_lower(name[0]) == rows[i].name[0] && text_same_nocase(name, rows[i].name)) {
			rows[i].read(&field, value);
			return;
		}
}

/* ---- the sum */

/* One of the two is the other, or a part of it: "mail.example.com" and "example.com". Case does not matter; an empty
 * one is in no relation. */
static bool anomaly_domains_related(const char *a, const char *b)
{
	size_t a_length = strlen(a), b_length = strlen(b);
	if (a_length < b_length)
		return anomaly_domains_related(b, a);
	if (b_length == 0)
		return false;
	const char *tail = a + (a_length - b_length);
	return text_same_nocase(tail, b) && (tail == a || tail[-1] == '.');
}

const char *anomaly_reply_elsewhere(const struct anomaly_reader *reader)
{
	const char *from = reader->from_domain, *reply = reader->reply_domain;
	return *from != '\0' && *reply != '\0' && !anomaly_domains_related(from, reply) ? reply : NULL;
}

static unsigned anomaly_helo_bits(const struct anomaly_client *client)
{
	struct netaddr address;
	const char *helo = client->helo;
	if (helo == NULL || client->ours || helo[0] == '[')
		return 0;
	if (netaddr_parse(helo, &address))
		return 1U << ANOMALY_HELO_ADDRESS;
	return strchr(helo, '.') == NULL ? 1U << ANOMALY_HELO_BARE : 0;
}

unsigned anomaly_sum(const struct anomaly_reader *reader, const struct anomaly_client *client, const char *from,
		     const struct facts *facts)
{
	const char *sender = address_domain(from);
	const char *from_domain = reader->from_domain;
	/* clang-format off */
	const struct {
		enum anomaly anomaly;
		bool there;
	} found[] = {
		{ ANOMALY_NO_DATE, !reader->date },
		{ ANOMALY_NO_FROM, !reader->from },
		{ ANOMALY_NO_MESSAGE_ID, !reader->message_id },
		{ ANOMALY_FROM_DIFFERS, *from_domain != '\0' && *sender != '\0' && !anomaly_domains_related(from_domain, sender) },
		{ ANOMALY_REPLY_ELSEWHERE, anomaly_reply_elsewhere(reader) != NULL },
		{ ANOMALY_MANY_HIDDEN, facts->rcpts_remote >= MANY_RCPTS && !reader->named },
		{ ANOMALY_BULK_MAILER, reader->bulk },
	};
	/* clang-format on */
	unsigned bits = anomaly_helo_bits(client);
	for (size_t i = 0; i < sizeof found / sizeof found[0]; i++)
		if (found[i].there)
			bits |= 1U << found[i].anomaly;
	return bits;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/spf/spf_record.h"

#include "milter/spf/spf_table.h"
#include "policy/base/text.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/base/banned.h"

#define VERSION "v=spf1"

/* Bytes of a compiled part after which a new one begins: with one more term, the largest, it still holds a redirect. */
enum { PART_MOST = 240, TERM_BYTES = 8, EXPANDED_MAX = 8192 };

struct slice {
	const char *at;
	size_t length;
};

struct spf_record_reader {
	const struct spf_values *values;
	struct spf_terms *terms;
	struct text text;  /* over terms->text */
	size_t part_bytes; /* of the part at hand, compiled */
	int macros;
	int questions;	       /* terms written that ask DNS */
	bool closed;	       /* what follows is read for its errors only */
	bool exp;	       /* seen */
	int v4_bits, v6_bits;  /* of the mechanism at hand */
	struct slice redirect; /* its domain; at NULL: none */
};

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool spf_record_is_word(struct slice span, const char *word)
{
	size_t i = 0;
	while (i < span.length && word[i] != '\0' && text_lower(span.at[i]) == word[i])
		i++;
	return i == span.length && word[i] == '\0';
}

static struct slice from(struct slice span, size_t start)
{
	return (struct slice){ span.at + start, span.length - start };
}

/* ---- macros and domains, RFC 7208 sections 7.1 and 12 */

struct string_facts {
	bool personal;
	size_t tail; /* where the literal characters behind the last macro begin */
};

static bool spf_record_read_string(struct spf_record_reader *reader, struct slice string, const char *letters,
				   struct string_facts *facts)
{
	struct spf_piece piece;
	*facts = (struct string_facts){ 0 };
	for (size_t at = 0; at < string.length; at += piece.length) {
		struct slice rest = from(string, at);
		if (!spf_piece_read(rest.at, rest.length, letters, &piece))
			return false;
		if (piece.length > 1)
			facts->tail = at + piece.length;
		if (piece.letter == '\0')
			continue;
		if (++reader->macros > SPF_MACROS_MAX)
			return false;
		facts->personal |= strchr("slh", piece.letter) != NULL;
	}
	return true;
}

/* A string that was read without an error, as a name. */
static void spf_record_expand(const struct spf_record_reader *reader, struct slice string, char name[DNS_NAME_MAX + 1])
{
	char bytes[EXPANDED_MAX];
	struct text text = text_over(bytes, sizeof bytes);
	struct spf_piece piece;
	for (size_t at = 0; at < string.length; at += piece.length) {
		spf_piece_read(string.at + at, string.length - at, SPF_NAME_MACROS, &piece);
		spf_piece_expand(&piece, reader->values, &text);
	}
	if (text.cut || !spf_name_read(bytes, name))
		text_copy(name, DNS_NAME_MAX + 1, SPF_NO_NAME);
}

static bool spf_record_is_toplabel(struct slice label)
{
	bool only_digits = true;
	if (label.length == 0 || label.at[0] == '-' || label.at[label.length - 1] == '-')
		return false;
	for (size_t i = 0; i < label.length; i++) {
		if (!is_alpha(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-')
			return false;
		only_digits = only_digits && is_digit(label.at[i]);
	}
	return !only_digits;
}

/* A domain-spec ends in a macro or in a dot and a top label; a dot behind that means nothing. */
static bool spf_record_read_domain(struct spf_record_reader *reader, struct slice *domain, struct string_facts *facts)
{
	if (domain->length == 0 || !spf_record_read_string(reader, *domain, SPF_NAME_MACROS, facts))
		return false;
	if (facts->tail == domain->length)
		return true;
	if (domain->at[domain->length - 1] == '.')
		domain->length--;
	size_t dot = domain->length;
	while (dot > facts->tail && domain->at[dot - 1] != '.')
		dot--;
	return dot > facts->tail && spf_record_is_toplabel(from(*domain, dot));
}

/* ---- prefix lengths */

/* Cuts "/n" (or "//n") off the end. -1: a length that is none. */
static int spf_record_cut_bits(struct slice *rest, size_t slashes, int most, int *bits_out)
{
	size_t start = rest->length;
	int bits = 0;
	while (start > 0 && is_digit(rest->at[start - 1]))
		start--;
	size_t digits = rest->length - start;
	if (digits == 0 || start < slashes || memcmp(rest->at + start - slashes, "//", slashes) != 0)
		return 0;
	if (digits > 3 || (digits > 1 && rest->at[start] == '0'))
		return -1;
	for (size_t i = start; i < rest->length; i++)
		bits = bits * 10 + (rest->at[i] - '0');
	if (bits > most)
		return -1;
	rest->length = start - slashes;
	*bits_out = bits;
	return 1;
}

static bool cut_dual_bits(struct slice *rest, int *v4_out, int *v6_out)
{
	*v4_out = 32;
	*v6_out = 128;
	return spf_record_cut_bits(rest, 2, 128, v6_out) >= 0 && spf_record_cut_bits(rest, 1, 32, v4_out) >= 0;
}

/* ---- what is written */

static void spf_record_begin_part(struct spf_record_reader *reader)
{
	struct spf_terms *terms = reader->terms;
	terms->parts[terms->part_count++] = (struct spf_part){ .start = reader->text.length };
	text_add(&reader->text, VERSION);
	reader->part_bytes = 0;
}

/* libspf2 reads macros in it again. */
static void spf_record_write_name(struct spf_record_reader *reader, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '%' || *name == ' ')
			text_add(&reader->text, *name == '%' ? "%%" : "%_");
		else
			text_add_bytes(&reader->text, name, 1);
	}
}

static void spf_record_go_on_in_new_part(struct spf_record_reader *reader)
{
	struct spf_terms *terms = reader->terms;
	text_addf(&reader->text, " redirect=%c%c", SPF_MARK, 'a' + terms->part_count);
	spf_record_write_name(reader, reader->values->domain);
	terms->parts[terms->part_count - 1].count++;
	text_add_bytes(&reader->text, "", 1);
	spf_record_begin_part(reader);
}

/* `before` is what stands before the name. */
static void spf_record_write_term(struct spf_record_reader *reader, const char *before, const char *name, int mark)
{
	char bytes[2] = { SPF_MARK, (char)mark };
	if (reader->part_bytes > PART_MOST)
		spf_record_go_on_in_new_part(reader);
	text_addf(&reader->text, " %s", before);
	spf_record_write_name(reader, name);
	text_add_bytes(&reader->text, bytes, mark != 0 ? 2 : 0);
	reader->part_bytes += TERM_BYTES + strlen(name) + 4;
	reader->terms->parts[reader->terms->part_count - 1].count++;
}

/* It is of no use to write more than the run will allow to be asked: the one too many ends it. */
static void count_question(struct spf_record_reader *reader)
{
	if (!reader->closed && ++reader->questions > SPF_TERMS_MAX)
		reader->closed = true;
}

static void spf_record_want(struct spf_record_reader *reader, enum dns_type type, const char *name)
{
	struct spf_terms *terms = reader->terms;
	if (terms->want_count == SPF_TERMS_MAX || strcmp(name, SPF_NO_NAME) == 0)
		return;
	struct spf_want *want = &terms->wants[terms->want_count++];
	want->type = type;
	text_copy(want->name, sizeof want->name, name);
}

/* ---- mechanisms, section 5 */

enum mechanism_id { ALL, INCLUDE, A, MX, PTR, IP4, IP6, EXISTS };

/* clang-format off */
static const struct mechanism {
	const char *name;
	enum mechanism_id id;
	bool needs_domain, may_have_domain, may_have_bits;
} mechanisms[] = {
	{ "all", ALL, false, false, false },
	{ "include", INCLUDE, true, true, false },
	{ "a", A, false, true, true },
	{ "mx", MX, false, true, true },
	{ "ptr", PTR, false, true, false },
	{ "ip4", IP4, true, true, false },
	{ "ip6", IP6, true, true, false },
	{ "exists", EXISTS, true, true, false },
};
/* clang-format on */

static void spf_record_close_with_all(struct spf_record_reader *reader, char qualifier)
{
	char before[] = { qualifier, 'a', 'l', 'l', '\0' };
	if (!reader->closed)
		spf_record_write_term(reader, before, "", 0);
	reader->closed = true;
}

bool spf_share_prefix(const uint8_t *a, const uint8_t *b, int bits)
{
	int whole = bits / 8, rest = bits % 8;
	return memcmp(a, b, (size_t)whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

/* ip4 and ip6. A mapped address is an IPv4 address (section 5), and no ip6 matches that. */
static bool spf_record_read_network(struct spf_record_reader *reader, char qualifier, enum mechanism_id id,
				    struct slice rest)
{
	char address[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	int bits = id == IP4 ? 32 : 128;
	enum netaddr_family family = id == IP4 ? NETADDR_V4 : NETADDR_V6;
	if (spf_record_cut_bits(&rest, 1, bits, &bits) < 0 || rest.length == 0 || rest.length >= sizeof address)
		return false;
	memcpy(address, rest.at, rest.length);
	address[rest.length] = '\0';
	if (inet_pton(id == IP4 ? AF_INET : AF_INET6, address, bytes) != 1)
		return false;
	if (family == reader->values->client->family && spf_share_prefix(bytes, reader->values->client->bytes, bits))
		spf_record_close_with_all(reader, qualifier);
	return true;
}

static void spf_record_write_question(struct spf_record_reader *reader, char qualifier,
				      const struct mechanism *mechanism, struct slice domain)
{
	static const enum dns_type types[] = { [INCLUDE] = DNS_TXT, [A] = DNS_A, [MX] = DNS_MX, [EXISTS] = DNS_A };
	bool v6 = reader->values->client->family == NETADDR_V6;
	char name[DNS_NAME_MAX + 1], before[16] = { qualifier };
	struct text text = text_over(before + 1, sizeof before - 1);
	int mark = mechanism->id == A || mechanism->id == MX ? SPF_MARK_BITS + (v6 ? reader->v6_bits : reader->v4_bits)
		   : mechanism->id == EXISTS		     ? SPF_MARK_EXISTS
							     : 0;
	if (reader->closed)
		return;
	spf_record_expand(reader, domain.at != NULL ? domain : (struct slice){ "%{d}", 4 }, name);
	if (mechanism->id != PTR)
		spf_record_want(reader, mechanism->id == A && v6 ? DNS_AAAA : types[mechanism->id], name);
	text_addf(&text, "%s:", mechanism->name);
	spf_record_write_term(reader, before, name, mark);
	count_question(reader);
}

static bool spf_record_read_mechanism(struct spf_record_reader *reader, char qualifier,
				      const struct mechanism *mechanism, struct slice rest)
{
	struct slice domain = { NULL, 0 };
	struct string_facts facts = { 0 };
	if (mechanism->may_have_bits && !cut_dual_bits(&rest, &reader->v4_bits, &reader->v6_bits))
		return false;
	if (rest.length == 0 ? mechanism->needs_domain : !mechanism->may_have_domain || rest.at[0] != ':')
		return false;
	if (rest.length > 0)
		domain = from(rest, 1);
	if (mechanism->id == IP4 || mechanism->id == IP6)
		return spf_record_read_network(reader, qualifier, mechanism->id, domain);
	if (domain.at != NULL && !spf_record_read_domain(reader, &domain, &facts))
		return false;
	reader->terms->personal |= facts.personal && !reader->closed;
	if (mechanism->id == ALL) {
		spf_record_close_with_all(reader, qualifier);
		return true;
	}
	spf_record_write_question(reader, qualifier, mechanism, domain);
	return true;
}

/* ---- terms, section 4.6.1 */

static size_t spf_record_name_length(struct slice term)
{
	size_t length = 0;
	while (length < term.length &&
	       (is_alpha(term.at[length]) ||
		(length > 0 && (is_digit(term.at[length]) || strchr("-_.", term.at[length]) != NULL))))
		length++;
	return length;
}

static bool spf_record_read_modifier(struct spf_record_reader *reader, struct slice name, struct slice value)
{
	struct string_facts facts;
	bool redirect = spf_record_is_word(name, "redirect"), exp = spf_record_is_word(name, "exp");
	if (!redirect && !exp)
		return spf_record_read_string(reader, value, SPF_TEXT_MACROS, &facts);
	if ((redirect && reader->redirect.at != NULL) || (exp && reader->exp) ||
	    !spf_record_read_domain(reader, &value, &facts))
		return false;
	reader->exp |= exp;
	if (!redirect)
		return true;
	reader->redirect = value;
	reader->terms->personal |= facts.personal;
	return true;
}

static bool spf_record_read_term(struct spf_record_reader *reader, struct slice term)
{
	char qualifier = '+';
	size_t length = spf_record_name_length(term);
	if (length > 0 && length < term.length && term.at[length] == '=')
		return spf_record_read_modifier(reader, (struct slice){ term.at, length }, from(term, length + 1));
	if (strchr("+-~?", term.at[0]) != NULL) {
		qualifier = term.at[0];
		term = from(term, 1);
		length = spf_record_name_length(term);
	}
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++)
		if (spf_record_is_word((struct slice){ term.at, length }, mechanisms[i].name))
			return spf_record_read_mechanism(reader, qualifier, &mechanisms[i], from(term, length));
	return false;
}

static void spf_record_write_redirect(struct spf_record_reader *reader)
{
	char name[DNS_NAME_MAX + 1];
	if (reader->redirect.at == NULL || reader->closed)
		return;
	spf_record_expand(reader, reader->redirect, name);
	spf_record_want(reader, DNS_TXT, name);
	spf_record_write_term(reader, "redirect=", name, 0);
}

bool spf_record_is(const char *text, size_t length)
{
	size_t version = sizeof VERSION - 1;
	return length >= version && spf_record_is_word((struct slice){ text, version }, VERSION) &&
	       (length == version || text[version] == ' ');
}

bool spf_record_read(const char *record, size_t length, const struct spf_values *values, struct spf_terms *terms_out)
{
	struct spf_record_reader reader = { .values = values, .terms = terms_out };
	terms_out->part_count = terms_out->want_count = 0;
	terms_out->personal = false;
	reader.text = text_over(terms_out->text, sizeof terms_out->text);
	spf_record_begin_part(&reader);
	if (length > SPF_RECORD_MAX)
		return false;
	for (size_t i = 0; i < length; i++)
		if (record[i] < ' ' || record[i] > '~')
			return false;
	for (size_t at = sizeof VERSION - 1, end; at < length; at = end) {
		while (at < length && record[at] == ' ')
			at++;
		for (end = at; end < length && record[end] != ' ';)
			end++;
		if (end > at && !spf_record_read_term(&reader, (struct slice){ record + at, end - at }))
			return false;
	}
	spf_record_write_redirect(&reader);
	return !reader.text.cut;
}

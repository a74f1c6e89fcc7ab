/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What somebody typed in becomes what is to be checked: text in, target out, no I/O.
 */
#include "milter/lookup/check.h"

#include "milter/dns/answer.h"
#include "policy/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SHOWN_MAX = 60, LABEL_MAX = 63, NAME_COST = 8, V4_BITS = 32, V6_BITS = 128 };

struct parse {
	char text[CHECK_QUERY_MAX + 1]; /* what is left of what was typed */
	char shown[SHOWN_MAX + 4];	/* the whole of it, for errors */
	bool public_only;
	char *error;
	size_t error_size;
};

static bool check_parse_fail(struct parse *parse, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool check_parse_fail(struct parse *parse, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(parse->error, parse->error_size, format, arguments);
	va_end(arguments);
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
	return text_lower(c) >= 'a' && text_lower(c) <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void check_parse_show(struct parse *parse, const char *text, size_t length)
{
	size_t kept = length < SHOWN_MAX ? length : SHOWN_MAX;
	for (size_t i = 0; i < kept; i++) {
		bool plain = text[i] >= ' ' && text[i] < 0x7f && text[i] != '"' && text[i] != '\\';
		parse->shown[i] = text[i];
		if (!plain)
			parse->shown[i] = '?';
	}
	memcpy(parse->shown + kept, kept < length ? "..." : "", kept < length ? 4 : 1);
}

/* Cuts blanks and refuses what no target can be. */
static bool check_parse_take_text(struct parse *parse, const char *text)
{
	while (is_blank(*text))
		text++;
	size_t length = strnlen(text, 2 * CHECK_QUERY_MAX);
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	check_parse_show(parse, text, length);
	if (length == 0)
		return check_parse_fail(parse, "Nothing is asked for; expected an address, a host name or a network.");
	if (length > CHECK_QUERY_MAX)
		return check_parse_fail(parse, "\"%s\" is longer than %d bytes.", parse->shown, CHECK_QUERY_MAX);
	memcpy(parse->text, text, length);
	parse->text[length] = '\0';
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return check_parse_fail(
				parse, "\"%s\" has letters beyond ASCII; give such a name in its xn-- form (RFC 5890).",
				parse->shown);
		if (text[i] <= ' ' || text[i] == 0x7f)
			return check_parse_fail(parse,
						"\"%s\" has a blank or a control character in it; expected one "
						"address, host name or network.",
						parse->shown);
	}
	return true;
}

static void keep(struct parse *parse, const char *from, size_t length)
{
	memmove(parse->text, from, length);
	parse->text[length] = '\0';
}

/* RFC 3986 section 3: scheme "://" [ user "@" ] host [ ":" port ] and the rest. False: it is no URL. */
static bool check_parse_unwrap_url(struct parse *parse)
{
	char *colon = strstr(parse->text, "://");
	if (colon == NULL || !is_letter(parse->text[0]))
		return false;
	for (const char *c = parse->text; c < colon; c++)
		if (!is_letter(*c) && !is_digit(*c) && *c != '+' && *c != '-' && *c != '.')
			return false;
	char *text = colon + 3;
	text[strcspn(text, "/?#")] = '\0';
	const char *at = strrchr(text, '@');
	keep(parse, at == NULL ? text : at + 1, strlen(at == NULL ? text : at + 1));
	text = parse->text;
	char *host_end = text[0] == '[' && strchr(text, ']') != NULL ? strchr(text, ']') : text;
	char *port = strchr(host_end, ':');
	if (port != NULL && strspn(port + 1, "0123456789") == strlen(port + 1))
		*port = '\0';
	return true;
}

/* RFC 5321 section 4.1.2: <user@domain>, user@domain; the address of a person counts for its domain. */
static void check_parse_unwrap_mail(struct parse *parse)
{
	size_t length = strlen(parse->text);
	if (parse->text[0] == '<' && parse->text[length - 1] == '>' && length > 2)
		keep(parse, parse->text + 1, length - 2);
	const char *at = strrchr(parse->text, '@');
	if (at != NULL)
		keep(parse, at + 1, strlen(at + 1));
}

static bool check_parse_take_address(struct parse *parse, const struct netaddr *address, struct check_target *target)
{
	const char *why = parse->public_only ? netaddr_reserved(address) : NULL;
	char text[NETADDR_TEXT_MAX];
	netaddr_text(address, text);
	if (why != NULL)
		return check_parse_fail(parse, "%s is not a public address (%s): no block list knows it.", text, why);
	target->kind = CHECK_ADDRESS;
	target->address = *address;
	target->prefix = address->family == NETADDR_V4 ? V4_BITS : V6_BITS;
	return true;
}

static bool parse_bits(const char *digits, int most, int *bits_out)
{
	int64_t bits;
	if (strspn(digits, "0123456789") != strlen(digits) || !text_to_int(digits, 0, most, &bits))
		return false;
	*bits_out = (int)bits;
	return true;
}

static struct netaddr check_parse_last_of(const struct netaddr *first, int bits)
{
	struct netaddr last = *first;
	for (int i = 0; i < 4; i++) {
		int kept = bits - 8 * i;
		if (kept < 8)
			last.bytes[i] = (uint8_t)(last.bytes[i] | (kept <= 0 ? 0xff : 0xff >> kept));
	}
	return last;
}

static bool check_parse_take_v4_network(struct parse *parse, const struct netaddr *address, int bits,
					struct check_target *target)
{
	char text[NETADDR_TEXT_MAX];
	struct netaddr first = netaddr_network(address, bits), last = check_parse_last_of(&first, bits);
	const char *why = netaddr_reserved(&first);
	netaddr_text(&first, text);
	if (bits < CHECK_PREFIX_LEAST)
		return check_parse_fail(parse, "%s/%d has %lld addresses; a network may have %d at most (/%d).", text,
					bits, 1LL << (V4_BITS - bits), 1 << (V4_BITS - CHECK_PREFIX_LEAST),
					CHECK_PREFIX_LEAST);
	if (parse->public_only && why != NULL && netaddr_reserved(&last) != NULL)
		return check_parse_fail(parse, "%s/%d is not a public network (%s): no block list knows it.", text,
					bits, why);
	target->kind = CHECK_NETWORK;
	target->address = first;
	target->prefix = bits;
	return true;
}

static bool check_parse_take_network(struct parse *parse, char *slash, struct check_target *target)
{
	struct netaddr address;
	int bits;
	*slash = '\0';
	if (!netaddr_parse(parse->text, &address))
		return check_parse_fail(parse, "\"%s\" is not a network; expected one such as 198.51.100.0/24.",
					parse->shown);
	bool v4 = address.family == NETADDR_V4;
	if (!parse_bits(slash + 1, v4 ? V4_BITS : V6_BITS, &bits))
		return check_parse_fail(parse, "\"%s\" is not a network; behind the slash expected 0 to %d.",
					parse->shown, v4 ? V4_BITS : V6_BITS);
	if (bits == (v4 ? V4_BITS : V6_BITS))
		return check_parse_take_address(parse, &address, target);
	if (!v4)
		return check_parse_fail(parse,
					"\"%s\" is an IPv6 network: a /64 alone has 18 quintillion addresses, and "
					"lists name whole /64s; ask for one address of it.",
					parse->shown);
	return check_parse_take_v4_network(parse, &address, bits, target);
}

/* RFC 1123 section 2.1, and the underscore of RFC 8552. NULL: fine; else what is wrong. */
static const char *check_parse_label_fault(const char *label, size_t length)
{
	if (length == 0)
		return "it has an empty label";
	if (length > LABEL_MAX)
		return "a label has more than 63 bytes";
	if (label[0] == '-' || label[length - 1] == '-')
		return "a label begins or ends with a hyphen";
	for (size_t i = 0; i < length; i++)
		if (!is_letter(label[i]) && !is_digit(label[i]) && label[i] != '-' && label[i] != '_')
			return "expected letters, digits, hyphens and dots";
	return NULL;
}

/* Programs that take numbers for addresses would take such a name for one: 127.1, 0x7f.0.0x1, 2130706433. */
static bool check_parse_is_number(const char *label)
{
	if (label[0] == '0' && text_lower(label[1]) == 'x')
		label += 2;
	else
		return strspn(label, "0123456789") == strlen(label);
	return strspn(label, "0123456789abcdef") == strlen(label);
}

static const char *check_parse_name_fault(const char *name)
{
	const char *last = name;
	if (strlen(name) > DNS_NAME_MAX)
		return "it has more than 253 bytes";
	for (const char *label = name;; label += strcspn(label, ".") + 1) {
		size_t length = strcspn(label, ".");
		const char *fault = check_parse_label_fault(label, length);
		if (fault != NULL)
			return fault;
		last = label;
		if (label[length] == '\0')
			break;
	}
	if (check_parse_is_number(last))
		return "it ends in a number and is not an IPv4 address either";
	return last == name ? "expected one with a dot in it, such as mail.example.com" : NULL;
}

static bool check_parse_take_name(struct parse *parse, struct check_target *target)
{
	size_t length = strlen(parse->text);
	if (length > 1 && parse->text[length - 1] == '.')
		parse->text[--length] = '\0';
	for (char *c = parse->text; *c != '\0'; c++)
		*c = text_lower(*c);
	const char *fault = length == 0 ? "it is empty" : check_parse_name_fault(parse->text);
	if (fault != NULL)
		return check_parse_fail(parse, "\"%s\" is not a host name: %s.", parse->shown, fault);
	target->kind = CHECK_NAME;
	text_copy(target->name, sizeof target->name, parse->text);
	return true;
}

/* RFC 5321 section 4.1.3, RFC 3986 section 3.2.2 */
static bool check_parse_take_bracketed(struct parse *parse, struct check_target *target)
{
	size_t length = strlen(parse->text);
	struct netaddr address;
	bool whole = length > 2 && parse->text[length - 1] == ']';
	if (whole)
		keep(parse, parse->text + 1, length - 2);
	if (!whole || !netaddr_parse(parse->text, &address))
		return check_parse_fail(parse,
					"\"%s\" has no address in its brackets; expected one such as [198.51.100.1].",
					parse->shown);
	return check_parse_take_address(parse, &address, target);
}

bool check_parse(const char *text, bool public_only, struct check_target *target_out, char *error, size_t error_size)
{
	struct parse parse = { .public_only = public_only, .error = error, .error_size = error_size };
	struct netaddr address;
	*target_out = (struct check_target){ .kind = CHECK_ADDRESS };
	if (!check_parse_take_text(&parse, text))
		return false;
	bool url = check_parse_unwrap_url(&parse);
	if (!url)
		check_parse_unwrap_mail(&parse);
	char *slash = strchr(parse.text, '/');
	if (parse.text[0] == '[')
		return check_parse_take_bracketed(&parse, target_out);
	if (slash != NULL)
		return check_parse_take_network(&parse, slash, target_out);
	if (netaddr_parse(parse.text, &address))
		return check_parse_take_address(&parse, &address, target_out);
	if (strchr(parse.text, ':') != NULL)
		return check_parse_fail(
			&parse, "\"%s\" is not an IPv6 address, nor anything else that can be looked up.", parse.shown);
	return check_parse_take_name(&parse, target_out);
}

int check_cost(const struct check_target *target)
{
	if (target->kind == CHECK_NETWORK)
		return 1 << (V4_BITS - target->prefix);
	return target->kind == CHECK_NAME ? NAME_COST : 1;
}

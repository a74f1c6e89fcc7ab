/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/account.h"

#include "policy/base/text.h"
#include "policy/hash.h"

#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

enum { CLIENT_V6_BITS = 64 }; /* a client's own to choose from (RFC 8981) */

static const char *const sources[SOURCE_COUNT] = {
#define SOURCE_ROW(id, word) [SOURCE_##id] = word,
	SOURCE_ROWS(SOURCE_ROW)
#undef SOURCE_ROW
};

const char *source_word(enum source source)
{
	return sources[source];
}

enum source source_find(const char *word)
{
	for (int i = SOURCE_AUTH; i < SOURCE_COUNT; i++)
		if (strcmp(word, sources[i]) == 0)
			return (enum source)i;
	return SOURCE_NONE;
}

static bool needs_escape(unsigned char c)
{
	return c <= 0x20 || c == 0x7f || c == '%' || c == '{' || c == '}' || c == '"' || c == '\\';
}

static void account_add_name_byte(struct text *name, char c, bool escaped)
{
	if (escaped || needs_escape((unsigned char)c)) {
		text_addf(name, "%%%02X", (unsigned)(unsigned char)c);
		return;
	}
	char lower = text_lower(c);
	text_add_bytes(name, &lower, 1);
}

/* Of all of a name, without its tag. Known to everybody, but SipHash: nobody finds a second name for a given one. */
static uint64_t account_hash_of_name(const char *raw, const char *tag, const char *domain)
{
	uint64_t whole = 0;
	for (const char *at = raw; *at != '\0'; at++) {
		if (at == tag)
			at = domain;
		char lower = text_lower(*at);
		whole = hash_keyed((const uint64_t[]){ whole, 1 }, &lower, 1);
	}
	return whole;
}

/* Where the colon of a reserved prefix stands in `raw`; NULL: it begins with none. */
static const char *account_reserved_colon(const char *raw)
{
	static const char *const words[] = {
#define PREFIX_WORD(id, word) word,
		ACCOUNT_PREFIX_ROWS(PREFIX_WORD) SCOPE_ROWS(PREFIX_WORD)
#undef PREFIX_WORD
	};
	char head[16];
	const char *colon = strchr(raw, ':');
	if (colon == NULL || colon - raw >= (ptrdiff_t)sizeof head)
		return NULL;
	memcpy(head, raw, (size_t)(colon - raw));
	head[colon - raw] = '\0';
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (text_same_nocase(head, words[i]))
			return colon;
	return NULL;
}

/* A name that was cut gets a hash for its end. */
static void account_end_name(struct text *text, const char *raw, const char *tag, const char *domain)
{
	enum { TAIL = 17 };		/* '#' and 16 hexadecimal digits */
	if (text->length < ACCOUNT_MAX) /* one of just this length may be another's head and hash */
		return;
	text->length = ACCOUNT_MAX - TAIL;
	text_addf(text, "#%016llx", (unsigned long long)account_hash_of_name(raw, tag, domain));
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* The byte that %XX at `at` stands for; 0: that is no escape. */
static unsigned char account_escape(const char *at)
{
	int high = at[0] == '%' ? hex_digit(at[1]) : -1, low = high >= 0 ? hex_digit(at[2]) : -1;
	return low >= 0 ? (unsigned char)(high * 16 + low) : 0;
}

/* What is written as it is in a name, and is none of the bytes that a word of a log line has. */
static bool hides_in_word(unsigned char c)
{
	return c > 0x7f || c == ',';
}

/* The byte that an escape at `at` stands for, where a name may have it; 0: that is none. */
static unsigned char escape_at(const char *at)
{
	unsigned char c = account_escape(at);
	return needs_escape(c) || hides_in_word(c) || c == ':' || c == '+' || c == '.' ? c : '\0';
}

/* What a log line or a list shows, and somebody types again. How many bytes of it were taken; 0: it is no escape. */
static size_t account_add_shown(struct text *name, const char *at)
{
	enum { ESCAPE = 3 };
	char c = (char)escape_at(at);
	if (c == '\0')
		return 0;
	/* a plus that begins no tag, a dot of no address */
	bool plain = c == '+' || c == '.' || hides_in_word((unsigned char)c);
	text_add_bytes(name, plain ? &c : at, plain ? 1 : ESCAPE);
	return ESCAPE;
}

/* `escaped` is a byte of `raw` that is written %XX. `shown`: `raw` may have escapes already. */
static bool account_make_name(const char *prefix, const char *raw, bool cut_tag, const char *escaped, bool shown,
			      char name[ACCOUNT_MAX + 1])
{
	struct text text = text_over(name, ACCOUNT_MAX + 1);
	const char *domain = strrchr(raw, '@');
	const char *tag = NULL; /* a leading plus is part of the name */
	text_add(&text, prefix);
	size_t head = text.length;
	if (cut_tag && domain > raw + 1)
		tag = memchr(raw + 1, '+', (size_t)(domain - raw) - 1);
	for (const char *at = raw; *at != '\0'; at++) {
		if (at == tag)
			at = domain;
		size_t taken = shown ? account_add_shown(&text, at) : 0;
		if (taken > 0)
			at += taken - 1;
		else
			account_add_name_byte(&text, *at, at == escaped);
	}
	if (!shown || text.cut) /* what is shown may be such a name as it ends */
		account_end_name(&text, raw, tag, domain);
	return text.length > head;
}

bool account_name(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	return account_make_name("", raw, cut_tag, NULL, false, name);
}

bool account_proven(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	return account_make_name("", raw, cut_tag, account_reserved_colon(raw), false, name);
}

bool account_claimed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	return account_make_name(ACCOUNT_CLAIMED ":", raw, cut_tag, NULL, false, name);
}

void account_client(const struct netaddr *client, char name[ACCOUNT_MAX + 1])
{
	char address[NETADDR_TEXT_MAX];
	bool v6 = client->family == NETADDR_V6;
	struct netaddr network = v6 ? netaddr_network(client, CLIENT_V6_BITS) : *client;
	struct text text = text_over(name, ACCOUNT_MAX + 1);
	netaddr_text(&network, address);
	text_addf(&text, ACCOUNT_CLIENT ":%s", address);
	if (v6)
		text_addf(&text, "/%d", CLIENT_V6_BITS);
}

bool account_is_client(const char *name)
{
	return strncmp(name, ACCOUNT_CLIENT ":", strlen(ACCOUNT_CLIENT ":")) == 0;
}

/* ---- what an admin types */

static bool account_has_client_form(const char *rest)
{
	struct netblock block;
	bool v6 = netblock_parse(rest, &block) && block.address.family == NETADDR_V6;
	struct netaddr address;
	return v6 ? block.bits == CLIENT_V6_BITS : netaddr_parse(rest, &address);
}

static bool is_number(const char *rest)
{
	int64_t number;
	return text_to_int(rest, 0, UINT32_MAX, &number);
}

static bool is_any(const char *rest)
{
	return *rest != '\0';
}

static bool is_domain(const char *rest)
{
	struct netblock block;
	return *rest != '\0' && *rest != '.' && strpbrk(rest, "@/") == NULL && !netblock_parse(rest, &block);
}

static bool is_customer(const char *rest)
{
	return *rest != '\0' && strlen(rest) <= CUSTOMER_MAX;
}

static bool is_all(const char *rest)
{
	return strcmp(rest, "all") == 0;
}

static bool is_none(const char *rest)
{
	(void)rest;
	return false;
}

static bool account_is(const char *rest);

/* The names that begin so, and what stands behind the colon. */
/* clang-format off */
static const struct account_form {
	const char *head, *expected;
	bool (*fits)(const char *rest);
} forms[] = {
	{ ACCOUNT_CLIENT ":", "ip: and a client's address, such as ip:192.0.2.7 or "
	  "ip:2001:db8:1:2::/64", account_has_client_form },
	{ ACCOUNT_CLAIMED ":", "sender: and the address that is claimed, such as sender:shop@example.org", is_any },
	{ "uid:", "uid: and the number of a user of this host, such as uid:33", is_number },
	{ "domain:", "domain: and a domain of accounts, such as domain:example.com", is_domain },
	{ "customer:", "customer: and his name of at most 100 bytes, such as customer:42", is_customer },
	{ "server:", "server:all, the only one of its kind", is_all },
	{ "client:", "client: and a client's address, such as client:192.0.2.7 or "
	  "client:2001:db8:1:2::/64", account_has_client_form },
	{ "bounce:", "bounce: and an account, such as bounce:alice@example.com", account_is },
	{ "forward:", "forward: and an account, such as forward:alice@example.com", account_is },
	{ "account:", "the account's name alone, such as alice@example.com", is_none },
};
/* clang-format on */

static const struct account_form *account_form_of(const char *name)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		if (strncmp(name, forms[i].head, strlen(forms[i].head)) == 0)
			return &forms[i];
	return NULL;
}

/* Of a class: not one of the next class, and no group. */
static bool account_is(const char *rest)
{
	struct netblock block;
	const struct account_form *form = account_form_of(rest);
	if (form == NULL)
		return *rest != '\0' && !netblock_parse(rest, &block);
	return !account_is_group(rest) && form->fits(rest + strlen(form->head));
}

/* Any address of a client's network stands for it. */
static void account_widen_client(char name[ACCOUNT_MAX + 1])
{
	char of_client[ACCOUNT_MAX + 1];
	struct netaddr client;
	size_t class = account_scope(name) == SCOPE_BOUNCE || account_scope(name) == SCOPE_FORWARD
			       ? (size_t)(strchr(name, ':') - name) + 1
			       : 0;
	const struct account_form *form = account_form_of(name + class);
	if (form == NULL || form->fits != account_has_client_form)
		return;
	size_t head = class + strlen(form->head);
	if (!netaddr_parse(name + head, &client))
		return;
	account_client(&client, of_client);
	text_copy(name + head, ACCOUNT_MAX + 1 - head, of_client + strlen(ACCOUNT_CLIENT ":"));
}

const char *account_typed(const char *raw, bool cut_tag, char name[ACCOUNT_MAX + 1])
{
	struct netblock block;
	if (!account_make_name("", raw, cut_tag, NULL, true, name))
		return "an account's name, such as alice@example.com";
	if (netblock_parse(raw, &block))
		return "ip: before a client's address, such as ip:192.0.2.7 (a login or a customer of such a name: "
		       "%2E for its first dot)";
	enum scope scope = account_scope(name);
	if (scope == SCOPE_DOMAIN || scope == SCOPE_CUSTOMER) /* they have no tags */
		account_make_name("", raw, false, NULL, true, name);
	size_t length = strlen(name);
	while (scope == SCOPE_DOMAIN && name[length - 1] == '.')
		name[--length] = '\0';
	account_widen_client(name);
	const struct account_form *form = account_form_of(name);
	return form == NULL || form->fits(name + strlen(form->head)) ? NULL : form->expected;
}

void account_add_word(struct text *text, const char *name)
{
	for (; *name != '\0'; name++)
		if (hides_in_word((unsigned char)*name))
			text_addf(text, "%%%02X", (unsigned)(unsigned char)*name);
		else
			text_add_word(text, (const char[]){ *name, '\0' });
}

bool account_of_word(const char *word, size_t length, char name[ACCOUNT_MAX + 1])
{
	struct text text = text_over(name, ACCOUNT_MAX + 1);
	size_t at = 0;
	while (at < length && word[at] != '\0' && !text.cut) {
		char c = length - at > 2 ? (char)account_escape(word + at) : '\0';
		bool hidden = hides_in_word((unsigned char)c);
		text_add_bytes(&text, hidden ? &c : word + at, 1);
		at += hidden ? 3 : 1;
	}
	return text.length > 0 && !text.cut && at == length;
}

bool address_of(const char *raw, char address[ADDRESS_MAX + 1])
{
	struct text text = text_over(address, ADDRESS_MAX + 1);
	const char *start = raw, *end = raw + strlen(raw);
	if (*start == '<') {
		start++;
		if (end > start && end[-1] == '>')
			end--;
	}
	const char *route = memchr(start, ':', (size_t)(end - start));
	if (*start == '@' && route != NULL)
		start = route + 1;
	text_add_bytes(&text, start, (size_t)(end - start));
	return !text.cut;
}

const char *address_domain(const char *address)
{
	const char *at = strrchr(address, '@');
	return at != NULL ? at + 1 : "";
}

void account_group(enum scope scope, const char *name, char group[ACCOUNT_MAX + 1])
{
	struct text text = text_over(group, ACCOUNT_MAX + 1);
	text_addf(&text, "%s:%s", scope_word(scope), name);
	account_end_name(&text, name, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/netaddr.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

struct netaddr netaddr_v4(const uint8_t *bytes)
{
	struct netaddr address = { .family = NETADDR_V4 };
	memcpy(address.bytes, bytes, 4);
	return address;
}

struct netaddr netaddr_v6(const uint8_t *bytes)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	if (memcmp(bytes, mapped, sizeof mapped) == 0)
		return netaddr_v4(bytes + 12);
	struct netaddr address = { .family = NETADDR_V6 };
	memcpy(address.bytes, bytes, 16);
	return address;
}

static bool netaddr_parse_v4(const char *text, uint8_t bytes[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned number = 0;
		int digits = 0;
		for (; *text >= '0' && *text <= '9' && digits < 4; digits++)
			number = number * 10 + (unsigned)(*text++ - '0');
		if (digits == 0 || digits > 3 || number > 255)
			return false;
		bytes[i] = (uint8_t)number;
		if (*text++ != (i < 3 ? '.' : '\0'))
			return false;
	}
	return true;
}

struct v6_reader {
	uint8_t bytes[16];
	int length; /* bytes read */
	int gap;    /* where "::" stood; -1: nowhere */
};

/* One group, or the dotted tail. Moves *text behind it; false on nonsense. */
static bool netaddr_read_group(struct v6_reader *reader, const char **text)
{
	unsigned number = 0;
	const char *start = *text;
	while (text_hex(**text) >= 0 && *text - start < 5)
		number = number * 16 + (unsigned)text_hex(*(*text)++);
	if (**text == '.') {
		if (reader->length > 12 || !netaddr_parse_v4(start, reader->bytes + reader->length))
			return false;
		reader->length += 4;
		*text += strlen(*text);
		return true;
	}
	if (*text == start || *text - start > 4 || reader->length > 14)
		return false;
	reader->bytes[reader->length++] = (uint8_t)(number >> 8);
	reader->bytes[reader->length++] = (uint8_t)number;
	return true;
}

static bool netaddr_read_groups(struct v6_reader *reader, const char *text)
{
	if (text[0] == ':' && text[1] != ':')
		return false;
	while (*text != '\0') {
		if (text[0] == ':' && text[1] == ':') {
			if (reader->gap >= 0)
				return false;
			reader->gap = reader->length;
			text += 2;
			if (*text == '\0')
				return true;
		} else if (text[0] == ':') {
			text++;
		}
		if (!netaddr_read_group(reader, &text) || (*text != '\0' && *text != ':'))
			return false;
	}
	return true;
}

static bool netaddr_parse_v6(const char *text, uint8_t bytes[16])
{
	struct v6_reader reader = { .gap = -1 };
	if (*text == '\0' || !netaddr_read_groups(&reader, text))
		return false;
	if (reader.gap < 0 ? reader.length != 16 : reader.length > 14)
		return false;
	int head = reader.gap < 0 ? 16 : reader.gap;
	int tail = reader.length - head;
	memset(bytes, 0, 16);
	memcpy(bytes, reader.bytes, (size_t)head);
	if (tail > 0)
		memcpy(bytes + 16 - tail, reader.bytes + head, (size_t)tail);
	return true;
}

bool netaddr_parse(const char *text, struct netaddr *address_out)
{
	uint8_t bytes[16];
	if (strncmp(text, "IPv6:", 5) == 0)
		text += 5;
	if (strchr(text, ':') == NULL) {
		if (!netaddr_parse_v4(text, bytes))
			return false;
		*address_out = netaddr_v4(bytes);
		return true;
	}
	if (!netaddr_parse_v6(text, bytes))
		return false;
	*address_out = netaddr_v6(bytes);
	return true;
}

static unsigned group_at(const struct netaddr *address, int index)
{
	return (unsigned)address->bytes[2 * index] << 8 | address->bytes[2 * index + 1];
}

/* The longest run of two or more zero groups, RFC 5952 section 4.2; *length_out 0 where there is none. */
static int netaddr_longest_zeros(const struct netaddr *address, int *length_out)
{
	int best = 0, best_length = 0;
	for (int i = 0; i < 8; i++) {
		int length = 0;
		while (i + length < 8 && group_at(address, i + length) == 0)
			length++;
		if (length > best_length) {
			best = i;
			best_length = length;
		}
	}
	*length_out = best_length > 1 ? best_length : 0;
	return best;
}

void netaddr_text(const struct netaddr *address, char text[NETADDR_TEXT_MAX])
{
	struct text out = text_over(text, NETADDR_TEXT_MAX);
	const uint8_t *b = address->bytes;
	if (address->family == NETADDR_V4) {
		text_addf(&out, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
		return;
	}
	if (address->family == NETADDR_UNKNOWN) {
		text_add(&out, "unknown");
		return;
	}
	int zeros, gap = netaddr_longest_zeros(address, &zeros);
	for (int i = 0; i < 8; i++) {
		if (zeros > 0 && i == gap) {
			text_add(&out, "::");
			i += zeros - 1;
			continue;
		}
		bool first = i == 0 || (zeros > 0 && i == gap + zeros);
		text_addf(&out, first ? "%x" : ":%x", group_at(address, i));
	}
}

void netaddr_reverse(const struct netaddr *address, char text[NETADDR_REVERSE_MAX])
{
	struct text out = text_over(text, NETADDR_REVERSE_MAX);
	const uint8_t *b = address->bytes;
	if (address->family == NETADDR_V4)
		text_addf(&out, "%u.%u.%u.%u", b[3], b[2], b[1], b[0]);
	if (address->family == NETADDR_V6)
		for (int i = 15; i >= 0; i--)
			text_addf(&out, i > 0 ? "%x.%x." : "%x.%x", b[i] & 15U, b[i] >> 4);
}

struct netaddr netaddr_network(const struct netaddr *address, int length)
{
	struct netaddr network = *address;
	for (int i = 0; i < 16; i++) {
		int kept = length - 8 * i;
		if (kept < 8)
			network.bytes[i] = (uint8_t)(network.bytes[i] & (kept <= 0 ? 0 : 0xff00U >> kept));
	}
	return network;
}

bool netaddr_same(const struct netaddr *a, const struct netaddr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool netaddr_is_loopback(const struct netaddr *address)
{
	static const uint8_t one[16] = { [15] = 1 };
	if (address->family == NETADDR_V4)
		return address->bytes[0] == 127;
	return address->family == NETADDR_V6 && memcmp(address->bytes, one, sizeof one) == 0;
}

bool netblock_parse(const char *text, struct netblock *block_out)
{
	char address[NETADDR_TEXT_MAX + 5];
	size_t length = strcspn(text, "/");
	if (length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!netaddr_parse(address, &block_out->address))
		return false;
	int most = block_out->address.family == NETADDR_V4 ? 32 : 128;
	block_out->bits = most;
	if (text[length] == '/') {
		const char *digits = text + length + 1;
		size_t count = strspn(digits, "0123456789");
		if (count == 0 || count > 3 || digits[count] != '\0')
			return false;
		for (block_out->bits = 0; *digits != '\0'; digits++)
			block_out->bits = block_out->bits * 10 + (*digits - '0');
		if (block_out->bits > most)
			return false;
	}
	struct netaddr network = netaddr_network(&block_out->address, block_out->bits);
	return netaddr_same(&network, &block_out->address);
}

bool netblock_has(const struct netblock *block, const struct netaddr *address)
{
	struct netaddr network = netaddr_network(address, block->bits);
	return address->family == block->address.family && netaddr_same(&network, &block->address);
}

/* RFC 6890 with its later registrations, RFC 1112, RFC 5180, RFC 8215, RFC 9637; of IPv6 all but 2000::/3, of which
 * alone addresses are given out. The first row that fits counts. */
#define RESERVED_ROWS(ROW) \
	ROW("0.0.0.0/8", "the host itself") \
	ROW("10.0.0.0/8", "private") \
	ROW("100.64.0.0/10", "shared by a provider's customers") \
	ROW("127.0.0.0/8", "loopback") \
	ROW("169.254.0.0/16", "link-local") \
	ROW("172.16.0.0/12", "private") \
	ROW("192.0.0.0/24", "reserved for protocols") \
	ROW("192.0.2.0/24", "for documentation") \
	ROW("192.168.0.0/16", "private") \
	ROW("198.18.0.0/15", "for benchmarks") \
	ROW("198.51.100.0/24", "for documentation") \
	ROW("203.0.113.0/24", "for documentation") \
	ROW("224.0.0.0/4", "multicast") \
	ROW("240.0.0.0/4", "reserved") \
	ROW("::/127", "loopback") \
	ROW("64:ff9b:1::/48", "private") \
	ROW("100::/64", "discarded") \
	ROW("2001:2::/48", "for benchmarks") \
	ROW("2001:10::/28", "a name, not a place") \
	ROW("2001:20::/28", "a name, not a place") \
	ROW("2001:db8::/32", "for documentation") \
	ROW("3fff::/20", "for documentation") \
	ROW("fc00::/7", "private") \
	ROW("fe80::/10", "link-local") \
	ROW("ff00::/8", "multicast") \
	ROW("::/3", "nobody's") \
	ROW("4000::/2", "nobody's") \
	ROW("8000::/1", "nobody's")

/* An IPv4 address in the clothes of IPv6: of a NAT64 (RFC 6052, the well-known prefix) or of 6to4 (RFC 3056). What it
 * stands for is what counts. */
static struct netaddr netaddr_embedded(const struct netaddr *address)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b }, sixtofour[2] = { 0x20, 0x02 };
	if (address->family == NETADDR_V6 && memcmp(address->bytes, nat64, sizeof nat64) == 0)
		return netaddr_v4(address->bytes + sizeof nat64);
	if (address->family == NETADDR_V6 && memcmp(address->bytes, sixtofour, sizeof sixtofour) == 0)
		return netaddr_v4(address->bytes + sizeof sixtofour);
	return *address;
}

const char *netaddr_reserved(const struct netaddr *address)
{
	static const struct {
		const char *block, *why;
	} rows[] = {
#define RESERVED_ROW(block, why) { block, why },
		RESERVED_ROWS(RESERVED_ROW)
#undef RESERVED_ROW
	};
	struct netaddr itself = netaddr_embedded(address);
	struct netblock block;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (netblock_parse(rows[i].block, &block) && netblock_has(&block, &itself))
			return rows[i].why;
	return NULL;
}

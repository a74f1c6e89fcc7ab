/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/zone.h"

#include "policy/base/text.h"
#include "t/fake/pending.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { PACKET_MAX = 65535, LINKS_MAX = 12, NAME_BYTES = 256, ASKED_MAX = 4096, TTL_S = 300 };

struct row {
	struct row *next;
	char name[NAME_BYTES];
	int type;
	enum zone_trouble trouble;
	size_t length;
	uint8_t data[]; /* as on the wire */
};

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t length;
	bool cut;
};

static struct row *rows;
static atomic_int questions;
static struct {
	char name[NAME_BYTES];
	int type;
} asked[ASKED_MAX];

/* ---- the test's side */

void zone_clear(void)
{
	for (struct row *row = rows, *next; row != NULL; row = next) {
		next = row->next;
		free(row);
	}
	rows = NULL;
	atomic_store(&questions, 0);
}

static void put(struct packet *packet, const void *bytes, size_t length)
{
	packet->cut |= length > sizeof packet->bytes - packet->length;
	if (packet->cut)
		return;
	memcpy(packet->bytes + packet->length, bytes, length);
	packet->length += length;
}

static void put_number(struct packet *packet, uint32_t number, int bytes)
{
	while (bytes-- > 0)
		put(packet, (uint8_t[]){ (uint8_t)(number >> 8 * bytes) }, 1);
}

static void put_name(struct packet *packet, const char *name)
{
	while (*name != '\0') {
		size_t length = strcspn(name, ".");
		put_number(packet, (uint32_t)(length < 63 ? length : 63), 1);
		put(packet, name, length < 63 ? length : 63);
		name += length + (name[length] == '.');
	}
	put_number(packet, 0, 1);
}

static void put_strings(struct packet *packet, const char *text, size_t length)
{
	do {
		size_t part = length < 255 ? length : 255;
		put_number(packet, (uint32_t)part, 1);
		put(packet, text, part);
		text += part;
		length -= part;
	} while (length > 0);
}

static bool put_value(struct packet *packet, int type, const char *value, size_t length)
{
	uint8_t address[16];
	char *end;
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		if (inet_pton(type == DNS_A ? AF_INET : AF_INET6, value, address) != 1)
			return false;
		put(packet, address, type == DNS_A ? 4 : 16);
		return true;
	case DNS_MX:
		put_number(packet, (uint32_t)strtoul(value, &end, 10), 2);
		put_name(packet, *end == ' ' ? end + 1 : value);
		return true;
	case DNS_TXT:
		put_strings(packet, value, length);
		return true;
	default:
		put_name(packet, value);
		return true;
	}
}

static struct row *add_row(const char *name, int type, size_t length)
{
	struct row *row = calloc(1, sizeof *row + length);
	struct row **last = &rows;
	if (row == NULL)
		return NULL;
	text_copy(row->name, sizeof row->name, name);
	row->type = type;
	row->length = length;
	while (*last != NULL)
		last = &(*last)->next;
	*last = row;
	return row;
}

bool zone_add(const char *name, int type, const char *value, size_t length)
{
	static struct packet packet;
	packet.length = 0;
	packet.cut = false;
	if (!put_value(&packet, type, value, length) || packet.cut)
		return false;
	struct row *row = add_row(name, type, packet.length);
	if (row != NULL)
		memcpy(row->data, packet.bytes, packet.length);
	return row != NULL;
}

void zone_trouble(const char *name, int type, enum zone_trouble trouble)
{
	struct row *row = add_row(name, type, 0);
	if (row != NULL)
		row->trouble = trouble;
}

int zone_questions(void)
{
	return atomic_load(&questions);
}

int zone_asked(const char *name, int type)
{
	int count = 0;
	for (int i = 0; i < zone_questions() && i < ASKED_MAX; i++)
		count += text_same_nocase(asked[i].name, name) && (type == 0 || asked[i].type == type);
	return count;
}

/* ---- answers */

static enum zone_trouble trouble_of(const char *name, int type)
{
	for (const struct row *row = rows; row != NULL; row = row->next)
		if (row->trouble != ZONE_FINE && (row->type == 0 || row->type == type) &&
		    text_same_nocase(row->name, name))
			return row->trouble;
	return ZONE_FINE;
}

static void put_record(struct packet *packet, const char *owner, int type, const void *data, size_t length)
{
	put_name(packet, owner);
	put_number(packet, (uint32_t)type, 2);
	put_number(packet, 1, 2);
	put_number(packet, TTL_S, 4);
	put_number(packet, (uint32_t)length, 2);
	put(packet, data, length);
	uint32_t count = ((uint32_t)packet->bytes[6] << 8 | packet->bytes[7]) + 1;
	packet->bytes[6] = (uint8_t)(count >> 8);
	packet->bytes[7] = (uint8_t)count;
}

static const struct row *find_alias(const char *name)
{
	const struct row *row = rows;
	while (row != NULL && (row->type != ZONE_CNAME || !text_same_nocase(row->name, name)))
		row = row->next;
	return row;
}

/* A name as it stands uncompressed on the wire. */
static void text_of_name(const uint8_t *wire, char *out)
{
	size_t length = 0;
	for (; *wire != 0; wire += 1 + *wire) {
		if (length > 0)
			out[length++] = '.';
		memcpy(out + length, wire + 1, *wire);
		length += *wire;
	}
	out[length] = '\0';
}

/* The chain of aliases, then the records. */
static bool put_answers(struct packet *packet, const char *name, int type)
{
	char owner[2 * NAME_BYTES];
	bool exists = false;
	text_copy(owner, sizeof owner, name);
	const struct row *alias = find_alias(owner);
	for (int links = 0; alias != NULL && links < LINKS_MAX; links++) {
		put_record(packet, owner, ZONE_CNAME, alias->data, alias->length);
		text_of_name(alias->data, owner);
		alias = find_alias(owner);
		exists = true;
	}
	for (const struct row *row = rows; row != NULL; row = row->next) {
		if (!text_same_nocase(row->name, owner) || row->trouble != ZONE_FINE)
			continue;
		exists = true;
		if (row->type == type)
			put_record(packet, owner, type, row->data, row->length);
	}
	return exists;
}

static void answer_from_zone(const char *name, struct pending *pending)
{
	static struct packet packet;
	enum { FLAGS = 0x8180, NXDOMAIN = 3 };
	int type = (int)pending->answer.type;
	packet.length = 0;
	packet.cut = false;
	put_number(&packet, FLAGS, 4); /* the id is 0 */
	put_number(&packet, 1, 2);
	put_number(&packet, 0, 2);
	put_number(&packet, 0, 4);
	put_name(&packet, name);
	put_number(&packet, (uint32_t)type, 2);
	put_number(&packet, 1, 2);
	if (!put_answers(&packet, name, type))
		packet.bytes[3] |= NXDOMAIN;
	dns_answer_parse(packet.bytes, packet.cut ? 0 : packet.length, name, pending->answer.type, &pending->data,
			 &pending->answer);
}

/* ---- the daemon's side */

bool pending_look_up(const char *name, struct pending *pending)
{
	int number = atomic_load(&questions), type = (int)pending->answer.type;
	if (number < ASKED_MAX) {
		text_copy(asked[number].name, NAME_BYTES, name);
		asked[number].type = type;
	}
	atomic_store(&questions, number + 1);
	enum zone_trouble trouble = trouble_of(name, type);
	if (trouble == ZONE_FINE)
		answer_from_zone(name, pending);
	else if (trouble == ZONE_SILENT)
		pending->answer.outcome = DNS_TIMEOUT;
	return trouble != ZONE_SILENT;
}

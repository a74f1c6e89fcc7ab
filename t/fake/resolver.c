/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A DNS that answers from a table; pending.c takes the place of milter/dns/resolver.c with it.
 */
#include "policy/base/text.h"
#include "policy/listing.h"
#include "policy/netaddr.h"
#include "t/fake/fake.h"
#include "t/fake/pending.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ROWS_MAX = 200, NAME_MAX_BYTES = 300, TTL_S = 300, CODES_MAX = 16, RECORD_BYTES = 7, TEXT_BYTES = 510 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	char name[NAME_MAX_BYTES];
	uint32_t code;
} names[ROWS_MAX];
static struct {
	char zone[NAME_MAX_BYTES];
	enum fake_dns how;
} zones[ROWS_MAX];
static struct {
	char name[NAME_MAX_BYTES], text[TEXT_BYTES];
} texts[ROWS_MAX];
static int name_count, zone_count, text_count, questions;

/* ---- the scenario's side */

void fake_dns_zone(const char *zone, enum fake_dns how)
{
	pthread_mutex_lock(&lock);
	int i = 0;
	while (i < zone_count && strcmp(zones[i].zone, zone) != 0)
		i++;
	if (i == zone_count && i < ROWS_MAX)
		text_copy(zones[zone_count++].zone, NAME_MAX_BYTES, zone);
	zones[i].how = how;
	pthread_mutex_unlock(&lock);
}

bool fake_dns_list(const char *zone, const char *address, const char *code)
{
	struct netaddr listed, meaning;
	char reverse[NETADDR_REVERSE_MAX];
	if (!netaddr_parse(address, &listed) || !netaddr_parse(code, &meaning) || name_count == ROWS_MAX)
		return false;
	netaddr_reverse(&listed, reverse);
	const uint8_t *b = meaning.bytes;
	pthread_mutex_lock(&lock);
	snprintf(names[name_count].name, NAME_MAX_BYTES, "%s.%s", reverse, zone);
	names[name_count++].code = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	pthread_mutex_unlock(&lock);
	return true;
}

void fake_dns_delist(const char *zone, const char *address)
{
	struct netaddr listed;
	char reverse[NETADDR_REVERSE_MAX], name[NAME_MAX_BYTES];
	if (!netaddr_parse(address, &listed))
		return;
	netaddr_reverse(&listed, reverse);
	snprintf(name, sizeof name, "%s.%s", reverse, zone);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < name_count; i++)
		if (strcmp(names[i].name, name) == 0)
			names[i--] = names[--name_count];
	pthread_mutex_unlock(&lock);
}

bool fake_dns_text(const char *name, const char *text)
{
	pthread_mutex_lock(&lock);
	bool room = text_count < ROWS_MAX;
	if (room) {
		text_copy(texts[text_count].name, NAME_MAX_BYTES, name);
		room = text_copy(texts[text_count++].text, sizeof texts[0].text, text);
	}
	pthread_mutex_unlock(&lock);
	return room;
}

int fake_dns_questions(void)
{
	pthread_mutex_lock(&lock);
	int asked = questions;
	pthread_mutex_unlock(&lock);
	return asked;
}

/* ---- the daemon's side */

static bool in_zone(const char *name, const char *zone)
{
	size_t length = strlen(name), tail = strlen(zone);
	return length > tail && name[length - tail - 1] == '.' && text_same_nocase(name + length - tail, zone);
}

/* Two bytes of length, four of address, a NUL: as the parser keeps them. */
static void found(struct pending *pending, uint32_t code)
{
	struct dns_answer *answer = &pending->answer;
	uint8_t *to = pending->data.bytes + answer->size;
	answer->outcome = DNS_FOUND;
	if (answer->count == CODES_MAX)
		return;
	to[1] = 4;
	for (int i = 0; i < 4; i++)
		to[2 + i] = (uint8_t)(code >> (24 - 8 * i));
	answer->size += RECORD_BYTES;
	answer->count++;
}

static void found_text(struct pending *pending, const char *text)
{
	struct dns_answer *answer = &pending->answer;
	size_t length = strlen(text);
	answer->outcome = DNS_FOUND;
	pending->data.bytes[0] = (uint8_t)(length >> 8);
	pending->data.bytes[1] = (uint8_t)length;
	memcpy(pending->data.bytes + 2, text, length + 1);
	answer->size = length + 3;
	answer->count = 1;
}

/* RFC 5782 section 5 */
static bool is_test(const char *name, bool listed)
{
	static const char *const entries[] = { "1.0.0.127.", "2.0.0.127.", "1.0.0.0.0.0.f.7.f.f.f.f.0.",
					       "2.0.0.0.0.0.f.7.f.f.f.f.0." };
	for (size_t i = listed; i < sizeof entries / sizeof entries[0]; i += listed ? 2 : 1)
		if (strncmp(name, entries[i], strlen(entries[i])) == 0)
			return true;
	return false;
}

/* Of types other than A and TXT nothing is known: no such records. */
bool pending_look_up(const char *name, struct pending *pending)
{
	struct dns_answer *answer = &pending->answer;
	enum fake_dns how = FAKE_DNS_LISTS;
	pthread_mutex_lock(&lock);
	questions += !is_test(name, false);
	for (int i = 0; i < zone_count; i++)
		if (in_zone(name, zones[i].zone))
			how = zones[i].how;
	answer->outcome = DNS_NONE;
	answer->rcode = 0;
	answer->ttl_s = TTL_S;
	if (how == FAKE_DNS_LISTS && is_test(name, true))
		found(pending, 0x7f000002U);
	for (int i = 0; i < name_count && answer->type == DNS_A; i++)
		if (text_same_nocase(names[i].name, name))
			found(pending, names[i].code);
	for (int i = 0; i < text_count && answer->type == DNS_TXT; i++)
		if (text_same_nocase(texts[i].name, name))
			found_text(pending, texts[i].text);
	pthread_mutex_unlock(&lock);
	static const uint32_t always[] = {
		[FAKE_DNS_HIJACKED] = 0xcb007107U, [FAKE_DNS_REFUSES] = 0x7ffffffeU, [FAKE_DNS_LISTS_ALL] = 0x7f000002U
	};
	if ((size_t)how < sizeof always / sizeof always[0] && always[how] != 0) {
		answer->size = 0;
		answer->count = 0;
		found(pending, always[how]);
	}
	if (how == FAKE_DNS_SILENT || how == FAKE_DNS_ERROR)
		*answer = (struct dns_answer){ .outcome = how == FAKE_DNS_SILENT ? DNS_TIMEOUT : DNS_UNKNOWN,
					       .type = answer->type,
					       .rcode = DNS_RCODE_NONE };
	return how != FAKE_DNS_SILENT;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of milter/dns/resolver.c: a DNS that answers from a table.
 */
#include "milter/dns/resolver.h"

#include "milter/loop.h"
#include "policy/base/text.h"
#include "policy/listing.h"
#include "policy/netaddr.h"
#include "t/fake/fake.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ROWS_MAX = 200, NAME_MAX_BYTES = 300, TTL_S = 300, CODES_MAX = 16, RECORD_BYTES = 7, TEXT_MAX = 512 };

struct question {
	struct question *next, **at;
	struct resolver *resolver;
	struct event *timer;
	resolver_done *done;
	void *arg;
	struct dns_answer answer;
	uint8_t data[TEXT_MAX];	/* the answer's */
};

struct resolver {
	struct event_base *base;
	int64_t timeout_ms;
	struct question *open;
};

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
	char name[NAME_MAX_BYTES], text[TEXT_MAX - 3];
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
static void found(struct question *question, uint32_t code)
{
	struct dns_answer *answer = &question->answer;
	uint8_t *to = question->data + answer->size;
	answer->outcome = DNS_FOUND;
	if (answer->count == CODES_MAX)
		return;
	to[1] = 4;
	for (int i = 0; i < 4; i++)
		to[2 + i] = (uint8_t)(code >> (24 - 8 * i));
	answer->size += RECORD_BYTES;
	answer->count++;
}

static void found_text(struct question *question, const char *text)
{
	struct dns_answer *answer = &question->answer;
	size_t length = strlen(text);
	answer->outcome = DNS_FOUND;
	question->data[0] = (uint8_t)(length >> 8);
	question->data[1] = (uint8_t)length;
	memcpy(question->data + 2, text, length + 1);
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
static enum fake_dns look_up(const char *name, struct question *question)
{
	struct dns_answer *answer = &question->answer;
	enum fake_dns how = FAKE_DNS_LISTS;
	pthread_mutex_lock(&lock);
	questions += !is_test(name, false);
	for (int i = 0; i < zone_count; i++)
		if (in_zone(name, zones[i].zone))
			how = zones[i].how;
	answer->outcome = DNS_NONE;
	answer->ttl_s = TTL_S;
	if (how == FAKE_DNS_LISTS && is_test(name, true))
		found(question, 0x7f000002U);
	for (int i = 0; i < name_count && answer->type == DNS_A; i++)
		if (text_same_nocase(names[i].name, name))
			found(question, names[i].code);
	for (int i = 0; i < text_count && answer->type == DNS_TXT; i++)
		if (text_same_nocase(texts[i].name, name))
			found_text(question, texts[i].text);
	pthread_mutex_unlock(&lock);
	static const uint32_t always[] = { [FAKE_DNS_HIJACKED] = 0xcb007107U, [FAKE_DNS_REFUSES] = 0x7ffffffeU,
					   [FAKE_DNS_LISTS_ALL] = 0x7f000002U };
	if ((size_t)how < sizeof always / sizeof always[0] && always[how] != 0) {
		answer->size = 0;
		answer->count = 0;
		found(question, always[how]);
	}
	if (how == FAKE_DNS_SILENT || how == FAKE_DNS_ERROR)
		*answer = (struct dns_answer){ .outcome = how == FAKE_DNS_SILENT ? DNS_TIMEOUT : DNS_UNKNOWN,
					       .type = answer->type, .rcode = DNS_RCODE_NONE };
	return how;
}

static void answer_question(struct question *question)
{
	*question->at = question->next;
	if (question->next != NULL)
		question->next->at = question->at;
	question->done(question->arg, &question->answer);
	event_free(question->timer);
	free(question);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	answer_question(arg);
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	if (resolver == NULL) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	resolver->base = loop_base(loop);
	resolver->timeout_ms = settings->timeout_ms;
	return resolver;
}

void resolver_free(struct resolver **resolver)
{
	struct resolver *freed = *resolver;
	*resolver = NULL;
	while (freed != NULL && freed->open != NULL) {
		freed->open->answer = (struct dns_answer){ .outcome = DNS_UNKNOWN, .rcode = DNS_RCODE_NONE };
		answer_question(freed->open);
	}
	free(freed);
}

bool resolver_query(struct resolver *resolver, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
	struct timeval wait = { 0 };
	struct question *question = calloc(1, sizeof *question);
	if (question == NULL)
		return false;
	*question = (struct question){ .resolver = resolver, .done = done, .arg = arg };
	question->answer = (struct dns_answer){ .type = type, .data = question->data };
	question->timer = evtimer_new(resolver->base, on_timer, question);
	if (look_up(name, question) == FAKE_DNS_SILENT) {
		wait.tv_sec = resolver->timeout_ms / 1000;
		wait.tv_usec = resolver->timeout_ms % 1000 * 1000;
	}
	question->next = resolver->open;
	question->at = &resolver->open;
	if (resolver->open != NULL)
		resolver->open->at = &question->next;
	resolver->open = question;
	evtimer_add(question->timer, &wait);
	return true;
}

/* Each question is asked. */
bool resolver_asks(struct resolver *resolver, const char *name, enum dns_type type)
{
	(void)resolver;
	(void)name;
	(void)type;
	return false;
}

struct resolver_load resolver_load(const struct resolver *resolver)
{
	int64_t under_way = 0;
	for (const struct question *question = resolver->open; question != NULL; question = question->next)
		under_way++;
	return (struct resolver_load){ under_way, 4096 };
}

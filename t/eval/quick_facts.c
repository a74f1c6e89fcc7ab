/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The facts of one event, as milter/message gathers them. Each body is parsed once; the header is read at each event,
 * which puts its author, program and recipients into it.
 */
#include "t/eval/quick.h"

#include "milter/base/idn.h"
#include "milter/message/anomaly.h"
#include "milter/message/client_origin.h"
#include "milter/message/identify.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "policy/plan.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { FIELDS_MAX = 200, HEADER_MAX = 65536, HAND_ARENA_MAX = 65536, KIND_AS = 3 };

/* The fields of one header. */
struct quick_header {
	const char *name[FIELDS_MAX], *value[FIELDS_MAX];
	int count;
	char bytes[HEADER_MAX]; /* names and values, each with a NUL behind it */
};

/* What a body tells. */
struct quick_text {
	uint64_t fingerprint, text, hosts[FACT_HOSTS_MAX];
	int64_t text_words, host_count;
};

static struct traps *traps;

static bool quick_facts_fill_plan(const void *config, const char *name, struct limits *limits)
{
	const struct limits *plan = config_plan(config, name);
	if (plan != NULL)
		limits_fill(limits, plan);
	return plan != NULL;
}

static uint64_t quick_facts_as(const struct netaddr *client)
{
	uint32_t as = quick_dump_as(client);
	const uint8_t bytes[] = { KIND_AS, (uint8_t)(as >> 24), (uint8_t)(as >> 16), (uint8_t)(as >> 8), (uint8_t)as };
	return as != 0 && !quick_options.no_as ? hash_keyed(quick_key, bytes, sizeof bytes) : 0;
}

static void quick_facts_identify(const struct config *config, const struct quick_event *event,
				 struct quick_at_hand *hand, const struct netaddr *client)
{
	struct facts *facts = &hand->facts;
	char sender[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1];
	const struct identity identity = { .auth_authen = event->account->name,
					   .network_asked = true,
					   .from = hand->from,
					   .host = "mail.example.com",
					   .origin = config->origin,
					   .client = *client };
	identify(config, &identity, facts);
	client_origin_fill(client, quick_key, facts);
	facts->client_as = quick_facts_as(client);
	identify_sender(config, hand->from, sender);
	if (account_name(sender, true, name))
		facts->sender = hash_keyed(quick_key, name, strlen(name));
	facts->sender_own = identify_sender_own(facts, hand->from);
}

void quick_facts_mail(const struct config *config, const struct quick_event *event, struct quick_at_hand *hand)
{
	char error[200];
	struct netaddr client = { 0 };
	struct facts *facts = &hand->facts;
	struct quick_account *account = event->account;
	if (traps == NULL && (traps = traps_read("", error, sizeof error)) == NULL)
		quick_die("%s", error);
	memset(hand, 0, sizeof *hand);
	arena_init(&hand->arena, HAND_ARENA_MAX);
	idn_address(event->from, hand->from);
	netaddr_parse(event->client, &client);
	facts->now_ms = (quick_begin_s + event->t) * 1000;
	facts->breach = breach_none;
	facts->state.known = KNOWLEDGE_FULL;
	facts->state.limits = limits_unset;
	facts->state.limits.created_s = account->created_s;
	facts->state.history = account->history;
	hand->rcpts = (struct rcpts){ .key = quick_key, .keyed = true };
	hand->known = (struct known){ account->known_length > 0 ? account->known : NULL, account->known_length };
	hand->known_known = !account->history.habits.many || hand->known.bytes != NULL;
	quick_facts_identify(config, event, hand, &client);
	plan_limits(facts->account, &facts->state, facts->now_ms, quick_facts_fill_plan, config, &facts->limits);
}

void quick_facts_rcpt(struct quick_at_hand *hand, const char *raw)
{
	hand->facts.rcpts_remote++;
	rcpts_add(&hand->rcpts, &hand->arena, traps, &hand->known, raw, true, &hand->facts);
	rcpts_fill(&hand->rcpts, hand->known_known, &hand->facts);
}

/* ---- the message */

/* A line without its end; *at goes behind it. */
static size_t quick_facts_line(const char **at, const char *end)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));
	*at = stop != NULL ? stop + 1 : end;
	size_t length = (size_t)((stop != NULL ? stop : end) - line);
	return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

/* Fields with a colon, folded lines joined by a LF as a milter gets them; what does not fit is left out. */
static void quick_facts_split(const struct quick_message *message, struct quick_header *header)
{
	const char *at = message->bytes, *end = message->bytes + message->header_length;
	char *to = header->bytes, *full = header->bytes + HEADER_MAX;
	header->count = 0;
	while (at < end) {
		const char *line = at;
		size_t length = quick_facts_line(&at, end);
		const char *colon = memchr(line, ':', length);
		if (length == 0 || length + 2 > (size_t)(full - to))
			break;
		if ((line[0] == ' ' || line[0] == '\t') && header->count > 0) {
			to[-1] = '\n';
		} else if (colon != NULL && header->count < FIELDS_MAX) {
			size_t name = (size_t)(colon - line);
			header->name[header->count] = memcpy(to, line, name);
			to += name;
			*to++ = '\0';
			line = colon + 1 + (name + 1 < length && colon[1] == ' ');
			length -= (size_t)(line - colon) + name;
			header->value[header->count++] = to;
		} else {
			continue;
		}
		memcpy(to, line, length);
		to += length;
		*to++ = '\0';
	}
}

static const struct quick_text *quick_facts_text(struct quick_message *message, const struct quick_header *header)
{
	static struct body body;
	static struct facts facts;
	if (message->text != NULL)
		return message->text;
	body_begin(&body, quick_key);
	for (int i = 0; i < header->count; i++)
		body_header(&body, header->name[i], header->value[i]);
	body_header_end(&body);
	body_add(&body, message->bytes + message->header_length, message->length - message->header_length);
	memset(&facts, 0, sizeof facts);
	body_end(&body, NULL, &facts); /* a Reply-To of another domain is not told here */
	message->text = quick_take(sizeof *message->text);
	*message->text = (struct quick_text){ .fingerprint = facts.fingerprint,
					      .text = facts.text,
					      .text_words = facts.text_words,
					      .host_count = facts.host_count };
	memcpy(message->text->hosts, facts.hosts, sizeof facts.hosts);
	return message->text;
}

static bool quick_facts_is_field(const char *name, const char *const names[])
{
	for (int i = 0; names[i] != NULL; i++)
		if (text_same_nocase(name, names[i]))
			return true;
	return false;
}

/* Was its To made of the recipients? */
static bool quick_facts_to_rcpts(const struct quick_message *message, const char *to)
{
	char rcpt[ADDRESS_MAX + 1];
	text_copy(rcpt, sizeof rcpt, message->first_rcpts);
	rcpt[strcspn(rcpt, ",")] = '\0';
	return strstr(to, rcpt) != NULL;
}

/* Author, program and recipients of the event take the place of the message's, which is that of the first event. */
static void quick_facts_header(const struct quick_event *event, const struct quick_header *header,
			       struct quick_at_hand *hand, struct anomaly_reader *reader)
{
	static const char *const own[] = { "from", "x-mailer", "user-agent", NULL }, *const to[] = { "to", NULL };
	if (event->author[0] != '\0')
		anomaly_header(reader, "From", event->author, &hand->rcpts, &hand->facts);
	if (event->mailer[0] != '\0')
		anomaly_header(reader, "X-Mailer", event->mailer, &hand->rcpts, &hand->facts);
	for (int i = 0; i < header->count; i++) {
		const char *value = header->value[i];
		if (quick_facts_is_field(header->name[i], to) && quick_facts_to_rcpts(event->message, value))
			value = event->rcpts;
		if (!quick_facts_is_field(header->name[i], own))
			anomaly_header(reader, header->name[i], value, &hand->rcpts, &hand->facts);
	}
}

static void quick_facts_take_body(const struct quick_text *text, struct facts *facts)
{
	facts->fingerprint = text->fingerprint;
	facts->text = text->text;
	facts->text_words = text->text_words;
	memcpy(facts->hosts, text->hosts, sizeof facts->hosts);
	facts->host_count = text->host_count;
}

static void quick_facts_content(const struct quick_message *message, struct content *content)
{
	if (quick_options.no_scanner || !message->scored)
		return;
	*content = (struct content){
		.known = KNOWLEDGE_FULL, .spam = message->spam, .score = message->score, .threshold = 5
	};
	text_copy(content->scanner, sizeof content->scanner, "spamd");
}

void quick_facts_message(const struct config *config, const struct quick_event *event, struct quick_at_hand *hand)
{
	struct facts *facts = &hand->facts;
	struct anomaly_reader reader = { 0 };
	struct netaddr client = { 0 };
	static struct quick_header header;
	if (event->message->bytes == NULL)
		quick_die("message %s is not there", event->message->id);
	quick_facts_split(event->message, &header);
	netaddr_parse(event->client, &client);
	const struct anomaly_client anomaly = { .helo = event->helo, .ours = identify_own_network(config, &client) };
	quick_facts_header(event, &header, hand, &reader);
	facts->memory_spent = hand->arena.spent;
	facts->anomalies = anomaly_sum(&reader, &anomaly, hand->from, facts);
	facts->mailer = reader.mailer;
	quick_facts_take_body(quick_facts_text(event->message, &header), facts);
	facts->kbytes = (int64_t)((event->message->length + 1023) / 1024);
	quick_facts_content(event->message, &facts->content);
}

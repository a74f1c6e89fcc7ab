/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whatever sender, HELO and DNS say, an SPF check ends, with a result for each client, and within its questions. The
 * bytes are, in their order: flags, sender, HELO, then an answer for each question as it comes. A byte below 32 in a
 * text stands for a piece of SPF, so that records are soon more than noise.
 *
 * Takes the place of milter/dns/resolver.c: answers are given out as milter/dns/answer.c would leave them.
 */
#include "milter/dns/engine.h"
#include "milter/spf/spf.h"
#include "milter/base/loop.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 5, TURNS_MAX = 20000, CACHE_BYTES = 1 << 20, PER_CLIENT = 8 };

static const char *const pieces[32] = {
	"",	     " include:", " a:",	" mx:",	    " ptr:",	 " exists:",	" redirect=", " exp=",
	" all",	     " -all",	  " ip4:",	" ip6:",    "%{d}",	 "%{l}",	"%{s}",	      "%{h}",
	"%{p}",	     "%{i}",	  "%{ir}.%{v}", "%{D2r-+}", "%{o1}",	 "%%",		"%_",	      "a.example.com",
	"b.example", "/24",	  "//64",	"/0",	    "192.0.2.1", "2001:db8::1", " a mx ptr",  ".",
};

struct question {
	struct question *next;
	resolver_done *done;
	void *arg;
	struct dns_answer answer;
	struct dns_data data;
};

struct resolver {
	bool ending;
};

static const uint8_t *bytes;
static size_t left;
static struct question *open_questions;
static int asked;

static uint8_t take(void)
{
	if (left == 0)
		return 0;
	left--;
	return *bytes++;
}

/* Up to a byte 31, or what fits. */
static size_t take_text(char *out, size_t size)
{
	struct text text = text_over(out, size);
	for (uint8_t byte; left > 0 && (byte = take()) != 31;) {
		if (byte < 31)
			text_add(&text, pieces[byte]);
		else
			text_add_bytes(&text, (const char *)&byte, 1);
	}
	return text.length;
}

static void keep(struct question *question, const void *from, size_t length)
{
	struct dns_answer *answer = &question->answer;
	if (answer->count == DNS_KEPT_MAX || length + 3 > DNS_DATA_MAX - answer->size) {
		answer->partial = true;
		return;
	}
	uint8_t *to = question->data.bytes + answer->size;
	to[0] = (uint8_t)(length >> 8);
	to[1] = (uint8_t)length;
	memcpy(to + 2, from, length);
	to[2 + length] = '\0';
	answer->size += length + 3;
	answer->count++;
}

static void keep_text(struct question *question)
{
	char text[DNS_TEXT_MAX + 1] = "v=spf1 ";
	size_t before = (take() & 7) != 0 ? 7 : 0;
	size_t length = before + take_text(text + before, sizeof text - before);
	text[length < DNS_TEXT_MAX ? length : DNS_TEXT_MAX] = take() == 255 ? '\0' : ' ';
	keep(question, text, length);
}

/* The parser lets no other characters through. */
static void keep_name(struct question *question, size_t before)
{
	char name[2 + DNS_NAME_MAX + 1] = "";
	size_t length = take_text(name + before, sizeof name - before);
	for (size_t i = before; i < before + length; i++)
		if (name[i] <= ' ' || name[i] >= 0x7f || name[i] == '\\' || name[i] == '"')
			name[i] = 'x';
	keep(question, name, before + length);
}

static void keep_address(struct question *question, size_t length)
{
	uint8_t address[16] = { 192, 0, 2, 1 };
	uint8_t byte = take();
	if (length == 16)
		memcpy(address, "\x20\x01\x0d\xb8", 4);
	address[length - 1] = byte;
	keep(question, address, length);
}

static void keep_record(struct question *question)
{
	switch (question->answer.type) {
	case DNS_A:
	case DNS_AAAA:
		keep_address(question, question->answer.type == DNS_A ? 4 : 16);
		break;
	case DNS_MX:
	case DNS_PTR:
		keep_name(question, question->answer.type == DNS_MX ? 2 : 0);
		break;
	case DNS_TXT:
		keep_text(question);
		break;
	}
}

static void fill(struct question *question)
{
	struct dns_answer *answer = &question->answer;
	uint8_t how = take();
	int records = (how & 15) < 14 ? 1 + (how >> 7) : take() % 80;
	answer->rcode = (how & 0x70) == 0x10 ? 3 : 0;
	answer->ttl_s = DNS_TTL_LEAST + how;
	answer->data = question->data.bytes;
	answer->outcome = (how & 0x70) == 0x20		   ? DNS_UNKNOWN
			  : (how & 0x70) == 0x30	   ? DNS_TIMEOUT
			  : (how & 0x60) == 0 && left == 0 ? DNS_NONE
							   : DNS_FOUND;
	if (answer->rcode == 3)
		answer->outcome = DNS_NONE;
	if (answer->outcome != DNS_FOUND && answer->outcome != DNS_NONE) {
		answer->ttl_s = 0;
		answer->rcode = DNS_RCODE_NONE;
	}
	for (int i = 0; answer->outcome == DNS_FOUND && i < records; i++)
		keep_record(question);
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size)
{
	(void)loop;
	(void)settings;
	(void)error;
	(void)error_size;
	return calloc(1, sizeof(struct resolver));
}

static void answer_one(void)
{
	struct question *question = open_questions;
	open_questions = question->next;
	question->done(question->arg, &question->answer);
	free(question);
}

void resolver_free(struct resolver **resolver)
{
	struct resolver *freed = *resolver;
	*resolver = NULL;
	freed->ending = true;
	for (struct question *question = open_questions; question != NULL; question = question->next)
		question->answer = (struct dns_answer){ .type = question->answer.type, .rcode = DNS_RCODE_NONE };
	while (open_questions != NULL)
		answer_one();
	free(freed);
}

/* The next answer may come before older ones. */
bool resolver_query(struct resolver *resolver, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
	uint8_t order = take();
	struct question **at = &open_questions;
	if (resolver->ending || order == 254)
		return false;
	MUST(strlen(name) > 0 && strlen(name) <= DNS_NAME_MAX && name[strlen(name) - 1] != '.');
	struct question *question = calloc(1, sizeof *question);
	MUST(question != NULL);
	question->done = done;
	question->arg = arg;
	question->answer.type = type;
	fill(question);
	while ((order & 1) == 0 && *at != NULL)
		at = &(*at)->next;
	question->next = *at;
	*at = question;
	asked++;
	return true;
}

bool resolver_asks(struct resolver *resolver, const char *name, enum dns_type type)
{
	(void)resolver;
	(void)name;
	(void)type;
	return false;
}

struct resolver_load resolver_load(const struct resolver *resolver)
{
	(void)resolver;
	return (struct resolver_load){ 0, 4096 };
}

const char *resolver_trouble(const struct resolver *resolver)
{
	(void)resolver;
	return "";
}

unsigned resolver_generation(const struct resolver *resolver)
{
	(void)resolver;
	return 0;
}

static void check(struct loop *loop, struct engine **engine, int count, bool cut_short)
{
	static const uint8_t v4[][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 77 }, { 127, 0, 0, 1 } };
	static const uint8_t v6[16] = { 0x20, 1, 0x0d, 0xb8, [15] = 1 };
	struct netaddr clients[CLIENTS] = { netaddr_v4(v4[0]), netaddr_v6(v6), netaddr_v4(v4[1]), netaddr_v4(v4[2]) };
	enum spf_answer answers[CLIENTS];
	char sender[600], helo[600];
	take_text(sender, sizeof sender);
	take_text(helo, sizeof helo);
	struct spf_request request = { *engine, sender, helo, clients, count };
	struct spf_check *asked_check = spf_ask(loop, &request);
	int turns = 0, end = cut_short ? 1 + take() % 8 : TURNS_MAX;
	event_base_loop(loop_base(loop), EVLOOP_NONBLOCK);
	for (; open_questions != NULL && turns < end; turns++)
		answer_one();
	MUST(turns < TURNS_MAX);
	if (cut_short)
		engine_free(engine);
	MUST(asked <= SPF_QUESTIONS_MAX * (count > 1 ? 2 : 1) + PER_CLIENT * (count - 1));
	spf_collect(asked_check, 0, answers);
	for (int i = 0; i < count; i++)
		MUST(answers[i] < SPF_ANSWER_COUNT);
	spf_release(&asked_check);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *loop;
	struct resolver_settings settings = { .timeout_ms = 1, .inflight = 1 };
	char error[200];
	if (loop == NULL)
		loop = loop_new();
	bytes = data;
	left = size;
	asked = 0;
	uint8_t flags = take();
	struct engine *engine = engine_new(loop, &settings, CACHE_BYTES, error, sizeof error);
	MUST(engine != NULL);
	check(loop, &engine, 1 + flags % CLIENTS, (flags & 0x80) != 0);
	engine_free(&engine);
	return 0;
}

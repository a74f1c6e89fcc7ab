/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SPF checks from stdin, results to stdout, with DNS from the same lines (t/fake/zone.c). One thing a line, its fields
 * split by tabs; "\xNN" is a byte.
 *
 *   clear                             forget all records, and what is cached
 *   record NAME TYPE VALUE            TYPE: A AAAA MX TXT PTR CNAME
 *   trouble NAME TYPE servfail|silent TYPE "*": all
 *   check CLIENT HELO SENDER          answers with the result's word
 *   bare CLIENT HELO SENDER           the same by libspf2 alone
 */
#include "milter/spf/spf.h"

#include "milter/base/clock.h"
#include "milter/dns/engine.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"
#include "t/fake/zone.h"
#include "t/live/spf_bare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { FIELDS_MAX = 5, DONE_MS = 20000, TIMEOUT_MS = 20, CACHE_BYTES = 1 << 20 };

static struct loop *loop;
static struct engine *engine;

static void open_engine(void)
{
	char error[200];
	struct resolver_settings settings = { .timeout_ms = TIMEOUT_MS, .inflight = 1000 };
	loop = loop_new();
	engine = loop != NULL ? engine_new(loop, &settings, CACHE_BYTES, error, sizeof error) : NULL;
	if (engine == NULL || !loop_start(loop)) {
		fprintf(stderr, "spf_suite: cannot start\n");
		exit(2);
	}
}

static void close_engine(void)
{
	loop_stop(loop);
	engine_free(&engine);
	loop_free(&loop);
}

static size_t unescape(char *field)
{
	char *to = field, digits[3] = "";
	for (const char *from = field; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] == 'x' && from[2] != '\0' && from[3] != '\0') {
			memcpy(digits, from + 2, 2);
			*to = (char)strtoul(digits, NULL, 16);
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return (size_t)(to - field);
}

static int type_of(const char *word)
{
	static const struct {
		const char *word;
		int type;
	} types[] = {
		{ "A", DNS_A },	    { "AAAA", DNS_AAAA },    { "MX", DNS_MX }, { "TXT", DNS_TXT },
		{ "PTR", DNS_PTR }, { "CNAME", ZONE_CNAME }, { "*", 0 },
	};
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return -1;
}

static void check(const char *client, const char *helo, const char *sender)
{
	struct netaddr address;
	enum spf_answer answer = SPF_ANSWER_UNKNOWN;
	if (!netaddr_parse(client, &address)) {
		puts("no address");
		return;
	}
	struct spf_request request = {
		.engine = engine, .sender = sender, .helo = helo, .clients = &address, .client_count = 1
	};
	struct spf_check *asked = spf_ask(loop, &request);
	spf_collect(asked, clock_monotonic_ms() + DONE_MS, &answer);
	spf_release(&asked);
	puts(spf_answer_word(answer));
}

static bool run(char *line)
{
	char *fields[FIELDS_MAX] = { "", "", "", "", "" }, *rest = line;
	int count = 0;
	for (char *field; count < FIELDS_MAX && (field = strsep(&rest, "\t")) != NULL; count++)
		fields[count] = field;
	size_t length = count > 0 ? unescape(fields[count - 1]) : 0;
	for (int i = 0; i < count - 1; i++)
		unescape(fields[i]);
	if (strcmp(fields[0], "clear") == 0) {
		close_engine();
		zone_clear();
		spf_bare_clear();
		open_engine();
	} else if (strcmp(fields[0], "record") == 0 && count == 4) {
		spf_bare_add(fields[1], type_of(fields[2]), fields[3], false);
		return zone_add(fields[1], type_of(fields[2]), fields[3], length);
	} else if (strcmp(fields[0], "trouble") == 0 && count == 4) {
		spf_bare_add(fields[1], type_of(fields[2]), "", true);
		zone_trouble(fields[1], type_of(fields[2]),
			     strcmp(fields[3], "silent") == 0 ? ZONE_SILENT : ZONE_SERVFAIL);
	} else if (strcmp(fields[0], "check") == 0 && count == 4) {
		check(fields[1], fields[2], fields[3]);
	} else if (strcmp(fields[0], "bare") == 0 && count == 4) {
		spf_bare_check(fields[1], fields[2], fields[3]);
	} else {
		return false;
	}
	return true;
}

int main(void)
{
	static char line[400000];
	open_engine();
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (!run(line)) {
			fprintf(stderr, "spf_suite: no such thing: %s\n", line);
			return 2;
		}
		fflush(stdout);
	}
	close_engine();
	zone_clear();
	spf_bare_clear();
	return 0;
}

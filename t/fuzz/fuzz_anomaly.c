/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Header fields and HELO as strangers write them. The input is lines: HELO, the envelope sender, a recipient, and then
 * header fields, whose first byte is one of ours, or which are whole as "Name:value".
 */
#include "milter/message/anomaly.h"

#include "t/fuzz/fuzz.h"

#include <math.h>

enum { LINES_MAX = 40, ARENA_BYTES = 65536 };

static const char *const names[] = {
	"Auto-Submitted", "Cc",		 "Date", "From",       "Message-ID",
	"Reply-To",	  "Resent-From", "To",	 "User-Agent", "X-Forwarded-For",
	"X-Forwarded-To", "X-Mailer",
};

/* Goes into facts and comparisons. */
static void check_domain(const char domain[ANOMALY_DOMAIN_MAX + 1])
{
	MUST(memchr(domain, '\0', ANOMALY_DOMAIN_MAX + 1) != NULL);
	for (const char *at = domain; *at != '\0'; at++)
		MUST((unsigned char)*at > ' ' && *at != '@' && (*at < 'A' || *at > 'Z'));
}

static void check_reader(const struct anomaly_reader *reader, const struct rcpts *rcpts, const struct facts *facts)
{
	check_domain(reader->from_domain);
	check_domain(reader->reply_domain);
	MUST(!reader->bulk || reader->mailer != 0);
	MUST(reader->authors >= 0 && reader->authors <= 2 &&
	     memchr(reader->author, '\0', sizeof reader->author) != NULL);
	MUST((reader->author[0] == '\0' || reader->authors > 0) &&
	     (reader->authors == 0 || facts->class == MAIL_CLASS_BOUNCE));
	MUST(!reader->named || (rcpts->count > 0 && facts->rcpts_remote >= MANY_RCPTS));
}

/* A field a second time, in another case, and one that is none of ours: nothing changes. */
static void check_again(const struct anomaly_reader *reader, const char *name, const char *value,
			const struct rcpts *rcpts, const struct facts *facts)
{
	struct anomaly_reader again = *reader;
	char upper[40];
	size_t length = strlen(name);
	if (length >= sizeof upper)
		return;
	for (size_t i = 0; i <= length; i++)
		upper[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 'a' + 'A') : name[i];
	anomaly_header(&again, upper, value, rcpts, facts);
	anomaly_header(&again, "X-Other", value, rcpts, facts);
	MUST(again.date == reader->date && again.from == reader->from && again.message_id == reader->message_id);
	MUST(again.named == reader->named && again.bulk == reader->bulk && again.forwarded == reader->forwarded);
	MUST(again.mailer == reader->mailer);
	/* a first one without an address leaves the place to the next */
	MUST(strcmp(again.from_domain, reader->from_domain) == 0 &&
	     strcmp(again.reply_domain, reader->reply_domain) == 0);
}

static void take_field(struct anomaly_reader *reader, char *line, const struct rcpts *rcpts, const struct facts *facts)
{
	const char *name = names[(unsigned char)line[0] % (sizeof names / sizeof names[0])],
		   *value = line + (line[0] != '\0');
	char *colon = strchr(line, ':');
	if (colon != NULL && (line[0] < 'A' || line[0] > 'L')) {
		*colon = '\0';
		name = line;
		value = colon + 1;
	}
	anomaly_header(reader, name, value, rcpts, facts);
	check_reader(reader, rcpts, facts);
	check_again(reader, name, value, rcpts, facts);
}

static void check_sum(const struct anomaly_reader *reader, const char *helo, const char *from,
		      const struct facts *facts)
{
	const unsigned of_helo = 1U << ANOMALY_HELO_ADDRESS | 1U << ANOMALY_HELO_BARE;
	unsigned with = anomaly_sum(reader, &(struct anomaly_client){ .helo = helo }, from, facts);
	unsigned ours = anomaly_sum(reader, &(struct anomaly_client){ .helo = helo, .ours = true }, from, facts);
	unsigned none = anomaly_sum(reader, &(struct anomaly_client){ .helo = NULL }, from, facts);
	MUST(with < 1U << ANOMALY_COUNT && (with & of_helo) != of_helo);
	MUST(ours == none && (ours & of_helo) == 0 && (with & ~of_helo) == ours);
	MUST(helo[0] != '[' || with == ours);
}

static char *next_line(char **rest)
{
	char *line = *rest, *end = strchr(line, '\n');
	*rest = end != NULL ? end + 1 : line + strlen(line);
	if (end != NULL)
		*end = '\0';
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct facts facts = { .account = "a@example.com",
			       .rcpts_remote = (int64_t)(size % 20),
			       .class = size % 2 == 0 ? MAIL_CLASS_BOUNCE : MAIL_CLASS_ACCOUNT };
	struct anomaly_reader reader = { .date = false };
	const uint64_t key[2] = { 1, 2 };
	struct rcpts rcpts = { .key = key };
	struct arena arena;
	char *text = string_of(data, size), *rest = text, from[ADDRESS_MAX + 1], error[100];
	struct traps *traps = traps_read("", error, sizeof error);
	arena_init(&arena, ARENA_BYTES);
	const char *helo = next_line(&rest);
	address_of(next_line(&rest), from);
	rcpts_add(&rcpts, &arena, traps, &(struct known){ 0 }, next_line(&rest), true, &facts);
	for (int i = 0; i < LINES_MAX && *rest != '\0'; i++)
		take_field(&reader, next_line(&rest), &rcpts, &facts);
	check_sum(&reader, helo, from, &facts);
	arena_empty(&arena);
	traps_free(&traps);
	free(text);
	return 0;
}

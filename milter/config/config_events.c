/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the options of events must be, so that nothing is found out by the first event of a bad night.
 */
#include "milter/config/config_read.h"
#include "milter/base/endpoint.h"
#include "policy/notice.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { ADMINS_MAX = 8 };

/* Printable ASCII without blanks, and without what could end an address or begin something else. */
static bool config_events_is_plain(const char *word, size_t length, const char *without)
{
	for (size_t i = 0; i < length; i++)
		if (word[i] <= ' ' || word[i] > '~' || strchr(without, word[i]) != NULL)
			return false;
	return length > 0;
}

bool config_is_address(const char *word, size_t length)
{
	const char *at = memchr(word, '@', length);
	return config_events_is_plain(word, length, "<>()[],;:\"\\") && at != NULL && at != word &&
	       at + 1 < word + length && memchr(at + 1, '@', (size_t)(word + length - at - 1)) == NULL;
}

static bool config_events_check_url(struct reader *reader)
{
	const char *url = reader->config->set.webhook_url;
	size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
	if (*url == '\0' || (scheme > 0 && config_events_is_plain(url + scheme, strlen(url + scheme), "\"<>\\^`{|}") &&
			     strchr("/?#:@", url[scheme]) == NULL))
		return true;
	/* it may hold a secret: the error names the option, not the value */
	return read_error(
		reader, read_option(reader, "webhook.url"),
		"is not a web address, expected http://HOST/... or https://HOST/..., blanks and the like written %%XX");
}

static bool config_events_check_addresses(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	int count = 0;
	if (set->admin_mail_from[0] != '\0' && !config_is_address(set->admin_mail_from, strlen(set->admin_mail_from)))
		return read_error(reader, read_option(reader, "admin.mail_from"),
				  "is \"%s\", expected one mail address", set->admin_mail_from);
	for (const char *at = set->admin_mail_to + strspn(set->admin_mail_to, ", "); *at != '\0';
	     at += strspn(at, ", ")) {
		size_t length = strcspn(at, ", ");
		if (++count > ADMINS_MAX || !config_is_address(at, length))
			return read_error(reader, read_option(reader, "admin.mail_to"),
					  "is \"%s\", expected up to %d mail addresses, separated by commas",
					  set->admin_mail_to, ADMINS_MAX);
		at += length;
	}
	return true;
}

static bool config_events_read_kinds(struct reader *reader, const char *path, const char *words, unsigned *set_out)
{
	char wrong[32], known[200] = "";
	struct text text = text_over(known, sizeof known);
	if (notice_kinds(words, set_out, wrong))
		return true;
	for (int i = 0; i < EVENT_COUNT; i++)
		text_addf(&text, i > 0 ? ", %s" : "%s", notice_word((enum event_kind)i));
	return read_error(reader, read_option(reader, path), "has \"%s\", expected kinds of events: %s", wrong, known);
}

static bool config_events_check_smtp(struct reader *reader)
{
	struct endpoint endpoint;
	char error[300];
	const char *server = reader->config->set.admin_smtp;
	if (strncmp(server, "unix:", 5) == 0 || strncmp(server, "inet:", 5) == 0)
		return read_error(reader, read_option(reader, "admin.smtp"), "is \"%s\", expected address:port",
				  server);
	return endpoint_parse(server, &endpoint, error, sizeof error) ||
	       read_error(reader, read_option(reader, "admin.smtp"), "is %s", error);
}

bool config_events_agree(struct reader *reader)
{
	struct config *config = reader->config;
	return config_events_check_url(reader) && config_events_check_addresses(reader) &&
	       config_events_check_smtp(reader) &&
	       config_events_read_kinds(reader, "webhook.kinds", config->set.webhook_kinds, &config->webhook_kinds) &&
	       config_events_read_kinds(reader, "admin.mail_kinds", config->set.admin_mail_kinds,
					&config->admin_mail_kinds);
}

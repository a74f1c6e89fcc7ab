/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_mailers.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SHOWN_MAX = 50 };

/* Postfix's programs that deliver. What a pipe or an LMTP server sends on comes back by sendmail(1) or SMTP, and is
 * counted then. */
static const struct {
	const char *program;
	bool remote;
} agents[] = {
	{ "lmtp", false }, { "local", false }, { "pipe", false }, { "smtp", true }, { "virtual", false },
};

/* The two lists, and what is to be added to each. */
static const struct {
	const char *option, *why;
} options[] = {
	{ "local_mailers", "this line in the group postfix says that their recipients stay on this host" },
	{ "remote_mailers",
	  "this line in the group postfix says that their recipients leave, and that their mail may be marked" },
};

static int postfix_mailers_agent_of(const struct postfix_service *service)
{
	size_t length = strcspn(service->command, " \t");
	for (size_t i = 0; i < sizeof agents / sizeof agents[0]; i++)
		if (strlen(agents[i].program) == length && strncmp(agents[i].program, service->command, length) == 0)
			return (int)i;
	return -1;
}

/* It takes all mail on its way through, whatever its recipients' transport. */
static bool postfix_mailers_is_filter(const struct postfix_check *check, const char *name)
{
	const char *filter = postfix_get(check->postfix, NULL, "content_filter");
	size_t length = strlen(name);
	return filter != NULL && strncmp(filter, name, length) == 0 &&
	       (filter[length] == ':' || filter[length] == '\0');
}

static bool is_strange(const struct postfix_check *check, const struct postfix_service *service)
{
	return strcmp(service->type, "unix") == 0 && postfix_mailers_agent_of(service) >= 0 &&
	       !postfix_mailers_is_filter(check, service->name) &&
	       config_rcpt_way(check->wish.config, service->name, "") == RCPT_WAY_STRANGE;
}

static void postfix_mailers_report_transport(struct postfix_check *check, const struct postfix_service *service)
{
	char what[200], found[100], expected[100];
	const char *program = agents[postfix_mailers_agent_of(service)].program;
	snprintf(what, sizeof what, "transport %.150s", service->name);
	snprintf(found, sizeof found, "%s(8), in neither list", program);
	snprintf(expected, sizeof expected, "its name in postfix.%s",
		 options[agents[postfix_mailers_agent_of(service)].remote].option);
	check_report(
		check,
		(struct finding){
			WARNING, GRAVITY_MISJUDGED, what, found, expected, check->wish.config_file, NULL,
			"recipients of a transport in neither list count as leaving, and their mail is not marked" },
		NULL);
}

/* The line of our configuration, with what is there. */
static void postfix_mailers_report_line(struct postfix_check *check, bool remote)
{
	const struct config *config = check->wish.config;
	const struct postfix_service *service;
	const struct mailer_list *own = remote ? &config->remote_mailers : &config->local_mailers;
	char *line = NULL, what[60];
	size_t size = 0, added = 0;
	FILE *to = have_memory(open_memstream(&line, &size));
	fprintf(to, "%s = [", options[remote].option);
	for (int i = 0; i < own->count; i++)
		fprintf(to, "%s \"%s\"", i > 0 ? "," : "", own->words[i]);
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++)
		if (is_strange(check, service) && agents[postfix_mailers_agent_of(service)].remote == remote)
			fprintf(to, "%s \"%s\"", own->count > 0 || added > 0 ? "," : "", service->name), added++;
	fputs(" ];", to);
	fclose(to);
	snprintf(what, sizeof what, "postfix.%s", options[remote].option);
	if (added > 0)
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_MISJUDGED, what, "", line, check->wish.config_file,
					       NULL, options[remote].why },
			     NULL);
	free(line);
}

void check_mailers(struct postfix_check *check)
{
	const struct postfix_service *service;
	size_t told = 0;
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++)
		if (is_strange(check, service) && told++ < SHOWN_MAX)
			postfix_mailers_report_transport(check, service);
	postfix_mailers_report_line(check, false);
	postfix_mailers_report_line(check, true);
}

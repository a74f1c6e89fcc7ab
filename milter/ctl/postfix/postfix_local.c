/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_local.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_domains.h"
#include "milter/base/plain_file.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { FILE_MAX = 1 << 20 };

#define WHY_COUNTS "Postfix names no mailer for mail of sendmail(1): what goes to these mailboxes counts as leaving"
#define WHY_FREE "mail of sendmail(1) to it counts as local: free and without a limit"

static void postfix_local_add_file(struct domains *domains, const char *file)
{
	char *text = have_memory(calloc(1, FILE_MAX)), *rest = NULL;
	const char *why;
	FILE *from = plain_file_read(file, &why);
	size_t length = from == NULL ? 0 : fread(text, 1, FILE_MAX - 1, from);
	text[length] = '\0';
	if (from != NULL)
		fclose(from);
	for (char *word = strtok_r(text, ", \t\r\n", &rest); word != NULL; word = strtok_r(NULL, ", \t\r\n", &rest))
		domains_add(domains, word);
	free(text);
}

static void postfix_local_add_table(struct domains *domains, struct postfix_check *check, const char *list,
				    const char *named)
{
	const char *table = strncmp(named, "proxy:", 6) == 0 ? named + 6 : named;
	char said[400] = "";
	char *text = postfix_list(check->postfix, table, said, sizeof said), *rest = text;
	if (text == NULL)
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_MISJUDGED, list, named, "a table that can be listed",
					       "main.cf", NULL,
					       "its domains are not held against postfix.local_domains" },
			     NULL);
	for (char *line; (line = postfix_next_line(&rest)) != NULL;) {
		line[strcspn(line, " \t")] = '\0';
		domains_add(domains, line);
	}
	free(text);
}

static void postfix_local_add_list(struct domains *domains, struct postfix_check *check, const char *list)
{
	char element[ELEMENT_MAX];
	const char *rest = postfix_get(check->postfix, NULL, list);
	while (rest != NULL && postfix_next_element(&rest, element) != NULL)
		if (*element == '/')
			postfix_local_add_file(domains, element);
		else if (strchr(element, ':') != NULL)
			postfix_local_add_table(domains, check, list, element);
		else
			domains_add(domains, element);
}

/* Where the option says something else of an address without a mailer than Postfix's lists do. */
static bool postfix_local_is_missing(const struct postfix_check *check, const struct domain *domain)
{
	const struct config *config = check->wish.config;
	bool mailboxes = domain->class == DOMAIN_LOCAL || domain->class == DOMAIN_MAILBOX;
	bool plain = domain->name[strspn(domain->name, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0' &&
		     strchr("-.", domain->name[0]) == NULL;
	return mailboxes && plain && !domain_list_has(&config->local_domains, domain->name) &&
	       !domain_list_has(&config->alias_domains, domain->name);
}

static void postfix_local_report_missing(struct postfix_check *check, const struct domains *domains)
{
	const struct domain_list *own = &check->wish.config->local_domains;
	const struct domain *domain;
	char *line = NULL, found[DOMAIN_MAX + 100] = "";
	size_t size = 0, missing = 0;
	FILE *to = have_memory(open_memstream(&line, &size));
	fputs("local_domains = [", to);
	for (int i = 0; i < own->count; i++)
		fprintf(to, "%s \"%s\"", i > 0 ? "," : "", own->names[i]);
	for (size_t i = 0; (domain = domains_at(domains, i)) != NULL; i++)
		if (postfix_local_is_missing(check, domain)) {
			fprintf(to, "%s \"%s\"", own->count > 0 || missing > 0 ? "," : "", domain->name);
			if (missing++ == 0)
				snprintf(found, sizeof found, "without %s", domain->name);
		}
	fputs(" ];", to);
	fclose(to);
	if (missing > 1)
		snprintf(found + strlen(found), 40, " and %zu more", missing - 1);
	if (missing > 0)
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_MISJUDGED, "postfix.local_domains", found, line,
					       check->wish.config_file, NULL, WHY_COUNTS },
			     NULL);
	free(line);
}

static void postfix_local_report_strange(struct postfix_check *check, const struct domains *domains)
{
	const struct domain_list *own = &check->wish.config->local_domains;
	for (int i = 0; i < own->count; i++) {
		const struct domain *domain = domains_find(domains, own->names[i]);
		if (domain == NULL || domain->class == DOMAIN_LOCAL || domain->class == DOMAIN_MAILBOX)
			continue;
		check_report(check,
			     (struct finding){ DIFFERENCE, GRAVITY_UNJUDGED, "postfix.local_domains", own->names[i],
					       "domains of mydestination and virtual_mailbox_domains alone",
					       check->wish.config_file, NULL, WHY_FREE },
			     NULL);
	}
}

void check_local_domains(struct postfix_check *check)
{
	const struct domain_list *own = &check->wish.config->local_domains;
	struct domains *domains = domains_new();
	postfix_local_add_list(domains, check, "mydestination");
	postfix_local_add_list(domains, check, "virtual_mailbox_domains");
	for (int i = 0; i < own->count; i++)
		domains_add(domains, own->names[i]);
	domains_classify(domains, check);
	postfix_local_report_missing(check, domains);
	postfix_local_report_strange(check, domains);
	domains_free(&domains);
}

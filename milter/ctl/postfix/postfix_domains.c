/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_domains.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/base/plain_file.h"
#include "policy/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { FILE_MAX = 1 << 20 };

struct domains {
	struct domain *rows; /* owned; sorted and each once from domains_classify on */
	size_t count, size;
};

static bool domains_read_file(const char *name, char *text, size_t size)
{
	const char *why;
	FILE *from = plain_file_read(name, &why);
	size_t length = from == NULL ? 0 : fread(text, 1, size - 1, from);
	text[length] = '\0';
	if (from != NULL)
		fclose(from);
	return from != NULL;
}

void postfix_origin(const struct postfix *postfix, char origin[DOMAIN_MAX + 1])
{
	const char *said = postfix_get(postfix, NULL, "myorigin");
	text_copy(origin, DOMAIN_MAX + 1, said == NULL ? "" : said);
	if (*origin == '/' && !domains_read_file(said, origin, DOMAIN_MAX + 1))
		*origin = '\0';
	origin[strcspn(origin, " \t\r\n")] = '\0';
	if (origin[strspn(origin, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")] != '\0')
		*origin = '\0';
}

struct domains *domains_new(void)
{
	return have_memory(calloc(1, sizeof(struct domains)));
}

void domains_free(struct domains **domains)
{
	for (size_t i = 0; *domains != NULL && i < (*domains)->count; i++) {
		free((*domains)->rows[i].name);
		free((*domains)->rows[i].example);
	}
	if (*domains != NULL)
		free((*domains)->rows);
	free(*domains);
	*domains = NULL;
}

static void lower(char *name)
{
	for (; *name != '\0'; name++)
		*name = text_lower(*name);
}

void domains_add(struct domains *domains, const char *name)
{
	if (*name == '\0' || strlen(name) > DOMAIN_MAX)
		return;
	if (domains->count == domains->size) {
		domains->size = domains->size * 2 + 64;
		domains->rows = have_memory(realloc(domains->rows, domains->size * sizeof domains->rows[0]));
	}
	char *copy = have_memory(strdup(name));
	lower(copy);
	domains->rows[domains->count++] = (struct domain){ .name = copy };
}

static bool is_name(const char *element)
{
	return strpbrk(element, ":/!{") == NULL;
}

void domains_add_local(struct domains *domains, const struct postfix *postfix)
{
	char element[ELEMENT_MAX];
	const char *list = postfix_get(postfix, NULL, "mydestination");
	while (list != NULL && postfix_next_element(&list, element) != NULL)
		if (is_name(element))
			domains_add(domains, element);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct domain *)a)->name, ((const struct domain *)b)->name);
}

struct domain *domains_find(const struct domains *domains, const char *name)
{
	struct domain sought = { .name = (char[DOMAIN_MAX + 1]){ "" } };
	if (domains->count == 0 || !text_copy(sought.name, DOMAIN_MAX + 1, name))
		return NULL;
	lower(sought.name);
	return bsearch(&sought, domains->rows, domains->count, sizeof sought, by_name);
}

struct domain *domains_at(const struct domains *domains, size_t index)
{
	return index < domains->count ? &domains->rows[index] : NULL;
}

static void domains_sort(struct domains *domains)
{
	size_t kept = 0;
	if (domains->count > 0)
		qsort(domains->rows, domains->count, sizeof domains->rows[0], by_name);
	for (size_t i = 0; i < domains->count; i++)
		if (kept > 0 && strcmp(domains->rows[kept - 1].name, domains->rows[i].name) == 0)
			free(domains->rows[i].name);
		else
			domains->rows[kept++] = domains->rows[i];
	domains->count = kept;
}

/* An earlier list holds. */
static void mark(const struct domains *domains, const char *name, enum domain_class class)
{
	struct domain *domain = domains_find(domains, name);
	if (domain != NULL && domain->class == DOMAIN_OUTSIDE)
		domain->class = class;
}

static void domains_mark_file(const struct domains *domains, const char *file, enum domain_class class)
{
	char *text = have_memory(malloc(FILE_MAX)), *rest = NULL;
	if (domains_read_file(file, text, FILE_MAX))
		for (char *word = strtok_r(text, ", \t\r\n", &rest); word != NULL;
		     word = strtok_r(NULL, ", \t\r\n", &rest))
			mark(domains, word, class);
	free(text);
}

/* Without a running Postfix no proxy answers; we may read the table itself. */
static const char *without_proxy(const char *table)
{
	return strncmp(table, "proxy:", 6) == 0 ? table + 6 : table;
}

static void domains_mark_table(const struct domains *domains, struct postfix_check *check, const char *list,
			       const char *table, enum domain_class class)
{
	char *keys = NULL, said[400];
	size_t length = 0;
	FILE *to = have_memory(open_memstream(&keys, &length));
	for (size_t i = 0; i < domains->count; i++)
		fprintf(to, "%s\n", domains->rows[i].name);
	fclose(to);
	char *answers = postfix_ask_all(check->postfix, without_proxy(table), keys, length, said, sizeof said),
	     *rest = answers;
	free(keys);
	if (answers == NULL)
		check_report(check,
			     (struct finding){
				     WARNING, GRAVITY_UNJUDGED, list, said, "a table that answers", "main.cf", NULL,
				     "whose domains these are is not known, and aliases of them are not looked at" },
			     NULL);
	for (char *line; (line = postfix_next_line(&rest)) != NULL;) {
		line[strcspn(line, " \t")] = '\0';
		mark(domains, line, class);
	}
	free(answers);
}

void domains_classify(struct domains *domains, struct postfix_check *check)
{
	/* clang-format off */
	static const struct { const char *list; enum domain_class class; } lists[] = {
		{ "mydestination", DOMAIN_LOCAL },
		{ "virtual_alias_domains", DOMAIN_ALIAS },
		{ "virtual_mailbox_domains", DOMAIN_MAILBOX },
	};
	/* clang-format on */
	char element[ELEMENT_MAX];
	domains_sort(domains);
	for (size_t i = 0; i < sizeof lists / sizeof lists[0] && domains->count > 0; i++) {
		const char *rest = postfix_get(check->postfix, NULL, lists[i].list);
		while (rest != NULL && postfix_next_element(&rest, element) != NULL)
			if (*element == '/')
				domains_mark_file(domains, element, lists[i].class);
			else if (strchr(element, ':') != NULL)
				domains_mark_table(domains, check, lists[i].list, element, lists[i].class);
			else
				mark(domains, element, lists[i].class);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_aliases.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_domains.h"
#include "milter/base/plain_file.h"
#include "policy/address.h"
#include "policy/base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SHOWN_MAX = 50, INCLUDE_MAX = 1 << 20, DEPTH_MAX = 200 };

#define WHY_FREE \
	"Postfix names the mailer of an address before it looks for an alias: what leaves by these is free and " \
	"without a limit"

/* The lists of tables that rewrite a recipient. Those of local(8) know names alone, of the domains of mydestination. */
/* clang-format off */
static const struct { const char *name; bool local; } lists[] = {
	{ "recipient_canonical_maps", false },
	{ "canonical_maps", false },
	{ "virtual_alias_maps", false },
	{ "alias_maps", true },
};
/* clang-format on */

struct alias {
	const char *key, *value; /* in a text of `book` */
	size_t list;		 /* of `lists` */
	size_t order;
	enum { LEAVES_UNKNOWN, LEAVES_LOOKING, LEAVES_NOT, LEAVES } leaves;
	char *target; /* owned: the first one by which it leaves; else NULL */
};

/* All that the tables say. */
struct book {
	char **texts; /* owned */
	size_t text_count;
	struct alias *aliases; /* owned; sorted by key from book_sort on */
	size_t count, size;
	struct domains *domains; /* owned */
	char origin[DOMAIN_MAX + 1];
	int depth; /* of aliases of aliases, while one is looked at */
};

/* ---- reading */

static void keep_text(struct book *book, char *text)
{
	book->texts = have_memory(realloc(book->texts, (book->text_count + 1) * sizeof book->texts[0]));
	book->texts[book->text_count++] = text;
}

static void aliases_add_alias(struct book *book, char *key, const char *value, size_t list)
{
	if (book->count == book->size) {
		book->size = book->size * 2 + 256;
		book->aliases = have_memory(realloc(book->aliases, book->size * sizeof book->aliases[0]));
	}
	for (char *at = key; *at != '\0'; at++)
		*at = text_lower(*at);
	book->aliases[book->count] = (struct alias){ .key = key, .value = value, .list = list, .order = book->count };
	book->count++;
}

/* What postalias(1) and newaliases(1) of other systems put into each table. */
static bool is_bookkeeping(const char *key, size_t list)
{
	return lists[list].local && (strcmp(key, "@") == 0 || strncmp(key, "YP_", 3) == 0);
}

static void aliases_read_table(struct book *book, struct postfix_check *check, size_t list, const char *named)
{
	const char *table = strncmp(named, "proxy:", 6) == 0 ? named + 6 : named;
	char said[400] = "", found[ELEMENT_MAX + 420];
	char *text = postfix_listable(table) ? postfix_list(check->postfix, table, said, sizeof said) : NULL;
	if (text == NULL) {
		snprintf(found, sizeof found, "%s%s%s", named, *said == '\0' ? "" : ": ", said);
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_UNJUDGED, lists[list].name, found,
					       "a table that can be listed", "main.cf", NULL,
					       "it cannot be listed: aliases in it that leave this host are counted as "
					       "local, unless postfix.alias_domains has their domain" },
			     NULL);
		return;
	}
	keep_text(book, text);
	for (char *line; (line = postfix_next_line(&text)) != NULL;) {
		char *tab = strchr(line, '\t');
		if (tab != NULL) {
			*tab = '\0';
			if (!is_bookkeeping(line, list))
				aliases_add_alias(book, line, tab + 1, list);
		}
	}
}

/* ---- targets */

/* The next target of a value, without blanks around it; what stands in quotes is one. False at the end. */
static bool aliases_next_target(const char **rest, char target[ADDRESS_MAX + 1])
{
	const char *start = *rest + strspn(*rest, ", \t"), *end = start;
	for (bool quoted = false; *end != '\0' && (quoted || strchr(", \t", *end) == NULL); end++)
		if (*end == '\\' && end[1] != '\0')
			end++;
		else
			quoted ^= *end == '"';
	*rest = end;
	snprintf(target, ADDRESS_MAX + 1, "%.*s", (int)(end - start < ADDRESS_MAX ? end - start : ADDRESS_MAX), start);
	return end > start;
}

typedef bool target_visit(struct book *book, const struct alias *alias, const char *address);

/* local(8): a file of targets, which lies where root put it. */
static bool aliases_visit_include(struct book *book, const struct alias *alias, const char *file, target_visit *visit)
{
	char *text = have_memory(calloc(1, INCLUDE_MAX)), *rest = text, target[ADDRESS_MAX + 1],
	     address[ADDRESS_MAX + 1];
	const char *why;
	FILE *from = plain_file_read(file, &why);
	size_t length = from == NULL ? 0 : fread(text, 1, INCLUDE_MAX - 1, from);
	bool done = false;
	text[length] = '\0';
	if (from != NULL)
		fclose(from);
	for (const char *line; !done && (line = postfix_next_line(&rest)) != NULL;)
		while (!done && *line != '#' && aliases_next_target(&line, target))
			done = strchr("|/:\"", *target) == NULL && address_normal(target, address) &&
			       visit(book, alias, address);
	free(text);
	return done;
}

/* Each address that an alias names, until `visit` is true of one: a program, a file and :include: are local(8)'s. */
static bool aliases_visit_targets(struct book *book, const struct alias *alias, target_visit *visit)
{
	char target[ADDRESS_MAX + 1], address[ADDRESS_MAX + 1];
	const char *rest = alias->value;
	bool local = lists[alias->list].local, done = false;
	while (!done && aliases_next_target(&rest, target)) {
		if (local && strncmp(target, ":include:", 9) == 0)
			done = aliases_visit_include(book, alias, target + 9, visit);
		else if (!local || (strchr("|/", *target) == NULL && strncmp(target, "\"|", 2) != 0))
			done = address_normal(target, address) && visit(book, alias, address);
	}
	return done;
}

static bool add_domain(struct book *book, const struct alias *alias, const char *address)
{
	(void)alias;
	domains_add(book->domains, address_domain(address));
	return false;
}

/* ---- where it leads */

static int aliases_by_key(const void *a, const void *b)
{
	const struct alias *x = a, *y = b;
	int order = strcmp(x->key, y->key);
	if (order == 0)
		order = (int)lists[x->list].local - (int)lists[y->list].local;
	return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* The first of that key, where several tables have it. */
static struct alias *aliases_find_alias(const struct book *book, const char *key, bool local)
{
	size_t low = 0, high = book->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct alias *alias = &book->aliases[middle];
		int order = strcmp(alias->key, key);
		if (order < 0 || (order == 0 && !lists[alias->list].local && local))
			low = middle + 1;
		else
			high = middle;
	}
	bool is = low < book->count && strcmp(book->aliases[low].key, key) == 0 &&
		  lists[book->aliases[low].list].local == local;
	return is ? &book->aliases[low] : NULL;
}

static enum domain_class class_of(const struct book *book, const char *domain)
{
	const struct domain *found = domains_find(book->domains, domain);
	return found == NULL ? DOMAIN_OUTSIDE : found->class;
}

static bool aliases_leaves(struct book *book, struct alias *alias);

/* Does mail to an address of this host leave it by another alias? */
static bool aliases_leads_on(struct book *book, const char *address, enum domain_class class)
{
	char key[ADDRESS_MAX + 1], name[ADDRESS_MAX + 1];
	size_t length = 0;
	for (; address[length] != '\0'; length++)
		key[length] = text_lower(address[length]);
	key[length] = '\0';
	const char *at = strrchr(key, '@');
	snprintf(name, sizeof name, "%.*s", at == NULL ? (int)length : (int)(at - key), key);
	struct alias *next = aliases_find_alias(book, key, false);
	if (next == NULL && class == DOMAIN_LOCAL)
		next = aliases_find_alias(book, name, false);
	if (next == NULL && at != NULL)
		next = aliases_find_alias(book, at, false);
	if (next == NULL && class == DOMAIN_LOCAL)
		next = aliases_find_alias(book, name, true);
	return next != NULL && aliases_leaves(book, next);
}

static bool aliases_leaves_to(struct book *book, const struct alias *alias, const char *address)
{
	const char *domain = address_domain(address);
	(void)alias;
	if (*domain == '[')
		return false; /* an address of a host: its own, most often */
	enum domain_class class = class_of(book, *domain == '\0' ? book->origin : domain);
	return class == DOMAIN_OUTSIDE ? *domain != '\0' || *book->origin != '\0'
				       : aliases_leads_on(book, address, class);
}

/* Notes the address, too. */
static bool aliases_leaves_by(struct book *book, const struct alias *alias, const char *address)
{
	if (!aliases_leaves_to(book, alias, address))
		return false;
	struct alias *found = &book->aliases[alias - book->aliases];
	found->target = have_memory(strdup(address));
	return true;
}

/* Aliases of aliases are few; a circle ends where it began. */
static bool aliases_leaves(struct book *book, struct alias *alias)
{
	if (alias->leaves == LEAVES_UNKNOWN && book->depth < DEPTH_MAX) {
		book->depth++;
		alias->leaves = LEAVES_LOOKING;
		alias->leaves = aliases_visit_targets(book, alias, aliases_leaves_by) ? LEAVES : LEAVES_NOT;
		book->depth--;
	}
	return alias->leaves == LEAVES;
}

/* ---- what is told */

/* Is mail to a mailer of this class counted? `{rcpt_mailer}` is the transport's name. */
static bool aliases_class_counted(const struct postfix_check *check, enum domain_class class)
{
	char mailer[100];
	const char *transport =
		postfix_get(check->postfix, NULL, class == DOMAIN_LOCAL ? "local_transport" : "virtual_transport");
	if (class == DOMAIN_OUTSIDE || class == DOMAIN_ALIAS)
		return true;
	text_copy(mailer, sizeof mailer, transport == NULL ? "" : transport);
	mailer[strcspn(mailer, ":")] = '\0';
	return config_rcpt_way(check->wish.config, mailer, "") != RCPT_WAY_LOCAL;
}

static void aliases_note(struct postfix_check *check, const struct alias *alias, struct domain *domain)
{
	char example[2 * ADDRESS_MAX + 100];
	if (domain == NULL || aliases_class_counted(check, domain->class) ||
	    domain_list_has(&check->wish.config->alias_domains, domain->name))
		return;
	if (domain->count++ > 0)
		return;
	snprintf(example, sizeof example, "%.300s -> %.300s in %s", alias->key, alias->target, lists[alias->list].name);
	domain->example = have_memory(strdup(example));
}

/* An alias of a name alone is one of each domain of mydestination. */
static void aliases_note_alias(struct postfix_check *check, const struct book *book, const struct alias *alias)
{
	struct domain *domain;
	const char *at = strrchr(alias->key, '@');
	if (at != NULL && !lists[alias->list].local)
		aliases_note(check, alias, domains_find(book->domains, at + 1));
	else
		for (size_t i = 0; (domain = domains_at(book->domains, i)) != NULL; i++)
			if (domain->class == DOMAIN_LOCAL)
				aliases_note(check, alias, domain);
}

/* The line of our configuration that counts them, with what is there. */
static void aliases_report_line(struct postfix_check *check, const struct book *book, size_t found)
{
	const struct config *config = check->wish.config;
	const struct domain *domain;
	char *line = NULL, what[100];
	size_t size = 0, count = 0;
	FILE *to = have_memory(open_memstream(&line, &size));
	fputs("alias_domains = [", to);
	for (int i = 0; i < config->alias_domains.count; i++)
		fprintf(to, "%s \"%s\"", count++ > 0 ? "," : "", config->alias_domains.names[i]);
	for (size_t i = 0; (domain = domains_at(book->domains, i)) != NULL; i++)
		if (domain->count > 0)
			fprintf(to, "%s \"%s\"", count++ > 0 ? "," : "", domain->name);
	fputs(" ];", to);
	fclose(to);
	snprintf(what, sizeof what, "%zu %s of aliases that leave", found, found == 1 ? "domain" : "domains");
	check_report(check,
		     (struct finding){ WARNING, GRAVITY_UNJUDGED, "postfix.alias_domains", what, line,
				       check->wish.config_file, NULL,
				       "this line in the group postfix counts each recipient of these domains" },
		     NULL);
	free(line);
}

static void aliases_report(struct postfix_check *check, const struct book *book)
{
	const struct domain *domain;
	size_t told = 0;
	for (size_t i = 0; (domain = domains_at(book->domains, i)) != NULL; i++) {
		char what[DOMAIN_MAX + 100], found[2 * ADDRESS_MAX + 200];
		if (domain->count == 0 || told++ >= SHOWN_MAX)
			continue;
		snprintf(what, sizeof what, "aliases of %s", domain->name);
		snprintf(found, sizeof found, "%zu that %s this host: %s", domain->count,
			 domain->count == 1 ? "leaves" : "leave", domain->example);
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_UNJUDGED, what, found,
					       "its name in postfix.alias_domains", check->wish.config_file, NULL,
					       WHY_FREE },
			     NULL);
	}
	if (told > 0)
		aliases_report_line(check, book, told);
}

static void aliases_book_free(struct book *book)
{
	for (size_t i = 0; i < book->count; i++)
		free(book->aliases[i].target);
	for (size_t i = 0; i < book->text_count; i++)
		free(book->texts[i]);
	free(book->aliases);
	free(book->texts);
	domains_free(&book->domains);
}

void check_aliases(struct postfix_check *check)
{
	struct book book = { .domains = domains_new() };
	char table[ELEMENT_MAX];
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		const char *rest = postfix_get(check->postfix, NULL, lists[i].name);
		while (rest != NULL && postfix_next_element(&rest, table) != NULL)
			aliases_read_table(&book, check, i, table);
	}
	postfix_origin(check->postfix, book.origin);
	domains_add(book.domains, book.origin);
	domains_add_local(book.domains, check->postfix);
	for (size_t i = 0; i < book.count; i++) {
		domains_add(book.domains, address_domain(book.aliases[i].key));
		aliases_visit_targets(&book, &book.aliases[i], add_domain);
	}
	domains_classify(book.domains, check);
	if (book.count > 0)
		qsort(book.aliases, book.count, sizeof book.aliases[0], aliases_by_key);
	for (size_t i = 0; i < book.count; i++)
		if (aliases_leaves(&book, &book.aliases[i]))
			aliases_note_alias(check, &book, &book.aliases[i]);
	aliases_report(check, &book);
	aliases_book_free(&book);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The catalogue of well-known block lists: read before the lists of the configuration file, which may take theirs from
 * it, and kept only while a file is read. What `blocklists` did not take comes behind it, for checks.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Stands for the subscriber's key in a zone. */
static const char key_mark[] = "{key}.";
enum { KEY_MARK = sizeof key_mark - 1 };

struct catalogue_row {
	struct list list;		    /* first: what reads a list's fields reads a row */
	char keyed_zone[LIST_ZONE_MAX + 1]; /* what stands behind the key; "": there is none for subscribers */
	char part_of[LIST_NAME_MAX + 1];    /* name of the list that has all of it; "": none */
	bool keyed, skipped;
	struct list *placed; /* where it stands in the configuration; NULL: nowhere */
};

struct catalogue {
	char file[PATH_MAX]; /* "": there is none */
	bool missing;
	int count;
	struct catalogue_row rows[LISTS_MAX];
};

static struct catalogue_row *catalogue_find_row(struct catalogue *catalogue, const char *name)
{
	for (int i = 0; i < catalogue->count; i++)
		if (strcmp(catalogue->rows[i].list.name, name) == 0)
			return &catalogue->rows[i];
	return NULL;
}

/* ---- fields that only a list of the catalogue has */

static bool catalogue_read_keyed_zone(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *zone = read_text(reader, setting);
	if (zone == NULL)
		return false;
	if (*zone == '\0')
		return true;
	if (strncmp(zone, key_mark, KEY_MARK) != 0)
		return read_error(reader, setting, "is \"%s\", expected %s and a domain name", zone, key_mark);
	return check_domain(reader, setting, zone + KEY_MARK, ((struct catalogue_row *)into)->keyed_zone,
			    LIST_ZONE_MAX);
}

static bool catalogue_read_families(struct reader *reader, const config_setting_t *setting, void *into)
{
	static const struct {
		const char *word;
		bool ipv4, ipv6, domain;
	} words[] = {
		{ "4", true, false, false },
		{ "6", false, true, false },
		{ "46", true, true, false },
		{ "domain", false, false, true },
	};
	struct list *list = into;
	const char *word = read_text(reader, setting);
	for (size_t i = 0; word != NULL && i < sizeof words / sizeof words[0]; i++)
		if (strcmp(word, words[i].word) == 0) {
			list->ipv4 = words[i].ipv4;
			list->ipv6 = words[i].ipv6;
			list->domain = words[i].domain;
			return true;
		}
	return word != NULL && read_error(reader, setting, "is \"%s\", expected 4, 6, 46 or domain", word);
}

static bool read_test_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *name = read_text(reader, setting);
	return name != NULL && check_domain(reader, setting, name, ((struct list *)into)->test_name, LIST_NAME_MAX);
}

#define IN_LIST(member) offsetof(struct catalogue_row, list.member)

static const struct field row_fields[] = {
	{ "name", FIELD_OWN, 0, 0, 0, read_list_name, NULL, "short, for people, logs and metrics" },
	{ "zone", FIELD_OWN, 0, 0, 0, read_list_zone, "\"\"", "that anybody may ask" },
	{ "keyed_zone", FIELD_OWN, 0, 0, 0, catalogue_read_keyed_zone, "\"\"", "for subscribers" },
	{ "kind", FIELD_OWN, 0, 0, 0, read_list_kind, NULL, "meaning of an answer that no row of codes names" },
	{ "codes", FIELD_OWN, 0, 0, 0, read_list_codes, "[]", "" },
	{ "errors", FIELD_OWN, 0, 0, 0, read_list_errors, "[]", "" },
	{ "families", FIELD_OWN, 0, 0, 0, catalogue_read_families, NULL, "4, 6, 46 or domain" },
	{ "weight", FIELD_FLOAT, IN_LIST(weight), 0, 100, NULL, NULL, "0 only shown, 1 careful and widely used" },
	{ "part_of", FIELD_TEXT, offsetof(struct catalogue_row, part_of), 0, LIST_NAME_MAX, NULL, "\"\"", "" },
	{ "test", FIELD_BOOL, IN_LIST(test), 0, 0, NULL, "true", "" },
	{ "test_name", FIELD_OWN, 0, 0, 0, read_test_name, "\"\"", "" },
	{ "budget", FIELD_INT, IN_LIST(budget), 0, 1e15, NULL, "0", "" },
	{ "site", FIELD_OWN, 0, 0, 0, read_list_site, "\"\"", "" },
	{ "removal", FIELD_OWN, 0, 0, 0, read_list_removal, "\"\"", "" },
	{ "terms", FIELD_OWN, 0, 0, 0, read_list_terms, "\"\"", "" },
};

/* ---- the file */

static bool catalogue_check_row(struct reader *reader, const config_setting_t *setting, const struct catalogue_row *row)
{
	const struct list *list = &row->list;
	if (list->name[0] == '\0')
		return read_error(reader, setting, "has an empty name");
	if (catalogue_find_row(reader->catalogue, list->name) != row)
		return read_error(reader, setting, "is a second list \"%s\"", list->name);
	if (list->zone[0] == '\0' && row->keyed_zone[0] == '\0')
		return read_error(reader, setting, "has neither zone nor keyed_zone: it could not be asked");
	if (list->test_name[0] != '\0' && !list->domain)
		return read_error(reader, setting, "has a test_name, which only a list of domains needs");
	return check_list(reader, setting, list);
}

static bool catalogue_read_row(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct catalogue *catalogue = into;
	struct catalogue_row *row = &catalogue->rows[catalogue->count++];
	struct list *list = &row->list;
	if (!read_group(reader, setting, row_fields, sizeof row_fields / sizeof row_fields[0], row) ||
	    !catalogue_check_row(reader, setting, row))
		return false;
	if (list->domain && list->test_name[0] == '\0') /* not known by which name it could be tested */
		list->test = false;
	text_copy(list->asked_zone, sizeof list->asked_zone, list->zone);
	if (list->zone[0] == '\0')
		text_copy(list->zone, sizeof list->zone, row->keyed_zone);
	return true;
}

static bool catalogue_check_part(struct reader *reader, const config_setting_t *setting,
				 const struct catalogue_row *row)
{
	if (row->part_of[0] == '\0')
		return true;
	const struct catalogue_row *whole = catalogue_find_row(reader->catalogue, row->part_of);
	if (whole == NULL || whole == row || whole->part_of[0] != '\0')
		return read_error(reader, config_setting_get_member(setting, "part_of"),
				  "is \"%s\", expected another list that is itself no part of one", row->part_of);
	return true;
}

static bool catalogue_read_rows(struct reader *reader, const config_setting_t *root)
{
	const config_setting_t *list = config_setting_get_member(root, "catalogue");
	struct catalogue *catalogue = reader->catalogue;
	for (int i = 0; i < config_setting_length(root); i++)
		if (config_setting_get_elem(root, (unsigned)i) != list)
			return read_error(reader, config_setting_get_elem(root, (unsigned)i),
					  "is nothing a catalogue has: expected the list \"catalogue\" only");
	if (list == NULL)
		return read_error(reader, NULL, "has no list \"catalogue\"");
	if (!read_each(reader, list, LISTS_MAX, catalogue_read_row, catalogue))
		return false;
	for (int i = 0; i < catalogue->count; i++)
		if (!catalogue_check_part(reader, config_setting_get_elem(list, (unsigned)i), &catalogue->rows[i]))
			return false;
	return true;
}

/* Relative names are beside the configuration file. */
static bool catalogue_name_file(struct reader *reader)
{
	const char *name = reader->config->set.catalogue_file;
	const char *slash = strrchr(reader->file, '/');
	int folder = *name != '/' && *name != '\0' && slash != NULL ? (int)(slash + 1 - reader->file) : 0;
	char *file = reader->catalogue->file;
	int length = snprintf(file, PATH_MAX, "%.*s%s", folder, reader->file, name);
	if (length >= PATH_MAX)
		return read_error(reader, NULL, "catalogue.file is too long");
	reader->config->catalogue_file = read_keep(reader, file);
	return reader->config->catalogue_file != NULL ||
	       read_error(reader, NULL, "catalogue.file does not fit into memory");
}

bool catalogue_read(struct reader *reader, bool named)
{
	struct catalogue *catalogue = reader->catalogue = calloc(1, sizeof *catalogue);
	if (catalogue == NULL)
		return read_error(reader, NULL, "the catalogue does not fit into memory");
	if (!catalogue_name_file(reader))
		return false;
	if (catalogue->file[0] == '\0')
		return true;
	config_t file;
	const char *own_file = reader->file;
	reader->file = catalogue->file;
	bool opened = read_open(reader, &file, &catalogue->missing);
	bool fine = opened && catalogue_read_rows(reader, config_root_setting(&file));
	if (opened)
		config_destroy(&file);
	reader->file = own_file;
	if (!catalogue->missing)
		return fine;
	reader->error[0] = '\0';
	return !named || read_error(reader, read_option(reader, "catalogue.file"),
				    "is \"%s\", but %s is missing: a relative name is looked for beside this file",
				    reader->config->set.catalogue_file, catalogue->file);
}

void catalogue_free(struct catalogue **catalogue)
{
	free(*catalogue);
	*catalogue = NULL;
}

/* ---- what the configuration says of its lists */

static bool fits(const char *pattern, const char *name)
{
	size_t length = strlen(pattern);
	bool begins = length > 0 && pattern[length - 1] == '*';
	return begins ? strncmp(pattern, name, length - 1) == 0 : strcmp(pattern, name) == 0;
}

static bool catalogue_unknown_list(struct reader *reader, const config_setting_t *setting, const char *name)
{
	const struct catalogue *catalogue = reader->catalogue;
	if (catalogue->file[0] == '\0')
		return read_error(reader, setting, "is \"%s\", but catalogue.file is empty: there is no catalogue",
				  name);
	if (catalogue->missing)
		return read_error(reader, setting,
				  "is \"%s\", but the catalogue %s is missing; catalogue.file names another", name,
				  catalogue->file);
	return read_error(reader, setting, "is \"%s\", which the catalogue %s does not have", name, catalogue->file);
}

/* No error of it repeats what was given. */
bool catalogue_read_key_text(struct reader *reader, const config_setting_t *setting, void *into)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	struct catalogue_key *key = into;
	const char *text = read_text(reader, setting);
	return text != NULL &&
	       ((*text != '\0' && text[strspn(text, bytes)] == '\0' && text_copy(key->key, sizeof key->key, text)) ||
		read_error(reader, setting, "is not a key: expected 1 to %zu letters and digits", sizeof key->key - 1));
}

bool catalogue_read_key(struct reader *reader, const config_setting_t *setting, void *into)
{
	const struct catalogue_key *key = into;
	const config_setting_t *lists = config_setting_get_member(setting, "lists");
	struct catalogue *catalogue = reader->catalogue;
	int known = 0, for_subscribers = 0;
	for (int i = 0; i < catalogue->count; i++) {
		struct catalogue_row *row = &catalogue->rows[i];
		if (!fits(key->lists, row->list.name))
			continue;
		known++;
		for_subscribers += row->keyed_zone[0] != '\0';
		if (row->keyed_zone[0] == '\0' || row->keyed)
			continue;
		int length =
			snprintf(row->list.asked_zone, sizeof row->list.asked_zone, "%s.%s", key->key, row->keyed_zone);
		if (length > LIST_ZONE_MAX)
			return read_error(reader, lists, "is \"%s\": with its key, the zone of %s has over %d bytes",
					  key->lists, row->list.name, LIST_ZONE_MAX);
		row->keyed = true;
	}
	if (known == 0)
		return catalogue_unknown_list(reader, lists, key->lists);
	return for_subscribers > 0 ||
	       read_error(reader, lists, "is \"%s\", which needs no key: it has no zone for subscribers", key->lists);
}

bool catalogue_read_skip(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct catalogue *catalogue = reader->catalogue;
	const char *pattern = read_text(reader, setting);
	bool found = false;
	(void)into;
	for (int i = 0; pattern != NULL && i < catalogue->count; i++)
		if (fits(pattern, catalogue->rows[i].list.name))
			found = catalogue->rows[i].skipped = true;
	return pattern != NULL && (found || catalogue_unknown_list(reader, setting, pattern));
}

bool catalogue_take(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *name = read_text(reader, setting);
	if (name == NULL || *name == '\0')
		return name != NULL;
	struct catalogue_row *row = catalogue_find_row(reader->catalogue, name);
	if (row == NULL)
		return catalogue_unknown_list(reader, setting, name);
	if (row->list.asked_zone[0] == '\0')
		return read_error(reader, setting,
				  "is \"%s\", a list for subscribers: expected its key in catalogue.keys", name);
	*(struct list *)into = row->list;
	if (row->placed == NULL)
		row->placed = into;
	return true;
}

/* ---- its place in the configuration */

/* The list of `blocklists` that asks a zone of this row. */
static struct list *catalogue_find_zone(struct config *config, const struct catalogue_row *row)
{
	for (int i = 0; i < config->mail_list_count; i++) {
		struct list *own = &config->lists[i];
		if (text_same_nocase(own->zone, row->list.zone) ||
		    text_same_nocase(own->asked_zone, row->list.asked_zone))
			return own;
	}
	return NULL;
}

static bool catalogue_name_taken(const struct config *config, const char *name)
{
	for (int i = 0; i < config->mail_list_count; i++)
		if (text_same_nocase(config->lists[i].name, name))
			return true;
	return false;
}

/* Two rows of `blocklists` that ask one zone weigh once. */
static void catalogue_find_twins(struct config *config)
{
	for (int i = 0; i < config->mail_list_count; i++)
		for (int j = 0; j < i && config->lists[i].whole == NULL; j++)
			if (text_same_nocase(config->lists[i].asked_zone, config->lists[j].asked_zone) &&
			    config->lists[j].whole != &config->lists[i])
				config->lists[i].whole = &config->lists[j];
}

bool catalogue_place(struct reader *reader)
{
	struct config *config = reader->config;
	struct catalogue *catalogue = reader->catalogue;
	for (int i = 0; i < catalogue->count; i++) {
		struct catalogue_row *row = &catalogue->rows[i];
		if (row->placed == NULL)
			row->placed = catalogue_find_zone(config, row);
		if (row->placed != NULL || row->skipped || row->list.asked_zone[0] == '\0' ||
		    catalogue_name_taken(config, row->list.name))
			continue;
		if (config->list_count == LISTS_MAX)
			return read_error(reader, NULL,
					  "blocklists and the catalogue %s have more than %d lists together",
					  catalogue->file, LISTS_MAX);
		row->placed = &config->lists[config->list_count++];
		*row->placed = row->list;
	}
	for (int i = 0; i < catalogue->count; i++) {
		const struct catalogue_row *row = &catalogue->rows[i];
		const struct catalogue_row *whole =
			row->part_of[0] != '\0' ? catalogue_find_row(catalogue, row->part_of) : NULL;
		if (whole != NULL && row->placed != NULL && row->placed != whole->placed)
			row->placed->whole = whole->placed;
	}
	catalogue_find_twins(config);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The fields of one block list, of the configuration file and of the catalogue alike.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

static bool is_named(const char *text)
{
	return text[strspn(text, name_bytes)] == '\0';
}

bool read_list_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct list *list = into;
	const char *name = read_text(reader, setting);
	if (name == NULL)
		return false;
	if (*name == '\0') /* the zone's will do */
		return true;
	if (!is_named(name) || !text_copy(list->name, sizeof list->name, name))
		return read_error(reader, setting, "is \"%s\", expected at most %d letters, digits, '-', '_' or '.'",
				  name, LIST_NAME_MAX);
	return true;
}

bool check_domain(struct reader *reader, const config_setting_t *setting, const char *text, char *to, int most)
{
	if (*text == '.' || !is_named(text) || strstr(text, "..") != NULL || !text_copy(to, (size_t)most + 1, text))
		return read_error(reader, setting, "is \"%s\", expected a domain name of at most %d bytes", text, most);
	return true;
}

bool read_list_zone(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *zone = read_text(reader, setting);
	return zone != NULL && check_domain(reader, setting, zone, ((struct list *)into)->zone, LIST_ZONE_MAX);
}

bool read_list_kind(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct list *list = into;
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	list->kind = list_kind_find(word);
	if (list->kind == LIST_NONE && strcmp(word, list_kind_word(LIST_NONE)) != 0)
		return read_error(reader, setting,
				  "is \"%s\", expected one of:"
#define KIND_WORD(id, its_word) " " its_word
				  LIST_KIND_ROWS(KIND_WORD)
#undef KIND_WORD
					  ,
				  word);
	return true;
}

static bool blocklist_read_code(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct list *list = into;
	const char *text = read_text(reader, setting);
	return text != NULL &&
	       (list_code_parse(text, &list->codes[list->code_count++]) ||
		read_error(reader, setting, "is \"%s\", expected \"127.0.0.2 spam\" or \"127.0.0.4-127.0.0.7 exploit\"",
			   text));
}

bool read_list_codes(struct reader *reader, const config_setting_t *setting, void *into)
{
	((struct list *)into)->code_count = 0; /* given beside a name of the catalogue, they are all there is */
	return read_each(reader, setting, LIST_CODES_MAX, blocklist_read_code, into);
}

static bool blocklist_read_refusal(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct list *list = into;
	const char *text = read_text(reader, setting);
	return text != NULL &&
	       (list_error_parse(text, &list->errors[list->error_count++]) ||
		read_error(reader, setting, "is \"%s\", expected \"127.0.0.1\" or \"127.0.0.254-127.0.0.255\"", text));
}

bool read_list_errors(struct reader *reader, const config_setting_t *setting, void *into)
{
	((struct list *)into)->error_count = 0;
	return read_each(reader, setting, LIST_ERRORS_MAX, blocklist_read_refusal, into);
}

/* Bytes of ASCII from `first` on, but for those of `without`. */
static bool blocklist_is_printable(const char *text, char first, const char *without)
{
	for (; *text != '\0'; text++)
		if (*text < first || *text >= 0x7f || strchr(without, *text) != NULL)
			return false;
	return true;
}

/* It becomes a link on a page of ours: never javascript:. */
static bool blocklist_read_web(struct reader *reader, const config_setting_t *setting, char to[LIST_WEB_MAX + 1])
{
	const char *text = read_text(reader, setting);
	if (text == NULL)
		return false;
	bool web = strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
	if ((*text != '\0' && !web) || !blocklist_is_printable(text, '!', "\"<>") ||
	    !text_copy(to, LIST_WEB_MAX + 1, text))
		return read_error(reader, setting, "is not a web address: expected \"https://...\" of at most %d bytes",
				  LIST_WEB_MAX);
	return true;
}

bool read_list_site(struct reader *reader, const config_setting_t *setting, void *into)
{
	return blocklist_read_web(reader, setting, ((struct list *)into)->site);
}

bool read_list_removal(struct reader *reader, const config_setting_t *setting, void *into)
{
	return blocklist_read_web(reader, setting, ((struct list *)into)->removal);
}

bool read_list_terms(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *text = read_text(reader, setting);
	return text != NULL && ((blocklist_is_printable(text, ' ', "") &&
				 text_copy(((struct list *)into)->terms, LIST_WEB_MAX + 1, text)) ||
				read_error(reader, setting,
					   "is not a line of text: expected at most %d printable bytes", LIST_WEB_MAX));
}

bool check_list(struct reader *reader, const config_setting_t *setting, const struct list *list)
{
	if (list->kind == LIST_NONE && list->code_count == 0)
		return read_error(reader, setting, "has neither kind nor codes: no answer of it would mean anything");
	if (!list->ipv4 && !list->ipv6 && !list->domain)
		return read_error(reader, setting, "has neither ipv4 nor ipv6: it would never be asked");
	return true;
}

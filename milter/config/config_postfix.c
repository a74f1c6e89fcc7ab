/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of the configuration becomes a line of Postfix's, a word of a shell or a regular expression there
 * (milter/ctl/postfix/postfix.c prints them): nothing that could mean more than itself.
 */
#include "milter/config/config_read.h"
#include "milter/base/endpoint.h"
#include "milter/base/idn.h"
#include "milter/base/plain_file.h"
#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool made_of(const char *text, const char *bytes)
{
	return text[strspn(text, bytes)] == '\0';
}

/* ---- transports */

/* RFC 5321 section 4.1.2: sub-domain, without the underscore that some write. */
static bool config_postfix_is_host_name(const char *name)
{
	for (const char *label = name;; label++) {
		size_t length = strspn(label, LETTERS DIGITS "-");
		if (length < 1 || length > 63 || label[0] == '-' || label[length - 1] == '-')
			return false;
		label += length;
		if (*label != '.')
			return *label == '\0';
	}
}

/* RFC 5321 section 4.1.3 */
static bool config_postfix_is_literal(const char *text)
{
	struct netaddr address;
	char inside[NETADDR_TEXT_MAX + 8];
	size_t length = strlen(text);
	if (length < 3 || length - 1 > sizeof inside || text[0] != '[' || text[length - 1] != ']')
		return false;
	memcpy(inside, text + 1, length - 2);
	inside[length - 2] = '\0';
	return netaddr_parse(inside, &address) && (strchr(inside, ':') == NULL || strncmp(inside, "IPv6:", 5) == 0);
}

bool read_helo(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct transport *transport = into;
	const char *helo = read_text(reader, setting);
	if (helo == NULL)
		return false;
	return ((*helo == '\0' || config_postfix_is_host_name(helo) || config_postfix_is_literal(helo)) &&
		text_copy(transport->helo, sizeof transport->helo, helo)) ||
	       read_error(reader, setting,
			  "is \"%s\", expected a host name, or an address as [192.0.2.1] or [IPv6:2001:db8::1]", helo);
}

/* Services of the master.cf that Postfix and Debian bring: `postconf -M` would replace them, and with "smtp" or "relay"
 * the way of all mail that has no pool. */
static bool config_postfix_is_other_service(const char *name)
{
	static const char *const services[] = {
		"anvil",   "bounce",	 "cleanup",	"defer",      "discard",  "dnsblog",
		"error",   "flush",	 "lmtp",	"local",      "maildrop", "pickup",
		"postlog", "postscreen", "proxymap",	"proxywrite", "qmgr",	  "retry",
		"relay",   "rewrite",	 "scache",	"showq",      "smtp",	  "smtpd",
		"smtps",   "submission", "submissions", "tlsmgr",     "tlsproxy", "trace",
		"uucp",	   "verify",	 "virtual",	"ifmail",     "bsmtp",	  "scalemail-backend",
		"mailman", "cyrus",	 "old-cyrus",	"dovecot",
	};
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
		if (text_same_nocase(name, services[i]))
			return true;
	return false;
}

bool read_transport_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	char *name = ((struct transport *)into)->name;
	if (!read_name(reader, setting, name, TRANSPORT_NAME_MAX + 1))
		return false;
	if (config_postfix_is_other_service(name))
		return read_error(reader, setting,
				  "is \"%s\", a service of Postfix's own master.cf, which it would replace; expected "
				  "another name, as \"clean-1\"",
				  name);
	return strchr("-.", name[0]) == NULL || /* an option of postconf(1); a folder */
	       read_error(reader, setting, "is \"%s\", expected a name that begins with a letter, a digit or '_'",
			  name);
}

/* ---- which recipients leave */

static bool read_mailer(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct mailer_list *list = into;
	const char *mailer = read_text(reader, setting);
	return mailer != NULL && (list->words[list->count++] = read_keep(reader, mailer)) != NULL;
}

bool read_remote_mailers(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, MAILERS_MAX, read_mailer, &((struct config *)into)->remote_mailers);
}

bool read_local_mailers(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, MAILERS_MAX, read_mailer, &((struct config *)into)->local_mailers);
}

/* In A-labels and lower case, kept; NULL with the error. */
static const char *config_postfix_keep_domain(struct reader *reader, const config_setting_t *setting, const char *text)
{
	char lower[256], ascii[IDN_DOMAIN_MAX + 1];
	size_t length = 0;
	const char *domain = idn_domain(text, ascii) ? ascii : text;
	if (!config_postfix_is_host_name(domain) || strlen(domain) >= sizeof lower) {
		read_error(reader, setting, "is \"%s\", expected a domain name", text);
		return NULL;
	}
	for (; domain[length] != '\0'; length++)
		lower[length] = text_lower(domain[length]);
	lower[length] = '\0';
	const char *kept = read_keep(reader, lower);
	if (kept == NULL)
		read_error(reader, setting, "does not fit into memory");
	return kept;
}

static bool keep_read_domain(struct reader *reader, const config_setting_t *setting, const char **to)
{
	const char *text = read_text(reader, setting);
	return text != NULL && (*to = config_postfix_keep_domain(reader, setting, text)) != NULL;
}

static bool read_tagged_domain(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	return keep_read_domain(reader, setting, &config->tagged_domains[config->tagged_domain_count++]);
}

bool read_tagged_domains(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, TAGGED_DOMAINS_MAX, read_tagged_domain, into);
}

static bool read_domain(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct domain_list *list = into;
	return keep_read_domain(reader, setting, &list->names[list->count++]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool config_postfix_read_domains(struct reader *reader, const config_setting_t *setting,
					struct domain_list *list)
{
	if (!read_each(reader, setting, DOMAINS_MAX, read_domain, list))
		return false;
	qsort(list->names, (size_t)list->count, sizeof list->names[0], by_name);
	return true;
}

bool read_alias_domains(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_postfix_read_domains(reader, setting, &((struct config *)into)->alias_domains);
}

bool read_local_domains(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_postfix_read_domains(reader, setting, &((struct config *)into)->local_domains);
}

/* ---- what sendmail(1) puts behind a user's name */

enum { FIRST_LINE_MAX = 300 };

/* As Postfix reads it. False: it has none, or cannot be opened. */
static bool config_postfix_read_first_word(const char *file, char word[FIRST_LINE_MAX])
{
	const char *why;
	FILE *from = plain_file_read(file, &why);
	bool fine = from != NULL && fgets(word, FIRST_LINE_MAX, from) != NULL;
	if (from != NULL)
		fclose(from);
	size_t blanks = fine ? strspn(word, " \t\r\n") : 0;
	if (fine)
		memmove(word, word + blanks, strlen(word + blanks) + 1);
	word[fine ? strcspn(word, " \t\r\n") : 0] = '\0';
	return word[0] != '\0';
}

static bool config_postfix_find_origin(struct reader *reader)
{
	static const char option[] = "postfix.myorigin", usual[] = "/etc/mailname";
	struct config *config = reader->config;
	const config_setting_t *setting = read_option(reader, option);
	const char *text = config->set.postfix_myorigin;
	char word[FIRST_LINE_MAX];
	bool is_file = *text == '/', has_one = !is_file || config_postfix_read_first_word(text, word);
	config->origin = "";
	if (!has_one && setting != NULL && strcmp(text, usual) != 0)
		return read_error(reader, setting, "is \"%s\", expected a domain name, or a file that begins with one",
				  text);
	/* the usual file may be missing, and be of any content */
	if (*text != '\0' && has_one && (strcmp(text, usual) != 0 || config_postfix_is_host_name(word)))
		config->origin = config_postfix_keep_domain(reader, setting, is_file ? word : text);
	return config->origin != NULL;
}

/* ---- between settings */

/* A list of Postfix's ends a word at a blank or comma, and takes $name and { } for something else. */
static bool config_postfix_check_socket(struct reader *reader, const char *path, const char *value)
{
	return strncmp(value, "unix:", 5) != 0 || made_of(value + 5, LETTERS DIGITS "/._-+=@") ||
	       read_error(reader, read_option(reader, path),
			  "is \"%s\", expected a path of letters, digits and . _ - + = @ alone: it stands in Postfix's "
			  "configuration",
			  value);
}

/* The name is a regular expression there; X-Penstock-Spam is a header with a meaning of its own. */
static bool config_postfix_check_header(struct reader *reader)
{
	static const char start[] = "X-Penstock-";
	const char *header = reader->config->set.postfix_header;
	return (strncmp(header, start, strlen(start)) == 0 && made_of(header, LETTERS DIGITS "-") &&
		!text_same_nocase(header, "X-Penstock-Spam")) ||
	       read_error(reader, read_option(reader, "postfix.header"),
			  "is \"%s\", expected a name that begins with %s, of letters, digits and dashes, other than "
			  "X-Penstock-Spam",
			  header, start);
}

bool config_postfix_agree(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	return config_postfix_find_origin(reader) && config_postfix_check_header(reader) &&
	       config_postfix_check_socket(reader, "milter.socket", set->milter_socket) &&
	       config_postfix_check_socket(reader, "socketmap.listen", set->socketmap_listen);
}

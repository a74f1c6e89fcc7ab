/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Does mail to a recipient leave this host? What the configuration says of mailers and of domains.
 */
#include "milter/config/config.h"

#include "milter/base/idn.h"
#include "policy/address.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static bool config_rcpt_has_word(const char *const *words, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (text_same_nocase(words[i], word))
			return true;
	return false;
}

static bool config_rcpt_mailer_is_remote(const struct config *config, const char *mailer)
{
	if (config_rcpt_has_word(config->remote_mailers.words, (size_t)config->remote_mailers.count, mailer))
		return true;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++)
			if (strcmp(config->pools[i].transports[j].name, mailer) == 0)
				return true;
	return false;
}

/* Postfix's "retry" is what it does not know today; the others lead away by something that is not SMTP, so that mail to
 * them must not be marked for a transport of ours. */
static bool config_rcpt_mailer_is_elsewhere(const char *mailer)
{
	static const char *const words[] = {
		"retry", "uucp", "uucp-old", "uucp-new", "uucp-dom", "uucp-uudom", "suucp", "bsmtp", "ifmail",
	};
	return config_rcpt_has_word(words, sizeof words / sizeof words[0], mailer);
}

static int by_domain(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool domain_list_has(const struct domain_list *list, const char *domain)
{
	char lower[ADDRESS_MAX + 1];
	const char *key = lower;
	size_t length = 0;
	for (; domain[length] != '\0' && length < ADDRESS_MAX; length++)
		lower[length] = text_lower(domain[length]);
	lower[length] = '\0';
	return list->count > 0 && bsearch(&key, list->names, (size_t)list->count, sizeof key, by_domain) != NULL;
}

/* Postfix names "error" for each address of a virtual_alias_domain, which is never a mailbox. An alias that its local
 * mailer takes looks like any mailbox. Where Postfix says nothing, it has not looked yet whether the local part leads
 * on: user%host@here is user@host to it. */
enum rcpt_way config_rcpt_way(const struct config *config, const char *mailer, const char *rcpt)
{
	char normal[ADDRESS_MAX + 1], routed[ADDRESS_MAX + 1];
	idn_address(rcpt, normal);
	const char *domain = address_domain(normal);
	if (mailer != NULL && text_same_nocase(mailer, "error"))
		return RCPT_WAY_ALIAS;
	if (mailer != NULL && config_rcpt_mailer_is_remote(config, mailer))
		return RCPT_WAY_REMOTE;
	if (domain_list_has(&config->alias_domains, domain))
		return RCPT_WAY_ALIAS;
	if (mailer == NULL)
		return domain_list_has(&config->local_domains, domain) && !address_routed(normal, routed)
			       ? RCPT_WAY_LOCAL
			       : RCPT_WAY_UNKNOWN;
	if (config_rcpt_mailer_is_elsewhere(mailer))
		return RCPT_WAY_UNKNOWN;
	return config_rcpt_has_word(config->local_mailers.words, (size_t)config->local_mailers.count, mailer)
		       ? RCPT_WAY_LOCAL
		       : RCPT_WAY_STRANGE;
}

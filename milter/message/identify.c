/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/identify.h"

#include "milter/base/idn.h"
#include "milter/daemon/logins.h"
#include "policy/address.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

static bool proven(const char *raw, bool cut_tag, char *name)
{
	char buffer[ADDRESS_MAX + 1];
	return raw != NULL && account_proven(idn_name(raw, buffer), cut_tag, name);
}

static bool from_auth(const struct config *config, const struct identity *identity, char *name)
{
	return proven(identity->auth_authen, config->set.accounts_cut_tag, name);
}

static bool from_certificate(const struct config *config, const struct identity *identity, char *name)
{
	(void)config;
	return proven(identity->cert_subject, false, name);
}

static bool from_network(const struct config *config, const struct identity *identity, char *name)
{
	(void)config;
	return proven(identity->network, false, name);
}

/* What Postfix's myorigin is: as told, or the host's own name, or the domain that it is in. */
static bool is_own_domain(const char *domain, const struct identity *identity)
{
	return *domain == '\0' || identity->host == NULL || domain_within(identity->host, domain) ||
	       (identity->origin != NULL && text_same_nocase(identity->origin, domain));
}

/* sendmail(1) fills in the login name of who calls it. With -f a user can name another, but where Postfix's
 * local_login_sender_maps forbids it: penstock.conf(5) says so under accounts.sources. */
static bool identify_from_uid(const struct config *config, const struct identity *identity, char *name)
{
	char login[LOGIN_MAX + 1], raw[24];
	unsigned uid;
	(void)config;
	size_t length = strcspn(identity->from, "@");
	if (!identity->injected || length == 0 || length > LOGIN_MAX ||
	    !is_own_domain(address_domain(identity->from), identity))
		return false;
	memcpy(login, identity->from, length);
	login[length] = '\0';
	if (!logins_find(identity->logins, login, &uid))
		return false;
	snprintf(raw, sizeof raw, "uid:%u", uid);
	return account_name(raw, false, name);
}

bool identify_own_network(const struct config *config, const struct netaddr *client)
{
	for (int i = 0; i < config->own_network_count; i++)
		if (netblock_has(&config->own_networks[i], client))
			return true;
	return false;
}

void identify_sender(const struct config *config, const char *from, char sender[ADDRESS_MAX + 1])
{
	const char *domain = address_domain(from);
	for (int i = 0; i < config->tagged_domain_count; i++)
		if (domain_within(domain, config->tagged_domains[i])) {
			text_copy(sender, ADDRESS_MAX + 1, config->tagged_domains[i]);
			return;
		}
	address_untagged(from, sender);
	if (sender[0] == '@' && from[0] != '@')
		text_copy(sender, ADDRESS_MAX + 1, domain);
}

/* On the Internet anybody says that he is anybody. */
static bool identify_from_sender(const struct config *config, const struct identity *identity, char *name)
{
	if (!identity->injected && !identify_own_network(config, &identity->client))
		return false;
	char sender[ADDRESS_MAX + 1];
	identify_sender(config, identity->from, sender);
	return account_claimed(sender, config->set.accounts_cut_tag, name);
}

static bool from_client(const struct config *config, const struct identity *identity, char *name)
{
	(void)config;
	account_client(&identity->client, name);
	return true;
}

static const struct {
	bool (*name)(const struct config *config, const struct identity *identity, char *name);
	enum client_kind client; /* STRANGER: unless it is in own networks, or on this host */
} sources[SOURCE_COUNT] = {
	[SOURCE_AUTH] = { from_auth, CLIENT_AUTHENTICATED },
	[SOURCE_CERTIFICATE] = { from_certificate, CLIENT_AUTHENTICATED },
	[SOURCE_NETWORK] = { from_network, CLIENT_OWN_NETWORK },
	[SOURCE_UID] = { identify_from_uid, CLIENT_AUTHENTICATED },
	[SOURCE_SENDER] = { identify_from_sender, CLIENT_STRANGER },
	[SOURCE_CLIENT] = { from_client, CLIENT_STRANGER },
};

static bool is_login(enum source source)
{
	return source == SOURCE_AUTH || source == SOURCE_CERTIFICATE;
}

/* A login is one for its own name alone: who else logs in from a forwarder's address sends his own mail. */
static bool identify_forwards(const struct config *config, const struct identity *identity, const char *account,
			      bool login)
{
	for (int i = 0; i < config->forwarder_count; i++) {
		const struct forwarder *forwarder = &config->forwarders[i];
		if (forwarder->account != NULL
			    ? strcmp(forwarder->account, account) == 0
			    : !login && !identity->injected && netblock_has(&forwarder->network, &identity->client))
			return true;
	}
	return false;
}

static enum mail_class identify_class_of(const struct identity *identity, const struct facts *facts)
{
	if (is_login(facts->source) && !facts->forwarder)
		return MAIL_CLASS_ACCOUNT;
	if (identity->from[0] == '\0')
		return MAIL_CLASS_BOUNCE;
	return address_forwarded(identity->from) ? MAIL_CLASS_FORWARD : MAIL_CLASS_ACCOUNT;
}

static bool identify_is_local_part(const char *from, const char *account)
{
	char name[ACCOUNT_MAX + 1];
	account_name(from, true, name);
	name[strcspn(name, "@")] = '\0';
	return strcmp(name, account) == 0;
}

bool identify_sender_own(const struct facts *facts, const char *from)
{
	char untagged[ADDRESS_MAX + 1];
	if (from[0] == '\0' || !is_login(facts->source))
		return true;
	const char *own = address_domain(facts->account);
	if (*own != '\0')
		return domain_within(address_domain(from), own);
	address_untagged(from, untagged); /* what looks like a tag may be the name */
	return identify_is_local_part(from, facts->account) || identify_is_local_part(untagged, facts->account);
}

bool identify_domain(const struct facts *facts, const struct identity *identity, char domain[ACCOUNT_MAX + 1])
{
	const char *own = address_domain(facts->account), *sender = address_domain(identity->from);
	domain[0] = '\0';
	if (facts->source == SOURCE_SENDER || facts->source == SOURCE_CLIENT)
		return false;
	if (*own != '\0')
		return text_copy(domain, ACCOUNT_MAX + 1, own);
	/* a login without a domain is one of the host's own */
	bool is_his =
		facts->source == SOURCE_UID || (is_login(facts->source) && identify_sender_own(facts, identity->from));
	return is_his && identity->host != NULL && is_own_domain(sender, identity) &&
	       account_name(sender, false, domain);
}

static bool identify_is_source(const struct config *config, enum source source)
{
	for (int i = 0; i < config->source_count; i++)
		if (config->sources[i] == source)
			return true;
	return false;
}

static bool identify_try_source(const struct config *config, const struct identity *identity, enum source source,
				struct facts *facts)
{
	if (!sources[source].name(config, identity, facts->account))
		return false;
	facts->source = source;
	facts->client = sources[source].client;
	/* mail from this host itself has no stranger for a client, whatever its sender says */
	if (facts->client == CLIENT_STRANGER && identity->injected)
		facts->client = CLIENT_AUTHENTICATED;
	if (facts->client == CLIENT_STRANGER && identify_own_network(config, &identity->client))
		facts->client = CLIENT_OWN_NETWORK;
	facts->authenticated = facts->client != CLIENT_STRANGER;
	facts->forwarder = identify_forwards(config, identity, facts->account, is_login(source));
	facts->class = identify_class_of(identity, facts);
	return true;
}

bool identify(const struct config *config, const struct identity *identity, struct facts *facts)
{
	for (int i = 0; i < config->source_count; i++) {
		if (config->sources[i] == SOURCE_NETWORK && !identity->network_asked)
			return false;
		if (identify_try_source(config, identity, config->sources[i], facts))
			return true;
	}
	return identify_try_source(config, identity, SOURCE_CLIENT, facts);
}

bool identify_author(const struct config *config, const struct identity *author, struct facts *facts)
{
	bool may_claim = facts->source == SOURCE_CLIENT && facts->class == MAIL_CLASS_BOUNCE &&
			 identify_is_source(config, SOURCE_SENDER);
	if (author->from[0] == '\0' || !may_claim || !identify_try_source(config, author, SOURCE_SENDER, facts))
		return false;
	facts->class = MAIL_CLASS_BOUNCE;
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plain arrays of the configuration file: names, addresses and networks.
 */
#include "milter/config/config_read.h"

#include "milter/base/idn.h"
#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <string.h>

#include "policy/base/banned.h"

static bool config_arrays_read_source(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	enum source source = source_find(word);
	if (source == SOURCE_NONE || source == SOURCE_CLIENT)
		return read_error(reader, setting, "is \"%s\", expected auth, certificate, network, uid or sender",
				  word);
	config->sources[config->source_count++] = source;
	return true;
}

bool read_sources(struct reader *reader, const config_setting_t *setting, void *into)
{
	if (!read_each(reader, setting, SOURCE_COUNT - 1, config_arrays_read_source, into))
		return false;
	return ((struct config *)into)->source_count > 0 ||
	       read_error(reader, setting,
			  "is empty, expected at least one of auth, certificate, network, uid and sender");
}

static bool read_server(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	const char *server = read_text(reader, setting);
	return server != NULL && (config->dns_servers[config->dns_server_count++] = read_keep(reader, server)) != NULL;
}

bool read_servers(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, SERVERS_MAX, read_server, into);
}

static bool config_arrays_read_network(struct reader *reader, const config_setting_t *setting, struct netblock *block)
{
	const char *text = read_text(reader, setting);
	return text != NULL &&
	       (netblock_parse(text, block) ||
		read_error(reader, setting, "is \"%s\", expected an address, or a network as \"192.0.2.0/24\"", text));
}

/* Whose clients are believed more than others': never so much of the Internet. */
static bool config_arrays_read_believed(struct reader *reader, const config_setting_t *setting, struct netblock *block)
{
	enum { V4_LEAST = 8, V6_LEAST = 16 };
	if (!config_arrays_read_network(reader, setting, block))
		return false;
	int least = block->address.family == NETADDR_V4 ? V4_LEAST : V6_LEAST;
	return block->bits >= least || read_error(reader, setting, "is \"%s\", expected a network no larger than a /%d",
						  config_setting_get_string(setting), least);
}

static bool read_own_network(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	return config_arrays_read_believed(reader, setting, &config->own_networks[config->own_network_count++]);
}

bool read_own_networks(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, NETWORKS_MAX, read_own_network, into);
}

/* A network, or an account; what is written with the letters of a network and is none is a slip. */
static bool config_arrays_read_forwarder(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct forwarder *forwarder = &config->forwarders[config->forwarder_count++];
	const char *text = read_text(reader, setting);
	char name[ACCOUNT_MAX + 1], ascii[ADDRESS_MAX + 1];
	if (text == NULL)
		return false;
	if (netblock_parse(text, &forwarder->network))
		return config_arrays_read_believed(reader, setting, &forwarder->network);
	bool address = strpbrk(text, ".:/") != NULL && text[strspn(text, "0123456789abcdefABCDEF.:/")] == '\0';
	if (address || idn_typed(text, false, name) != NULL || strcmp(name, idn_name(text, ascii)) != 0 ||
	    account_is_group(text))
		return read_error(reader, setting,
				  "is \"%s\", expected a network such as \"192.0.2.0/24\", or an account as the log "
				  "shows it, such as \"lists@example.com\"",
				  text);
	forwarder->account = read_keep(reader, name);
	return forwarder->account != NULL;
}

bool read_forwarders(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, NETWORKS_MAX, config_arrays_read_forwarder, into);
}

static bool read_proxy(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	return config_arrays_read_network(reader, setting, &config->proxies[config->proxy_count++]);
}

bool read_proxies(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, NETWORKS_MAX, read_proxy, into);
}

/* Without a port: a Host is compared without its own. */
static bool config_arrays_read_host(struct reader *reader, const config_setting_t *setting, void *into)
{
	static const char letters[] = "-._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct config *config = into;
	const char *host = read_text(reader, setting);
	if (host == NULL)
		return false;
	size_t length = strlen(host);
	if (length == 0 || length > HOST_NAME_MOST || strspn(host, letters) != length || host[length - 1] == '.')
		return read_error(reader, setting,
				  "is \"%s\", expected a host name as \"lists.example.com\", without a port", host);
	return (config->hosts[config->host_count++] = read_keep(reader, host)) != NULL;
}

bool read_hosts(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, HOSTS_MAX, config_arrays_read_host, into);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pools of the configuration file, and their transports.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"
#include "policy/date.h"
#include "policy/netaddr.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

static bool config_pools_read_level(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	enum level level = level_find(word);
	enum mail_class class = mail_class_find(word);
	if (level == LEVEL_UNKNOWN && class == MAIL_CLASS_ACCOUNT)
		return read_error(reader, setting, "is \"%s\", expected good, new, suspect, blocked, bounce or forward",
				  word);
	if (class != MAIL_CLASS_ACCOUNT)
		((struct pool *)into)->classes[class] = true;
	else
		((struct pool *)into)->levels[level] = true;
	return true;
}

static bool read_levels(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, (int)LEVEL_COUNT + (int)MAIL_CLASS_COUNT, config_pools_read_level, into);
}

static bool config_pools_read_any_address(struct reader *reader, const config_setting_t *setting, char *to, int family,
					  const char *expected)
{
	struct netaddr address;
	const char *text = read_text(reader, setting);
	if (text == NULL)
		return false;
	to[0] = '\0';
	if (*text != '\0' &&
	    (!netaddr_parse(text, &address) || (family != NETADDR_UNKNOWN && (int)address.family != family)))
		return read_error(reader, setting, "is \"%s\", expected %s", text, expected);
	if (*text != '\0')
		netaddr_text(&address, to); /* in one form: netaddr_parse knows some that Postfix does not */
	return true;
}

static bool read_address(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_pools_read_any_address(reader, setting, ((struct transport *)into)->address, NETADDR_V4,
					     "an IPv4 address of this host; one of IPv6 is address6, and goes with one "
					     "of IPv4: mail to hosts that have IPv4 alone would bounce");
}

static bool read_address6(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_pools_read_any_address(reader, setting, ((struct transport *)into)->address6, NETADDR_V6,
					     "an IPv6 address of this host");
}

static bool read_public_address(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_pools_read_any_address(reader, setting, ((struct transport *)into)->public_address,
					     NETADDR_UNKNOWN, "an IPv4 or IPv6 address");
}

static bool read_public_address6(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_pools_read_any_address(reader, setting, ((struct transport *)into)->public_address6, NETADDR_V6,
					     "an IPv6 address");
}

static bool read_pool_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_name(reader, setting, ((struct pool *)into)->name, TRANSPORT_NAME_MAX + 1);
}

static bool config_pools_read_warmup(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	int64_t *since = &((struct transport *)into)->warmup_since_s;
	if (word == NULL)
		return false;
	bool day = strlen(word) == 10 && strchr(word, '-') != NULL && date_read(word, since);
	return *word == '\0' || day || read_error(reader, setting, "is \"%s\", expected a day as \"2026-01-31\"", word);
}

/* clang-format off */
const struct field transport_fields[9] = {
	{ "name", FIELD_OWN, 0, 0, 0, read_transport_name, NULL, "Service in Postfix's master.cf." },
	{ "address", FIELD_OWN, 0, 0, 0, read_address, "\"\"", "Source address, of IPv4; empty: the system's choice." },
	{ "address6", FIELD_OWN, 0, 0, 0, read_address6, "\"\"",
	  "Source address of IPv6 beside it; empty: where there is an address, mail leaves by IPv4 alone." },
	{ "public_address", FIELD_OWN, 0, 0, 0, read_public_address, "\"\"",
	  "The address that others see, where an address translator (NAT) stands between; empty: the same." },
	{ "public_address6", FIELD_OWN, 0, 0, 0, read_public_address6, "\"\"", "The same of address6." },
	{ "helo", FIELD_OWN, 0, 0, 0, read_helo, "\"\"",
	  "HELO name, the address's PTR; empty: Postfix's own." },
	{ "weight", FIELD_FLOAT, offsetof(struct transport, weight), 0.001, 1000, NULL, "1.0",
	  "Share of the pool's accounts." },
	{ "warmup_since", FIELD_OWN, 0, 0, 0, config_pools_read_warmup, "\"\"",
	  "Day (UTC, YYYY-MM-DD) on which the address began to send: it warms up, and what is too much for it leaves "
	  "by others of its pool; empty: it is warm." },
	{ "warmup_first_day", FIELD_INT, offsetof(struct transport, warmup_first_day), 0, LIMIT_MAX, NULL, "0",
	  "Messages on that day; 1.4 times as many on each day after it." },
};
/* clang-format on */

static bool config_pools_read_transport(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct pool *pool = into;
	struct transport *transport = &pool->transports[pool->transport_count++];
	if (!read_group(reader, setting, transport_fields, sizeof transport_fields / sizeof transport_fields[0],
			transport))
		return false;
	if (transport->address6[0] != '\0' && transport->address[0] == '\0')
		return read_error(reader, setting,
				  "has address6 and no address: mail to hosts that have IPv4 alone would leave by "
				  "whatever address the system chooses; expected both");
	if (transport->public_address6[0] != '\0' && transport->address6[0] == '\0')
		return read_error(reader, setting, "has public_address6 and no address6: expected both");
	return (transport->warmup_since_s > 0) == (transport->warmup_first_day > 0) ||
	       read_error(reader, setting, "has one of warmup_since and warmup_first_day: expected both or neither");
}

static bool config_pools_read_transports(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct pool *pool = into;
	pool->transports = calloc(TRANSPORTS_MAX, sizeof pool->transports[0]);
	if (pool->transports == NULL)
		return read_error(reader, setting, "does not fit into memory");
	return read_each(reader, setting, TRANSPORTS_MAX, config_pools_read_transport, into);
}

/* clang-format off */
const struct field pool_fields[3] = {
	{ "name", FIELD_OWN, 0, 0, 0, read_pool_name, NULL, "The pool's name, for people." },
	{ "levels", FIELD_OWN, 0, 0, 0, read_levels, NULL,
	  "Whose mail leaves by it: good, new, suspect, blocked; and of the classes bounce, forward." },
	{ "transports", FIELD_OWN, 0, 0, 0, config_pools_read_transports, NULL,
	  "Its transports; an account sticks to one." },
};
/* clang-format on */

static bool read_pool(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	return read_group(reader, setting, pool_fields, sizeof pool_fields / sizeof pool_fields[0],
			  &config->pools[config->pool_count++]);
}

bool read_pools(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, POOLS_MAX, read_pool, into);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The lists of the configuration file, and those of its rows that have no file of their own: block lists, plans,
 * scanners.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* ---- block lists */

static bool config_lists_read_action(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
#define ACTION_MATCH(id, its_word) \
	if (strcmp(word, its_word) == 0) { \
		((struct list *)into)->action = LIST_ACTION_##id; \
		return true; \
	}
	LIST_ACTION_ROWS(ACTION_MATCH)
#undef ACTION_MATCH
	return read_error(reader, setting, "is \"%s\", expected signal or refuse", word);
}

/* `list` comes first: what else is given changes what it took from the catalogue. */
/* clang-format off */
static const struct field list_fields[] = {
	{ "list", FIELD_OWN, 0, 0, 0, catalogue_take, "\"\"",
	  "Name of a list of the catalogue: what is not given here is as there." },
	{ "zone", FIELD_OWN, 0, 0, 0, read_list_zone, "\"\"", "DNS zone of a list that the catalogue does not have." },
	{ "name", FIELD_OWN, 0, 0, 0, read_list_name, "\"\"",
	  "For the log and the metrics; empty: that of the catalogue, or the zone." },
	{ "kind", FIELD_OWN, 0, 0, 0, read_list_kind, "\"none\"",
	  "What an answer means that no code names: exploit, policy, spam, auth, reputation, allow; none: nothing." },
	{ "codes", FIELD_OWN, 0, 0, 0, read_list_codes, "[]", "Meaning of return codes, RFC 5782 section 2.1." },
	{ "errors", FIELD_OWN, 0, 0, 0, read_list_errors, "[]",
	  "Codes by which the list refuses to tell, never a listing; 127.255.255.0/24 are for every list." },
	{ "weight", FIELD_FLOAT, offsetof(struct list, weight), 0, 100, NULL, "1.0",
	  "What a listing of that kind adds to the account's counter of exploits, and to an address's weight." },
	{ "action", FIELD_OWN, 0, 0, 0, config_lists_read_action, "\"signal\"",
	  "For clients without login: signal, or refuse (5xx naming the list)." },
	{ "test", FIELD_BOOL, offsetof(struct list, test), 0, 0, NULL, "true",
	  "It is used only while it lists 127.0.0.2 and not 127.0.0.1, RFC 5782 section 5; false for a list of your "
	  "own without these entries." },
	{ "ipv4", FIELD_BOOL, offsetof(struct list, ipv4), 0, 0, NULL, "true", "Ask it about IPv4 addresses." },
	{ "ipv6", FIELD_BOOL, offsetof(struct list, ipv6), 0, 0, NULL, "true", "Ask it about IPv6 addresses." },
	{ "private", FIELD_BOOL, offsetof(struct list, private), 0, 0, NULL, "false",
	  "Ask it about addresses that nobody on the Internet has, too: private, loopback, for documentation. For a "
	  "list of your own; others never hear of them." },
	{ "budget", FIELD_INT, offsetof(struct list, budget), 0, 1e15, NULL, "0",
	  "Questions a day (UTC) that it may be asked; 0: no end." },
	{ "site", FIELD_OWN, 0, 0, 0, read_list_site, "\"\"", "The list's own page." },
	{ "removal", FIELD_OWN, 0, 0, 0, read_list_removal, "\"\"",
	  "Where a listing is looked up, or its removal asked for." },
	{ "terms", FIELD_OWN, 0, 0, 0, read_list_terms, "\"\"", "Terms of use, for people." },
};
/* clang-format on */

static bool config_lists_read(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct list *list = &config->lists[config->list_count++];
	const size_t count = sizeof list_fields / sizeof list_fields[0];
	bool taken = config_setting_get_member(setting, "list") != NULL;
	if (taken && config_setting_get_member(setting, "zone") != NULL)
		return read_error(reader, setting, "has both list and zone: expected one of them");
	if (!(taken ? read_given : read_group)(reader, setting, list_fields, count, list))
		return false;
	if (list->zone[0] == '\0')
		return read_error(reader, setting,
				  "has neither list nor zone: expected a name of the catalogue or a zone");
	list->mail = true;
	config->mail_list_count = config->list_count;
	if (!taken)
		text_copy(list->asked_zone, sizeof list->asked_zone, list->zone);
	if (list->name[0] == '\0')
		text_copy(list->name, sizeof list->name, list->zone);
	for (int i = 0; i < config->list_count - 1; i++)
		if (text_same_nocase(config->lists[i].name, list->name))
			return read_error(reader, setting, "is a second list \"%s\": expected another name",
					  list->name);
	if (list->domain || list->kind == LIST_DOMAIN)
		return read_error(reader, setting,
				  "is \"%s\", a list of domains: a client's address is not on it, only checks ask it",
				  list->name);
	return check_list(reader, setting, list);
}

static bool read_lists(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, LISTS_MAX, config_lists_read, into);
}

static const struct field key_fields[] = {
	{ "lists", FIELD_TEXT, offsetof(struct catalogue_key, lists), 1, LIST_NAME_MAX + 1, NULL, NULL,
	  "A list's name; with * at its end, all whose names begin so." },
	{ "key", FIELD_OWN, 0, 0, 0, catalogue_read_key_text, NULL,
	  "The subscriber's key, letters and digits. It is never shown; keep the file unreadable for others." },
};

static bool config_lists_read_key(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct catalogue_key key;
	(void)into;
	return read_group(reader, setting, key_fields, sizeof key_fields / sizeof key_fields[0], &key) &&
	       catalogue_read_key(reader, setting, &key);
}

static bool read_keys(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, LISTS_MAX, config_lists_read_key, into);
}

static bool read_skips(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, LISTS_MAX, catalogue_read_skip, into);
}

/* ---- plans */

static bool config_lists_read_over(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *expected, *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	return *word == '\0' || limits_set(&((struct plan *)into)->limits, "over", word, &expected) ||
	       read_error(reader, setting, "is \"%s\", expected %s", word, expected);
}

static bool config_lists_read_growth(struct reader *reader, const config_setting_t *setting, void *into)
{
	static const struct field number = { "ramp_growth", FIELD_FLOAT, 0, 0, RAMP_GROWTH_MAX, NULL, NULL, NULL };
	double *growth = &((struct plan *)into)->limits.ramp_growth;
	if (!read_value(reader, setting, &number, growth))
		return false;
	return *growth <= 0 || *growth >= 1 || read_error(reader, setting, "is %g, expected 0, or 1 to 10", *growth);
}

/* clang-format off */
#define PLAN_LIMIT(word, member, help)                                                             \
	{ word, FIELD_INT, offsetof(struct plan, limits.member), LIMIT_UNSET, LIMIT_MAX, NULL, "-1", help }

static const struct field plan_fields[] = {
	{ "name", FIELD_TEXT, offsetof(struct plan, name), 1, PLAN_NAME_MAX, NULL, NULL, "The plan's name." },
#define PLAN_WINDOW(id, word, counted, seconds, one, many)                                         \
	PLAN_LIMIT(word, window[WINDOW_##id], "At most this many " many "."),
	WINDOW_ROWS(PLAN_WINDOW)
#undef PLAN_WINDOW
	PLAN_LIMIT("ramp_first_day", ramp_first_day, "Recipients that a new account may have on its first day."),
	{ "ramp_growth", FIELD_OWN, 0, 0, 0, config_lists_read_growth, "0.0",
	  "Factor by which that grows with each day on which it behaves, 1 to 10. 0: as in plan default; in plan "
	  "default itself, 1.4." },
	PLAN_LIMIT("rcpts_per_message", rcpts_per_message, "At most this many recipients of one message."),
	{ "over", FIELD_OWN, 0, 0, 0, config_lists_read_over, "\"\"",
	  "What happens to a message over a limit: defer, reject, hold, slow, or log (shadow mode: it is only "
	  "logged). Empty: as in plan default; in plan default itself, defer." },
};
/* clang-format on */

static bool config_lists_read_plan(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct plan *plan = &config->plans[config->plan_count++];
	plan->limits = limits_unset;
	return read_group(reader, setting, plan_fields, sizeof plan_fields / sizeof plan_fields[0], plan);
}

static bool read_plans(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, PLANS_MAX - 1, config_lists_read_plan, into);
}

/* ---- scanners */

static bool config_lists_read_scanner_kind(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	return scanner_kind_find(word, &((struct scanner *)into)->kind) ||
	       read_error(reader, setting, "is \"%s\", expected spamd", word);
}

static bool config_lists_read_on_failure(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	((struct scanner *)into)->must_answer = strcmp(word, "defer") == 0;
	return strcmp(word, "defer") == 0 || strcmp(word, "unknown") == 0 ||
	       read_error(reader, setting, "is \"%s\", expected unknown or defer", word);
}

/* clang-format off */
static const struct field scanner_fields[] = {
	{ "name", FIELD_TEXT, offsetof(struct scanner, name), 1, SCANNER_NAME_MAX, NULL, NULL, "For the log." },
	{ "kind", FIELD_OWN, 0, 0, 0, config_lists_read_scanner_kind, "\"spamd\"", "spamd: SpamAssassin's daemon." },
	{ "address", FIELD_TEXT, offsetof(struct scanner, address), 3, 255, NULL, NULL,
	  "unix:/path or address:port." },
	{ "max_size", FIELD_INT, offsetof(struct scanner, max_size), 1024, 64 << 20, NULL, "262144",
	  "Bytes; of a longer message only this much is scanned." },
	{ "timeout_ms", FIELD_INT, offsetof(struct scanner, timeout_ms), 10, 300000, NULL, "5000",
	  "Without an answer after this long the content is unknown." },
	{ "on_failure", FIELD_OWN, 0, 0, 0, config_lists_read_on_failure, "\"unknown\"",
	  "Without an answer: unknown (mail goes on) or defer." },
};
/* clang-format on */

static bool config_lists_read_scanner(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct scanner *scanner = &config->scanners[config->scanner_count++];
	if (!read_group(reader, setting, scanner_fields, sizeof scanner_fields / sizeof scanner_fields[0], scanner))
		return false;
	for (int i = 0; i < config->scanner_count - 1; i++)
		if (strcmp(config->scanners[i].name, scanner->name) == 0)
			return read_error(reader, setting, "is a second scanner \"%s\", expected another name",
					  scanner->name);
	return true;
}

static bool read_scanners(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, SCANNERS_MAX, config_lists_read_scanner, into);
}

#define FIELDS(name) name, sizeof name / sizeof name[0]

/* clang-format off */
const struct config_list config_lists[] = {
	{ "accounts.sources", read_sources, NULL, 0, "[\"auth\", \"certificate\", \"network\", \"uid\", \"sender\"]",
	  "Where an account's name comes from, tried in this order; what has none is counted by client address." },
	{ "accounts.own_networks", read_own_networks, NULL, 0, "[]",
	  "Networks whose clients are yours even without a login: no block list refuses them, but one that names "
	  "them for spam or as hijacked counts against the account. Hosts of webmail, too: behind them nobody is at "
	  "home." },
	{ "accounts.forwarders", read_forwarders, NULL, 0, "[]",
	  "Networks and accounts that forward others' mail. What they forward (an SRS sender, Resent- fields and the "
	  "like) is no evidence against them; such headers of other clients are not believed." },
	{ "accounts.tagged_domains", read_tagged_domains, NULL, 0, "[]",
	  "Domains whose senders are one account each, with all below: their local parts change from message to "
	  "message in a way that Penstock does not know. It knows VERP, BATV, SES and SRS. Only for source sender." },
	{ "http.proxies", read_proxies, NULL, 0, "[]",
	  "Addresses and networks of web servers in front of /rbl whose X-Forwarded-For is believed." },
	{ "http.hosts", read_hosts, NULL, 0, "[]",
	  "Names by which browsers, proxies and monitors reach http.listen; addresses and localhost need none. A "
	  "request for another name is refused." },
	{ "dns.servers", read_servers, NULL, 0, "[]",
	  "Resolvers, \"address:port\", none of them link-local; without any, those of /etc/resolv.conf, which is "
	  "followed as it changes." },
	{ "postfix.remote_mailers", read_remote_mailers, NULL, 0,
	  "[\"smtp\", \"relay\", \"esmtp\", \"smtp8\", \"dsmtp\", \"esmtps\"]",
	  "Words of {rcpt_mailer} that mean \"leaves this host by SMTP\"; the transports of the pools do too." },
	{ "postfix.local_mailers", read_local_mailers, NULL, 0,
	  "[\"local\", \"virtual\", \"lmtp\", \"discard\", \"prog\", \"*file*\", \"*include*\", \"cyrus\", "
	  "\"cyrusv2\", \"dovecot\", \"maildrop\", \"procmail\", \"mailman\", \"scalemail-backend\"]",
	  "Words that mean \"stays on this host\". Mail to a mailer that is in neither list counts as leaving and is "
	  "not marked; the log and /health name it." },
	{ "postfix.local_domains", read_local_domains, NULL, 0, "[]",
	  "Domains whose mail stays on this host where the MTA names no mailer, as Postfix for mail of sendmail(1): "
	  "those of mydestination and virtual_mailbox_domains. penstockctl postfix check names them; alias_domains "
	  "holds before it." },
	{ "postfix.alias_domains", read_alias_domains, NULL, 0, "[]",
	  "Domains of this host whose aliases lead away from it: each of their recipients counts as leaving, "
	  "whatever its mailer. penstockctl postfix check names them." },
	{ "catalogue.keys", read_keys, FIELDS(key_fields), "()",
	  "Subscribers' keys for lists of the catalogue. The first row that matches a list is used." },
	{ "catalogue.skip", read_skips, NULL, 0, "[]",
	  "Lists of the catalogue that are not asked, unless blocklists names them; a * at the end matches all names "
	  "that begin so." },
	{ "blocklists", read_lists, FIELDS(list_fields), "()",
	  "Block lists that are asked about the client's address: of the catalogue, or of your own." },
	{ "plans", read_plans, FIELDS(plan_fields), "()",
	  "Sets of limits; plan default fills what others leave out. Each limit is a whole number from -1 to 1000000000; "
	  "-1, the default, is the limit of plan default, and in plan default itself none." },
	{ "scanners", read_scanners, FIELDS(scanner_fields), "()", "Content scanners; the highest score counts." },
	{ "pools", read_pools, FIELDS(pool_fields), "()", "Groups of transports, one for each level." },
	{ "levels", read_level_rows, FIELDS(level_fields), "()",
	  "What is done to the mail of an account, by its level." },
	{ "signals", read_signal_rows, FIELDS(signal_fields), "()",
	  "Signals with other weights than the defaults, or with an action of their own." },
	{ "shadow", read_shadow, NULL, 0, "[]",
	  "Rules in shadow mode, which are judged and logged but change nothing: store, admin_block, listed, "
	  "spf_client, rcpts_per_message, limits, content, signals, level, pool; or all." },
	{ "pools.transports", NULL, FIELDS(transport_fields), "()", "A pool's transports." },
};
/* clang-format on */
const size_t config_list_count = sizeof config_lists / sizeof config_lists[0];

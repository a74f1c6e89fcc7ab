/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/blocklist/list_reply.h"

#include "policy/base/text.h"

#include "policy/base/banned.h"

/* What lists are made of, the entries as they are asked for, and as people know them. For lists of IPv6 addresses
 * ::ffff:7f00:2 and ::ffff:7f00:1. */
#define IPV6_REST ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
enum made_of { MADE_OF_IPV4, MADE_OF_IPV6, MADE_OF_DOMAINS };
static const struct {
	const char *prefix, *text;
} entries[][LIST_ENTRIES] = {
	[MADE_OF_IPV4] = { { "2.0.0.127", "127.0.0.2" }, { "1.0.0.127", "127.0.0.1" } },
	[MADE_OF_IPV6] = { { "2" IPV6_REST, "::ffff:7f00:2" }, { "1" IPV6_REST, "::ffff:7f00:1" } },
	[MADE_OF_DOMAINS] = { { "test", "test" }, { "invalid", "invalid" } },
};

static enum made_of made_of(const struct list *list)
{
	if (list->domain)
		return MADE_OF_DOMAINS;
	return list->ipv4 ? MADE_OF_IPV4 : MADE_OF_IPV6;
}

static bool has_own_name(const struct list *list, enum list_entry entry)
{
	return list->domain && entry == LIST_ENTRY_YES && list->test_name[0] != '\0';
}

const char *list_entry_prefix(const struct list *list, enum list_entry entry)
{
	return has_own_name(list, entry) ? list->test_name : entries[made_of(list)][entry].prefix;
}

static const char *entry_text(const struct list *list, enum list_entry entry)
{
	return has_own_name(list, entry) ? list->test_name : entries[made_of(list)][entry].text;
}

struct list_reply list_reply_of(const struct dns_answer *answer)
{
	struct list_reply reply = { .outcome = answer->outcome, .ttl_s = answer->ttl_s };
	reply.count = dns_answer_addresses(answer, reply.codes, LIST_CODES_KEPT);
	return reply;
}

bool list_reply_tells(const struct list_reply *reply)
{
	return dns_outcome_tells(reply->outcome);
}

bool list_reply_odd(const struct list *list, const struct list_reply *reply, char why[LIST_REPLY_WHY_MAX])
{
	struct text text = text_over(why, LIST_REPLY_WHY_MAX);
	for (int i = 0; i < reply->count; i++) {
		uint32_t code = reply->codes[i];
		bool refused = list_code_refuses(list, code);
		if (!refused && !listing_code_lies(code))
			continue;
		text_addf(&text, "answered %u.%u.%u.%u: %s", code >> 24, code >> 16 & 255U, code >> 8 & 255U,
			  code & 255U,
			  refused ? "it refuses to serve this resolver"
				  : "no block list says that; the zone is gone, or a resolver rewrites answers");
		return true;
	}
	return false;
}

enum list_test list_test_judge(const struct list *list, const struct list_reply replies[LIST_ENTRIES],
			       char why[LIST_REPLY_WHY_MAX])
{
	const struct list_reply *yes = &replies[LIST_ENTRY_YES], *no = &replies[LIST_ENTRY_NO];
	struct text text;
	if (list_reply_odd(list, yes, why) || list_reply_odd(list, no, why))
		return LIST_TEST_UNFIT;
	text = text_over(why, LIST_REPLY_WHY_MAX);
	if (no->outcome == DNS_FOUND)
		text_addf(&text, "lists %s, so it may list everything", entry_text(list, LIST_ENTRY_NO));
	else if (yes->outcome == DNS_NONE)
		text_addf(&text, "does not list its test entry %s", entry_text(list, LIST_ENTRY_YES));
	else
		return yes->outcome == DNS_FOUND && no->outcome == DNS_NONE ? LIST_TEST_FIT : LIST_TEST_UNKNOWN;
	return LIST_TEST_UNFIT;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What DNS says of an address beside the lists: the AS that it is in, and its names.
 */
#include "milter/lookup/subject_inside.h"

#include "policy/base/text.h"

#include <stdlib.h>

#include "policy/base/banned.h"

/* ---- origin */

static void subject_host_say_origin(struct subject *subject, const char *as_name)
{
	const struct asn *origin = &subject->origin->origin;
	struct check_event event = {
		.kind = CHECK_EVENT_ORIGIN,
		.as_number = origin->as_number,
		.as_name = as_name,
		.prefix = origin->prefix,
		.country = origin->country,
	};
	subject_emit(subject, &event);
	subject_settle(subject);
}

static void subject_host_on_as_name(struct lookup *lookup, const struct dns_answer *answer)
{
	struct origin_lookup *mine = (struct origin_lookup *)(void *)lookup;
	char name[ASN_NAME_MAX + 1] = "";
	struct dns_record record;
	size_t at = 0;
	while (name[0] == '\0' && dns_answer_next(answer, &at, &record))
		asn_name(mine->origin.as_number, record.text, record.length, name);
	subject_host_say_origin(mine->subject, name);
}

static void subject_host_on_origin(struct lookup *lookup, const struct dns_answer *answer)
{
	struct origin_lookup *mine = (struct origin_lookup *)(void *)lookup;
	struct subject_owner *owner = mine->subject->owner;
	const char *zone = owner->settings->as_names;
	struct dns_record record;
	size_t at = 0;
	char as[16];
	while (dns_answer_next(answer, &at, &record))
		asn_take(&mine->origin, &mine->subject->address, record.text, record.length);
	struct text text = text_over(as, sizeof as);
	text_addf(&text, "AS%lu", (unsigned long)mine->origin.as_number);
	if (mine->origin.as_number == 0 || *zone == '\0' ||
	    !lookup_ask(lookup, owner->pump, as, zone, DNS_TXT, subject_host_on_as_name))
		subject_host_say_origin(mine->subject, "");
}

void subject_ask_origin(struct subject *subject)
{
	const struct check_settings *settings = subject->owner->settings;
	const char *zone = subject->address.family == NETADDR_V6 ? settings->origin6 : settings->origin4;
	if (*zone == '\0' || subject->reserved != NULL)
		return;
	subject->origin = calloc(1, sizeof *subject->origin);
	if (subject->origin == NULL)
		return;
	subject->origin->subject = subject;
	if (lookup_ask(&subject->origin->lookup, subject->owner->pump, subject->prefix, zone, DNS_TXT,
		       subject_host_on_origin))
		subject->open++;
}

/* ---- names, RFC 8601 section 3 (iprev) */

static void subject_host_say_names(struct names_lookup *mine)
{
	const char *names[CHECK_NAMES_MAX];
	struct check_event event = { .kind = CHECK_EVENT_PTR, .names = names, .name_count = mine->count };
	for (int i = 0; i < mine->count; i++)
		names[i] = mine->names[i].lookup.name;
	event.confirmed = mine->confirmed ? CHECK_CONFIRMED : mine->unknown ? CHECK_CONFIRM_UNKNOWN : CHECK_UNCONFIRMED;
	subject_emit(mine->subject, &event);
	subject_settle(mine->subject);
}

static bool subject_host_has_address(const struct dns_answer *answer, const struct netaddr *address)
{
	struct dns_record record;
	size_t at = 0;
	while (dns_answer_next(answer, &at, &record)) {
		if (record.address == NULL)
			continue;
		struct netaddr found = answer->type == DNS_A ? netaddr_v4(record.address) : netaddr_v6(record.address);
		if (netaddr_same(&found, address))
			return true;
	}
	return false;
}

static void subject_host_on_forward(struct lookup *lookup, const struct dns_answer *answer)
{
	struct names_lookup *mine = ((struct confirm *)(void *)lookup)->names;
	mine->confirmed = mine->confirmed || subject_host_has_address(answer, &mine->subject->address);
	mine->unknown = mine->unknown || !dns_outcome_tells(answer->outcome);
	if (--mine->open == 0)
		subject_host_say_names(mine);
}

static bool subject_host_ask_forward(struct names_lookup *mine, const char *name)
{
	enum dns_type type = mine->subject->address.family == NETADDR_V6 ? DNS_AAAA : DNS_A;
	struct confirm *confirm = &mine->names[mine->count];
	confirm->names = mine;
	return lookup_ask(&confirm->lookup, mine->subject->owner->pump, name, "", type, subject_host_on_forward);
}

static void subject_host_on_names(struct lookup *lookup, const struct dns_answer *answer)
{
	struct names_lookup *mine = (struct names_lookup *)(void *)lookup;
	struct dns_record record;
	size_t at = 0;
	mine->unknown = !dns_outcome_tells(answer->outcome);
	while (mine->count < CHECK_NAMES_MAX && dns_answer_next(answer, &at, &record))
		if (record.text != NULL && record.length > 0 && subject_host_ask_forward(mine, record.text)) {
			mine->count++;
			mine->open++;
		}
	if (mine->open == 0)
		subject_host_say_names(mine);
}

void subject_ask_names(struct subject *subject)
{
	const char *zone = subject->address.family == NETADDR_V6 ? "ip6.arpa" : "in-addr.arpa";
	subject->names = calloc(1, sizeof *subject->names);
	if (subject->names == NULL)
		return;
	subject->names->subject = subject;
	if (lookup_ask(&subject->names->lookup, subject->owner->pump, subject->prefix, zone, DNS_PTR,
		       subject_host_on_names))
		subject->open++;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/receiver_name.h"
#include "policy/base/text.h"

#include <libpsl.h>
#include <string.h>

#include "policy/base/banned.h"

enum { HOST_LONGEST = 253 };

/* As the table and the Public Suffix List spell it: lower case, no dot at its end. False: it is no host name. */
static bool receiver_name_host(struct span relay, char host[HOST_LONGEST + 1])
{
	size_t length = relay.at != NULL ? relay.length : 0;
	while (length > 0 && relay.at[length - 1] == '.')
		length--;
	if (length == 0 || length > HOST_LONGEST)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = text_lower(relay.at[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_')
			return false;
		host[i] = c;
	}
	host[length] = '\0';
	/* an IPv4 address ends in a digit, and no domain of the Internet does (RFC 3696 section 2) */
	return host[length - 1] < '0' || host[length - 1] > '9';
}

void receiver_name(const struct replies *replies, const struct log_event *event, char name[RECEIVER_NAME_MAX + 1])
{
	char host[HOST_LONGEST + 1];
	name[0] = '\0';
	if (!receiver_name_host(event->relay_host, host))
		return;
	const char *known = replies_receiver(replies, host);
	if (known == NULL)
		known = psl_registrable_domain(psl_builtin(), host);
	if (known != NULL && strlen(known) <= RECEIVER_NAME_MAX)
		text_copy(name, RECEIVER_NAME_MAX + 1, known);
}

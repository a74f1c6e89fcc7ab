/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the options of our own block list, and of reports about who is on it, must be.
 */
#include "milter/config/config_read.h"

#include <string.h>

#include "policy/base/banned.h"

enum { CONTACTS_MAX = 253 - 64 }; /* before it stand the nibbles of an IPv6 address */

/* It becomes the end of a line of a zone. */
static bool config_clients_check_text(struct reader *reader)
{
	const char *text = reader->config->set.clients_zone_text;
	for (const char *at = text; *at != '\0'; at++)
		if (*at < ' ' || *at > '~')
			return read_error(reader, read_option(reader, "clients.zone_text"),
					  "has a byte that is not printable ASCII at place %d, expected none",
					  (int)(at - text) + 1);
	return true;
}

bool config_clients_agree(struct reader *reader)
{
	const struct settings *set = &reader->config->set;
	const config_setting_t *contacts = read_option(reader, "clients.abuse_contacts");
	char zone[CONTACTS_MAX + 1];
	if (!config_clients_check_text(reader))
		return false;
	if (set->clients_abuse_from[0] != '\0' &&
	    !config_is_address(set->clients_abuse_from, strlen(set->clients_abuse_from)))
		return read_error(reader, read_option(reader, "clients.abuse_from"),
				  "is \"%s\", expected one mail address", set->clients_abuse_from);
	if (set->clients_abuse_contacts[0] == '\0')
		return true;
	if (!check_domain(reader, contacts, set->clients_abuse_contacts, zone, CONTACTS_MAX))
		return false;
	return set->clients_abuse_from[0] != '\0' ||
	       read_error(reader, contacts, "is \"%s\", and clients.abuse_from is empty, expected an address",
			  set->clients_abuse_contacts);
}

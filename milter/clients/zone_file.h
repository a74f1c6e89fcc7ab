/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zone_file: the block list as files. Two of them for rbldnsd(8) in clients.zone, "clients.ip4set" and
 * "clients.ip6trie", each with the test entries of RFC 5782 section 5 and the time at which it has nothing more to say;
 * and "listed" in clients.state, by which the list outlives a restart. Each is replaced as a whole, by a rename. Waits
 * for the disk.
 */
#ifndef PENSTOCK_ZONE_FILE_H
#define PENSTOCK_ZONE_FILE_H

#include "milter/clients/zone_list.h"

#define ZONE_FILE_V4 "clients.ip4set"
#define ZONE_FILE_V6 "clients.ip6trie"
#define ZONE_FILE_LISTED "listed"

enum { ZONE_TEXT_MAX = 255 }; /* bytes of one string of a TXT record, RFC 1035 section 3.3.14 */

/* The TXT record of one entry, with its reference in place of each '$'. What is not printable ASCII becomes '?'. */
void zone_file_text(const char *pattern, const struct zone_entry *entry, char text[ZONE_TEXT_MAX + 1]);

struct zone_file_rules {
	const char *text;	/* clients.zone_text */
	int64_t now_s, until_s; /* rbldnsd answers nothing from it after then */
};

/* False with a sentence in `error`, and the files that were there are left alone. */
bool zone_file_write(const char *folder, const struct zone_list *list, const struct zone_file_rules *rules, char *error,
		     size_t error_size);
bool zone_file_save(const char *folder, const struct zone_list *list, char *error, size_t error_size);

/* Adds to `list` what was saved. A file that is missing is none; one that is damaged gives what of it is whole, and a
 * sentence in `error` ("": all is well). */
void zone_file_load(const char *folder, struct zone_list *list, char *error, size_t error_size);

#endif

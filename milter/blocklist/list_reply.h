/* SPDX-License-Identifier: BSD-2-Clause
 *
 * list_reply: what one list said of one thing, whether a list can say that, and what its answers about its test entries
 * (RFC 5782 section 5) say of itself. No I/O.
 */
#ifndef PENSTOCK_LIST_REPLY_H
#define PENSTOCK_LIST_REPLY_H

#include "milter/dns/answer.h"
#include "policy/listing.h"

enum { LIST_CODES_KEPT = 16, LIST_REPLY_WHY_MAX = 140 };

struct list_reply {
	enum dns_outcome outcome;
	int64_t ttl_s;
	int count;
	uint32_t codes[LIST_CODES_KEPT]; /* host order */
};
struct list_reply list_reply_of(const struct dns_answer *answer);

/* It says yes or no. */
bool list_reply_tells(const struct list_reply *reply);

/* True: a code by which the list refuses us, or that no list gives; `why` is what the list does, without "it". */
bool list_reply_odd(const struct list *list, const struct list_reply *reply, char why[LIST_REPLY_WHY_MAX]);

/* The entry that every list has, and the one that none has. */
enum list_entry { LIST_ENTRY_YES, LIST_ENTRY_NO, LIST_ENTRIES };

/* What stands before the zone. Lists of domains are asked for names, lists of IPv6 addresses alone for such. */
const char *list_entry_prefix(const struct list *list, enum list_entry entry);

/* UNKNOWN: somebody did not answer. UNFIT: `why`, as above. Whatever code of 127/8 the list gives its entry is a
 * listing, also one that means nothing to us. */
enum list_test { LIST_TEST_UNKNOWN, LIST_TEST_FIT, LIST_TEST_UNFIT };
enum list_test list_test_judge(const struct list *list, const struct list_reply replies[LIST_ENTRIES],
			       char why[LIST_REPLY_WHY_MAX]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * zone: takes the place of milter/dns/resolver.c: a DNS with the records that it is given. Each answer is built as a
 * packet and read by milter/dns/answer.c. Fill it before the loop runs, or between two questions.
 */
#ifndef PENSTOCK_FAKE_ZONE_H
#define PENSTOCK_FAKE_ZONE_H

#include "milter/dns/answer.h"

#include <stddef.h>

enum { ZONE_CNAME = 5 }; /* besides the types of answer.h */

enum zone_trouble { ZONE_FINE, ZONE_SERVFAIL, ZONE_SILENT };

void zone_clear(void);

/* The value as text: an address; "10 mail.example.com" or "mail.example.com" for MX; a name; for TXT any bytes. False:
 * no such value, or no room. */
bool zone_add(const char *name, int type, const char *value, size_t length);
/* To every question about the name of this type (0: of all). */
void zone_trouble(const char *name, int type, enum zone_trouble trouble);

int zone_questions(void);		    /* since zone_clear */
int zone_asked(const char *name, int type); /* those about one name; type 0: of all */

#endif

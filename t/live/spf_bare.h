/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spf_bare: libspf2 alone, for comparison. One thread.
 */
#ifndef PENSTOCK_LIVE_SPF_BARE_H
#define PENSTOCK_LIVE_SPF_BARE_H

#include <stdbool.h>

void spf_bare_clear(void);
/* `type` 0: all. `silent`: no answer instead of the value. */
void spf_bare_add(const char *name, int type, const char *value, bool silent);
/* Prints the result in libspf2's words, or "crash". */
void spf_bare_check(const char *client, const char *helo, const char *sender);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_remove: the commands that take our share out of a Postfix, and leave all else as it is.
 */
#ifndef PENSTOCK_POSTFIX_REMOVE_H
#define PENSTOCK_POSTFIX_REMOVE_H

#include "milter/ctl/postfix/postfix.h"

#include <stddef.h>

/* As postfix_check. In two steps: that no more mail is marked; and, once none lies in the queue that was, the rest. 0,
 * or -1 with a sentence in `error`. */
int postfix_remove(const struct postfix_wish *wish, const char *postfix_dir, FILE *to, char *error, size_t error_size);

#endif

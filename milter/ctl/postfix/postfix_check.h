/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_check: holds a Postfix against a configuration of ours and names each difference: what it is, what
 * was found and what was expected, where, and what to type, in an order that works in one round. A warning is
 * what may be intended, and is no difference.
 */
#ifndef PENSTOCK_POSTFIX_CHECK_H
#define PENSTOCK_POSTFIX_CHECK_H

#include "milter/ctl/postfix/postfix.h"

#include <stdbool.h>
#include <stdio.h>

enum check_form { CHECK_TEXT, CHECK_JSON, CHECK_COMMANDS };

/* `postfix_dir` is Postfix's configuration folder; NULL: the one that postconf finds. wish->dir and wish->queue
 * may be NULL: that folder, and the queue directory that it names. Writes what finding.h tells.
 * 0: it fits; 1: differences; -1 with a sentence in `error`: Postfix's configuration cannot be read. */
int postfix_check(const struct postfix_wish *wish, const char *postfix_dir, enum check_form form, FILE *to, char *error,
		  size_t error_size);

#endif

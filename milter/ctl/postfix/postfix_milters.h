/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_milters: who of Postfix's services asks our milter, who does not, and who asks too early: before a content
 * filter, which marked mail would not see.
 */
#ifndef PENSTOCK_POSTFIX_MILTERS_H
#define PENSTOCK_POSTFIX_MILTERS_H

struct postfix_check;

void check_milters(struct postfix_check *check);

#endif

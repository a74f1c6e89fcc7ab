/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_pitfalls: single parameters of Postfix by which mail is led around us: a row each.
 */
#ifndef PENSTOCK_POSTFIX_PITFALLS_H
#define PENSTOCK_POSTFIX_PITFALLS_H

struct postfix_check;

void check_pitfalls(struct postfix_check *check);

#endif

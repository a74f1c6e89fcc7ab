/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl_show: what the block lists say of one target, for people, as the daemon tells it line by line: listings at once,
 * clean lists as a number, lists without an answer as a number with the reason; of a network a row for each address
 * that is listed. All text is a stranger's and cleaned. Members that are missing show as nothing, unknown lines not at
 * all.
 */
#ifndef PENSTOCK_RBL_SHOW_H
#define PENSTOCK_RBL_SHOW_H

#include "milter/ctl/tool/terminal.h"

#include <jansson.h>

struct rbl_show;

/* `verbose`: each list without an answer on a line of its own, and nothing is cut to the width. `target` is borrowed.
 */
struct rbl_show *rbl_show_new(const char *target, bool verbose);
/* Prints what this line gives cause to, which may be nothing. */
void rbl_show_line(struct rbl_show *show, const json_t *line, const struct paper *paper);
/* The stream broke off: what was kept for later. */
void rbl_show_rest(struct rbl_show *show, const struct paper *paper);
void rbl_show_free(struct rbl_show **show);

#endif

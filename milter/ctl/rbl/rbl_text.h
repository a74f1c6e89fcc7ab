/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl_text: what single lines of a check say, as words for people. Not cleaned yet: print_labelled does that.
 */
#ifndef PENSTOCK_RBL_TEXT_H
#define PENSTOCK_RBL_TEXT_H

#include "milter/ctl/tool/terminal.h"

#include <jansson.h>
#include <stdbool.h>

struct text;

/* "spamhaus-zen (zen.spamhaus.org)"; a list without a name of its own is called by its zone */
void rbl_add_list(struct text *text, const json_t *line);
/* "listed by 2 of 62 lists (weight 1.5), also named by 1 list without weight, 1 did not answer, in 213 ms"; gives its
 * tone back. */
enum tone rbl_add_sums(struct text *text, const json_t *sums);
/* "AS64496 EXAMPLE-AS, 192.0.2.0/24, DE" */
void rbl_add_origin(struct text *text, const json_t *origin);
/* "mail.example.com (forward-confirmed)" */
void rbl_add_names(struct text *text, const json_t *ptr);

/* Strings of an array: "a, b" */
void rbl_add_items(struct text *text, const json_t *array);
/* A listing by a list of weight 0, or the first of them: it is told apart, and makes nothing listed. */
bool rbl_is_noted(const json_t *listing);
/* " (weight 1.5)"; nothing for 0 */
void rbl_add_weight(struct text *text, double weight);
/* ", in 213 ms" */
void rbl_add_time(struct text *text, const json_t *line);

#endif

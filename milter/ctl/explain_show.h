/* SPDX-License-Identifier: BSD-2-Clause
 *
 * explain_show: what the daemon answers to `explain`, for people: each entry's story, and its sum term by term.
 */
#ifndef PENSTOCK_EXPLAIN_SHOW_H
#define PENSTOCK_EXPLAIN_SHOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void show_explain(const json_t *answer, bool all, FILE *to);

#endif

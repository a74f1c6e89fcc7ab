/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_show: what was found in a trace, for people.
 */
#ifndef PENSTOCK_TRACE_SHOW_H
#define PENSTOCK_TRACE_SHOW_H

#include "milter/ctl/trace/trace_search.h"

#include <stdio.h>

/* `all`: each attempt and each recipient; else the last attempt for some of them. */
void trace_show(const struct trace_found *found, bool all, FILE *to);

#endif

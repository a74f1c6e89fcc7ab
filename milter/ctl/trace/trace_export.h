/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_export: what was found in a trace, for programs.
 */
#ifndef PENSTOCK_TRACE_EXPORT_H
#define PENSTOCK_TRACE_EXPORT_H

#include "milter/ctl/trace/trace_search.h"

#include <stdio.h>

/* A new reference. `missing` is borrowed. Values are as strangers wrote them. */
json_t *trace_export_json(const struct trace_found *found, json_t *missing);
/* A row a delivery attempt, or a message without one. Values are as the trace has them, with its escapes. */
void trace_export_csv(const struct trace_found *found, FILE *to);

#endif

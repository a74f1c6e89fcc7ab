/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_search: the messages of a trace that a query is about, newest first.
 */
#ifndef PENSTOCK_TRACE_SEARCH_H
#define PENSTOCK_TRACE_SEARCH_H

#include "milter/ctl/trace/trace_gather.h"
#include "milter/ctl/trace/trace_query.h"

struct trace_found {
	struct trace_stories stories; /* newest first */
	bool more;		      /* than the query's `most`, or than could be kept */
};

void trace_search(const struct trace_days *days, const struct trace_query *query, struct trace_found *found_out);

#endif

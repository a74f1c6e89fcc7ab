/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_scan: one day's file and its index, block by block.
 */
#ifndef PENSTOCK_TRACE_SCAN_H
#define PENSTOCK_TRACE_SCAN_H

#include "milter/ctl/trace/trace_days.h"
#include "milter/trace/trace_index.h"

struct trace_scan {
	int64_t day;
	int fd;
	int64_t blocks, filters; /* the first `filters` of the blocks have one */
	unsigned char *index;	 /* the filters; owned */
	char memory[TRACE_BLOCK_MEMORY];
	struct trace_block block;
};

/* A row, and where it stands: of two rows the one with the higher place was noted later. Owned by who has it. */
struct trace_kept {
	int64_t day, at;
	struct trace_row row; /* into ... */
	char line[];	      /* ... the line, cut */
};

/* NULL: there is no such day, or it cannot be read. */
struct trace_scan *trace_scan_open(const struct trace_days *days, int64_t day);
void trace_scan_close(struct trace_scan **scan);

/* NULL: the block has none, and must be read. */
const unsigned char *trace_scan_filter(const struct trace_scan *scan, int64_t block);
/* Reads it; false: it cannot be read. */
bool trace_scan_block(struct trace_scan *scan, int64_t block);
/* Its next row, until the next call; false: no more. Damaged lines are passed over. `at` is the row's place in the
 * block. */
bool trace_scan_row(struct trace_scan *scan, struct trace_row *row_out, int64_t *at_out);
/* A copy of a row of the block that was read last. */
struct trace_kept *trace_scan_keep(const struct trace_scan *scan, int64_t block, int64_t at,
				   const struct trace_row *row);

#endif

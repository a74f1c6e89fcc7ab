/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/trace/trace_scan.h"

#include "milter/ctl/tool/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* What is not there, or not ours, is as no filters at all: then all is read. */
static void trace_scan_read_index(struct trace_scan *scan, int fd)
{
	int64_t count = fd < 0 ? 0 : trace_index_count(fd);
	count = count < scan->blocks ? count : scan->blocks;
	size_t size = (size_t)count * TRACE_FILTER, done = 0;
	if (count == 0)
		return;
	scan->index = have_memory(malloc(size));
	while (done < size) {
		ssize_t got = pread(fd, scan->index + done, size - done, TRACE_INDEX_HEAD + (off_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	scan->filters = (int64_t)(done / TRACE_FILTER);
}

struct trace_scan *trace_scan_open(const struct trace_days *days, int64_t day)
{
	struct stat status;
	int fd = trace_days_file(days, day);
	if (fd < 0)
		return NULL;
	struct trace_scan *scan = have_memory(calloc(1, sizeof *scan));
	scan->day = day;
	scan->fd = fd;
	scan->blocks = fstat(fd, &status) == 0 ? (status.st_size + TRACE_BLOCK - 1) / TRACE_BLOCK : 0;
	int index_fd = trace_days_index(days, day);
	trace_scan_read_index(scan, index_fd);
	if (index_fd >= 0)
		close(index_fd);
	return scan;
}

void trace_scan_close(struct trace_scan **scan)
{
	if (*scan == NULL)
		return;
	close((*scan)->fd);
	free((*scan)->index);
	free(*scan);
	*scan = NULL;
}

const unsigned char *trace_scan_filter(const struct trace_scan *scan, int64_t block)
{
	return block < scan->filters ? scan->index + block * TRACE_FILTER : NULL;
}

bool trace_scan_block(struct trace_scan *scan, int64_t block)
{
	return trace_block_read(scan->fd, block, scan->memory, &scan->block) > 0;
}

bool trace_scan_row(struct trace_scan *scan, struct trace_row *row_out, int64_t *at_out)
{
	for (char *line; (line = trace_block_line(&scan->block)) != NULL;)
		if (trace_row_read(line, row_out)) {
			*at_out = line - scan->memory;
			return true;
		}
	return false;
}

struct trace_kept *trace_scan_keep(const struct trace_scan *scan, int64_t block, int64_t at,
				   const struct trace_row *row)
{
	const char *line = scan->memory + at;
	size_t size = (size_t)(scan->block.at - line);
	struct trace_kept *kept = have_memory(malloc(sizeof *kept + size));
	kept->day = scan->day;
	kept->at = block * TRACE_BLOCK + at;
	kept->row = *row;
	memcpy(kept->line, line, size);
	for (int i = 0; i < TRACE_COLUMNS; i++)
		if (row->value[i] != NULL)
			kept->row.value[i] = kept->line + (row->value[i] - line);
	return kept;
}

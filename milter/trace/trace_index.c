/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/trace/trace_index.h"

#include "policy/base/text.h"
#include "policy/account.h"
#include "policy/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { PROBES = 8 }; /* some 1,000 keys in 24,576 bits: one question in 18,000 for others is answered yes */

static const char head[TRACE_INDEX_HEAD] = "penstock-trace1\n";

/* ---- filters */

uint64_t trace_index_hash(int column, const char *written)
{
	char lower[TRACE_VALUE_MAX];
	size_t length = 0;
	for (; written[length] != '\0' && length < sizeof lower; length++)
		lower[length] = text_lower(written[length]);
	return hash_bytes(lower, length, (uint64_t)column);
}

static uint32_t trace_index_bit(uint64_t hash, int probe)
{
	return ((uint32_t)hash + (uint32_t)probe * ((uint32_t)(hash >> 32) | 1)) % (TRACE_FILTER * 8);
}

bool trace_index_has(const unsigned char filter[TRACE_FILTER], uint64_t hash)
{
	for (int probe = 0; probe < PROBES; probe++) {
		uint32_t bit = trace_index_bit(hash, probe);
		if ((filter[bit / 8] & 1u << bit % 8) == 0)
			return false;
	}
	return true;
}

static void trace_index_add(unsigned char filter[TRACE_FILTER], int column, const char *written)
{
	if (written == NULL || *written == '\0')
		return;
	uint64_t hash = trace_index_hash(column, written);
	for (int probe = 0; probe < PROBES; probe++) {
		uint32_t bit = trace_index_bit(hash, probe);
		filter[bit / 8] |= (unsigned char)(1u << bit % 8);
	}
}

static void trace_index_add_row(unsigned char filter[TRACE_FILTER], const struct trace_row *row)
{
	static const enum trace_column keys[] = { TRACE_QUEUE_ID, TRACE_REFERENCE,  TRACE_ACCOUNT,
						  TRACE_SENDER,	  TRACE_MESSAGE_ID, TRACE_RCPT };
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (keys[i] != TRACE_ACCOUNT || row->kind == TRACE_MESSAGE)
			trace_index_add(filter, (int)keys[i], row->value[keys[i]]);
	trace_index_add(filter, TRACE_QUEUE_ID, row->value[TRACE_OLD_ID]);
	if (row->value[TRACE_RCPT] != NULL)
		trace_index_add(filter, TRACE_DOMAIN, address_domain(row->value[TRACE_RCPT]));
}

/* ---- blocks */

static ssize_t trace_index_read_at(int fd, char *to, size_t size, int64_t from)
{
	size_t done = 0;
	while (done < size) {
		ssize_t got = pread(fd, to + done, size - done, from + (int64_t)done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int trace_block_read(int fd, int64_t block, char memory[TRACE_BLOCK_MEMORY], struct trace_block *block_out)
{
	int64_t from = block * TRACE_BLOCK, before = block > 0 ? 1 : 0;
	ssize_t got = trace_index_read_at(fd, memory, TRACE_BLOCK_MEMORY - 1, from - before);
	if (got <= before)
		return got < 0 ? -1 : 0;
	char *end = memory + got, *limit = memory + before + TRACE_BLOCK, *at = memory;
	if (before > 0) { /* what a row of the block before has left ends with the first newline, or its own */
		char *newline = memchr(memory, '\n', (size_t)got);
		at = newline == NULL ? end : newline + 1;
	}
	*block_out = (struct trace_block){ at, end, limit < end ? limit : end };
	return 1;
}

char *trace_block_line(struct trace_block *block)
{
	while (block->at < block->limit) {
		char *line = block->at, *newline = memchr(line, '\n', (size_t)(block->end - line));
		if (newline == NULL) {
			block->at = block->end;
			return NULL;
		}
		block->at = newline + 1;
		*newline = '\0';
		if (newline - line < TRACE_LINE_MAX)
			return line;
	}
	return NULL;
}

/* ---- the file of filters */

int64_t trace_index_count(int index_fd)
{
	char found[TRACE_INDEX_HEAD];
	struct stat status;
	if (fstat(index_fd, &status) < 0 || trace_index_read_at(index_fd, found, sizeof found, 0) != sizeof found ||
	    memcmp(found, head, sizeof found) != 0)
		return 0;
	return (status.st_size - TRACE_INDEX_HEAD) / TRACE_FILTER;
}

static bool trace_index_write_at(int index_fd, const void *bytes, size_t size, int64_t at)
{
	ssize_t wrote = pwrite(index_fd, bytes, size, at);
	if (wrote == (ssize_t)size)
		return true;
	if (wrote >= 0)
		errno = ENOSPC;
	return false;
}

static bool trace_index_extend_one(int fd, int index_fd, int64_t block, char *memory)
{
	unsigned char filter[TRACE_FILTER] = { 0 };
	struct trace_block rows;
	struct trace_row row;
	int there = trace_block_read(fd, block, memory, &rows);
	if (there < 0)
		return false;
	for (char *line; there > 0 && (line = trace_block_line(&rows)) != NULL;)
		if (trace_row_read(line, &row))
			trace_index_add_row(filter, &row);
	return trace_index_write_at(index_fd, filter, sizeof filter, TRACE_INDEX_HEAD + block * TRACE_FILTER);
}

int64_t trace_index_extend(int fd, int index_fd, int64_t size, bool finished, int64_t most)
{
	int64_t wanted = (size + (finished ? TRACE_BLOCK - 1 : -TRACE_LINE_MAX)) / TRACE_BLOCK;
	int64_t count = trace_index_count(index_fd), stop = most > 0 && count + most < wanted ? count + most : wanted;
	if (count >= wanted)
		return 0;
	if (count == 0 && (ftruncate(index_fd, 0) < 0 || !trace_index_write_at(index_fd, head, sizeof head, 0)))
		return -1;
	char *memory = malloc(TRACE_BLOCK_MEMORY);
	if (memory == NULL)
		return -1;
	bool fine = true;
	for (; fine && count < stop; count++)
		fine = trace_index_extend_one(fd, index_fd, count, memory);
	int why = errno;
	free(memory);
	errno = why;
	return fine ? wanted - stop : -1;
}

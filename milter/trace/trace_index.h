/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trace_index: which blocks of a day's file are worth reading. Beside DAY stands DAY.index: a head, and for each block
 * of TRACE_BLOCK bytes of the file a Bloom filter (B. H. Bloom, CACM 13(7), 1970) of what its rows are searched by. A
 * row belongs to the block in which it begins. A filter may say yes where there is nothing, once in some thousand;
 * never no where there is something. Blocks without a filter have to be read.
 */
#ifndef PENSTOCK_TRACE_INDEX_H
#define PENSTOCK_TRACE_INDEX_H

#include "milter/trace/trace_row.h"

enum {
	TRACE_BLOCK = 65536,			  /* bytes of the file */
	TRACE_FILTER = 3072,			  /* bytes of a filter */
	TRACE_INDEX_HEAD = 16,			  /* bytes before the first filter */
	TRACE_INDEX_NAME_MAX = TRACE_DAY_MAX + 6, /* "2026-11-28.index", with a NUL */
};

#define TRACE_INDEX_SUFFIX ".index"

/* By what rows are searched: QUEUE_ID (an old one, too), REFERENCE, ACCOUNT, SENDER, MESSAGE_ID, RCPT. And TRACE_DOMAIN
 * is the domain of RCPT. */
enum { TRACE_DOMAIN = TRACE_COLUMNS };

/* `written` as trace_value() writes it; letters in any case are one. */
uint64_t trace_index_hash(int column, const char *written);
bool trace_index_has(const unsigned char filter[TRACE_FILTER], uint64_t hash);

/* The file's `block`, from where its first row begins. `bytes` are at most TRACE_BLOCK + TRACE_LINE_MAX of the file,
 * from `block` * TRACE_BLOCK on (one byte less of the first; see below), as long as the file goes. */
struct trace_block {
	char *at;    /* the next row; borrowed, written to */
	char *end;   /* of the bytes */
	char *limit; /* no row of the block begins here or behind */
};
/* Reads a block's bytes into `memory`: one byte before it, TRACE_BLOCK, and a line's length behind. -1: the file cannot
 * be read (errno); 0: there is no such block; else 1. */
enum { TRACE_BLOCK_MEMORY = 1 + TRACE_BLOCK + TRACE_LINE_MAX + 1 };
int trace_block_read(int fd, int64_t block, char memory[TRACE_BLOCK_MEMORY], struct trace_block *block_out);
/* The next whole line, which a NUL ends then; NULL: no more. A line that is too long or has no end is passed over. */
char *trace_block_line(struct trace_block *block);

/* Brings the index of a file of `size` bytes after: filters for its blocks, the last and begun one only where the file
 * is `finished`; at most `most` blocks (0: all). The number of blocks that still lack one; -1 with errno. */
int64_t trace_index_extend(int fd, int index_fd, int64_t size, bool finished, int64_t most);
/* How many filters an index has that is `size` bytes; 0 where its head is not ours. */
int64_t trace_index_count(int index_fd);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/source.h"

#include "milter/follow/checkpoint.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define SOURCE_ROW "place"

struct log_source *source_open(const struct source_options *options, char *error, size_t error_size)
{
	if (strcmp(options->name, "-") == 0)
		return source_stdin_open(STDIN_FILENO);
	if (strcmp(options->name, "journal") == 0 || strncmp(options->name, "journal:", 8) == 0)
		return source_journal_open(options, error, error_size);
	return source_file_open(options, error, error_size);
}

void source_free(struct log_source **source)
{
	if (*source == NULL)
		return;
	(*source)->release(*source);
	*source = NULL;
}

void source_place_save(const struct source_place *place, const char *name, struct checkpoint *to)
{
	if (!place->known)
		return;
	checkpoint_row_begin(to, SOURCE_ROW);
	checkpoint_add_string(to, name);
	checkpoint_add_string(to, place->cursor);
	checkpoint_add_int(to, (int64_t)place->device);
	checkpoint_add_int(to, (int64_t)place->inode);
	checkpoint_add_int(to, place->offset);
	checkpoint_add_int(to, place->hashed);
	checkpoint_add_int(to, (int64_t)place->hash);
	checkpoint_add_int(to, place->modified_ns);
	checkpoint_row_end(to);
}

bool source_place_load(struct source_place *place, const char *name, const struct checkpoint_row *row)
{
	int64_t device, inode, hash;
	struct source_place read = { .known = true };
	if (!span_is(row->fields[0], SOURCE_ROW) || row->count != 9 || !checkpoint_int(row, 3, &device) ||
	    !checkpoint_int(row, 4, &inode) || !checkpoint_int(row, 5, &read.offset) ||
	    !checkpoint_int(row, 6, &read.hashed) || !checkpoint_int(row, 7, &hash) ||
	    !checkpoint_int(row, 8, &read.modified_ns) || read.offset < 0 || read.hashed < 0 ||
	    read.hashed > SOURCE_HASHED || !text_copy(read.cursor, sizeof read.cursor, checkpoint_string(row, 2)))
		return false;
	read.device = (uint64_t)device;
	read.inode = (uint64_t)inode;
	read.hash = (uint64_t)hash;
	if (strcmp(checkpoint_string(row, 1), name) == 0)
		*place = read;
	return true;
}

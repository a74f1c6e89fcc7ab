/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The checkpoint of penstock-follow: bytes as a whole file, and the same bytes as rows between a first and a last one
 * that fit them, so that the readers of rows are reached.
 */
#include "milter/follow/checkpoint.h"
#include "milter/follow/log_event.h"
#include "milter/follow/queue_map.h"
#include "milter/follow/source.h"
#include "milter/follow/waiting.h"
#include "policy/hash.h"

#include "t/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MESSAGES_MOST = 8 };

struct parts {
	struct queue_map *map;
	struct waiting *waiting;
	struct source_place place;
};

static bool take(void *arg, const struct checkpoint_row *row)
{
	struct parts *parts = arg;
	MUST(row->count >= 1 && row->count <= CHECKPOINT_FIELDS_MOST);
	for (int i = 0; i < row->count; i++)
		MUST(row->fields[i].at != NULL && row->fields[i].at[row->fields[i].length] == '\0');
	if (!source_place_load(&parts->place, "journal", row) && !queue_map_load(parts->map, row))
		waiting_load(parts->waiting, row);
	MUST(strlen(parts->place.cursor) <= SOURCE_CURSOR_MAX && parts->place.hashed <= SOURCE_HASHED);
	MUST(queue_map_counts(parts->map).messages <= MESSAGES_MOST);
	return true;
}

/* A whole file around the rows. */
static char *wrapped(const uint8_t *data, size_t size, size_t *length_out)
{
	char *bytes = NULL;
	FILE *to = open_memstream(&bytes, length_out);
	const char *at = (const char *)data, *stop = at + size;
	uint64_t hash = 0;
	int64_t rows = 0;
	fprintf(to, "penstock-follow\t%d\n", CHECKPOINT_VERSION);
	for (const char *end; at < stop; at = end + 1, rows++) {
		end = memchr(at, '\n', (size_t)(stop - at));
		end = end != NULL ? end : stop;
		hash = hash_bytes(at, (size_t)(end - at), hash);
		fwrite(at, 1, (size_t)(end - at), to);
		fputc('\n', to);
	}
	fprintf(to, "end\t%" PRId64 "\t%016" PRIx64 "\n", rows, hash);
	fclose(to);
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct parts parts = { .map = queue_map_new(MESSAGES_MOST), .waiting = waiting_new() };
	char error[200] = "";
	size_t length;
	char *whole = malloc(size + 1);
	memcpy(whole, data, size);
	MUST(checkpoint_parse(whole, size, take, &parts, error, sizeof error) || error[0] != '\0');
	free(whole);
	whole = wrapped(data, size, &length);
	checkpoint_parse(whole, length, take, &parts, error, sizeof error);
	free(whole);
	for (struct waiting_line *line; (line = waiting_take_oldest(parts.waiting)) != NULL; free(line))
		MUST(line->queue_id[0] != '\0');
	MUST(waiting_counts(parts.waiting).lines == 0);
	queue_map_free(&parts.map);
	waiting_free(&parts.waiting);
	return 0;
}

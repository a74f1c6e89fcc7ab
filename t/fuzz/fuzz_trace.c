/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A block of a trace file that anybody may have damaged: what is read as a row has its columns in it, whole and clean,
 * and a value is one column of one line whatever it was made of.
 */
#include "milter/trace/trace_index.h"
#include "milter/trace/trace_secret.h"

#include "t/fuzz/fuzz.h"

static void must_be_column(const char *written)
{
	MUST(*written != '\0' && strlen(written) < TRACE_VALUE_MAX);
	for (const char *at = written; *at != '\0'; at++)
		MUST((unsigned char)*at >= 0x20 && *at != 0x7f);
}

static void check_value(const char *value)
{
	char written[TRACE_VALUE_MAX], plain[TRACE_VALUE_MAX], hashed[TRACE_VALUE_MAX];
	static const uint64_t key[2] = { 1, 2 };
	for (int column = 0; column < TRACE_COLUMNS; column++) {
		trace_value((enum trace_column)column, value, written);
		must_be_column(written);
	}
	trace_value(TRACE_RCPT, value, written);
	memcpy(plain, written, sizeof plain);
	trace_value_plain(plain);
	MUST(strstr(written, "\\x..") != NULL || strcmp(plain, value) == 0);
	trace_secret_rcpt(key, value, hashed);
	trace_value(TRACE_RCPT, hashed, written);
	must_be_column(written);
	char *text = string_of(value, strlen(value));
	trace_secret_text(value, text);
	MUST(strlen(text) <= strlen(value));
	free(text);
}

/* Written again, it is read as the same. */
static void check_row(const struct trace_row *row)
{
	char line[TRACE_LINE_MAX];
	struct trace_row again;
	struct trace_row plain = *row;
	char values[TRACE_COLUMNS][TRACE_VALUE_MAX];
	for (int i = 0; i < TRACE_COLUMNS; i++) {
		if (row->value[i] == NULL)
			continue;
		memcpy(values[i], row->value[i], strlen(row->value[i]) + 1);
		trace_value_plain(values[i]);
		plain.value[i] = values[i];
	}
	size_t length = trace_row_write(&plain, line);
	MUST(length > 0 && line[length - 1] == '\n' && memchr(line, '\n', length) == line + length - 1);
	line[length - 1] = '\0';
	MUST(trace_row_read(line, &again) && again.kind == row->kind && again.time_ms == row->time_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char memory[TRACE_BLOCK_MEMORY];
	char name[MEMORY_FILE_NAME], *text = string_of(data, size);
	int fd = memory_file(data, size, name), index_fd = memory_file("", 0, name);
	struct trace_row row;
	struct trace_block block;
	check_value(text);
	MUST(trace_index_extend(fd, index_fd, (int64_t)size, true, 0) == 0);
	MUST(trace_index_count(index_fd) == ((int64_t)size + TRACE_BLOCK - 1) / TRACE_BLOCK);
	for (int64_t at = 0; trace_block_read(fd, at, memory, &block) > 0; at++)
		for (char *line; (line = trace_block_line(&block)) != NULL;) {
			MUST(strlen(line) < TRACE_LINE_MAX);
			if (trace_row_read(line, &row))
				check_row(&row);
		}
	close(fd);
	close(index_fd);
	free(text);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/checkpoint.h"

#include "milter/base/plain_file.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define CHECKPOINT_MAGIC "penstock-follow"

enum {
	CHECKPOINT_PATH_MAX = 1024,
	CHECKPOINT_ROW_MOST =
		8 * LINE_MOST, /* a whole line of the log, should each byte be escaped, and what goes with it */
};

struct checkpoint {
	FILE *to;
	char file[CHECKPOINT_PATH_MAX], new_file[CHECKPOINT_PATH_MAX];
	uint64_t hash;
	int64_t rows;
	bool cut; /* a row had more than it may */
	struct text row;
	char memory[CHECKPOINT_ROW_MOST];
};

/* ---- writing */

struct checkpoint *checkpoint_begin(const char *file, char *error, size_t error_size)
{
	struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
	if (checkpoint == NULL) {
		snprintf(error, error_size, "no memory for the checkpoint");
		return NULL;
	}
	struct text name = text_over(checkpoint->new_file, sizeof checkpoint->new_file);
	text_addf(&name, "%s.new", file);
	text_copy(checkpoint->file, sizeof checkpoint->file, file);
	int fd = open(checkpoint->new_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	checkpoint->to = fd >= 0 && !name.cut ? fdopen(fd, "w") : NULL;
	if (checkpoint->to == NULL) {
		snprintf(error, error_size, "%s: it cannot be written: %s", checkpoint->new_file, strerror(errno));
		if (fd >= 0)
			close(fd);
		free(checkpoint);
		return NULL;
	}
	fprintf(checkpoint->to, CHECKPOINT_MAGIC "\t%d\n", CHECKPOINT_VERSION);
	return checkpoint;
}

void checkpoint_row_begin(struct checkpoint *checkpoint, const char *word)
{
	checkpoint->row = text_over(checkpoint->memory, sizeof checkpoint->memory);
	text_add(&checkpoint->row, word);
}

void checkpoint_add(struct checkpoint *checkpoint, const char *bytes, size_t length)
{
	struct text *row = &checkpoint->row;
	size_t from = 0;
	text_add_bytes(row, "\t", 1);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)bytes[i];
		if (byte >= 0x20 && byte != '\\' && byte != 0x7f)
			continue;
		text_add_bytes(row, bytes + from, i - from);
		text_addf(row, "\\x%02x", byte);
		from = i + 1;
	}
	text_add_bytes(row, bytes + from, length - from);
}

void checkpoint_add_string(struct checkpoint *checkpoint, const char *string)
{
	checkpoint_add(checkpoint, string, strlen(string));
}

void checkpoint_add_int(struct checkpoint *checkpoint, int64_t number)
{
	char digits[24];
	snprintf(digits, sizeof digits, "%" PRId64, number);
	checkpoint_add_string(checkpoint, digits);
}

void checkpoint_row_end(struct checkpoint *checkpoint)
{
	struct text *row = &checkpoint->row;
	checkpoint->cut |= row->cut;
	checkpoint->hash = hash_bytes(row->at, row->length, checkpoint->hash);
	checkpoint->rows++;
	fprintf(checkpoint->to, "%s\n", row->at); /* checkpoint_commit() asks for errors */
}

bool checkpoint_commit(struct checkpoint **checkpoint, char *error, size_t error_size)
{
	struct checkpoint *done = *checkpoint;
	*checkpoint = NULL;
	fprintf(done->to, "end\t%" PRId64 "\t%016" PRIx64 "\n", done->rows, done->hash);
	errno = EMSGSIZE;
	bool whole = !done->cut && fflush(done->to) == 0 && !ferror(done->to) && fdatasync(fileno(done->to)) == 0;
	int number = errno;
	whole = fclose(done->to) == 0 && whole;
	if (whole && rename(done->new_file, done->file) != 0) {
		number = errno;
		whole = false;
	}
	if (!whole) {
		snprintf(error, error_size, "%s: it cannot be written: %s", done->file, strerror(number));
		unlink(done->new_file);
	}
	free(done);
	return whole;
}

void checkpoint_abandon(struct checkpoint **checkpoint)
{
	fclose((*checkpoint)->to);
	unlink((*checkpoint)->new_file);
	free(*checkpoint);
	*checkpoint = NULL;
}

/* ---- reading */

/* In place: the text only becomes shorter. False: an escape that is none. */
static bool checkpoint_unescape(struct span *field)
{
	char *at = (char *)(uintptr_t)field->at, *to = at;
	for (const char *end = at + field->length; at < end; at++) {
		unsigned value;
		char digits[3] = "";
		if (*at == '\\') {
			if (end - at < 4 || at[1] != 'x')
				return false;
			memcpy(digits, at + 2, 2);
			if (strspn(digits, "0123456789abcdef") != 2 || sscanf(digits, "%x", &value) != 1 ||
			    value > 0xff)
				return false;
			*to++ = (char)value;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	field->length = (size_t)(to - field->at);
	return true;
}

/* One line, whose newline becomes a NUL, as each tab does. */
static bool checkpoint_split(char *line, char *end, struct checkpoint_row *row)
{
	row->count = 0;
	*end = '\0';
	for (char *at = line;;) {
		char *stop = memchr(at, '\t', (size_t)(end - at));
		if (row->count == CHECKPOINT_FIELDS_MOST)
			return false;
		struct span *field = &row->fields[row->count++];
		*field = (struct span){ at, (size_t)((stop != NULL ? stop : end) - at) };
		if (stop != NULL)
			*stop = '\0';
		if (!checkpoint_unescape(field))
			return false;
		if (stop == NULL)
			return true;
		at = stop + 1;
	}
}

/* The first line and the last one; what is between them goes to *rows_out. False with half a sentence. */
static bool checkpoint_check(char *bytes, size_t length, struct span *rows_out, char *error, size_t error_size)
{
	struct checkpoint_row row;
	int64_t version, count, rows = 0;
	uint64_t hash = 0;
	char *first = length > 0 ? memchr(bytes, '\n', length - 1) : NULL, *last = first, digits[20];
	if (first == NULL || bytes[length - 1] != '\n') {
		snprintf(error, error_size, "it is cut off");
		return false;
	}
	for (char *end; (end = memchr(last + 1, '\n', (size_t)(bytes + length - last - 1))) != bytes + length - 1;
	     rows++) {
		hash = hash_bytes(last + 1, (size_t)(end - last - 1), hash);
		last = end;
	}
	*rows_out = (struct span){ first + 1, (size_t)(last - first) };
	snprintf(digits, sizeof digits, "%016" PRIx64, hash);
	if (!checkpoint_split(bytes, first, &row) || !span_is(row.fields[0], CHECKPOINT_MAGIC) ||
	    !checkpoint_int(&row, 1, &version))
		snprintf(error, error_size, "it is none of penstock-follow's");
	else if (version != CHECKPOINT_VERSION)
		snprintf(error, error_size, "it is of version %" PRId64 ", expected %d", version, CHECKPOINT_VERSION);
	else if (!checkpoint_split(last + 1, bytes + length - 1, &row) || !span_is(row.fields[0], "end") ||
		 !checkpoint_int(&row, 1, &count) || count != rows || strcmp(checkpoint_string(&row, 2), digits) != 0)
		snprintf(error, error_size, "it is cut off, or was changed");
	else
		return true;
	return false;
}

bool checkpoint_parse(char *bytes, size_t length, checkpoint_take *take, void *arg, char *error, size_t error_size)
{
	struct checkpoint_row row;
	struct span rows;
	if (!checkpoint_check(bytes, length, &rows, error, error_size))
		return false;
	char *at = bytes + (rows.at - bytes), *stop = at + rows.length;
	for (char *end; at < stop; at = end + 1) {
		end = memchr(at, '\n', (size_t)(stop - at));
		if (end == NULL || !checkpoint_split(at, end, &row) || !take(arg, &row)) {
			snprintf(error, error_size, "its row %.20s means nothing", at);
			return false;
		}
	}
	return true;
}

bool checkpoint_load(const char *file, checkpoint_take *take, void *arg, bool *found_out, char *error,
		     size_t error_size)
{
	const char *why;
	char half[128];
	struct stat stat = { 0 };
	*found_out = false;
	int fd = plain_file_open(file, O_RDONLY, &why);
	if (fd < 0) {
		snprintf(error, error_size, "%s: it cannot be read: %s", file, why);
		return errno == ENOENT;
	}
	char *bytes = NULL;
	size_t length = 0;
	bool whole = false;
	if (fstat(fd, &stat) != 0 || stat.st_size > CHECKPOINT_BYTES_MOST ||
	    (bytes = malloc((size_t)stat.st_size + 1)) == NULL) {
		*found_out = stat.st_size > CHECKPOINT_BYTES_MOST; /* no try later will help */
		snprintf(half, sizeof half, "it has more than %d bytes, or there is no memory", CHECKPOINT_BYTES_MOST);
	} else {
		for (ssize_t got; length < (size_t)stat.st_size &&
				  (got = read(fd, bytes + length, (size_t)stat.st_size - length)) > 0;)
			length += (size_t)got;
		*found_out = true;
		whole = checkpoint_parse(bytes, length, take, arg, half, sizeof half);
	}
	close(fd);
	free(bytes);
	if (!whole)
		snprintf(error, error_size, "%s: %s", file, half);
	return whole;
}

/* ---- fields */

bool checkpoint_int(const struct checkpoint_row *row, int at, int64_t *number_out)
{
	const char *digits = checkpoint_string(row, at), *digit = digits + (*digits == '-');
	char *end;
	if (*digit < '0' || *digit > '9') /* all that strtoll() would pass over */
		return false;
	errno = 0;
	int64_t number = strtoll(digits, &end, 10);
	if (*end != '\0' || errno != 0)
		return false;
	*number_out = number;
	return true;
}

const char *checkpoint_string(const struct checkpoint_row *row, int at)
{
	return at < row->count ? row->fields[at].at : "";
}

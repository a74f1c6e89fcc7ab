/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file of traps: each line of it is a trap, a note or an error; none is lost.
 */
#include "milter/daemon/traps.h"
#include "policy/address.h"

#include "t/fuzz/fuzz.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void check_line(const struct traps *traps, const char *line, size_t length)
{
	char address[ADDRESS_MAX + 1];
	const char *note = memchr(line, '#', length);
	length = note != NULL ? (size_t)(note - line) : length;
	for (; length > 0 && is_blank(*line); line++)
		length--;
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	if (length == 0)
		return;
	char *word = string_of(line, length);
	MUST(strlen(word) == length && address_normal(word, address) && address_domain(address)[0] != '\0');
	MUST(traps_have(traps, address));
	if (address[0] == '@') {
		char somebody[ADDRESS_MAX + 2];
		snprintf(somebody, sizeof somebody, "x%s", address);
		MUST(traps_have(traps, somebody));
	}
	free(word);
}

static void check_traps(const struct traps *traps, const char *at, size_t size)
{
	for (const char *end = at + size; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t length = stop != NULL ? (size_t)(stop - at) : (size_t)(end - at);
		check_line(traps, at, length);
		at += length + (stop != NULL);
	}
	MUST(!traps_have(traps, "") && !traps_have(traps, "nobody"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[MEMORY_FILE_NAME], error[300] = "";
	int fd = memory_file(data, size, name);
	struct traps *traps = traps_read(name, error, sizeof error);
	MUST((traps == NULL) == (error[0] != '\0') && strlen(error) < sizeof error - 1);
	MUST(traps != NULL || strncmp(error, name, strlen(name)) == 0);
	if (traps != NULL)
		check_traps(traps, (const char *)data, size);
	traps_free(&traps);
	close(fd);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of what clients did, as the stream and standard input bring them; and names of strangers' bytes. What is read
 * is written as it was read, and read again as the same.
 */
#include "redis-schema/client_note.h"

#include "t/fuzz/fuzz.h"

static void check_name(const struct client_note *note)
{
	size_t length = strlen(note->name);
	MUST(length <= CLIENT_NOTE_NAME_MAX);
	for (size_t i = 0; i < length; i++)
		MUST((unsigned char)note->name[i] >= 0x20 && note->name[i] != 0x7f);
}

static void check_again(const struct client_note *note)
{
	char row[CLIENT_NOTE_ROW_MAX], again[CLIENT_NOTE_ROW_MAX], error[200];
	struct client_note read;
	check_name(note);
	size_t length = client_note_write(note, row);
	MUST(length > 0 && length < CLIENT_NOTE_ROW_MAX - 1 && row[length - 1] == '\n' && strlen(row) == length);
	MUST(memchr(row, '\n', length) == row + length - 1);
	MUST(client_note_read(row, length, &read, error, sizeof error));
	MUST(read.time_s == note->time_s && netaddr_same(&read.client, &note->client) && read.event == note->event);
	MUST(read.stage == note->stage && read.service == note->service && strcmp(read.name, note->name) == 0);
	MUST(client_note_write(&read, again) == length && memcmp(row, again, length) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_note note;
	char error[200] = "";
	char *bytes = string_of(data, size);
	if (client_note_read(bytes, size, &note, error, sizeof error))
		check_again(&note);
	else
		MUST(error[0] != '\0' && strlen(error) < sizeof error);
	struct client_note named = { .time_s = 1,
				     .client = netaddr_v4((const uint8_t[]){ 192, 0, 2, 7 }),
				     .event = CLIENT_EVENT_AUTH_FAILURE };
	client_note_name(&named, bytes, size);
	check_again(&named);
	free(bytes);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/client_note.h"

#include "policy/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

#define TIME_MOST INT64_C(4102444800) /* the year 2100 */

enum { WORD_MAX = 3 * CLIENT_NOTE_NAME_MAX };

enum note_word { WORD_TIME, WORD_ADDRESS, WORD_EVENT, WORD_STAGE, WORD_SERVICE, WORD_NAME, WORD_COUNT };

/* ---- names */

static bool client_note_is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
	       c == '-';
}

/* Bytes of the UTF-8 character that begins here (RFC 3629); 0: none does. Control characters of C1 are none either. */
static size_t client_note_utf8(const unsigned char *at, size_t left)
{
	static const struct {
		unsigned char first_from, first_to, second_from, second_to;
		size_t length;
	} rows[] = {
		{ 0xc2, 0xc2, 0xa0, 0xbf, 2 }, { 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (at[0] < rows[i].first_from || at[0] > rows[i].first_to || rows[i].length > left)
			continue;
		bool whole = at[1] >= rows[i].second_from && at[1] <= rows[i].second_to;
		for (size_t more = 2; more < rows[i].length; more++)
			whole = whole && (at[more] & 0xc0) == 0x80;
		return whole ? rows[i].length : 0;
	}
	return 0;
}

void client_note_name(struct client_note *note, const char *bytes, size_t length)
{
	const unsigned char *from = (const unsigned char *)bytes;
	size_t used = 0;
	for (size_t at = 0, step; at < length; at += step) {
		bool ascii = from[at] >= 0x20 && from[at] < 0x7f;
		size_t whole = ascii ? 1 : client_note_utf8(from + at, length - at);
		step = whole > 0 ? whole : 1;
		if (used + step > CLIENT_NOTE_NAME_MAX)
			break;
		if (whole > 0)
			memcpy(note->name + used, from + at, step);
		else
			note->name[used] = '?';
		used += step;
	}
	note->name[used] = '\0';
}

/* ---- writing */

static void client_note_escape(struct text *row, const char *name)
{
	if (name[0] == '\0') {
		text_add(row, "-");
		return;
	}
	bool alone = strcmp(name, "-") == 0; /* it would be none */
	for (const char *at = name; *at != '\0'; at++) {
		if (client_note_is_plain((unsigned char)*at) && !alone)
			text_add_bytes(row, at, 1);
		else
			text_addf(row, "%%%02X", (unsigned)(unsigned char)*at);
	}
}

size_t client_note_write(const struct client_note *note, char to[CLIENT_NOTE_ROW_MAX])
{
	char address[NETADDR_TEXT_MAX];
	struct text row = text_over(to, CLIENT_NOTE_ROW_MAX);
	netaddr_text(&note->client, address);
	text_addf(&row, "%" PRId64 " %s %s %s %s ", note->time_s, address, client_event_word(note->event),
		  client_stage_word(note->stage), client_service_word(note->service));
	client_note_escape(&row, note->name);
	text_add(&row, "\n");
	return row.length;
}

/* ---- reading */

struct note_words {
	char at[WORD_COUNT][WORD_MAX + 1];
};

static bool client_note_says(char *error, size_t size, const char *what, const char *value, const char *wanted)
{
	char shown[41];
	struct text word = text_over(shown, sizeof shown);
	text_add_word(&word, value);
	struct text sentence = text_over(error, size);
	text_addf(&sentence, "%s is \"%s%s\"; expected %s.", what, shown, word.cut ? "..." : "", wanted);
	return false;
}

/* Six words, each parted from the next by one blank. */
static bool client_note_split(const char *row, size_t length, struct note_words *words_out, char *error, size_t size)
{
	static const char wanted[] = "TIME ADDRESS EVENT STAGE SERVICE NAME, parted by one blank each";
	const char *at = row, *end = row + length;
	for (int i = 0; i < WORD_COUNT; i++) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		const char *stop = blank != NULL ? blank : end;
		size_t used = (size_t)(stop - at);
		bool last = i == WORD_COUNT - 1;
		bool fine = used > 0 && used <= WORD_MAX && last == (blank == NULL) && memchr(at, '\0', used) == NULL;
		if (!fine) {
			char shown[81];
			struct text text = text_over(shown, sizeof shown);
			text_add_bytes(&text, row, length);
			return client_note_says(error, size, "The row", shown, wanted);
		}
		memcpy(words_out->at[i], at, used);
		words_out->at[i][used] = '\0';
		at = last ? end : blank + 1;
	}
	return true;
}

static bool client_note_unescape(const char *word, struct client_note *note)
{
	char bytes[WORD_MAX];
	size_t length = 0;
	for (const char *at = word; *at != '\0'; at++) {
		int high = *at == '%' ? text_hex(at[1]) : -1, low = high >= 0 ? text_hex(at[2]) : -1;
		if (*at == '%' && low < 0)
			return false;
		if (*at != '%' && !client_note_is_plain((unsigned char)*at))
			return false;
		bytes[length++] = *at == '%' ? (char)(high * 16 + low) : *at;
		at += *at == '%' ? 2 : 0;
	}
	client_note_name(note, bytes, length);
	return true;
}

bool client_note_read(const char *row, size_t length, struct client_note *note_out, char *error, size_t error_size)
{
	struct note_words words;
	struct client_note note = { 0 };
	if (length > 0 && row[length - 1] == '\n')
		length--;
	if (!client_note_split(row, length, &words, error, error_size))
		return false;
	char(*word)[WORD_MAX + 1] = words.at;
	if (!text_to_int(word[WORD_TIME], 1, TIME_MOST, &note.time_s))
		return client_note_says(error, error_size, "The time", word[WORD_TIME], "seconds of Unix time");
	if (!netaddr_parse(word[WORD_ADDRESS], &note.client))
		return client_note_says(error, error_size, "The address", word[WORD_ADDRESS],
					"an IPv4 or IPv6 address");
	note.event = client_event_find(word[WORD_EVENT]);
	if (note.event == CLIENT_EVENT_COUNT)
		return client_note_says(error, error_size, "The event", word[WORD_EVENT],
					"a word such as auth_failure or no_quit");
	note.stage = client_stage_find(word[WORD_STAGE]);
	if (note.stage == CLIENT_STAGE_COUNT)
		return client_note_says(error, error_size, "The stage", word[WORD_STAGE],
					"\"-\" or a word such as helo");
	note.service = client_service_find(word[WORD_SERVICE]);
	if (note.service == CLIENT_SERVICE_COUNT)
		return client_note_says(error, error_size, "The service", word[WORD_SERVICE],
					"a word such as smtp, imap or sip");
	if (strcmp(word[WORD_NAME], "-") != 0 && !client_note_unescape(word[WORD_NAME], &note))
		return client_note_says(error, error_size, "The name", word[WORD_NAME],
					"letters, digits, . _ - and %XX for each other byte");
	*note_out = note;
	return true;
}

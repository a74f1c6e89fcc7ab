/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/feedback/report.h"

#include "milter/feedback/token.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

#define HEADER_OF_RFC_9477 "CFBL-Feedback-ID"
#define OLD_JMRP_RCPT "X-HmXmrOriginalRecipient"

/* ---- values */

static bool report_begins(const char *string, const char *start)
{
	for (; *start != '\0'; string++, start++)
		if (text_lower(*string) != text_lower(*start))
			return false;
	return true;
}

static const char *report_skip_blanks(const char *value)
{
	return value + strspn(value, " \t\r\n");
}

/* Copies up to the first byte of `ends`, printable ASCII and UTF-8 alone; a value that was there stays. */
static void report_keep(char *to, size_t size, const char *value, const char *ends)
{
	if (*to != '\0')
		return;
	struct text text = text_over(to, size);
	for (value = report_skip_blanks(value); *value != '\0' && strchr(ends, *value) == NULL; value++)
		text_add_bytes(&text, (unsigned char)*value < ' ' || *value == 0x7f ? "?" : value, 1);
	while (text.length > 0 && to[text.length - 1] == ' ')
		to[--text.length] = '\0';
}

/* "rfc822; <bob@example.net>": without the type and the brackets. */
static void report_keep_address(char *to, size_t size, const char *value)
{
	const char *semicolon = strchr(value, ';');
	value = report_skip_blanks(semicolon != NULL ? semicolon + 1 : value);
	value += *value == '<';
	report_keep(to, size, value, "> \t,;");
}

static void report_keep_word(char *to, size_t size, const char *value)
{
	report_keep(to, size, value, " \t;,(");
	for (; *to != '\0'; to++)
		*to = text_lower(*to);
}

/* Whoever forwards a message may put an identifier of his own above ours. */
static void report_keep_token(char *to, const char *value)
{
	bool known = report_begins(report_skip_blanks(value), TOKEN_BEGINS) && !report_begins(to, TOKEN_BEGINS);
	if (known)
		*to = '\0';
	report_keep(to, REPORT_TOKEN_MAX + 1, value, " \t");
}

static void report_read_boundary(struct report_reader *reader, const char *value)
{
	static const char name[] = "boundary=";
	while (*value != '\0' && !report_begins(value, name))
		value++;
	if (*value == '\0')
		return;
	value += strlen(name);
	bool quoted = *value == '"';
	size_t length = strcspn(value += quoted, quoted ? "\"" : "; \t\r\n(");
	if (length > REPORT_BOUNDARY_MAX)
		return;
	memcpy(reader->boundary, value, length);
	reader->boundary[length] = '\0';
}

/* ---- fields */

static enum report_part report_part_of(const char *type)
{
	static const struct {
		const char *type;
		enum report_part part;
	} rows[] = {
		{ "message/feedback-report", PART_COMPLAINT },
		{ "message/delivery-status", PART_BOUNCE },
		{ "message/global-delivery-status", PART_BOUNCE },
		{ "message/rfc822", PART_MESSAGE }, /* and -headers */
		{ "text/rfc822-headers", PART_MESSAGE },
		{ "message/global-headers", PART_MESSAGE },
		{ "message/global", PART_MESSAGE },
		{ "text/plain", PART_TEXT },
	};
	type = report_skip_blanks(type);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (report_begins(type, rows[i].type))
			return rows[i].part;
	return PART_OTHER;
}

static void report_on_mime(struct report_reader *reader, const char *name, const char *value)
{
	value = report_skip_blanks(value);
	if (text_same_nocase(name, "Content-Type"))
		reader->part = report_part_of(value);
	else if (text_same_nocase(name, "Content-Transfer-Encoding"))
		reader->encoding = report_begins(value, "base64")	      ? ENCODING_BASE64
				   : report_begins(value, "quoted-printable") ? ENCODING_QUOTED
									      : ENCODING_NONE;
}

static void report_on_top(struct report_reader *reader, const char *name, const char *value)
{
	report_on_mime(reader, name, value);
	if (text_same_nocase(name, "From"))
		report_keep(reader->from, sizeof reader->from, value, "");
	else if (text_same_nocase(name, "Auto-Submitted"))
		reader->automatic = report_begins(report_skip_blanks(value), "auto-replied");
	else if (text_same_nocase(name, OLD_JMRP_RCPT))
		report_keep_address(reader->report.rcpt, sizeof reader->report.rcpt, value);
	if (!text_same_nocase(name, "Content-Type") || !report_begins(report_skip_blanks(value), "multipart/"))
		return;
	reader->several = true;
	reader->receipt = report_begins(report_skip_blanks(value), "multipart/report");
	report_read_boundary(reader, value);
}

static bool report_is_token(const struct report_reader *reader, const char *name)
{
	return text_same_nocase(name, reader->header) || text_same_nocase(name, HEADER_OF_RFC_9477);
}

static void report_on_complaint(struct report_reader *reader, const char *name, const char *value)
{
	struct feedback_report *report = &reader->report;
	if (text_same_nocase(name, "Feedback-Type"))
		report_keep_word(report->type, sizeof report->type, value);
	else if (text_same_nocase(name, "Original-Rcpt-To"))
		report_keep_address(report->rcpt, sizeof report->rcpt, value);
	else if (text_same_nocase(name, "User-Agent"))
		report_keep(report->source, sizeof report->source, value, "");
	else if (report_is_token(reader, name))
		report_keep_token(report->token, value);
}

/* Of the groups of fields, RFC 3464 section 2, the first is about the message and each other about a recipient. */
static void report_end_recipient(struct report_reader *reader)
{
	struct feedback_report *report = &reader->report;
	if (reader->failed && report->status_count < REPORT_STATUSES_MAX)
		memcpy(report->status[report->status_count++], reader->status, sizeof reader->status);
	reader->failed = false;
	reader->status[0] = '\0';
}

static void report_on_bounce(struct report_reader *reader, const char *name, const char *value)
{
	struct feedback_report *report = &reader->report;
	char word[REPORT_WORD_MAX + 1] = "";
	if (text_same_nocase(name, "Original-Envelope-Id")) {
		report_keep_token(reader->envelope, value);
	} else if (text_same_nocase(name, "Reporting-MTA")) {
		const char *semicolon = strchr(value, ';');
		report_keep(report->source, sizeof report->source, semicolon != NULL ? semicolon + 1 : value, "");
	} else if (text_same_nocase(name, "Final-Recipient")) {
		report_keep_address(report->rcpt, sizeof report->rcpt, value);
	} else if (text_same_nocase(name, "Status")) {
		report_keep(reader->status, sizeof reader->status, value, " \t(");
	} else if (text_same_nocase(name, "Action")) {
		report_keep_word(word, sizeof word, value);
		reader->failed = strcmp(word, "failed") == 0;
		if (strcmp(report->type, "failed") != 0)
			memcpy(report->type, word, sizeof report->type);
	}
}

static void report_on_message(struct report_reader *reader, const char *name, const char *value)
{
	struct feedback_report *report = &reader->report;
	if (report_is_token(reader, name))
		report_keep_token(report->token, value);
	else if (text_same_nocase(name, OLD_JMRP_RCPT))
		report_keep_address(report->rcpt, sizeof report->rcpt, value);
	else if (text_same_nocase(name, "Content-Type"))
		report->nested |= report_begins(report_skip_blanks(value), "multipart/report") ||
				  report_part_of(value) == PART_COMPLAINT || report_part_of(value) == PART_BOUNCE;
}

/* A whole field of whatever is being read. */
static void report_end_field(struct report_reader *reader)
{
	reader->field[reader->field_length] = '\0';
	reader->field_length = 0;
	char *colon = strchr(reader->field, ':');
	if (colon == NULL)
		return;
	*colon = '\0';
	reader->field[strcspn(reader->field, " \t")] = '\0';
	if (reader->section == SECTION_TOP)
		report_on_top(reader, reader->field, colon + 1);
	else if (reader->section == SECTION_PART)
		report_on_mime(reader, reader->field, colon + 1);
	else if (reader->part == PART_COMPLAINT)
		report_on_complaint(reader, reader->field, colon + 1);
	else if (reader->part == PART_BOUNCE)
		report_on_bounce(reader, reader->field, colon + 1);
	else if (reader->part == PART_MESSAGE)
		report_on_message(reader, reader->field, colon + 1);
}

/* A line of a header; the blank one is its caller's. */
static void report_add_field(struct report_reader *reader, const char *line, size_t length)
{
	if (line[0] != ' ' && line[0] != '\t')
		report_end_field(reader);
	size_t room = REPORT_FIELD_MAX - reader->field_length;
	memcpy(reader->field + reader->field_length, line, length < room ? length : room);
	reader->field_length += length < room ? length : room;
}

/* ---- parts */

/* A message that is quoted in a text: its header's lines may be indented. */
static void report_text_line(struct report_reader *reader, const char *line)
{
	line += strspn(line, "> \t|");
	size_t name = strcspn(line, ": \t");
	char field[64];
	if (line[name] != ':' || name >= sizeof field)
		return;
	memcpy(field, line, name);
	field[name] = '\0';
	if (report_is_token(reader, field))
		report_keep_token(reader->report.token, line + name + 1);
}

/* A line of a part, decoded. */
static void report_inside_line(struct report_reader *reader, const char *line, size_t length)
{
	if (reader->inside_ended)
		return;
	if (reader->part == PART_TEXT) {
		report_text_line(reader, line);
	} else if (length > 0) {
		report_add_field(reader, line, length);
	} else {
		report_end_field(reader);
		if (reader->part == PART_MESSAGE)
			reader->inside_ended = true; /* its text is its author's */
		else if (reader->part == PART_BOUNCE)
			report_end_recipient(reader);
	}
}

static void report_inside_end_line(struct report_reader *reader)
{
	struct report_line *line = &reader->inside;
	while (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	line->text[line->length] = '\0';
	report_inside_line(reader, line->text, line->length);
	line->length = 0;
}

static void report_inside_byte(struct report_reader *reader, char byte)
{
	struct report_line *line = &reader->inside;
	if (byte == '\n')
		report_inside_end_line(reader);
	else if (line->length < REPORT_LINE_MAX && byte != '\0')
		line->text[line->length++] = byte;
}

static int report_base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *found = c == '\0' ? NULL : strchr(digits, c);
	return found == NULL ? -1 : (int)(found - digits);
}

static void report_base64_line(struct report_reader *reader, const char *line)
{
	for (; *line != '\0'; line++) {
		int value = report_base64_value(*line);
		if (value < 0)
			continue;
		reader->bits = (reader->bits << 6 | (unsigned)value) & 0xffffU;
		reader->bit_count += 6;
		if (reader->bit_count < 8)
			continue;
		reader->bit_count -= 8;
		report_inside_byte(reader, (char)(reader->bits >> reader->bit_count & 0xff));
	}
}

static void report_quoted_line(struct report_reader *reader, const char *line)
{
	for (; *line != '\0'; line++) {
		if (*line == '=' && line[1] == '\0')
			return; /* a soft line break */
		int high = *line == '=' ? text_hex(line[1]) : -1;
		int low = high >= 0 ? text_hex(line[2]) : -1;
		report_inside_byte(reader, low >= 0 ? (char)(high << 4 | low) : *line);
		line += low >= 0 ? 2 : 0;
	}
	report_inside_byte(reader, '\n');
}

static void report_end_part(struct report_reader *reader)
{
	if (reader->section != SECTION_BODY)
		return;
	if (reader->inside.length > 0)
		report_inside_end_line(reader);
	report_end_field(reader);
	if (reader->part == PART_BOUNCE)
		report_end_recipient(reader);
}

static void report_begin_body(struct report_reader *reader)
{
	bool again = reader->part == PART_MESSAGE && reader->held;
	reader->section = again || reader->part == PART_OTHER ? SECTION_SKIP : SECTION_BODY;
	reader->saw_complaint |= reader->part == PART_COMPLAINT;
	reader->saw_bounce |= reader->part == PART_BOUNCE;
	reader->held |= reader->part == PART_MESSAGE;
	reader->inside_ended = false;
	reader->bits = reader->bit_count = 0;
	reader->inside.length = 0;
}

static void report_begin_part(struct report_reader *reader)
{
	reader->section = ++reader->parts > REPORT_PARTS_MAX ? SECTION_SKIP : SECTION_PART;
	reader->part = PART_TEXT;
	reader->encoding = ENCODING_NONE;
	reader->field_length = 0;
}

/* ---- lines of the message */

static bool report_boundary_line(const struct report_reader *reader, const char *line, bool *closes_out)
{
	size_t length = strlen(reader->boundary);
	if (length == 0 || line[0] != '-' || line[1] != '-' || strncmp(line + 2, reader->boundary, length) != 0)
		return false;
	line += 2 + length;
	*closes_out = line[0] == '-' && line[1] == '-';
	line += *closes_out ? 2 : 0;
	return line[strspn(line, " \t")] == '\0';
}

static void report_body_line(struct report_reader *reader, const char *line, size_t length)
{
	if (reader->encoding == ENCODING_BASE64)
		report_base64_line(reader, line);
	else if (reader->encoding == ENCODING_QUOTED)
		report_quoted_line(reader, line);
	else
		report_inside_line(reader, line, length);
}

static void report_take_line(struct report_reader *reader, const char *line, size_t length)
{
	bool closes = false;
	if (reader->section != SECTION_TOP && report_boundary_line(reader, line, &closes)) {
		report_end_part(reader);
		if (closes) {
			reader->section = SECTION_SKIP;
			reader->boundary[0] = '\0';
		} else {
			report_begin_part(reader);
		}
	} else if (reader->section == SECTION_BODY) {
		report_body_line(reader, line, length);
	} else if (reader->section != SECTION_SKIP && length > 0) {
		report_add_field(reader, line, length);
	} else if (reader->section != SECTION_SKIP) {
		report_end_field(reader);
		if (reader->section == SECTION_TOP && reader->several)
			reader->section = SECTION_SKIP; /* the preamble */
		else
			report_begin_body(reader);
	}
}

static void report_end_line(struct report_reader *reader)
{
	struct report_line *line = &reader->line;
	while (line->length > 0 && line->text[line->length - 1] == '\r')
		line->length--;
	line->text[line->length] = '\0';
	report_take_line(reader, line->text, line->length);
	line->length = 0;
}

/* ---- the message */

void report_begin(struct report_reader *reader, const char *header)
{
	memset(reader, 0, sizeof *reader);
	reader->header = header;
}

void report_add(struct report_reader *reader, const char *bytes, size_t length)
{
	struct report_line *line = &reader->line;
	if (length > REPORT_BYTES_MAX - reader->bytes)
		length = REPORT_BYTES_MAX - reader->bytes;
	reader->bytes += length;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\n')
			report_end_line(reader);
		else if (line->length < REPORT_LINE_MAX && bytes[i] != '\0')
			line->text[line->length++] = bytes[i];
	}
}

const struct feedback_report *report_end(struct report_reader *reader)
{
	struct feedback_report *report = &reader->report;
	if (reader->line.length > 0)
		report_end_line(reader);
	report_end_part(reader);
	/* the envelope's may be the client's own: he is free to write what he likes there, not in our header */
	if (!report_begins(report->token, TOKEN_BEGINS) && *reader->envelope != '\0')
		text_copy(report->token, sizeof report->token, reader->envelope);
	if (reader->saw_complaint)
		report->form = REPORT_COMPLAINT;
	else if (reader->saw_bounce)
		report->form = REPORT_BOUNCE;
	else if (reader->receipt || reader->automatic)
		report->form = REPORT_AUTOMATIC;
	else if (reader->held || report->token[0] != '\0')
		report->form = REPORT_FORWARDED;
	report_keep(report->source, sizeof report->source, reader->from, "");
	return report;
}

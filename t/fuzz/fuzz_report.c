/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any message: what is read of it fits its room, has no control bytes, and does not depend on the pieces it came in.
 */
#include "milter/feedback/report.h"
#include "t/fuzz/fuzz.h"

static void must_be_line(const char *text, size_t most)
{
	MUST(strlen(text) <= most);
	for (; *text != '\0'; text++)
		MUST((unsigned char)*text >= ' ' && *text != 0x7f);
}

static struct feedback_report read_in_pieces(const uint8_t *data, size_t size, size_t piece)
{
	static struct report_reader reader;
	report_begin(&reader, "X-Id");
	for (size_t at = 0; at < size; at += piece) {
		size_t length = size - at < piece ? size - at : piece;
		char *copy = malloc(length);
		MUST(copy != NULL);
		memcpy(copy, data + at, length);
		report_add(&reader, copy, length);
		free(copy);
	}
	return *report_end(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feedback_report whole = read_in_pieces(data, size, size > 0 ? size : 1),
			       pieces = read_in_pieces(data, size, 1 + size / 7);
	MUST(memcmp(&whole, &pieces, sizeof whole) == 0);
	must_be_line(whole.type, REPORT_WORD_MAX);
	must_be_line(whole.token, REPORT_TOKEN_MAX);
	must_be_line(whole.rcpt, ADDRESS_MAX);
	must_be_line(whole.source, REPORT_SOURCE_MAX);
	MUST(whole.status_count >= 0 && whole.status_count <= REPORT_STATUSES_MAX);
	for (int i = 0; i < whole.status_count; i++)
		must_be_line(whole.status[i], REPORT_STATUS_MAX);
	return 0;
}

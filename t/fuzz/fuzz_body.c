/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A message's header and body in pieces: the reader of MIME, and of the header fields that matter.
 */
#include "milter/message/body.h"
#include "milter/message/anomaly.h"

#include "policy/base/panic.h"

#include <string.h>

enum { VALUE_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_body(const struct body *body)
{
	MUST(body->depth >= 0 && body->depth <= BODY_DEPTH_MAX && body->looked <= BODY_LOOKED_MAX);
	MUST(body->line_length <= BODY_LINE_MAX && body->field_length <= BODY_FIELD_MAX);
	for (int i = 0; i < body->depth; i++)
		MUST(memchr(body->boundaries[i], '\0', sizeof body->boundaries[i]) != NULL &&
		     body->boundaries[i][0] != '\0');
}

/* The first byte says how long the pieces are; a line of header follows, and the body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "Content-Type", "Content-Transfer-Encoding", "From", "To", "X-Mailer",
					     "Message-ID" };
	const struct facts facts = { .account = "a@example.com", .rcpts_remote = 20 };
	const uint64_t key[2] = { 1, 2 };
	const struct rcpts rcpts = { .key = key };
	struct anomaly_reader reader = { 0 };
	struct body body;
	char value[VALUE_MAX + 1];
	if (size < 2)
		return 0;
	size_t piece = data[0] % 64 + 1U, at = 1;
	body_begin(&body, key);
	for (size_t i = 0; i < sizeof names / sizeof names[0] && at < size; i++) {
		size_t length = 0;
		for (; at < size && data[at] != '\n' && length < VALUE_MAX; at++)
			value[length++] = (char)data[at];
		value[length] = '\0';
		at++;
		body_header(&body, names[i], value);
		anomaly_header(&reader, names[i], value, &rcpts, &facts);
	}
	body_header_end(&body);
	for (; at < size; at += piece) {
		body_add(&body, (const char *)data + at, size - at < piece ? size - at : piece);
		check_body(&body);
	}
	struct facts seen = { 0 };
	body_end(&body, "reply.example", &seen);
	MUST(seen.host_count > 0 && seen.host_count <= FACT_HOSTS_MAX + 1 && (seen.text == 0 || seen.fingerprint != 0));
	return 0;
}

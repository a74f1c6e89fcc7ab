/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Standard input, or another descriptor that is read once: no place is remembered.
 */
#include "milter/follow/source.h"

#include "milter/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy/base/banned.h"

struct source_stdin {
	struct log_source source;
	bool ended;
	struct line_split split;
	struct span chunk; /* of `bytes`, what is left */
	char bytes[64 * 1024];
};

static bool source_stdin_fill(struct source_stdin *from, enum source_got *why_out)
{
	struct pollfd ready = { .fd = from->source.fd, .events = POLLIN };
	*why_out = from->ended ? SOURCE_END : SOURCE_NOTHING;
	if (from->ended || poll(&ready, 1, 0) < 1)
		return false;
	ssize_t got = read(from->source.fd, from->bytes, sizeof from->bytes);
	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (got <= 0) {
		from->ended = true;
		*why_out = SOURCE_END;
		from->bytes[0] = '\n'; /* a last line without its newline is one */
		from->chunk = (struct span){ from->bytes, from->split.length > 0 ? 1 : 0 };
		return from->split.length > 0;
	}
	from->chunk = (struct span){ from->bytes, (size_t)got };
	return true;
}

static enum source_got source_stdin_next(struct log_source *source, struct log_head *head_out, bool *known_out)
{
	struct source_stdin *from = (struct source_stdin *)source;
	struct span line;
	enum source_got why;
	while (!line_split(&from->split, &from->chunk, &line))
		if (!source_stdin_fill(from, &why))
			return why;
	source->cut_lines = from->split.count;
	*known_out = line_head(line.at, line.length, clock_now_ms() / 1000, head_out);
	if (!*known_out)
		head_out->message = line;
	return SOURCE_LINE;
}

static void source_stdin_place(const struct log_source *source, struct source_place *place_out)
{
	(void)source;
	*place_out = (struct source_place){ 0 };
}

static void source_stdin_release(struct log_source *source)
{
	free(source);
}

struct log_source *source_stdin_open(int fd)
{
	struct source_stdin *from = calloc(1, sizeof *from);
	if (from == NULL)
		return NULL;
	from->source = (struct log_source){
		.fd = fd, .next = source_stdin_next, .place = source_stdin_place, .release = source_stdin_release
	};
	return &from->source;
}

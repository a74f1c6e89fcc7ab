/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Redis of t/fake by the clock of this host: requests from stdin, answers to stdout.
 */
#include "t/fake/redis_session.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool write_all(struct fake_bytes *out)
{
	while (out->length > 0) {
		ssize_t written = write(STDOUT_FILENO, out->at, out->length);
		if (written <= 0)
			return false;
		fake_bytes_cut(out, (size_t)written);
	}
	return true;
}

int main(void)
{
	static struct redis_data data = { .now_ms = now_ms };
	struct redis_session session;
	char bytes[4096];
	ssize_t length;
	bool fine = true;
	redis_session_open(&session, &data);
	while (fine && (length = read(STDIN_FILENO, bytes, sizeof bytes)) > 0) {
		redis_session_feed(&session, bytes, (size_t)length);
		fine = write_all(&session.out);
	}
	redis_session_close(&session);
	redis_data_clear(&data);
	return fine ? 0 : 1;
}

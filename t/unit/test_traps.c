/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of traps: what is one, and what is said of the rest.
 */
#include "milter/daemon/traps.h"

#include "t/unit/tap.h"

#include <sys/mman.h>
#include <unistd.h>

#define LONG "a234567890b234567890c234567890d234567890e234567890"

static struct traps *read_bytes(const char *bytes, size_t length, char error[300])
{
	char name[40];
	int fd = memfd_create("traps", 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	error[0] = '\0';
	struct traps *traps = write(fd, bytes, length) == (ssize_t)length ? traps_read(name, error, 300) : NULL;
	close(fd);
	return traps;
}

static void test_lines(void)
{
	/* clang-format off */
	static const struct {
		const char *bytes;
		size_t length;
		bool read;		/* -1: none of it is taken */
		const char *part;	/* of the error */
	} rows[] = {
#define ROW(bytes) bytes, sizeof bytes - 1
		{ ROW(""), true, "" },
		{ ROW("Trap@Example.com\n@bad.example\r\n# a note\n\n\t a@b.c \t# another"), true, "" },
		{ ROW("trap@example.com"), true, "" },
		{ ROW("a@b.c\nnobody\n"), false, ":2: is not a trap: \"nobody\", expected an address" },
		{ ROW("@com\n"), false, ":1: is not a trap" },
		{ ROW("@*.example.org\n"), false, ":1: is not a trap: \"@*.example.org\", expected an address or "
		  "@domain of at most 320 bytes; there are no wildcards" },
		{ ROW("joe@*.example.org\n"), false, "there are no wildcards" },
		{ ROW("*joe*@example.org\n"), true, "" },
		{ ROW("a@(b.example)\n"), false, ":1: is not a trap" },
		{ ROW("@a@b.example\n"), false, ":1: is not a trap" },
		{ ROW("a b@c.d\n"), false, ":1: is not a trap" },
		{ ROW("a@b.c\0d@e.f\n"), false, ":1: is not a trap: \"a@b.c" },
		{ ROW("a@b.c\rd@e.f\r"), false, ":1: is not a trap" },
		{ ROW("\0\na@b.c\n"), false, ":1: is not a trap" },
		{ ROW("a@b.c # " LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG LONG
		      LONG "\n"), false, ":1: is too long a line" },
	};
	/* clang-format on */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char error[300];
		struct traps *traps = read_bytes(rows[i].bytes, rows[i].length, error);
		is_int(traps != NULL, rows[i].read, "%.40s", rows[i].bytes);
		ok(strstr(error, rows[i].part) != NULL && (traps == NULL) == (error[0] != '\0'), "... %s", error);
		traps_free(&traps);
	}
}

/* As many as fit, and one more. */
static void test_most(void)
{
	static char bytes[9 * (TRAPS_MAX + 1)];
	char error[300];
	for (int i = 0; i <= TRAPS_MAX; i++) {
		char line[20];
		snprintf(line, sizeof line, "%04d@b.c", i % 10000);
		memcpy(bytes + 9 * i, line, 8);
		bytes[9 * i + 8] = '\n';
	}
	struct traps *traps = read_bytes(bytes, 9 * TRAPS_MAX, error);
	ok(traps != NULL && traps_have(traps, "0000@b.c") && traps_have(traps, "9999@b.c"), "a million traps: %s",
	   error);
	traps_free(&traps);
	traps = read_bytes(bytes, sizeof bytes, error);
	ok(traps == NULL && strstr(error, ":1000001: more than fits") != NULL, "and one more: %s", error);
	traps_free(&traps);
}

int main(void)
{
	test_lines();
	test_most();
	return done_testing();
}

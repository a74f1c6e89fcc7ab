/* SPDX-License-Identifier: BSD-2-Clause
 *
 * tap: the few calls a unit test needs to print TAP (Test Anything Protocol) for prove(1). Without a plan at the
 * start: end main with `return done_testing();`. Each check returns whether it held, so that a test may stop early.
 */
#ifndef PENSTOCK_TAP_H
#define PENSTOCK_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define TAP_UNUSED __attribute__((unused))
#define TAP_FORMAT(at, first) __attribute__((unused, format(printf, at, first)))

static int tap_count, tap_failed;

TAP_UNUSED static void tap_quoted(const char *string)
{
	if (string == NULL) {
		printf("NULL");
		return;
	}
	putchar('"');
	for (const char *at = string; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;
		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* A '#' in a name would start a TAP directive, a new line would end it: both are shown otherwise. */
TAP_UNUSED static bool tap_result(bool held, const char *format, va_list arguments)
{
	char name[400];
	vsnprintf(name, sizeof name, format, arguments);
	for (char *at = name; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == '#')
			*at = '.';
	tap_count++;
	tap_failed += held ? 0 : 1;
	printf("%sok %d - %s\n", held ? "" : "not ", tap_count, name);
	return held;
}

TAP_FORMAT(2, 3) static bool ok(bool held, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	tap_result(held, format, arguments);
	va_end(arguments);
	fflush(stdout);
	return held;
}

TAP_FORMAT(3, 4) static bool is_int(long long got, long long want, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool held = tap_result(got == want, format, arguments);
	va_end(arguments);
	if (!held)
		printf("#      got: %lld\n# expected: %lld\n", got, want);
	fflush(stdout);
	return held;
}

/* NULL is the same as NULL only. */
TAP_FORMAT(3, 4) static bool is_str(const char *got, const char *want, const char *format, ...)
{
	bool same = got == want || (got != NULL && want != NULL && strcmp(got, want) == 0);
	va_list arguments;
	va_start(arguments, format);
	tap_result(same, format, arguments);
	va_end(arguments);
	if (!same) {
		printf("#      got: ");
		tap_quoted(got);
		printf("\n# expected: ");
		tap_quoted(want);
		printf("\n");
	}
	fflush(stdout);
	return same;
}

TAP_FORMAT(4, 5) static bool is_near(double got, double want, double epsilon, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool held = tap_result(fabs(got - want) <= epsilon, format, arguments);
	va_end(arguments);
	if (!held)
		printf("#      got: %.17g\n# expected: %.17g, give or take %g\n", got, want, epsilon);
	fflush(stdout);
	return held;
}

/* The exit code of main: 0 where all held. */
TAP_UNUSED static int done_testing(void)
{
	printf("1..%d\n", tap_count);
	if (tap_failed > 0)
		printf("# %d of %d failed\n", tap_failed, tap_count);
	return tap_failed > 0 || tap_count == 0 ? 1 : 0;
}

#endif

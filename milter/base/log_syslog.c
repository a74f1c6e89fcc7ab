/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of syslog(3) for the libraries: libmilter says there what goes wrong with a connection, on the thread
 * that serves another one next, and a syslogd that hangs would hold it.
 */
#include "milter/base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "policy/base/banned.h"

void syslog(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
void __syslog_chk(int priority, int flag, const char *format, ...) __attribute__((format(printf, 3, 4)));

enum { SEVERITY_BITS = 7, ERROR_MOST = 3, WARNING = 4 }; /* of <syslog.h>, which has macros of these names */

static void __attribute__((format(printf, 2, 0))) log_syslog_say(int priority, const char *format, va_list arguments)
{
	char line[1024];
	int severity = priority & SEVERITY_BITS;
	vsnprintf(line, sizeof line, format, arguments);
	log_line(severity <= ERROR_MOST ? SEVERITY_ERROR
		 : severity == WARNING	? SEVERITY_WARNING
					: SEVERITY_INFO,
		 "library: %s", line);
}

void syslog(int priority, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	log_syslog_say(priority, format, arguments);
	va_end(arguments);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list arguments;
	(void)flag;
	va_start(arguments, format);
	log_syslog_say(priority, format, arguments);
	va_end(arguments);
}

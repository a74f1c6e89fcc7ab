/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of policy/base/panic.c in the daemon: whose standard error may be nobody's, or full. The lines of
 * before it, which may tell what led there, are written too.
 */
#include "policy/base/panic.h"

#include "milter/base/log.h"

#include <stdlib.h>

#include "policy/base/banned.h"

_Noreturn void panic_at(const char *file, int line, const char *what)
{
	log_line(SEVERITY_ERROR, "panic: %s:%d: %s", file, line, what);
	log_end();
	abort();
}

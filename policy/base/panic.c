/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/base/panic.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

_Noreturn void panic_at(const char *file, int line, const char *what)
{
	fprintf(stderr, "penstock: panic: %s:%d: %s\n", file, line, what);
	abort();
}

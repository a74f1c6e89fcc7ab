/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/memory.h"

#include <stdio.h>
#include <stdlib.h>

#include "policy/base/banned.h"

void *have_memory(void *memory)
{
	if (memory == NULL) {
		fputs("penstockctl: out of memory\n", stderr);
		exit(2);
	}
	return memory;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * memory: penstockctl without memory has nothing better to do than to say so.
 */
#ifndef PENSTOCK_MEMORY_H
#define PENSTOCK_MEMORY_H

/* `memory` itself; where it is NULL the program says so and exits 2. */
void *have_memory(void *memory);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * panic: a bug of ours. Always on, in releases too: prints one line and aborts.
 */
#ifndef PENSTOCK_PANIC_H
#define PENSTOCK_PANIC_H

_Noreturn void panic_at(const char *file, int line, const char *what);

#define MUST(condition) ((condition) ? (void)0 : panic_at(__FILE__, __LINE__, "must hold: " #condition))

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * traps: addresses that no person gave to anybody: who writes to them has bought or made up his list. Read from a file
 * of the admin's, one `address` or `@domain` a line, in any case and with or without quotes; # begins a comment.
 *
 * Immutable: any thread. Belongs to a setup, so that a reload reads it anew.
 */
#ifndef PENSTOCK_TRAPS_H
#define PENSTOCK_TRAPS_H

#include <stdbool.h>
#include <stddef.h>

enum { TRAPS_MAX = 1000000 };

struct traps;

/* "" : no file, no trap. NULL with one sentence in `error`, which names file and line. */
struct traps *traps_read(const char *file, char *error, size_t error_size);
void traps_free(struct traps **traps);

/* `address` is in idn_address()'s form. Mail to it with a +tag, or by way of another host (joe%trap.example@host), is
 * mail to the trap. */
bool traps_have(const struct traps *traps, const char *address);

#endif

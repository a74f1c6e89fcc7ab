/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reference: the short name of a decision, which a refused client hears, the log line has and support looks up:
 * "1T4Q9M-2K0B7F". Twelve digits of Crockford's base 32 (no I, L, O, U): 32 bits of Unix time in seconds, 8 of the
 * node's name, 20 that differ within a second. So it says when it was given, and a list of them sorts by time.
 */
#ifndef PENSTOCK_REFERENCE_H
#define PENSTOCK_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

enum { REFERENCE_MAX = 13 }; /* bytes, the dash included */

/* Any thread. One daemon gives a million in a second before one comes again. */
void reference_make(int64_t now_ms, const char *node, char reference[REFERENCE_MAX + 1]);

/* As people type it: either case, with or without the dash, O for 0, I and L for 1. False where it is none; else in its
 * proper form, with the second in which it was given. */
bool reference_read(const char *text, char reference[REFERENCE_MAX + 1], int64_t *second_out);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hash: 64-bit FNV-1a with a finishing mix (splitmix64). The same on every machine and for ever: an account's
 * transport hangs on it. Not for tables that a stranger may fill on purpose without a secret seed.
 */
#ifndef PENSTOCK_HASH_H
#define PENSTOCK_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed);
uint64_t hash_string(const char *string, uint64_t seed);

/* SipHash-2-4 (Aumasson & Bernstein 2012): who does not know the key can neither foresee a hash nor find what it is of.
 */
uint64_t hash_keyed(const uint64_t key[2], const void *bytes, size_t length);

#endif

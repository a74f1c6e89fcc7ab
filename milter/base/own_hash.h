/* SPDX-License-Identifier: BSD-2-Clause
 *
 * own_hash: for tables of this process that strangers fill. The key is drawn at random once and never leaves it: nobody
 * outside can choose whose row he pushes out, or which two of his things are taken for one.
 */
#ifndef PENSTOCK_OWN_HASH_H
#define PENSTOCK_OWN_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash; `kind` keeps the same bytes in two roles apart. Any thread. */
uint64_t own_hash(const void *bytes, size_t length, uint64_t kind);
uint64_t own_hash_string(const char *string, uint64_t kind);

#endif

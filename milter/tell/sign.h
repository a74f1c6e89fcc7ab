/* SPDX-License-Identifier: BSD-2-Clause
 *
 * sign: HMAC-SHA256 (RFC 2104), by which a webhook's receiver knows that a request is ours and how old it is.
 */
#ifndef PENSTOCK_SIGN_H
#define PENSTOCK_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIGNATURE_HEX = 64 };

/* Of "TIME.BODY", TIME as a decimal number. False: no memory. */
bool sign_body(const char *secret, int64_t time_s, const char *body, size_t length, char hex_out[SIGNATURE_HEX + 1]);

#endif

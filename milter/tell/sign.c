/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/sign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

bool sign_body(const char *secret, int64_t time_s, const char *body, size_t length, char hex_out[SIGNATURE_HEX + 1])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_length = 0;
	char head[24];
	int head_length = snprintf(head, sizeof head, "%" PRId64 ".", time_s);
	char *whole = malloc((size_t)head_length + length);
	hex_out[0] = '\0';
	if (whole == NULL)
		return false;
	memcpy(whole, head, (size_t)head_length);
	memcpy(whole + head_length, body, length);
	const unsigned char *made = HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)whole,
					 (size_t)head_length + length, digest, &digest_length);
	free(whole);
	if (made == NULL || digest_length * 2 != SIGNATURE_HEX)
		return false;
	for (unsigned i = 0; i < digest_length; i++)
		snprintf(hex_out + 2 * i, 3, "%02x", digest[i]);
	return true;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * token: names one message that left, in a form that only we can read and make: complaints and bounces bring it back.
 *
 *   pen1.BASE64URL(epoch, 1 byte; tag, 16; and, encrypted: version, 1; Unix time, 4; milliseconds, 2; recipients, 2;
 *                  length of the account, 1; account; transport)
 *
 * AES-128-SIV (RFC 5297) of OpenSSL, the epoch's byte being authenticated with it; numbers are little-endian. Its key
 * is made of the secret that all daemons of one Redis share, by HMAC-SHA256, anew in each epoch of TOKEN_EPOCH_S: so
 * two keys are good at once, and a token lives 40 to 80 days. It is of RFC 3461's xtext as it stands.
 */
#ifndef PENSTOCK_FEEDBACK_TOKEN_H
#define PENSTOCK_FEEDBACK_TOKEN_H

#include "policy/account.h"
#include "policy/pool.h"

enum {
	TOKEN_EPOCH_S = 40 * 86400,
	TOKEN_LIFE_S = 2 * TOKEN_EPOCH_S, /* at most */
	TOKEN_ENVID_MAX = 100,		  /* RFC 3461 section 4.4 */
	TOKEN_BYTES_MAX = 17 + 10 + ACCOUNT_MAX + TRANSPORT_NAME_MAX,
	TOKEN_TEXT_MAX = 5 + (TOKEN_BYTES_MAX * 4 + 2) / 3,
	TOKEN_TAG_MAX = 22, /* of the text, behind its first letters: no two tokens share it */
};

#define TOKEN_BEGINS "pen1."

struct token {
	int64_t time_ms; /* Unix time of the message, milliseconds */
	int rcpts;	 /* that left; more than 65,535 count as so many */
	char account[ACCOUNT_MAX + 1];
	char transport[TRANSPORT_NAME_MAX + 1]; /* "": none, or the text would have become too long for an ENVID */
};

enum token_answer {
	TOKEN_FINE,
	TOKEN_EXPIRED, /* ours, and older than the epoch before this one */
	TOKEN_FORGED,  /* not ours: another installation's, or changed */
};

/* Any thread. False: OpenSSL cannot, or the account is none; `text` is "". */
bool token_make(const uint64_t secret[2], const struct token *token, char text[TOKEN_TEXT_MAX + 1]);

/* Any thread. `token_out` is filled where it is fine or expired, and cleared else. */
enum token_answer token_read(const uint64_t secret[2], const char *text, int64_t now_s, struct token *token_out);

/* The part of a token's text that no other shares, by which Redis counts its reports. */
void token_tag(const char *text, char tag[TOKEN_TAG_MAX + 1]);

#endif

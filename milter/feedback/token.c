/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/feedback/token.h"

#include "policy/base/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	KEY_BYTES = 32, /* two of AES-128: SIV has one for the tag and one for the text */
	TAG_BYTES = 16,
	HEAD_BYTES = 1 + TAG_BYTES, /* what is in the clear */
	FIXED_BYTES = 10,	    /* of the payload, before the account */
	PAYLOAD_VERSION = 1,
	PREFIX_BYTES = sizeof TOKEN_BEGINS - 1,
};

static EVP_CIPHER *cipher; /* never given back: as long as the process */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void token_fetch(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-128-SIV", NULL);
}

static int64_t token_epoch(int64_t time_ms)
{
	return time_ms / 1000 / TOKEN_EPOCH_S;
}

static void token_put(unsigned char *to, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> 8 * i & 0xff);
}

static uint64_t token_take(const unsigned char *from, int bytes)
{
	uint64_t value = 0;
	for (int i = 0; i < bytes; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

static bool token_derive(const uint64_t secret[2], int64_t epoch, unsigned char key[KEY_BYTES])
{
	static const char purpose[] = "penstock feedback token 1";
	unsigned char of[16], what[sizeof purpose + 8];
	unsigned length = 0;
	token_put(of, secret[0], 8);
	token_put(of + 8, secret[1], 8);
	memcpy(what, purpose, sizeof purpose);
	token_put(what + sizeof purpose, (uint64_t)epoch, 8);
	return HMAC(EVP_sha256(), of, sizeof of, what, sizeof what, key, &length) != NULL && length == KEY_BYTES;
}

/* The key in use is made once an epoch: making it costs as much as using it. */
static bool token_key(const uint64_t secret[2], int64_t epoch, unsigned char key[KEY_BYTES])
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct {
		bool known;
		uint64_t secret[2];
		int64_t epoch;
		unsigned char key[KEY_BYTES];
	} last;
	pthread_mutex_lock(&lock);
	bool fine = last.known && last.epoch == epoch && memcmp(last.secret, secret, sizeof last.secret) == 0;
	if (!fine && token_derive(secret, epoch, last.key)) {
		memcpy(last.secret, secret, sizeof last.secret);
		last.epoch = epoch;
		fine = true;
	}
	last.known = fine;
	if (fine)
		memcpy(key, last.key, KEY_BYTES);
	pthread_mutex_unlock(&lock);
	return fine;
}

/* Both ways: where `seals`, writes the tag of head, else holds it against the one there. */
static bool token_cipher(const unsigned char key[KEY_BYTES], bool seals, unsigned char head[HEAD_BYTES],
			 const unsigned char *from, int length, unsigned char *to)
{
	int done = 0;
	EVP_CIPHER_CTX *context = cipher != NULL ? EVP_CIPHER_CTX_new() : NULL;
	bool fine = context != NULL && EVP_CipherInit_ex2(context, cipher, key, NULL, seals, NULL) == 1;
	if (!seals)
		fine = fine && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, head + 1) == 1;
	fine = fine && EVP_CipherUpdate(context, NULL, &done, head, 1) == 1 &&
	       EVP_CipherUpdate(context, to, &done, from, length) == 1 && done == length &&
	       EVP_CipherFinal_ex(context, to + length, &done) == 1;
	if (seals)
		fine = fine && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, head + 1) == 1;
	EVP_CIPHER_CTX_free(context);
	return fine;
}

/* ---- text, RFC 4648 section 5 without padding */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void token_write_text(const unsigned char *bytes, int count, char *text)
{
	memcpy(text, TOKEN_BEGINS, PREFIX_BYTES);
	text += PREFIX_BYTES;
	uint32_t held = 0;
	int bits = 0;
	for (int i = 0; i < count; i++) {
		held = held << 8 | bytes[i];
		for (bits += 8; bits >= 6; bits -= 6)
			*text++ = alphabet[held >> (bits - 6) & 63];
	}
	if (bits > 0)
		*text++ = alphabet[held << (6 - bits) & 63];
	*text = '\0';
}

/* How many bytes; below 0 where it is not what token_write_text() makes. */
static int token_read_text(const char *text, unsigned char bytes[TOKEN_BYTES_MAX])
{
	uint32_t held = 0;
	int bits = 0, count = 0;
	if (strncmp(text, TOKEN_BEGINS, PREFIX_BYTES) != 0)
		return -1;
	for (text += PREFIX_BYTES; *text != '\0'; text++) {
		const char *found = strchr(alphabet, *text);
		if (found == NULL)
			return -1;
		held = held << 6 | (uint32_t)(found - alphabet);
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (count == TOKEN_BYTES_MAX)
			return -1;
		bytes[count++] = (unsigned char)(held >> bits & 0xff);
	}
	/* one spelling a token: else Redis would count each by itself */
	return bits >= 6 || (held & ((1u << bits) - 1)) != 0 ? -1 : count;
}

void token_tag(const char *text, char tag[TOKEN_TAG_MAX + 1])
{
	size_t length = strlen(text);
	/* behind the first letter, which is the epoch's alone, 22 letters hold all of the tag */
	text_copy(tag, TOKEN_TAG_MAX + 1, text + (length > PREFIX_BYTES ? PREFIX_BYTES + 1 : length));
}

/* ---- making and reading */

static int token_text_length(int bytes)
{
	return PREFIX_BYTES + (bytes * 4 + 2) / 3;
}

/* How many bytes. The transport goes first where there is no room. */
static int token_write(const struct token *token, unsigned char payload[TOKEN_BYTES_MAX])
{
	int account = (int)strlen(token->account), transport = (int)strlen(token->transport);
	token_put(payload, PAYLOAD_VERSION, 1);
	token_put(payload + 1, (uint64_t)(token->time_ms / 1000), 4);
	token_put(payload + 5, (uint64_t)(token->time_ms % 1000), 2);
	token_put(payload + 7, (uint64_t)(token->rcpts < 0 ? 0 : token->rcpts > 65535 ? 65535 : token->rcpts), 2);
	/* an account of more than 255 bytes takes the room that is left */
	bool alone =
		account > 255 || token_text_length(HEAD_BYTES + FIXED_BYTES + account + transport) > TOKEN_ENVID_MAX;
	token_put(payload + 9, account > 255 ? 0 : (uint64_t)account, 1);
	memcpy(payload + FIXED_BYTES, token->account, (size_t)account);
	if (alone)
		return FIXED_BYTES + account;
	memcpy(payload + FIXED_BYTES + account, token->transport, (size_t)transport);
	return FIXED_BYTES + account + transport;
}

static bool token_unpack(const unsigned char *payload, int length, struct token *token_out)
{
	if (length < FIXED_BYTES || payload[0] != PAYLOAD_VERSION)
		return false;
	int account = payload[9] == 0 ? length - FIXED_BYTES : payload[9];
	int transport = length - FIXED_BYTES - account;
	if (account < 1 || account > ACCOUNT_MAX || transport < 0 || transport > TRANSPORT_NAME_MAX)
		return false;
	token_out->time_ms = (int64_t)token_take(payload + 1, 4) * 1000 + (int64_t)token_take(payload + 5, 2);
	token_out->rcpts = (int)token_take(payload + 7, 2);
	memcpy(token_out->account, payload + FIXED_BYTES, (size_t)account);
	memcpy(token_out->transport, payload + FIXED_BYTES + account, (size_t)transport);
	return true;
}

bool token_make(const uint64_t secret[2], const struct token *token, char text[TOKEN_TEXT_MAX + 1])
{
	unsigned char payload[TOKEN_BYTES_MAX], sealed[TOKEN_BYTES_MAX], key[KEY_BYTES];
	int64_t epoch = token_epoch(token->time_ms);
	text[0] = '\0';
	pthread_once(&fetched, token_fetch);
	if (token->account[0] == '\0' || token->time_ms < 0 || !token_key(secret, epoch, key))
		return false;
	int length = token_write(token, payload);
	token_put(sealed, (uint64_t)epoch & 0xff, 1);
	if (!token_cipher(key, true, sealed, payload, length, sealed + HEAD_BYTES))
		return false;
	token_write_text(sealed, HEAD_BYTES + length, text);
	return true;
}

/* The newest epoch not after the next one that has this byte. Clocks of two hosts may differ at its edge. */
static int64_t token_epoch_of(unsigned byte, int64_t now_s)
{
	int64_t newest = token_epoch(now_s * 1000) + 1;
	return newest - (int64_t)((uint64_t)(newest - (int64_t)byte) & 0xff);
}

enum token_answer token_read(const uint64_t secret[2], const char *text, int64_t now_s, struct token *token_out)
{
	unsigned char sealed[TOKEN_BYTES_MAX], payload[TOKEN_BYTES_MAX], key[KEY_BYTES];
	*token_out = (struct token){ .rcpts = 0 };
	pthread_once(&fetched, token_fetch);
	int length = token_read_text(text, sealed) - HEAD_BYTES;
	if (length < FIXED_BYTES)
		return TOKEN_FORGED;
	int64_t epoch = token_epoch_of(sealed[0], now_s);
	if (epoch < 0 || !token_key(secret, epoch, key) ||
	    !token_cipher(key, false, sealed, sealed + HEAD_BYTES, length, payload))
		return TOKEN_FORGED;
	if (!token_unpack(payload, length, token_out) || token_epoch(token_out->time_ms) != epoch) {
		*token_out = (struct token){ .rcpts = 0 };
		return TOKEN_FORGED;
	}
	return epoch < token_epoch(now_s * 1000) - 1 ? TOKEN_EXPIRED : TOKEN_FINE;
}

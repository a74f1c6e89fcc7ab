/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/hash.h"

#include <string.h>

#include "policy/base/banned.h"

uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed)
{
	uint64_t hash = 0xcbf29ce484222325U ^ seed;
	for (const unsigned char *at = bytes; length > 0; at++, length--)
		hash = (hash ^ *at) * 0x100000001b3U;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9U;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebU;
	return hash ^ (hash >> 31);
}

uint64_t hash_string(const char *string, uint64_t seed)
{
	return hash_bytes(string, strlen(string), seed);
}

static uint64_t turned(uint64_t word, int bits)
{
	return word << bits | word >> (64 - bits);
}

static void hash_sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turned(v[1], 13) ^ v[0];
	v[3] = turned(v[3], 16) ^ v[2];
	v[0] = turned(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = turned(v[3], 21) ^ v[0];
	v[1] = turned(v[1], 17) ^ v[2];
	v[2] = turned(v[2], 32);
}

static void hash_sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	hash_sip_round(v);
	hash_sip_round(v);
	v[0] ^= word;
}

static uint64_t hash_word_at(const unsigned char *at, size_t length)
{
	uint64_t word = 0;
	for (size_t i = 0; i < length; i++)
		word |= (uint64_t)at[i] << (8 * i);
	return word;
}

uint64_t hash_keyed(const uint64_t key[2], const void *bytes, size_t length)
{
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575U, key[1] ^ 0x646f72616e646f6dU, key[0] ^ 0x6c7967656e657261U,
			  key[1] ^ 0x7465646279746573U };
	const unsigned char *at = bytes;
	size_t left = length;
	for (; left >= 8; at += 8, left -= 8)
		hash_sip_word(v, hash_word_at(at, 8));
	hash_sip_word(v, hash_word_at(at, left) | (uint64_t)length << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		hash_sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

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

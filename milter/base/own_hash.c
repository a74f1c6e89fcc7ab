/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/own_hash.h"

#include "policy/base/panic.h"
#include "policy/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "policy/base/banned.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint64_t key[2];

static void draw(void)
{
	MUST(getrandom(key, sizeof key, 0) == (ssize_t)sizeof key); /* of so few bytes it never gives a part */
}

uint64_t own_hash(const void *bytes, size_t length, uint64_t kind)
{
	pthread_once(&once, draw);
	return hash_keyed((const uint64_t[]){ key[0], key[1] ^ kind }, bytes, length);
}

uint64_t own_hash_string(const char *string, uint64_t kind)
{
	return own_hash(string, strlen(string), kind);
}

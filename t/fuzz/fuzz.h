/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fuzz: what targets share: files that lie in memory, and promises that more than one of them looks at.
 */
#ifndef PENSTOCK_FUZZ_H
#define PENSTOCK_FUZZ_H

#include "policy/account.h"
#include "policy/base/panic.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FUZZ_UNUSED __attribute__((unused))

enum { MEMORY_FILE_NAME = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file that is opened by its name, and is there until the descriptor is closed. */
FUZZ_UNUSED static int memory_file(const void *bytes, size_t size, char name[MEMORY_FILE_NAME])
{
	int fd = memfd_create("fuzz", 0);
	snprintf(name, MEMORY_FILE_NAME, "/proc/self/fd/%d", fd);
	MUST(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	return fd;
}

/* A copy with a NUL behind it, to be freed: a read behind its end shows. */
FUZZ_UNUSED static char *string_of(const void *bytes, size_t size)
{
	char *string = malloc(size + 1);
	MUST(string != NULL);
	if (size > 0)
		memcpy(string, bytes, size);
	string[size] = '\0';
	return string;
}

/* The form of account_name(): one word of a log line, one part of a key, whatever it was made of. */
FUZZ_UNUSED static void must_be_account(const char *name)
{
	MUST(name[0] != '\0' && strlen(name) <= ACCOUNT_MAX);
	for (const char *at = name; *at != '\0'; at++) {
		MUST((unsigned char)*at > 0x20 && *at != 0x7f);
		MUST(strchr("{}\"\\", *at) == NULL);
		MUST(*at < 'A' || *at > 'Z' || memchr(name, '%', (size_t)(at - name)) != NULL);
	}
}

/* What a terminal may get in the C locale: nothing that moves its cursor. */
FUZZ_UNUSED static void must_be_clean(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		MUST((text[i] >= ' ' && text[i] < 0x7f) || text[i] == '\n');
}

#endif

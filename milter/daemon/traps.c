/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/traps.h"

#include "milter/base/idn.h"
#include "milter/base/plain_file.h"
#include "policy/address.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	LINE_LONGEST = 1000,
	SHOWN_MAX = 60,
	HOSTS_MAX = 8, /* on the way that one address names */
};

/* 64-bit hashes are enough: of a million traps one in 10^13 other addresses looks like one. */
struct traps {
	size_t count, size;
	uint64_t *hashes; /* owned, sorted */
};

struct trap_source {
	const char *file;
	int line;
	char *error;
	size_t error_size;
};

static bool traps_fail(const struct trap_source *source, const char *what, const char *shown)
{
	bool wild = strchr(address_domain(shown), '*') != NULL;
	snprintf(source->error, source->error_size,
		 "%s:%d: %s \"%.*s\", expected an address or @domain of at most %d bytes%s", source->file, source->line,
		 what, SHOWN_MAX, shown, ACCOUNT_MAX,
		 wild ? "; there are no wildcards, and each domain below another has a line of its own" : "");
	return false;
}

static bool traps_add(struct traps *traps, uint64_t hash, const struct trap_source *source)
{
	bool full = traps->count == TRAPS_MAX;
	if (traps->count == traps->size || full) {
		size_t size = traps->size == 0 ? 256 : traps->size * 2;
		uint64_t *more = full ? NULL : realloc(traps->hashes, size * sizeof *more);
		if (more == NULL) {
			snprintf(source->error, source->error_size,
				 full ? "%s:%d: more than fits: expected at most %d traps"
				      : "%s:%d: no memory for one more of at most %d traps",
				 source->file, source->line, TRAPS_MAX);
			return false;
		}
		traps->hashes = more;
		traps->size = size;
	}
	traps->hashes[traps->count++] = hash;
	return true;
}

/* No blank, no control character, an '@' with something behind it. */
enum { DOMAIN_LONGEST = 255 };

static bool traps_is(const char *word)
{
	const char *domain = address_domain(word);
	if (*domain == '\0' || strchr(domain, '*') != NULL || strlen(word) > ACCOUNT_MAX)
		return false;
	for (const unsigned char *at = (const unsigned char *)word; *at != '\0'; at++)
		if (*at <= ' ' || *at == 0x7f)
			return false;
	return word[0] != '@' || (domain == word + 1 && strchr(domain, '.') != NULL); /* "@com": a slip */
}

/* One line without its end. */
static bool traps_take_line(struct traps *traps, char *line, const struct trap_source *source)
{
	char address[ADDRESS_MAX + 1], name[ACCOUNT_MAX + 1];
	line[strcspn(line, "#")] = '\0';
	char *word = line + strspn(line, " \t\r");
	size_t length = strlen(word);
	while (length > 0 && strchr(" \t\r", word[length - 1]) != NULL)
		word[--length] = '\0';
	if (length == 0)
		return true;
	/* longer than a domain can be (RFC 5321 section 4.5.3.1.2), it would end no name that is not cut */
	if (!traps_is(word) || !idn_address(word, address) || !traps_is(address) ||
	    !account_name(address, false, name) || (name[0] == '@' && strlen(name) > 1 + DOMAIN_LONGEST))
		return traps_fail(source, "is not a trap:", word);
	return traps_add(traps, hash_string(name, 0), source);
}

/* What ended the line: EOF, its newline, or the byte that no longer fits. A NUL in it becomes what is in no trap
 * either. */
static int traps_read_line(FILE *from, char line[LINE_LONGEST + 1])
{
	int c, length = 0;
	while ((c = getc_unlocked(from)) != EOF && c != '\n' && length < LINE_LONGEST)
		line[length++] = c != '\0' ? (char)c : '\x7f';
	line[length] = '\0';
	return c;
}

static bool traps_read_lines(struct traps *traps, FILE *from, struct trap_source *source)
{
	char line[LINE_LONGEST + 1];
	int end;
	do {
		end = traps_read_line(from, line);
		source->line++;
		if (end != '\n' && end != EOF)
			return traps_fail(source, "is too long a line:", line);
		if (!traps_take_line(traps, line, source))
			return false;
	} while (end != EOF);
	if (ferror(from)) {
		snprintf(source->error, source->error_size, "%s:%d: cannot be read: %s", source->file, source->line,
			 strerror(errno));
		return false;
	}
	return true;
}

static int by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

struct traps *traps_read(const char *file, char *error, size_t error_size)
{
	struct trap_source source = { .file = file, .error = error, .error_size = error_size };
	struct traps *traps = calloc(1, sizeof *traps);
	if (traps == NULL) {
		snprintf(error, error_size, "no memory");
		return NULL;
	}
	if (*file == '\0')
		return traps;
	const char *why;
	FILE *from = plain_file_read(file, &why);
	if (from == NULL)
		snprintf(error, error_size, "%s cannot be read: %s", file, why);
	bool fine = from != NULL && traps_read_lines(traps, from, &source);
	if (from != NULL)
		fclose(from);
	if (!fine)
		traps_free(&traps);
	else if (traps->count > 0)
		qsort(traps->hashes, traps->count, sizeof traps->hashes[0], by_hash);
	return traps;
}

void traps_free(struct traps **traps)
{
	if (*traps != NULL)
		free((*traps)->hashes);
	free(*traps);
	*traps = NULL;
}

static bool has(const struct traps *traps, const char *name)
{
	uint64_t hash = hash_string(name, 0);
	return bsearch(&hash, traps->hashes, traps->count, sizeof hash, by_hash) != NULL;
}

static bool traps_is_one(const struct traps *traps, const char *address, bool cut_tag)
{
	char name[ACCOUNT_MAX + 1];
	if (!account_name(address, cut_tag, name))
		return false;
	const char *domain = address_domain(name);
	return has(traps, name) || (*domain != '\0' && has(traps, domain - 1));
}

bool traps_have(const struct traps *traps, const char *address)
{
	char way[ADDRESS_MAX + 1], ascii[ADDRESS_MAX + 1];
	if (traps->count == 0)
		return false;
	text_copy(way, sizeof way, address);
	for (int i = 0; i < HOSTS_MAX; i++) {
		const char *there = idn_name(way, ascii); /* what is routed names a domain of its own */
		if (traps_is_one(traps, there, true) ||
		    (strchr(there, '+') != NULL && traps_is_one(traps, there, false)))
			return true;
		if (!address_routed(way, way))
			return false;
	}
	return false;
}

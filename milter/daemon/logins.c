/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/logins.h"

#include "milter/base/log.h"
#include "milter/base/plain_file.h"
#include "policy/base/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct login {
	char name[LOGIN_MAX + 1];
	unsigned uid;
};

struct logins {
	struct login *rows; /* owned; sorted by name */
	size_t count, size, too_long;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct login *)a)->name, ((const struct login *)b)->name);
}

/* Why the row cannot be taken; NULL: it was, or its name is too long. */
static const char *logins_add_own(struct logins *logins, const struct passwd *entry)
{
	if (logins->count == logins->size) {
		size_t size = logins->size == 0 ? 64 : logins->size < LOGINS_MAX / 2 ? logins->size * 2 : LOGINS_MAX;
		if (logins->count == LOGINS_MAX)
			return "expected at most 1000000 logins";
		struct login *grown = realloc(logins->rows, size * sizeof *grown);
		if (grown == NULL)
			return strerror(ENOMEM);
		logins->rows = grown;
		logins->size = size;
	}
	if (text_copy(logins->rows[logins->count].name, LOGIN_MAX + 1, entry->pw_name))
		logins->rows[logins->count++].uid = entry->pw_uid;
	else
		logins->too_long++;
	return NULL;
}

/* Why the rest of the file cannot be read; NULL: all was. */
static const char *logins_add_all(struct logins *logins, FILE *from)
{
	struct passwd entry, *found;
	char line[4096];
	int failed;
	const char *why = NULL;
	while (why == NULL && (failed = fgetpwent_r(from, &entry, line, sizeof line, &found)) != ENOENT)
		why = failed == 0	 ? logins_add_own(logins, &entry)
		      : failed == ERANGE ? "its line is too long"
					 : strerror(failed);
	return why;
}

static bool logins_read_file(struct logins *logins, const char *file, char *error, size_t error_size)
{
	const char *why;
	FILE *from = plain_file_read(file, &why);
	if (from == NULL) {
		snprintf(error, error_size, "%s cannot be read: %s", file, why);
		return false;
	}
	why = logins_add_all(logins, from);
	fclose(from);
	if (why != NULL) {
		snprintf(error, error_size, "%s cannot be read at login %zu: %s", file,
			 logins->count + logins->too_long + 1, why);
		return false;
	}
	if (logins->too_long > 0)
		log_line(SEVERITY_WARNING,
			 "accounts.passwd: %s: login names longer than %d bytes: %zu; their mail is of no uid", file,
			 LOGIN_MAX, logins->too_long);
	if (logins->count > 0)
		qsort(logins->rows, logins->count, sizeof logins->rows[0], by_name);
	return true;
}

struct logins *logins_read(const char *file, char *error, size_t error_size)
{
	struct logins *logins = calloc(1, sizeof *logins);
	if (logins == NULL)
		snprintf(error, error_size, "%s", strerror(ENOMEM));
	else if (*file != '\0' && !logins_read_file(logins, file, error, error_size))
		logins_free(&logins);
	return logins;
}

void logins_free(struct logins **logins)
{
	if (*logins != NULL)
		free((*logins)->rows);
	free(*logins);
	*logins = NULL;
}

bool logins_find(const struct logins *logins, const char *name, unsigned *uid_out)
{
	struct login wanted;
	if (logins == NULL || logins->count == 0 || !text_copy(wanted.name, sizeof wanted.name, name))
		return false;
	const struct login *login = bsearch(&wanted, logins->rows, logins->count, sizeof logins->rows[0], by_name);
	if (login != NULL)
		*uid_out = login->uid;
	return login != NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Login names of a file in passwd(5) form: each that libc's own reader finds there is known by its number.
 */
#include "milter/message/identify.h"
#include "milter/daemon/logins.h"

#include "t/fuzz/fuzz.h"

#include <pwd.h>

enum { ROWS_MAX = 200 };

struct row {
	char name[LOGIN_MAX + 1];
	unsigned uid;
};

static int read_rows(const uint8_t *data, size_t size, struct row rows[ROWS_MAX])
{
	struct passwd entry, *found;
	char line[4096];
	int count = 0;
	FILE *from = fmemopen((void *)(uintptr_t)data, size, "r");
	MUST(from != NULL);
	while (count < ROWS_MAX && fgetpwent_r(from, &entry, line, sizeof line, &found) == 0)
		if (strlen(entry.pw_name) <= LOGIN_MAX) {
			snprintf(rows[count].name, sizeof rows[count].name, "%s", entry.pw_name);
			rows[count++].uid = entry.pw_uid;
		}
	fclose(from);
	return count;
}

/* Of two rows of one name either may be found. */
static void check_row(const struct logins *logins, const struct row *row, const struct row *rows, int count)
{
	static struct config config = { .sources = { SOURCE_UID }, .source_count = 1 };
	static struct facts facts;
	struct identity identity = { .logins = logins, .injected = true, .from = row->name };
	char name[40];
	bool right = false;
	MUST(identify(&config, &identity, &facts));
	must_be_account(facts.account);
	if (row->name[0] == '\0' || strchr(row->name, '@') != NULL)
		return;
	MUST(facts.source == SOURCE_UID && facts.client != CLIENT_STRANGER);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof name, "uid:%u", rows[i].uid);
		right |= strcmp(rows[i].name, row->name) == 0 && strcmp(name, facts.account) == 0;
	}
	MUST(right);
	identity.injected = false;
	MUST(identify(&config, &identity, &facts) && facts.source == SOURCE_CLIENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct row rows[ROWS_MAX];
	char name[MEMORY_FILE_NAME], error[300] = "";
	if (size == 0)
		return 0;
	int fd = memory_file(data, size, name);
	struct logins *logins = logins_read(name, error, sizeof error);
	bool fine = logins != NULL;
	MUST(fine == (error[0] == '\0') && strlen(error) < sizeof error - 1);
	int count = fine ? read_rows(data, size, rows) : 0;
	for (int i = 0; i < count; i++)
		check_row(logins, &rows[i], rows, count);
	logins_free(&logins);
	close(fd);
	return 0;
}

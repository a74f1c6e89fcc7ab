/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The file of facts across a reload: what was noted before goes to the file of before, as that one's accounts are
 * written.
 */
#include "milter/record/factlog.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/penstock-factlog-XXXXXX";

static void open_file(const char *name, enum facts_accounts accounts, bool wanted)
{
	static struct config config;
	static char path[100];
	char error[300] = "";
	snprintf(path, sizeof path, "%s/%s", folder, name);
	config.set.facts_file = *name != '\0' ? path : "";
	config.set.facts_accounts = accounts;
	config.set.facts_salt = "a secret of sixteen bytes";
	is_int(factlog_open(&config, error, sizeof error), wanted, "\"%s\" is opened: %s", name, error);
}

/* The thread has put the next one in its place. */
static void wait_until_closed(const char *name)
{
	char path[100], link[40], open_path[100];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	for (int fd = 3; fd < 20;) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(link, open_path, sizeof open_path - 1);
		open_path[length > 0 ? length : 0] = '\0';
		fd = strcmp(open_path, path) == 0 ? 3 : fd + 1;
	}
}

static void note(const char *account)
{
	factlog_feedback(account, COUNTER_TRAPS, 1, 1000);
}

static const char *contents(const char *name)
{
	static char bytes[4000];
	char path[100];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *from = fopen(path, "r");
	size_t length = from != NULL ? fread(bytes, 1, sizeof bytes - 1, from) : 0;
	bytes[length] = '\0';
	if (from != NULL)
		fclose(from);
	unlink(path);
	return bytes;
}

int main(void)
{
	ok(mkdtemp(folder) != NULL, "%s", folder);
	open_file("one", FACTS_CLEAR, true);
	note("alice@example.org");
	open_file("two", FACTS_HASHED, true);
	wait_until_closed("one");
	note("bob@example.org");
	open_file("nowhere/three", FACTS_CLEAR, false);
	note("carol@example.org");
	open_file("", FACTS_CLEAR, true);
	note("dora@example.org");
	factlog_close();
	const char *one = contents("one");
	ok(strstr(one, "alice") != NULL, "who was noted before a reload is in the file of before: %s", one);
	ok(strstr(one, "carol") == NULL && strstr(one, "dora") == NULL, "nobody of later is");
	const char *two = contents("two");
	ok(strchr(two, '\n') != NULL && strstr(two, "example") == NULL,
	   "nobody's name is in the one that hides them: %s", two);
	int lines = 0;
	for (const char *at = two; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	is_int(lines, 2, "a file that cannot be opened leaves its place to the one of before");
	is_int((int64_t)factlog_stats().lost, 0, "no line is lost");
	rmdir(folder);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/zone_file.h"

#include "milter/base/plain_file.h"
#include "policy/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	PATH_SIZE = 300,
	TTL_S = 300, /* of answers: who leaves the list is soon believed */
	ROW_SIZE = 200,
};

static const char listed_head[] = "penstock listed 1\n";

void zone_file_text(const char *pattern, const struct zone_entry *entry, char text[ZONE_TEXT_MAX + 1])
{
	char reference[ZONE_REFERENCE_MAX + 1];
	struct text to = text_over(text, ZONE_TEXT_MAX + 1);
	zone_reference(entry, reference);
	for (const char *at = pattern; *at != '\0'; at++)
		if (*at == '$')
			text_add(&to, reference);
		else
			text_add_bytes(&to, *at < ' ' || *at > '~' ? "?" : at, 1);
}

/* ---- one file, as a whole */

struct zone_writing {
	const char *option; /* which names the folder */
	char path[PATH_SIZE], fresh[PATH_SIZE];
	FILE *to;
};

static bool zone_file_begin(struct zone_writing *writing, const char *folder, const char *name, mode_t mode,
			    char *error, size_t error_size)
{
	writing->option = strcmp(name, ZONE_FILE_LISTED) == 0 ? "clients.state" : "clients.zone";
	snprintf(writing->path, sizeof writing->path, "%.200s/%s", folder, name);
	snprintf(writing->fresh, sizeof writing->fresh, "%.200s/%s.new", folder, name);
	int fd = open(writing->fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
	writing->to = fd >= 0 && fchmod(fd, mode) == 0 ? fdopen(fd, "w") : NULL;
	if (writing->to != NULL)
		return true;
	snprintf(error, error_size, "%s: \"%s\" cannot be written: %s%s", writing->option, writing->fresh,
		 strerror(errno),
		 errno == EROFS	   ? "; the systemd unit needs a ReadWritePaths= for this folder"
		 : errno == ENOENT ? "; expected a folder that the daemon's user may write"
				   : "");
	if (fd >= 0)
		close(fd);
	return false;
}

/* `good`: all of it was written so far. */
static bool zone_file_end(struct zone_writing *writing, bool good, char *error, size_t error_size)
{
	errno = good ? 0 : errno;
	good = good && fflush(writing->to) == 0 && !ferror(writing->to) && fsync(fileno(writing->to)) == 0;
	int why = errno;
	if (fclose(writing->to) != 0 && good) {
		good = false;
		why = errno;
	}
	if (good && rename(writing->fresh, writing->path) != 0) {
		good = false;
		why = errno;
	}
	if (good)
		return true;
	unlink(writing->fresh);
	snprintf(error, error_size, "%s: \"%s\" cannot be written: %s", writing->option, writing->path, strerror(why));
	return false;
}

/* ---- zones */

/* rbldnsd reads UTC, whatever its TZ is. */
static void zone_file_add_time(FILE *to, int64_t time_s)
{
	time_t seconds = (time_t)time_s;
	struct tm utc;
	gmtime_r(&seconds, &utc);
	fprintf(to, "%04d:%02d:%02d:%02d:%02d:%02d", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
		utc.tm_min, utc.tm_sec);
}

static void zone_file_head(FILE *to, const char *listed, const char *not_listed, const struct zone_file_rules *rules)
{
	fprintf(to, "# Written by penstock: what is changed here is lost. penstock.conf(5), clients.zone\n"
		    "$TIMESTAMP 0 ");
	zone_file_add_time(to, rules->until_s);
	fprintf(to,
		"\n$TTL %d\n"
		"# the test entries of RFC 5782: %s is listed, %s is not\n"
		"%s :127.0.0.2:Test entry\n",
		TTL_S, listed, not_listed, listed);
}

static bool zone_file_write_one(const char *folder, enum netaddr_family family, const struct zone_list *list,
				const struct zone_file_rules *rules, char *error, size_t error_size)
{
	struct zone_writing writing;
	bool v4 = family == NETADDR_V4;
	char address[NETADDR_TEXT_MAX], text[ZONE_TEXT_MAX + 1];
	/* whoever serves it is another user */
	if (!zone_file_begin(&writing, folder, v4 ? ZONE_FILE_V4 : ZONE_FILE_V6, 0644, error, error_size))
		return false;
	if (v4)
		zone_file_head(writing.to, "127.0.0.2", "127.0.0.1", rules);
	else
		zone_file_head(writing.to, "::ffff:7f00:2", "::ffff:7f00:1", rules);
	for (size_t i = 0; i < list->count; i++) {
		const struct zone_entry *entry = &list->entries[i];
		if (entry->client.family != family)
			continue;
		netaddr_text(&entry->client, address);
		zone_file_text(rules->text, entry, text);
		fprintf(writing.to, "%s%s :127.0.0.%d:%s\n", address, v4 ? "" : "/64", (int)entry->code, text);
	}
	return zone_file_end(&writing, true, error, error_size);
}

bool zone_file_write(const char *folder, const struct zone_list *list, const struct zone_file_rules *rules, char *error,
		     size_t error_size)
{
	return zone_file_write_one(folder, NETADDR_V4, list, rules, error, error_size) &&
	       zone_file_write_one(folder, NETADDR_V6, list, rules, error, error_size);
}

/* ---- what outlives a restart */

bool zone_file_save(const char *folder, const struct zone_list *list, char *error, size_t error_size)
{
	struct zone_writing writing;
	char address[NETADDR_TEXT_MAX];
	if (!zone_file_begin(&writing, folder, ZONE_FILE_LISTED, 0640, error, error_size))
		return false;
	fputs(listed_head, writing.to);
	for (size_t i = 0; i < list->count; i++) {
		const struct zone_entry *entry = &list->entries[i];
		netaddr_text(&entry->client, address);
		fprintf(writing.to, "%s %d %" PRId64 " %" PRId64 "\n", address, (int)entry->code, entry->since_s,
			entry->seen_s);
	}
	fprintf(writing.to, "end %zu\n", list->count);
	return zone_file_end(&writing, true, error, error_size);
}

static bool zone_file_read_row(char *row, struct zone_entry *entry_out)
{
	int64_t byte;
	char *rest = NULL;
	const char *address = strtok_r(row, " ", &rest), *code = strtok_r(NULL, " ", &rest);
	const char *since = strtok_r(NULL, " ", &rest), *seen = strtok_r(NULL, " \n", &rest);
	*entry_out = (struct zone_entry){ 0 };
	if (seen == NULL || !netaddr_parse(address, &entry_out->client) || !text_to_int(code, 0, 255, &byte) ||
	    !text_to_int(since, 0, INT64_MAX / 4, &entry_out->since_s) ||
	    !text_to_int(seen, 0, INT64_MAX / 4, &entry_out->seen_s))
		return false;
	entry_out->code = client_code_of_byte(byte);
	return entry_out->code != CLIENT_CODE_NONE;
}

/* False: the rows end before the file says so. */
static bool zone_file_read_rows(FILE *from, struct zone_list *list, size_t *damaged_out)
{
	char row[ROW_SIZE], end[40];
	size_t count = 0;
	*damaged_out = 0;
	if (fgets(row, sizeof row, from) == NULL || strcmp(row, listed_head) != 0)
		return false;
	while (fgets(row, sizeof row, from) != NULL && count < ZONE_MOST) {
		struct zone_entry entry;
		snprintf(end, sizeof end, "end %zu\n", count);
		if (strcmp(row, end) == 0)
			return true;
		count++;
		if (zone_file_read_row(row, &entry))
			zone_list_add(list, &entry);
		else
			++*damaged_out;
	}
	snprintf(end, sizeof end, "end %zu\n", count);
	return count == ZONE_MOST && fgets(row, sizeof row, from) != NULL && strcmp(row, end) == 0;
}

void zone_file_load(const char *folder, struct zone_list *list, char *error, size_t error_size)
{
	char path[PATH_SIZE];
	const char *why = NULL;
	size_t damaged;
	error[0] = '\0';
	snprintf(path, sizeof path, "%.200s/%s", folder, ZONE_FILE_LISTED);
	errno = 0;
	FILE *from = plain_file_read(path, &why);
	if (from == NULL) {
		if (errno != ENOENT)
			snprintf(error, error_size, "\"%s\" cannot be read: %s; the block list begins empty", path,
				 why);
		return;
	}
	bool whole = zone_file_read_rows(from, list, &damaged);
	fclose(from);
	if (!whole || damaged > 0)
		snprintf(error, error_size, "\"%s\" is damaged: %zu rows of it are read, %zu are not%s", path,
			 list->count, damaged, whole ? "" : ", and its end is missing");
	zone_list_sort(list);
}

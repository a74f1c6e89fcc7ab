/* SPDX-License-Identifier: BSD-2-Clause
 *
 * journald's entries, of certain units alone: which unit an entry is of is written by journald itself, so that what a
 * user says by logger(1) under the name of Postfix never comes in. What an MTA runs for a user, from a .forward or a
 * table of aliases, is of its unit, too; so the user must be one as whom the MTA and Penstock themselves run.
 */
#include <config.h>

#include "milter/follow/source.h"

#include <stdio.h>

#ifdef HAVE_LIBSYSTEMD

#include "milter/follow/log_event.h"
#include "policy/base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "policy/base/banned.h"

#define SOURCE_JOURNAL_DROPPED "MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e" /* "Suppressed N messages from UNIT" */

enum { SOURCE_JOURNAL_UNITS_MAX = 1000, SOURCE_JOURNAL_USERS_MAX = 64, SOURCE_JOURNAL_TOLD_MAX = 8 };

static const char *const source_journal_names[] = { "root", "postfix", "smmta", "smmsp" };

struct source_journal {
	struct log_source source;
	sd_journal *journal;
	bool at_entry; /* the entry under the cursor was given out, and `place` is of an earlier one */
	bool reserved; /* the entry under the cursor comes next */
	bool turned;
	char program[256];
	source_say *say;
	void *say_arg;
	int user_count, told_count;
	uint64_t users[SOURCE_JOURNAL_USERS_MAX]; /* who may say something */
	uint64_t told[SOURCE_JOURNAL_TOLD_MAX];	  /* of whom it was said that he may not */
	char *units;				  /* words, each with a NUL behind it; an empty one ends them */
	struct source_place place;
};

static void source_journal_release(struct log_source *source)
{
	struct source_journal *from = (struct source_journal *)source;
	if (from->journal != NULL)
		sd_journal_close(from->journal);
	free(from->units);
	free(from);
}

static bool source_journal_match(struct source_journal *from, const char *match)
{
	return sd_journal_add_match(from->journal, match, 0) >= 0 && sd_journal_add_disjunction(from->journal) >= 0;
}

/* Of the units, or what journald says that it dropped of them. */
static bool source_journal_matches(struct source_journal *from)
{
	for (const char *unit = from->units; *unit != '\0'; unit += strlen(unit) + 1) {
		char match[SOURCE_JOURNAL_UNITS_MAX + 32];
		const struct passwd *user = strncmp(unit, "_UID=", 5) == 0 ? getpwnam(unit + 5) : NULL;
		snprintf(match, sizeof match, strchr(unit, '=') != NULL ? "%s" : "_SYSTEMD_UNIT=%s", unit);
		if (user != NULL)
			snprintf(match, sizeof match, "_UID=%u", (unsigned)user->pw_uid);
		if (!source_journal_match(from, match))
			return false;
	}
	return sd_journal_add_match(from->journal, "_TRANSPORT=driver", 0) >= 0 &&
	       sd_journal_add_match(from->journal, SOURCE_JOURNAL_DROPPED, 0) >= 0;
}

/* False with a sentence in `error`. */
static bool source_journal_split_units(struct source_journal *from, const char *units, char *error, size_t error_size)
{
	char *to = from->units = calloc(1, strlen(units) + 2);
	for (const char *at = units; to != NULL && *at != '\0';) {
		size_t length = strcspn(at, " ,\t");
		if (length > 0) {
			memcpy(to, at, length);
			if (strchr(to, '=') != NULL && *to != '_') {
				snprintf(error, error_size,
					 "follow.units: \"%s\" is a field that anybody can write, expected a unit, or "
					 "a field "
					 "of journald's own, which begins with _",
					 to);
				return false;
			}
			to += length + 1;
		}
		at += length + (at[length] != '\0');
	}
	if (to == NULL || *from->units == '\0') {
		snprintf(error, error_size, "follow.units is empty, expected units such as \"postfix.service\"");
		return false;
	}
	return true;
}

/* The length of a field without its name; -1: there is none. */
static ssize_t source_journal_field(struct source_journal *from, const char *name, const char **at_out)
{
	const void *data;
	size_t length, head = strlen(name) + 1;
	if (sd_journal_get_data(from->journal, name, &data, &length) < 0 || length < head)
		return -1;
	*at_out = (const char *)data + head;
	return (ssize_t)(length - head);
}

static bool source_journal_has(const uint64_t *users, int count, uint64_t user)
{
	int at = 0;
	while (at < count && users[at] != user)
		at++;
	return at < count;
}

static void source_journal_allow(struct source_journal *from, uint64_t user)
{
	if (from->user_count < SOURCE_JOURNAL_USERS_MAX)
		from->users[from->user_count++] = user;
}

/* Those that follow.units names as _UID=NUMBER may, too. */
static void source_journal_allow_all(struct source_journal *from, const char *own)
{
	static const char given[] = "_UID=";
	const struct passwd *user;
	int64_t number;
	for (size_t i = 0; i < sizeof source_journal_names / sizeof *source_journal_names; i++)
		if ((user = getpwnam(source_journal_names[i])) != NULL)
			source_journal_allow(from, user->pw_uid);
	if (own != NULL && *own != '\0' && (user = getpwnam(own)) != NULL)
		source_journal_allow(from, user->pw_uid);
	for (const char *unit = from->units; *unit != '\0'; unit += strlen(unit) + 1)
		if (strncmp(unit, given, strlen(given)) == 0 &&
		    text_to_int(unit + strlen(given), 0, UINT32_MAX, &number))
			source_journal_allow(from, (uint64_t)number);
}

/* Said once of each. */
static void source_journal_tell(struct source_journal *from, uint64_t user)
{
	char line[400];
	if (from->told_count == SOURCE_JOURNAL_TOLD_MAX || source_journal_has(from->told, from->told_count, user))
		return;
	from->told[from->told_count++] = user;
	snprintf(line, sizeof line,
		 "journal: lines of the user %" PRIu64
		 " in a unit of follow.units are left out: a program that the MTA "
		 "runs for a user may write them. Where they are the MTA's own, add _UID=%" PRIu64 " to follow.units",
		 user, user);
	from->say(from->say_arg, line);
}

/* The kernel has told journald who wrote it; of journald's own there may be nobody. */
static bool source_journal_may(struct source_journal *from)
{
	const char *at;
	int64_t user;
	char digits[20] = "";
	ssize_t length = source_journal_field(from, "_UID", &at);
	if (length < 0)
		return true;
	if (length < (ssize_t)sizeof digits)
		memcpy(digits, at, (size_t)length);
	if (!text_to_int(digits, 0, UINT32_MAX, &user))
		return false;
	if (source_journal_has(from->users, from->user_count, (uint64_t)user))
		return true;
	source_journal_tell(from, (uint64_t)user);
	return false;
}

/* What journald dropped of other units is nothing to us. */
static bool source_journal_ours(const struct source_journal *from, const struct log_head *head)
{
	static const char suppressed[] = "Suppressed ";
	if (!span_is(head->program, "systemd-journald") || head->message.length < sizeof suppressed ||
	    memcmp(head->message.at, suppressed, sizeof suppressed - 1) != 0)
		return true;
	const char *name = memrchr(head->message.at, ' ', head->message.length);
	size_t length = (size_t)(head->message.at + head->message.length - name - 1);
	for (const char *unit = from->units; *unit != '\0'; unit += strlen(unit) + 1)
		if (strlen(unit) == length && memcmp(unit, name + 1, length) == 0)
			return true;
	return false;
}

/* A field's bytes stand until the next field is asked for: the message is the last one. */
static bool source_journal_read(struct source_journal *from, struct log_head *head_out)
{
	const char *at;
	uint64_t time_us = 0;
	*head_out = (struct log_head){ 0 };
	if (!source_journal_may(from))
		return false;
	sd_journal_get_realtime_usec(from->journal, &time_us);
	head_out->time_us = (int64_t)time_us;
	ssize_t length = source_journal_field(from, "SYSLOG_IDENTIFIER", &at);
	struct text program = text_over(from->program, sizeof from->program);
	text_add_bytes(&program, length > 0 ? at : "", length > 0 ? (size_t)length : 0);
	head_out->program = (struct span){ from->program, program.length };
	length = source_journal_field(from, "SYSLOG_PID", &at);
	if (length < 0)
		length = source_journal_field(from, "_PID", &at);
	char digits[20] = "";
	if (length > 0 && length < (ssize_t)sizeof digits)
		memcpy(digits, at, (size_t)length);
	text_to_int(digits, 0, INT32_MAX, &head_out->pid);
	length = source_journal_field(from, "MESSAGE", &at);
	if (length < 0)
		return false;
	size_t most = (size_t)length < LINE_MOST ? (size_t)length : LINE_MOST;
	from->source.cut_lines += most < (size_t)length;
	head_out->message = (struct span){ at, most };
	return source_journal_ours(from, head_out);
}

/* The cursor is gone where the file with the entry is, as sd_journal_process() may find. */
static void source_journal_remember(struct source_journal *from)
{
	char *cursor;
	if (!from->at_entry || sd_journal_get_cursor(from->journal, &cursor) < 0)
		return;
	from->place.known = text_copy(from->place.cursor, sizeof from->place.cursor, cursor);
	from->at_entry = false;
	free(cursor);
}

static enum source_got source_journal_next(struct log_source *source, struct log_head *head_out, bool *known_out)
{
	struct source_journal *from = (struct source_journal *)source;
	if (from->turned) {
		from->turned = false;
		return SOURCE_TURNED;
	}
	do {
		/* it must be asked even where the descriptor said nothing: else files that were rotated stay open */
		if (!from->reserved && sd_journal_next(from->journal) <= 0) {
			source_journal_remember(from);
			sd_journal_process(from->journal);
			if (sd_journal_next(from->journal) <= 0)
				return SOURCE_NOTHING;
		}
		from->reserved = false;
		from->at_entry = true;
	} while (!source_journal_read(from, head_out));
	*known_out = true;
	return SOURCE_LINE;
}

static void source_journal_place(const struct log_source *source, struct source_place *place_out)
{
	struct source_journal *from = (struct source_journal *)(uintptr_t)source;
	source_journal_remember(from);
	*place_out = from->place;
}

/* Behind the entry of the place; where that is gone, at the first one after it. */
static void source_journal_continue(struct source_journal *from, const struct source_options *options)
{
	const char *cursor = options->place.cursor;
	from->place = options->place;
	if (sd_journal_seek_cursor(from->journal, cursor) < 0 || sd_journal_next(from->journal) <= 0)
		return; /* nothing is there yet: what comes is new */
	from->reserved = sd_journal_test_cursor(from->journal, cursor) <= 0;
	if (!from->reserved)
		return;
	from->source.lost_places++;
	from->turned = true;
	options->say(options->say_arg, "journal: the entry that was read last is gone: entries behind it may be lost");
}

/* libsystemd passes over files that it may not read, so that nothing would come for ever. False with a sentence. */
static bool source_journal_may_read(const struct source_options *options, char *error, size_t error_size)
{
	static const char *const folders[] = { "/run/log/journal", "/var/log/journal" };
	char id[SD_ID128_STRING_MAX], file[128];
	sd_id128_t machine;
	if (strcmp(options->name, "journal") != 0 || sd_id128_get_machine(&machine) < 0)
		return true;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		snprintf(file, sizeof file, "%s/%s/system.journal", folders[i], sd_id128_to_string(machine, id));
		if (access(file, R_OK) == 0 || errno != EACCES)
			continue;
		snprintf(error, error_size,
			 "follow.source is \"journal\", and %s may not be read by this user: expected one in the group "
			 "systemd-journal",
			 file);
		return false;
	}
	return true;
}

static bool source_journal_begin(struct source_journal *from, const struct source_options *options)
{
	const char *name = options->name;
	const char *folder = strncmp(name, "journal:", 8) == 0 ? name + 8 : NULL;
	int failed = folder != NULL ? sd_journal_open_directory(&from->journal, folder, 0)
				    : sd_journal_open(&from->journal, SD_JOURNAL_LOCAL_ONLY);
	if (failed < 0 || !source_journal_matches(from))
		return false;
	sd_journal_set_data_threshold(from->journal, 0);
	from->source.fd = sd_journal_get_fd(from->journal);
	if (options->place.known)
		source_journal_continue(from, options);
	else if (!options->from_start && sd_journal_seek_tail(from->journal) >= 0 &&
		 sd_journal_previous(from->journal) > 0)
		from->at_entry = true; /* else the next one would be the last one again */
	else			       /* from the end of nothing there is no next one */
		sd_journal_seek_head(from->journal);
	return true;
}

struct log_source *source_journal_open(const struct source_options *options, char *error, size_t error_size)
{
	struct source_journal *from = calloc(1, sizeof *from);
	if (from == NULL) {
		snprintf(error, error_size, "no memory to read the journal");
		return NULL;
	}
	from->source = (struct log_source){
		.fd = -1, .next = source_journal_next, .place = source_journal_place, .release = source_journal_release
	};
	if (!source_journal_split_units(from, options->units, error, error_size) ||
	    !source_journal_may_read(options, error, error_size)) {
		source_journal_release(&from->source);
		return NULL;
	}
	from->say = options->say;
	from->say_arg = options->say_arg;
	source_journal_allow_all(from, options->user);
	if (!source_journal_begin(from, options)) {
		snprintf(error, error_size, "%s: it cannot be opened: %s", options->name, strerror(errno));
		source_journal_release(&from->source);
		return NULL;
	}
	return &from->source;
}

#else

#include "policy/base/banned.h"

struct log_source *source_journal_open(const struct source_options *options, char *error, size_t error_size)
{
	snprintf(error, error_size,
		 "follow.source is \"%s\", and this penstock-follow was built without libsystemd: expected the path of "
		 "the mail log's file, or a build with libsystemd-dev",
		 options->name);
	return NULL;
}

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The snapshot: one file of this machine's bytes, `clients` in clients.state, written beside and renamed. A head with
 * the number of bytes behind it and their hash, then what the counts of the head say, then the guesses' own part.
 * Counts go by their place, so that an older file, which knows fewer events, can be read.
 */
#include "milter/clients/clients_inside.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/plain_file.h"
#include "milter/clients/guesses.h"
#include "milter/daemon/trouble.h"
#include "policy/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { PATH_BYTES = 320, VERSION = 1, PIECE = 65536 };
#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

static const char magic[8] = "penscli\n";

struct save_head {
	char magic[8];
	uint32_t version, head_bytes;
	uint64_t bytes, hash; /* of what follows, but for the guesses' part */
	int64_t saved_s, alarm_s;
	uint32_t events, stages, services, standings;
	uint32_t hours, writers;
	uint64_t rows[CLIENTS_KINDS];
	char last_id[CLIENTS_STREAM_ID_MAX];
	uint64_t head_hash; /* of what stands before it; last */
};

/* What of a row has a size of its own; floats of each event follow. */
struct save_row {
	uint64_t bits;
	int64_t at_s;
	uint32_t family, as_number, first_s, last_s, slowed_s;
	uint16_t mail_day, mail_days;
};

static struct {
	pthread_mutex_t lock;
	int64_t saved_s;
	char why[300];
} save = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void clients_save_note(int64_t saved_s, const char *why)
{
	pthread_mutex_lock(&save.lock);
	if (saved_s != 0)
		save.saved_s = saved_s;
	text_copy(save.why, sizeof save.why, why);
	pthread_mutex_unlock(&save.lock);
}

void clients_save_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&save.lock);
	stats->saved_s = save.saved_s;
	text_copy(stats->save_why, sizeof stats->save_why, save.why);
	pthread_mutex_unlock(&save.lock);
}

/* ---- writing */

struct save_out {
	FILE *file;
	struct save_head head;
};

/* FNV-1a, which goes on where it stopped. */
static uint64_t save_hash(uint64_t hash, const void *bytes, size_t length)
{
	for (const unsigned char *at = bytes; length > 0; at++, length--)
		hash = (hash ^ *at) * UINT64_C(0x100000001b3);
	return hash;
}

static void save_put(struct save_out *out, const void *bytes, size_t length)
{
	fwrite(bytes, 1, length, out->file);
	out->head.bytes += length;
	out->head.hash = save_hash(out->head.hash, bytes, length);
}

static void save_put_row(struct save_out *out, const struct clients_entry *entry)
{
	const struct save_row row = {
		.bits = entry->key.bits,
		.at_s = entry->counts.at_s,
		.family = entry->key.family,
		.as_number = entry->as_number,
		.first_s = entry->first_s,
		.last_s = entry->last_s,
		.slowed_s = entry->slowed_s,
		.mail_day = entry->counts.mail_day,
		.mail_days = entry->counts.mail_days,
	};
	save_put(out, &row, sizeof row);
	save_put(out, entry->counts.value, sizeof entry->counts.value);
}

static void save_put_rows(struct save_out *out)
{
	static struct clients_entry entries[CLIENTS_WALK_MOST]; /* one thread writes at a time */
	for (int kind = 0; kind < CLIENTS_KINDS; kind++) {
		size_t count;
		while ((count = clients_copy((enum clients_kind)kind, out->head.rows[kind], entries)) > 0) {
			for (size_t i = 0; i < count; i++)
				save_put_row(out, &entries[i]);
			out->head.rows[kind] += count;
		}
	}
}

static void save_put_hours(struct save_out *out)
{
	struct clients_hour hour;
	for (size_t place = 0; place < CLIENTS_HOURS_MOST; place++) {
		if (!clients_hours_copy(place, &hour))
			continue;
		save_put(out, &hour.hour, sizeof hour.hour);
		save_put(out, &hour.jumped, sizeof hour.jumped);
		save_put(out, hour.event, sizeof hour.event);
		save_put(out, hour.stage, sizeof hour.stage);
		save_put(out, hour.failure, sizeof hour.failure);
		save_put(out, hour.session, sizeof hour.session);
		save_put(out, hour.message, sizeof hour.message);
		out->head.hours++;
	}
}

/* The stream halts, so that a row and the position in it fit to each other: after a crash no note counts twice. */
static void save_put_all(struct save_out *out)
{
	static struct clients_position position; /* one thread writes at a time */
	clients_batches_halt(&position);
	text_copy(out->head.last_id, sizeof out->head.last_id, position.last_id);
	out->head.writers = (uint32_t)position.writer_count;
	for (int i = 0; i < position.writer_count; i++)
		save_put(out, &position.writers[i], sizeof position.writers[i]);
	save_put_hours(out);
	save_put_rows(out);
	out->head.alarm_s = clients_alarm_since_s();
	guesses_save(out->file);
	clients_batches_go_on();
}

static uint64_t save_hash_head(const struct save_head *head)
{
	return save_hash(HASH_BEGIN, head, offsetof(struct save_head, head_hash));
}

static bool save_write_file(const char *path)
{
	const char *why;
	int fd = plain_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, &why);
	if (fd < 0)
		return false;
	struct save_out out = { .file = fdopen(fd, "wb"),
				.head = { .version = VERSION,
					  .hash = HASH_BEGIN,
					  .head_bytes = sizeof(struct save_head),
					  .events = CLIENT_EVENT_COUNT,
					  .stages = CLIENT_STAGE_COUNT,
					  .services = CLIENT_SERVICE_COUNT,
					  .standings = CLIENT_STANDING_COUNT,
					  .saved_s = clock_now_ms() / 1000 } };
	if (out.file == NULL) {
		close(fd);
		return false;
	}
	memcpy(out.head.magic, magic, sizeof magic);
	fwrite(&out.head, 1, sizeof out.head, out.file);
	save_put_all(&out);
	out.head.head_hash = save_hash_head(&out.head);
	bool good = fseek(out.file, 0, SEEK_SET) == 0 &&
		    fwrite(&out.head, 1, sizeof out.head, out.file) == sizeof out.head && fflush(out.file) == 0 &&
		    !ferror(out.file) && fsync(fd) == 0;
	int why_not = errno;
	good = fclose(out.file) == 0 && good;
	if (!good)
		errno = why_not;
	return good;
}

static void save_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

void clients_save_write(const char *folder)
{
	char path[PATH_BYTES], beside[PATH_BYTES], why[300];
	snprintf(path, sizeof path, "%s/clients", folder);
	snprintf(beside, sizeof beside, "%s/clients.new", folder);
	if (save_write_file(beside) && rename(beside, path) == 0) {
		save_sync_folder(folder);
		clients_save_note(clock_now_ms() / 1000, "");
		trouble_clear(TROUBLE_CLIENTS);
		return;
	}
	snprintf(why, sizeof why, "%.200s: %s", beside, strerror(errno));
	clients_save_note(0, why);
	trouble_set(TROUBLE_CLIENTS, "clients.state is \"%s\": %s; what is known of clients does not outlive a restart",
		    folder, why);
}

/* ---- reading */

struct save_in {
	FILE *file;
	struct save_head head;
};

static bool save_take(struct save_in *in, void *to, size_t length)
{
	return fread(to, 1, length, in->file) == length;
}

/* Is all of it there, and as it was written? */
static bool save_is_whole(struct save_in *in)
{
	static unsigned char piece[PIECE]; /* read once, at the start */
	uint64_t hash = HASH_BEGIN;
	const struct save_head *head = &in->head;
	if (!save_take(in, &in->head, sizeof in->head) || memcmp(head->magic, magic, sizeof magic) != 0 ||
	    head->version != VERSION || head->head_bytes != sizeof *head || head->head_hash != save_hash_head(head))
		return false;
	for (uint64_t left = head->bytes; left > 0;) {
		size_t length = left < sizeof piece ? (size_t)left : sizeof piece;
		if (!save_take(in, piece, length))
			return false;
		hash = save_hash(hash, piece, length);
		left -= length;
	}
	return hash == head->hash;
}

/* `count` numbers of the file, of which this program knows the first `most`. */
static bool save_take_numbers(struct save_in *in, uint32_t *to, uint32_t most, uint32_t count)
{
	uint32_t number;
	for (uint32_t i = 0; i < count; i++) {
		if (!save_take(in, &number, sizeof number))
			return false;
		if (i < most)
			to[i] = number;
	}
	return true;
}

static bool save_take_hours(struct save_in *in)
{
	const struct save_head *head = &in->head;
	for (uint32_t i = 0; i < head->hours; i++) {
		struct clients_hour hour = { .hour = 0 };
		if (!save_take_numbers(in, &hour.hour, 1, 1) || !save_take_numbers(in, &hour.jumped, 1, 1) ||
		    !save_take_numbers(in, hour.event, CLIENT_EVENT_COUNT, head->events) ||
		    !save_take_numbers(in, hour.stage, CLIENT_STAGE_COUNT, head->stages) ||
		    !save_take_numbers(in, hour.failure, CLIENT_SERVICE_COUNT, head->services) ||
		    !save_take_numbers(in, hour.session[0], 2 * CLIENT_STANDING_COUNT, 2 * head->standings) ||
		    !save_take_numbers(in, hour.message[0][0], 4 * CLIENT_STANDING_COUNT, 4 * head->standings))
			return false;
		clients_hours_restore(&hour);
	}
	return true;
}

static bool save_take_row(struct save_in *in, enum clients_kind kind)
{
	struct save_row row;
	if (!save_take(in, &row, sizeof row))
		return false;
	struct clients_entry entry = {
		.key = { row.bits, row.family },
		.as_number = row.as_number,
		.first_s = row.first_s,
		.last_s = row.last_s,
		.slowed_s = row.slowed_s,
		.counts = { .at_s = row.at_s, .mail_day = row.mail_day, .mail_days = row.mail_days },
	};
	for (uint32_t i = 0; i < in->head.events; i++) {
		float value;
		if (!save_take(in, &value, sizeof value))
			return false;
		if (i < CLIENT_EVENT_COUNT && value > 0 && isfinite(value))
			entry.counts.value[i] = value;
	}
	clients_restore(kind, &entry);
	return true;
}

static bool save_take_all(struct save_in *in)
{
	static struct clients_position position; /* read once, at the start */
	position.writer_count = 0;
	text_copy(position.last_id, sizeof position.last_id, in->head.last_id);
	for (uint32_t i = 0; i < in->head.writers; i++) {
		if (i == CLIENTS_WRITERS_MOST || !save_take(in, &position.writers[i], sizeof position.writers[i]))
			return false;
		position.writers[i].name[CLIENTS_WRITER_NAME_MAX - 1] = '\0';
		position.writer_count++;
	}
	if (!save_take_hours(in))
		return false;
	for (int kind = 0; kind < CLIENTS_KINDS; kind++)
		for (uint64_t i = 0; i < in->head.rows[kind]; i++)
			if (!save_take_row(in, (enum clients_kind)kind))
				return false;
	clients_batches_restore(&position);
	clients_alarm_restore(in->head.alarm_s);
	clients_save_note(in->head.saved_s, "");
	return true;
}

static void clients_save_set_aside(const char *folder, const char *path)
{
	char aside[PATH_BYTES];
	snprintf(aside, sizeof aside, "%s/clients.bad", folder);
	bool moved = rename(path, aside) == 0;
	log_line(SEVERITY_WARNING,
		 "clients.state: %s is no whole snapshot of clients%s%s; what is known of them begins anew", path,
		 moved ? ", and is set aside as " : "", moved ? aside : "");
}

void clients_save_read(const char *folder)
{
	char path[PATH_BYTES];
	const char *why;
	snprintf(path, sizeof path, "%s/clients", folder);
	clients_alarm_restore(0);
	clients_save_note(0, "");
	struct save_in in = { .file = plain_file_read(path, &why) };
	if (in.file == NULL && errno == ENOENT)
		return;
	if (in.file == NULL) {
		log_line(SEVERITY_WARNING, "clients.state: %s: %s; what is known of clients begins anew", path, why);
		return;
	}
	bool good = save_is_whole(&in) && fseek(in.file, sizeof in.head, SEEK_SET) == 0 && save_take_all(&in);
	if (good && !guesses_load(in.file))
		log_line(SEVERITY_WARNING,
			 "clients.state: %s says nothing of failed logins that can be read; they begin anew", path);
	fclose(in.file);
	if (!good)
		clients_save_set_aside(folder, path);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file of the log, and the files that it was before. Whoever rotates it by name, and whoever writes it then, has one
 * file open at a time: so the old one is whole when the new one has begun, and is read to its end before that. A file
 * that was cut to nothing under our eyes was copied before (copytruncate): the copy is looked for, and read on.
 *
 * One is known again by its inode, and by what stands at its head.
 */
#include "milter/follow/source.h"

#include "milter/base/clock.h"
#include "milter/follow/source_files.h"
#include "policy/base/text.h"
#include "policy/hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

struct source_file {
	struct log_source source;
	source_say *say;
	void *say_arg;
	struct source_files files;
	int fd;			   /* -1: none, nobody made one yet */
	struct source_place place; /* behind the last line that was given out */
	int64_t fed; /* bytes behind it that are in `split` and `chunk`, or were left out of a long line */
	unsigned char head[SOURCE_HASHED]; /* of the file, place.hashed bytes */
	bool turning;			   /* the next file has begun: this one is whole */
	bool turned;			   /* it is another file than that of the last line, and nobody was told yet */
	int away;			   /* errno of what was said, that there is no file; 0: there is one */
	struct line_split split;
	struct span chunk; /* of `bytes`, what is left */
	char bytes[64 * 1024];
};

static void source_file_say(const struct source_file *from, const char *what)
{
	char memory[1200];
	struct text line = text_over(memory, sizeof memory);
	text_addf(&line, "%s: %s", from->files.path, what);
	from->say(from->say_arg, memory);
}

static void source_file_lose(struct source_file *from, const char *what)
{
	from->source.lost_places++;
	source_file_say(from, what);
}

/* As much of it as there is, read or not: what stands in a log stays. */
static void source_file_take_head(struct source_file *from)
{
	struct stat now;
	if (from->place.hashed < SOURCE_HASHED) {
		ssize_t got = pread(from->fd, from->head, SOURCE_HASHED, 0);
		from->place.hashed = got > 0 ? got : 0;
		from->place.hash = hash_bytes(from->head, (size_t)from->place.hashed, 0);
	}
	if (fstat(from->fd, &now) == 0)
		from->place.modified_ns = source_files_modified(&now);
}

/* From now on it reads `fd`, at that offset. */
static void source_file_use(struct source_file *from, int fd, int64_t offset)
{
	struct stat now = { 0 };
	if (from->fd >= 0)
		close(from->fd);
	from->fd = fd;
	from->turning = false;
	from->turned = true;
	from->chunk = (struct span){ from->bytes, 0 };
	from->split.length = 0;
	from->split.cut = false;
	from->fed = 0;
	fstat(fd, &now);
	lseek(fd, offset, SEEK_SET);
	from->place = (struct source_place){
		.known = true, .device = (uint64_t)now.st_dev, .inode = (uint64_t)now.st_ino, .offset = offset
	};
	source_file_take_head(from);
}

/* It was cut, or another file was written over it. */
static bool source_file_changed(const struct source_file *from)
{
	struct stat now;
	unsigned char head[SOURCE_HASHED];
	if (fstat(from->fd, &now) == 0 && now.st_size < from->place.offset + from->fed)
		return true;
	ssize_t got = pread(from->fd, head, (size_t)from->place.hashed, 0);
	return got >= 0 && (got < from->place.hashed || memcmp(head, from->head, (size_t)got) != 0);
}

/* The rest of what was here is in a copy, or lost. The file itself comes after it. */
static void source_file_follow_copy(struct source_file *from)
{
	struct source_place sought = from->place;
	sought.inode = 0; /* by its head alone */
	int copy = source_files_find(&from->files, &sought);
	if (copy >= 0) {
		source_file_use(from, copy, sought.offset);
		return;
	}
	source_file_lose(from, "it was cut, and no copy of it is beside it: what was written last before that is lost");
	source_file_use(from, dup(from->fd), 0);
}

/* At the end of the file: is it whole, and is there a next one? */
static bool source_file_turn(struct source_file *from)
{
	struct stat now;
	if (!from->turning) {
		from->turning = source_files_has_next(&from->files, from->fd);
		return from->turning; /* and once more to the end of this one */
	}
	if (from->fed > 0) { /* a last line without its newline */
		from->bytes[0] = '\n';
		from->chunk = (struct span){ from->bytes, 1 };
		from->fed--; /* it is none of the file's bytes */
		return true;
	}
	int64_t modified_ns = fstat(from->fd, &now) == 0 ? source_files_modified(&now) : from->place.modified_ns;
	int next = source_files_next(&from->files, from->fd, modified_ns);
	if (next < 0 && from->away == 0)
		source_file_say(from, "the file that has this name now cannot be read: it is waited for");
	from->away = next < 0 ? EIO : 0;
	from->source.away = next < 0;
	if (next >= 0)
		source_file_use(from, next, 0);
	return next >= 0;
}

static bool source_file_open_first(struct source_file *from)
{
	errno = 0;
	int fd = source_files_open(&from->files), why = fd >= 0 ? 0 : errno != 0 ? errno : EIO;
	if (why != 0 && why != from->away)
		source_file_say(from, why == ENOENT   ? "there is no such file yet: it is waited for"
				      : why == EACCES ? "it may not be read by this user: that is waited for"
						      : "it is no file that can be read: one is waited for");
	from->away = why;
	from->source.away = why != 0;
	if (fd >= 0)
		source_file_use(from, fd, 0);
	return fd >= 0;
}

/* False: nothing new. */
static bool source_file_fill(struct source_file *from)
{
	if (from->fd < 0 && !source_file_open_first(from))
		return false;
	if (source_file_changed(from)) {
		source_file_follow_copy(from);
		return true;
	}
	ssize_t got = read(from->fd, from->bytes, sizeof from->bytes);
	if (got <= 0)
		return got == 0 && source_file_turn(from);
	from->chunk = (struct span){ from->bytes, (size_t)got };
	return true;
}

static enum source_got source_file_next(struct log_source *source, struct log_head *head_out, bool *known_out)
{
	struct source_file *from = (struct source_file *)source;
	struct span line;
	while (true) {
		size_t before = from->chunk.length;
		bool whole = line_split(&from->split, &from->chunk, &line);
		from->fed += (int64_t)(before - from->chunk.length);
		if (whole)
			break;
		char unread[4096];
		while (source->fd >= 0 &&
		       read(source->fd, unread, sizeof unread) > 0) { /* inotify: that is all we want */
		}
		bool filled = source_file_fill(from);
		if (from->turned) {
			from->turned = false;
			return SOURCE_TURNED;
		}
		if (!filled)
			return SOURCE_NOTHING;
	}
	from->place.offset += from->fed;
	from->fed = 0;
	source->cut_lines = from->split.count;
	*known_out = line_head(line.at, line.length, clock_now_ms() / 1000, head_out);
	if (!*known_out)
		head_out->message = line;
	return SOURCE_LINE;
}

static void source_file_place(const struct log_source *source, struct source_place *place_out)
{
	struct source_file *from = (struct source_file *)(uintptr_t)source;
	if (from->fd >= 0)
		source_file_take_head(from);
	*place_out = from->place;
}

static void source_file_release(struct log_source *source)
{
	struct source_file *from = (struct source_file *)source;
	if (from->fd >= 0)
		close(from->fd);
	if (source->fd >= 0)
		close(source->fd);
	free(from);
}

/* Behind the last whole line. */
static int64_t source_file_end(int fd)
{
	char bytes[4096];
	int64_t end = lseek(fd, 0, SEEK_END);
	while (end > 0) {
		int64_t from = end > (int64_t)sizeof bytes ? end - (int64_t)sizeof bytes : 0;
		ssize_t got = pread(fd, bytes, (size_t)(end - from), from);
		const char *newline = got > 0 ? memrchr(bytes, '\n', (size_t)got) : NULL;
		if (got <= 0 || newline != NULL)
			return newline != NULL ? from + (newline - bytes) + 1 : 0;
		end = from;
	}
	return 0;
}

/* Where it begins is nothing that must be saved: whoever begins there again does the same. */
static void source_file_begin(struct source_file *from, const struct source_options *options)
{
	const struct source_place *place = &options->place;
	int fd = place->known ? source_files_find(&from->files, place) : -1;
	if (fd >= 0) {
		source_file_use(from, fd, place->offset);
		return;
	}
	if (place->known) {
		source_file_lose(from, "the file that was read last is gone, or was changed: the rest of it is lost");
		fd = source_files_next(&from->files, -1, place->modified_ns);
		if (fd >= 0) {
			source_file_use(from, fd, 0);
			return;
		}
	}
	if (source_file_open_first(from) && !place->known && !options->from_start)
		source_file_use(from, dup(from->fd), source_file_end(from->fd));
}

struct log_source *source_file_open(const struct source_options *options, char *error, size_t error_size)
{
	struct source_file *from = calloc(1, sizeof *from);
	if (from == NULL) {
		snprintf(error, error_size, "%s: no memory to read it", options->name);
		return NULL;
	}
	from->fd = -1;
	from->say = options->say;
	from->say_arg = options->say_arg;
	from->source = (struct log_source){
		.fd = -1, .next = source_file_next, .place = source_file_place, .release = source_file_release
	};
	if (!source_files_init(&from->files, options->name, error, error_size)) {
		free(from);
		return NULL;
	}
	from->source.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (from->source.fd >= 0)
		inotify_add_watch(from->source.fd, from->files.folder,
				  IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
	source_file_begin(from, options);
	from->turned = from->source.lost_places > 0;
	return &from->source;
}

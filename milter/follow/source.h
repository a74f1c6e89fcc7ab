/* SPDX-License-Identifier: BSD-2-Clause
 *
 * source: where the lines of the mail log come from, one after the other: journald, a file, or standard input. The
 * same log gives the same lines in the same order whenever it is read from the same place; only standard input has no
 * places. One thread. What is lost of the log is said to who made the source, and counted.
 */
#ifndef PENSTOCK_SOURCE_H
#define PENSTOCK_SOURCE_H

#include "milter/follow/line.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint;
struct checkpoint_row;

enum source_got {
	SOURCE_LINE,
	SOURCE_NOTHING, /* as yet: wait for source->fd, or a second */
	SOURCE_TURNED,	/* it goes on in another file, or elsewhere: the place is to be saved before the next line is
			   read,  since what is behind it may be gone when it is looked for again */
	SOURCE_END,	/* there will be no more */
};

enum {
	SOURCE_CURSOR_MAX = 512,
	SOURCE_HASHED = 256, /* bytes at the head of a file by which it is known again */
};

/* How far it was read: a member of each kind that needs it. */
struct source_place {
	bool known;			    /* false: nowhere yet */
	char cursor[SOURCE_CURSOR_MAX + 1]; /* journald's */
	uint64_t device, inode;		    /* of the file */
	int64_t offset;			    /* bytes that were read of it, whole lines */
	int64_t hashed;			    /* so many bytes at its head, SOURCE_HASHED at most, have this hash */
	uint64_t hash;
	int64_t modified_ns; /* when the file had been written to last, Unix time */
};

typedef void source_say(void *arg, const char *line);

struct source_options {
	const char *name;	   /* "journal", "journal:FOLDER", "-", or a path */
	const char *units;	   /* of the journal: words that are units, or FIELD=VALUE of its own fields (_UID=0) */
	const char *user;	   /* ... Penstock's own (option user) */
	struct source_place place; /* known: go on there; else ... */
	bool from_start;	   /* ... at the first line that there is, or behind the last one */
	source_say *say;	   /* what an admin should read, a whole sentence */
	void *say_arg;
};

/* What all kinds have; each embeds it as its first member. */
struct log_source {
	int fd;		      /* readable: something may have come; -1: only a second passing tells */
	uint64_t lost_places; /* how often the place where it should have gone on was gone */
	uint64_t cut_lines;   /* lines that were longer than LINE_MOST */
	bool away;	      /* it is not there now, or may not be read: nothing comes, which is no end */
	/* *known_out false: a line without a head; head_out->message is all of it. Spans stand until the next call. */
	enum source_got (*next)(struct log_source *source, struct log_head *head_out, bool *known_out);
	void (*place)(const struct log_source *source, struct source_place *place_out);
	void (*release)(struct log_source *source);
};

/* NULL with a sentence in `error`. */
struct log_source *source_open(const struct source_options *options, char *error, size_t error_size);
void source_free(struct log_source **source);

/* The kinds. */
struct log_source *source_journal_open(const struct source_options *options, char *error, size_t error_size);
struct log_source *source_file_open(const struct source_options *options, char *error, size_t error_size);
struct log_source *source_stdin_open(int fd);

/* A row of the checkpoint file. */
void source_place_save(const struct source_place *place, const char *name, struct checkpoint *to);
/* `name` is that of the source in force: the place of another one is no use, and unknown then. */
bool source_place_load(struct source_place *place, const char *name, const struct checkpoint_row *row);

#endif

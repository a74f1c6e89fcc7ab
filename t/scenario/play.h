/* SPDX-License-Identifier: BSD-2-Clause
 *
 * play: one scenario, read line by line, against one daemon of its own. See README for the language.
 */
#ifndef PENSTOCK_PLAY_H
#define PENSTOCK_PLAY_H

#include "t/fake/mta.h"

#include <stdbool.h>
#include <stddef.h>

enum { WORDS_MAX = 64, LINE_LONGEST = 4096, CONF_MAX = 65536, CAME_MAX = 2000, IDLE_MAX = 1000, SETTLE_MS = 5000 };

/* A line: its words, and what stands behind the first of them, as it is. */
struct line {
	int count;
	char *words[WORDS_MAX]; /* owned */
	const char *rest;	/* borrowed from the line read */
};

struct conf {
	char text[CONF_MAX];
};

struct server;

struct play {
	const char *file;
	int line;
	int failures;
	char error[CAME_MAX]; /* of a command that cannot be done */
	struct conf conf;
	char folder[80], conf_file[120];
	struct server *server; /* NULL: not started */
	SMFICTX *mta;	       /* the session at hand; NULL: none */
	SMFICTX *idle[IDLE_MAX];
	int idle_count;
	bool refused;		  /* at MAIL: the message is over */
	int accepted;		  /* recipients of the message at hand */
	int messages;		  /* so far */
	struct mta_answer answer; /* the last one */
	char control[16384];	  /* what the control socket said last */
};

/* lines.c: words are separated by blanks. "..." keeps blanks, knows \n \r \t \\ \" and \xHH, and with *N behind it is
 * repeated. A word that begins with # ends the line. False with a sentence in `error`. */
bool line_read(const char *text, struct line *line_out, char *error, size_t error_size);
void line_free(struct line *line);
/* A copy of `text` with the first of each %d in it replaced by the number. */
char *numbered(const char *text, int number);

/* conf.c: the configuration's text. False with a sentence in `error`. */
bool conf_load(struct conf *conf, const char *file, char *error, size_t error_size);
bool conf_set(struct conf *conf, const char *name, const char *value, char *error, size_t error_size);
bool conf_write(const struct conf *conf, const char *folder, const char *file, char *error, size_t error_size);

/* A command's or an expectation's own function: false with a sentence in play->error. */
typedef bool command_function(struct play *play, const struct line *line);

struct command {
	const char *word;
	int least; /* words, its own included */
	command_function *run;
	const char *usage;
};

/* command.c */
const struct command *command_find(const char *word);
bool play_start(struct play *play); /* the daemon, where it does not run yet */
void play_stop(struct play *play);
__attribute__((format(printf, 2, 3))) bool play_fail(struct play *play, const char *format, ...);
/* True as soon as `is` is, false when it was not for SETTLE_MS. */
bool play_wait(bool (*is)(void *arg), void *arg);
/* The daemon has done what it does behind the answers that it gave. False: its loop hangs, and the play has failed. */
bool play_catch_up(struct play *play);

/* world.c: Redis, DNS, scanner, clock, control socket */
extern const struct command world_commands[]; /* ends with a NULL word */

/* crowd.c */
command_function command_crowd;

/* expect.c */
command_function command_expect;

#endif

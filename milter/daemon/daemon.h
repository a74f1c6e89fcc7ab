/* SPDX-License-Identifier: BSD-2-Clause
 *
 * daemon: what the parts of one running daemon share: the loop, the store, the block lists, and the configuration in
 * force. One for the process; made by main before any session.
 */
#ifndef PENSTOCK_DAEMON_H
#define PENSTOCK_DAEMON_H

#include "milter/base/loop.h"
#include "milter/config/config.h"

struct check;
struct check_event;
struct check_target;
struct engine;
struct lists;
struct logins;
struct origins;
struct store;
struct rbl;
struct traps;

struct daemon {
	struct loop *loop;   /* owned */
	struct store *store; /* owned; its functions belong to the loop thread */
	char node[17];	     /* this daemon's name among those that share one Redis; from the start on */
};

extern struct daemon the_daemon;

enum setup_file { SETUP_LOGINS, SETUP_TRAPS, SETUP_FILES };

/* What a reload replaces, as one counted value, so that a session keeps configuration, files and block lists of one
 * kind. */
struct setup {
	struct loop_job end;	       /* daemon.c's; first */
	struct config *config;	       /* one reference */
	struct engine *engine;	       /* owned */
	struct origins *origins;       /* owned; NULL: clients' ASes are not asked for */
	struct lists *lists;	       /* owned: those of the configuration, by their place in it */
	struct rbl *rbl;	       /* owned */
	struct logins *logins;	       /* owned */
	struct traps *traps;	       /* owned */
	char unread[SETUP_FILES][400]; /* why a file could not be read; "": it was */
	int references;		       /* daemon.c's */
};

/* The setup in force; any thread. Give it back with setup_drop, which clears the pointer. */
struct setup *setup_hold(void);
void setup_drop(struct setup **setup);

/* Looks something up for somebody who asked, by the setup's lists and origin zones: see check_start. The setup is to be
 * held until check_end. */
struct check *setup_check(const struct setup *setup, const struct check_target *target, bool public_only,
			  void (*listener)(void *arg, const struct check_event *event), void *arg);

/* Makes a setup of `config` and puts it in force, at the start: a file that cannot be read is a trouble, since mail
 * does not wait for it. This and the next take the reference. False with a sentence in `error`. */
bool setup_start(struct config *config, char *error, size_t error_size);

/* A setup for a reload, with all of it that can fail; nothing of it is in force yet. NULL with a sentence in `error`.
 */
struct setup *setup_prepare(struct config *config, char *error, size_t error_size);
/* Puts it in force, which cannot fail, and clears the pointer. */
void setup_enter(struct setup **setup);

/* Once more the files that could not be read. True: another setup is in force, which who keeps one has to follow. Main
 * thread, as the three before. */
bool setup_mend(void);

/* At the end of the daemon, with the loop stopped. */
void setup_clear(void);

#endif

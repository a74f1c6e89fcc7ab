/* SPDX-License-Identifier: BSD-2-Clause
 *
 * client_note: one thing that a client did, as a row of text: as penstock-follow hands it to the daemons through the
 * stream PREFIX:clients, and as `penstockctl client report -` reads it. The words are those of policy/client.h.
 *
 *   TIME ADDRESS EVENT STAGE SERVICE NAME
 *   1764483108 192.0.2.7 auth_failure - imap alice%40example.com
 *
 * TIME is Unix time in seconds. NAME is what a client typed as its login, a stranger's text: each byte that is no
 * letter, no digit and none of . _ - is %XX of it, at most CLIENT_NOTE_NAME_MAX bytes of it are kept; "-" is none.
 */
#ifndef PENSTOCK_CLIENT_NOTE_H
#define PENSTOCK_CLIENT_NOTE_H

#include "policy/client.h"
#include "policy/netaddr.h"

#include <stddef.h>

enum {
	CLIENT_NOTE_NAME_MAX = 64,
	CLIENT_NOTE_ROW_MAX = 320,	/* with its newline and NUL */
	CLIENT_NOTE_BATCH_MAX = 100,	/* rows in one entry of the stream */
	CLIENT_NOTE_STREAM_MOST = 2000, /* entries that the stream keeps, about */
};

struct client_note {
	int64_t time_s;
	struct netaddr client;
	enum client_event event;
	enum client_stage stage;
	enum client_service service;
	char name[CLIENT_NOTE_NAME_MAX + 1]; /* printable ASCII and whole UTF-8 alone, other bytes are '?'; "": none */
};

/* Puts the row with its newline into `to`; its length. */
size_t client_note_write(const struct client_note *note, char to[CLIENT_NOTE_ROW_MAX]);
/* Reads one row of `length` bytes, without or with its newline. False with a sentence in `error`. */
bool client_note_read(const char *row, size_t length, struct client_note *note_out, char *error, size_t error_size);
/* Makes a name of a stranger's bytes. */
void client_note_name(struct client_note *note, const char *bytes, size_t length);

#endif

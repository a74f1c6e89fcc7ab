/* SPDX-License-Identifier: BSD-2-Clause
 *
 * server: one running daemon from its configuration to its end. Main thread only.
 */
#ifndef PENSTOCK_SERVER_H
#define PENSTOCK_SERVER_H

#include "milter/config/config.h"

struct server;

/* Opens all sockets and drops root. Takes the reference to `config`. NULL with a sentence in `error`. */
struct server *server_open(struct config *config, const char *file, char *error, size_t error_size);

/* Starts the threads. False with a sentence in `error`. */
bool server_start(struct server *server, char *error, size_t error_size);

/* Reads the file again and puts it in force; a broken one is logged and leaves the old one. */
void server_reload(struct server *server);

/* Once more what could not be opened or read; never waits. */
void server_try_again(void);

/* Did libmilter end by itself? */
bool server_failed(const struct server *server);

/* No new messages; those under way are given their time; then all threads end and memory is freed. False: libmilter did
 * not end, and what its threads may use is left as it is. */
bool server_stop(struct server **server);

#endif

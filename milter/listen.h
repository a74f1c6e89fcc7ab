/* SPDX-License-Identifier: BSD-2-Clause
 *
 * listen: what Postfix connects to: libmilter's socket and the socketmap's. Each false: `error` has a sentence.
 */
#ifndef PENSTOCK_LISTEN_H
#define PENSTOCK_LISTEN_H

#include "milter/config.h"
#include "milter/endpoint.h"

struct event_base;
struct socketmap;

/* `milter_out`: where it listens; of length 0 where that is not known. */
bool listen_milter(const struct settings *set, struct endpoint *milter_out, char *error, size_t error_size);

/* Null where none is wanted. */
bool listen_socketmap(const struct settings *set, struct event_base *base, struct socketmap **socketmap_out, char *error,
		      size_t error_size);

#endif

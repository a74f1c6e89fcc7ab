/* SPDX-License-Identifier: BSD-2-Clause
 *
 * json: members of JSON objects (jansson), as all that the daemon writes has them. Any thread. What comes in from
 * outside is read by json_read.h.
 */
#ifndef PENSTOCK_JSON_H
#define PENSTOCK_JSON_H

#include "policy/verdict.h"

#include <jansson.h>

struct evbuffer;

/* A JSON string of a stranger's bytes: where they are no UTF-8, each byte that is not ASCII becomes '?'. A new
 * reference; NULL: no memory. */
json_t *json_text(const char *string);

/* Members of an object. NULL, and a number that is not finite, become null. */
void json_set_text(json_t *object, const char *name, const char *value);
void json_set_int(json_t *object, const char *name, int64_t value);
void json_set_real(json_t *object, const char *name, double value);

/* The limit that was passed, an object; null where none was, a blocked group included. A new reference. */
json_t *json_breach(const struct breach *breach);

/* The signals of a score that say something, an array: what each saw (`value`), how that was weighed, its `term`, and
 * in `spoke`, where there is one, why it has no term or a smaller one. A new reference. */
json_t *json_terms(const struct signal_setting settings[SIGNAL_COUNT], const struct score *score);

/* Writes one line and drops the reference; NULL: an error that says so. */
void json_write(struct evbuffer *to, json_t *json);

#endif

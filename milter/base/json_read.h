/* SPDX-License-Identifier: BSD-2-Clause
 *
 * json_read: JSON from outside, the only place that reads any. The library's reader, its printer and its release call
 * themselves once a level, on a thread whose stack is THREAD_STACK_KB: so a text is measured before it is read.
 */
#ifndef PENSTOCK_JSON_READ_H
#define PENSTOCK_JSON_READ_H

#include <jansson.h>

/* Whence a text comes: bytes and levels that it may have. An answer has what the store said inside it. */
#define JSON_SOURCE_ROWS(ROW) \
	ROW(JSON_OF_CLIENT, 8192, 32)	  /* a request to the daemon */ \
	ROW(JSON_OF_SERVICE, 16384, 8)	  /* a line of another service's log */ \
	ROW(JSON_OF_STORE, 65536, 32)	  /* what Redis keeps of us, or of somebody else */ \
	ROW(JSON_OF_FOLLOWER, 1048576, 8) /* what penstock-follow tells by Redis */ \
	ROW(JSON_OF_DAEMON, 16777216, 48) /* what the daemon answered, to penstockctl */

/* clang-format off */
enum json_source {
#define JSON_SOURCE_ENUM(source, bytes, levels) source,
	JSON_SOURCE_ROWS(JSON_SOURCE_ENUM)
#undef JSON_SOURCE_ENUM
	JSON_SOURCE_COUNT,
};
/* clang-format on */

/* An object, the caller's; no member is there twice. NULL: it is none, or too much; `error` says in half a sentence,
 * which begins with "it", what is wrong and what the limit is. */
json_t *json_read(enum json_source source, const char *text, size_t length, char *error, size_t error_size);

#endif

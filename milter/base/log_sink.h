/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log_sink: where lines of the log go: standard error, or syslogd by /dev/log. Who writes may wait there for ever. Not
 * by syslog(3), which says nothing of lines that nobody took, and stamps them with the time at which they are.
 */
#ifndef PENSTOCK_LOG_SINK_H
#define PENSTOCK_LOG_SINK_H

#include "milter/base/log.h"

#include <stddef.h>
#include <time.h>

/* As log_name and log_open. */
void log_sink_name(const char *name);
void log_sink_open(enum log_target target, enum log_facility facility);

/* Writes the line, whose last byte is the end of line, of the time `at`. False: it was not taken, and the caller is
 * to come with the same line again; a syslogd that is away is looked for anew then. One thread at a time. */
bool log_sink_write(enum severity severity, time_t at, const char *line, size_t length);

#endif

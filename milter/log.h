/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log: syslog or standard error. One line a message, and lines for changes of state. Any thread.
 */
#ifndef PENSTOCK_LOG_H
#define PENSTOCK_LOG_H

#include <stdbool.h>

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

/* "syslog" with a facility's word, or "stderr". False where the word is none. */
bool log_open(const char *target, const char *facility);
void log_line(enum severity severity, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

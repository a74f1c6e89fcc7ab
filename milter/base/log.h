/* SPDX-License-Identifier: BSD-2-Clause
 *
 * log: syslog or standard error. One line a message, and lines for changes of state. Any thread; once log_start was
 * called, nobody waits for who takes the lines: they queue, a thread of the log's own writes them in their order, each
 * by one write, and tries one that is not taken again until it is. Where too many wait, new ones are lost and counted.
 */
#ifndef PENSTOCK_LOG_H
#define PENSTOCK_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

enum {
	LOG_WAITING_MOST = 4 * 1024 * 1024, /* bytes of lines that wait; from half of it on they are taken again */
	LOG_END_S = 2,			    /* what waits at the end is waited for so long */
};

/* id, word in the configuration file */
#define LOG_TARGET_ROWS(ROW) ROW(LOG_TO_SYSLOG, "syslog") ROW(LOG_TO_STDERR, "stderr")
/* clang-format off */
#define LOG_FACILITY_ROWS(ROW)                                                                     \
	ROW(FACILITY_MAIL, "mail") ROW(FACILITY_DAEMON, "daemon")                                  \
	ROW(FACILITY_LOCAL0, "local0") ROW(FACILITY_LOCAL1, "local1") ROW(FACILITY_LOCAL2, "local2") \
	ROW(FACILITY_LOCAL3, "local3") ROW(FACILITY_LOCAL4, "local4") ROW(FACILITY_LOCAL5, "local5") \
	ROW(FACILITY_LOCAL6, "local6") ROW(FACILITY_LOCAL7, "local7")
/* clang-format on */

#define LOG_ID(id, word) id,
enum log_target { LOG_TARGET_ROWS(LOG_ID) };
enum log_facility { LOG_FACILITY_ROWS(LOG_ID) };
#undef LOG_ID

/* By what name syslogd knows us, 30 bytes at most, borrowed for good; "penstock" without it. Before log_open(). */
void log_name(const char *name);
/* Before it is called lines go to standard error. */
void log_open(enum log_target target, enum log_facility facility);
/* Behind the last fork. False: the thread cannot be made, and each line is written by who has it. */
bool log_start(void);
/* Writes what waits. What is not taken within LOG_END_S seconds is lost. */
void log_end(void);

void log_line(enum severity severity, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log_stats {
	uint64_t lost; /* lines, since the start */
	uint64_t waiting;
	uint64_t stuck_s; /* for how long the oldest line has not been taken; 0: all is well */
	uint64_t unsaid;  /* lost, and that is not said in the log yet */
};
struct log_stats log_stats(void);

#endif

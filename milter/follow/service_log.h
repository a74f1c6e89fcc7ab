/* SPDX-License-Identifier: BSD-2-Clause
 *
 * service_log: logins that failed, and logins that worked, from the logs of other services than mail's. A line is a
 * stranger's where he can put words into it: he may make it be nothing, and never make it about somebody else.
 */
#ifndef PENSTOCK_SERVICE_LOG_H
#define PENSTOCK_SERVICE_LOG_H

#include "milter/follow/line.h"
#include "redis-schema/client_note.h"

/* id, word of the command line */
#define SERVICE_LOG_ROWS(ROW) ROW(DOVECOT, "dovecot") ROW(ASTERISK, "asterisk")

/* clang-format off */
enum service_log {
#define SERVICE_LOG_ENUM(id, word) SERVICE_LOG_##id,
	SERVICE_LOG_ROWS(SERVICE_LOG_ENUM)
#undef SERVICE_LOG_ENUM
	SERVICE_LOGS
};
/* clang-format on */

enum service_said {
	SERVICE_NOTHING, /* it is about something else */
	SERVICE_TOLD,	 /* *login_out is what it tells */
	SERVICE_UNCLEAR, /* it could be about two clients, as a name with the marks of a line in it makes it */
};

enum { SERVICE_FAILURES_MOST = 20 };

struct service_login {
	struct client_note note;
	int more; /* failures before it in the same session, of names that are not told; 0 to SERVICE_FAILURES_MOST */
};

enum service_log service_log_find(const char *word); /* SERVICE_LOGS: none */

/* One line without its newline. `now_s` is Unix time, for lines that tell no time, or no year. */
enum service_said service_log_read(enum service_log log, struct span line, int64_t now_s,
				   struct service_login *login_out);

/* dovecot_line.c, asterisk_line.c */
enum service_said dovecot_line(struct span line, int64_t now_s, struct service_login *login_out);
enum service_said asterisk_line(struct span line, int64_t now_s, struct service_login *login_out);

#endif

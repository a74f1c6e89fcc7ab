/* SPDX-License-Identifier: BSD-2-Clause
 *
 * trouble: what is amiss with the daemon's own files and sockets and does not stop mail. Each has a line in the log
 * when it comes, changes and goes, a reason in /health and a metric. Any thread.
 */
#ifndef PENSTOCK_TROUBLE_H
#define PENSTOCK_TROUBLE_H

#include <stdbool.h>

/* identifier, the word of the metric's label: an option where it is one's */
#define TROUBLE_ROWS(ROW) \
	ROW(MILTER, "milter.socket") \
	ROW(SESSIONS, "milter.max_sessions") \
	ROW(SOCKETMAP, "socketmap.listen") \
	ROW(CONTROL, "control.socket") \
	ROW(HTTP, "http.listen") \
	ROW(LOGINS, "accounts.passwd") \
	ROW(TRAPS, "traps.file") \
	ROW(FACTS, "facts.file") \
	ROW(CLIENTS, "clients.state") \
	ROW(SLOW, "clients.slow_most") \
	ROW(ZONE, "clients.zone")

/* clang-format off */
enum trouble {
#define TROUBLE_ID(id, word) TROUBLE_##id,
	TROUBLE_ROWS(TROUBLE_ID)
#undef TROUBLE_ID
	TROUBLE_COUNT
};
/* clang-format on */

enum { TROUBLE_TEXT_MAX = 1000 };

const char *trouble_word(enum trouble trouble);

/* Whole sentence without its full stop. The same one again is not logged again. */
void trouble_set(enum trouble trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trouble_clear(enum trouble trouble);

/* Is there such a trouble? Its sentence is copied to `text`, which may be NULL. */
bool trouble_is(enum trouble trouble, char text[TROUBLE_TEXT_MAX]);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * mailers: words of {rcpt_mailer} that stand in no list of the configuration. Each is named once, and in /health until
 * the next reload. They are the MTA's own names; strangers choose among them, and make none.
 */
#ifndef PENSTOCK_MAILERS_H
#define PENSTOCK_MAILERS_H

enum { MAILERS_STRANGE_MAX = 8, MAILER_NAME_MAX = 63 };

struct mailers_strange {
	char names[MAILERS_STRANGE_MAX][MAILER_NAME_MAX + 1];
	int count; /* MAILERS_STRANGE_MAX + 1: there are more */
};

/* A recipient of such a mailer. Any thread. */
void mailers_note(const char *mailer);
/* Another configuration holds: all are named anew. */
void mailers_forget(void);
struct mailers_strange mailers_strange(void);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any bytes as lines of other services' logs: what is told of one is a note that is written and read again the same.
 * Where a stranger puts any bytes into the name of a line of Dovecot's, it stays a line about his own address.
 */
#include "milter/follow/service_log.h"
#include "t/fuzz/fuzz.h"

#include <string.h>

enum { NOW = 1796021500 };

static void check_note(const struct client_note *note)
{
	char row[CLIENT_NOTE_ROW_MAX], again[CLIENT_NOTE_ROW_MAX], error[300];
	struct client_note read;
	size_t length = client_note_write(note, row);
	if (note->time_s < 1)
		return; /* a year that no note has */
	if (!client_note_read(row, length, &read, error, sizeof error))
		MUST(note->time_s > 4000000000);
	else
		MUST(client_note_write(&read, again) == length && memcmp(row, again, length) == 0);
}

static void check_line(enum service_log log, struct span line)
{
	struct service_login login;
	if (service_log_read(log, line, NOW, &login) != SERVICE_TOLD)
		return;
	MUST(login.more >= 0 && login.more <= SERVICE_FAILURES_MOST);
	MUST(login.note.client.family != NETADDR_UNKNOWN);
	MUST(login.note.event == CLIENT_EVENT_AUTH_FAILURE || login.note.event == CLIENT_EVENT_LOGIN);
	MUST(strlen(login.note.name) <= CLIENT_NOTE_NAME_MAX);
	check_note(&login.note);
}

/* Between what Dovecot writes before a name and behind it. */
static void check_name(const uint8_t *bytes, size_t size)
{
	static const char before[] = "2026-11-30T06:31:13+00:00 mail dovecot[17]: imap-login: Disconnected: Connection "
				     "closed (auth failed, 1 attempts in 1 secs): user=<";
	static const char behind[] = ">, method=PLAIN, rip=192.0.2.7, lip=192.0.2.1, TLS, session=<qBlbjnhhvq1/AAAB>";
	static char line[sizeof before + sizeof behind + 2000];
	struct service_login login;
	struct netaddr client;
	size_t length = size < 2000 ? size : 2000;
	memcpy(line, before, sizeof before - 1);
	memcpy(line + sizeof before - 1, bytes, length);
	memcpy(line + sizeof before - 1 + length, behind, sizeof behind - 1);
	struct span span = { line, sizeof before - 1 + length + sizeof behind - 1 };
	MUST(service_log_read(SERVICE_LOG_DOVECOT, span, NOW, &login) == SERVICE_TOLD);
	netaddr_parse("192.0.2.7", &client);
	MUST(netaddr_same(&client, &login.note.client) && login.note.event == CLIENT_EVENT_AUTH_FAILURE);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	for (int log = 0; log < SERVICE_LOGS; log++)
		check_line((enum service_log)log, (struct span){ (const char *)bytes, size });
	check_name(bytes, size);
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/scan_text.h"

#include "policy/base/text.h"

#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

void scan_text_header(struct message *message, const char *name, const char *value)
{
	message_keep(message, name, strlen(name));
	message_keep(message, ": ", 2);
	for (const char *line = value; *line != '\0';) {
		size_t length = strcspn(line, "\n");
		bool folds = line[length] == '\n';
		message_keep(message, line, length > 0 && line[length - 1] == '\r' ? length - 1 : length);
		if (folds)
			message_keep(message, "\r\n", 2);
		line += length + folds;
	}
	message_keep(message, "\r\n", 2);
}

void scan_text_received(const struct session *session, const char *host, const char *queue_id)
{
	char memory[1000], client[NETADDR_TEXT_MAX], when[64];
	struct text line = text_over(memory, sizeof memory);
	struct tm local;
	time_t now = session->message->facts.now_ms / 1000;
	netaddr_text(&session->client, client);
	localtime_r(&now, &local);
	strftime(when, sizeof when, "%a, %d %b %Y %H:%M:%S %z", &local);
	text_add(&line, "Received: from ");
	text_add_word(&line, session->helo != NULL ? session->helo : "unknown");
	text_addf(&line, " (%s%s%s)\r\n\tby ", session->client.family == NETADDR_UNKNOWN ? "" : "[", client,
		  session->client.family == NETADDR_UNKNOWN ? "" : "]");
	text_add_word(&line, host != NULL ? host : "localhost");
	text_addf(&line, " (penstock) with ESMTP%s id ", session->message->facts.authenticated ? "A" : "");
	text_add_word(&line, queue_id != NULL ? queue_id : "none");
	text_addf(&line, "; %s\r\n", when);
	message_keep(session->message, memory, line.length);
	session->message->size -= line.length;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/service_log.h"

#include <string.h>

#include "policy/base/banned.h"

static const struct {
	const char *word;
	enum service_said (*read)(struct span line, int64_t now_s, struct service_login *login_out);
} logs[SERVICE_LOGS] = {
	[SERVICE_LOG_DOVECOT] = { "dovecot", dovecot_line },
	[SERVICE_LOG_ASTERISK] = { "asterisk", asterisk_line },
};

enum service_log service_log_find(const char *word)
{
	int i = 0;
	while (i < SERVICE_LOGS && strcmp(logs[i].word, word) != 0)
		i++;
	return (enum service_log)i;
}

enum service_said service_log_read(enum service_log log, struct span line, int64_t now_s,
				   struct service_login *login_out)
{
	*login_out = (struct service_login){ .more = 0 };
	return logs[log].read(line, now_s, login_out);
}

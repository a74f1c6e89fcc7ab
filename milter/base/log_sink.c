/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "policy/base/banned.h"

static struct {
	bool syslog; /* until log_sink_open: standard error */
	const char *name;
	int facility;
	int type, fd; /* of syslogd's socket; -1: none */
	size_t begun; /* bytes of the line that standard error has */
} sink = { .name = "penstock", .type = SOCK_DGRAM, .fd = -1 };

static const int facilities[] = {
	[FACILITY_MAIL] = LOG_MAIL,	[FACILITY_DAEMON] = LOG_DAEMON, [FACILITY_LOCAL0] = LOG_LOCAL0,
	[FACILITY_LOCAL1] = LOG_LOCAL1, [FACILITY_LOCAL2] = LOG_LOCAL2, [FACILITY_LOCAL3] = LOG_LOCAL3,
	[FACILITY_LOCAL4] = LOG_LOCAL4, [FACILITY_LOCAL5] = LOG_LOCAL5, [FACILITY_LOCAL6] = LOG_LOCAL6,
	[FACILITY_LOCAL7] = LOG_LOCAL7,
};

static const int priorities[] = {
	[SEVERITY_INFO] = LOG_INFO,
	[SEVERITY_WARNING] = LOG_WARNING,
	[SEVERITY_ERROR] = LOG_ERR,
};

/* -- syslogd -- */

static void hang_up(void)
{
	if (sink.fd >= 0)
		close(sink.fd);
	sink.fd = -1;
}

/* Some syslogds listen for datagrams, some for a stream of lines that end with a NUL. */
static bool sink_call_syslogd(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	for (int tries = 0; sink.fd < 0 && tries < 2; tries++) {
		sink.fd = socket(AF_UNIX, sink.type | SOCK_CLOEXEC, 0);
		if (sink.fd < 0)
			return false;
		if (connect(sink.fd, (const struct sockaddr *)&address, sizeof address) == 0)
			return true;
		bool other = errno == EPROTOTYPE;
		hang_up();
		if (!other)
			return false;
		sink.type = sink.type == SOCK_DGRAM ? SOCK_STREAM : SOCK_DGRAM;
	}
	return sink.fd >= 0;
}

/* RFC 3164, section 4.1, without a host's name, as syslogds expect it of programs of their own host. */
static size_t sink_write_head(char *head, size_t size, enum severity severity, time_t at)
{
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm now = { 0 };
	localtime_r(&at, &now);
	int length = snprintf(head, size, "<%d>%s %2d %02d:%02d:%02d %s[%d]: ", sink.facility | priorities[severity],
			      months[now.tm_mon], now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec, sink.name,
			      (int)getpid());
	return length < (int)size ? (size_t)length : size - 1;
}

/* A syslogd that was restarted has another socket: the line is tried there at once. */
static bool sink_write_syslog(enum severity severity, time_t at, const char *line, size_t length)
{
	char head[80], nul = '\0';
	size_t stream = sink.type == SOCK_STREAM;
	struct iovec parts[] = { { head, sink_write_head(head, sizeof head, severity, at) },
				 { (char *)(uintptr_t)line, length - 1 },
				 { &nul, stream } };
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = 2 + stream };
	ssize_t wanted = (ssize_t)(parts[0].iov_len + parts[1].iov_len + stream);
	for (int tries = 0; tries < 2; tries++) {
		bool old = sink.fd >= 0;
		if (!sink_call_syslogd())
			return false;
		ssize_t sent = sendmsg(sink.fd, &message, MSG_NOSIGNAL);
		if (sent == wanted)
			return true;
		if (sent < 0 && errno == EINTR)
			continue;
		hang_up();
		if (!old)
			return false;
	}
	return false;
}

/* -- standard error -- */

/* Of a line of which a part was taken the rest is written next time, so that it stays one line. */
static bool sink_write_stderr(const char *line, size_t length)
{
	while (sink.begun < length) {
		ssize_t written = write(STDERR_FILENO, line + sink.begun, length - sink.begun);
		struct pollfd room = { .fd = STDERR_FILENO, .events = POLLOUT };
		if (written > 0)
			sink.begun += (size_t)written;
		else if (written == 0 || (errno != EINTR && errno != EAGAIN))
			return false;
		else if (errno == EAGAIN &&
			 poll(&room, 1, 1000) <= 0) /* somebody else who has it does not want to wait */
			return false;
	}
	sink.begun = 0;
	return true;
}

/* -- both -- */

void log_sink_name(const char *name)
{
	sink.name = name;
}

void log_sink_open(enum log_target target, enum log_facility facility)
{
	sink.syslog = target == LOG_TO_SYSLOG;
	sink.facility = facilities[facility];
	if (sink.syslog)
		sink_call_syslogd(); /* at once, before root's rights are dropped */
}

bool log_sink_write(enum severity severity, time_t at, const char *line, size_t length)
{
	return sink.syslog ? sink_write_syslog(severity, at, line, length) : sink_write_stderr(line, length);
}

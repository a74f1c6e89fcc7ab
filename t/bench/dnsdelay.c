/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dnsdelay: a DNS server on a loopback port that answers each question after a fixed time, as a hundred block lists at
 * the other end of the world do. It prints its port, and serves until it is ended.
 *
 *   usage: dnsdelay MILLISECONDS
 *
 * A questions: 2.0.0.127.ZONE is 127.0.0.2 (RFC 5782 section 5), and so is each name whose first number can be divided
 * by 32; all others do not exist. No other types. Nothing is kept of a question but its answer, in the order in which
 * they came: as the delay is one for all, the oldest is due first.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { HEADER = 12, QUESTION_MAX = 300, ANSWER_MAX = QUESTION_MAX + 16, RING = 1 << 16, AT_ONCE = 64, TYPE_A = 1 };

struct later {
	int64_t due_us;
	struct sockaddr_in to;
	size_t length;
	uint8_t bytes[ANSWER_MAX];
};

static struct later ring[RING];
static unsigned head, tail; /* the next to send, the next free */

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Where the question ends; 0: it is none. */
static size_t question_end(const uint8_t *bytes, size_t length)
{
	size_t at = HEADER;
	while (at < length && bytes[at] != 0 && bytes[at] < 64)
		at += 1U + bytes[at];
	return at + 5 <= length && bytes[at] == 0 ? at + 5 : 0;
}

static bool is_listed(const uint8_t *bytes, size_t end)
{
	const uint8_t *label = bytes + HEADER;
	unsigned number = 0;
	if (bytes[end - 4] != 0 || bytes[end - 3] != TYPE_A)
		return false;
	for (int i = 1; i <= label[0] && label[i] >= '0' && label[i] <= '9'; i++)
		number = number * 10 + (label[i] - '0');
	return number % 32 == 0 || memcmp(label, "\1\62\1\60\1\60\3\61\62\67", 10) == 0;
}

static void keep(const uint8_t *bytes, size_t length, const struct sockaddr_in *to, int64_t due_us)
{
	static const uint8_t record[16] = { 0xc0, HEADER, 0, TYPE_A, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 2 };
	size_t end = question_end(bytes, length);
	if (end == 0 || end > QUESTION_MAX || tail - head == RING)
		return;
	struct later *later = &ring[tail++ % RING];
	bool listed = is_listed(bytes, end);
	later->due_us = due_us;
	later->to = *to;
	memcpy(later->bytes, bytes, end);
	later->bytes[2] = 0x81;
	later->bytes[3] = listed ? 0x80 : 0x83;
	memset(later->bytes + 6, 0, 6);
	later->bytes[7] = listed;
	memcpy(later->bytes + end, record, sizeof record);
	later->length = listed ? end + sizeof record : end;
}

static void take(int fd, int64_t delay_us)
{
	static uint8_t bytes[AT_ONCE][QUESTION_MAX + 100];
	struct sockaddr_in from[AT_ONCE];
	struct iovec parts[AT_ONCE];
	struct mmsghdr messages[AT_ONCE];
	memset(messages, 0, sizeof messages);
	for (int i = 0; i < AT_ONCE; i++) {
		parts[i] = (struct iovec){ bytes[i], sizeof bytes[i] };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &parts[i], .msg_iovlen = 1
		};
	}
	int came = recvmmsg(fd, messages, AT_ONCE, MSG_DONTWAIT, NULL);
	int64_t due_us = now_us() + delay_us;
	for (int i = 0; i < came; i++)
		keep(bytes[i], messages[i].msg_len, &from[i], due_us);
}

/* How many ms until the next is due; -1: none is kept. */
static int send_due(int fd)
{
	int64_t now = now_us();
	while (head != tail && ring[head % RING].due_us <= now) {
		const struct later *later = &ring[head++ % RING];
		sendto(fd, later->bytes, later->length, 0, (const struct sockaddr *)&later->to, sizeof later->to);
	}
	return head == tail ? -1 : (int)((ring[head % RING].due_us - now + 999) / 1000);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int64_t delay_us = argc == 2 ? strtol(argv[1], NULL, 10) * 1000 : -1;
	int bytes = 16 << 20;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (delay_us < 0 || fd < 0 || bind(fd, (struct sockaddr *)&address, length) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
		fprintf(stderr, "usage: dnsdelay MILLISECONDS\n");
		return 2;
	}
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes); /* as far as one may who is not root */
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	for (;;) {
		poll(&poller, 1, send_due(fd));
		take(fd, delay_us);
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/dns_server.h"

#include "policy/base/text.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum {
	HEADER = 12,
	LATER_MAX = 1024,
	SLOW_MS = 200,
	PACKET_MAX = 16384,
	A = 1,
	MX = 15,
	TXT = 16,
	AAAA = 28,
	WORD_MAX = 64
};

struct packet {
	uint8_t bytes[PACKET_MAX];
	size_t length;
};

struct later {
	int64_t due_ms;
	struct sockaddr_in to;
	size_t length;
	uint8_t bytes[600];
};

struct dns_server {
	pthread_t thread;
	_Atomic(dns_script *) script; /* NULL: none */
	const struct dns_row *rows;   /* borrowed; NULL: none */
	bool deaf;
	int udp, tcp, port;
	atomic_bool stop;
	atomic_int udp_questions, tcp_questions;
	struct later later[LATER_MAX];
	int later_count;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put(struct packet *packet, uint32_t number, int bytes)
{
	while (bytes-- > 0)
		packet->bytes[packet->length++] = (uint8_t)(number >> 8 * bytes);
}

static void put_record(struct packet *packet, unsigned type, const void *data, size_t length)
{
	put(packet, 0xc00c, 2);
	put(packet, type, 2);
	put(packet, 1, 2);
	put(packet, 300, 4);
	put(packet, (uint32_t)length, 2);
	memcpy(packet->bytes + packet->length, data, length);
	packet->length += length;
	packet->bytes[7]++;
}

static void put_long_texts(struct packet *packet)
{
	uint8_t text[2008];
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = i % 251 == 0 ? 250 : 'x';
	for (int i = 0; i < 4; i++)
		put_record(packet, TXT, text, sizeof text);
}

static void put_yes(struct packet *packet, unsigned type)
{
	static const uint8_t v6[16] = { [15] = 2 };
	if (type == A)
		put_record(packet, A, "\177\0\0\2", 4);
	else if (type == AAAA)
		put_record(packet, AAAA, v6, sizeof v6);
	else if (type == TXT)
		put_record(packet, TXT, "\4text", 5);
}

static bool begins(const char *text, const char *word)
{
	return strncmp(text, word, strlen(word)) == 0;
}

/* The bytes of header and question; 0: they are not whole. `name` is dotted. */
static size_t read_question(const uint8_t *question, size_t length, char name[256])
{
	size_t end = HEADER, out = 0;
	while (end < length && question[end] != 0) {
		size_t label = question[end];
		if (end + 1 + label > length || out + label + 2 > 256)
			return 0;
		memcpy(name + out, question + end + 1, label);
		out += label;
		name[out++] = '.';
		end += 1 + label;
	}
	name[out > 0 ? out - 1 : 0] = '\0';
	return end + 5 <= length ? end + 5 : 0;
}

/* ---- rows */

static bool is_in(const char *name, const char *zone)
{
	size_t length = strlen(name), tail = strlen(zone);
	return length >= tail && strcmp(name + length - tail, zone) == 0 &&
	       (length == tail || name[length - tail - 1] == '.');
}

static size_t pack_name(uint8_t *to, const char *name)
{
	uint8_t *start = to;
	for (size_t length; *name != '\0'; name += length + (name[length] == '.')) {
		length = strcspn(name, ".");
		*to++ = (uint8_t)length;
		memcpy(to, name, length);
		to += length;
	}
	*to++ = 0;
	return (size_t)(to - start);
}

static void put_row(struct packet *packet, const struct dns_row *row)
{
	uint8_t data[300] = { 0 };
	size_t length = strlen(row->data);
	if (row->type == A || row->type == AAAA) {
		length = row->type == A ? 4 : 16;
		inet_pton(row->type == A ? AF_INET : AF_INET6, row->data, data);
	} else if (row->type == TXT) {
		data[0] = (uint8_t)length;
		memcpy(data + 1, row->data, length++);
	} else {
		size_t before = row->type == MX ? 2 : 0;
		data[1] = before > 0 ? 10 : 0;
		length = before + pack_name(data + before, row->data);
	}
	put_record(packet, (unsigned)row->type, data, length);
}

static void put_rows(const struct dns_row *rows, const char *name, int type, struct packet *packet)
{
	bool exists = false;
	for (const struct dns_row *row = rows; row->name != NULL; row++) {
		if (row->type == 0 || strcmp(row->name, name) != 0)
			continue;
		exists = true;
		if (row->type == type)
			put_row(packet, row);
	}
	if (!exists)
		packet->bytes[3] = 0x83;
}

/* "": what the rows hold of the name itself. */
static const char *row_word(const struct dns_row *rows, const char *name)
{
	for (const struct dns_row *row = rows; row->name != NULL; row++)
		if (row->type == 0 && is_in(name, row->name))
			return row->data;
	return "";
}

/* ---- answers */

/* What the server does with a question: the script's word, or the name's first label. */
static void word_of(struct dns_server *server, const uint8_t *question, size_t length, char word[WORD_MAX])
{
	char name[256];
	dns_script *script = atomic_load(&server->script);
	size_t whole = read_question(question, length, name);
	const char *said = whole > 0 && script != NULL ? script(name) : NULL;
	if (whole > 0 && server->rows != NULL)
		said = row_word(server->rows, name);
	if (said == NULL)
		name[strcspn(name, ".")] = '\0';
	text_copy(word, WORD_MAX, whole == 0 ? "silent" : said != NULL ? said : name);
}

static void put_answer(struct packet *packet, const char *word, unsigned type, bool tcp)
{
	uint8_t address[4];
	if (begins(word, "cut") && !tcp)
		packet->bytes[2] = 0x83;
	else if (begins(word, "cut"))
		put_long_texts(packet);
	else if (begins(word, "garbage"))
		memset(packet->bytes + 4, 0xff, packet->length - 4);
	else if (inet_pton(AF_INET, word, address) == 1 && type == A)
		put_record(packet, A, address, sizeof address);
	else if ((packet->bytes[3] & 15) == 0)
		put_yes(packet, type);
}

/* Header and question copied, then what the word wants. False: no answer at all. */
static bool answer(const struct dns_server *server, const char *word, const uint8_t *question, size_t length, bool tcp,
		   struct packet *packet)
{
	static const struct {
		const char *word;
		int rcode;
	} errors[] = { { "no", 3 }, { "servfail", 2 }, { "refused", 5 } };
	char name[256];
	if (begins(word, "silent"))
		return false;
	size_t end = read_question(question, length, name);
	unsigned type = (unsigned)question[end - 4] << 8 | question[end - 3];
	memcpy(packet->bytes, question, end);
	packet->length = end;
	packet->bytes[2] = 0x81;
	packet->bytes[3] = 0x80;
	memset(packet->bytes + 6, 0, 6);
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (begins(word, errors[i].word))
			packet->bytes[3] = (uint8_t)(0x80 | errors[i].rcode);
	if (server->rows != NULL && (*word == '\0' || begins(word, "slow")))
		put_rows(server->rows, name, (int)type, packet);
	else
		put_answer(packet, word, type, tcp);
	return true;
}

static void take_udp(struct dns_server *server)
{
	static _Thread_local struct packet packet;
	uint8_t question[600];
	struct sockaddr_in from;
	socklen_t from_length = sizeof from;
	ssize_t length =
		recvfrom(server->udp, question, sizeof question, MSG_DONTWAIT, (struct sockaddr *)&from, &from_length);
	if (length < HEADER + 6)
		return;
	atomic_fetch_add(&server->udp_questions, 1);
	char word[WORD_MAX];
	word_of(server, question, (size_t)length, word);
	if (server->deaf || !answer(server, word, question, (size_t)length, false, &packet))
		return;
	if (begins(word, "slow") && server->later_count < LATER_MAX) {
		struct later *later = &server->later[server->later_count++];
		*later = (struct later){ .due_ms = now_ms() + SLOW_MS, .to = from, .length = packet.length };
		memcpy(later->bytes, packet.bytes, packet.length);
		return;
	}
	if (begins(word, "forged")) {
		struct packet forged = packet;
		forged.bytes[0] ^= 0x55;
		forged.bytes[forged.length - 1] = 99;
		sendto(server->udp, forged.bytes, forged.length, 0, (struct sockaddr *)&from, from_length);
	}
	sendto(server->udp, packet.bytes, packet.length, 0, (struct sockaddr *)&from, from_length);
}

/* One question a connection; who asks is the test itself. */
static void take_tcp(struct dns_server *server)
{
	static _Thread_local struct packet packet;
	uint8_t question[600];
	int fd = accept(server->tcp, NULL, NULL);
	if (fd < 0)
		return;
	ssize_t length = recv(fd, question, 2, MSG_WAITALL);
	size_t wanted = length == 2 ? (size_t)question[0] << 8 | question[1] : 0;
	if (wanted >= HEADER + 6 && wanted <= sizeof question &&
	    recv(fd, question, wanted, MSG_WAITALL) == (ssize_t)wanted) {
		atomic_fetch_add(&server->tcp_questions, 1);
		uint8_t head[2];
		char word[WORD_MAX];
		word_of(server, question, wanted, word);
		if (!server->deaf && answer(server, word, question, wanted, true, &packet)) {
			head[0] = (uint8_t)(packet.length >> 8);
			head[1] = (uint8_t)packet.length;
			send(fd, head, 2, MSG_NOSIGNAL | MSG_MORE);
			send(fd, packet.bytes, packet.length, MSG_NOSIGNAL);
			recv(fd, question, 1, 0); /* until the asker has read it and leaves */
		}
	}
	close(fd);
}

static void send_due(struct dns_server *server)
{
	int kept = 0;
	for (int i = 0; i < server->later_count; i++) {
		struct later *later = &server->later[i];
		if (later->due_ms > now_ms())
			server->later[kept++] = *later;
		else
			sendto(server->udp, later->bytes, later->length, 0, (struct sockaddr *)&later->to,
			       sizeof later->to);
	}
	server->later_count = kept;
}

static void *serve(void *arg)
{
	struct dns_server *server = arg;
	struct pollfd fds[] = { { .fd = server->udp, .events = POLLIN }, { .fd = server->tcp, .events = POLLIN } };
	while (!atomic_load(&server->stop)) {
		poll(fds, 2, 10);
		if ((fds[0].revents & POLLIN) != 0)
			take_udp(server);
		if ((fds[1].revents & POLLIN) != 0)
			take_tcp(server);
		send_due(server);
	}
	return NULL;
}

/* One number for UDP and TCP: the port that UDP was given may be somebody's over TCP. */
static bool bind_both(struct dns_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	server->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	server->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	server->port = 0;
	if (server->udp >= 0 && server->tcp >= 0 && bind(server->udp, (struct sockaddr *)&address, length) == 0 &&
	    getsockname(server->udp, (struct sockaddr *)&address, &length) == 0 &&
	    bind(server->tcp, (struct sockaddr *)&address, length) == 0 && listen(server->tcp, 16) == 0)
		server->port = ntohs(address.sin_port);
	return server->port != 0;
}

static bool open_sockets(struct dns_server *server)
{
	struct timeval patience = { .tv_sec = 2 };
	int bytes = 4 << 20;
	for (int tries = 0; !bind_both(server); tries++) {
		close(server->udp);
		close(server->tcp);
		if (tries == 20)
			return false;
	}
	setsockopt(server->udp, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes); /* of use to root only */
	setsockopt(server->tcp, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return true;
}

static struct dns_server *start(bool deaf, const struct dns_row *rows)
{
	struct dns_server *server = calloc(1, sizeof *server);
	if (server == NULL)
		return NULL;
	server->deaf = deaf;
	server->rows = rows;
	if (open_sockets(server) && pthread_create(&server->thread, NULL, serve, server) == 0)
		return server;
	free(server);
	return NULL;
}

struct dns_server *dns_server_start(bool deaf)
{
	return start(deaf, NULL);
}

struct dns_server *dns_server_start_rows(const struct dns_row *rows)
{
	return start(false, rows);
}

void dns_server_stop(struct dns_server **server)
{
	struct dns_server *old = *server;
	*server = NULL;
	if (old == NULL)
		return;
	atomic_store(&old->stop, true);
	pthread_join(old->thread, NULL);
	close(old->udp);
	close(old->tcp);
	free(old);
}

void dns_server_script(struct dns_server *server, dns_script *script)
{
	atomic_store(&server->script, script);
}

int dns_server_port(const struct dns_server *server)
{
	return server->port;
}

int dns_server_questions(struct dns_server *server, bool tcp)
{
	return atomic_load(tcp ? &server->tcp_questions : &server->udp_questions);
}

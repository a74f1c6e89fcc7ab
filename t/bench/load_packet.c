/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/bench/load_packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* libmilter never sends more in one packet, but a milter under test may be broken. */
enum { PACKET_MAX = 1 << 20, BUFFER_LEAST = 512 };

void buffer_release(struct buffer *buffer)
{
	free(buffer->data);
	memset(buffer, 0, sizeof(*buffer));
}

unsigned char *buffer_room(struct buffer *buffer, size_t room)
{
	if (buffer->begin == buffer->end)
		buffer->begin = buffer->end = 0;
	if (buffer->begin > 0 && buffer->size - buffer->end < room) {
		memmove(buffer->data, buffer->data + buffer->begin, buffer->end - buffer->begin);
		buffer->end -= buffer->begin;
		buffer->begin = 0;
	}
	if (buffer->size - buffer->end < room) {
		size_t size = buffer->size < BUFFER_LEAST ? BUFFER_LEAST : buffer->size;

		while (size - buffer->end < room)
			size *= 2;
		buffer->data = realloc(buffer->data, size);
		if (buffer->data == NULL) {
			fprintf(stderr, "mtaload: out of memory for a buffer of %zu bytes\n", size);
			exit(1);
		}
		buffer->size = size;
	}
	return buffer->data + buffer->end;
}

void buffer_add(struct buffer *buffer, const void *data, size_t length)
{
	if (length == 0)
		return;
	memcpy(buffer_room(buffer, length), data, length);
	buffer->end += length;
}

void buffer_string(struct buffer *buffer, const char *text)
{
	buffer_add(buffer, text, strlen(text) + 1);
}

static void put_u32(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value >> 24);
	at[1] = (unsigned char)(value >> 16 & 0xff);
	at[2] = (unsigned char)(value >> 8 & 0xff);
	at[3] = (unsigned char)(value & 0xff);
}

static uint32_t get_u32(const unsigned char *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

void buffer_u32(struct buffer *buffer, uint32_t value)
{
	unsigned char bytes[4];

	put_u32(bytes, value);
	buffer_add(buffer, bytes, sizeof(bytes));
}

/* The mark counts from `begin`: making room may move what is there. */
size_t packet_begin(struct buffer *buffer, char command)
{
	size_t mark = buffer->end - buffer->begin;

	buffer_u32(buffer, 0);
	buffer_add(buffer, &command, 1);
	return mark;
}

void packet_end(struct buffer *buffer, size_t mark)
{
	size_t length = buffer->end - buffer->begin - mark - 4;

	put_u32(buffer->data + buffer->begin + mark, (uint32_t)length);
}

void packet_plain(struct buffer *buffer, char command)
{
	packet_end(buffer, packet_begin(buffer, command));
}

enum packet_found packet_take(struct buffer *buffer, struct packet *packet_out)
{
	size_t have = buffer->end - buffer->begin;
	const unsigned char *at;
	uint32_t length;

	if (have < 5)
		return PACKET_NONE;
	at = buffer->data + buffer->begin;
	length = get_u32(at);
	if (length == 0 || length > PACKET_MAX)
		return PACKET_BROKEN;
	if (have - 4 < length)
		return PACKET_NONE;
	packet_out->command = at[4];
	packet_out->data = at + 5;
	packet_out->length = length - 1;
	buffer->begin += 4 + (size_t)length;
	return PACKET_WHOLE;
}

bool packet_u32(const struct packet *packet, size_t *offset, uint32_t *value_out)
{
	if (packet->length - *offset < 4)
		return false;
	*value_out = get_u32(packet->data + *offset);
	*offset += 4;
	return true;
}

bool packet_string(const struct packet *packet, size_t *offset, const char **text_out)
{
	const unsigned char *at = packet->data + *offset;
	const unsigned char *nul;

	if (*offset >= packet->length)
		return false;
	nul = memchr(at, 0, packet->length - *offset);
	if (nul == NULL)
		return false;
	*text_out = (const char *)at;
	*offset += (size_t)(nul - at) + 1;
	return true;
}

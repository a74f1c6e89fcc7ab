/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_packet: a growing buffer, and the milter protocol's packets in it: four bytes of length (big-endian, of what
 * follows), one byte of command, data.
 */
#ifndef PENSTOCK_LOAD_PACKET_H
#define PENSTOCK_LOAD_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	unsigned char *data; /* owned */
	size_t begin, end;   /* what is in it */
	size_t size;
};

struct packet {
	unsigned char command;
	const unsigned char *data; /* borrowed from the buffer until it changes */
	size_t length;
};

enum packet_found { PACKET_NONE, PACKET_WHOLE, PACKET_BROKEN };

void buffer_release(struct buffer *buffer);
void buffer_add(struct buffer *buffer, const void *data, size_t length);
void buffer_string(struct buffer *buffer, const char *text); /* with its NUL */
void buffer_u32(struct buffer *buffer, uint32_t value);
/* Room for `room` more bytes behind `end`. */
unsigned char *buffer_room(struct buffer *buffer, size_t room);

/* Returns a mark for packet_end. */
size_t packet_begin(struct buffer *buffer, char command);
void packet_end(struct buffer *buffer, size_t mark);
void packet_plain(struct buffer *buffer, char command);

/* Takes the next whole packet off the front. */
enum packet_found packet_take(struct buffer *buffer, struct packet *packet_out);

/* Reads at `*offset` and moves it; false: not enough there. */
bool packet_u32(const struct packet *packet, size_t *offset, uint32_t *value_out);
bool packet_string(const struct packet *packet, size_t *offset, const char **text_out);

#endif

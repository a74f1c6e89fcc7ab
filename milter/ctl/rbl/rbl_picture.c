/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/rbl/rbl_picture.h"

#include "milter/ctl/tool/memory.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { INDENT = 2, LABEL = 9 }; /* columns; a label: ".255.192", or ".240" */

struct rbl_picture {
	uint32_t first; /* address of the network, host order; known with the first mark */
	uint32_t count;
	char marks[1u << (32 - RBL_PICTURE_PREFIX_LEAST)];
};

struct rbl_picture *rbl_picture_new(int64_t prefix)
{
	if (prefix < RBL_PICTURE_PREFIX_LEAST || prefix > RBL_PICTURE_PREFIX_MOST)
		return NULL;
	struct rbl_picture *picture = have_memory(calloc(1, sizeof *picture));
	picture->count = 1u << (32 - prefix);
	memset(picture->marks, ' ', sizeof picture->marks);
	return picture;
}

void rbl_picture_mark(struct rbl_picture *picture, const char *address, char mark)
{
	struct in_addr in;
	if (inet_pton(AF_INET, address, &in) != 1)
		return;
	uint32_t at = ntohl(in.s_addr);
	picture->first = at & ~(picture->count - 1);
	picture->marks[at & (picture->count - 1)] = mark;
}

/* Addresses in a line: 16 as a network is thought of, more where it would not fit on a screen otherwise. */
static uint32_t picture_line_length(const struct rbl_picture *picture, int width)
{
	uint32_t length = picture->count > 256 ? 64 : 16;
	while (length > 16 && width > 0 && INDENT + LABEL + (int)length >= width)
		length /= 2;
	return length;
}

static void picture_print_mark(const struct paper *paper, char mark)
{
	enum tone tone = mark == '#' ? TONE_BAD : mark == '?' ? TONE_DOUBT : mark == '.' ? TONE_FAINT : TONE_PLAIN;
	tone_begin(paper, tone);
	fputc(mark, paper->to);
	tone_end(paper, tone);
}

void rbl_picture_print(const struct rbl_picture *picture, const struct paper *paper)
{
	uint32_t length = picture_line_length(picture, paper->width), alike = 1;
	while (alike < picture->count && picture->marks[alike] == picture->marks[0])
		alike++;
	if (alike == picture->count)
		return;
	for (uint32_t i = 0; i < picture->count; i++) {
		uint32_t at = picture->first + i;
		char label[LABEL + 1];
		if (i % length == 0) {
			if (picture->count > 256)
				snprintf(label, sizeof label, ".%u.%u", at >> 8 & 255, at & 255);
			else
				snprintf(label, sizeof label, ".%u", at & 255);
			fprintf(paper->to, "%*s%-*s", INDENT, "", picture->count > 256 ? LABEL : 5, label);
		}
		picture_print_mark(paper, picture->marks[i]);
		if (i % length == length - 1)
			fputc('\n', paper->to);
	}
	bool noted = memchr(picture->marks, '+', picture->count) != NULL;
	fprintf(paper->to, "%*s# listed  %s. clean  ? no answer\n", INDENT, "",
		noted ? "+ named without weight  " : "");
}

void rbl_picture_free(struct rbl_picture **picture)
{
	free(*picture);
	*picture = NULL;
}

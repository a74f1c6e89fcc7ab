/* SPDX-License-Identifier: BSD-2-Clause
 *
 * rbl_picture: the addresses of a network as a block of characters: '#' listed, '+' named by lists without weight
 * alone,
 * '.' clean, '?' no answer, ' ' not told.
 */
#ifndef PENSTOCK_RBL_PICTURE_H
#define PENSTOCK_RBL_PICTURE_H

#include "milter/ctl/tool/terminal.h"

#include <stdint.h>

struct rbl_picture;

enum {
	RBL_PICTURE_PREFIX_LEAST = 20, /* 4,096 addresses */
	RBL_PICTURE_PREFIX_MOST = 27,  /* fewer than 32 are read faster than looked at */
};

/* NULL where a network of this prefix is not drawn. */
struct rbl_picture *rbl_picture_new(int64_t prefix);
/* What is no IPv4 address leaves no mark. The others count by their place in a network of this prefix. */
void rbl_picture_mark(struct rbl_picture *picture, const char *address, char mark);
/* Where all addresses are alike, a sentence says it better: nothing is drawn. */
void rbl_picture_print(const struct rbl_picture *picture, const struct paper *paper);
void rbl_picture_free(struct rbl_picture **picture);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * print: the fuzzy fingerprint of a message's text. Two bodies that differ by a name, a number, a link's tail or a few
 * words have the same one, mostly; two that have only a disclaimer in common have not.
 *
 * Words of the decoded text, lower-cased, without markup, digits, addresses and links' tails, go by threes into a
 * min-hash (Broder 1997).
 */
#ifndef PENSTOCK_PRINT_H
#define PENSTOCK_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PRINT_SLOTS = 16 };

/* Fed in pieces; plain data. */
struct print_maker {
	uint64_t slots[PRINT_SLOTS];	/* least hashes */
	uint64_t words[2];		/* the two words before */
	uint64_t word;			/* hash of the one under way */
	int word_length, count;
	int state;			/* of the little markup reader; print.c's */
	uint64_t link;
};

void print_begin(struct print_maker *maker);
/* `text`: of a part text/plain or text/html, decoded from its transfer encoding, any charset. */
void print_add(struct print_maker *maker, const char *text, size_t length);
/* 0 where there are too few words to say anything (below 12). */
uint64_t print_end(struct print_maker *maker);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * fingerprint: the fuzzy fingerprint of a message's text. Two bodies that differ by a name, a number, a link's tail or
 * a few words have the same one, mostly; two that have only a disclaimer in common have not.
 *
 * Of the words of the text, lower-cased, without markup, short words, names (capitalised), words with digits, addresses
 * and links' tails, the one with the least hash is an anchor (min-hash, Broder 1997); it counts with the words beside
 * it, so that texts that share nothing but common words differ. One anchor is of the first words, one of all: both have
 * to be the same. With one word of thirty changed each survives with about 0.9; a common disclaimer has no say in the
 * first.
 *
 * The hash of a word is keyed with the secret that the daemons share: who reads this file knows which words a text has,
 * and not which of them are its anchors, so that he cannot keep these and change the others.
 */
#ifndef PENSTOCK_FINGERPRINT_H
#define PENSTOCK_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The word with the least hash so far, and with what stands beside it. */
struct fingerprint_anchor {
	uint64_t least, context;
	bool wants_next;
};

struct fingerprint_words {
	uint64_t before; /* hash of the word before */
	int count;
	struct fingerprint_anchor head, whole;
};

/* Fed in pieces; plain data, fingerprint.c's. */
struct fingerprint_maker {
	uint64_t seed[2];		     /* of the words' hashes; secret */
	struct fingerprint_words plain, all; /* without names and short words; with them */
	uint64_t word;			     /* hash of the one under way, of all whole chunks of eight bytes */
	uint64_t chunk;			     /* its bytes behind them, the first one lowest */
	unsigned word_length;
	bool capital, capitals, digit; /* it begins with one; they are all; it has one */
	int state;		       /* of the little markup reader */
	char tag[8];		       /* the name of the tag under way */
	int tag_length;
	bool hidden;  /* inside a style or script */
	char last[2]; /* bytes before, newest first */
};

void fingerprint_begin(struct fingerprint_maker *maker, const uint64_t key[2]);
/* `text`: of a part text/plain or text/html, decoded from its transfer encoding, any charset. */
void fingerprint_add(struct fingerprint_maker *maker, const char *text, size_t length);
/* 0 where there are too few words to say anything (below 12). How many there are in any case. */
uint64_t fingerprint_end(struct fingerprint_maker *maker, int *words_out);

#endif

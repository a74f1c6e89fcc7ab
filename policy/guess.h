/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guess: how many different things were seen within about a day (names that a client tried, clients that tried a name),
 * in a few hundred bytes however many they are, and from how many on that is an attack on logins.
 *
 * Adaptive sampling (Flajolet 1990): exact up to GUESS_EXACT; beyond that only hashes with some number of leading zero
 * bits are kept, and each stands for 2 to the power of it. The hashes must be keyed, or who is counted chooses them.
 */
#ifndef PENSTOCK_GUESS_H
#define PENSTOCK_GUESS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	GUESS_EXACT = 64,
	GUESS_HOURS = 24,
	GUESS_NAMES_LEAST = 10,	  /* names from which on nobody has merely forgotten his password */
	GUESS_CLIENTS_LEAST = 20, /* clients from which on a name is attacked */
};

struct guess_set {
	uint32_t hash[GUESS_EXACT];
	uint16_t hour[GUESS_EXACT]; /* the last 16 bits of its hour since 1970 */
	uint8_t count, level;
};

/* Seen at `seen_s`, which is no later than now. What lies more than a day behind, or ahead, is forgotten. */
void guess_set_add(struct guess_set *set, uint64_t hash, int64_t seen_s, int64_t now_s);
double guess_set_count(const struct guess_set *set, int64_t now_s);
/* The same without `hash`, whose lower 32 bits are what is kept. */
double guess_set_count_without(const struct guess_set *set, uint64_t hash, int64_t now_s);

/* May one that was read from a file be used? */
bool guess_set_is_sound(const struct guess_set *set);

/* Does a client that tried so many names guess, and is a name that so many clients tried attacked? A family behind one
 * address with three old passwords does not, and a person with two phones, a laptop and a mobile network is not. */
bool guess_is_guesser(double names);
bool guess_is_attacked(double clients);
/* Has someone got in who had failed under so many other names? */
bool guess_got_in(double others);
/* Of each of these it is told again after a day, and of no more than so many in one hour; the rest is counted. */
enum { GUESS_TOLD_AGAIN_S = 86400, GUESS_TOLD_AN_HOUR = 20 };

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * spoke: why a signal has no term in a score, or a smaller one: what spoke for the account.
 */
#ifndef PENSTOCK_SPOKE_H
#define PENSTOCK_SPOKE_H

/* id, part of a sentence for people: explain and `account show` print it. */
#define SPOKE_ROWS(ROW) \
	ROW(NOTHING, "") \
	ROW(UNKNOWN, "not known") /* no scanner answered, no AS, no secret */ \
	ROW(YOUNG, "the account has no habits yet") \
	ROW(USUAL, "as usual for the account") \
	ROW(KNOWN_RCPTS, "to people it knows") \
	ROW(OWN_TEXT, "a text of its own") \
	ROW(HARMLESS, "the scanner sees harmless text") \
	ROW(NO_SPAM, "the scanner does not call it spam") \
	ROW(HOME, "from the account's own network") \
	ROW(NEAR, "a place near one of its own") \
	ROW(FLOOR, "below its floor") \
	ROW(CAP, "at its cap")

/* clang-format off */
enum spoke {
#define SPOKE_ENUM(id, word) SPOKE_##id,
	SPOKE_ROWS(SPOKE_ENUM)
#undef SPOKE_ENUM
	SPOKE_COUNT
};
/* clang-format on */

/* "" for SPOKE_NOTHING, and for what is none of them. */
const char *spoke_word(enum spoke spoke);

#endif

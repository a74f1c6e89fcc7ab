/* SPDX-License-Identifier: BSD-2-Clause
 *
 * lot: what a schedule draws. The same seed draws the same. The system's own randomness (getrandom, random) is drawn
 * from it too: the linker wraps them.
 */
#ifndef PENSTOCK_MODEL_LOT_H
#define PENSTOCK_MODEL_LOT_H

#include <stdbool.h>
#include <stdint.h>

void lot_begin(uint64_t seed);
/* 0 .. below - 1 */
int lot(int below);
int lot_between(int least, int most);
/* Once in so many times. */
bool lot_once_in(int times);

#endif

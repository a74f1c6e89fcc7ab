/* SPDX-License-Identifier: BSD-2-Clause
 *
 * script: compare_and_set.lua as text, without its comments. The build makes script_text.h of it.
 */
#ifndef PENSTOCK_SCRIPT_H
#define PENSTOCK_SCRIPT_H

extern const char script_text[];

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * show_shadow: the daemon's answer to shadow.report, for people.
 */
#ifndef PENSTOCK_SHOW_SHADOW_H
#define PENSTOCK_SHOW_SHADOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

void show_shadow(const json_t *answer, bool verbose, FILE *to);

#endif

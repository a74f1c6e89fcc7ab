/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_show: the study of throttling for people, drawn in 80 columns.
 */
#ifndef PENSTOCK_THROTTLE_SHOW_H
#define PENSTOCK_THROTTLE_SHOW_H

#include "milter/clients/study.h"

#include <stdio.h>

void throttle_show(const struct study *study, FILE *to);

#endif

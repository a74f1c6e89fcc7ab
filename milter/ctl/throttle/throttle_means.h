/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_means: what the study of throttling says to an admin who wonders whether throttling is worth it: what it
 * stopped, what it cost, and what cannot be said yet.
 */
#ifndef PENSTOCK_THROTTLE_MEANS_H
#define PENSTOCK_THROTTLE_MEANS_H

#include "milter/clients/study.h"

#include <stdio.h>

void throttle_means(const struct study *study, FILE *to);

#endif

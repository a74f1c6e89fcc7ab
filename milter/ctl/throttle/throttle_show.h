/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_show: the study of throttling for people, drawn in 80 columns, and the few forms of its numbers.
 */
#ifndef PENSTOCK_THROTTLE_SHOW_H
#define PENSTOCK_THROTTLE_SHOW_H

#include "milter/clients/study.h"

#include <stdio.h>

void throttle_show(const struct study *study, FILE *to);

enum { THROTTLE_FORM_MAX = 32 };
/* 28204693 -> "28,204,693" */
const char *throttle_form_count(char form[THROTTLE_FORM_MAX], uint64_t count);
/* "48.9 %" */
const char *throttle_form_share(char form[THROTTLE_FORM_MAX], uint64_t part, uint64_t whole);
/* 351682 -> "4.1 days" */
const char *throttle_form_span(char form[THROTTLE_FORM_MAX], double seconds);
/* Rounded; 0 where there are none. */
uint64_t throttle_mean_s(const struct study_span *span);

#endif

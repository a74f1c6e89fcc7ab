/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_form: the few forms that counts, shares and times take in the study of throttling.
 */
#ifndef PENSTOCK_THROTTLE_FORM_H
#define PENSTOCK_THROTTLE_FORM_H

#include <stdint.h>

enum { THROTTLE_FORM_MAX = 32 };
/* 28204693 -> "28,204,693" */
const char *throttle_form_count(char form[THROTTLE_FORM_MAX], uint64_t count);
/* "48.9 %" */
const char *throttle_form_share(char form[THROTTLE_FORM_MAX], uint64_t part, uint64_t whole);
/* 351682 -> "4.1 days" */
const char *throttle_form_span(char form[THROTTLE_FORM_MAX], double seconds);

#endif

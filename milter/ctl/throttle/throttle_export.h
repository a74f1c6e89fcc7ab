/* SPDX-License-Identifier: BSD-2-Clause
 *
 * throttle_export: the study of throttling as JSON.
 */
#ifndef PENSTOCK_THROTTLE_EXPORT_H
#define PENSTOCK_THROTTLE_EXPORT_H

#include "milter/clients/study.h"

#include <jansson.h>

/* To be dropped. */
json_t *throttle_export(const struct study *study);

#endif

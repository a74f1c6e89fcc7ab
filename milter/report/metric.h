/* SPDX-License-Identifier: BSD-2-Clause
 *
 * metric: lines of Prometheus' exposition format 0.0.4. Names without their prefix.
 */
#ifndef PENSTOCK_METRIC_H
#define PENSTOCK_METRIC_H

#include <stdint.h>

struct evbuffer;

void metric_head(struct evbuffer *to, const char *metric, const char *type, const char *help);
/* One line with one label; `value` may be any text. */
void metric_real(struct evbuffer *to, const char *metric, const char *label, const char *value, double number);
void metric_row(struct evbuffer *to, const char *metric, const char *label, const char *value, uint64_t number);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * health: how the daemon is, and the sentences that say why.
 */
#ifndef PENSTOCK_HEALTH_H
#define PENSTOCK_HEALTH_H

#include <jansson.h>

enum health { HEALTH_OK, HEALTH_WARNING, HEALTH_CRITICAL };

struct health_list {
	enum health worst;
	json_t *reasons; /* owned by the document */
};

void health_add(struct health_list *list, enum health health, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

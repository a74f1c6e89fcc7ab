/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What health and metrics say of files and sockets that the daemon goes on without.
 */
#include "milter/report/metric.h"
#include "milter/report/report_inside.h"
#include "milter/daemon/trouble.h"

#include "policy/base/banned.h"

void report_trouble_health(struct health_list *list)
{
	char said[TROUBLE_TEXT_MAX];
	for (int i = 0; i < TROUBLE_COUNT; i++)
		if (trouble_is((enum trouble)i, said))
			health_add(list, HEALTH_WARNING, "%s.", said);
}

void report_trouble_metrics(struct evbuffer *to)
{
	metric_head(to, "trouble", "gauge", "1: this file or socket of the daemon's own cannot be used.");
	for (int i = 0; i < TROUBLE_COUNT; i++)
		metric_real(to, "trouble", "what", trouble_word((enum trouble)i), trouble_is((enum trouble)i, NULL));
}

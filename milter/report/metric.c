/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/metric.h"

#include <event2/buffer.h>

#include "policy/base/banned.h"

void metric_head(struct evbuffer *to, const char *metric, const char *type, const char *help)
{
	evbuffer_add_printf(to, "# HELP penstock_%s %s\n# TYPE penstock_%s %s\n", metric, help, metric, type);
}

void metric_real(struct evbuffer *to, const char *metric, const char *label, const char *value, double number)
{
	evbuffer_add_printf(to, "penstock_%s{%s=\"", metric, label);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			evbuffer_add(to, "\\n", 2);
		else if (*value == '\\' || *value == '"')
			evbuffer_add_printf(to, "\\%c", *value);
		else
			evbuffer_add(to, value, 1);
	}
	evbuffer_add_printf(to, "\"} %.15g\n", number);
}

void metric_row(struct evbuffer *to, const char *metric, const char *label, const char *value, uint64_t number)
{
	metric_real(to, metric, label, value, (double)number); /* as Prometheus reads it */
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/report/report.h"
#include "milter/web/page.h"
#include "milter/base/json.h"

#include <event2/buffer.h>

#include "policy/base/banned.h"

void page_health(struct page_host *host, struct evhttp_request *request)
{
	struct evbuffer *body = evbuffer_new();
	enum health health = HEALTH_CRITICAL;
	(void)host;
	if (body != NULL)
		json_write(body, report_status(&health));
	page_answer(request, health == HEALTH_CRITICAL ? 503 : 200, "application/json", body);
	if (body != NULL)
		evbuffer_free(body);
}

void page_metrics(struct page_host *host, struct evhttp_request *request)
{
	struct evbuffer *body = evbuffer_new();
	(void)host;
	if (body != NULL)
		report_metrics(body);
	page_answer(request, 200, "text/plain; version=0.0.4; charset=utf-8", body);
	if (body != NULL)
		evbuffer_free(body);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/clock.h"
#include "milter/daemon/daemon.h"
#include "milter/daemon/stats.h"
#include "milter/web/page.h"
#include "milter/web/http_request.h"
#include "milter/web/stream.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "policy/base/banned.h"

enum { BUSY_RETRY_S = 5, FORWARDED_MAX = 32, ERROR_MAX = 512 };

static void refuse(struct evhttp_request *request, enum stats_refused why, int code, const char *sentence,
		   int64_t retry_s)
{
	stats_check_refused(why);
	page_answer_error(request, code, sentence, retry_s);
}

/* ---- who asks */

static struct netaddr page_check_client_of(struct page_host *host, struct evhttp_request *request,
					   const struct config *config)
{
	struct netaddr peer = page_peer(host, request);
	const char *forwarded[FORWARDED_MAX]; /* the last ones; only those that proxies of ours wrote are read */
	int count = 0;
	struct evkeyval *header;
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	{
		if (evutil_ascii_strcasecmp(header->key, "X-Forwarded-For") != 0)
			continue;
		if (count == FORWARDED_MAX)
			memmove(forwarded, forwarded + 1, (size_t)--count * sizeof forwarded[0]);
		forwarded[count++] = header->value;
	}
	return http_request_client(&peer, config->proxies, config->proxy_count, forwarded, count);
}

/* ---- what it asks for */

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Only a network can be too large for ever: a name's cost is a guess, and is cut to the burst. */
static bool page_check_fits(const struct check_target *target, int64_t burst, int64_t *tokens_out,
			    char error[ERROR_MAX])
{
	int prefix = CHECK_PREFIX_LEAST;
	int64_t cost = check_cost(target);
	*tokens_out = least(cost, burst);
	if (cost <= burst || target->kind != CHECK_NETWORK)
		return true;
	while (prefix < 32 && INT64_C(1) << (32 - prefix) > burst)
		prefix++;
	snprintf(error, ERROR_MAX,
		 "A network of %" PRId64 " addresses is more than this service looks up at once: at most a /%d.", cost,
		 prefix);
	return false;
}

static bool read_target(struct evhttp_request *request, char query[CHECK_QUERY_MAX + 1], struct check_target *target,
			char error[ERROR_MAX])
{
	const char *raw = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(request));
	return http_request_query(raw, query, CHECK_QUERY_MAX + 1, error, ERROR_MAX) &&
	       check_parse(query, true, target, error, ERROR_MAX);
}

/* ---- the answer */

/* Pays for it, or refuses. */
static bool page_check_pays(struct page_host *host, struct evhttp_request *request,
			    const struct stream_settings *settings)
{
	static const struct {
		enum stats_refused why;
		const char *sentence;
	} rows[] = {
		[RATE_LIMIT_CLIENT_DRAINED] = { STATS_REFUSED_CLIENT, "You asked for many addresses in a short time." },
		[RATE_LIMIT_ALL_DRAINED] = { STATS_REFUSED_ALL, "Many are asking at the moment." },
	};
	char error[ERROR_MAX];
	int64_t wait_s = 0;
	enum rate_limit_answer answer = rate_limit_take(host->checks.rate, &settings->limits, &settings->client,
							settings->tokens, clock_monotonic_ms(), &wait_s);
	if (answer == RATE_LIMIT_FINE)
		return true;
	snprintf(error, sizeof error, "%s Try again in %" PRId64 " s.", rows[answer].sentence, wait_s);
	refuse(request, rows[answer].why, 429, error, wait_s);
	return false;
}

/* So that nobody alone can keep all others out, by reading slowly. */
static bool page_check_has_too_many(const struct page_checks *checks, const struct netaddr *client)
{
	int his = 0;
	for (int i = 0; i < checks->running; i++)
		his += rate_limit_same_client(&checks->clients[i], client);
	return his >= CHECKS_OF_CLIENT_MAX;
}

static void check(struct page_host *host, struct evhttp_request *request, const struct config *config)
{
	char query[CHECK_QUERY_MAX + 1], error[ERROR_MAX];
	struct check_target target;
	struct stream_settings settings = {
		.target = &target,
		.query = query,
		.document = http_request_wants_document(
			evhttp_find_header(evhttp_request_get_input_headers(request), "Accept")),
		.client = page_check_client_of(host, request, config),
		.limits = { config->set.http_rbl_per_minute, config->set.http_rbl_burst,
			    config->set.http_rbl_total_per_minute },
	};
	if (!read_target(request, query, &target, error))
		refuse(request, STATS_REFUSED_QUERY, 400, error, 0);
	else if (!page_check_fits(&target, settings.limits.burst, &settings.tokens, error))
		refuse(request, STATS_REFUSED_LARGE, 413, error, 0);
	else if (page_is_head(request))
		page_answer(request, 200, settings.document ? "application/json" : "application/x-ndjson", NULL);
	else if (page_check_has_too_many(&host->checks, &settings.client))
		refuse(request, STATS_REFUSED_CLIENT, 429,
		       "You have several checks in progress. Try again when one has ended.", BUSY_RETRY_S);
	else if (host->checks.running >= CHECKS_MAX)
		refuse(request, STATS_REFUSED_BUSY, 503, "Too many checks are in progress. Try again in a few seconds.",
		       BUSY_RETRY_S);
	else if (page_check_pays(host, request, &settings) && !stream_start(host, request, &settings))
		refuse(request, STATS_REFUSED_BUSY, 503, "The daemon is out of memory.", BUSY_RETRY_S);
}

void page_check(struct page_host *host, struct evhttp_request *request)
{
	struct setup *setup = setup_hold();
	check(host, request, setup->config);
	setup_drop(&setup);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stream: one check (milter/lookup/check.h), answered while it goes on: each event of it a JSON object in one line
 * (milter/report/report_check.h), sent at once; or all of them as one document, {"query", "kind", "lines": [...], and
 * the members of the last line}, which comes piece by piece too and is whole at the end.
 *
 * It ends with the client: one that hangs up ends the check; one that does not read pauses it (beyond STREAM_UNREAD_MAX
 * bytes) and is cut off after 10 s without progress. A check that takes longer than its time ends with an error in its
 * last line, and what is not read a few seconds later is cut off.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_WEB_STREAM_H
#define PENSTOCK_WEB_STREAM_H

#include "milter/lookup/check.h"
#include "milter/web/rate_limit.h"

struct evhttp_request;
struct page_host;

enum {
	STREAM_UNREAD_MAX = 262144,
	STREAM_ADDRESS_S = 50,
	STREAM_NETWORK_S = 290,
	STREAM_LEAVE_S = 10, /* to read what is left */
};

struct stream_settings {
	const struct check_target *target; /* copied by the check */
	const char *query;		   /* copied; as it was asked */
	bool document;
	/* What was paid for the addresses: at the end those that were none are given back, those beyond it paid for. */
	struct netaddr client;
	struct rate_limit_settings limits;
	int64_t tokens;
};

/* Owes the answer to `request` from now on. False: no memory, and nothing was answered. */
bool stream_start(struct page_host *host, struct evhttp_request *request, const struct stream_settings *settings);

#endif

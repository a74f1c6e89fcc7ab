/* SPDX-License-Identifier: BSD-2-Clause
 *
 * report_check: what a check of block lists comes to (milter/lookup/check.h), event by event, as the JSON objects that
 * the control socket, /api/v1/rbl and `penstockctl rbl --json` hand out, one a line. The names in them are contracts:
 *
 *   {"type":"begin","query":TEXT,"kind":"address"|"name"|"network","lists":62,"subjects":1|null,"prefix":24}
 *   {"type":"target","subject":S,"from":"A"|"AAAA"|"MX mail.example.com"|""}
 *   {"type":"list","subject":S,"list":NAME,"zone":ZONE,"said":"listed"|"clean"|"unknown"|"skipped","kind":"spam"|null,
 *    "codes":["127.0.0.2"],"weight":1.0,"why":CLAUSE|"","site":URL|null,"removal":URL|null,"terms":TEXT|null,
 *    "cached":false,"ms":12}
 *   {"type":"text","subject":S,"list":NAME,"text":TEXT}
 *   {"type":"origin","subject":S,"as":64496|null,"as_name":TEXT|null,"prefix":"192.0.2.0/24"|null,"country":"DE"|null}
 *   {"type":"ptr","subject":S,"names":[NAME],"confirmed":true|false|null}
 *   {"type":"subject","subject":S,"listed":2,"clean":95,"unknown":1,"skipped":0,"weight":1.5,"ms":213,
 *    "noted":0,"why":null|CLAUSE}
 *   {"type":"end","subjects":1,"listed":1,"clean":0,"unknown":0,"skipped":0,"weight":1.5,"ms":215,"noted":0,
 *    "error":null|SENTENCE}
 *
 * "prefix" of "begin" is a network's only. "why" of a "subject": it was not asked about, being "private" and so on. The
 * numbers of "end" count subjects: listed anywhere, on no list, without any answer, not asked about. A list of weight 0
 * makes nothing "listed": "noted" counts such lists, and at the end those of the "clean" that only such lists name.
 */
#ifndef PENSTOCK_REPORT_CHECK_H
#define PENSTOCK_REPORT_CHECK_H

#include "milter/lookup/check.h"

#include <jansson.h>

/* A new reference; NULL: no memory. `query` is what was asked, as it was typed. A zone is never shown with a
 * subscriber's key. Loop thread only. */
json_t *report_check(const struct check_event *event, const char *query);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * control: the unix socket of penstockctl. One line of JSON in, one line of JSON out:
 *
 *   {"do":"status"}  {"do":"pools"}  {"do":"monitor.check"}  {"do":"top","by":"rcpts"|"score","count":20}
 *   {"do":"shadow.report","days":7,"count":20}
 *   {"do":"account.show","account":A}  {"do":"account.reset","account":A}
 *   {"do":"account.limit","account":A,"set":{"rcpts_per_hour":"500","plan":null}}    null: the plan's again
 *   {"do":"account.block","account":A,"reason":TEXT,"seconds":3600}                 without seconds: for ever
 *   {"do":"account.unblock","account":A}  and  account.exempt, account.unexempt likewise
 *
 *   {"do":"client.show","client":"192.0.2.7"}  {"do":"sessions.report","days":7}
 *
 *   {"do":"account.list","what":["blocked","suspect","exempt","limits"]}  {"do":"account.check"}
 *
 *   {"do":"client.list","behind":"192.0.2.7"}    our own block list, in pieces: control_listed.h
 *
 *   {"do":"rbl","target":"mail.example.com"}    an address (also a private one), a host name or an IPv4 network
 *
 * A request has CONTROL_REQUEST_MAX bytes and the levels of JSON_OF_CLIENT (milter/base/json_read.h) at most. The
 * answer is
 * {"ok":true, ...} or {"error":"one sentence"}. That to "rbl", "account.list" and "account.check" comes in many lines,
 * the last one of the type "end": milter/report/report_check.h, roster.h. Its client may read as slowly as it likes,
 * but has to read some of it every ten seconds.
 *
 * Loop thread only, or with the loop stopped.
 */
#ifndef PENSTOCK_CONTROL_H
#define PENSTOCK_CONTROL_H

#include <stddef.h>

struct event_base;
struct control;
struct exchange_call;

enum { CONTROL_CONNECTIONS_MAX = 32, CONTROL_REQUEST_MAX = 8192 };

/* `path` gets mode 0600: whoever may open it may do all of the above. NULL with a sentence in `error`. */
struct control *control_start(struct event_base *base, const char *path, char *error, size_t error_size);
/* Clears the pointer; NULL is fine. */
void control_stop(struct control **control);

/* One line of the socket, without or with its newline; NULL: it was too long. Leads to one exchange_answer. */
void control_serve(struct exchange_call *call, const char *line, size_t length);

#endif

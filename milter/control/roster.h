/* SPDX-License-Identifier: BSD-2-Clause
 *
 * roster: account.list and account.check over the control socket. All keys of Redis are looked through in bounded
 * pieces (SCAN), while mail goes on; what is found is sent as it comes, one JSON object a line, for as long as the
 * client reads it, and nothing is kept. The names in it are contracts:
 *
 *   {"type":"begin","keys":3000000}                     about how many keys Redis has
 *   {"type":"progress","looked_at":120000,"found":17}   of them; now and then
 *   {"type":"account","account":A,"level":"suspect"|null,"score":1.25|null,"since":UNIX|0,"block":TEXT|null,
 *    "exempt":TEXT|null,"ends":UNIX|null,"limits":{"rcpts_per_hour":500}}
 *   {"type":"finding","key":KEY,"what":SENTENCE}        of account.check
 *   {"type":"end","looked_at":3000000,"found":18,"error":null|SENTENCE}
 *
 * `ends` is that of the block, else of the exemption. As SCAN gives a key, so a row may come twice where Redis rebuilds
 * its table meanwhile.
 *
 * Loop thread only.
 */
#ifndef PENSTOCK_ROSTER_H
#define PENSTOCK_ROSTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct exchange_call;

enum {
	ROSTERS_MAX = 2,     /* under way at once */
	ROSTER_PIECE = 200,  /* keys that Redis looks at for one answer */
	ROSTER_AT_ONCE = 32, /* accounts that are asked about at once */
};

/* What is to be listed: a set of 1 << enum roster_want, or of the levels of accounts behind it. */
enum roster_want { ROSTER_BLOCKED, ROSTER_EXEMPT, ROSTER_LIMITS, ROSTER_LEVELS };

/* account.list: "what" has words, "blocked", "exempt", "limits" or a level's; blocked are those of an admin, and those
 * of level blocked. Takes over the call: it will be answered. False: `error` holds one sentence, and the call is still
 * the caller's. */
bool roster_list(struct exchange_call *call, const json_t *request, char *error, size_t error_size);
/* account.check: keys `limits`, `block` and `exempt` that nobody reads, and what of limits, plans and networks means
 * nothing. */
bool roster_check(struct exchange_call *call, const json_t *request, char *error, size_t error_size);

#endif

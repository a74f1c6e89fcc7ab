/* SPDX-License-Identifier: BSD-2-Clause
 *
 * books: the model's own count: what was let out, by what each `done` was told, and whether Redis has it, each once.
 */
#ifndef PENSTOCK_MODEL_BOOKS_H
#define PENSTOCK_MODEL_BOOKS_H

#include "t/model/model.h"

void books_begin(void);
/* Something is charged to the account by a daemon, now. Returns its place in their order. */
int books_charged(int daemon, int account);
/* What of it is counted in the end. */
void books_told(int daemon, int account, int place, const struct amounts *amounts, const double counts[COUNTER_COUNT]);
/* A line of the mail log says so of the account. */
void books_credited(int account, const double counts[COUNTER_COUNT]);
/* Something of what was let out is given back: counters may be off by as much as decayed meanwhile. */
void books_given_back(int account);
/* A message left; `at_ms`: when it was judged. */
void books_let_out(int account, const struct amounts *amounts, int64_t at_ms, bool full);
/* Redis has said that the account knows these recipients now. */
void books_known(int account, const uint32_t *rcpts, int count);
void books_group_let_out(int group, const struct amounts *amounts);
/* The script of a daemon or of the follower ran on the record with this key. */
void books_written(int daemon, const char *key);
/* All is quiet: is it as it should be? */
void books_check(void);

#endif

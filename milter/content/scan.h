/* SPDX-License-Identifier: BSD-2-Clause
 *
 * scan: content scanners, a row for each kind. A scan runs on the loop thread; the callback waits with a deadline.
 */
#ifndef PENSTOCK_SCAN_H
#define PENSTOCK_SCAN_H

#include "policy/facts.h"

struct loop;
struct scan;

/* id, config word: the kinds of scanner */
/* clang-format off */
#define SCANNER_ROWS(ROW)                                                                          \
	ROW(SPAMD, "spamd") /* SpamAssassin's daemon, protocol SPAMC/1.5, command SYMBOLS */

enum scanner_kind {
#define SCANNER_ENUM(id, word) SCANNER_##id,
	SCANNER_ROWS(SCANNER_ENUM)
#undef SCANNER_ENUM
	SCANNER_COUNT
};
/* clang-format on */

enum { SCANNERS_MAX = 4, SCANNER_NAME_MAX = 31 };

/* Of messages under way, all together: a scanner that hangs must not eat the machine's memory. */
enum { SCAN_BYTES_MAX = 64 * 1024 * 1024 };

struct scanner {
	char name[SCANNER_NAME_MAX + 1];
	enum scanner_kind kind;
	char address[256]; /* "unix:/path" or "address:port" */
	int64_t max_size;  /* bytes; a larger message is scanned up to here */
	int64_t timeout_ms;
	bool must_answer; /* on_failure = "defer" */
};

/* False where `word` is no kind. */
bool scanner_kind_find(const char *word, enum scanner_kind *kind_out);

/* Hands a copy of `message` (RFC 5322, CRLF lines, already cut to the scanner's max_size; NULL where `length` is 0) to
 * `scanner`, for `account` (spamd: User). Any thread. NULL: no memory, or SCAN_BYTES_MAX are under way. The scan keeps
 * a copy of `scanner`. SIGPIPE must be ignored. */
struct scan *scan_start(struct loop *loop, const struct scanner *scanner, const char *account, const char *message,
			size_t length);

/* Waits until the scanner has answered, its time-out is over or the deadline (clock_monotonic_ms) is reached.
 * content_out->known is KNOWLEDGE_FULL only with a whole answer. NULL scan: nothing is known. */
void scan_collect(struct scan *scan, int64_t deadline_ms, struct content *content_out);

/* The asker lets go; an answer that still comes is dropped. Clears the pointer; NULL is fine. */
void scan_release(struct scan **scan);

/* With the loop stopped: scans under way end as unknown. */
void scan_end_all(void);

struct scan_stats {
	uint64_t scans, answers, failures, timeouts;
};
struct scan_stats scan_stats(void); /* any thread */

/* How often this scanner, of that name at that address, failed in a row since its last good answer. Loop thread. */
uint64_t scan_failures(const struct scanner *scanner);

#endif

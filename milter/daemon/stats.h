/* SPDX-License-Identifier: BSD-2-Clause
 *
 * stats: counters of this daemon since its start. Any thread; relaxed atomics, each number right by itself.
 */
#ifndef PENSTOCK_STATS_H
#define PENSTOCK_STATS_H

#include "policy/verdict.h"

enum { STATS_TRANSPORTS_MAX = 256 };

/* Upper bounds of the histogram of how long messages take, ms, each with itself; the last bucket has no end. */
#define STATS_TOOK_BOUNDS_MS \
	{ \
		5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 \
	}
enum { STATS_TOOK_BOUNDS = 12 };

/* Why a check by HTTP was not begun. */
enum stats_refused {
	STATS_REFUSED_QUERY,  /* not understood, or not public */
	STATS_REFUSED_LARGE,  /* a network of too many addresses */
	STATS_REFUSED_CLIENT, /* its share was used up */
	STATS_REFUSED_ALL,    /* everybody's was */
	STATS_REFUSED_BUSY,   /* too many at once, or no memory */
	STATS_REFUSED_COUNT,
};

/* Connections that made room for others. */
enum stats_closed {
	STATS_CLOSED_HTTP_PEER, /* its peer had too many */
	STATS_CLOSED_HTTP_FULL, /* all together were too many */
	STATS_CLOSED_CONTROL,
	STATS_CLOSED_SOCKETMAP,
	STATS_CLOSED_COUNT,
};

/* Why a request by HTTP was not looked at. */
enum stats_http_refused {
	STATS_HTTP_REFUSED_MALFORMED, /* not as RFC 9112 has it */
	STATS_HTTP_REFUSED_BODY,
	STATS_HTTP_REFUSED_HOST, /* for another host than ours */
	STATS_HTTP_REFUSED_MEMORY,
	STATS_HTTP_REFUSED_COUNT,
};

/* What came of a report about a message that left: id, word (metric label) */
#define FEEDBACK_ROWS(ROW) \
	ROW(COUNTED, "counted")	  /* the account's record has it, or its event was told */ \
	ROW(NOTHING, "nothing")	  /* it is worth nothing */ \
	ROW(REPEATED, "repeated") /* its message had fewer recipients */ \
	ROW(FORGED, "forged")	  /* its token is not ours, or another installation's */ \
	ROW(EXPIRED, "expired")	  /* its token is too old */ \
	ROW(UNTOLD, "no_token")	  /* it bears none */ \
	ROW(NESTED, "nested")	  /* it is about a report */ \
	ROW(JUNK, "junk")	  /* it is no report */ \
	ROW(UNMARKED, "unmarked") /* no report: a message left without a token, Redis having told no secret yet */

/* clang-format off */
enum feedback {
#define FEEDBACK_ENUM(id, word) FEEDBACK_##id,
	FEEDBACK_ROWS(FEEDBACK_ENUM)
#undef FEEDBACK_ENUM
	FEEDBACK_COUNT
};
/* clang-format on */

struct stats {
	int64_t started_ms;	  /* clock_monotonic_ms() */
	int64_t last_message_ms;  /* clock_monotonic_ms(); 0: none yet */
	int64_t last_unmarked_ms; /* clock_monotonic_ms() of the last message that left without a token; 0: none did */
	int64_t last_login_ms;	  /* clock_monotonic_ms() of the last message with a login; 0: none yet */
	uint64_t strangers_since; /* messages by SMTP to elsewhere since then, of clients that nobody knows */
	uint64_t messages;	  /* that reached their end */
	uint64_t sessions, sessions_peak, sessions_total; /* open now, most at once, ever */
	uint64_t actions[ACTION_COUNT];
	uint64_t levels[LEVEL_COUNT];
	uint64_t reasons[REASON_COUNT];
	uint64_t forged_headers; /* X-Penstock-* lines of clients that were deleted */
	uint64_t recipients;
	uint64_t took[STATS_TOOK_BOUNDS + 1]; /* verdicts by the time from MAIL on; each in one bucket */
	uint64_t took_ms;		      /* the sum of these times */
	struct {
		char name[TRANSPORT_NAME_MAX + 1];
		uint64_t messages;
	} transports[STATS_TRANSPORTS_MAX];
	int transport_count;
	uint64_t checks, checks_running; /* by HTTP */
	uint64_t checks_refused[STATS_REFUSED_COUNT];
	uint64_t jobs_dropped; /* for want of memory */
	uint64_t feedback[FEEDBACK_COUNT];
	uint64_t closed[STATS_CLOSED_COUNT], http_refused[STATS_HTTP_REFUSED_COUNT];
};

void stats_start(void);
void stats_session_opened(void);
void stats_session_closed(void);
uint64_t stats_sessions(void);
/* A message got its verdict (also one that was refused at MAIL or RCPT), `took_ms` after its MAIL. */
void stats_verdict(const struct verdict *verdict, bool ended, uint64_t recipients, uint64_t forged_headers,
		   int64_t took_ms);
/* A message that ended came with a login, or from a stranger and leaves. */
void stats_login(void);
void stats_stranger(void);
/* A check of block lists by HTTP. */
void stats_check_begins(void);
void stats_check_ends(void);
void stats_check_refused(enum stats_refused why);
/* A note or an event was not taken: there is no memory for it. */
void stats_job_dropped(void);
void stats_closed(enum stats_closed why);
void stats_http_refused(enum stats_http_refused why);
void stats_feedback(enum feedback feedback);
const char *stats_feedback_word(enum feedback feedback);
void stats_read(struct stats *stats_out);

#endif

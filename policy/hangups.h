/* SPDX-License-Identifier: BSD-2-Clause
 *
 * hangups: the share of sessions that end without QUIT, against what is usual for this host at that hour of the day,
 * and when it has jumped. Usual is learnt of about a month, hour by hour; hours of a jump teach a tenth of it, so that
 * the alarm ends by itself once a new share has lasted for months.
 *
 * A jump is told of where the share's odds are three times the usual ones and chance does not
 * explain it, of which three hang-ups are one. It is over once less than twice the odds are left over some hours.
 *
 * Own networks' sessions and those with a login are not counted by whoever counts.
 */
#ifndef PENSTOCK_HANGUPS_H
#define PENSTOCK_HANGUPS_H

#include <stdbool.h>
#include <stdint.h>

enum { HANGUPS_HOURS = 24 };

struct hangups_count {
	double sessions, hung_up; /* of all sessions: without QUIT */
};

/* Plain; all zero: nothing is learnt. */
struct hangups {
	int64_t first_s, at_s; /* of the first hour that was learnt, and of the last; Unix time */
	struct hangups_count hour[HANGUPS_HOURS];
	int64_t alarm_s;	     /* since when it stands above what is usual; 0: it does not */
	struct hangups_count recent; /* of some hours since then */
};

enum hangups_news { HANGUPS_NOTHING, HANGUPS_JUMPED, HANGUPS_ENDED };

/* An hour is over that began at `at_s`; in the order of time. To rebuild what is learnt of hours that were kept: all of
 * them anew. */
void hangups_learn(struct hangups *hangups, int64_t at_s, struct hangups_count hour);

/* What is to be told, given what came within the last hour, about; may be asked each minute. */
enum hangups_news hangups_judge(struct hangups *hangups, int64_t now_s, struct hangups_count last);

/* The share that is usual at this time; NaN: too little is learnt, a day and 200 sessions at least. */
double hangups_usual(const struct hangups *hangups, int64_t now_s);

#endif

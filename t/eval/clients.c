/* SPDX-License-Identifier: BSD-2-Clause
 *
 * clients: how clients of kinds that are known would stand, over a month: innocents, attackers, and cunning ones who
 * have read our source. One line a kind, what misses its target and by which terms; ends with 1 where one does. See
 * README. Nothing here is for tuning: who sets the numbers of policy/client.c has the table, and this file judges him.
 * usage: clients [--seed N] [KIND ...]
 */
#include "t/eval/clients.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { HOUR_S = 3600, FEW_BAD_SESSIONS = 10, SEED = 20301125 };

struct clients_sums {
	size_t clients;
	double days, slowed_first, slowed_tenth, had_tenth, slowed_last;
	double poor, poor_first, poor_last, bad, bad_last, bad_times, good, good_last;
	double poor_h, bad_h, good_h;		 /* medians of the first time, of those that had one; NAN: none */
	double sum_h, after_poor_h, after_bad_h; /* of 99 of 100 */
	double within, within_bad;		 /* bad sessions of 95 of 100 */
	double mails, held, lost, spam, spam_free;
	double terms[CLIENT_TERM_COUNT], terms_bad[CLIENT_TERM_COUNT]; /* means, when they were first poor, and bad */
};

void clients_die(const char *why)
{
	fprintf(stderr, "clients: %s\n", why);
	exit(2);
}

/* ---- sums */

static int clients_compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return a < b ? -1 : a > b;
}

/* Of the `count` values the one that `share` of them do not exceed. */
static double clients_quantile(double *values, size_t count, double share)
{
	if (count == 0)
		return NAN;
	qsort(values, count, sizeof *values, clients_compare);
	size_t place = (size_t)ceil(share * (double)count);
	return values[place > 0 ? place - 1 : 0];
}

typedef bool clients_value(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out);

static bool clients_poor_at(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = (double)fate->poor_s / HOUR_S;
	return fate->poor_s >= 0;
}

static bool clients_bad_at(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = (double)fate->bad_s / HOUR_S;
	return fate->bad_s >= 0;
}

static bool clients_good_at(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = (double)fate->good_s / HOUR_S;
	return fate->good_s >= 0;
}

static bool clients_poor_sum(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = (double)fate->poor_sum_s / HOUR_S;
	return true;
}

static bool clients_poor_after(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	*value_out = fmax(0, (double)fate->poor_until_s / HOUR_S - kind->cause_ended_h);
	return kind->cause_ended_h > 0;
}

static bool clients_bad_after(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	*value_out = fmax(0, (double)fate->bad_until_s / HOUR_S - kind->cause_ended_h);
	return kind->cause_ended_h > 0;
}

/* Who had too few bad sessions to be known by them says nothing. */
static bool clients_to_poor(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = fate->bad_sessions_to_poor >= 0 ? (double)fate->bad_sessions_to_poor : INFINITY;
	return fate->bad_sessions >= FEW_BAD_SESSIONS;
}

static bool clients_to_bad(const struct clients_kind *kind, const struct clients_fate *fate, double *value_out)
{
	(void)kind;
	*value_out = fate->bad_sessions_to_bad >= 0 ? (double)fate->bad_sessions_to_bad : INFINITY;
	return fate->bad_sessions >= FEW_BAD_SESSIONS;
}

static double clients_of(const struct clients_kind *kind, const struct clients_fate *fates, size_t count, double share,
			 clients_value *value)
{
	double *values = calloc(count, sizeof *values);
	size_t used = 0;
	if (values == NULL)
		clients_die("there is no memory");
	for (size_t i = 0; i < count; i++)
		used += fates[i].sessions > 0 && value(kind, &fates[i], &values[used]);
	double found = clients_quantile(values, used, share);
	free(values);
	return found;
}

static void clients_add_fate(struct clients_sums *sums, const struct clients_fate *fate)
{
	sums->clients++;
	sums->days += fate->days;
	sums->slowed_first += fate->slowed_first;
	sums->slowed_tenth += fate->slowed_tenth;
	sums->had_tenth += fate->sessions >= 10;
	sums->slowed_last += fate->slowed_last;
	sums->poor += fate->poor_s >= 0;
	sums->poor_first += fate->poor_first;
	sums->poor_last += fate->poor_last;
	sums->bad += fate->bad_s >= 0;
	sums->bad_last += fate->bad_last;
	sums->bad_times += (double)fate->bad_times;
	sums->good += fate->good_s >= 0;
	sums->good_last += fate->good_last;
	sums->mails += (double)fate->good_mails;
	sums->held += (double)(fate->held + fate->refused);
	sums->lost += (double)(fate->lost + fate->refused);
	sums->spam += (double)fate->spam_sent;
	sums->spam_free += (double)fate->spam_free;
	for (int i = 0; i < CLIENT_TERM_COUNT; i++) {
		sums->terms[i] += fate->terms[i];
		sums->terms_bad[i] += fate->terms_bad[i];
	}
}

static struct clients_sums clients_sum(const struct clients_kind *kind, const struct clients_fate *fates, size_t count)
{
	struct clients_sums sums = { .clients = 0 };
	for (size_t i = 0; i < count; i++)
		if (fates[i].sessions > 0)
			clients_add_fate(&sums, &fates[i]);
	for (int i = 0; i < CLIENT_TERM_COUNT; i++) {
		sums.terms[i] /= fmax(1, sums.poor);
		sums.terms_bad[i] /= fmax(1, sums.bad);
	}
	sums.poor_h = clients_of(kind, fates, count, .5, clients_poor_at);
	sums.bad_h = clients_of(kind, fates, count, .5, clients_bad_at);
	sums.good_h = clients_of(kind, fates, count, .5, clients_good_at);
	sums.sum_h = clients_of(kind, fates, count, .99, clients_poor_sum);
	sums.after_poor_h = clients_of(kind, fates, count, .99, clients_poor_after);
	sums.after_bad_h = clients_of(kind, fates, count, .99, clients_bad_after);
	sums.within = clients_of(kind, fates, count, .95, clients_to_poor);
	sums.within_bad = clients_of(kind, fates, count, .95, clients_to_bad);
	return sums;
}

static double clients_share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* ---- the table */

static void clients_print_head(const char *title)
{
	printf("\n%s\n%-21s %7s %7s %6s %6s %6s %6s %6s %6s %7s %6s %7s %7s %6s %6s %6s %8s %6s %6s %9s %7s\n", title,
	       "kind", "clients", "days", "slow1", "slow10", "slowN", "poor", "bad", "bad/1e4", "goodN", "h:good",
	       "h:poor", "h:bad", "n:poor", "n:bad", "h>poor", "mails", "held", "lost", "spam", "free");
}

static void clients_print_percent(double part, double whole)
{
	if (whole <= 0)
		printf(" %6s", "-");
	else
		printf(" %6.*f", part > 0 && part < .01 * whole ? 3 : 1, 100 * part / whole);
}

static void clients_print_number(int width, double value)
{
	if (isnan(value))
		printf(" %*s", width, "-");
	else if (isinf(value))
		printf(" %*s", width, "never");
	else
		printf(" %*.*f", width, value > 0 && value < 10 && floor(value) < value ? 1 : 0, value);
}

static void clients_print(const struct clients_kind *kind, const struct clients_sums *sums)
{
	double clients = (double)sums->clients;
	printf("%-21s %7zu %7.0f", kind->name, sums->clients, sums->days);
	clients_print_percent(sums->slowed_first, clients);
	clients_print_percent(sums->slowed_tenth, sums->had_tenth);
	clients_print_percent(sums->slowed_last, clients);
	clients_print_percent(sums->poor, clients);
	clients_print_percent(sums->bad, clients);
	clients_print_number(7, 1e4 * clients_share(sums->bad_times, sums->days));
	clients_print_percent(sums->good_last, clients);
	clients_print_number(6, sums->good_h);
	clients_print_number(7, sums->poor_h);
	clients_print_number(7, sums->bad_h);
	clients_print_number(6, sums->within);
	clients_print_number(6, sums->within_bad);
	clients_print_number(6, sums->sum_h);
	clients_print_number(8, sums->mails);
	clients_print_percent(sums->held, sums->mails);
	clients_print_percent(sums->lost, sums->mails);
	clients_print_number(9, sums->spam);
	clients_print_percent(sums->spam_free, sums->spam);
	putchar('\n');
}

/* ---- targets */

/* What is asked of all kinds of a side that say nothing else. */
static struct clients_target clients_targets(const struct clients_kind *kind)
{
	static const struct clients_target sides[] = {
		[CLIENTS_INNOCENT] = { .poor = .01, .bad = 1, .held = .005, .lost = .0005 },
		[CLIENTS_ATTACKER] = { .within = 10, .good_last = .01 },
		[CLIENTS_CUNNING] = { .good_last = .01 },
	};
	struct clients_target target = kind->target;
	const struct clients_target *side = &sides[kind->side];
	double *own[] = { &target.poor, &target.bad, &target.held, &target.lost, &target.within, &target.good_last };
	const double all[] = { side->poor, side->bad, side->held, side->lost, side->within, side->good_last };
	for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
		if (*own[i] <= 0)
			*own[i] = all[i];
	return target;
}

static void clients_print_terms(const char *what, const double terms[CLIENT_TERM_COUNT])
{
	printf("    %s:", what);
	for (int i = 0; i < CLIENT_TERM_COUNT; i++)
		if (fabs(terms[i]) >= .005)
			printf(" %s %+.2f", client_term_word((enum client_term)i), terms[i]);
	putchar('\n');
}

static int clients_check(const struct clients_kind *kind, const struct clients_sums *sums)
{
	const struct clients_target target = clients_targets(kind);
	double clients = (double)sums->clients;
	const struct {
		const char *what;
		double target, value;
		bool least;
	} rows[] = {
		{ "share ever poor", target.poor, clients_share(sums->poor, clients), false },
		{ "times bad in 10,000 days", target.bad, 1e4 * clients_share(sums->bad_times, sums->days), false },
		{ "share of good mail held or refused", target.held, clients_share(sums->held, sums->mails), false },
		{ "share of good mail lost", target.lost, clients_share(sums->lost, sums->mails), false },
		{ "share slowed at the end", target.slow_last, clients_share(sums->slowed_last, clients), false },
		{ "hours poor after the cause ended", target.poor_after_h, sums->after_poor_h, false },
		{ "hours bad after the cause ended", target.bad_after_h, sums->after_bad_h, false },
		{ "bad sessions until poor", target.within, sums->within, false },
		{ "share good at the end", target.good_last, clients_share(sums->good_last, clients), false },
		{ "share poor before its first session", target.poor_first, clients_share(sums->poor_first, clients),
		  true },
		{ "share bad at some time", target.bad_least, clients_share(sums->bad, clients), true },
	};
	int missed = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool asked = rows[i].target > 0 && rows[i].target < CLIENTS_NO_TARGET && !isnan(rows[i].value);
		if (!asked || (rows[i].least ? rows[i].value >= rows[i].target : rows[i].value <= rows[i].target))
			continue;
		printf("MISSED %s (%s): %s %.4g, target %s %.4g\n", kind->name, kind->what, rows[i].what, rows[i].value,
		       rows[i].least ? "at least" : "at most", rows[i].target);
		missed++;
	}
	if (missed > 0 && sums->poor > 0)
		clients_print_terms("terms when first poor", sums->terms);
	if (missed > 0 && sums->bad > 0)
		clients_print_terms("terms when first bad", sums->terms_bad);
	return missed;
}

/* ---- the lists of kinds */

static bool clients_wanted(const struct clients_kind *kind, char *const *names)
{
	if (*names == NULL)
		return true;
	for (; *names != NULL; names++)
		if (strcmp(*names, kind->name) == 0)
			return true;
	return false;
}

static int clients_run_list(const char *title, const struct clients_kind *kinds, char *const *names, uint64_t seed)
{
	enum { KINDS_MOST = 100 };
	struct clients_sums sums[KINDS_MOST];
	int missed = 0;
	clients_print_head(title);
	for (int i = 0; kinds[i].name != NULL && i < KINDS_MOST; i++) {
		size_t count;
		if (!clients_wanted(&kinds[i], names))
			continue;
		struct clients_fate *fates = clients_play(&kinds[i], seed, &count);
		sums[i] = clients_sum(&kinds[i], fates, count);
		clients_print(&kinds[i], &sums[i]);
		fflush(stdout);
		free(fates);
	}
	for (int i = 0; kinds[i].name != NULL && i < KINDS_MOST; i++)
		if (clients_wanted(&kinds[i], names))
			missed += clients_check(&kinds[i], &sums[i]);
	return missed;
}

static const char clients_legend[] = "days: of clients. slow1, slow10, slowN: slowed at the first, tenth and last "
				     "session, per cent; poor, bad: ever; bad/1e4: "
				     "times in\n10,000 days; goodN: good in the end. h: hours until first good, poor, "
				     "bad (median of those that were); n: bad "
				     "sessions until then\n(95 of 100 of those that had ten); h>poor: hours poor in "
				     "all (99 of 100). mails: good ones that came "
				     "in, those by login included;\nheld: held for QUIT or refused by our list; lost: "
				     "refused, or held and dropped; spam: taken; "
				     "free: while its client was good.\n";

int main(int argc, char **argv)
{
	uint64_t seed = SEED;
	char **names = argv + 1;
	if (argc > 2 && strcmp(argv[1], "--seed") == 0) {
		seed = strtoull(argv[2], NULL, 10);
		names += 2;
	}
	fputs(clients_legend, stdout);
	int missed =
		clients_run_list("INNOCENTS", clients_innocents, names, seed) +
		clients_run_list("ATTACKERS", clients_attackers, names, seed) +
		clients_run_list("THE CUNNING, and those whom they would make look bad", clients_cunning, names, seed);
	printf("\nseed %" PRIu64 ": %d target%s missed\n", seed, missed, missed == 1 ? "" : "s");
	return missed > 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How sessions end: in total, over time, by stage, by client, network and AS; and what of them is encrypted.
 */
#include "milter/ctl/client_commands.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/help.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

enum {
	DAY_S = 86400,
	HOUR_S = 3600,
	HOURS = 24,
	PERIODS_MOST = 31,  /* rows of the drawing; of a longer time each has several days */
	SCALE_LEAST_OF = 20 /* sessions of an hour of which a share says something */
};

/* From none to the most of them without QUIT. */
static const char ramp[] = ".:-=+*#%@";

struct sessions_period {
	double all[HOURS], without[HOURS]; /* by the hour of the day */
};

/* "0.25 %" */
static const char *sessions_share_form(char form[FORM_MAX], double part, double all)
{
	double per_cent = all > 0 ? 100 * part / all : 0;
	if (all <= 0)
		return "-";
	snprintf(form, FORM_MAX, per_cent > 0 && per_cent < 9.995 ? "%.2f %%" : "%.0f %%", per_cent);
	return form;
}

static void show_sessions_add_share(struct table *table, double part, double all)
{
	char form[FORM_MAX];
	table_add(table, sessions_share_form(form, part, all));
}

/* -- all of them -- */

static void show_sessions_alarm(struct table *table, const json_t *alarm)
{
	char usual[FORM_MAX], now[FORM_MAX];
	table_add(table, "usual");
	if (json_is_number(json_object_get(alarm, "usual")))
		table_addf(table, "%s, now %s", sessions_share_form(usual, number_of(alarm, "usual"), 1),
			   sessions_share_form(now, number_of(alarm, "now"), 1));
	else
		table_add(table, "not known yet");
}

/* Who and where came from the daemon, of addresses and stages, and may be long. */
static void show_sessions_tell_alarm(const json_t *alarm, FILE *to)
{
	char ago[FORM_MAX], sentence[500];
	const char *who = text_of(alarm, "who"), *where = text_of(alarm, "where");
	if (!json_is_true(json_object_get(alarm, "on")))
		return;
	snprintf(sentence, sizeof sentence,
		 "ALARM, %.50s: far more sessions than usual end without QUIT, most of %.250s, %.120s.",
		 form_ago(ago, whole_of(alarm, "since"), time(NULL)), *who != '\0' ? who : "many networks",
		 *where != '\0' ? where : "at any stage");
	char *clean = clean_text(sentence);
	fputc('\n', to);
	help_text(to, 0, 0, clean);
	free(clean);
}

static void show_sessions_head(const json_t *answer, FILE *to)
{
	char form[FORM_MAX];
	int64_t days = whole_of(answer, "days");
	struct table *table = table_new(show_pairs);
	fprintf(to, "Sessions of strangers within %lld %s, with today (UTC):\n\n", (long long)days,
		text_noun(days, "day", "days"));
	table_add(table, "sessions");
	table_addf(table, "%.0f", number_of(answer, "sessions"));
	table_add(table, "without QUIT");
	table_addf(table, "%.0f, %s", number_of(answer, "no_quit"),
		   sessions_share_form(form, number_of(answer, "no_quit"), number_of(answer, "sessions")));
	show_sessions_alarm(table, json_object_get(answer, "alarm"));
	table_print(table, to, 0);
	table_free(&table);
	show_sessions_tell_alarm(json_object_get(answer, "alarm"), to);
}

/* -- over time -- */

/* Rows of equal length in days; the last one ends today. */
static int sessions_read_periods(const json_t *answer, struct sessions_period periods[PERIODS_MOST], int64_t *days_out)
{
	int64_t days = whole_of(answer, "days"), from = whole_of(answer, "from"), at;
	json_t *hour;
	size_t index;
	*days_out = (days + PERIODS_MOST - 1) / PERIODS_MOST;
	int64_t count = *days_out > 0 ? (days + *days_out - 1) / *days_out : 0;
	memset(periods, 0, PERIODS_MOST * sizeof *periods);
	json_array_foreach(json_object_get(answer, "hours"), index, hour)
	{
		int64_t second = json_integer_value(json_array_get(hour, 0)) - from;
		if (count < 1 || second < 0 || second / DAY_S >= days)
			continue;
		at = count - 1 - (days - 1 - second / DAY_S) / *days_out;
		periods[at].all[second % DAY_S / HOUR_S] += json_number_value(json_array_get(hour, 1));
		periods[at].without[second % DAY_S / HOUR_S] += json_number_value(json_array_get(hour, 2));
	}
	return (int)count;
}

/* The largest share of an hour, of those with sessions enough to have one. */
static double sessions_most(const struct sessions_period *periods, int count, double least)
{
	double most = 0;
	for (int i = 0; i < count; i++)
		for (int hour = 0; hour < HOURS; hour++) {
			double all = periods[i].all[hour];
			if (all > 0 && all >= least && periods[i].without[hour] / all > most)
				most = periods[i].without[hour] / all;
		}
	return most;
}

static char sessions_mark(double all, double without, double most)
{
	enum { TOP = sizeof ramp - 2 };
	if (all <= 0)
		return ' ';
	if (without <= 0 || most <= 0)
		return ramp[0];
	int level = 1 + (int)(without / all / most * (TOP - 1) + 0.5);
	return ramp[level < TOP ? level : TOP];
}

static void show_sessions_add_period(struct table *table, const struct sessions_period *period, int64_t begin_s,
				     double most)
{
	char day[16], strip[HOURS + 1] = "";
	time_t seconds = (time_t)begin_s;
	struct tm utc;
	double all = 0, without = 0;
	for (int hour = 0; hour < HOURS; hour++) {
		strip[hour] = sessions_mark(period->all[hour], period->without[hour], most);
		all += period->all[hour];
		without += period->without[hour];
	}
	for (int last = HOURS; last > 0 && strip[last - 1] == ' '; last--)
		strip[last - 1] = '\0';
	gmtime_r(&seconds, &utc);
	if (strftime(day, sizeof day, "%Y-%m-%d", &utc) == 0)
		day[0] = '\0';
	table_add(table, day);
	table_addf(table, "%.0f", all);
	table_addf(table, "%.0f", without);
	show_sessions_add_share(table, without, all);
	table_add(table, strip);
}

static void show_sessions_time(const json_t *answer, FILE *to)
{
	static const char *const titles[] = {
		"FROM", ">SESSIONS", ">NO QUIT", ">SHARE", "0h    6h    12h   18h", NULL
	};
	struct sessions_period *periods = have_memory(calloc(PERIODS_MOST, sizeof *periods));
	int64_t days, begin = whole_of(answer, "from"), all_days = whole_of(answer, "days");
	char form[FORM_MAX], legend[300];
	int count = sessions_read_periods(answer, periods, &days);
	double most = sessions_most(periods, count, SCALE_LEAST_OF);
	if (most <= 0)
		most = sessions_most(periods, count, 0);
	struct table *table = table_new(titles);
	for (int i = 0; i < count; i++) {
		int64_t first = all_days - (count - i) * days; /* of the first row it may lie before `from` */
		show_sessions_add_period(table, &periods[i], begin + (first > 0 ? first : 0) * DAY_S, most);
	}
	fputc('\n', to);
	table_print(table, to, 0);
	snprintf(legend, sizeof legend,
		 "Each sign is an hour of the day (UTC)%s: blank where there was no session, . where all ended with "
		 "QUIT, and from : by - = + * # %% to @, which is %s without.",
		 days > 1 ? ", each line several days" : "", sessions_share_form(form, most, 1));
	help_text(to, 0, 0, legend);
	table_free(&table);
	free(periods);
}

/* -- where, and who -- */

static void show_sessions_stages(const json_t *answer, FILE *to)
{
	static const char *const titles[] = { "HUNG UP AFTER", ">SESSIONS", ">SHARE", "", NULL };
	struct table *table = table_new(titles);
	double all = number_of(answer, "no_quit");
	char form[FORM_MAX];
	const char *stage;
	json_t *count;
	json_object_foreach(json_object_get(answer, "stages"), stage, count)
	{
		double of_stage = json_number_value(count);
		if (of_stage <= 0)
			continue;
		table_add(table, stage);
		table_addf(table, "%.0f", of_stage);
		show_sessions_add_share(table, of_stage, all);
		table_add(table, form_bar(form, of_stage, all));
	}
	if (all > 0) {
		fputc('\n', to);
		table_print(table, to, 0);
	}
	table_free(&table);
}

static void show_sessions_who(const json_t *rows, const char *const *titles, const char *member, FILE *to)
{
	struct table *table = table_new(titles);
	bool as_alone = strcmp(member, "as") == 0;
	char form[FORM_MAX];
	json_t *row;
	size_t index;
	json_array_foreach(rows, index, row)
	{
		const json_t *as = json_object_get(row, "as");
		double all = number_of(row, "sessions"), without = number_of(row, "no_quit");
		if (!as_alone)
			table_add(table, show_or_dash(text_of(row, member)));
		table_add(table, json_is_integer(as) ? show_value(as, form) : "-");
		table_add(table, show_or_dash(text_of(row, "standing")));
		table_add(table, form_number(form, all));
		table_add(table, form_number(form, without));
		show_sessions_add_share(table, without, all);
	}
	if (json_array_size(rows) > 0) {
		fputc('\n', to);
		table_print(table, to, 0);
	}
	table_free(&table);
}

/* -- what is encrypted -- */

static void show_sessions_encrypted(const json_t *answer, FILE *to)
{
	static const char *const titles[] = { "STANDING", ">SESSIONS", ">TLS", ">MAIL", ">TLS", ">SPAM", ">TLS", NULL };
	static const struct {
		const char *all, *encrypted;
	} pairs[] = { { "sessions", "sessions_encrypted" },
		      { "mail", "mail_encrypted" },
		      { "spam", "spam_encrypted" } };
	struct table *table = table_new(titles);
	double any = 0;
	json_t *row;
	size_t index;
	json_array_foreach(json_object_get(answer, "standings"), index, row)
	{
		table_add(table, show_or_dash(text_of(row, "standing")));
		for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
			double all = number_of(row, pairs[i].all);
			table_addf(table, "%.0f", all);
			show_sessions_add_share(table, number_of(row, pairs[i].encrypted), all);
			any += all;
		}
	}
	if (any > 0) {
		fprintf(to, "\nSessions and messages of host %s alone, and what of them is encrypted:\n",
			show_or_dash(text_of(answer, "node")));
		table_print(table, to, 0);
	}
	table_free(&table);
}

void show_sessions(const json_t *answer, bool all, FILE *to)
{
	static const char *const clients[] = { "CLIENT", "AS", "STANDING", ">SESSIONS", ">NO QUIT", ">SHARE", NULL };
	static const char *const networks[] = { "NETWORK", "AS", "STANDING", ">SESSIONS", ">NO QUIT", ">SHARE", NULL };
	static const char *const ases[] = { "AS", "STANDING", ">SESSIONS", ">NO QUIT", ">SHARE", NULL };
	(void)all;
	show_sessions_head(answer, to);
	if (number_of(answer, "sessions") <= 0) {
		help_text(to, 0, 0,
			  "No mail log has told of a session: penstock-follow has to run and to read the lines of "
			  "Postfix's smtpd; see penstock(7).");
	} else {
		show_sessions_time(answer, to);
		show_sessions_stages(answer, to);
		show_sessions_who(json_object_get(answer, "clients"), clients, "client", to);
		show_sessions_who(json_object_get(answer, "networks"), networks, "network", to);
		show_sessions_who(json_object_get(answer, "ases"), ases, "as", to);
	}
	show_sessions_encrypted(answer, to);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How clients stand that behave as real ones do. Each is played day by day; its sum is printed where it stands
 * otherwise than it should.
 */
#include "policy/client.h"

#include "t/unit/tap.h"

#define T0 INT64_C(1700000000)
enum { DAY = 86400, HOUR = 3600 };

/* ---- actors: what one does a day, for how many days; each count is spread over the day */

struct actor {
	const char *name;
	int days;
	double a_day[CLIENT_EVENT_COUNT]; /* below 1: one in so many days */
	double names;
	struct {
		double bad, good; /* a day */
	} network, as;
	bool ours;
	enum client_standing want, best, worst; /* at the end; and the bounds all the while, "" by the end alone */
};

#define E(id) [CLIENT_EVENT_##id]

static const struct actor actors[] = {
	{ "one of our own networks, whatever it does",
	  5,
	  { E(NO_QUIT) = 500, E(SPAM) = 900, E(LISTED) = 50 },
	  .ours = true,
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_GOOD },
	{ "a provider's server: one session in 400 ends without QUIT",
	  30,
	  { E(QUIT) = 399, E(NO_QUIT) = 1, E(MAIL) = 380, E(SPAM) = 8, E(REFUSED) = 20 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "the same, while a list has it, and refuses half",
	  30,
	  { E(QUIT) = 399, E(NO_QUIT) = 1, E(MAIL) = 190, E(LISTED) = 190, E(SPAM) = 4 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_GOOD,
	  CLIENT_NEUTRAL },
	{ "a server that never says QUIT",
	  30,
	  { E(NO_QUIT) = 20, E(MAIL) = 20 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "the same in a bad neighbourhood",
	  30,
	  { E(NO_QUIT) = 20, E(MAIL) = 20 },
	  .network = { 5000, 0 },
	  .as = { 90000, 100 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "a small server that never says QUIT, once a day",
	  30,
	  { E(NO_QUIT) = 1, E(MAIL) = 1 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "a small server, once a day",
	  30,
	  { E(QUIT) = 1, E(MAIL) = 1 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "one in a network whose neighbour is listed",
	  30,
	  { E(QUIT) = 10, E(MAIL) = 10 },
	  .network = { 300, 10 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "one in the worst of networks",
	  30,
	  { E(QUIT) = 10, E(MAIL) = 10 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "nobody has seen it, and its network is bad",
	  1,
	  { 0 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN },
	{ "a forwarder that passes on one spam in ten",
	  30,
	  { E(QUIT) = 100, E(MAIL) = 90, E(SPAM) = 10 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "a forwarder that passes on three in ten",
	  30,
	  { E(QUIT) = 100, E(MAIL) = 70, E(SPAM) = 30 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "a new server on its first day",
	  1,
	  { E(QUIT) = 5, E(MAIL) = 5 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "a thousand clean messages within a day",
	  1,
	  { E(QUIT) = 1000, E(MAIL) = 1000 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_UNKNOWN },
	{ "under Sendmail, which says nothing of QUIT",
	  30,
	  { E(MAIL) = 100, E(NO_QUIT) = 1 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "an old mailing list of many dead addresses",
	  30,
	  { E(QUIT) = 50, E(MAIL) = 50, E(REFUSED) = 40 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "a server that bounces mail which others forged",
	  10,
	  { E(QUIT) = 300, E(REFUSED) = 300 },
	  .want = CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL,
	  CLIENT_NEUTRAL },
	{ "a newsletter that is misjudged once",
	  1,
	  { E(QUIT) = 30, E(SPAM) = 30 },
	  .want = CLIENT_POOR,
	  CLIENT_NEUTRAL,
	  CLIENT_POOR },
	{ "a probe that connects and hangs up",
	  30,
	  { E(NO_QUIT) = 1440, E(SLOWED) = 1440, E(GAVE_UP) = 1440 },
	  .want = CLIENT_POOR,
	  CLIENT_UNKNOWN,
	  CLIENT_POOR },
	{ "the same in the worst of networks",
	  30,
	  { E(NO_QUIT) = 1440, E(SLOWED) = 1440, E(GAVE_UP) = 1440, E(REFUSED) = 1440 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_POOR,
	  CLIENT_UNKNOWN,
	  CLIENT_POOR },
	{ "a probe that says QUIT", 30, { E(QUIT) = 1440 }, .want = CLIENT_NEUTRAL, CLIENT_NEUTRAL, CLIENT_NEUTRAL },
	{ "a telephone with an old password",
	  10,
	  { E(AUTH_FAILURE) = 500, E(NO_QUIT) = 300, E(QUIT) = 10 },
	  .names = 1,
	  .network = { 5000, 0 },
	  .as = { 90000, 10 },
	  .want = CLIENT_POOR,
	  CLIENT_UNKNOWN,
	  CLIENT_POOR },
	{ "a telephone with an old password in a house that logs in",
	  10,
	  { E(AUTH_FAILURE) = 300, E(NO_QUIT) = 300, E(LOGIN) = 20 },
	  .names = 1,
	  .want = CLIENT_NEUTRAL,
	  CLIENT_GOOD,
	  CLIENT_POOR },
	{ "a house that logs in", 3, { E(LOGIN) = 10 }, .want = CLIENT_GOOD, CLIENT_GOOD, CLIENT_UNKNOWN },
	{ "a carrier's address: logins, and infected machines",
	  10,
	  { E(LOGIN) = 300, E(AUTH_FAILURE) = 400, E(LISTED) = 200, E(NO_QUIT) = 300, E(SPAM) = 100, E(PROTOCOL) = 30 },
	  .names = 40,
	  .want = CLIENT_POOR,
	  CLIENT_NEUTRAL,
	  CLIENT_POOR },
	{ "an office after its passwords expired",
	  1,
	  { E(LOGIN) = 60, E(AUTH_FAILURE) = 60 },
	  .names = 25,
	  .want = CLIENT_NEUTRAL,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "a guesser at 50 names",
	  1,
	  { E(AUTH_FAILURE) = 50, E(NO_QUIT) = 50 },
	  .names = 50,
	  .want = CLIENT_BAD,
	  CLIENT_UNKNOWN,
	  CLIENT_BAD },
	{ "a guesser at 50 names who was lucky",
	  1,
	  { E(AUTH_FAILURE) = 500, E(LOGIN) = 5, E(NO_QUIT) = 50 },
	  .names = 50,
	  .want = CLIENT_BAD,
	  CLIENT_UNKNOWN,
	  CLIENT_BAD },
	{ "a million forged registrations under its address",
	  10,
	  { E(UNPROVEN) = 100000 },
	  .want = CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN },
	{ "the same in the worst of networks",
	  10,
	  { E(UNPROVEN) = 100000 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN },
	{ "the same, whom lists have",
	  10,
	  { E(UNPROVEN) = 100000, E(LISTED) = 100 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_POOR,
	  CLIENT_UNKNOWN,
	  CLIENT_POOR },
	{ "the same, of a server with mail",
	  30,
	  { E(UNPROVEN) = 100000, E(QUIT) = 20, E(MAIL) = 20 },
	  .want = CLIENT_GOOD,
	  CLIENT_GOOD,
	  CLIENT_UNKNOWN },
	{ "whom lists have, and its neighbours",
	  10,
	  { E(LISTED) = 100, E(QUIT) = 100 },
	  .network = { 50000, 0 },
	  .as = { 900000, 10 },
	  .want = CLIENT_POOR,
	  CLIENT_NEUTRAL,
	  CLIENT_POOR },
	{ "a bot that is listed and gives up",
	  3,
	  { E(LISTED) = 5, E(SLOWED) = 8, E(GAVE_UP) = 7, E(NO_QUIT) = 12 },
	  .want = CLIENT_BAD,
	  CLIENT_UNKNOWN,
	  CLIENT_BAD },
	{ "a bot that speaks before its turn and hangs up",
	  2,
	  { E(PROTOCOL) = 10, E(NO_QUIT) = 10 },
	  .want = CLIENT_BAD,
	  CLIENT_UNKNOWN,
	  CLIENT_BAD },
	{ "a spammer with the best of manners",
	  1,
	  { E(QUIT) = 100, E(SPAM) = 100 },
	  .want = CLIENT_BAD,
	  CLIENT_NEUTRAL,
	  CLIENT_BAD },
	{ "one bot's visit",
	  1,
	  { E(NO_QUIT) = 1, E(SLOWED) = 1, E(GAVE_UP) = 1 },
	  .want = CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN,
	  CLIENT_UNKNOWN },
};

static void play_neighbours(struct client_counts *counts, double bad, double good, int64_t now_s)
{
	client_counts_add(counts, CLIENT_EVENT_LISTED, bad / 24, now_s);
	client_counts_add(counts, CLIENT_EVENT_QUIT, good / 24, now_s);
}

static void say_verdict(const struct client_verdict *verdict)
{
	printf("# %s, %.2f:", client_standing_word(verdict->standing), verdict->sum);
	for (int i = 0; i < CLIENT_TERM_COUNT; i++)
		if (verdict->term[i] != 0)
			printf(" %s %.2f", client_term_word((enum client_term)i), verdict->term[i]);
	printf("\n");
}

static void play_actor(const struct actor *actor)
{
	struct client_facts facts = { .now_s = T0, .ours = actor->ours };
	struct client_verdict verdict = { 0 };
	double done[CLIENT_EVENT_COUNT] = { 0 };
	bool within = true;
	for (int hour = 0; hour < 24 * actor->days; hour++) {
		facts.now_s += HOUR;
		facts.logins = actor->names * fmin(hour + 1, 24) / 24;
		play_neighbours(&facts.network, actor->network.bad, actor->network.good, facts.now_s);
		play_neighbours(&facts.as, actor->as.bad, actor->as.good, facts.now_s);
		for (int event = 0; event < CLIENT_EVENT_COUNT; event++) {
			done[event] += actor->a_day[event] / 24;
			if (done[event] < 1 - 1e-9)
				continue;
			client_counts_add(&facts.own, (enum client_event)event, floor(done[event] + 1e-9), facts.now_s);
			done[event] -= floor(done[event] + 1e-9);
		}
		verdict = client_judge(&facts);
		bool fine = verdict.standing >= actor->best && verdict.standing <= actor->worst;
		if (!fine && within)
			say_verdict(&verdict);
		within = within && fine;
	}
	ok(within, "%s: never out of its bounds", actor->name);
	if (!is_str(client_standing_word(verdict.standing), client_standing_word(actor->want), "%s: %s", actor->name,
		    client_standing_word(actor->want)))
		say_verdict(&verdict);
}

/* ---- what must hold of any client */

static uint64_t some_state = 88172645463325252U;

static double some(double most)
{
	some_state ^= some_state << 13;
	some_state ^= some_state >> 7;
	some_state ^= some_state << 17;
	return most * (double)(some_state >> 11) / 9007199254740992.0;
}

static struct client_facts some_facts(void)
{
	struct client_facts facts = { .now_s = T0, .logins = some(1) < 0.5 ? 0 : some(30) };
	struct client_counts *counts[] = { &facts.own, &facts.network, &facts.as };
	for (int which = 0; which < 3; which++) {
		counts[which]->at_s = T0;
		for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
			counts[which]->value[i] = some(1) < 0.6 ? 0 : (float)exp(some(12) - 1);
	}
	facts.own.mail_days = facts.own.value[CLIENT_EVENT_MAIL] > 0 ? (uint16_t)(1 + some(9)) : 0;
	return facts;
}

static const enum client_event others_say[] = { CLIENT_EVENT_UNPROVEN, CLIENT_EVENT_LISTED };
static const enum client_event innocents_do[] = { CLIENT_EVENT_NO_QUIT,	 CLIENT_EVENT_SLOWED,	   CLIENT_EVENT_GAVE_UP,
						  CLIENT_EVENT_REFUSED,	 CLIENT_EVENT_QUIT,	   CLIENT_EVENT_MAIL,
						  CLIENT_EVENT_UNPROVEN, CLIENT_EVENT_AUTH_FAILURE };

static void keep_only(struct client_facts *facts, const enum client_event *kept, size_t count)
{
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++) {
		bool keep = false;
		for (size_t k = 0; k < count; k++)
			keep = keep || (int)kept[k] == i;
		if (!keep)
			facts->own.value[i] = 0;
	}
	facts->logins = fmin(facts->logins, 9);
}

static void test_any_client(void)
{
	int sums = 0, forged = 0, innocent = 0, hearsay = 0, network = 0, ours = 0;
	for (int i = 0; i < 20000; i++) {
		struct client_facts facts = some_facts();
		struct client_verdict verdict = client_judge(&facts);
		double sum = 0;
		for (int t = 0; t < CLIENT_TERM_COUNT; t++)
			sum += verdict.term[t];
		sums += fabs(sum - verdict.sum) < 1e-9 && isfinite(sum) && verdict.term[CLIENT_TERM_MAIL] <= 0;

		struct client_facts more = facts, less = facts;
		more.own.value[CLIENT_EVENT_UNPROVEN] = 1e6F;
		less.own.value[CLIENT_EVENT_UNPROVEN] = 0;
		forged += client_judge(&more).sum <= client_judge(&less).sum + 0.36;

		struct client_facts alone = facts;
		memset(alone.network.value, 0, sizeof alone.network.value);
		memset(alone.as.value, 0, sizeof alone.as.value);
		bool good = client_judge(&alone).standing == CLIENT_GOOD;
		network += !good || client_judge(&facts).standing <= CLIENT_NEUTRAL;

		struct client_facts hears = facts, does = facts;
		keep_only(&hears, others_say, 2);
		hears.logins = 0;
		hearsay += client_judge(&hears).standing != CLIENT_BAD;
		keep_only(&does, innocents_do, sizeof innocents_do / sizeof innocents_do[0]);
		innocent += client_judge(&does).standing != CLIENT_BAD;

		facts.ours = true;
		ours += client_judge(&facts).standing == CLIENT_GOOD && client_worth(&facts) == 0;
	}
	is_int(sums, 20000, "the terms are the sum");
	is_int(forged, 20000, "what may be forged is worth next to nothing");
	is_int(hearsay, 20000, "nor what lists say, and neighbours do");
	is_int(innocent, 20000, "nor what innocents do too");
	is_int(network, 20000, "no network makes a good client worse than neutral");
	is_int(ours, 20000, "nothing is held against our own");
}

/* ---- counts */

static void test_counts(void)
{
	struct client_counts counts = { 0 };
	client_counts_add(&counts, CLIENT_EVENT_LISTED, 8, T0);
	is_near(counts.value[CLIENT_EVENT_LISTED], 8, 0, "counted");
	client_counts_decay(&counts, T0 + 7 * DAY);
	is_near(counts.value[CLIENT_EVENT_LISTED], 4, 0.001, "half after a week");
	client_counts_decay(&counts, T0);
	is_near(counts.value[CLIENT_EVENT_LISTED], 4, 0.001, "time that goes back decays nothing");
	ok(counts.at_s == T0, "and a clock that was wrong by days is not waited for");
	client_counts_decay(&counts, T0 - HOUR);
	ok(counts.at_s == T0, "an hour back is waited for");
	client_counts_add(&counts, CLIENT_EVENT_LISTED, NAN, T0);
	client_counts_add(&counts, CLIENT_EVENT_LISTED, -3, T0);
	is_near(counts.value[CLIENT_EVENT_LISTED], 4, 0.001, "nonsense adds nothing");
	client_counts_decay(&counts, INT64_MAX / 2);
	is_near(counts.value[CLIENT_EVENT_LISTED], 0, 0, "a leap ahead decays all");
	client_counts_add(&counts, CLIENT_EVENT_SPAM, INFINITY, T0);
	ok(isfinite(counts.value[CLIENT_EVENT_SPAM]), "there is a most");
	struct client_counts part = { 0 };
	client_counts_add(&part, CLIENT_EVENT_SPAM, 5, T0);
	client_counts_add(&part, CLIENT_EVENT_QUIT, 5, T0);
	client_counts_without(&counts, &part);
	is_near(counts.value[CLIENT_EVENT_QUIT], 0, 0, "without a part that it does not have");
	is_near(counts.value[CLIENT_EVENT_SPAM], 1e6 - 5, 1, "without a part");
}

static void test_mail_days(void)
{
	struct client_counts counts = { 0 };
	for (int i = 0; i < 5; i++)
		client_counts_add(&counts, CLIENT_EVENT_MAIL, 3, T0 + i);
	is_int(counts.mail_days, 1, "one day");
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0 + DAY);
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0);
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0 + DAY);
	is_int(counts.mail_days, 2, "two, also where the clock goes back between them");
	client_counts_add(&counts, CLIENT_EVENT_SPAM, 1, T0 + 2 * DAY);
	is_int(counts.mail_days, 2, "spam is no day of mail");
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0 + 400 * DAY);
	is_int(counts.mail_days, 1, "after a year it begins anew");
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0);
	client_counts_add(&counts, CLIENT_EVENT_MAIL, 1, T0 + DAY);
	is_int(counts.mail_days, 3, "after a clock that was a year ahead, days are counted on");
}

/* ---- words, and what follows from a standing */

static void test_words(void)
{
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		is_int(client_event_find(client_event_word((enum client_event)i)), i, "event %s, %s",
		       client_event_word((enum client_event)i), client_event_help((enum client_event)i));
	for (int i = 0; i < CLIENT_STAGE_COUNT; i++)
		is_int(client_stage_find(client_stage_word((enum client_stage)i)), i, "stage");
	for (int i = 0; i < CLIENT_SERVICE_COUNT; i++)
		is_int(client_service_find(client_service_word((enum client_service)i)), i, "service");
	is_int(client_event_find(""), CLIENT_EVENT_COUNT, "no event");
	is_int(client_service_find("SMTP"), CLIENT_SERVICE_COUNT, "no service");
	is_int(client_event_as(CLIENT_EVENT_AUTH_FAILURE, CLIENT_SERVICE_SIP), CLIENT_EVENT_UNPROVEN,
	       "a registration may be forged");
	is_int(client_event_as(CLIENT_EVENT_AUTH_FAILURE, CLIENT_SERVICE_SIP_PROVEN), CLIENT_EVENT_AUTH_FAILURE,
	       "one that answered a challenge is not");
	is_int(client_event_as(CLIENT_EVENT_LOGIN, CLIENT_SERVICE_SIP), CLIENT_EVENT_LOGIN, "a login needs an answer");
}

static void test_measures(void)
{
	static const struct {
		enum client_standing standing;
		bool slows, quit, listed;
		enum client_standing hides_from; /* the best to which `from` may be set where it still hides */
	} rows[] = {
		{ CLIENT_GOOD, false, false, false, CLIENT_STANDING_COUNT },
		{ CLIENT_NEUTRAL, true, false, false, CLIENT_NEUTRAL },
		{ CLIENT_UNKNOWN, true, false, false, CLIENT_UNKNOWN },
		{ CLIENT_POOR, true, true, false, CLIENT_POOR },
		{ CLIENT_BAD, true, true, true, CLIENT_BAD },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *word = client_standing_word(rows[i].standing);
		is_int(client_slows(rows[i].standing), rows[i].slows, "%s: slowed", word);
		is_int(client_waits_for_quit(rows[i].standing), rows[i].quit, "%s: held for QUIT", word);
		is_int(client_is_listed(rows[i].standing), rows[i].listed, "%s: listed", word);
		for (int from = CLIENT_GOOD; from <= CLIENT_BAD; from++)
			is_int(client_hides_starttls(rows[i].standing, (enum client_standing)from),
			       rows[i].standing != CLIENT_GOOD && from <= (int)rows[i].hides_from,
			       "%s: STARTTLS is hidden from %s on", word,
			       client_standing_word((enum client_standing)from));
	}
}

static struct client_facts has(enum client_event event, double count, uint16_t mail_days)
{
	struct client_facts facts = { .now_s = T0 };
	client_counts_add(&facts.own, event, count, T0);
	facts.own.mail_days = mail_days;
	return facts;
}

static void test_worth(void)
{
	struct client_facts once = has(CLIENT_EVENT_NO_QUIT, 1, 0), bot = has(CLIENT_EVENT_GAVE_UP, 20, 0);
	struct client_facts good = has(CLIENT_EVENT_MAIL, 10, 4), bad = has(CLIENT_EVENT_SPAM, 500, 0);
	struct client_facts clean = has(CLIENT_EVENT_QUIT, 10, 0), nothing = { .now_s = T0 };
	ok(client_worth(&nothing) < client_worth(&once), "nothing is worth less than a visit");
	ok(client_worth(&once) < client_worth(&clean), "a visit less than ten");
	ok(client_worth(&once) < client_worth(&bot), "and less than who gives up");
	ok(client_worth(&bot) < client_worth(&bad), "who gives up less than who is bad");
	ok(client_worth(&clean) < client_worth(&bad) && client_worth(&clean) < client_worth(&good),
	   "who is neither less than who is either");
	struct client_facts late = bad;
	late.now_s += 30 * DAY;
	ok(client_worth(&late) < client_worth(&bad), "it is worth less after a month");
	client_counts_add(&once.network, CLIENT_EVENT_LISTED, 1e5, T0);
	struct client_facts plain = has(CLIENT_EVENT_NO_QUIT, 1, 0);
	is_near(client_worth(&once), client_worth(&plain), 1e-9, "its neighbours make it worth no more");
}

int main(void)
{
	for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++)
		play_actor(&actors[i]);
	test_any_client();
	test_counts();
	test_mail_days();
	test_words();
	test_measures();
	test_worth();
	return done_testing();
}

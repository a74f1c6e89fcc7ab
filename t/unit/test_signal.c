/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stories: an account of some weeks or none, and what comes then, message by message through the whole pure chain.
 */
#include "policy/judge.h"

#include "policy/hash.h"
#include "policy/signal.h"

#include "t/unit/tap.h"

#include <stdlib.h>

#define MONDAY INT64_C(1699833600) /* 2023-11-13 00:00 UTC */
enum { DAY = 86400, HOUR = 3600, NEVER = 999 };

static struct policy policy = {
	.levels = {
		.suspect_enter = 0.5, .suspect_leave = -0.5, .blocked_enter = 3.0, .blocked_leave = 1.5,
		.minimum_stay_s = 3600, .new_for_s = 7 * DAY, .new_messages = 20,
	},
	.prior_new = -2.5, .prior_good = -4.5, .blocked_action = ACTION_REJECT,
	.tag_score = 5, .slow_score = 8, .hold_score = 10, .reject_score = 15,
};

/* One kind of message; a number says which one of a kind: the same number is the same thing. */
struct step {
	int count; /* messages of it */
	int64_t every_s;
	double score;	    /* of a threshold of 5 */
	int place, places;  /* network, AS and address; `places`: so many in turn from it on */
	int sender, mailer; /* 1: the owner's */
	unsigned anomalies;
	int rcpts, fresh;   /* and how many of them are new */
	int dead_of_100;    /* new recipients that do not exist, told at once */
	int refused_of_100; /* ... whose servers refuse the content */
	double campaign, campaign_accounts, campaign_bad, campaign_bad_accounts; /* what Redis knows of the body */
	enum mail_class class;
	bool forwarder;
};

/* clang-format off */
static const struct {
	const char *name;
	int weeks, a_day;	/* what was before: office hours on week-days, three of four to known people */
	bool newsletter;	/* or: 500 known recipients in the hour at ten each Monday */
	int hour;		/* of the story's day */
	struct step steps[3];
	int suspect_min, suspect_max;	/* the message with which it becomes suspect; NEVER: it does not */
} stories[] = {
	{ "a thief, the scanner sees it", 4, 10, false, 10,
	  { { 20, 5, 12, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 } }, 1, 3 },
	{ "a thief, the scanner sees two of three, barely", 4, 10, false, 10,
	  { { 1, 5, 6, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 },
	    { 1, 5, 1.5, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 },
	    { 20, 5, 6, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 } }, 1, 4 },
	{ "a thief in another's name whose HELO and header are odd, the scanner sees nothing", 4, 10, false, 10,
	  { { 30, 5, 0, .place = 9, .mailer = 9, .sender = 9, .anomalies = 1 << ANOMALY_HELO_BARE, .rcpts = 1, .fresh = 1 } }, 3, 10 },
	{ "a thief with fifty addresses, the scanner sees nothing", 4, 10, false, 10,
	  { { 60, 60, 0, .place = 100, .places = 50, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 } }, 3, 10 },
	{ "a slow thief, twenty an hour, the scanner sees half of it", 4, 10, false, 2,
	  { { 1, 180, 6, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 },
	    { 2, 180, 2, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 },
	    { 20, 180, 6, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1 } }, 1, 15 },
	{ "a thief of a quiet account by way of its own network, the scanner sees nothing", 4, 2, false, 10,
	  { { 60, 5, 0, .place = 1, .mailer = 9, .sender = 9, .anomalies = 1 << ANOMALY_NO_MESSAGE_ID, .rcpts = 1, .fresh = 1 } }, 2, 25 },
	{ "a list that was bought", 4, 10, false, 10,
	  { { 300, 5, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1, .dead_of_100 = 15 } }, 5, 200 },
	{ "a text to strangers that each fifth server refuses", 4, 10, false, 10,
	  { { 300, 5, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1, .refused_of_100 = 20 } }, 5, 100 },
	{ "one server of thirteen refuses", 4, 10, false, 10,
	  { { 13, 60, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .refused_of_100 = 8 } }, NEVER, NEVER },
	{ "a campaign that others were caught with", 4, 10, false, 10,
	  { { 5, 5, 1, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1, .fresh = 1,
	      .campaign = 40, .campaign_accounts = 20, .campaign_bad = 30, .campaign_bad_accounts = 10 } }, 1, 2 },
	{ "a newsletter that somebody else sent with a virus in it", 4, 10, true, 10,
	  { { 500, 1, 0, .place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 1,
	      .campaign = 400, .campaign_accounts = 2, .campaign_bad = 390, .campaign_bad_accounts = 1 } }, NEVER, NEVER },
	{ "a newsletter that many others sent with a virus in it", 4, 10, true, 10,
	  { { 500, 1, 0, .place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 1,
	      .campaign = 400, .campaign_accounts = 20, .campaign_bad = 390, .campaign_bad_accounts = 20 } }, NEVER, NEVER },
	{ "a thief without a login who sends as <>", 4, 10, false, 10,
	  { { 20, 5, 12, .place = 9, .mailer = 9, .rcpts = 1, .fresh = 1, .class = MAIL_CLASS_BOUNCE } }, 1, 3 },
	{ "one whose sender looks like a forwarder's", 4, 10, false, 10,
	  { { 20, 5, 12, .place = 9, .mailer = 9, .rcpts = 1, .fresh = 1, .class = MAIL_CLASS_FORWARD } }, 1, 3 },
	{ "what a forwarder forwards", 4, 10, false, 10,
	  { { 20, 5, 4.9, .place = 9, .mailer = 9, .rcpts = 1, .class = MAIL_CLASS_FORWARD, .forwarder = true } }, NEVER, NEVER },
	{ "a traveller with a new telephone who writes to people he knows", 4, 10, false, 20,
	  { { 10, 1200, 0, .place = 9, .mailer = 9, .sender = 1, .rcpts = 1 },
	    { 15, 7200, 0, .place = 10, .places = 6, .mailer = 9, .sender = 1, .rcpts = 1 } }, NEVER, NEVER },
	{ "a traveller who books hotels between", 4, 10, false, 9,
	  { { 4, 1200, 0, .place = 9, .mailer = 1, .sender = 1, .rcpts = 1 },
	    { 5, 1200, 0, .place = 9, .mailer = 1, .sender = 1, .rcpts = 1, .fresh = 1 },
	    { 8, 1200, 0, .place = 9, .mailer = 1, .sender = 1, .rcpts = 2, .fresh = 1 } }, NEVER, NEVER },
	{ "the scanner errs once", 4, 10, false, 10,
	  { { 5, 600, 1, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1 },
	    { 1, 600, 7, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 },
	    { 30, 600, 1, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1 } }, NEVER, NEVER },
	{ "a good user's busy day", 4, 10, false, 9,
	  { { 25, 300, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 2, .fresh = 1 } }, NEVER, NEVER },
	{ "a newsletter to people it knows", 4, 0, true, 10,
	  { { 500, 1, 1, .place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 1 } }, NEVER, NEVER },
	{ "a newsletter of twice the size with some new readers", 4, 0, true, 10,
	  { { 50, 1, 1, .place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 10, .fresh = 1 },
	    { 50, 1, 1, .place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 10 } }, NEVER, NEVER },
	{ "a new account's first twenty messages", 0, 0, false, 9,
	  { { 20, 900, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 } }, NEVER, NEVER },
	{ "a new account, all at once", 0, 0, false, 9,
	  { { 20, 5, 0, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 } }, NEVER, NEVER },
	{ "a new account that sends spam", 0, 0, false, 9,
	  { { 20, 60, 12, .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 } }, 1, 2 },
};
/* clang-format on */

static uint64_t thing(int number, uint64_t kind)
{
	return number == 0 ? 0 : hash_bytes(&number, sizeof number, kind);
}

static struct facts facts_of(const struct history *history, const struct step *step, int which, int64_t now_s)
{
	int place = step->places > 0 ? step->place + which % step->places : step->place;
	return (struct facts){
		.now_ms = now_s * 1000,
		.account = "alice@example.com",
		.authenticated = true,
		.client = CLIENT_AUTHENTICATED,
		.state = { .known = KNOWLEDGE_FULL, .limits = limits_unset, .history = *history },
		.limits = limits_unset,
		.breach = breach_none,
		.rcpts_remote = step->rcpts,
		.content = { .known = KNOWLEDGE_FULL, .spam = step->score >= 5, .score = step->score, .threshold = 5 },
		.client_address = thing(place, 1),
		.client_network = thing(place, 2),
		.client_as = thing(place, 3),
		.client_wide = thing(place, 6),
		.text = thing((int)(now_s % 1000003), 7),
		.text_words = 100,
		.sender = thing(step->sender, 4),
		.sender_own = step->sender == 1,
		.mailer = thing(step->mailer, 5),
		.anomalies = step->anomalies,
		.rcpts_new = step->fresh,
		.rcpts_new_known = true,
		.campaign = { .known = KNOWLEDGE_FULL,
			      .messages = step->campaign,
			      .accounts = step->campaign_accounts,
			      .bad = step->campaign_bad,
			      .bad_accounts = step->campaign_bad_accounts },
		.class = step->class,
		.forwarder = step->forwarder,
	};
}

static int is_told(int of_100, int which)
{
	return which * of_100 / 100 != (which + 1) * of_100 / 100 ? 1 : 0;
}

static struct verdict play(struct history *history, const struct step *step, int which, int64_t now_s)
{
	struct facts facts = facts_of(history, step, which, now_s);
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	struct charge charge;
	judge_charge(&policy, &facts, &verdict, &charge);
	charge.counts[COUNTER_DEAD] += is_told(step->dead_of_100, which);
	charge.counts[COUNTER_REFUSED] += is_told(step->refused_of_100, which);
	history_charge(history, &charge);
	return verdict;
}

/* Returns the time after it; false good_out where the account was disturbed. */
static void live(struct history *history, size_t story, int64_t now_s, bool *good_out)
{
	static const struct step own = { .place = 1, .sender = 1, .mailer = 1, .rcpts = 1 };
	static const struct step stranger = { .place = 1, .sender = 1, .mailer = 1, .rcpts = 1, .fresh = 1 };
	static const struct step letter = {
		.place = 1, .sender = 1, .mailer = 5, .anomalies = 1 << ANOMALY_BULK_MAILER, .rcpts = 1
	};
	int64_t begin = now_s - stories[story].weeks * 7 * DAY;
	for (int day = 0; day < stories[story].weeks * 7; day++) {
		int count = day % 7 < 5 ? stories[story].a_day : 0;
		for (int i = 0; i < count; i++) {
			const struct step *step = i % 4 == 3 ? &stranger : &own;
			int64_t at = begin + day * DAY + 9 * HOUR + i * 8 * HOUR / count;
			*good_out = play(history, step, i, at).level < LEVEL_SUSPECT && *good_out;
		}
		for (int i = 0; stories[story].newsletter && day % 7 == 0 && i < 500; i++)
			*good_out =
				play(history, &letter, i, begin + day * DAY + 10 * HOUR + i).level < LEVEL_SUSPECT &&
				*good_out;
	}
}

static void print_terms(const struct verdict *verdict, int message)
{
	printf("#  %3d %s %.2f =", message, level_word(verdict->level), verdict->score);
	for (int i = 0; i < SIGNAL_COUNT; i++)
		if (verdict->terms.term[i] > 0)
			printf(" %s %.2f", signal_word((enum signal)i), verdict->terms.term[i]);
	printf("\n");
}

static void tell(size_t story)
{
	int64_t day = MONDAY + 52 * 7 * DAY, now = day + stories[story].hour * HOUR;
	struct history history = { .level = LEVEL_UNKNOWN };
	bool good = true;
	live(&history, story, day, &good);
	ok(good, "%s: before, nobody minds", stories[story].name);
	int message = 0, suspect = NEVER;
	bool talk = getenv("TERMS") != NULL;
	for (size_t at = 0; at < 3; at++)
		for (int i = 0; i < stories[story].steps[at].count; i++) {
			struct verdict verdict = play(&history, &stories[story].steps[at], i, now);
			message++;
			if (verdict.level >= LEVEL_SUSPECT && suspect == NEVER)
				suspect = message;
			if (suspect == message || (talk && suspect == NEVER))
				print_terms(&verdict, message);
			now += stories[story].steps[at].every_s;
		}
	if (!ok(suspect >= stories[story].suspect_min && suspect <= stories[story].suspect_max, "%s",
		stories[story].name))
		printf("# suspect with message %d, expected %d to %d\n", suspect, stories[story].suspect_min,
		       stories[story].suspect_max);
}

/* What others did with the same text moves an account to the suspect pool at most. */
static void test_campaign_blocks_nobody(void)
{
	static const struct step step = { .place = 1,
					  .sender = 1,
					  .mailer = 1,
					  .rcpts = 1,
					  .fresh = 1,
					  .score = 2,
					  .campaign = 1000,
					  .campaign_accounts = 60,
					  .campaign_bad = 999,
					  .campaign_bad_accounts = 30 };
	int64_t now = MONDAY + 52 * 7 * DAY;
	struct history history = { .level = LEVEL_UNKNOWN };
	enum level worst = LEVEL_GOOD;
	bool good = true;
	live(&history, 0, now, &good);
	for (int i = 0; i < 300; i++) {
		struct verdict verdict = play(&history, &step, i, now + 10 * HOUR + i * 60);
		worst = verdict.level > worst ? verdict.level : worst;
	}
	is_int(worst, LEVEL_SUSPECT, "a campaign makes suspect, and blocks nobody");
}

/* A term, and after how many days it is nothing any more. Shares by hand: (dead + 2) / (rcpts + 40), against 1 / 20. */
static const struct {
	const char *name;
	enum counter counter;
	double rcpts, told, least, most;
	int gone_after; /* days */
} told_rows[] = {
	{ "one recipient of thirteen is dead", COUNTER_DEAD, 13, 1, 0, 0, 0 },
	{ "invoices, 3 of 100 are dead", COUNTER_DEAD, 800, 24, 0, 0, 0 },
	{ "a newsletter moves in, 5 of 100 are dead", COUNTER_DEAD, 3000, 150, 0, 0, 0 },
	{ "a bought list, 15 of 100 are dead, early", COUNTER_DEAD, 20, 3, 1.0, 1.1, 2 },
	{ "a bought list, 15 of 100 are dead", COUNTER_DEAD, 100, 15, 1.9, 2.0, 2 },
	{ "a bought list, 30 of 100 are dead", COUNTER_DEAD, 100, 30, 3.4, 3.5, 3 },
	{ "nobody is there", COUNTER_DEAD, 1000, 1000, 5, 5, 5 },
	{ "each tenth server refuses", COUNTER_REFUSED, 100, 10, 1.4, 1.5, 2 },
};

static double told_term(size_t row, int days)
{
	struct history history = { .level = LEVEL_GOOD };
	struct sight sight = { .history = &history, .counters = { .at_ms = MONDAY * 1000 } };
	sight.now_ms = (MONDAY + days * DAY) * 1000;
	sight.counters.value[COUNTER_RCPTS] = told_rows[row].rcpts;
	sight.counters.value[told_rows[row].counter] = told_rows[row].told;
	counters_decay(&sight.counters, sight.now_ms);
	struct score score = signals_score(policy.signals, &sight, 0);
	return score.term[told_rows[row].counter == COUNTER_DEAD ? SIGNAL_DEAD_RCPTS : SIGNAL_REFUSED];
}

/* An honest list costs nothing, a bought one much, and its owner has done with it after some days. */
static void test_told(void)
{
	for (size_t i = 0; i < sizeof told_rows / sizeof told_rows[0]; i++) {
		double term = told_term(i, 0);
		ok(term >= told_rows[i].least && term <= told_rows[i].most, "%s: %.2f", told_rows[i].name, term);
		is_near(told_term(i, told_rows[i].gone_after), 0, 0, "%s: nothing after %d days", told_rows[i].name,
			told_rows[i].gone_after);
		if (told_rows[i].gone_after > 0)
			ok(told_term(i, told_rows[i].gone_after - 1) > 0, "%s: but a day before", told_rows[i].name);
	}
}

int main(void)
{
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	for (size_t i = 0; i < sizeof stories / sizeof stories[0]; i++)
		tell(i);
	test_campaign_blocks_nobody();
	test_told();
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/client.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "policy/guess.h"
#include "policy/reputation.h"

#include "policy/base/banned.h"

/* -- words -- */

static const struct {
	const char *word;
	double half_life_s;
	const char *help;
} event_rows[CLIENT_EVENT_COUNT] = {
#define CLIENT_EVENT_ROW(id, word, half_life_s, help) [CLIENT_EVENT_##id] = { word, half_life_s, help },
	CLIENT_EVENT_ROWS(CLIENT_EVENT_ROW)
#undef CLIENT_EVENT_ROW
};

static const char *const standing_words[CLIENT_STANDING_COUNT] = {
#define CLIENT_STANDING_WORD(id, word) [CLIENT_##id] = word,
	CLIENT_STANDING_ROWS(CLIENT_STANDING_WORD)
#undef CLIENT_STANDING_WORD
};

static const char *const term_words[CLIENT_TERM_COUNT] = {
#define CLIENT_TERM_WORD(id, word) [CLIENT_TERM_##id] = word,
	CLIENT_TERM_ROWS(CLIENT_TERM_WORD)
#undef CLIENT_TERM_WORD
};

static const char *const stage_words[CLIENT_STAGE_COUNT] = {
#define CLIENT_STAGE_WORD(id, word) [CLIENT_STAGE_##id] = word,
	CLIENT_STAGE_ROWS(CLIENT_STAGE_WORD)
#undef CLIENT_STAGE_WORD
};

static const char *const service_words[CLIENT_SERVICE_COUNT] = {
#define CLIENT_SERVICE_WORD(id, word) [CLIENT_SERVICE_##id] = word,
	CLIENT_SERVICE_ROWS(CLIENT_SERVICE_WORD)
#undef CLIENT_SERVICE_WORD
};

static int client_find(const char *const words[], int count, const char *word)
{
	int i = 0;
	while (i < count && strcmp(word, words[i]) != 0)
		i++;
	return i;
}

const char *client_event_word(enum client_event event)
{
	return event_rows[event].word;
}

const char *client_event_help(enum client_event event)
{
	return event_rows[event].help;
}

enum client_event client_event_find(const char *word)
{
	int i = 0;
	while (i < CLIENT_EVENT_COUNT && strcmp(word, event_rows[i].word) != 0)
		i++;
	return (enum client_event)i;
}

const char *client_standing_word(enum client_standing standing)
{
	return standing_words[standing];
}

const char *client_term_word(enum client_term term)
{
	return term_words[term];
}

const char *client_stage_word(enum client_stage stage)
{
	return stage_words[stage];
}

enum client_stage client_stage_find(const char *word)
{
	return (enum client_stage)client_find(stage_words, CLIENT_STAGE_COUNT, word);
}

const char *client_service_word(enum client_service service)
{
	return service_words[service];
}

enum client_service client_service_find(const char *word)
{
	return (enum client_service)client_find(service_words, CLIENT_SERVICE_COUNT, word);
}

enum client_event client_event_as(enum client_event event, enum client_service service)
{
	return event == CLIENT_EVENT_AUTH_FAILURE && service == CLIENT_SERVICE_SIP ? CLIENT_EVENT_UNPROVEN : event;
}

/* -- counts -- */

enum { AHEAD_MAX_S = 7200, DAY_S = 86400 };
#define COUNT_MAX 1e6
#define COUNT_FORGOTTEN 0.01f /* after a good six half-lives of one */

void client_counts_decay(struct client_counts *counts, int64_t now_s)
{
	if (counts->at_s == 0 || counts->at_s - now_s > AHEAD_MAX_S)
		counts->at_s = now_s;
	if (now_s <= counts->at_s)
		return;
	double passed_s = (double)(now_s - counts->at_s), half_life_s = 0;
	float left = 1;
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++) {
		if (counts->value[i] == 0)
			continue;
		if (event_rows[i].half_life_s != half_life_s) {
			half_life_s = event_rows[i].half_life_s;
			left = (float)exp2(-passed_s / half_life_s);
		}
		counts->value[i] *= left;
		if (counts->value[i] < COUNT_FORGOTTEN)
			counts->value[i] = 0;
	}
	counts->at_s = now_s;
}

/* A day is counted once, also where the clock goes back over midnight and comes again. */
static void client_counts_mail_day(struct client_counts *counts, int64_t now_s)
{
	int64_t today = now_s / DAY_S;
	if (today < 0 || today > UINT16_MAX)
		return;
	if (counts->value[CLIENT_EVENT_MAIL] == 0)
		counts->mail_days = 0;
	bool ahead = counts->mail_day > today + 1; /* of a clock that was wrong */
	if (counts->mail_days != 0 && !ahead && today <= counts->mail_day)
		return;
	counts->mail_day = (uint16_t)today;
	if (counts->mail_days < UINT16_MAX)
		counts->mail_days++;
}

void client_counts_add(struct client_counts *counts, enum client_event event, double count, int64_t now_s)
{
	client_counts_decay(counts, now_s);
	if (!(count > 0))
		return;
	if (event == CLIENT_EVENT_MAIL)
		client_counts_mail_day(counts, now_s);
	counts->value[event] = (float)fmin((double)counts->value[event] + count, COUNT_MAX);
}

void client_counts_add_seen(struct client_counts *counts, enum client_event event, int64_t seen_s, int64_t now_s)
{
	double ago_s = now_s > seen_s ? (double)(now_s - seen_s) : 0;
	client_counts_add(counts, event, exp2(-ago_s / event_rows[event].half_life_s), now_s);
}

void client_counts_without(struct client_counts *counts, const struct client_counts *part)
{
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		counts->value[i] = (float)fmax((double)counts->value[i] - (double)part->value[i], 0);
}

/* -- the sum -- */

#define POOR_FROM 2.0
#define BAD_FROM 4.0
#define GOOD_MOST (-1.2)

/* What innocents do too, and what their neighbours do, comes to this together: poor, with a margin to bad. */
#define SOFT_MOST 3.5

enum {
	CLEAN_SESSIONS = 3,
	GOOD_MAIL = 5,
	GOOD_DAYS = 3,
	LOGINS_PROVEN = 3,
};
#define CLEAN_LEAST (CLEAN_SESSIONS - 0.5) /* they may be a week apart */
#define LOGINS_LEAST (LOGINS_PROVEN - 0.5)

/* The most of each term. What others say, LISTED, NETWORK and AS, and what others may have forged stay below BAD_FROM
 * together, so does PROTOCOL with the latter three; and those three below POOR_FROM: else somebody could have STARTTLS
 * hidden from a server by datagrams under its address. */
#define HANGUPS_MOST 2.2
#define GAVE_UP_MOST 2.2
#define LISTED_MOST 2.6
#define REFUSED_MOST 2.3
#define PROTOCOL_MOST 2.6
#define GUESSES_MOST 5.0
#define TRIES_MOST 2.0
#define UNPROVEN_MOST 0.35
#define SPAM_SHARE_MOST 3.2
#define SPAM_MOST 5.0
#define MAIL_MOST 2.5
#define LOGIN_MOST 5.5
#define LOGIN_ALONE 2.0
#define SPAM_UNSEEN 2.0
#define NETWORK_MOST 0.7
#define AS_MOST 0.3

static double client_bounded(double value, double most)
{
	return fmin(fmax(value, 0), most);
}

static double count_of(const struct client_facts *facts, enum client_event event)
{
	return (double)facts->own.value[event];
}

/* Sendmail does not say that a session ended with QUIT: a message stands for one. */
static double client_clean_sessions(const struct client_counts *counts)
{
	return fmax((double)counts->value[CLIENT_EVENT_QUIT], (double)counts->value[CLIENT_EVENT_MAIL]);
}

/* Of all sessions of real servers one in 400 ends without QUIT; some never say it: their mail makes up for that. Where
 * it gave up waiting, that is counted there. Ten bare ones in a row bring it near its most. */
static double client_term_hangups(const struct client_facts *facts)
{
	double hangups = fmax(count_of(facts, CLIENT_EVENT_NO_QUIT) - count_of(facts, CLIENT_EVENT_GAVE_UP), 0);
	double sessions = client_clean_sessions(&facts->own) + hangups;
	return client_bounded(share_log_odds(hangups, sessions, 0.05, 20), HANGUPS_MOST);
}

/* RFC 5321 section 4.5.3.2 has servers wait for minutes; a third of those who do not are listed later, and half never.
 */
static double client_term_gave_up(const struct client_facts *facts)
{
	double gave_up = count_of(facts, CLIENT_EVENT_GAVE_UP), slowed = count_of(facts, CLIENT_EVENT_SLOWED);
	return client_bounded(share_log_odds(gave_up, slowed, 0.1, 5), GAVE_UP_MOST);
}

/* A provider's server is on one list now and then while its mail goes on. */
static double client_term_listed(const struct client_facts *facts)
{
	double listed = count_of(facts, CLIENT_EVENT_LISTED);
	return client_bounded(share_log_odds(listed, listed + count_of(facts, CLIENT_EVENT_MAIL), 0.1, 5), LISTED_MOST);
}

/* Old mailing lists, bounces of mail whose sender was forged, and who asks whether a sender exists, are refused too,
 * but not ten times in each session. */
static double client_term_refused(const struct client_facts *facts)
{
	double refused = count_of(facts, CLIENT_EVENT_REFUSED);
	double fine = count_of(facts, CLIENT_EVENT_MAIL) + client_clean_sessions(&facts->own);
	return client_bounded(share_log_odds(refused, refused + fine, 0.35, 20), REFUSED_MOST);
}

static double client_term_protocol(const struct client_facts *facts)
{
	double protocol = count_of(facts, CLIENT_EVENT_PROTOCOL);
	return client_bounded(share_log_odds(protocol, protocol + client_clean_sessions(&facts->own), 0.05, 10),
			      PROTOCOL_MOST);
}

/* A forwarder passes on one in four without harm, a newsletter may be misjudged once. Where more is spam, how much it
 * is speaks, too: of what the scanner let through some is spam as well. */
static double client_term_spam(const struct client_facts *facts)
{
	double spam = count_of(facts, CLIENT_EVENT_SPAM);
	double messages = spam + count_of(facts, CLIENT_EVENT_MAIL);
	double loud = messages > 0 ? fmax(spam / messages - 0.3, 0) * log2(1 + pow(spam / 60, 1.5)) : 0;
	return client_bounded(fmin(share_log_odds(spam, messages, 0.06, 15), SPAM_SHARE_MOST) + loud, SPAM_MOST);
}

static bool client_guesses_at_names(const struct client_facts *facts)
{
	return guess_is_guesser(facts->logins);
}

/* Doublings over four names; of one name, doublings over what a telephone with an old password tries in hours; and of
 * what may be forged, more slowly, and never enough for bad. */
static double client_term_logins(const struct client_facts *facts)
{
	double names = 1.2 * log2(fmax(facts->logins, 4) / 4);
	double tries = 0.5 * log2(1 + count_of(facts, CLIENT_EVENT_AUTH_FAILURE) / 50);
	double unproven = 0.7 * log2(1 + count_of(facts, CLIENT_EVENT_UNPROVEN) / 10);
	double told = fmax(client_bounded(tries, TRIES_MOST), client_bounded(unproven, UNPROVEN_MOST));
	return fmax(client_bounded(names, client_guesses_at_names(facts) ? GUESSES_MOST : TRIES_MOST), told);
}

/* It has logins of ours, and `times` as many of them as names that failed: more than a guesser who was lucky. */
static bool client_has_logins(const struct client_facts *facts, double times)
{
	double logins = count_of(facts, CLIENT_EVENT_LOGIN);
	return logins >= LOGINS_LEAST && logins >= times * (client_guesses_at_names(facts) ? facts->logins : 0);
}

static bool client_shows_logins(const struct client_facts *facts)
{
	return client_has_logins(facts, 2);
}

/* Logins speak for the client against logins that failed, and for a client of which nothing bad is known; of what it
 * does without a login they say nothing. */
static double client_credit_of_logins(const struct client_facts *facts)
{
	if (!client_shows_logins(facts))
		return 0;
	double other = client_term_spam(facts) + client_term_hangups(facts);
	double most = client_term_logins(facts) + fmax(LOGIN_ALONE - other, 0);
	return client_bounded(log1p(count_of(facts, CLIENT_EVENT_LOGIN)), fmin(most, LOGIN_MOST));
}

/* What speaks for it. Trust comes with days: a thousand messages of one hour are as good as three. With each spam that
 * the scanner found came others that it did not. */
static double client_term_mail(const struct client_facts *facts)
{
	double most = fmin(0.8 + 0.6 * facts->own.mail_days, MAIL_MOST);
	double clean = count_of(facts, CLIENT_EVENT_MAIL) - SPAM_UNSEEN * count_of(facts, CLIENT_EVENT_SPAM);
	double mail = client_bounded(log1p(fmax(clean, 0)), most);
	return -mail - client_credit_of_logins(facts);
}

/* The share of bad among all that its neighbours did; half of all strangers who connect come with nothing good. */
static double client_of_neighbours(const struct client_counts *counts)
{
	const float *value = counts->value;
	double bad = (double)(value[CLIENT_EVENT_LISTED] + value[CLIENT_EVENT_GAVE_UP] + value[CLIENT_EVENT_PROTOCOL] +
			      value[CLIENT_EVENT_SPAM] + value[CLIENT_EVENT_AUTH_FAILURE]);
	double good = client_clean_sessions(counts) + (double)value[CLIENT_EVENT_LOGIN];
	return share_log_odds(bad, bad + good, 0.5, 50) / 3;
}

/* What is known of itself takes the place of what is thought of its neighbours. */
static double client_strangeness(const struct client_facts *facts)
{
	double known = client_clean_sessions(&facts->own) + count_of(facts, CLIENT_EVENT_LOGIN);
	return 1 / (1 + known / 10);
}

static double client_term_network(const struct client_facts *facts)
{
	return client_strangeness(facts) * client_bounded(client_of_neighbours(&facts->network), NETWORK_MOST);
}

static double client_term_as(const struct client_facts *facts)
{
	return client_strangeness(facts) * client_bounded(client_of_neighbours(&facts->as), AS_MOST);
}

static const struct {
	double (*of)(const struct client_facts *facts);
	bool soft; /* innocents have it, too */
} terms[CLIENT_TERM_COUNT] = {
	[CLIENT_TERM_HANGUPS] = { client_term_hangups, true },	  [CLIENT_TERM_GAVE_UP] = { client_term_gave_up, true },
	[CLIENT_TERM_LISTED] = { client_term_listed, false },	  [CLIENT_TERM_REFUSED] = { client_term_refused, true },
	[CLIENT_TERM_PROTOCOL] = { client_term_protocol, false }, [CLIENT_TERM_LOGINS] = { client_term_logins, true },
	[CLIENT_TERM_SPAM] = { client_term_spam, false },	  [CLIENT_TERM_MAIL] = { client_term_mail, false },
	[CLIENT_TERM_NETWORK] = { client_term_network, true },	  [CLIENT_TERM_AS] = { client_term_as, true },
};

static bool client_is_soft(const struct client_facts *facts, int term)
{
	return terms[term].soft && !(term == CLIENT_TERM_LOGINS && client_guesses_at_names(facts));
}

static enum client_standing client_standing_of(const struct client_facts *facts, double sum)
{
	bool shows_logins = client_shows_logins(facts);
	double mail = count_of(facts, CLIENT_EVENT_MAIL);
	if (sum >= BAD_FROM)
		return client_has_logins(facts, 0.2) ? CLIENT_POOR
						     : CLIENT_BAD; /* somebody's page may try names from there */
	if (sum >= POOR_FROM)
		return CLIENT_POOR;
	bool long_here = mail >= GOOD_MAIL && facts->own.mail_days >= GOOD_DAYS;
	if (sum <= GOOD_MOST && (shows_logins || long_here))
		return CLIENT_GOOD;
	double sessions = client_clean_sessions(&facts->own) + count_of(facts, CLIENT_EVENT_LOGIN);
	return sessions >= CLEAN_LEAST ? CLIENT_NEUTRAL : CLIENT_UNKNOWN;
}

/* Counts come decayed to now, or are decayed here, of a copy. */
static struct client_facts client_facts_now(const struct client_facts *facts)
{
	struct client_facts now = *facts;
	client_counts_decay(&now.own, facts->now_s);
	client_counts_decay(&now.network, facts->now_s);
	client_counts_decay(&now.as, facts->now_s);
	return now;
}

struct client_verdict client_judge(const struct client_facts *facts)
{
	struct client_verdict verdict = { .standing = CLIENT_GOOD };
	if (facts->ours)
		return verdict;
	struct client_facts now = client_facts_now(facts);
	double soft = 0;
	for (int i = 0; i < CLIENT_TERM_COUNT; i++) {
		verdict.term[i] = terms[i].of(&now);
		soft += client_is_soft(&now, i) ? verdict.term[i] : 0;
	}
	for (int i = 0; i < CLIENT_TERM_COUNT; i++) {
		if (soft > SOFT_MOST && client_is_soft(&now, i))
			verdict.term[i] *= SOFT_MOST / soft;
		verdict.sum += verdict.term[i];
	}
	verdict.standing = client_standing_of(&now, verdict.sum);
	return verdict;
}

/* -- what follows from it -- */

bool client_slows(enum client_standing standing)
{
	return standing != CLIENT_GOOD;
}

bool client_hides_starttls(enum client_standing standing, enum client_standing from)
{
	return standing != CLIENT_GOOD && standing >= from;
}

bool client_waits_for_quit(enum client_standing standing)
{
	return standing >= CLIENT_POOR;
}

bool client_is_listed(enum client_standing standing)
{
	return standing == CLIENT_BAD;
}

double client_worth(const struct client_facts *facts)
{
	static const double base[CLIENT_STANDING_COUNT] = {
		[CLIENT_GOOD] = 6, [CLIENT_BAD] = 4, [CLIENT_POOR] = 1, [CLIENT_NEUTRAL] = 1
	};
	if (facts->ours)
		return 0;
	struct client_facts now = client_facts_now(facts);
	struct client_verdict verdict = client_judge(&now);
	double seen = 0;
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		seen += (double)now.own.value[i];
	/* what is only thought of its neighbours is not lost with it */
	double sum = verdict.sum - verdict.term[CLIENT_TERM_NETWORK] - verdict.term[CLIENT_TERM_AS];
	return base[verdict.standing] + fabs(sum) + log1p(seen) + 0.2 * fmin(now.own.mail_days, 10);
}

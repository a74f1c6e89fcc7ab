/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What follows for a message from how its client stands: it waits for QUIT, the signal of strangers, and what a login
 * says that works after many others' did not.
 */
#include "t/unit/judge_fixture.h"

/* A stranger of bad standing whose session's end is heard of, but for ... */
struct quit_row {
	const char *name;
	bool off, shadow, authenticated, ours, injected, forwarder, exempt, unknown, unwatched, at_mail, rejected, held;
	enum client_standing standing;
	enum action action;
	const char *reasons;
};

/* clang-format off */
static const struct quit_row quit_rows[] = {
	{ "bad: it waits", .standing = CLIENT_BAD, .action = ACTION_HOLD, .reasons = "quit" },
	{ "poor: it waits", .standing = CLIENT_POOR, .action = ACTION_HOLD, .reasons = "quit" },
	{ "unknown", .standing = CLIENT_UNKNOWN, .reasons = "" },
	{ "neutral", .standing = CLIENT_NEUTRAL, .reasons = "" },
	{ "good", .standing = CLIENT_GOOD, .reasons = "" },
	{ "not asked for", .off = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "in shadow mode", .shadow = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "with a login", .authenticated = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "in a network of ours", .ours = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "not by SMTP", .injected = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "a forwarder of the admin's", .forwarder = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "exempt", .exempt = true, .standing = CLIENT_BAD, .reasons = "admin_exempt" },
	{ "nobody remembers it", .unknown = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "nobody hears of the session's end: nothing is held", .unwatched = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "at MAIL", .at_mail = true, .standing = CLIENT_BAD, .reasons = "" },
	{ "it is refused anyway", .rejected = true, .standing = CLIENT_BAD, .action = ACTION_REJECT, .reasons = "content" },
	{ "it is held for an admin: QUIT does not release it", .held = true, .standing = CLIENT_BAD, .action = ACTION_HOLD,
	  .reasons = "content" },
};
/* clang-format on */

static struct facts stranger(void)
{
	struct row row = { .stranger = true };
	struct facts facts = facts_of(&row);
	facts.client_known = facts.quit_watched = true;
	return facts;
}

static struct verdict judge_quit_row(const struct quit_row *row)
{
	struct row plain = { .name = "" };
	struct policy policy = policy_of(&plain);
	policy.prior_new = -2.5; /* as configured */
	policy.require_quit = !row->off;
	policy.hold_s = 86400;
	policy.shadow = row->shadow ? rules_find("quit") : 0;
	policy.in_shadow = row->shadow;
	struct facts facts = stranger();
	facts.client_standing = row->standing;
	facts.authenticated = row->authenticated;
	facts.client_ours = row->ours;
	facts.injected = row->injected;
	facts.forwarder = row->forwarder;
	facts.client_known = !row->unknown;
	facts.quit_watched = !row->unwatched;
	snprintf(facts.state.exempt, sizeof facts.state.exempt, "%s", row->exempt ? "ours" : "");
	facts.content.known = KNOWLEDGE_FULL;
	facts.content.score = row->rejected ? 20 : row->held ? 12 : 0;
	return judge(&policy, row->at_mail ? STAGE_MAIL : STAGE_MESSAGE, &facts);
}

static void test_quit(void)
{
	for (size_t i = 0; i < sizeof quit_rows / sizeof quit_rows[0]; i++) {
		const struct quit_row *row = &quit_rows[i];
		struct verdict verdict = judge_quit_row(row);
		char reasons[400];
		is_int(verdict.action, row->action, "%s: %s", row->name, action_word(row->action));
		is_str(reasons_of(&verdict, reasons), row->reasons, "%s: reasons", row->name);
		if (verdict.action == ACTION_HOLD)
			is_int(verdict.cause, verdict_has(&verdict, REASON_QUIT) ? REASON_QUIT : REASON_CONTENT,
			       "%s: the cause", row->name);
		if (verdict.action == ACTION_HOLD)
			is_int(verdict.hold_s, verdict.cause == REASON_QUIT ? 7200 : 86400, "%s: how long", row->name);
	}
}

/* ---- signals */

static double term_of(const struct facts *facts, enum signal signal)
{
	struct row plain = { .name = "" };
	struct policy policy = policy_of(&plain);
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, facts);
	return verdict.terms.term[signal];
}

static void test_signal_client(void)
{
	static const double want[CLIENT_STANDING_COUNT] = { [CLIENT_POOR] = 1, [CLIENT_BAD] = 2 };
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++) {
		struct facts facts = stranger();
		facts.client_standing = (enum client_standing)i;
		is_near(term_of(&facts, SIGNAL_CLIENT), want[i], 0, "a stranger who is %s",
			client_standing_word(facts.client_standing));
		facts.authenticated = true;
		is_near(term_of(&facts, SIGNAL_CLIENT), 0, 0, "... with a login: nothing");
		facts.authenticated = false;
		facts.client_ours = true;
		is_near(term_of(&facts, SIGNAL_CLIENT), 0, 0, "... of ours: nothing");
		facts.client_ours = false;
		facts.forwarder = true;
		is_near(term_of(&facts, SIGNAL_CLIENT), 0, 0, "... a forwarder: nothing");
		facts.forwarder = facts.client_known = false;
		is_near(term_of(&facts, SIGNAL_CLIENT), 0, 0, "... not known: nothing");
	}
}

/* Alone it makes nobody suspect: an account's name may be claimed by anybody. */
static void test_signal_bound(void)
{
	struct row plain = { .name = "" };
	struct policy policy = policy_of(&plain);
	policy.prior_new = -2.5; /* as configured */
	struct facts facts = stranger();
	facts.client_standing = CLIENT_BAD;
	struct verdict verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.level, LEVEL_NEW, "a bad client alone makes no account suspect");
	facts = stranger();
	facts.authenticated = true;
	facts.login_guesses = 100000;
	verdict = judge(&policy, STAGE_MESSAGE, &facts);
	is_int(verdict.level, LEVEL_NEW, "nor do guesses alone");
}

static void test_signal_guesses(void)
{
	static const struct {
		double guesses, want;
	} rows[] = { { 0, 0 }, { 1, 0 }, { 9, 0 }, { 10, 1 }, { 20, 2 }, { 1000, 2 } };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct facts facts = stranger();
		facts.authenticated = true;
		facts.login_guesses = rows[i].guesses;
		is_near(term_of(&facts, SIGNAL_AUTH_FAILURES), rows[i].want, 1e-9, "%.0f other names failed before",
			rows[i].guesses);
	}
	struct facts facts = stranger();
	facts.authenticated = true;
	facts.state.history.counters.value[COUNTER_AUTH_FAILURES] = 40;
	facts.login_guesses = 10;
	is_near(term_of(&facts, SIGNAL_AUTH_FAILURES), log1p(40) - log1p(5), 1e-9, "the greater of the two is heard");
}

int main(void)
{
	test_quit();
	test_signal_client();
	test_signal_bound();
	test_signal_guesses();
	return done_testing();
}

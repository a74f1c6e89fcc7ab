/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Facts become a line and facts again: what the judge says of them is the same.
 */
#include "policy/replay/factline.h"
#include "policy/replay/factline_inside.h"
#include "policy/hash.h"
#include "policy/replay/replay.h"

#include "t/unit/tap.h"

#include <stdlib.h>

static struct transport transports[] = { { .name = "a-1", .weight = 1 }, { .name = "b-1", .weight = 1, .index = 1 } };
static const struct pool pools[] = {
	{ .name = "a",
	  .levels = { [LEVEL_GOOD] = true, [LEVEL_NEW] = true },
	  .transports = &transports[0],
	  .transport_count = 1 },
	{ .name = "b", .levels = { [LEVEL_SUSPECT] = true }, .transports = &transports[1], .transport_count = 1 },
};
static struct list lists[] = {
	{ .name = "one", .zone = "one", .weight = 1, .action = LIST_ACTION_REFUSE },
	{ .name = "two", .zone = "two", .weight = 0.25 },
};
static struct policy policy = {
	.require_quit = true,
	.levels = { .suspect_enter = 0.5,
		    .suspect_leave = -0.5,
		    .blocked_enter = 3,
		    .blocked_leave = 1.5,
		    .minimum_stay_s = 3600,
		    .new_for_s = 604800,
		    .new_messages = 20 },
	.prior_new = -1,
	.prior_good = -3,
	.blocked_action = ACTION_REJECT,
	.tag_score = 5,
	.slow_score = 8,
	.hold_score = 10,
	.reject_score = 15,
	.pools = pools,
	.pool_count = 2,
};

static const struct list *find_list(void *arg, const char *name, enum list_kind kind, double weight,
				    enum list_action action)
{
	(void)arg, (void)kind, (void)weight, (void)action;
	return strcmp(name, "one") == 0 ? &lists[0] : strcmp(name, "two") == 0 ? &lists[1] : NULL;
}

static int any(int below)
{
	return (int)(random() % below);
}

static void make_listings(struct facts *facts)
{
	for (int i = any(3); i > 0; i--)
		facts->listings.hits[facts->listings.hit_count++] =
			(struct listing){ &lists[i - 1], (enum list_kind)(1 + any(LIST_KIND_COUNT - 1)) };
	facts->listings.unknown = any(3);
	facts->listings.asked = any(2);
}

static void make_limits(struct limits *limits)
{
	*limits = limits_unset;
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (any(4) == 0)
			limits->window[i] = any(1000);
	limits->over = (enum over)any(OVER_COUNT);
	if (any(3) == 0)
		snprintf(limits->plan, sizeof limits->plan, "pl%%an %d,:=", any(9));
	if (any(3) == 0)
		snprintf(limits->customer, sizeof limits->customer, "\xc3\xa4 %d", any(9));
	limits->created_s = any(2) * 1690000000;
	if (any(4) == 0)
		limits->ramp_first_day = any(100);
}

static struct factline make_line(void)
{
	struct factline line = { .kind = FACTLINE_MESSAGE, .stage = (enum stage)(1 << any(3)) };
	struct facts *facts = &line.facts;
	facts->now_ms = 1700000000000 + random();
	snprintf(facts->account, sizeof facts->account, "user%d=x@example.com", any(100));
	facts->source = (enum source)any(SOURCE_COUNT);
	facts->client = (enum client_kind)any(CLIENT_KIND_COUNT);
	facts->class = (enum mail_class)any(MAIL_CLASS_COUNT);
	facts->authenticated = any(2);
	facts->injected = any(5) == 0;
	facts->overloaded = any(20) == 0;
	facts->memory_spent = any(20) == 0;
	facts->state.known = (enum knowledge)any(3);
	facts->state.exempt[0] = any(10) == 0 ? 'x' : '\0';
	facts->state.block[0] = any(10) == 0 ? 'b' : '\0';
	make_limits(&facts->state.limits);
	make_listings(facts);
	facts->spf.client = (enum spf_answer)any(SPF_ANSWER_COUNT);
	facts->spf.ours = (enum spf_ours)any(3);
	snprintf(line.spf_domain, sizeof line.spf_domain, "d%d.example", any(9));
	facts->rcpts_remote = any(50);
	facts->rcpts_local = any(5);
	facts->rcpts_again = any(2) * facts->rcpts_remote;
	facts->rcpts_new = any(5);
	facts->rcpts_new_known = any(2);
	facts->rcpts_trapped = any(2);
	facts->client_known = any(2);
	facts->quit_watched = any(2);
	facts->client_ours = any(2);
	facts->client_standing = (enum client_standing)any(CLIENT_STANDING_COUNT);
	facts->login_guesses = any(3) * 7.5;
	facts->kbytes = any(5000);
	facts->forwarder = any(2);
	facts->local_offset_s = any(5) * 3600 - 7200;
	facts->client_address = (uint64_t)random() << 32 | (uint64_t)random();
	facts->client_network = (uint64_t)random();
	facts->client_as = (uint64_t)random();
	facts->client_wide = (uint64_t)random();
	facts->text = (uint64_t)any(2) * (uint64_t)random();
	facts->text_words = any(300);
	facts->host_count = any(FACT_HOSTS_MAX + 2);
	for (int i = 0; i < facts->host_count && i < FACT_HOSTS_MAX; i++)
		facts->hosts[i] = (uint64_t)random() << 20 | 1;
	facts->sender = (uint64_t)random();
	facts->mailer = (uint64_t)any(2);
	facts->sender_own = any(2);
	facts->anomalies = (unsigned)any(1 << ANOMALY_COUNT);
	facts->content = (struct content){
		.known = (enum knowledge)(any(2) * 2), .score = any(400) / 10.0 - 10, .threshold = 5, .spam = any(2)
	};
	if (any(2))
		facts->campaign = (struct campaign){ KNOWLEDGE_FULL, any(100) / 8.0, any(9), any(9), any(5) };
	facts->breach = breach_none;
	if (any(5) == 0)
		facts->breach = (struct breach){ .window = WINDOW_RCPTS_PER_DAY,
						 .scope = SCOPE_DOMAIN,
						 .limit = 5,
						 .used = 4.5,
						 .frees_in_s = 7,
						 .over = OVER_REJECT };
	line.was = (struct factline_was){ .action = (enum action)any(ACTION_COUNT),
					  .cause = (enum reason_id)any(REASON_COUNT),
					  .level = (enum level)any(LEVEL_COUNT),
					  .score = any(1000) / 64.0 - 5,
					  .pool = "a" };
	return line;
}

/* A real number of a line may be another in its last bit. */
static bool same_counters(const struct counters *a, const struct counters *b)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (fabs(a->value[i] - b->value[i]) > 1e-9)
			return false;
	return a->at_ms == b->at_ms;
}

static bool same_verdict(const struct factline *a, const struct factline *b)
{
	struct facts facts_a = a->facts, facts_b = b->facts;
	struct replayed replayed_a = { .history = { .level = LEVEL_GOOD } }, replayed_b = replayed_a;
	const struct history *history_a = &replayed_a.history, *history_b = &replayed_b.history;
	facts_a.spf.domain = a->spf_domain;
	facts_a.state.history = facts_b.state.history = *history_a;
	facts_a.limits = facts_a.state.limits;
	facts_b.limits = facts_b.state.limits;
	struct verdict x = replay_message(&policy, a->stage, &facts_a, &replayed_a);
	struct verdict y = replay_message(&policy, b->stage, &facts_b, &replayed_b);
	return x.action == y.action && x.level == y.level && x.cause == y.cause && x.pool == y.pool &&
	       fabs(x.score - y.score) < 1e-9 && x.reason_count == y.reason_count && x.slow == y.slow &&
	       memcmp(&history_a->rates, &history_b->rates, sizeof history_a->rates) == 0 &&
	       same_counters(&history_a->counters, &history_b->counters);
}

/* What no verdict of today need depend on. */
static bool same_text(const struct facts *a, const struct facts *b)
{
	return a->client_wide == b->client_wide && a->text == b->text && a->text_words == b->text_words &&
	       a->host_count == b->host_count && memcmp(a->hosts, b->hosts, sizeof a->hosts) == 0;
}

static void test_round_trip(void)
{
	int same = 0, again = 0, fine = 0, texts = 0;
	srandom(4711);
	for (int i = 0; i < 2000; i++) {
		char first[FACTLINE_MAX + 1], second[FACTLINE_MAX + 1];
		struct factline made = make_line(), read;
		size_t length = factline_write(&made, first);
		if (factline_read(first, length, find_list, NULL, &read) != FACTLINE_FINE)
			printf("# not read: %s\n", first);
		else
			fine++;
		same += same_verdict(&made, &read);
		texts += same_text(&made.facts, &read.facts);
		factline_write(&read, second);
		again += strcmp(first, second) == 0;
	}
	is_int(fine, 2000, "every line is read");
	is_int(same, 2000, "the judge says the same of it");
	is_int(texts, 2000, "text and hosts are the same");
	is_int(again, 2000, "and it becomes the same line");
}

static bool written_again_is_same(double number, char first[60])
{
	char again[60];
	double read;
	struct text text = text_over(first, 60), second = text_over(again, sizeof again);
	add_real(&text, number);
	if (text.cut || !value_real((struct value){ text.at, text.at + text.length }, &read))
		return false;
	add_real(&second, read);
	return strcmp(first, again) == 0;
}

static void test_reals(void)
{
	static const struct {
		double number;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ -0.0, "0" },
		{ 0.1, "0.1" },
		{ -3.5, "-3.5" },
		{ 1.0 / 3, "0.333333333333" },
		{ 1700000000000, "1700000000000" },
		{ 99999999999.94, "99999999999.9" },
		{ 99999999999.96, "100000000000" },
		{ 999999999999.9, "1000000000000" },
		{ 677757777777777.6, "677757777777778" },
		{ 999999999999999, "999999999999999" },
		{ 999999999999999.9, "1e+15" },
		{ 1e15, "1e+15" },
		{ -1.2345678901234567e16, "-1.23456789012e+16" },
		{ 1e300, "1e+300" },
		{ 9.9999999999999e299, "1e+300" },
		{ 1e301, "0" },
		{ INFINITY, "0" },
		{ NAN, "0" },
		{ 1e-280, "1e-280" },
		{ 9.9999999999999e-281, "1e-280" },
		{ -1e-290, "0" },
		{ 4.9e-324, "0" },
	};
	char text[60];
	int same = 0;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ok(written_again_is_same(rows[i].number, text), "%.17g is read, and written again as it was",
		   rows[i].number);
		is_str(text, rows[i].text, "... as %s", rows[i].text);
	}
	for (int i = 0; i < 200000; i++) {
		uint64_t bits = (uint64_t)random() << 42 ^ (uint64_t)random() << 21 ^ (uint64_t)random();
		double number;
		memcpy(&number, &bits, sizeof number);
		if (i % 2 == 0)
			number = (double)(bits >> 12) / (1 << i % 20) * (i % 4 == 0 ? 1 : 1e-12);
		same += written_again_is_same(number, text);
	}
	is_int(same, 200000, "and so are any others");
}

/* A line says them, and no daemon wrote it. */
static void test_reals_that_nobody_writes(void)
{
	static const char *const rows[] = { "1e-290", "-1e-281", "0.001e-300", "999999999999999999e300", "-11e299" };
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		double read = 5;
		ok(value_real((struct value){ rows[i], rows[i] + strlen(rows[i]) }, &read), "%s is read", rows[i]);
		ok(read <= 0 && read >= 0, "... as nought, as which it is written again");
	}
}

static void test_state(void)
{
	struct factline made = { .kind = FACTLINE_STATE, .facts = { .now_ms = 1700000000000, .account = "a" } }, read;
	struct history *history = &made.facts.state.history;
	char bytes[FACTLINE_MAX + 1];
	history->rates.at_ms = history->counters.at_ms = 1700000000000;
	for (int i = 0; i < WINDOW_SUMS; i++)
		history->rates.present[i] = i + 0.5;
	for (int i = 0; i < COUNTER_COUNT; i++)
		history->counters.value[i] = i / 7.0;
	history->level = LEVEL_SUSPECT;
	history->level_since_s = 1690000000;
	history->first_s = 1680000000;
	made.facts.state.limits = limits_unset;
	made.facts.breach = breach_none;
	size_t length = factline_write(&made, bytes);
	is_int(factline_read(bytes, length, NULL, NULL, &read), FACTLINE_FINE, "%s", bytes);
	const struct history *got = &read.facts.state.history;
	is_int(read.kind, FACTLINE_STATE, "its kind");
	is_int(got->level, LEVEL_SUSPECT, "its level");
	is_int(got->first_s, 1680000000, "its age");
	is_near(got->rates.present[WINDOW_SUMS - 1], WINDOW_SUMS - 0.5, 1e-9, "its rates");
	is_near(got->counters.value[COUNTER_COUNT - 1], (COUNTER_COUNT - 1) / 7.0, 1e-9, "its counters");
}

static void test_report(void)
{
	static const char line[] = "F2 t=1700000000000 a=alice@example.com co=dead n=3 .";
	struct factline read;
	is_int(factline_read(line, strlen(line), NULL, NULL, &read), FACTLINE_FINE, "a report");
	is_int(read.counter, COUNTER_DEAD, "of what");
	is_near(read.count, 3, 0, "how many");
	static const char nought[] = "F2 t=1700000000000 a=alice@example.com n=-0 .";
	char written[FACTLINE_MAX + 1];
	struct factline none;
	factline_read(nought, strlen(nought), NULL, NULL, &none);
	size_t length = factline_write(&none, written);
	ok(length > 0 && memchr(written, '-', length) == NULL, "a nought has no sign");
	struct replayed replayed = { .noted_ms = 0 };
	replay_feedback(&replayed, read.counter, read.count, read.facts.now_ms);
	is_near(replayed.history.counters.value[COUNTER_DEAD], 3, 0, "it counts");
}

static void test_bad(void)
{
	static const struct {
		const char *line;
		enum factline_end want;
	} rows[] = {
		{ "", FACTLINE_SKIPPED },
		{ "# a note", FACTLINE_SKIPPED },
		{ "Z2 t=1 a=b .", FACTLINE_SKIPPED },
		{ "M2 t=1700000000000 a=b .", FACTLINE_FINE },
		{ "M2 t=1700000000000 a=b zz=later rr=5 .", FACTLINE_FINE },
		{ "M2 rr=5 a=b t=1700000000000 .", FACTLINE_FINE },
		{ "M2 t=1700000000000 a=b wc=a_reason_of_later .", FACTLINE_FINE },
		{ "M3 t=1700000000000 a=b .", FACTLINE_OTHER_VERSION },
		{ "M0 t=1700000000000 a=b .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b rr=", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b rr=1M2 t=1700000000000 a=b .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b t=1700000000000 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 .", FACTLINE_DAMAGED },
		{ "M2 a=b .", FACTLINE_DAMAGED },
		{ "M2 t=-1 a=b .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b rr=-5 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b rr=999999999999 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b cc=1e999 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b tw=-1 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b th=1:2:3:4:5:6:7:8:9:a:b:c .", FACTLINE_FINE },
		{ "M2 t=1700000000000 a=b th=1:2:3:4:5:6:7:8:9:a:b:c:+ .", FACTLINE_FINE },
		{ "M2 t=1700000000000 a=b th=1:2:3:4:5:6:7:8:9:a:b:c:d .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b th=1:2:3:4:5:6:7:8:9:a:b:c:+:+ .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b th=1:+ .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b th=1::2 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b th=x .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=b cc=nan .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=%4 .", FACTLINE_DAMAGED },
		{ "M2 t=1700000000000 a=%00 .", FACTLINE_DAMAGED },
		{ "hello", FACTLINE_DAMAGED },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct factline line;
		is_int(factline_read(rows[i].line, strlen(rows[i].line), NULL, NULL, &line), rows[i].want, "%s",
		       rows[i].line);
	}
}

/* As it is written of a sender without a domain. */
static void test_spf_of_no_domain(void)
{
	static const char *const lines[] = { "M2 t=1700000000000 a=alice sp=fine .",
					     "M2 t=1700000000000 a=alice sp=none_passes ." };
	struct factline line;
	struct verdict none = { .action = ACTION_PASS };
	struct charge charge;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		is_int(factline_read(lines[i], strlen(lines[i]), NULL, NULL, &line), FACTLINE_FINE, "%s", lines[i]);
		judge_charge(&policy, &line.facts, &none, &charge);
		is_str(charge.unauthorised, "", "... charges it to no domain");
	}
}

/* The example of the paper's appendix A. */
static void test_keyed_hash(void)
{
	uint64_t key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
	unsigned char bytes[15];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)i;
	ok(hash_keyed(key, bytes, sizeof bytes) == 0xa129ca6149be45e5, "SipHash-2-4");
}

int main(void)
{
	memcpy(policy.signals, signal_defaults, sizeof policy.signals);
	test_round_trip();
	test_reals();
	test_reals_that_nobody_writes();
	test_state();
	test_report();
	test_bad();
	test_spf_of_no_domain();
	test_keyed_hash();
	return done_testing();
}

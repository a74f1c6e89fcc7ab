/* SPDX-License-Identifier: BSD-2-Clause
 *
 * charge.lua in a real Redis against policy/history.c: the same charges, the same sums. Time is
 * Redis's own; the state is aged between charges by writing an older one, so that windows roll.
 * usage: store_arithmetic unix:/path-of-redis
 */
#include "policy/base/text.h"
#include "policy/history.h"
#include "t/live/store_fixture.h"

#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARGES = 2000, ACCOUNTS = 7 };

static redisContext *plain; /* for what no store writes */

static void add_windows(struct text *text, int from, int to)
{
	for (int i = from; i < to; i++)
		text_addf(text, ",%.0f,%.0f", state.history.rates.present[i], state.history.rates.before[i]);
}

/* Writes the state as if all of it had happened `seconds` ago. */
static void age(const char *account, int64_t seconds)
{
	static const char script[] =
		"return redis.call('HSET', KEYS[1], 'm', cmsgpack.pack(unpack(cjson.decode(ARGV[1]))), 'r', "
		"cmsgpack.pack(unpack(cjson.decode(ARGV[2]), 2)))";
	char m[400], r[400];
	struct text of_m = text_over(m, sizeof m), of_r = text_over(r, sizeof r);
	fetch(account);
	text_addf(&of_m, "[%" PRId64, state.history.rates.at_ms - seconds * 1000);
	add_windows(&of_m, 0, WINDOW_RCPTS_PER_MINUTE);
	add_windows(&of_m, WINDOW_NEW_RCPTS_PER_DAY, WINDOW_SUMS);
	text_add(&of_m, "]");
	text_add(&of_r, "[0");
	add_windows(&of_r, WINDOW_RCPTS_PER_MINUTE, WINDOW_NEW_RCPTS_PER_DAY);
	text_add(&of_r, "]");
	redisReply *reply = redisCommand(plain, "EVAL %s 1 arithmetic:{%s}:state %s %s", script, account, m, r);
	ok(reply != NULL && reply->type == REDIS_REPLY_INTEGER, "%s is aged by %" PRId64 " s", account, seconds);
	freeReplyObject(reply);
}

static int64_t pick(int64_t most)
{
	return random() % most;
}

static const char *const domains[] = {
	/* one of the longest kind: a listpack takes no longer string */
	"",
	"-",
	"example.org",
	"a-domain-of-sixty-bytes.a-domain-of-sixty-bytes.example.orga",
};

static struct charge random_charge(const char *account)
{
	bool back = pick(12) == 0;
	int64_t sign = back ? -1 : 1;
	struct charge charge = { .limits = limits_unset,
				 .checked = true,
				 .quota = pick(10) > 0,
				 .level = LEVEL_NEW,
				 .score = 1.25,
				 .amounts = {
					 .of = { sign, sign * (1 + pick(60)), sign * pick(3000), sign * pick(9) } } };
	snprintf(charge.account, sizeof charge.account, "%s", account);
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (pick(4) == 0)
			charge.limits.window[i] = pick(window_counted((enum window)i) == COUNTED_MESSAGES ? 40
						       : window_counted((enum window)i) == COUNTED_KBYTES ? 90000
													  : 1500);
	charge.limits.over = pick(3) == 0 ? OVER_SLOW : OVER_DEFER;
	charge.counts[COUNTER_MESSAGES] = charge.quota ? (double)sign : 0;
	charge.counts[COUNTER_RCPTS] = charge.quota ? (double)charge.amounts.of[COUNTED_RECIPIENTS] : 0;
	for (int i = COUNTER_SPAM; i < COUNTER_COUNT; i++)
		if (pick(4) == 0)
			charge.counts[i] = (double)(pick(400) - 100) / 64.0;
	charge.pardoned_s = pick(20) == 0 ? 1700000000 + pick(1000) : 0;
	snprintf(charge.unauthorised, sizeof charge.unauthorised, "%s", domains[pick(4)]);
	charge.habits_changed = (unsigned)pick(8);
	charge.habits.networks[0] = (uint16_t)pick(60000);
	charge.habits.hours[pick(24)] = (uint8_t)pick(200);
	charge.habits.known[0] = (uint32_t)pick(60000);
	return charge;
}

static double worst_rate(const struct rates *a, const struct rates *b)
{
	double worst = 0;
	for (int i = 0; i < WINDOW_SUMS; i++) {
		double differs = fabs(a->present[i] - b->present[i]) + fabs(a->before[i] - b->before[i]);
		worst = differs > worst ? differs : worst;
	}
	return worst;
}

static bool same_counters(const struct counters *a, const struct counters *b)
{
	for (int i = 0; i < COUNTER_COUNT; i++)
		if (fabs(a->value[i] - b->value[i]) > 1e-5 * (1 + fabs(b->value[i]))) /* seven digits are kept */
			return false;
	return true;
}

static bool same_habits(const struct habits *a, const struct habits *b)
{
	char bytes[2][HABIT_BYTES_MAX];
	for (unsigned part = HABIT_PLACES; part <= HABIT_KNOWN; part <<= 1) {
		size_t length = habits_write(a, (enum habit_part)part, bytes[0]);
		if (habits_write(b, (enum habit_part)part, bytes[1]) != length ||
		    memcmp(bytes[0], bytes[1], length) != 0)
			return false;
	}
	return true;
}

static const char *differs(const struct history *came, const struct history *expected)
{
	if (worst_rate(&came->rates, &expected->rates) > 1e-6)
		return "rates";
	if (!same_counters(&came->counters, &expected->counters))
		return "counters";
	if (came->level != expected->level || came->pardoned_s != expected->pardoned_s)
		return "level or pardon";
	if (strcmp(came->unauthorised, expected->unauthorised) != 0)
		return "domain";
	return same_habits(&came->habits, &expected->habits) ? NULL : "habits";
}

static int backs;

static void run_charge(const char *account, int *wrong)
{
	struct charge charge = random_charge(account);
	fetch(account);
	struct history expected = state.history;
	struct message_charge message = { .charge = charge };
	charge_message(&message);
	charge.now_ms = result.rates.at_ms; /* the time that Redis took */
	enum window over = history_charge(&expected, &charge);
	fetch(account);
	const char *what = differs(&state.history, &expected);
	if (result.known != KNOWLEDGE_FULL || result.breach.window != over)
		what = "answer";
	backs += charge.amounts.of[COUNTED_MESSAGES] < 0;
	if (what != NULL && (*wrong)++ < 5)
		printf("# %s: %s differ; over %d, expected %d; rates by %g\n", account, what, (int)result.breach.window,
		       (int)over, worst_rate(&state.history.rates, &expected.rates));
}

static void check_all(void)
{
	static const int64_t ages[] = { 1, 59, 61, 3599, 3601, 40000, 90000, 200000 };
	int wrong = 0, overs = 0;
	for (int i = 0; i < CHARGES; i++) {
		char account[32];
		snprintf(account, sizeof account, "account%d", (int)pick(ACCOUNTS));
		run_charge(account, &wrong);
		overs += result.breach.window != WINDOW_COUNT;
		if (i % 100 == 99)
			age(account, ages[(i / 100) % 8]);
	}
	ok(wrong == 0, "%d of %d charges came out otherwise than policy/ says", wrong, CHARGES);
	ok(backs > 50, "%d were given back", backs);
	ok(overs > CHARGES / 20 && overs < CHARGES, "%d charges passed a limit: both ways were taken", overs);
}

/* One message of `member`, in a group whose plan allows three a day. */
static void charge_member(void)
{
	struct message_charge message = { .group_count = 1, .fingerprint = 4711, .bad = true };
	message.charge = (struct charge){ .account = "member",
					  .limits = limits_unset,
					  .checked = true,
					  .quota = true,
					  .amounts = { .of = { 1, 2, 3, 1 } } };
	message.groups[0] =
		(struct group_charge){ .scope = SCOPE_CUSTOMER, .name = "customer:7", .limits = limits_unset };
	message.groups[0].limits.window[WINDOW_MSGS_PER_DAY] = 3;
	snprintf(message.groups[0].limits.plan, sizeof message.groups[0].limits.plan, "default");
	charge_message(&message);
}

static void check_groups(void)
{
	for (int i = 0; i < 3; i++)
		charge_member();
	ok(result.breach.window == WINDOW_COUNT && result.campaign.known == KNOWLEDGE_FULL,
	   "three are within the plan");
	ok(fabs(result.campaign.messages - 2) < 0.01 && fabs(result.campaign.bad - 2) < 0.01 &&
		   fabs(result.campaign.accounts - 1) < 0.1 && fabs(result.campaign.bad_accounts - 1) < 0.1,
	   "the campaign has two messages of one account behind it");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.scope == SCOPE_CUSTOMER &&
		   result.breach.limit == 3,
	   "the fourth is over the group's limit");
	ok(used("member") == 3, "its account got it back");
	command("customer:7", "HSET", "limits", "msgs_per_day", "5");
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("member") == 4, "the group's own limit holds");
	command("customer:7", "HSET", "limits", "plan", "unheard-of");
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("customer:7") == 5,
	   "a plan that nobody knows leaves what was given");
	command("customer:7", "HSET", "limits", "over", "slow");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_SLOW && used("member") == 6,
	   "what the group's own word lets pass is over and charged");
	command("customer:7", "HSET", "limits", "over", "defer reject");
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.over == OVER_UNSET && used("member") == 6,
	   "a word that is none leaves the plan's");
	command("customer:7", "SET", "block", "unpaid", NULL);
	charge_member();
	ok(result.breach.window == WINDOW_MSGS_PER_DAY && result.breach.limit == 0 && result.breach.over == OVER_REJECT,
	   "a blocked group refuses");
	command("customer:7", "DEL", "block", NULL, NULL);
	command("customer:7", "SET", "exempt", "a friend", NULL);
	charge_member();
	ok(result.breach.window == WINDOW_COUNT && used("member") == 7, "an exempt one passes");
}

/* What stands in a hash of another version. */
static void check_versions(void)
{
	struct message_charge message = { .charge = { .account = "old",
						      .limits = limits_unset,
						      .quota = true,
						      .amounts = { .of = { 1, 1, 9, 0 } } } };
	command("old", "HSET", "state", "v", "4");
	command("old", "HSET", "state", "first", "1600000000");
	charge_message(&message);
	fetch("old");
	ok(result.known == KNOWLEDGE_LOCAL && state.history.first_s == 0,
	   "another version is left alone, its account new");
	store_feedback(store, "member", COUNTER_DEAD, 3, 1);
	fetch("member");
	ok(fabs(state.history.counters.value[COUNTER_DEAD] - 3) < 0.01, "what is reported is counted");
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s unix:/path-of-redis\n", argv[0]);
		return 2;
	}
	store_begin(argv[1], "arithmetic");
	plain = redisConnectUnix(argv[1] + strlen("unix:"));
	if (plain == NULL || plain->err != 0) {
		fprintf(stderr, "%s does not answer\n", argv[1]);
		return 2;
	}
	srandom(4711);
	check_all();
	check_groups();
	check_versions();
	redisFree(plain);
	store_end();
	return done_testing();
}

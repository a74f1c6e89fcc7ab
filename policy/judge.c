/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/judge.h"

#include "policy/base/text.h"
#include "policy/signal.h"

#include <string.h>

#include "policy/base/banned.h"

enum { LISTED_SAID = 6 };	/* block lists named in the reasons of one message */

enum answer { COULD_NOT_TELL, NO, YES };

typedef enum answer rule_function(const struct policy *policy, const struct facts *facts, struct verdict *verdict);

static bool exempt(const struct facts *facts)
{
	return facts->state.exempt[0] != '\0';
}

static enum answer rule_overload(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	(void)policy;
	if (!facts->overloaded)
		return NO;
	verdict_add(verdict, REASON_OVERLOAD, 0, 0, NULL);
	verdict_raise(verdict, ACTION_DEFER, REASON_OVERLOAD);
	return YES;
}

static enum answer rule_memory(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	(void)policy;
	if (!facts->memory_spent)
		return NO;
	verdict_add(verdict, REASON_MEMORY, 0, 0, NULL);
	verdict_raise(verdict, ACTION_DEFER, REASON_MEMORY);
	return YES;
}

static enum answer rule_store(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	if (facts->state.known == KNOWLEDGE_FULL)
		return NO;
	if (!policy->store_must_answer)
		return COULD_NOT_TELL;
	verdict_add(verdict, REASON_STORE_AWAY, 0, 0, NULL);
	verdict_raise(verdict, ACTION_DEFER, REASON_STORE_AWAY);
	return YES;
}

static enum answer rule_exempt(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	(void)policy;
	if (!exempt(facts))
		return NO;
	verdict_add(verdict, REASON_ADMIN_EXEMPT, 0, 0, facts->state.exempt);
	return YES;
}

static enum answer rule_admin_block(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	if (facts->state.block[0] == '\0')
		return NO;
	verdict->level = LEVEL_BLOCKED;
	verdict_add(verdict, REASON_ADMIN_BLOCK, 0, 0, facts->state.block);
	verdict_raise(verdict, policy->blocked_action, REASON_ADMIN_BLOCK);
	return YES;
}

/* Only a stranger is refused for where he comes from. */
static enum answer rule_listed(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	const struct listings *listings = &facts->listings;
	const struct listing *allow = listings_meaning(listings, facts->client, LISTING_FOR);
	if (allow != NULL) {
		verdict_add(verdict, REASON_ALLOW_LISTED, 0, 0, allow->list->zone);
		return NO;
	}
	enum answer answer = listings->unknown > 0 ? COULD_NOT_TELL : NO;
	for (int i = 0; i < listings->hit_count; i++) {
		const struct listing *hit = &listings->hits[i];
		if (listing_means(hit, facts->client) != LISTING_AGAINST)
			continue;
		if (verdict->reason_count < LISTED_SAID)	/* there are more rules to hear */
			verdict_add(verdict, REASON_LISTED, 0, 0, hit->list->zone);
		verdict_raise(verdict, ACTION_REJECT, REASON_LISTED);
		answer = YES;
	}
	if (answer == COULD_NOT_TELL && policy->lists_must_answer && !facts->authenticated) {
		verdict_add(verdict, REASON_LISTS_AWAY, listings->unknown, 0, NULL);
		verdict_raise(verdict, ACTION_DEFER, REASON_LISTS_AWAY);
	}
	return answer;
}

/* A forwarder breaks SPF too: so a failure is a reason in the log unless the admin wants it refused. */
static enum answer rule_spf_client(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	if (facts->authenticated || facts->spf.client == SPF_ANSWER_UNKNOWN)
		return COULD_NOT_TELL;
	if (facts->spf.client != SPF_ANSWER_FAIL)
		return NO;
	verdict_add(verdict, REASON_SPF_FAIL, 0, 0, facts->spf.domain);
	if (policy->spf_refuses)
		verdict_raise(verdict, ACTION_REJECT, REASON_SPF_FAIL);
	return YES;
}

/* Receivers that heed SPF will refuse it or file it as spam, and count that against our addresses. */
static enum answer rule_spf_transports(const struct policy *policy, const struct facts *facts,
				       struct verdict *verdict)
{
	(void)policy;
	if (facts->spf.ours != SPF_OURS_NONE_PASSES)
		return NO;
	verdict_add(verdict, REASON_SPF_UNAUTHORISED, 0, 0, facts->spf.domain);
	return YES;
}

static enum answer rule_exploit(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	(void)policy;
	const struct listing *hit = listings_meaning(&facts->listings, facts->client, LISTING_EXPLOITED);
	if (hit == NULL)
		return facts->listings.unknown > 0 ? COULD_NOT_TELL : NO;
	verdict_add(verdict, REASON_EXPLOIT_LISTED, hit->list->weight, 0, hit->list->zone);
	return YES;
}

/* The action of a plan for a message over its limit. Before the message is there, it cannot be held or slowed. */
static void apply_over(const struct facts *facts, enum reason_id cause, struct verdict *verdict)
{
	switch (facts->limits.over) {
	case OVER_REJECT:
		verdict_raise(verdict, ACTION_REJECT, cause);
		break;
	case OVER_HOLD:
		verdict_raise(verdict, ACTION_HOLD, cause);
		break;
	case OVER_SLOW:
		verdict->slow = true;
		break;
	default:
		verdict_raise(verdict, ACTION_DEFER, cause);
	}
}

static enum answer rule_rcpts_per_message(const struct policy *policy, const struct facts *facts,
					  struct verdict *verdict)
{
	(void)policy;
	int64_t limit = facts->limits.rcpts_per_message;
	if (limit == LIMIT_UNSET || facts->rcpts_remote <= limit || exempt(facts))
		return NO;
	verdict_add(verdict, REASON_RCPTS_PER_MESSAGE, (double)facts->rcpts_remote, (double)limit, NULL);
	apply_over(facts, REASON_RCPTS_PER_MESSAGE, verdict);
	return YES;
}

struct amounts judge_amounts(const struct facts *facts)
{
	return (struct amounts){ .of = {
		[COUNTED_MESSAGES] = 1,
		[COUNTED_RECIPIENTS] = facts->rcpts_remote > 0 ? facts->rcpts_remote : 1,
		[COUNTED_KBYTES] = facts->kbytes,
		[COUNTED_NEW_RCPTS] = facts->rcpts_new,
	} };
}

/* What the account's own limits say before Redis has. */
static struct breach own_breach(const struct facts *facts)
{
	struct breach breach = breach_none;
	struct rates rates = facts->state.history.rates;
	struct amounts amounts = judge_amounts(facts);
	rates_roll(&rates, facts->now_ms);
	breach.window = rates_over(&rates, &facts->limits, &amounts);
	if (breach.window != WINDOW_COUNT) {
		breach.limit = facts->limits.window[breach.window];
		breach.used = rates_used(&rates, breach.window);
		breach.frees_in_s = rates_frees_in(&rates, breach.window, breach.limit,
						   amounts.of[window_counted(breach.window)]);
	}
	return breach;
}

/* Mail between users of this host is not counted. At MAIL one recipient to come is assumed: an account that is over
 * its limit hears of it before it sends the rest. */
static enum answer rule_limits(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	(void)policy;
	bool local_only = facts->rcpts_remote == 0 && facts->rcpts_local > 0;
	if (exempt(facts) || local_only)
		return NO;
	struct breach breach = facts->charged ? facts->breach : own_breach(facts);
	if (breach.window == WINDOW_COUNT)
		return NO;
	verdict->breach = breach;
	verdict_add(verdict, REASON_LIMIT, breach.used, (double)breach.limit, window_word(breach.window));
	apply_over(facts, REASON_LIMIT, verdict);
	return YES;
}

static enum answer rule_content(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	const struct content *content = &facts->content;
	if (content->known == KNOWLEDGE_NONE) {
		if (!policy->content_must_answer)
			return COULD_NOT_TELL;
		verdict_add(verdict, REASON_CONTENT_AWAY, 0, 0, NULL);
		verdict_raise(verdict, ACTION_DEFER, REASON_CONTENT_AWAY);
		return YES;
	}
	const double thresholds[] = { policy->tag_score, policy->slow_score, policy->hold_score, policy->reject_score };
	double passed = content->threshold;
	bool over = content->spam;
	for (size_t i = 0; i < sizeof thresholds / sizeof thresholds[0]; i++)
		if (content->score >= thresholds[i]) {
			passed = thresholds[i];
			over = true;
		}
	if (!over)
		return NO;
	verdict->tag = content->score >= policy->tag_score;
	verdict->slow |= content->score >= policy->slow_score;
	if (content->score >= policy->hold_score)
		verdict_raise(verdict, ACTION_HOLD, REASON_CONTENT);
	if (content->score >= policy->reject_score)
		verdict_raise(verdict, ACTION_REJECT, REASON_CONTENT);
	verdict_add(verdict, REASON_CONTENT, content->score, passed, content->scanner);
	return YES;
}

static double level_threshold(const struct policy *policy, enum level level)
{
	return level == LEVEL_BLOCKED ? policy->levels.blocked_enter : policy->levels.suspect_enter;
}

static enum level level_with(const struct policy *policy, const struct account_state *state, double score,
			     double messages, int64_t now_ms)
{
	const struct history *history = &state->history;
	struct counters counters = history->counters;
	counters_decay(&counters, now_ms);
	int64_t now_s = now_ms / 1000;
	struct level_facts facts = {
		.before = history->level,
		.before_s = now_s - history->level_since_s,
		.score = score,
		.age_s = history->first_s > 0 ? now_s - history->first_s : 0,
		.messages = counters.value[COUNTER_MESSAGES] + messages,
	};
	return level_next(&policy->levels, &facts);
}

/* Runs last: what the rules before it found about this message counts towards its own level. */
static enum answer rule_level(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	double counts[COUNTER_COUNT];
	judge_counts(facts, verdict, counts);
	verdict->terms = judge_score(policy, &facts->state, facts, counts, facts->now_ms);
	verdict->score = verdict->terms.sum;
	if (verdict->level == LEVEL_BLOCKED)	/* an admin's block */
		return NO;
	enum level before = facts->state.history.level;
	verdict->level = level_with(policy, &facts->state, verdict->score, counts[COUNTER_MESSAGES], facts->now_ms);
	if (exempt(facts))
		verdict->level = LEVEL_GOOD;
	if (before != LEVEL_UNKNOWN && verdict->level != before)
		verdict_add(verdict, REASON_LEVEL, 0, 0, level_word(verdict->level));
	if (verdict->level < LEVEL_SUSPECT)
		return NO;
	verdict_add(verdict, REASON_SCORE, verdict->score, level_threshold(policy, verdict->level), NULL);
	if (verdict->level == LEVEL_BLOCKED)
		verdict_raise(verdict, policy->blocked_action, REASON_SCORE);
	return YES;
}

/* rule, at which stages */
#define RULE_ROWS(ROW)                                                                             \
	ROW(overload, STAGE_MAIL | STAGE_MESSAGE)                                                  \
	ROW(memory, STAGE_RCPT | STAGE_MESSAGE)                                                    \
	ROW(store, STAGE_MAIL | STAGE_MESSAGE)                                                     \
	ROW(exempt, STAGE_MESSAGE)                                                                 \
	ROW(admin_block, STAGE_MAIL | STAGE_MESSAGE)                                               \
	ROW(listed, STAGE_MAIL | STAGE_MESSAGE)                                                    \
	ROW(exploit, STAGE_MESSAGE)                                                                \
	ROW(spf_client, STAGE_MAIL | STAGE_MESSAGE)                                                \
	ROW(spf_transports, STAGE_MESSAGE)                                                         \
	ROW(rcpts_per_message, STAGE_RCPT | STAGE_MESSAGE)                                         \
	ROW(limits, STAGE_MAIL | STAGE_RCPT | STAGE_MESSAGE)                                       \
	ROW(content, STAGE_MESSAGE)                                                                \
	ROW(level, STAGE_MAIL | STAGE_MESSAGE)

static const struct {
	rule_function *function;
	int stages;
} rules[] = {
#define RULE_ROW(name, stages) { rule_##name, stages },
	RULE_ROWS(RULE_ROW)
#undef RULE_ROW
};

/* By which pool and transport: the account's own, or for this message the suspect one. */
static void choose_transport(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	enum level level = verdict->level;
	if (verdict->slow && level < LEVEL_SUSPECT)
		level = LEVEL_SUSPECT;
	verdict->pool = pools_find(policy->pools, policy->pool_count, level);
	if (verdict->pool == NULL)
		return;
	verdict->transport = pool_pick(verdict->pool, facts->account, facts->transports);
	if (verdict->transport != NULL &&
	    pool_spf_moved(verdict->pool, facts->account, facts->transports, verdict->transport))
		verdict_add(verdict, REASON_SPF_PREFERS, 0, 0, verdict->transport->name);
}

struct verdict judge(const struct policy *policy, enum stage stage, const struct facts *facts)
{
	struct verdict verdict = { .action = ACTION_PASS, .breach = breach_none };
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (rules[i].stages & (int)stage)
			rules[i].function(policy, facts, &verdict);
	if (stage == STAGE_MESSAGE) {
		choose_transport(policy, facts, &verdict);
		return verdict;
	}
	/* a message that is not there yet can only be refused; what would be held is let in and held at its end */
	if (facts->injected || !verdict_refuses(&verdict))
		verdict.action = ACTION_PASS;
	return verdict;
}

void judge_counts(const struct facts *facts, const struct verdict *verdict, double counts_out[COUNTER_COUNT])
{
	memset(counts_out, 0, COUNTER_COUNT * sizeof counts_out[0]);
	bool sent = facts->rcpts_remote > 0 && !verdict_refuses(verdict);
	counts_out[COUNTER_MESSAGES] = sent ? 1 : 0;
	counts_out[COUNTER_RCPTS] = sent ? (double)facts->rcpts_remote : 0;
	counts_out[COUNTER_SPAM] = facts->content.known != KNOWLEDGE_NONE && facts->content.spam ? 1 : 0;
	const struct listing *hit = listings_meaning(&facts->listings, facts->client, LISTING_EXPLOITED);
	counts_out[COUNTER_EXPLOIT] = hit != NULL && facts->rcpts_remote > 0 ? hit->list->weight : 0;
	counts_out[COUNTER_BREACHES] = verdict->breach.window != WINDOW_COUNT ? 1 : 0;
	counts_out[COUNTER_NEW_RCPTS] = sent && facts->rcpts_new_known ? (double)facts->rcpts_new : 0;
	counts_out[COUNTER_TRAPS] = (double)facts->rcpts_trapped;
	signals_evidence(facts, counts_out);
}

/* What Redis holds of the account's SPF is changed only where it is another than before. */
static void note_spf(const struct facts *facts, struct charge *charge)
{
	char domain[STATE_DOMAIN_MAX + 1] = "";
	if (facts->spf.ours == SPF_OURS_UNKNOWN)
		return;
	text_copy(domain, sizeof domain, facts->spf.domain);
	for (char *at = domain; *at != '\0'; at++)
		*at = text_lower(*at);
	bool noted = domain[0] != '\0' && strcmp(domain, facts->state.history.unauthorised) == 0;
	if (facts->spf.ours == SPF_OURS_NONE_PASSES && !noted)
		text_copy(charge->unauthorised, sizeof charge->unauthorised, domain);
	else if (facts->spf.ours == SPF_OURS_FINE && noted)
		text_copy(charge->unauthorised, sizeof charge->unauthorised, "-");
}

void judge_charge(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		  struct charge *charge_out)
{
	(void)policy;
	*charge_out = (struct charge){ .now_ms = facts->now_ms, .limits = facts->limits };
	memcpy(charge_out->account, facts->account, sizeof charge_out->account);
	charge_out->checked = !exempt(facts);
	charge_out->quota = !verdict_refuses(verdict);
	charge_out->amounts = judge_amounts(facts);
	charge_out->digest = facts->digest;
	judge_counts(facts, verdict, charge_out->counts);
	/* what an admin decided is his key's, not the account's record: it ends with the key */
	bool by_admin = facts->state.block[0] != '\0' || exempt(facts);
	charge_out->level = by_admin ? LEVEL_UNKNOWN : verdict->level;
	charge_out->score = verdict->score;
	note_spf(facts, charge_out);
}

struct score judge_score(const struct policy *policy, const struct account_state *state, const struct facts *facts,
			 const double *more, int64_t now_ms)
{
	const struct history *history = &state->history;
	struct sight sight = {
		.history = history, .counters = history->counters, .rates = history->rates, .now_ms = now_ms, .facts = facts,
	};
	counters_decay(&sight.counters, now_ms);
	if (more != NULL)
		counters_add(&sight.counters, more);
	rates_roll(&sight.rates, now_ms);
	sight.hour_messages = rates_used(&sight.rates, WINDOW_MSGS_PER_HOUR) + (facts != NULL ? 1 : 0);
	sight.local_offset_s = facts != NULL ? facts->local_offset_s : 0;
	bool aged = history->first_s > 0 && now_ms / 1000 - history->first_s >= policy->levels.new_for_s &&
		    sight.counters.value[COUNTER_MESSAGES] >= (double)policy->levels.new_messages;
	bool good = aged || history->level == LEVEL_GOOD;
	return signals_score(policy->signals, &sight, good ? policy->prior_good : policy->prior_new);
}

enum level judge_level(const struct policy *policy, const struct account_state *state, int64_t now_ms)
{
	return level_with(policy, state, judge_score(policy, state, NULL, NULL, now_ms).sum, 0, now_ms);
}

bool judge_amend(const struct policy *policy, const struct facts *facts, const struct verdict *verdict,
		 const struct charge *charged, struct charge *amend_out)
{
	(void)policy, (void)facts, (void)verdict, (void)charged;
	*amend_out = (struct charge){ .now_ms = 0 };
	return false;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/judge.h"

#include "policy/judge_inside.h"

#include <string.h>

#include "policy/base/banned.h"

enum { LISTED_SAID = 6 }; /* block lists named in the reasons of one message */

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
	if (!judge_exempt(facts))
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
		if (verdict->reason_count < LISTED_SAID) /* there are more rules to hear */
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
static enum answer rule_spf_transports(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
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

/* Asked behind all others that hold: what waits for an admin or for hours does not leave at QUIT. Without somebody who
 * hears of the session's end nothing waits for it. */
static enum answer rule_quit(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	bool apart = facts->authenticated || facts->client_ours || facts->injected || facts->forwarder;
	if (!policy->require_quit || apart || judge_exempt(facts))
		return NO;
	if (!facts->client_known || !facts->quit_watched)
		return COULD_NOT_TELL;
	if (verdict->action != ACTION_PASS || !client_waits_for_quit(facts->client_standing))
		return NO;
	verdict_add(verdict, REASON_QUIT, 0, 0, client_standing_word(facts->client_standing));
	verdict_raise(verdict, ACTION_HOLD, REASON_QUIT);
	return YES;
}

/* Only the message's mark takes it to another transport; what goes as the MTA decides is not moved. */
static bool judge_evades_rest(const struct verdict *verdict, const struct facts *facts)
{
	return facts->receiver[0] != '\0' && verdict->markable && verdict->transport != NULL &&
	       verdict->transport != pool_pick_unrested(verdict->pool, facts->account, facts->transports);
}

/* By which pool and transport: the account's own, or for this message another one. Runs last. */
static enum answer rule_pool(const struct policy *policy, const struct facts *facts, struct verdict *verdict)
{
	if (verdict->slow && verdict->leaves_as < LEVEL_SUSPECT)
		verdict->leaves_as = LEVEL_SUSPECT;
	if (judge_in_shadow(policy, RULE_POOL))
		verdict->leaves_as = LEVEL_GOOD;
	/* a class's mail leaves by its own pool, but for what is suspect */
	if (verdict->leaves_as < LEVEL_SUSPECT)
		verdict->pool = pools_find_class(policy->pools, policy->pool_count, facts->class);
	if (verdict->pool == NULL)
		verdict->pool = pools_find(policy->pools, policy->pool_count, verdict->leaves_as);
	if (verdict->pool == NULL)
		return NO;
	verdict->markable = facts->rcpts_remote > 0 && facts->rcpts_local == 0 && facts->rcpts_unknown_mailer == 0;
	verdict->transport = pool_pick(verdict->pool, facts->account, facts->transports);
	if (verdict->transport != NULL &&
	    pool_spf_moved(verdict->pool, facts->account, facts->transports, verdict->transport))
		verdict_add(verdict, REASON_SPF_PREFERS, 0, 0, verdict->transport->name);
	if (judge_evades_rest(verdict, facts))
		verdict_add(verdict, REASON_REST, 0, 0, facts->receiver);
	return YES;
}

static const struct {
	const char *word;
	rule_function *function;
	int stages;
	bool may_shadow;
} rules[RULE_COUNT] = {
#define RULE_ROW(id, name, stages, may_shadow) [RULE_##id] = { #name, rule_##name, stages, may_shadow },
	RULE_ROWS(RULE_ROW)
#undef RULE_ROW
};

unsigned rules_find(const char *word)
{
	unsigned all = 0;
	for (unsigned i = 0; i < RULE_COUNT; i++) {
		unsigned bit = rules[i].may_shadow ? 1U << i : 0;
		if (strcmp(word, rules[i].word) == 0)
			return bit;
		all |= bit;
	}
	return strcmp(word, "all") == 0 ? all : 0;
}

const char *rule_word(enum rule rule)
{
	return rules[rule].word;
}

/* Who runs in shadow mode is not asked; level and pool are, and heed it themselves. */
static bool is_asked(const struct policy *policy, enum stage stage, enum rule rule)
{
	return (rules[rule].stages & (int)stage) != 0 &&
	       (!judge_in_shadow(policy, rule) || rule == RULE_LEVEL || rule == RULE_POOL);
}

/* Where nobody tells of the session's end after all, as no session is so long: longer than Postfix bears with one. */
enum { QUIT_HOLD_S = 7200 };

static int64_t judge_hold_s(const struct policy *policy, const struct verdict *verdict)
{
	const struct measure_setting *does = &policy->level_does[verdict->level];
	if (verdict->cause == REASON_QUIT)
		return QUIT_HOLD_S;
	return verdict->cause == REASON_SCORE && does->measure == MEASURE_HOLD ? does->hold_s : policy->hold_s;
}

static struct verdict judge_once(const struct policy *policy, enum stage stage, const struct facts *facts)
{
	struct verdict verdict = { .action = ACTION_PASS, .breach = breach_none };
	for (int i = 0; i < RULE_COUNT; i++)
		if (is_asked(policy, stage, (enum rule)i))
			rules[i].function(policy, facts, &verdict);
	if (verdict.action == ACTION_HOLD)
		verdict.hold_s = judge_hold_s(policy, &verdict);
	if (stage == STAGE_MESSAGE || stage == STAGE_ACCOUNT)
		return verdict;
	/* a message that is not there yet can only be refused; what would be held is let in and held at its end */
	if (facts->injected || !verdict_refuses(&verdict))
		verdict.action = ACTION_PASS;
	return verdict;
}

static struct would judge_would_of(const struct verdict *verdict)
{
	return (struct would){
		.action = verdict->action,
		.cause = verdict->cause,
		.level = verdict->leaves_as,
		.slow = verdict->slow,
		.score = verdict->score,
		.breach = verdict->breach,
	};
}

/* A message that is refused either way leaves by no pool and has no tag. */
static bool judge_would_differ(const struct verdict *does, const struct verdict *would)
{
	if (does->action != would->action || does->throttle != would->throttle)
		return true;
	return !verdict_refuses(does) &&
	       (does->leaves_as != would->leaves_as || does->slow != would->slow || does->tag != would->tag);
}

/* What the exemption saves the message from: another action, or the suspect pool. */
static struct would judge_spared_of(const struct policy *policy, const struct facts *facts,
				    const struct verdict *verdict)
{
	struct facts plain = *facts;
	plain.state.exempt[0] = '\0';
	struct verdict usual = judge_once(policy, STAGE_MESSAGE, &plain);
	struct would spared = judge_would_of(&usual);
	spared.shown = usual.action != verdict->action ||
		       (usual.leaves_as >= LEVEL_SUSPECT && verdict->leaves_as < LEVEL_SUSPECT);
	return spared;
}

struct verdict judge(const struct policy *policy, enum stage stage, const struct facts *facts)
{
	struct verdict verdict = judge_once(policy, stage, facts);
	if (stage == STAGE_MESSAGE && judge_exempt(facts))
		verdict.spared = judge_spared_of(policy, facts, &verdict);
	bool asked = policy->in_shadow || verdict.would.shown;
	verdict.would = judge_would_of(&verdict);
	if (!asked || policy->whole == NULL)
		return verdict;
	struct verdict whole = judge_once(policy->whole, stage, facts);
	verdict.would = judge_would_of(&whole);
	verdict.would.shown = judge_would_differ(&verdict, &whole);
	return verdict;
}

struct verdict judge_account(const struct policy *policy, struct facts *facts)
{
	if (facts->state.known == KNOWLEDGE_NONE)
		return (struct verdict){ .breach = breach_none };
	facts->no_message = true;
	return judge(policy, STAGE_ACCOUNT, facts);
}

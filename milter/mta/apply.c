/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/apply.h"

#include "milter/mta/stamp.h"
#include "milter/record/explain.h"
#include "policy/base/text.h"

#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

#define SPAM_HEADER "X-Penstock-Spam"

/* When a limit frees, in words. */
static void apply_add_wait(struct text *text, int64_t seconds)
{
	int64_t least = seconds > 0 ? seconds : 1;
	if (least < 120)
		text_addf(text, "%lld %s", (long long)least, text_noun(least, "second", "seconds"));
	else if (seconds < 7200)
		text_addf(text, "%lld minutes", (long long)((seconds + 59) / 60));
	else
		text_addf(text, "%lld hours", (long long)((seconds + 3599) / 3600));
}

/* Whose limit it is, without a name: who asks may be a stranger who guessed a password. How much all of a server's
 * customers may send together is nobody's business. */
static void apply_say_limit(const struct session *session, const struct verdict *verdict, struct text *text)
{
	/* clang-format off */
	static const char *const whose[SCOPE_COUNT] = {
		[SCOPE_ACCOUNT] = "your", [SCOPE_DOMAIN] = "your domain's", [SCOPE_CUSTOMER] = "your organisation's",
		[SCOPE_SERVER] = "this server's", [SCOPE_BOUNCE] = "your bounces'", [SCOPE_FORWARD] =
		    "your forwarded mail's",
		[SCOPE_CLIENT] = "your address's",
	};
	/* clang-format on */
	const struct breach *breach = &verdict->breach;
	(void)session;
	text_addf(text, "%s limit of ", whose[breach->scope]);
	if (breach->scope != SCOPE_SERVER)
		text_addf(text, "%lld ", (long long)breach->limit);
	text_addf(text, "%s (%s)%s reached",
		  window_said(breach->window, breach->scope == SCOPE_SERVER ? 2 : breach->limit),
		  window_word(breach->window), breach->ramp ? " for a new account" : "");
	if (breach->limit == 0) /* waiting does not help */
		return;
	text_add(text, "; try again in ");
	apply_add_wait(text, breach->frees_in_s);
}

/* The admin's note on a block is for the log: it may speak of third persons. */
static void apply_say_block(const struct session *session, const struct verdict *verdict, struct text *text)
{
	/* clang-format off */
	static const char *const what[SCOPE_COUNT] = {
		[SCOPE_ACCOUNT] = "this account is", [SCOPE_DOMAIN] = "your domain is", [SCOPE_CUSTOMER] =
		    "your organisation is",
		[SCOPE_SERVER] = "all mail of this server is", [SCOPE_BOUNCE] = "your bounces are",
		[SCOPE_FORWARD] = "your forwarded mail is", [SCOPE_CLIENT] = "your address is",
	};
	/* clang-format on */
	(void)session;
	text_addf(text, "%s blocked; please ask your provider",
		  what[verdict->breach.blocked ? verdict->breach.scope : SCOPE_ACCOUNT]);
}

static void apply_say_rcpts(const struct session *session, const struct verdict *verdict, struct text *text)
{
	(void)verdict;
	int64_t limit = session->message->facts.limits.rcpts_per_message;
	text_addf(text, "your limit of %lld %s a message (rcpts_per_message) reached", (long long)limit,
		  text_noun(limit, "recipient", "recipients"));
}

static void apply_say_listed(const struct session *session, const struct verdict *verdict, struct text *text)
{
	char client[NETADDR_TEXT_MAX];
	netaddr_text(&session->client, client);
	text_addf(text, "client [%s] is listed by", client);
	for (int i = 0; i < verdict->reason_count; i++)
		if (verdict->reasons[i].id == REASON_LISTED)
			text_addf(text, " %s", verdict->reasons[i].detail);
}

/* The level that the account has: its row of `levels` may refuse any. */
static void apply_say_level(const struct session *session, const struct verdict *verdict, struct text *text)
{
	static const char *const why[LEVEL_COUNT] = {
		[LEVEL_UNKNOWN] = "this account may not send now",
		[LEVEL_GOOD] = "this account may not send now",
		[LEVEL_NEW] = "this account is new and may not send yet",
		[LEVEL_SUSPECT] = "this account's mail looks like abuse",
		[LEVEL_BLOCKED] = "this account is blocked because its mail looked like abuse",
	};
	(void)session;
	text_addf(text, "%s; please ask your provider", why[verdict->level]);
}

/* By which signal is for support: a thief would try until it is silent. What a scanner finds is no secret of ours. */
static void apply_say_signal(const struct session *session, const struct verdict *verdict, struct text *text)
{
	(void)session;
	bool content = true;
	for (int i = 0; i < verdict->reason_count; i++) {
		const struct reason *reason = &verdict->reasons[i];
		if (reason->id == REASON_SIGNAL && reason->detail != signal_word(SIGNAL_CONTENT) &&
		    reason->detail != signal_word(SIGNAL_SPAM))
			content = false;
	}
	text_add(text, content ? "the content of this account's mail looks like spam; please ask your provider"
			       : "this message is unlike the mail of this account; please ask your provider");
}

/* What a refused client hears: reason, tag (a contract, see penstock.8), enhanced code (RFC 3463), words or the
 * function that makes them. */
/* clang-format off */
static const struct reply {
	const char *tag, *code;
	const char *words;
	void (*say)(const struct session *session, const struct verdict *verdict, struct text *text);
} replies[REASON_COUNT] = {
	[REASON_OVERLOAD] = { "busy", "3.2", "too many sessions; try again in a minute", NULL },
	[REASON_MEMORY] = { "message", "3.4", "the message has too many header fields, or memory is short", NULL },
	[REASON_STORE_AWAY] = { "later", "3.0",
	    "the limits of this account cannot be looked up now; try again later", NULL },
	[REASON_LISTS_AWAY] = { "later", "7.1",
	    "your address cannot be looked up in the block lists now; try again later",
				NULL },
	[REASON_CONTENT_AWAY] = { "later", "3.0", "the content scanner does not answer; try again later", NULL },
	[REASON_ADMIN_BLOCK] = { "blocked", "7.1", NULL, apply_say_block },
	[REASON_SCORE] = { "level", "7.1", NULL, apply_say_level },
	[REASON_LISTED] = { "listed", "7.1", NULL, apply_say_listed },
	[REASON_SPF_FAIL] = { "spf", "7.23", "the SPF record of the sender's domain does not allow your "
	    "address", NULL },
	[REASON_LIMIT] = { "limit", "7.1", NULL, apply_say_limit },
	[REASON_RCPTS_PER_MESSAGE] = { "limit", "5.3", NULL, apply_say_rcpts },
	[REASON_CONTENT] = { "content", "7.1", "the content of this message looks like spam", NULL },
	[REASON_SIGNAL] = { "signal", "7.1", NULL, apply_say_signal },
};
/* clang-format on */

/* A reason without a row of its own. */
static const struct reply other_reply = { "policy", "7.1", "refused by policy; please ask your provider", NULL };

/* The reference stands at the end and is never cut. */
static void apply_say_reply(const struct session *session, const struct verdict *verdict, char words[REPLY_MAX + 1])
{
	enum { TAIL_MAX = sizeof "; ref " + REFERENCE_MAX };
	const struct reply *reply = &replies[verdict->cause];
	if (reply->tag == NULL)
		reply = &other_reply;
	struct text text = text_over(words, REPLY_MAX + 1 - TAIL_MAX);
	text_addf(&text, "[%s] ", reply->tag);
	if (reply->say != NULL)
		reply->say(session, verdict, &text);
	else
		text_add(&text, reply->words);
	text.size = REPLY_MAX + 1;
	if (session->message->reference[0] != '\0')
		text_addf(&text, "; ref %s", session->message->reference);
}

sfsistat apply_refusal(SMFICTX *context, const struct session *session)
{
	struct message *message = session->message;
	const struct verdict *verdict = &message->verdict;
	char words[REPLY_MAX + 1], code[8], numeric[4] = "451";
	if (!verdict_refuses(verdict))
		return SMFIS_CONTINUE;
	explain_refer(session);
	bool defer = verdict->action == ACTION_DEFER;
	const char *enhanced = replies[verdict->cause].code != NULL ? replies[verdict->cause].code : other_reply.code;
	snprintf(code, sizeof code, "%c.%s", defer ? '4' : '5', enhanced);
	if (!defer)
		memcpy(numeric, "550", sizeof numeric);
	apply_say_reply(session, verdict, words);
	struct text told = text_over(message->reply, sizeof message->reply);
	text_addf(&told, "%s %s %s", numeric, code, words);
	smfi_setreply(context, numeric, code, words);
	return defer ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

/* Only a milter of the MTA may say by which pool: what the client wrote of that kind goes. Highest index first: the
 * others keep theirs. */
static void delete_forged(SMFICTX *context, const struct message *message)
{
	for (const struct forged *forged = message->forged; forged != NULL; forged = forged->next)
		for (int i = forged->count; i > 0; i--)
			smfi_chgheader(context, forged->name, i, NULL);
}

static void insert_header(SMFICTX *context, const char *name, const char *value)
{
	smfi_insheader(context, 0, (char *)(uintptr_t)name, (char *)(uintptr_t)value);
}

sfsistat apply_verdict(SMFICTX *context, const struct session *session)
{
	const struct message *message = session->message;
	const struct verdict *verdict = &message->verdict;
	char value[80];
	if (verdict_refuses(verdict))
		return apply_refusal(context, session);
	explain_refer(session);
	delete_forged(context, message);
	stamp_message(context, session);
	if (verdict->tag) {
		snprintf(value, sizeof value, "yes, score=%.1f", message->facts.content.score);
		insert_header(context, SPAM_HEADER, value);
	}
	if (verdict_mark(verdict) != NULL)
		insert_header(context, session->setup->config->set.postfix_header, verdict_mark(verdict)->name);
	if (verdict->action == ACTION_HOLD) {
		snprintf(value, sizeof value, "penstock: %s; ref %s", reason_word(verdict->cause), message->reference);
		smfi_quarantine(context, value);
	}
	return SMFIS_CONTINUE;
}

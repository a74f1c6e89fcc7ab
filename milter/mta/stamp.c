/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/stamp.h"

#include "milter/daemon/stats.h"
#include "milter/feedback/token.h"
#include "policy/base/text.h"
#include "policy/hash.h"
#include "redis-schema/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/base/banned.h"

#define ADDRESS_HEADER "CFBL-Address"
#define IDENTIFIER_HEADER "CFBL-Feedback-ID"
#define GMAIL_HEADER "Feedback-ID"

enum { ARGUMENT_MAX = 20 };

/* ---- at MAIL */

/* An ESMTP argument that a changed sender keeps on both MTAs: Postfix 3.7 keeps them itself, and Sendmail those that it
 * is told again. Of others nobody knows. */
static bool stamp_keeps(const char *argument)
{
	return strncasecmp(argument, "SIZE=", 5) == 0 || strncasecmp(argument, "BODY=", 5) == 0 ||
	       strncasecmp(argument, "RET=", 4) == 0;
}

void stamp_mail(struct session *session, char **arguments)
{
	struct message *message = session->message;
	const struct settings *set = &session->setup->config->set;
	const char *ret = "";
	if (!session->changes_sender || !set->feedback_envid || arguments[0] == NULL || strcmp(arguments[0], "<>") == 0)
		return;
	for (int i = 1; arguments[i] != NULL; i++) {
		if (i > ARGUMENT_MAX || !stamp_keeps(arguments[i]))
			return;
		if (strncasecmp(arguments[i], "RET=", 4) == 0)
			ret = strcasecmp(arguments[i] + 4, "FULL") == 0 ? "RET=FULL " : "RET=HDRS ";
	}
	message->ret = ret;
	message->sender = arena_copy(&message->arena, arguments[0], ADDRESS_MAX);
	if (message->sender != NULL && strcmp(message->sender, arguments[0]) != 0)
		message->sender = NULL; /* it was cut */
}

/* ---- at the end */

static bool stamp_has_name(const char *name, const char *ours)
{
	return *ours != '\0' && text_same_nocase(name, ours);
}

/* RFC 9477's identifier belongs to its address: a client's stays, below ours, where his address does. */
bool stamp_replaces(const struct config *config, const char *name)
{
	const struct settings *set = &config->set;
	bool told = *set->feedback_address != '\0';
	return (stamp_has_name(name, set->feedback_header) && (told || !text_same_nocase(name, IDENTIFIER_HEADER))) ||
	       (told && text_same_nocase(name, ADDRESS_HEADER)) ||
	       (*set->feedback_id != '\0' && text_same_nocase(name, GMAIL_HEADER));
}

/* Highest index first: the others keep theirs. */
static void stamp_put(SMFICTX *context, const struct message *message, const char *name, const char *value)
{
	for (const struct forged *theirs = message->replaced; theirs != NULL; theirs = theirs->next)
		for (int i = text_same_nocase(theirs->name, name) ? theirs->count : 0; i > 0; i--)
			smfi_chgheader(context, theirs->name, i, NULL);
	smfi_insheader(context, 0, (char *)(uintptr_t)name, (char *)(uintptr_t)value);
}

/* Gmail adds up by each of the first three, and by the last one whose it is: numbers by which it learns no names, which
 * stay as long as the secret does. */
static void stamp_put_gmail(SMFICTX *context, const struct session *session, const uint64_t secret[2])
{
	const struct facts *facts = &session->message->facts;
	uint64_t key[2] = { secret[0] ^ UINT64_C(0x666565646261636b), secret[1] };
	char value[120];
	struct text text = text_over(value, sizeof value);
	text_addf(&text, "a%016" PRIx64 ":", hash_keyed(key, facts->account, strlen(facts->account)));
	if (facts->limits.customer[0] != '\0')
		text_addf(&text, "c%016" PRIx64,
			  hash_keyed(key, facts->limits.customer, strlen(facts->limits.customer)));
	text_addf(&text, ":%s:%s", source_word(facts->source), session->setup->config->set.feedback_id);
	stamp_put(context, session->message, GMAIL_HEADER, value);
}

static void stamp_put_envid(SMFICTX *context, const struct message *message, const char *token)
{
	char arguments[16 + TOKEN_ENVID_MAX];
	struct text text = text_over(arguments, sizeof arguments);
	if (message->sender == NULL || strlen(token) > TOKEN_ENVID_MAX)
		return;
	text_addf(&text, "%sENVID=%s", message->ret, token);
	smfi_chgfrom(context, message->sender, arguments);
}

static bool stamp_make(const struct message *message, const uint64_t secret[2], char token[TOKEN_TEXT_MAX + 1])
{
	const struct facts *facts = &message->facts;
	const struct transport *mark = verdict_mark(&message->verdict);
	struct token of = { .time_ms = facts->now_ms, .rcpts = (int)facts->rcpts_remote };
	text_copy(of.account, sizeof of.account, facts->account);
	text_copy(of.transport, sizeof of.transport, mark != NULL ? mark->name : "");
	return token_make(secret, &of, token);
}

void stamp_message(SMFICTX *context, const struct session *session)
{
	const struct message *message = session->message;
	const struct facts *facts = &message->facts;
	const struct settings *set = &session->setup->config->set;
	char token[TOKEN_TEXT_MAX + 1], value[300];
	uint64_t secret[2];
	bool wanted = *set->feedback_header != '\0' || message->sender != NULL || *set->feedback_id != '\0';
	if (!wanted || !facts->authenticated || facts->class != MAIL_CLASS_ACCOUNT || facts->rcpts_remote <= 0)
		return;
	if (!store_secret(the_daemon.store, secret) || !stamp_make(message, secret, token)) {
		stats_feedback(FEEDBACK_UNMARKED);
		return;
	}
	if (*set->feedback_id != '\0')
		stamp_put_gmail(context, session, secret);
	stamp_put_envid(context, message, token);
	if (*set->feedback_header == '\0')
		return;
	if (*set->feedback_address != '\0') {
		snprintf(value, sizeof value, "%s; report=arf", set->feedback_address);
		stamp_put(context, message, ADDRESS_HEADER, value);
	}
	stamp_put(context, message, set->feedback_header, token);
}

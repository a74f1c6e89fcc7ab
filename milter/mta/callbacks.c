/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/mta/callbacks.h"

#include "milter/mta/apply.h"
#include "milter/message/gather.h"
#include "milter/base/idn.h"
#include "milter/clients/clients.h"
#include "milter/daemon/mailers.h"
#include "milter/record/record.h"
#include "milter/message/scan_text.h"
#include "milter/message/session.h"
#include "milter/mta/stamp.h"
#include "milter/record/trap_hits.h"
#include "policy/base/text.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/base/banned.h"

/* Which answers we do not owe: asking for this doubles libmilter's throughput. */
#define NO_REPLIES (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY)
/* But Postfix keeps what it needs no answer to in its buffer until it does: a connection would be told at MAIL, and the
 * block lists asked only then. Where there are lists, connect is answered. */
#define WITH_LISTS ((unsigned long)SMFIP_NR_CONN)
#define ACTIONS (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE)
#define OPTIONAL ((unsigned long)(SMFIF_SETSYMLIST | SMFIF_CHGFROM))

static const char *macro(SMFICTX *context, const char *name)
{
	const char *value = smfi_getsymval(context, (char *)(uintptr_t)name);
	return value != NULL && *value != '\0' ? value : NULL;
}

/* What is read, by the stages at which it is needed. We ask for it: lists of the MTA's own (milter_mail_macros of
 * Postfix), which an admin may have cut or misspelt, do not hold then. Sendmail takes as many as are here. */
/* clang-format off */
static const struct { int stage; const char *names; } macro_lists[] = {
	{ SMFIM_CONNECT, "j" },
	{ SMFIM_HELO, "{tls_version}" },
	{ SMFIM_ENVFROM, "i {auth_authen} {cert_subject} {verify}" },
	{ SMFIM_ENVRCPT, "i {rcpt_addr} {rcpt_mailer}" },
	{ SMFIM_DATA, "i" },
	{ SMFIM_EOH, "i" },
	{ SMFIM_EOM, "i" },
};
/* clang-format on */

/* False where the MTA would not give us what accounts are known by. */
static bool callback_ask_macros(SMFICTX *context)
{
	for (size_t i = 0; i < sizeof macro_lists / sizeof macro_lists[0]; i++)
		if (smfi_setsymlist(context, macro_lists[i].stage, (char *)(uintptr_t)macro_lists[i].names) !=
		    MI_SUCCESS)
			return false;
	return true;
}

/* The session, made where the callback that should have made it did not come; NULL without memory. */
static struct session *callback_get_session(SMFICTX *context)
{
	void *private = smfi_getpriv(context);
	if (private != NULL)
		return session_of(private);
	struct session *session = session_new();
	if (session != NULL && smfi_setpriv(context, session) != MI_SUCCESS)
		session_free(&session);
	return session;
}

static sfsistat no_answer(const struct session *session)
{
	return session != NULL && session->no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat callback_on_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps,
				      unsigned long unused0, unsigned long unused1, unsigned long *actions_out,
				      unsigned long *steps_out, unsigned long *unused0_out, unsigned long *unused1_out)
{
	(void)unused0;
	(void)unused1;
	struct session *session = callback_get_session(context);
	if (session == NULL || (actions & ACTIONS) != ACTIONS)
		return SMFIS_REJECT; /* an MTA that cannot hold or add a header: nothing of ours would work */
	session->no_reply = (steps & NO_REPLIES) == NO_REPLIES;
	if ((actions & SMFIF_SETSYMLIST) != 0 && !callback_ask_macros(context))
		return SMFIS_REJECT;
	session->changes_sender = (actions & SMFIF_CHGFROM) != 0;
	*actions_out = ACTIONS | (actions & OPTIONAL);
	*steps_out = steps & (SMFIP_NODATA | SMFIP_NOUNKNOWN);
	session->answers_connect = session->setup->config->mail_list_count > 0;
	if (session->no_reply)
		*steps_out |= NO_REPLIES & ~(session->answers_connect ? WITH_LISTS : 0);
	*unused0_out = *unused1_out = 0;
	return SMFIS_CONTINUE;
}

static sfsistat callback_on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
	struct session *session = callback_get_session(context);
	uint16_t port = 0;
	(void)name;
	if (session == NULL)
		return SMFIS_TEMPFAIL;
	if (address != NULL && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
		session->client = netaddr_v4((const uint8_t *)&in->sin_addr);
		port = in->sin_port;
	} else if (address != NULL && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
		session->client = netaddr_v6((const uint8_t *)&in6->sin6_addr);
		port = in6->sin6_port;
	}
	/* Postfix gives mail of sendmail(1) as a connection from 127.0.0.1 without a port */
	session->injected = port == 0 && netaddr_is_loopback(&session->client);
	if (!session->connected)
		gather_connect(session);
	session->connected = true;
	return session->answers_connect ? SMFIS_CONTINUE : no_answer(session);
}

static sfsistat callback_on_helo(SMFICTX *context, char *name)
{
	struct session *session = callback_get_session(context);
	char ascii[IDN_DOMAIN_MAX + 1];
	if (session != NULL && name != NULL)
		session->helo = arena_copy(&session->arena, idn_domain(name, ascii) ? ascii : name, HELO_MAX);
	if (session != NULL && macro(context, "{tls_version}") != NULL)
		session->encrypted = true;
	return no_answer(session);
}

static sfsistat callback_on_mail(SMFICTX *context, char **arguments)
{
	struct session *session = callback_get_session(context);
	struct message *message = session != NULL ? session_begin(session) : NULL;
	if (message == NULL)
		return SMFIS_TEMPFAIL;
	idn_address(arguments[0] != NULL ? arguments[0] : "", message->from);
	stamp_mail(session, arguments);
	struct mail_macros macros = {
		.auth_authen = macro(context, "{auth_authen}"),
		.cert_subject = macro(context, "{cert_subject}"),
		.verify = macro(context, "{verify}"),
		.host = macro(context, "j"),
	};
	gather_mail(session, &macros);
	message->verdict = judge(&session->setup->config->policy, STAGE_MAIL, &message->facts);
	if (!verdict_refuses(&message->verdict))
		return SMFIS_CONTINUE;
	sfsistat answer = apply_refusal(context, session);
	record_verdict(session, STAGE_MAIL, &message->facts, macro(context, "i"));
	if (message->verdict.cause == REASON_LIMIT)
		gather_note_breach(session);
	session_end(session);
	return answer;
}

static sfsistat callback_on_rcpt(SMFICTX *context, char **arguments)
{
	struct session *session = callback_get_session(context);
	struct message *message = session != NULL ? session->message : NULL;
	if (message == NULL)
		return SMFIS_TEMPFAIL;
	const struct config *config = session->setup->config;
	const char *resolved = macro(context, "{rcpt_addr}"), *said = arguments[0] != NULL ? arguments[0] : "";
	/* user%host@here is user@host to the MTA, which alone knows what "here" is; of its own users Sendmail gives the
	 * name */
	const char *raw = resolved != NULL && strchr(resolved, '@') != NULL ? resolved : said;
	const char *mailer = macro(context, "{rcpt_mailer}");
	enum rcpt_way way = config_rcpt_way(config, mailer, raw);
	struct with_rcpt with;
	if (way == RCPT_WAY_STRANGE)
		mailers_note(mailer);
	gather_rcpt(session, raw, way, &with);
	if (way != RCPT_WAY_LOCAL)
		message->verdict = judge(&config->policy, STAGE_RCPT, &with.facts);
	if (way == RCPT_WAY_LOCAL || !verdict_refuses(&message->verdict)) {
		gather_take_rcpt(session, &with);
		return SMFIS_CONTINUE;
	}
	sfsistat answer = apply_refusal(context, session);
	if (!message->rcpt_refused) { /* one line a message, however many recipients are refused */
		record_verdict(session, STAGE_RCPT, &with.facts, macro(context, "i"));
		if (message->verdict.cause != REASON_MEMORY)
			gather_note_breach(session);
	}
	message->rcpt_refused = true;
	return answer;
}

static sfsistat callback_on_header(SMFICTX *context, char *name, char *value)
{
	struct session *session = callback_get_session(context);
	struct message *message = session != NULL ? session->message : NULL;
	if (message == NULL)
		return no_answer(session);
	if (message->scan.length == 0 && message->scan.most > 0)
		scan_text_received(session, macro(context, "j"), macro(context, "i"));
	if (strncasecmp(name, "X-Penstock-", 11) == 0)
		message_note_forged(message, name);
	else if (stamp_replaces(session->setup->config, name))
		message_note_replaced(message, name);
	if (strncasecmp(name, "X-Penstock-", 11) != 0)
		scan_text_header(message, name, value);
	anomaly_header(&message->anomaly, name, value, &message->rcpts, &message->facts);
	body_header(&message->body, name, value);
	return no_answer(session);
}

static sfsistat callback_on_header_end(SMFICTX *context)
{
	struct session *session = callback_get_session(context);
	if (session != NULL && session->message != NULL) {
		message_keep(session->message, "\r\n", 2);
		body_header_end(&session->message->body);
	}
	return no_answer(session);
}

static sfsistat callback_on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
	struct session *session = callback_get_session(context);
	if (session != NULL && session->message != NULL) {
		message_keep(session->message, (const char *)bytes, length);
		body_add(&session->message->body, (const char *)bytes, length);
	}
	return no_answer(session);
}

static void callback_judge_message(struct session *session)
{
	const struct policy *policy = &session->setup->config->policy;
	struct message *message = session->message;
	message->verdict = judge(policy, STAGE_MESSAGE, &message->facts);
	if (gather_note_try(session))
		message->verdict = judge(policy, STAGE_MESSAGE, &message->facts);
}

static bool callback_is_stranger(const struct session *session)
{
	return session->connected && !session->injected && !session->proven;
}

/* How the client stands for its next message hangs on this one. */
static void callback_note_message(const struct session *session)
{
	const struct facts *facts = &session->message->facts;
	if (callback_is_stranger(session) && !facts->client_ours)
		clients_note_message(&session->client, session->encrypted,
				     facts->content.known != KNOWLEDGE_NONE && facts->content.spam, facts->forwarder);
}

static sfsistat callback_on_message_end(SMFICTX *context)
{
	struct session *session = callback_get_session(context);
	struct message *message = session != NULL ? session->message : NULL;
	if (message == NULL)
		return SMFIS_TEMPFAIL;
	gather_message(session);
	callback_judge_message(session);
	gather_charge(session);
	if (message->facts.charged || message->facts.memory_spent) {
		callback_judge_message(session);
		gather_amend(session);
	}
	trap_hits_note(message->facts.account, judge_trap_hits(&message->facts, &message->verdict),
		       session->setup->config->set.traps_delay_minutes);
	sfsistat answer = apply_verdict(context, session);
	record_verdict(session, STAGE_MESSAGE, &message->facts, macro(context, "i"));
	callback_note_message(session);
	session_end(session);
	return answer;
}

static sfsistat callback_on_abort(SMFICTX *context)
{
	void *private = smfi_getpriv(context);
	if (private != NULL)
		session_end(session_of(private));
	return SMFIS_CONTINUE;
}

/* Runs under the lock of libmilter's worker pool: nothing here may wait. */
static sfsistat callback_on_close(SMFICTX *context)
{
	void *private = smfi_getpriv(context);
	if (private == NULL)
		return SMFIS_CONTINUE;
	struct session *session = session_of(private);
	smfi_setpriv(context, NULL);
	if (callback_is_stranger(session))
		clients_note_session(&session->client, session->encrypted);
	session_free(&session);
	return SMFIS_CONTINUE;
}

const struct smfiDesc callbacks = {
	.xxfi_name = (char *)(uintptr_t) "penstock",
	.xxfi_version = SMFI_VERSION,
	.xxfi_flags = ACTIONS | SMFIF_CHGFROM,
	.xxfi_connect = callback_on_connect,
	.xxfi_helo = callback_on_helo,
	.xxfi_envfrom = callback_on_mail,
	.xxfi_envrcpt = callback_on_rcpt,
	.xxfi_header = callback_on_header,
	.xxfi_eoh = callback_on_header_end,
	.xxfi_body = callback_on_body,
	.xxfi_eom = callback_on_message_end,
	.xxfi_abort = callback_on_abort,
	.xxfi_close = callback_on_close,
	.xxfi_negotiate = callback_on_negotiate,
};

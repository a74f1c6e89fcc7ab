/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/postfix_line.h"

#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

/* Reads what is behind a row's first word. False: it is not what the row says, as half a line is not. */
typedef bool postfix_reader(struct span rest, struct log_event *event);

/* -- deliveries -- */

static enum log_status postfix_status(struct span word)
{
	static const struct {
		const char *word;
		enum log_status status;
	} words[] = {
#define POSTFIX_STATUS(id, word) { word, LOG_STATUS_##id },
		LOG_STATUS_ROWS(POSTFIX_STATUS){ "force-expired", LOG_STATUS_EXPIRED },
	};
	for (size_t i = 1; i < sizeof words / sizeof *words; i++)
		if (span_is(word, words[i].word))
			return words[i].status;
	return LOG_STATUS_NONE;
}

/* "host X[ip] said: " and "host X[ip] refused to talk to me: " stand before a server's own words. Behind those of the
 * first one Postfix says to which command it answered; whatever else looks so is the server's. */
static void postfix_read_text(struct span text, struct log_event *event)
{
	struct span words = text, stage;
	event->suspended = token_skip(&words, "delivery temporarily suspended: ");
	event->text = words;
	if (token_skip(&words, "forwarded as ") && token_is_postfix_id(words))
		event->other_id = words;
	if (!token_skip(&words, "host ") || !token_host(&words, NULL, NULL))
		return;
	event->greeting = token_skip(&words, " refused to talk to me: ");
	event->remote = event->greeting || token_skip(&words, " said: ");
	if (!event->remote)
		return;
	event->text = words;
	if (event->greeting || !token_ends(words, ")") || !token_behind_last(words, " (in reply to ", &stage))
		return;
	event->text.length = (size_t)(stage.at - words.at) - strlen(" (in reply to ");
	event->stage_mail = span_is(stage, "MAIL FROM command)");
	event->stage_dot = span_is(stage, "end of DATA command)");
}

static void postfix_read_relay(struct span relay, struct log_event *event)
{
	if (span_is(relay, "none"))
		return;
	event->relay_host = relay;
	token_host(&relay, &event->relay_host, &event->relay_address);
}

/* One of relay=, dsn=, orig_to= ..., of which none holds ", ". status= is the last one. */
static bool postfix_read_field(struct span *rest, struct log_event *event)
{
	if (token_skip(rest, "orig_to="))
		return token_address(rest, &event->orig_to) && token_skip(rest, ", ");
	struct span field;
	if (!token_until(rest, ", ", &field))
		return false;
	if (token_skip(&field, "relay="))
		postfix_read_relay(field, event);
	else if (token_skip(&field, "dsn="))
		event->dsn = field;
	return true;
}

/* A filter of this host, which gives the message back to Postfix and says under what id it stands there now. What
 * servers elsewhere say is their own id. */
static void postfix_read_filter(struct log_event *event)
{
	struct span address = event->relay_address, id;
	bool here = span_is(address, "::1") || token_skip(&address, "127.");
	if (here && token_behind_last(event->text, "queued as ", &id) && token_is_postfix_id(id))
		event->other_id = id;
}

static bool postfix_delivery(struct span rest, struct log_event *event)
{
	struct span word;
	if (!token_address(&rest, &event->rcpt) || !token_skip(&rest, ", "))
		return false;
	while (!token_skip(&rest, "status="))
		if (!postfix_read_field(&rest, event))
			return false;
	if (!token_until(&rest, " (", &word))
		return false;
	event->status = postfix_status(word);
	token_cut_end(&rest, ")");
	postfix_read_text(rest, event);
	/* of what was taken the server's words stand there alone */
	if (event->status == LOG_STATUS_SENT)
		postfix_read_filter(event);
	event->remote = event->remote || (event->status == LOG_STATUS_SENT && event->relay_address.at != NULL);
	return event->status != LOG_STATUS_NONE;
}

/* -- the queue -- */

static bool postfix_queued(struct span rest, struct log_event *event)
{
	if (!token_address(&rest, &event->sender) || !token_skip(&rest, ", "))
		return false;
	if (token_skip(&rest, "status=")) {
		event->kind = LOG_EXPIRED;
		event->status = postfix_status(token_to(&rest, ", "));
		event->text = rest;
		return event->status == LOG_STATUS_EXPIRED;
	}
	return token_skip(&rest, "size=") && token_number(&rest, &event->size) && token_skip(&rest, ", nrcpt=") &&
	       token_number(&rest, &event->rcpts);
}

/* The sender is a stranger's and need not be quoted: an id that is at the end is behind it. */
static bool postfix_pickup(struct span rest, struct log_event *event)
{
	bool requeued = token_behind_last(rest, "> orig_id=", &event->orig_id) && token_is_postfix_id(event->orig_id);
	event->kind = requeued ? LOG_REQUEUED : LOG_IGNORED;
	return true;
}

static bool postfix_notice(struct span rest, struct log_event *event)
{
	return token_until(&rest, ": ", &event->text) && token_ends(event->text, " notification") &&
	       token_is_postfix_id(event->other_id = rest);
}

static bool postfix_whole(struct span rest, struct log_event *event)
{
	(void)event;
	return rest.length == 0;
}

/* "<id>"; what else a client writes there is taken as it is. */
static bool postfix_message_id(struct span rest, struct log_event *event)
{
	if (token_skip(&rest, "<"))
		token_cut_end(&rest, ">");
	event->message_id = rest;
	return true;
}

/* -- clients -- */

/* "host[address]:port, sasl_method=PLAIN, sasl_username=alice". The login is the client's text: what stands behind it
 * is read only where there is none. */
static bool postfix_client(struct span rest, struct log_event *event)
{
	struct span method;
	if (!token_host(&rest, NULL, &event->client))
		return false;
	if (token_skip(&rest, ", sasl_method=") && token_until(&rest, ", sasl_username=", &method))
		event->login = rest;
	else if (token_skip(&rest, ", orig_queue_id="))
		event->orig_id = token_to(&rest, ", ");
	return true;
}

static bool postfix_connect(struct span rest, struct log_event *event)
{
	return token_host(&rest, NULL, &event->client);
}

/* How often the command came and was taken; 0: not at all. */
static int64_t postfix_commands(struct span rest, const char *command)
{
	struct span before;
	int64_t count = 0;
	if (token_until(&rest, command, &before))
		token_number(&rest, &count);
	return count;
}

/* "from host[address] ehlo=1 starttls=0/1 data=1/2 quit=1 commands=2". Neither a hang-up behind the last dot nor one in
 * the middle of a TLS handshake has a line of its own. */
static bool postfix_session_end(struct span rest, struct log_event *event)
{
	struct span before, words;
	if (!token_host(&rest, NULL, &event->client))
		return false;
	event->authenticated = postfix_commands(rest, " auth=") > 0;
	words = rest;
	event->quit = token_until(&words, " quit=", &before);
	words = rest;
	event->stage_dot = !event->quit && postfix_commands(rest, " data=") + postfix_commands(rest, " bdat=") > 0;
	if (!event->quit && !event->stage_dot && token_until(&words, " starttls=0/", &before))
		event->text = (struct span){ before.at + before.length + 1, strlen("starttls") };
	return true;
}

/* "DATA (29 bytes) from host[address]" */
static bool postfix_hangup(struct span rest, struct log_event *event)
{
	if (!token_until(&rest, " from ", &event->text) || !token_host(&rest, NULL, &event->client))
		return false;
	struct span stage = event->text;
	event->text = token_to(&stage, " ");
	return true;
}

static bool postfix_timeout(struct span rest, struct log_event *event)
{
	event->timeout = true;
	return postfix_hangup(rest, event);
}

/* "RCPT from host[address]: 554 5.7.1 ..."; of "header ..." and "body ..." the first words are the message's. */
static bool postfix_rejected(struct span rest, struct log_event *event)
{
	event->text = rest;
	struct span stage = token_to(&rest, " ");
	event->gone = span_is(stage, "END-OF-MESSAGE");
	bool of_client = stage.length > 0 && stage.at[0] >= 'A' && stage.at[0] <= 'Z';
	if (of_client && token_skip(&rest, "from ") && token_host(&rest, NULL, &event->client) &&
	    token_skip(&rest, ": "))
		event->text = rest;
	event->authenticated = token_ends(rest, ">") && token_behind_last(rest, "> sasl_username=<", &stage);
	return true;
}

static bool postfix_held(struct span rest, struct log_event *event)
{
	bool read = postfix_rejected(rest, event);
	event->gone = false;
	return read;
}

/* "from host[address]: GET / HTTP/1.1", "after RCPT from host[address]: ...". */
static bool postfix_protocol(struct span rest, struct log_event *event)
{
	struct span stage;
	return (token_skip(&rest, "from ") || token_until(&rest, " from ", &stage)) &&
	       token_host(&rest, NULL, &event->client);
}

/* "warning: host[address]:port: SASL PLAIN authentication failed: why, sasl_username=..." and any other warning */
static bool postfix_warning(struct span rest, struct log_event *event)
{
	struct span method;
	if (token_skip(&rest, "non-SMTP command ")) {
		event->kind = LOG_PROTOCOL;
		return postfix_protocol(rest, event);
	}
	event->kind = LOG_IGNORED;
	if (!token_host(&rest, NULL, &event->client) || !token_skip(&rest, ": SASL ") ||
	    !token_until(&rest, " authentication ", &method))
		return true;
	if (!token_skip(&rest, "failed: ") && !token_skip(&rest, "aborted"))
		return true;
	event->kind = LOG_LOGIN_FAILED;
	event->text = token_to(&rest, ", sasl_username=");
	if (rest.length > 0 && !span_is(rest, "(unavailable)"))
		event->login = rest;
	return true;
}

/* "PREGREET 15 after 0 from [address]:port: ...", "NOQUEUE: reject: RCPT from [address]:port: ..." */
static bool postfix_postscreen(struct span rest, struct log_event *event)
{
	size_t length = 0;
	struct span before;
	event->text = rest;
	while (length < rest.length && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ- ", rest.at[length]) != NULL &&
	       rest.at[length] != '\0')
		length++;
	if (token_skip(&rest, "NOQUEUE: "))
		event->text = token_to(&rest, ":");
	else
		event->text.length = length;
	token_cut_end(&event->text, " ");
	if (token_until(&rest, "[", &before) && !token_until(&rest, "]", &event->client))
		return false;
	event->greeting = token_ends(rest, " in tests before SMTP handshake");
	event->kind = event->text.length > 1 ? LOG_POSTSCREEN : LOG_IGNORED;
	return true;
}

/* -- the rows -- */

enum { /* who writes a line */
       SMTPD = 1 << 0,
       CLEANUP = 1 << 1,
       QMGR = 1 << 2,
       DELIVERS = 1 << 3,
       BOUNCE = 1 << 4,
       PICKUP = 1 << 5,
       POSTSUPER = 1 << 6,
       POSTSCREEN = 1 << 7,
       SERVES = 1 << 8, /* says nothing that is followed */
       EACH = (1 << 9) - 1,
};

static const struct postfix_daemon {
	const char *name;
	int writes;
} daemons[] = {
	{ "smtp", DELIVERS },
	{ "qmgr", QMGR },
	{ "smtpd", SMTPD },
	{ "cleanup", CLEANUP },
	{ "bounce", BOUNCE },
	{ "error", DELIVERS },
	{ "local", DELIVERS },
	{ "lmtp", DELIVERS },
	{ "pipe", DELIVERS },
	{ "virtual", DELIVERS },
	{ "discard", DELIVERS },
	{ "pickup", PICKUP },
	{ "postscreen", POSTSCREEN },
	{ "postsuper", POSTSUPER },
	{ "oqmgr", QMGR },
	{ "qmqpd", SMTPD },
	{ "anvil", SERVES },
	{ "scache", SERVES },
	{ "master", SERVES },
	{ "postfix-script", SERVES },
	{ "tlsproxy", SERVES },
	{ "tlsmgr", SERVES },
	{ "trivial-rewrite", SERVES },
	{ "verify", SERVES },
	{ "proxymap", SERVES },
	{ "dnsblog", SERVES },
	{ "flush", SERVES },
	{ "showq", SERVES },
	{ "spawn", SERVES },
	{ "postlogd", SERVES },
	{ "postqueue", SERVES },
	{ "postdrop", SERVES },
	{ "sendmail", SERVES },
	{ "postalias", SERVES },
	{ "postmap", SERVES },
	{ "postlog", SERVES },
	{ "postkick", SERVES },
	{ "postcat", SERVES },
	{ "postmulti", SERVES },
	{ "postconf", SERVES },
};

enum postfix_id { NO_ID, ID, EITHER }; /* whether "QUEUE_ID: " or "NOQUEUE: " stands before it */

/* The first one that fits is it. A reader may still say another kind. */
static const struct postfix_row {
	int writes;
	enum postfix_id id;
	const char *first;
	enum log_kind kind;
	postfix_reader *read; /* NULL: there is nothing to read */
} rows[] = {
	{ DELIVERS | QMGR, ID, "to=", LOG_DELIVERY, postfix_delivery },
	{ QMGR, ID, "from=", LOG_QUEUED, postfix_queued },
	{ QMGR | POSTSUPER, ID, "removed", LOG_REMOVED, postfix_whole },
	{ CLEANUP, ID, "message-id=", LOG_MESSAGE_ID, postfix_message_id },
	{ SMTPD, ID, "client=", LOG_CLIENT, postfix_client },
	{ SMTPD, NO_ID, "connect from ", LOG_CONNECT, postfix_connect },
	{ SMTPD, NO_ID, "disconnect from ", LOG_SESSION_END, postfix_session_end },
	{ SMTPD, EITHER, "lost connection after ", LOG_HANGUP, postfix_hangup },
	{ SMTPD, EITHER, "timeout after ", LOG_HANGUP, postfix_timeout },
	{ SMTPD, EITHER, "too many errors after ", LOG_HANGUP, postfix_hangup },
	{ SMTPD, EITHER, "improper command pipelining ", LOG_PROTOCOL, postfix_protocol },
	{ SMTPD | CLEANUP, EITHER, "milter-reject: ", LOG_REJECTED, postfix_rejected },
	{ CLEANUP, ID, "milter-discard: ", LOG_REJECTED, postfix_rejected },
	{ SMTPD | CLEANUP, EITHER, "reject: ", LOG_REJECTED, postfix_rejected },
	{ SMTPD, EITHER, "warning: ", LOG_LOGIN_FAILED, postfix_warning },
	{ BOUNCE, ID, "", LOG_NOTICE, postfix_notice },
	{ PICKUP, ID, "uid=", LOG_REQUEUED, postfix_pickup },
	{ POSTSCREEN, EITHER, "", LOG_POSTSCREEN, postfix_postscreen },
	{ CLEANUP | SMTPD, ID, "milter-hold: ", LOG_HELD, postfix_held },
	{ CLEANUP | SMTPD, ID, "hold: ", LOG_HELD, postfix_held },
	{ POSTSUPER, ID, "placed on hold", LOG_HELD, postfix_whole },
	{ POSTSUPER, ID, "released from hold", LOG_RELEASED, postfix_whole },
	/* pickup says the new id, qmgr the end */
	{ POSTSUPER, ID, "requeued", LOG_IGNORED, postfix_whole },
	{ POSTSUPER, ID, "expired", LOG_IGNORED, postfix_whole },
	/* a way that was tried, before the last one's status= */
	{ DELIVERS, EITHER, "host ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "connect to ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "lost connection with ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "conversation with ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "Cannot start TLS", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "TLS is required", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "enabling PIX ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "breaking line ", LOG_IGNORED, NULL },
	{ QMGR, ID, "skipped, still being delivered", LOG_IGNORED, NULL },
	/* what a table of the administrator's says of a client, a header or a body, and goes on */
	{ CLEANUP, ID, "resent-message-id=", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "milter-", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "discard: ", LOG_IGNORED, NULL },
	{ SMTPD, EITHER, "hold: ", LOG_IGNORED, NULL }, /* before there is a message */
	{ CLEANUP | SMTPD, EITHER, "warn: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "warning: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "info: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "redirect: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "filter: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "bcc: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "prepend: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "replace: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "strip: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "ignore: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "pass: ", LOG_IGNORED, NULL },
	{ CLEANUP | SMTPD, EITHER, "trace: ", LOG_IGNORED, NULL },
	{ SMTPD, EITHER, "reject_warning: ", LOG_IGNORED, NULL },
	{ SMTPD, EITHER, "permit: ", LOG_IGNORED, NULL },
	{ SMTPD, EITHER, "client=", LOG_IGNORED, NULL }, /* before a proxy, without an id */
	{ SMTPD, EITHER, "SSL_accept ", LOG_IGNORED, NULL },
	{ SMTPD, EITHER, "discarding EHLO keywords: ", LOG_IGNORED, NULL },
	{ SMTPD | DELIVERS, EITHER, "Anonymous TLS ", LOG_IGNORED, NULL },
	{ SMTPD | DELIVERS, EITHER, "Untrusted TLS ", LOG_IGNORED, NULL },
	{ SMTPD | DELIVERS, EITHER, "Trusted TLS ", LOG_IGNORED, NULL },
	{ SMTPD | DELIVERS, EITHER, "Verified TLS ", LOG_IGNORED, NULL },
	{ SMTPD | DELIVERS, EITHER, "setting up TLS ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "SSL_connect ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "certificate verification ", LOG_IGNORED, NULL },
	{ DELIVERS, EITHER, "server certificate ", LOG_IGNORED, NULL },
	/* of any process, and what postsuper counts at its end */
	{ EACH, EITHER, "warning: ", LOG_IGNORED, NULL },
	{ EACH, EITHER, "error: ", LOG_IGNORED, NULL },
	{ EACH, EITHER, "fatal: ", LOG_IGNORED, NULL },
	{ EACH, EITHER, "panic: ", LOG_IGNORED, NULL },
	{ EACH, NO_ID, "table ", LOG_IGNORED, NULL },
	{ POSTSUPER, NO_ID, "", LOG_IGNORED, NULL },
	{ SERVES, EITHER, "", LOG_IGNORED, NULL },
};

/* Where the queue id or NOQUEUE stands, it goes. */
static enum postfix_id postfix_take_id(struct span *message, struct log_event *event)
{
	struct span rest = *message, id;
	if (!token_until(&rest, ": ", &id))
		return NO_ID;
	bool real = token_is_postfix_id(id);
	if (!real && !span_is(id, "NOQUEUE"))
		return NO_ID;
	if (real)
		event->queue_id = id;
	*message = rest;
	return real ? ID : EITHER;
}

static int postfix_writer(struct span daemon)
{
	for (size_t i = 0; i < sizeof daemons / sizeof *daemons; i++)
		if (span_is(daemon, daemons[i].name))
			return daemons[i].writes;
	return 0;
}

static bool postfix_try_row(const struct postfix_row *row, struct span rest, struct log_event *event)
{
	struct log_event before = *event;
	event->kind = row->kind;
	if (row->read == NULL || row->read(rest, event))
		return true;
	*event = before;
	event->kind = LOG_UNKNOWN;
	return false;
}

static void postfix_read_message(int writes, struct span message, struct log_event *event)
{
	bool screens = writes == POSTSCREEN; /* of whose NOQUEUE the row makes a word */
	enum postfix_id id = screens ? NO_ID : postfix_take_id(&message, event);
	event->kind = LOG_UNKNOWN;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span rest = message;
		if ((rows[i].writes & writes) != 0 && (rows[i].id == EITHER || rows[i].id == id) &&
		    token_skip(&rest, rows[i].first)) {
			postfix_try_row(&rows[i], rest, event);
			return;
		}
	}
}

void postfix_line_read(struct span program, struct span message, struct log_event *event)
{
	struct span daemon = program, name, rest = program;
	token_behind_last(program, "/", &daemon);
	int writes = postfix_writer(daemon);
	event->kind = LOG_IGNORED; /* not Postfix */
	if (writes != 0)
		postfix_read_message(writes, message, event);
	if (event->kind != LOG_DELIVERY || !token_until(&rest, "/", &name) || rest.length <= daemon.length)
		return;
	event->transport = (struct span){ rest.at, rest.length - daemon.length - 1 };
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/sendmail_line.h"

#include "milter/follow/token.h"

#include <string.h>

#include "policy/base/banned.h"

typedef bool sendmail_reader(struct span rest, struct log_event *event);

/* "host [address]", "host [IPv6:address] (may be forged)": Sendmail's own, which cannot be forged from its end on. */
static struct span sendmail_address(struct span relay)
{
	struct span address = { NULL, 0 };
	token_cut_end(&relay, " (may be forged)");
	if (token_cut_end(&relay, "]") && token_behind_last(relay, "[", &address))
		token_skip(&address, "IPv6:");
	return address;
}

/* -- deliveries -- */

static bool sendmail_read_rcpts(struct span *rest, struct log_event *event)
{
	struct span all = *rest, rcpt;
	while (token_sendmail_rcpt(rest, &rcpt) && !token_skip(rest, ", "))
		if (!token_skip(rest, ","))
			return false;
	if (rest->at == all.at || !token_ends((struct span){ all.at, (size_t)(rest->at - all.at) }, ", "))
		return false;
	event->rcpt = (struct span){ all.at, (size_t)(rest->at - all.at) - strlen(", ") };
	event->list = true;
	return true;
}

/* "mx1.example.net. [192.0.2.25]", "example.net.", "[192.0.2.25]" */
static void sendmail_read_relay(struct span relay, struct log_event *event)
{
	event->relay_address = sendmail_address(relay);
	struct span host = token_to(&relay, "[");
	token_cut_end(&host, " ");
	token_cut_end(&host, ".");
	if (host.length > 0)
		event->relay_host = host;
}

static void sendmail_read_field(struct span field, struct log_event *event)
{
	if (token_skip(&field, "mailer="))
		event->transport = field;
	else if (token_skip(&field, "relay="))
		sendmail_read_relay(field, event);
	else if (token_skip(&field, "dsn="))
		event->dsn = field;
}

/* The class of the code says it, because stat= stands behind the server's words; without a code there are none. */
static enum log_status sendmail_status(const struct log_event *event, struct span stat)
{
	switch (event->dsn.length > 0 ? event->dsn.at[0] : '0') {
	case '2':
		return LOG_STATUS_SENT;
	case '4':
		return LOG_STATUS_DEFERRED;
	case '5':
		return LOG_STATUS_BOUNCED;
	default:
		return token_skip(&stat, "Sent")       ? LOG_STATUS_SENT
		       : token_skip(&stat, "Deferred") ? LOG_STATUS_DEFERRED
						       : LOG_STATUS_NONE;
	}
}

/* "Sent (the server's words)", "Deferred: why", "User unknown" */
static void sendmail_read_stat(struct span stat, struct log_event *event)
{
	event->status = sendmail_status(event, stat);
	if (event->text.at != NULL)
		return;
	event->remote = token_skip(&stat, "Sent (") && token_cut_end(&stat, ")");
	token_skip(&stat, "Deferred: ");
	event->text = stat;
}

/* "<a>,<b>, delay=.., mailer=esmtp, .., relay=host. [address], dsn=5.1.1, reply=550 5.1.1 .., stat=User unknown" */
static bool sendmail_delivery(struct span rest, struct log_event *event)
{
	struct span field;
	if (!sendmail_read_rcpts(&rest, event))
		return false;
	while (!token_skip(&rest, "stat=")) {
		event->remote = token_skip(&rest, "reply=");
		if (event->remote) {
			if (!token_until(&rest, ", stat=", &event->text))
				return false;
			break;
		}
		if (!token_until(&rest, ", ", &field))
			return false;
		if (token_skip(&field, "quarantine="))
			event->kind = LOG_HELD;
		sendmail_read_field(field, event);
	}
	if (event->kind == LOG_HELD)
		return true;
	sendmail_read_stat(rest, event);
	if (event->status == LOG_STATUS_NONE || span_is(rest, "queued"))
		event->kind = LOG_IGNORED;
	return true;
}

void sendmail_line_cut_suffix(struct span *rcpt)
{
	struct span rest = *rcpt, name;
	token_cut_end(&rest, ".");
	if (token_cut_end(&rest, ".penstock") && token_behind_last(rest, ".", &name) && name.length > 0)
		rcpt->length = (size_t)(name.at - rcpt->at) - 1;
}

/* -- the queue -- */

/* "<a>, size=49, class=0, nrcpts=1, msgid=<..>, proto=ESMTPA, daemon=MSA, relay=host [address]" */
static bool sendmail_queued(struct span rest, struct log_event *event)
{
	struct span class;
	event->client = sendmail_address(rest); /* its last field is relay= */
	if (!token_sendmail_rcpt(&rest, &event->sender) || !token_skip(&rest, ", size=") ||
	    !token_number(&rest, &event->size) || !token_skip(&rest, ", class=") ||
	    !token_until(&rest, ", nrcpts=", &class) || !token_number(&rest, &event->rcpts))
		return false;
	if (token_skip(&rest, ", msgid=")) {
		bool bracket = token_skip(&rest, "<");
		if (!token_until(&rest, bracket ? ">, " : ", ", &event->message_id))
			return false;
	}
	struct span protocol; /* RFC 3848 */
	if (token_behind_last(rest, "proto=", &protocol)) {
		struct span word = token_to(&protocol, ",");
		event->authenticated = token_ends(word, "SMTPA") || token_ends(word, "SMTPSA");
	}
	return true;
}

/* "QUEUE_ID: DSN: why", "QUEUE_ID: return to sender: why" */
static bool sendmail_notice(struct span id, struct span rest, struct log_event *event)
{
	event->kind = LOG_NOTICE;
	event->other_id = id;
	if (!token_until(&rest, ": ", &event->text))
		return false;
	if (token_skip(&rest, "Cannot send message for ")) {
		event->kind = LOG_EXPIRED;
		event->status = LOG_STATUS_EXPIRED;
	}
	return true;
}

/* -- clients -- */

/* "check_rcpt, arg1=<a stranger's>, relay=host [address], reject=550 .." */
static bool sendmail_ruleset(struct span rest, struct log_event *event)
{
	struct span name, argument, relay;
	if (!token_until(&rest, ", arg1=", &name) || !token_sendmail_rcpt(&rest, &argument) ||
	    (token_skip(&rest, ", arg2=") && !token_sendmail_rcpt(&rest, &argument)) || !token_skip(&rest, ", "))
		return false;
	if (token_skip(&rest, "relay=") && token_until(&rest, ", ", &relay))
		event->client = sendmail_address(relay);
	event->text = rest;
	event->kind = token_skip(&event->text, "reject=")	? LOG_REJECTED
		      : token_skip(&event->text, "quarantine=") ? LOG_HELD
								: LOG_IGNORED;
	return true;
}

/* "from=<alice@example.com>, reject=550 5.7.1 .." */
static bool sendmail_milter(struct span rest, struct log_event *event)
{
	struct span address;
	event->kind = LOG_IGNORED;
	if ((token_skip(&rest, "from=") || token_skip(&rest, "to=")) && !token_sendmail_rcpt(&rest, &address))
		return true;
	event->gone = token_skip(&rest, "data");
	if (!token_skip(&rest, ", reject="))
		return true;
	event->kind = LOG_REJECTED;
	event->text = rest;
	return true;
}

/* "penstock, quarantine=penstock: limit; ref .." */
static bool sendmail_milter_held(struct span rest, struct log_event *event)
{
	struct span name = token_to(&rest, ", ");
	event->kind = name.length > 0 && token_skip(&rest, "quarantine=") ? LOG_HELD : LOG_IGNORED;
	event->text = rest;
	return true;
}

/* "server, relay=host [address], authid=alice, mech=PLAIN, bits=0" */
static bool sendmail_login(struct span rest, struct log_event *event)
{
	struct span relay, behind;
	event->kind = LOG_IGNORED;
	if (!token_skip(&rest, "server, relay=") || !token_until(&rest, ", authid=", &relay) ||
	    !token_behind_last(rest, ", mech=", &behind))
		return true;
	event->kind = LOG_CLIENT;
	event->login = (struct span){ rest.at, (size_t)(behind.at - rest.at) - strlen(", mech=") };
	event->client = sendmail_address(relay);
	return true;
}

/* "(PLAIN): authentication failure (-13) .., user=alice@example.com, relay=host [address]" */
static bool sendmail_login_failed(struct span rest, struct log_event *event)
{
	struct span method, behind;
	if (!token_until(&rest, "): ", &method) || !token_behind_last(rest, ", relay=", &behind))
		return false;
	event->client = sendmail_address(behind);
	rest.length = (size_t)(behind.at - rest.at) - strlen(", relay=");
	event->text = token_to(&rest, ", user=");
	if (rest.length > 0)
		event->login = rest;
	return true;
}

/* "client.example.com [198.51.100.7] to MTA after rcpt" */
static bool sendmail_hangup(struct span rest, struct log_event *event)
{
	struct span host;
	if (!token_until(&rest, " to ", &host))
		return false;
	event->client = sendmail_address(host);
	return token_behind_last(rest, " after ", &event->text);
}

/* "client.example.com during server cmd read" */
static bool sendmail_timeout(struct span rest, struct log_event *event)
{
	struct span host;
	event->timeout = true;
	if (!token_until(&rest, " during ", &host))
		return false;
	event->client = sendmail_address(host);
	event->text = rest;
	return true;
}

static bool sendmail_collect(struct span rest, struct log_event *event)
{
	event->text = rest; /* "premature EOM: unexpected close" */
	event->kind =
		token_skip(&rest, "premature EOM") || token_skip(&rest, "unexpected close") ? LOG_HANGUP : LOG_IGNORED;
	return true;
}

/* -- the rows -- */

/* The first one that fits is it. A reader may still say another kind. */
static const struct sendmail_row {
	bool id; /* "QUEUE_ID: " must stand before it; else it may */
	const char *first;
	enum log_kind kind;
	sendmail_reader *read; /* NULL: there is nothing to read */
} rows[] = {
	{ true, "to=", LOG_DELIVERY, sendmail_delivery },
	{ true, "from=", LOG_QUEUED, sendmail_queued },
	{ true, "done; ", LOG_REMOVED, NULL },
	{ true, "ruleset=", LOG_REJECTED, sendmail_ruleset },
	{ true, "Milter: ", LOG_REJECTED, sendmail_milter },
	{ true, "milter=", LOG_HELD, sendmail_milter_held },
	{ true, "quarantine=", LOG_HELD, NULL },
	{ true, "unquarantine", LOG_RELEASED, NULL },
	{ false, "AUTH=", LOG_CLIENT, sendmail_login },
	{ false, "AUTH failure (", LOG_LOGIN_FAILED, sendmail_login_failed },
	{ false, "lost input channel from ", LOG_HANGUP, sendmail_hangup },
	{ false, "timeout waiting for input from ", LOG_HANGUP, sendmail_timeout },
	{ false, "collect: ", LOG_HANGUP, sendmail_collect },
	{ false, "SYSERR(", LOG_IGNORED, NULL },
	{ false, "Milter ", LOG_IGNORED, NULL },
	{ false, "STARTTLS=", LOG_IGNORED, NULL },
	{ false, "STARTTLS: ", LOG_IGNORED, NULL },
	{ false, "gethostbyaddr(", LOG_IGNORED, NULL },
	{ false, "starting daemon ", LOG_IGNORED, NULL },
	{ false, "restarting ", LOG_IGNORED, NULL },
	{ false, "daemon ", LOG_IGNORED, NULL },
	{ false, "alias database ", LOG_IGNORED, NULL },
	{ false, "rejecting connections ", LOG_IGNORED, NULL },
	{ false, "accepting connections ", LOG_IGNORED, NULL },
	{ false, "runqueue: ", LOG_IGNORED, NULL },
	{ false, "NOQUEUE: ", LOG_IGNORED, NULL },
	{ false, "clone: ", LOG_IGNORED, NULL },
	{ false, "clone ", LOG_IGNORED, NULL },
	{ false, "locked", LOG_IGNORED, NULL },
	{ false, "unlocked", LOG_IGNORED, NULL },
	{ false, "<-- ", LOG_IGNORED, NULL },
	{ false, "--- ", LOG_IGNORED, NULL },
};

static bool sendmail_take_id(struct span *message, struct span *id_out)
{
	struct span rest = *message, id;
	if (!token_until(&rest, ": ", &id) || !token_is_sendmail_id(id))
		return false;
	*id_out = id;
	*message = rest;
	return true;
}

/* "client.example.com [198.51.100.7] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", and
 * "(may be forged)": the first word is a host's name. */
static bool sendmail_is_of_host(struct span message)
{
	struct span host, address;
	return token_until(&message, "[", &host) && host.length > 0 && token_until(&message, "] ", &address) &&
	       (token_skip(&message, "did not issue ") || token_skip(&message, "(may be forged) did not issue "));
}

static void sendmail_read_row(struct span message, struct log_event *event)
{
	event->kind = sendmail_is_of_host(message) ? LOG_IGNORED : LOG_UNKNOWN;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span rest = message;
		if ((rows[i].id && event->queue_id.at == NULL) || !token_skip(&rest, rows[i].first))
			continue;
		event->kind = rows[i].kind;
		if (rows[i].read != NULL && !rows[i].read(rest, event))
			event->kind = LOG_UNKNOWN;
		return;
	}
}

void sendmail_line_read(struct span message, struct log_event *event)
{
	struct span other;
	token_skip(&message, "NOQUEUE: ");
	if (!sendmail_take_id(&message, &event->queue_id) || !sendmail_take_id(&message, &other))
		sendmail_read_row(message, event);
	else if (!sendmail_notice(other, message, event))
		event->kind = LOG_UNKNOWN;
}

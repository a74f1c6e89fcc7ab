/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_reply: what a milter may answer, counted, and what the MTA does then.
 */
#include "t/bench/load.h"

#include <stdarg.h>
#include <string.h>

#include "policy/base/banned.h"

void load_protocol_error(struct session *session, const char *format, ...)
{
	struct tally *tally = &session->load->tally;
	va_list arguments;

	tally->protocol_errors++;
	if (tally->first_error[0] == '\0') {
		va_start(arguments, format);
		vsnprintf(tally->first_error, sizeof(tally->first_error), format, arguments);
		va_end(arguments);
	}
	session->left = 0;
	if (session->idle)
		tally->idle_lost++;
	session_finish(session, OUTCOME_LOST, false);
}

/* After version, actions and steps come the macros that the milter wants instead of the MTA's own, place by place. */
static void read_negotiation(struct session *session, const struct packet *packet)
{
	struct load *load = session->load;
	uint32_t version, actions, steps, place;
	size_t offset = 0;
	const char *names;

	if (packet->command != SMFIC_OPTNEG || !packet_u32(packet, &offset, &version) ||
	    !packet_u32(packet, &offset, &actions) || !packet_u32(packet, &offset, &steps)) {
		load_protocol_error(
			session, "the answer to the negotiation is '%c' with %zu bytes; expected 'O' with 12 or more",
			packet->command, packet->length);
		return;
	}
	while (packet_u32(packet, &offset, &place) && packet_string(packet, &offset, &names))
		if (place < PLACE_COUNT)
			snprintf(load->macros[place], sizeof(load->macros[place]), "%s", names);
	session->flags = steps;
	load->tally.steps_agreed = steps;
	load->tally.actions_agreed = actions;
	session->waiting = STEP_CLOSED;
	session->step = STEP_CONNECT;
}

static const unsigned char reply_bytes[REPLY_COUNT] = {
#define REPLY_BYTE(id, byte, word) byte,
	REPLY_ROWS(REPLY_BYTE)
#undef REPLY_BYTE
};

static const unsigned char edit_bytes[EDIT_COUNT] = {
#define EDIT_BYTE(id, byte, word) byte,
	EDIT_ROWS(EDIT_BYTE)
#undef EDIT_BYTE
};

static int find_byte(const unsigned char *bytes, int count, unsigned char byte)
{
	for (int i = 0; i < count; i++)
		if (bytes[i] == byte)
			return i;
	return -1;
}

static void count_inserted(struct tally *tally, const struct packet *packet, size_t offset)
{
	const char *name, *value;
	char text[INSERTED_TEXT];

	if (!packet_string(packet, &offset, &name) || !packet_string(packet, &offset, &value))
		return;
	snprintf(text, sizeof(text), "%s: %s", name, value);
	for (int i = 0; i < INSERTED_MAX; i++) {
		struct inserted *row = &tally->inserted[i];

		if (row->count == 0)
			memcpy(row->text, text, sizeof(row->text));
		if (strcmp(row->text, text) == 0) {
			row->count++;
			return;
		}
	}
}

static void read_edit(struct session *session, const struct packet *packet, int edit)
{
	struct tally *tally = &session->load->tally;

	if (session->waiting != STEP_EOM) {
		load_protocol_error(session, "the milter asked for change '%c' before the end of the message",
				    packet->command);
		return;
	}
	tally->edits[edit]++;
	if (edit == EDIT_INSHEADER)
		count_inserted(tally, packet, 4);
	if (edit == EDIT_ADDHEADER)
		count_inserted(tally, packet, 0);
	if (edit == EDIT_QUARANTINE)
		session->quarantined = true;
}

static void note_refusal(struct tally *tally, const char *format, ...)
{
	va_list arguments;

	if (tally->first_refusal[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(tally->first_refusal, sizeof(tally->first_refusal), format, arguments);
	va_end(arguments);
}

/* DEFERRED or REJECTED, or LOST where the answer is no refusal. */
static enum outcome read_refusal(struct tally *tally, const struct packet *packet, int reply)
{
	const char *text = "";
	size_t offset = 0;

	if (reply == REPLY_REPLYCODE) {
		packet_string(packet, &offset, &text);
		note_refusal(tally, "%s", text);
		if (text[0] == '5')
			tally->replies_5xx++;
		else
			tally->replies_4xx++;
		return text[0] == '5' ? OUTCOME_REJECTED : OUTCOME_DEFERRED;
	}
	if (reply == REPLY_REJECT || reply == REPLY_TEMPFAIL || reply == REPLY_CONN_FAIL || reply == REPLY_SHUTDOWN) {
		note_refusal(tally, "answer '%c' without a text", packet->command);
		return reply == REPLY_REJECT ? OUTCOME_REJECTED : OUTCOME_DEFERRED;
	}
	return OUTCOME_LOST;
}

static void refused(struct session *session, enum outcome outcome, int reply)
{
	enum step at = session->waiting;

	if (at == STEP_RCPT && reply != REPLY_SHUTDOWN && reply != REPLY_CONN_FAIL) {
		session->load->tally.rcpts_refused++;
		if (session->position + 1 >= session->load->options.rcpts && session->accepted == 0)
			session_finish(session, outcome, true);
		else
			session_forward(session, false);
		return;
	}
	if (at < STEP_MAIL || reply == REPLY_SHUTDOWN || reply == REPLY_CONN_FAIL)
		session->left = 0;
	if (at < STEP_MAIL && session->idle)
		session->load->tally.idle_lost++;
	session_finish(session, outcome, at > STEP_MAIL && at < STEP_EOM);
}

static void read_reply(struct session *session, const struct packet *packet, int reply)
{
	struct tally *tally = &session->load->tally;
	enum outcome refusal;
	enum step at = session->waiting;

	tally->replies[reply]++;
	refusal = read_refusal(tally, packet, reply);
	if (refusal != OUTCOME_LOST) {
		refused(session, refusal, reply);
		return;
	}
	if (at == STEP_RCPT) {
		tally->rcpts_accepted++;
		session->accepted++;
	}
	if (reply == REPLY_DISCARD && at >= STEP_MAIL) {
		session_finish(session, OUTCOME_DISCARDED, false);
	} else if (at == STEP_EOM) {
		session_finish(session, session->quarantined ? OUTCOME_HELD : OUTCOME_PASSED, false);
	} else if (reply == REPLY_ACCEPT) {
		if (at < STEP_MAIL)
			session->left = 0;
		session_finish(session, OUTCOME_PASSED, false);
	} else if (reply == REPLY_SKIP && at != STEP_BODY && at != STEP_HEADER) {
		load_protocol_error(session, "the milter answered 'skip' to neither header nor body");
	} else {
		session_forward(session, reply == REPLY_SKIP);
	}
}

void session_read_packet(struct session *session, const struct packet *packet)
{
	int reply = find_byte(reply_bytes, REPLY_COUNT, packet->command);
	int edit = find_byte(edit_bytes, EDIT_COUNT, packet->command);

	if (session->waiting == STEP_NEGOTIATE)
		read_negotiation(session, packet);
	else if (session->waiting == STEP_CLOSED)
		load_protocol_error(session, "the milter sent '%c' though no answer was owed", packet->command);
	else if (packet->command == SMFIR_PROGRESS)
		return;
	else if (reply >= 0)
		read_reply(session, packet, reply);
	else if (edit >= 0)
		read_edit(session, packet, edit);
	else
		load_protocol_error(session, "the milter sent '%c' (%d), which is no answer", packet->command,
				    packet->command);
}

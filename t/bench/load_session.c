/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_session: one connection to the milter, from connect to QUIT, through any number of messages.
 */
#include "t/bench/load.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { READ_ROOM = 4096, CHUNK_MAX = 65535 };

/* What the protocol says of each step: the flag that drops it, the flag that drops its answer, its macros. */
static const struct step_row {
	uint32_t not_wanted, no_reply;
	enum macro_place place;
} step_rows[] = {
	[STEP_CONNECT] = { SMFIP_NOCONNECT, SMFIP_NR_CONN, PLACE_CONNECT },
	[STEP_HELO] = { SMFIP_NOHELO, SMFIP_NR_HELO, PLACE_HELO },
	[STEP_MAIL] = { SMFIP_NOMAIL, SMFIP_NR_MAIL, PLACE_MAIL },
	[STEP_RCPT] = { SMFIP_NORCPT, SMFIP_NR_RCPT, PLACE_RCPT },
	[STEP_DATA] = { SMFIP_NODATA, SMFIP_NR_DATA, PLACE_DATA },
	[STEP_HEADER] = { SMFIP_NOHDRS, SMFIP_NR_HDR, PLACE_NONE },
	[STEP_EOH] = { SMFIP_NOEOH, SMFIP_NR_EOH, PLACE_EOH },
	[STEP_BODY] = { SMFIP_NOBODY, SMFIP_NR_BODY, PLACE_NONE },
	[STEP_EOM] = { 0, 0, PLACE_EOM },
};

static bool step_says(enum step step)
{
	return step >= STEP_CONNECT && step <= STEP_EOM;
}

void session_want_open(struct session *session)
{
	session->next = session->load->to_open;
	session->load->to_open = session;
}

static void name_session(struct session *session)
{
	const struct load_options *options = &session->load->options;
	int64_t client = session->number % options->clients;

	snprintf(session->user, sizeof(session->user), "user%lld@bench.example",
		 (long long)(options->first_account + session->number % options->accounts));
	/* The documentation network first, then the one for benchmarks. */
	if (client < 254)
		snprintf(session->client, sizeof(session->client), "198.51.100.%d", (int)client + 1);
	else
		snprintf(session->client, sizeof(session->client), "198.%d.%d.%d", 18 + (int)(client >> 16 & 1),
			 (int)(client >> 8 & 255), (int)(client & 255));
}

static void begin_message(struct session *session, int64_t began_us)
{
	struct load *load = session->load;

	session->in_message = true;
	session->quarantined = false;
	session->accepted = 0;
	session->position = 0;
	session->message = load->begun++;
	session->left--;
	session->began_us = began_us;
	snprintf(session->queue_id, sizeof(session->queue_id), "4Z%08llX%06llX%06llX",
		 (unsigned long long)load->start_s, (unsigned long long)load->process,
		 (unsigned long long)session->message);
}

/* A new session takes its first message with it, so that none is opened for nothing. */
static bool prepare(struct session *session)
{
	struct load *load = session->load;

	if (session->in_message) /* an earlier attempt found the listen queue full */
		return true;
	if (!session->idle && load->begun >= load->options.messages)
		return false;
	session->number = load->opened++;
	session->left = session->idle ? 0 : load->options.per_session;
	name_session(session);
	if (!session->idle)
		begin_message(session, load_now_us());
	return true;
}

static void watch(struct session *session, int operation, bool write)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = session };

	if (write)
		event.events |= EPOLLOUT;
	session->wants_write = write;
	epoll_ctl(session->load->epoll, operation, session->fd, &event);
}

static void open_failed(struct session *session, int error)
{
	struct tally *tally = &session->load->tally;

	close(session->fd);
	session->fd = -1;
	session->step = STEP_CLOSED;
	session->load->refused = true;
	if (error == EAGAIN) {
		tally->connect_retries++;
	} else {
		tally->connect_failures++;
		if (tally->first_error[0] == '\0')
			snprintf(tally->first_error, sizeof(tally->first_error), "cannot connect to %s: %s",
				 session->load->options.socket, strerror(error));
	}
	session_want_open(session);
}

void session_open(struct session *session)
{
	const struct endpoint *endpoint = &session->load->endpoint;

	if (!prepare(session))
		return;
	session->fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (session->fd < 0 ||
	    (connect(session->fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0 &&
	     errno != EINPROGRESS)) {
		open_failed(session, errno);
		return;
	}
	session->step = STEP_NEGOTIATE;
	session->waiting = STEP_NEGOTIATE;
	send_negotiate(session);
	watch(session, EPOLL_CTL_ADD, true);
}

static void count_lost(struct session *session)
{
	struct load *load = session->load;

	if (session->idle)
		load->tally.idle_lost++;
	if (session->in_message) {
		load->tally.outcomes[OUTCOME_LOST]++;
		load->done++;
		session->in_message = false;
	}
}

void session_close(struct session *session)
{
	if (session->fd >= 0)
		close(session->fd);
	session->fd = -1;
	session->step = STEP_CLOSED;
	session->waiting = STEP_CLOSED;
	session->in.begin = session->in.end = 0;
	session->out.begin = session->out.end = 0;
	if (!session->idle)
		session_want_open(session);
}

static void session_lost(struct session *session)
{
	count_lost(session);
	session_close(session);
}

void session_hang_up(struct session *session)
{
	packet_plain(&session->out, SMFIC_QUIT);
	session->step = STEP_QUIT;
	session->waiting = STEP_CLOSED;
}

/* To the next recipient, header or chunk, or to the next step. */
void session_forward(struct session *session, bool whole_step)
{
	const struct load_options *options = &session->load->options;
	int64_t end = session->step == STEP_RCPT     ? options->rcpts
		      : session->step == STEP_HEADER ? HEADER_COUNT
		      : session->step == STEP_BODY   ? options->size
						     : 1;

	session->waiting = STEP_CLOSED;
	session->position += session->step == STEP_BODY ? CHUNK_MAX : 1;
	if (!whole_step && session->position < end)
		return;
	if (session->step == STEP_RCPT && session->accepted == 0) {
		session_finish(session, OUTCOME_REJECTED, true);
		return;
	}
	session->position = 0;
	session->step++;
	if (session->step == STEP_MAIL && session->idle)
		session->step = STEP_IDLE;
	if (session->step == STEP_BODY && options->size == 0)
		session->step = STEP_EOM;
}

void session_finish(struct session *session, enum outcome outcome, bool abort)
{
	struct load *load = session->load;

	if (session->in_message) {
		load->tally.outcomes[outcome]++;
		load->done++;
		if (outcome != OUTCOME_LOST)
			load->latency_us[load->latency_count++] = (uint32_t)(load_now_us() - session->began_us);
		if (outcome == OUTCOME_PASSED || outcome == OUTCOME_HELD)
			load->tally.rcpts_passed += (uint64_t)session->accepted;
		session->in_message = false;
	}
	session->waiting = STEP_CLOSED;
	if (abort)
		packet_plain(&session->out, SMFIC_ABORT);
	if (session->left > 0 && load->begun < load->options.messages) {
		begin_message(session, load_now_us());
		session->step = STEP_MAIL;
	} else {
		session_hang_up(session);
	}
}

/* Says all that can be said before the milter owes an answer. */
static void speak(struct session *session)
{
	while (session->waiting == STEP_CLOSED && step_says(session->step)) {
		const struct step_row *row = &step_rows[session->step];

		if (session->flags & row->not_wanted) {
			if (session->step == STEP_RCPT)
				session->accepted = session->load->options.rcpts;
			session_forward(session, true);
			continue;
		}
		if (row->place != PLACE_NONE)
			send_macros(session, row->place);
		send_step(session);
		if (!(session->flags & row->no_reply)) {
			session->waiting = session->step;
			return;
		}
		if (session->step == STEP_RCPT)
			session->accepted++;
		session_forward(session, false);
	}
}

/* False: the connection is gone. */
static bool flush(struct session *session)
{
	struct buffer *out = &session->out;

	while (out->begin < out->end) {
		ssize_t sent = send(session->fd, out->data + out->begin, out->end - out->begin, MSG_NOSIGNAL);

		if (sent < 0)
			return errno == EAGAIN || errno == EINTR;
		out->begin += (size_t)sent;
	}
	return true;
}

/* False: end of file or an error. */
static bool fill(struct session *session)
{
	for (;;) {
		unsigned char *room = buffer_room(&session->in, READ_ROOM);
		ssize_t got = recv(session->fd, room, READ_ROOM, 0);

		if (got < 0)
			return errno == EAGAIN || errno == EINTR;
		if (got == 0)
			return false;
		session->in.end += (size_t)got;
		if (got < READ_ROOM)
			return true;
	}
}

static void take_packets(struct session *session)
{
	struct packet packet;

	while (session->step != STEP_QUIT) {
		enum packet_found found = packet_take(&session->in, &packet);

		if (found == PACKET_NONE)
			return;
		if (found == PACKET_BROKEN)
			load_protocol_error(session, "a packet's length is none, or more than a megabyte");
		else
			session_read_packet(session, &packet);
		speak(session);
	}
}

static void rest_idle(struct session *session)
{
	if (session->step != STEP_IDLE || session->out.begin < session->out.end || session->out.data == NULL)
		return;
	buffer_release(&session->in);
	buffer_release(&session->out);
	session->load->idle_ready++;
}

void session_ready(struct session *session, uint32_t events)
{
	bool alive = true;
	bool pending;

	if (session->fd < 0)
		return;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		alive = fill(session);
	take_packets(session);
	if (session->step != STEP_QUIT && !alive) {
		session_lost(session);
		return;
	}
	if (!flush(session)) {
		session_lost(session);
		return;
	}
	pending = session->out.begin < session->out.end;
	if (session->step == STEP_QUIT && !pending) {
		session_close(session);
		return;
	}
	if (pending != session->wants_write)
		watch(session, EPOLL_CTL_MOD, pending);
	rest_idle(session);
}

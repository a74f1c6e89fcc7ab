/* SPDX-License-Identifier: BSD-2-Clause
 *
 * load_send: what an MTA says to a milter. Macros and their places are those of a Postfix 3.7 submission service with
 * TLS and SMTP AUTH in its default configuration.
 */
#include "t/bench/load.h"

#include <arpa/inet.h>
#include <string.h>

#include "policy/base/banned.h"

#define ALL_ACTIONS 0x000001ffU
#define ALL_STEPS 0x001fffffU

enum { PROTOCOL_VERSION = 6, VALUE_MAX = 256, CHUNK_MAX = 65535 };

void load_default_macros(struct load *load)
{
	static const char *const names[PLACE_COUNT] = {
		[PLACE_CONNECT] = "j {daemon_name} {daemon_addr} v _",
		[PLACE_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
		[PLACE_MAIL] = "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
		[PLACE_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
		[PLACE_DATA] = "i",
		[PLACE_EOH] = "i",
		[PLACE_EOM] = "i",
	};

	for (int place = 0; place < PLACE_COUNT; place++)
		snprintf(load->macros[place], sizeof(load->macros[place]), "%s", names[place]);
}

void send_negotiate(struct session *session)
{
	size_t mark = packet_begin(&session->out, SMFIC_OPTNEG);

	buffer_u32(&session->out, PROTOCOL_VERSION);
	buffer_u32(&session->out, ALL_ACTIONS);
	buffer_u32(&session->out, ALL_STEPS);
	packet_end(&session->out, mark);
}

static void print_rcpt(const struct session *session, char *to, size_t size)
{
	int64_t number = session->message * session->load->options.rcpts + session->position;

	snprintf(to, size, "rcpt%lld@d%lld.dest.example", (long long)number, (long long)(number % 97));
}

static int64_t client_port(const struct session *session)
{
	return 1024 + (session->load->options.port - 1024 + session->number) % 64000;
}

static void print_from_text(const struct session *session, char *to, size_t size, const char *text)
{
	(void)session;
	snprintf(to, size, "%s", text);
}

static void print_client_named(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	snprintf(to, size, "client.bench.example [%s]", session->client);
}

static void print_client(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	snprintf(to, size, "%s", session->client);
}

static void print_port(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	snprintf(to, size, "%lld", (long long)client_port(session));
}

static void print_user(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	snprintf(to, size, "%s", session->user);
}

/* Postfix knows the queue id once a recipient was taken. */
static void print_queue_id(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	if (session->step > STEP_RCPT || session->accepted > 0)
		snprintf(to, size, "%s", session->queue_id);
}

static void print_rcpt_address(const struct session *session, char *to, size_t size, const char *text)
{
	(void)text;
	print_rcpt(session, to, size);
}

static void print_rcpt_host(const struct session *session, char *to, size_t size, const char *text)
{
	char address[VALUE_MAX];

	(void)text;
	print_rcpt(session, address, sizeof(address));
	snprintf(to, size, "%s", strchr(address, '@') + 1);
}

/* A macro without a value is left out. */
static const struct macro {
	const char *name;
	void (*print)(const struct session *session, char *to, size_t size, const char *text);
	const char *text;
} macros[] = {
	{ "j", print_from_text, "mx.bench.example" },
	{ "v", print_from_text, "Postfix 3.7.11" },
	{ "_", print_client_named, NULL },
	{ "i", print_queue_id, NULL },
	{ "{daemon_name}", print_from_text, "mx.bench.example" },
	{ "{daemon_addr}", print_from_text, "192.0.2.25" },
	{ "{daemon_port}", print_from_text, "587" },
	{ "{client_addr}", print_client, NULL },
	{ "{client_port}", print_port, NULL },
	{ "{client_name}", print_from_text, "client.bench.example" },
	{ "{client_ptr}", print_from_text, "client.bench.example" },
	{ "{client_connections}", print_from_text, "1" },
	{ "{tls_version}", print_from_text, "TLSv1.3" },
	{ "{cipher}", print_from_text, "TLS_AES_256_GCM_SHA384" },
	{ "{cipher_bits}", print_from_text, "256" },
	{ "{auth_type}", print_from_text, "PLAIN" },
	{ "{auth_authen}", print_user, NULL },
	{ "{mail_addr}", print_user, NULL },
	{ "{mail_host}", print_from_text, "bench.example" },
	{ "{mail_mailer}", print_from_text, "smtp" },
	{ "{rcpt_addr}", print_rcpt_address, NULL },
	{ "{rcpt_host}", print_rcpt_host, NULL },
	{ "{rcpt_mailer}", print_from_text, "smtp" },
};

static const struct macro *find_macro(const char *name)
{
	for (size_t i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (strcmp(macros[i].name, name) == 0)
			return &macros[i];
	return NULL;
}

static void send_macro(struct session *session, const char *name)
{
	const struct macro *macro = find_macro(name);
	char value[VALUE_MAX] = "";

	if (macro == NULL)
		return;
	macro->print(session, value, sizeof(value), macro->text);
	if (value[0] == '\0')
		return;
	buffer_string(&session->out, name);
	buffer_string(&session->out, value);
}

static const char place_command[PLACE_COUNT] = {
	[PLACE_CONNECT] = SMFIC_CONNECT, [PLACE_HELO] = SMFIC_HELO, [PLACE_MAIL] = SMFIC_MAIL,
	[PLACE_RCPT] = SMFIC_RCPT,	 [PLACE_DATA] = SMFIC_DATA, [PLACE_EOH] = SMFIC_EOH,
	[PLACE_EOM] = SMFIC_BODYEOB,
};

void send_macros(struct session *session, enum macro_place place)
{
	const char *at = session->load->macros[place];
	size_t mark = packet_begin(&session->out, SMFIC_MACRO);

	buffer_add(&session->out, &place_command[place], 1);
	while (*at != '\0') {
		char name[64];
		size_t length = strcspn(at, " ,\t");

		if (length > 0 && length < sizeof(name)) {
			memcpy(name, at, length);
			name[length] = '\0';
			send_macro(session, name);
		}
		at += length;
		at += strspn(at, " ,\t");
	}
	packet_end(&session->out, mark);
}

static void send_connect(struct session *session)
{
	uint16_t port = htons((uint16_t)client_port(session));
	size_t mark = packet_begin(&session->out, SMFIC_CONNECT);

	buffer_string(&session->out, "client.bench.example");
	buffer_add(&session->out, &(char){ SMFIA_INET }, 1);
	buffer_add(&session->out, &port, sizeof(port));
	buffer_string(&session->out, session->client);
	packet_end(&session->out, mark);
}

static void send_helo(struct session *session)
{
	size_t mark = packet_begin(&session->out, SMFIC_HELO);

	buffer_string(&session->out, "client.bench.example");
	packet_end(&session->out, mark);
}

static void send_mail(struct session *session)
{
	size_t mark = packet_begin(&session->out, SMFIC_MAIL);
	char text[VALUE_MAX];

	snprintf(text, sizeof(text), "<%s>", session->user);
	buffer_string(&session->out, text);
	snprintf(text, sizeof(text), "SIZE=%lld", (long long)session->load->options.size + 700);
	buffer_string(&session->out, text);
	packet_end(&session->out, mark);
}

static void send_rcpt(struct session *session)
{
	size_t mark = packet_begin(&session->out, SMFIC_RCPT);
	char address[VALUE_MAX], text[VALUE_MAX + 2];

	print_rcpt(session, address, sizeof(address));
	snprintf(text, sizeof(text), "<%s>", address);
	buffer_string(&session->out, text);
	packet_end(&session->out, mark);
}

/* Names and values of the header fields that mail programs send. "%s" is filled with the user or the queue id. */
static const struct field {
	const char *name, *value;
	bool user;
} fields[HEADER_COUNT] = {
	{ "Message-ID", "<1f0c6c42-5a3e-4d1b-8c55-%s@bench.example>", false },
	{ "Date", "Tue, 4 Mar 2025 10:11:12 +0100", false },
	{ "MIME-Version", "1.0", false },
	{ "User-Agent", "Mozilla Thunderbird", false },
	{ "Content-Language", "en-GB", false },
	{ "To", "Some Body <somebody@dest.example>", false },
	{ "From", "Bench User <%s>", true },
	{ "Subject", "Minutes of the meeting, and what is to be done until the next one", false },
	{ "Content-Type", "text/plain; charset=UTF-8; format=flowed", false },
	{ "Content-Transfer-Encoding", "7bit", false },
};

static void send_header(struct session *session)
{
	const struct field *field = &fields[session->position];
	const char *hole = strstr(field->value, "%s");
	size_t mark = packet_begin(&session->out, SMFIC_HEADER);

	buffer_string(&session->out, field->name);
	if (session->flags & SMFIP_HDR_LEADSPC)
		buffer_add(&session->out, " ", 1);
	if (hole != NULL) {
		const char *filling = field->user ? session->user : session->queue_id;

		buffer_add(&session->out, field->value, (size_t)(hole - field->value));
		buffer_add(&session->out, filling, strlen(filling));
		buffer_string(&session->out, hole + 2);
	} else {
		buffer_string(&session->out, field->value);
	}
	packet_end(&session->out, mark);
}

static void send_body(struct session *session)
{
	const struct load *load = session->load;
	int64_t rest = load->options.size - session->position;
	size_t mark = packet_begin(&session->out, SMFIC_BODY);

	buffer_add(&session->out, load->body + session->message * BODY_STEP % BODY_SPREAD + session->position,
		   (size_t)(rest < CHUNK_MAX ? rest : CHUNK_MAX));
	packet_end(&session->out, mark);
}

void send_step(struct session *session)
{
	switch (session->step) {
	case STEP_CONNECT:
		send_connect(session);
		break;
	case STEP_HELO:
		send_helo(session);
		break;
	case STEP_MAIL:
		send_mail(session);
		break;
	case STEP_RCPT:
		send_rcpt(session);
		break;
	case STEP_DATA:
		packet_plain(&session->out, SMFIC_DATA);
		break;
	case STEP_HEADER:
		send_header(session);
		break;
	case STEP_EOH:
		packet_plain(&session->out, SMFIC_EOH);
		break;
	case STEP_BODY:
		send_body(session);
		break;
	case STEP_EOM:
		packet_plain(&session->out, SMFIC_BODYEOB);
		break;
	default:
		break;
	}
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/mta.h"

#include "milter/mta/callbacks.h"
#include "policy/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { MACROS_MAX = 32, BODY_CHUNK = 65535 };

struct header {
	struct header *next;
	char *name, *value;
};

struct smfi_str {
	void *private;
	struct {
		char *name, *value;
	} macros[MACROS_MAX];
	unsigned long steps, actions;
	const char *lists[SMFIM_LAST + 1]; /* by smfi_setsymlist; borrowed */
	bool negotiates;		   /* in xxfi_negotiate */
	bool at_end, in_headers;	   /* in xxfi_eom; between MAIL and the end of headers */
	struct mta_answer reply;	   /* by smfi_setreply */
	struct header *headers;
	char *quarantine;
	char complaint[200];
};

__attribute__((format(printf, 2, 3))) static int complain(SMFICTX *mta, const char *format, ...)
{
	va_list values;
	va_start(values, format);
	if (mta->complaint[0] == '\0')
		vsnprintf(mta->complaint, sizeof mta->complaint, format, values);
	va_end(values);
	return MI_FAILURE;
}

static char *copy(const char *string)
{
	char *made = strdup(string);
	if (made == NULL)
		abort();
	return made;
}

/* ---- the message */

static struct header **last_header(SMFICTX *mta)
{
	struct header **at = &mta->headers;
	while (*at != NULL)
		at = &(*at)->next;
	return at;
}

static void put_header(struct header **at, const char *name, const char *value)
{
	struct header *header = calloc(1, sizeof *header);
	if (header == NULL)
		abort();
	header->name = copy(name);
	header->value = copy(value);
	header->next = *at;
	*at = header;
}

static void remove_header(struct header **at)
{
	struct header *gone = *at;
	*at = gone->next;
	free(gone->name);
	free(gone->value);
	free(gone);
}

static void forget_message(SMFICTX *mta)
{
	while (mta->headers != NULL)
		remove_header(&mta->headers);
	free(mta->quarantine);
	mta->quarantine = NULL;
}

const char *mta_find_header(const SMFICTX *mta, const char *name, int *count_out)
{
	const char *value = NULL;
	*count_out = 0;
	for (const struct header *header = mta->headers; header != NULL; header = header->next)
		if (text_same_nocase(header->name, name)) {
			(*count_out)++;
			value = value == NULL ? header->value : value;
		}
	return value;
}

const char *mta_quarantine(const SMFICTX *mta)
{
	return mta->quarantine;
}

const char *mta_complaint(const SMFICTX *mta)
{
	return mta->complaint;
}

/* ---- libmilter's functions */

/* Is a macro in one of the lists that were asked for? One that was not is never sent. */
static bool asked_for(const SMFICTX *mta, const char *name)
{
	size_t length = strlen(name);
	for (int i = 0; i <= SMFIM_LAST; i++)
		for (const char *word = mta->lists[i]; word != NULL && *word != '\0'; word += strspn(word, " ")) {
			size_t size = strcspn(word, " ");
			if (size == length && strncmp(word, name, size) == 0)
				return true;
			word += size;
		}
	return false;
}

int smfi_setsymlist(SMFICTX *mta, int stage, char *names)
{
	if (!mta->negotiates || stage < SMFIM_FIRST || stage > SMFIM_LAST || mta->lists[stage] != NULL)
		return complain(mta, "smfi_setsymlist of stage %d: not now, or twice", stage);
	mta->lists[stage] = names;
	return MI_SUCCESS;
}

char *smfi_getsymval(SMFICTX *mta, char *name)
{
	if ((mta->actions & SMFIF_SETSYMLIST) != 0 && !asked_for(mta, name)) {
		complain(mta, "smfi_getsymval of %s, which was not asked for", name);
		return NULL;
	}
	for (int i = 0; i < MACROS_MAX; i++)
		if (mta->macros[i].name != NULL && strcmp(mta->macros[i].name, name) == 0)
			return mta->macros[i].value;
	return NULL;
}

void *smfi_getpriv(SMFICTX *mta)
{
	return mta->private;
}

int smfi_setpriv(SMFICTX *mta, void *private)
{
	mta->private = private;
	return MI_SUCCESS;
}

/* libmilter's own checks. */
int smfi_setreply(SMFICTX *mta, char *code, char *enhanced, char *text)
{
	bool digits = strlen(code) == 3 && strspn(code, "0123456789") == 3;
	if (!digits || (code[0] != '4' && code[0] != '5') || (enhanced != NULL && enhanced[0] != code[0]))
		return complain(mta, "smfi_setreply(\"%s\", \"%s\")", code, enhanced != NULL ? enhanced : "NULL");
	if (strlen(text) > 980 || strpbrk(text, "\r\n") != NULL)
		return complain(mta, "smfi_setreply: a text of %zu bytes, or with a line end", strlen(text));
	text_copy(mta->reply.code, sizeof mta->reply.code, code);
	text_copy(mta->reply.enhanced, sizeof mta->reply.enhanced, enhanced != NULL ? enhanced : "");
	text_copy(mta->reply.text, sizeof mta->reply.text, text);
	return MI_SUCCESS;
}

int smfi_insheader(SMFICTX *mta, int index, char *name, char *value)
{
	struct header **at = &mta->headers;
	if (!mta->at_end || !(mta->actions & SMFIF_ADDHDRS) || *name == '\0' || index < 0)
		return complain(mta, "smfi_insheader of %s: not now", name);
	for (; index > 0 && *at != NULL; index--)
		at = &(*at)->next;
	put_header(at, name, value);
	return MI_SUCCESS;
}

/* Counts the fields of that name which are still there, as Postfix does. */
int smfi_chgheader(SMFICTX *mta, char *name, int index, char *value)
{
	struct header **at = &mta->headers;
	if (!mta->at_end || !(mta->actions & SMFIF_CHGHDRS) || *name == '\0' || index < 1 || value != NULL)
		return complain(mta, "smfi_chgheader of %s, %d: not now", name, index);
	for (; *at != NULL; at = &(*at)->next)
		if (text_same_nocase((*at)->name, name) && --index == 0) {
			remove_header(at);
			return MI_SUCCESS;
		}
	return complain(mta, "smfi_chgheader: there is no such header %s", name);
}

int smfi_chgfrom(SMFICTX *mta, char *sender, char *arguments)
{
	if (!mta->at_end || !(mta->actions & SMFIF_CHGFROM) || sender[0] == '\0')
		return complain(mta, "smfi_chgfrom of %s: not now", sender);
	return arguments != NULL && strstr(arguments, "ENVID=") != NULL
		       ? MI_SUCCESS
		       : complain(mta, "smfi_chgfrom of %s: no ENVID", sender);
}

int smfi_quarantine(SMFICTX *mta, char *reason)
{
	if (!mta->at_end || !(mta->actions & SMFIF_QUARANTINE) || *reason == '\0')
		return complain(mta, "smfi_quarantine: not now");
	free(mta->quarantine);
	mta->quarantine = copy(reason);
	return MI_SUCCESS;
}

/* ---- the session */

SMFICTX *mta_open(bool no_reply)
{
	SMFICTX *mta = calloc(1, sizeof *mta);
	unsigned long offered = SMFIP_NODATA | SMFIP_NOUNKNOWN | SMFIP_RCPT_REJ | SMFIP_SKIP;
	unsigned long zero0, zero1;
	if (mta == NULL)
		return NULL;
	if (no_reply)
		offered |= SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY;
	mta_macro(mta, "j", "mail.example.com");
	mta->negotiates = true;
	if (callbacks.xxfi_negotiate(mta,
				     SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_CHGBODY |
					     SMFIF_SETSYMLIST | SMFIF_CHGFROM,
				     offered, 0, 0, &mta->actions, &mta->steps, &zero0, &zero1) != SMFIS_CONTINUE)
		complain(mta, "the negotiation failed");
	mta->negotiates = false;
	if (mta->steps & ~offered)
		complain(mta, "the daemon wants steps that were not offered");
	return mta;
}

void mta_close(SMFICTX **mta)
{
	SMFICTX *closed = *mta;
	*mta = NULL;
	if (closed == NULL)
		return;
	callbacks.xxfi_close(closed);
	forget_message(closed);
	for (int i = 0; i < MACROS_MAX; i++) {
		free(closed->macros[i].name);
		free(closed->macros[i].value);
	}
	free(closed);
}

void mta_macro(SMFICTX *mta, const char *name, const char *value)
{
	int i = 0;
	while (i < MACROS_MAX - 1 && mta->macros[i].name != NULL && strcmp(mta->macros[i].name, name) != 0)
		i++;
	free(mta->macros[i].value);
	mta->macros[i].value = value != NULL ? copy(value) : NULL;
	if (mta->macros[i].name == NULL)
		mta->macros[i].name = copy(name);
}

/* Where no answer was agreed on, the callback says so, and where one is owed it does not. */
static void owes(SMFICTX *mta, unsigned long step, const char *callback, sfsistat status)
{
	sfsistat expected = mta->steps & step ? SMFIS_NOREPLY : SMFIS_CONTINUE;
	if (status != expected)
		complain(mta, "%s answered %d, expected %d", callback, status, expected);
}

static struct mta_answer answer(SMFICTX *mta, const char *callback, sfsistat status)
{
	struct mta_answer reply = mta->reply;
	mta->reply = (struct mta_answer){ .status = 0 };
	bool refused = status == SMFIS_TEMPFAIL || status == SMFIS_REJECT;
	if (!refused && status != SMFIS_CONTINUE && status != SMFIS_ACCEPT)
		complain(mta, "%s answered %d", callback, status);
	if (refused && reply.code[0] == '\0')
		reply = (struct mta_answer){ .code = "451", .enhanced = "4.7.1", .text = "try again later" };
	if (reply.code[0] != '\0' && reply.code[0] != (status == SMFIS_TEMPFAIL ? '4' : '5'))
		complain(mta, "%s answered %d with code %s", callback, status, reply.code);
	reply.status = status;
	return reply;
}

bool mta_connect(SMFICTX *mta, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(40000) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(40000) };
	struct sockaddr *found = NULL;
	if (strcmp(address, "injected") == 0) {
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		in.sin_port = 0;
		found = (struct sockaddr *)(void *)&in;
		mta_macro(mta, "i", "4dINJ00001");
	} else if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		found = (struct sockaddr *)(void *)&in;
	} else if (inet_pton(AF_INET6, address, &in6.sin6_addr) == 1) {
		found = (struct sockaddr *)(void *)&in6;
	} else if (strcmp(address, "none") != 0) {
		return false;
	}
	owes(mta, SMFIP_NR_CONN, "connect",
	     callbacks.xxfi_connect(mta, (char *)(uintptr_t) "client.example.net", found));
	return true;
}

void mta_helo(SMFICTX *mta, const char *name)
{
	owes(mta, SMFIP_NR_HELO, "helo", callbacks.xxfi_helo(mta, (char *)(uintptr_t)name));
}

struct mta_answer mta_mail(SMFICTX *mta, const char *from)
{
	char *arguments[] = { (char *)(uintptr_t)from, NULL };
	forget_message(mta);
	mta->in_headers = true;
	struct mta_answer given = answer(mta, "mail", callbacks.xxfi_envfrom(mta, arguments));
	mta->in_headers = given.status == SMFIS_CONTINUE;
	return given;
}

struct mta_answer mta_rcpt(SMFICTX *mta, const char *rcpt, const char *mailer)
{
	char *arguments[] = { (char *)(uintptr_t)rcpt, NULL };
	mta_macro(mta, "{rcpt_addr}", rcpt);
	mta_macro(mta, "{rcpt_mailer}", mailer);
	return answer(mta, "rcpt", callbacks.xxfi_envrcpt(mta, arguments));
}

void mta_header(SMFICTX *mta, const char *name, const char *value)
{
	put_header(last_header(mta), name, value);
	owes(mta, SMFIP_NR_HDR, "header",
	     callbacks.xxfi_header(mta, (char *)(uintptr_t)name, (char *)(uintptr_t)value));
}

void mta_headers_end(SMFICTX *mta)
{
	if (mta->in_headers)
		owes(mta, SMFIP_NR_EOH, "end of headers", callbacks.xxfi_eoh(mta));
	mta->in_headers = false;
}

void mta_body(SMFICTX *mta, size_t bytes)
{
	unsigned char chunk[BODY_CHUNK];
	mta_headers_end(mta);
	memset(chunk, 'x', sizeof chunk);
	for (size_t left = bytes; left > 0;) {
		size_t length = left < sizeof chunk ? left : sizeof chunk;
		owes(mta, SMFIP_NR_BODY, "body", callbacks.xxfi_body(mta, chunk, length));
		left -= length;
	}
}

void mta_body_text(SMFICTX *mta, const char *text)
{
	unsigned char chunk[BODY_CHUNK];
	size_t length = strnlen(text, sizeof chunk);
	mta_headers_end(mta);
	memcpy(chunk, text, length);
	if (length > 0)
		owes(mta, SMFIP_NR_BODY, "body", callbacks.xxfi_body(mta, chunk, length));
}

struct mta_answer mta_end(SMFICTX *mta)
{
	mta_headers_end(mta);
	mta->at_end = true;
	struct mta_answer given = answer(mta, "end of message", callbacks.xxfi_eom(mta));
	mta->at_end = false;
	return given;
}

void mta_abort(SMFICTX *mta)
{
	callbacks.xxfi_abort(mta);
	mta->in_headers = false;
	forget_message(mta);
}

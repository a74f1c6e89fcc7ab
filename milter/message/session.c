/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/message/session.h"

#include "milter/base/clock.h"
#include "milter/message/gather.h"
#include "milter/message/client_origin.h"
#include "milter/daemon/stats.h"
#include "policy/base/panic.h"
#include "policy/base/text.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SESSION_MAGIC = 0x50454e53 };

static atomic_int messages_under_way;
static atomic_bool refuses_new;
static _Atomic int64_t last_step_ms;

struct session *session_new(void)
{
	struct session *session = calloc(1, sizeof *session);
	if (session == NULL)
		return NULL;
	session->magic = SESSION_MAGIC;
	session->setup = setup_hold();
	arena_init(&session->arena, SESSION_ARENA_MAX);
	atomic_store(&last_step_ms, clock_monotonic_ms());
	stats_session_opened();
	return session;
}

struct session *session_of(void *pointer)
{
	struct session *session = pointer;
	MUST(session->magic == SESSION_MAGIC);
	return session;
}

void session_free(struct session **session)
{
	struct session *freed = *session;
	*session = NULL;
	if (freed == NULL)
		return;
	session_end(freed);
	rbl_release(&freed->listings);
	gather_release_network(&freed->network);
	client_origin_release(&freed->place);
	arena_empty(&freed->arena);
	setup_drop(&freed->setup);
	freed->magic = 0;
	free(freed);
	stats_session_closed();
}

struct message *session_begin(struct session *session)
{
	session_end(session);
	struct message *message = atomic_load(&refuses_new) ? NULL : malloc(sizeof *message);
	if (message == NULL)
		return NULL;
	memset(message, 0, offsetof(struct message, body));
	const struct config *config = session->setup->config;
	arena_init(&message->arena, MESSAGE_ARENA_MAX);
	message->started_ms = clock_monotonic_ms();
	atomic_store(&last_step_ms, message->started_ms);
	for (int i = 0; i < config->scanner_count; i++)
		if ((size_t)config->scanners[i].max_size > message->scan.most)
			message->scan.most = (size_t)config->scanners[i].max_size;
	session->message = message;
	atomic_fetch_add(&messages_under_way, 1);
	return message;
}

void session_end(struct session *session)
{
	struct message *message = session->message;
	if (message == NULL)
		return;
	session->message = NULL;
	spf_release(&message->spf.client);
	for (int i = 0; i < SPF_CHECKS_MAX; i++)
		spf_release(&message->spf.transports[i]);
	rests_release(&message->rests);
	gather_release_charge(&message->charge);
	arena_empty(&message->arena);
	free(message->known_bytes);
	free(message->scan.bytes);
	free(message);
	atomic_store(&last_step_ms, clock_monotonic_ms());
	atomic_fetch_sub(&messages_under_way, 1);
}

int session_messages(void)
{
	return atomic_load(&messages_under_way);
}

int64_t session_last_ms(void)
{
	return atomic_load(&last_step_ms);
}

void session_refuse_new(void)
{
	atomic_store(&refuses_new, true);
}

/* One more field of that name; where the arena is spent the message is deferred. */
static void message_note_field(struct message *message, struct forged **list, const char *name)
{
	struct forged *forged = *list;
	while (forged != NULL && !text_same_nocase(forged->name, name))
		forged = forged->next;
	if (forged == NULL) {
		forged = arena_take(&message->arena, sizeof *forged);
		char *copy = arena_copy(&message->arena, name, 1000);
		if (forged == NULL || copy == NULL)
			return;
		forged->name = copy;
		forged->next = *list;
		*list = forged;
	}
	forged->count++;
}

void message_note_forged(struct message *message, const char *name)
{
	if (++message->forged_count > FORGED_MAX)
		message->arena.spent = true; /* the message is deferred, and nothing deleted */
	else
		message_note_field(message, &message->forged, name);
}

void message_note_replaced(struct message *message, const char *name)
{
	if (++message->replaced_count > FORGED_MAX)
		message->arena.spent = true;
	else
		message_note_field(message, &message->replaced, name);
}

void message_keep(struct message *message, const char *bytes, size_t length)
{
	struct scan_text *scan = &message->scan;
	message->size += length;
	if (length > scan->most - scan->length)
		length = scan->most - scan->length;
	if (length == 0)
		return;
	if (scan->length + length > scan->size) {
		size_t size = scan->size < 4096 ? 8192 : scan->size * 2;
		while (size < scan->length + length)
			size *= 2;
		char *more = realloc(scan->bytes, size);
		if (more == NULL) {
			scan->most = scan->length;
			return;
		}
		scan->bytes = more;
		scan->size = size;
	}
	memcpy(scan->bytes + scan->length, bytes, length);
	scan->length += length;
}

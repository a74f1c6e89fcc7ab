/* SPDX-License-Identifier: BSD-2-Clause */
#include "t/fake/pending.h"

#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <event2/event.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "policy/base/banned.h"

struct resolver {
	struct event_base *base;
	int64_t timeout_ms;
	struct pending *open;
	bool ending;
};

static void answer(struct pending *pending)
{
	*pending->at = pending->next;
	if (pending->next != NULL)
		pending->next->at = pending->at;
	pending->done(pending->arg, &pending->answer);
	event_free(pending->timer);
	free(pending);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	answer(arg);
}

struct resolver *resolver_new(struct loop *loop, const struct resolver_settings *settings, char *error,
			      size_t error_size)
{
	struct resolver *resolver = calloc(1, sizeof *resolver);
	if (resolver == NULL) {
		text_copy(error, error_size, "no memory");
		return NULL;
	}
	resolver->base = loop_base(loop);
	resolver->timeout_ms = settings->timeout_ms;
	return resolver;
}

void resolver_free(struct resolver **resolver)
{
	struct resolver *freed = *resolver;
	*resolver = NULL;
	if (freed == NULL)
		return;
	freed->ending = true;
	while (freed->open != NULL) {
		struct dns_answer *unknown = &freed->open->answer;
		*unknown =
			(struct dns_answer){ .outcome = DNS_UNKNOWN, .type = unknown->type, .rcode = DNS_RCODE_NONE };
		answer(freed->open);
	}
	free(freed);
}

bool resolver_query(struct resolver *resolver, const char *name, enum dns_type type, resolver_done *done, void *arg)
{
	struct timeval wait = { 0 };
	struct pending *pending = resolver->ending ? NULL : calloc(1, sizeof *pending);
	if (pending == NULL)
		return false;
	pending->done = done;
	pending->arg = arg;
	pending->answer = (struct dns_answer){ .type = type, .rcode = DNS_RCODE_NONE, .data = pending->data.bytes };
	pending->timer = evtimer_new(resolver->base, on_timer, pending);
	if (!pending_look_up(name, pending)) {
		wait.tv_sec = resolver->timeout_ms / 1000;
		wait.tv_usec = resolver->timeout_ms % 1000 * 1000;
	}
	pending->next = resolver->open;
	pending->at = &resolver->open;
	if (resolver->open != NULL)
		resolver->open->at = &pending->next;
	resolver->open = pending;
	evtimer_add(pending->timer, &wait);
	return true;
}

/* To join an equal one costs nothing here: each is answered by itself. */
bool resolver_asks(struct resolver *resolver, const char *name, enum dns_type type)
{
	(void)resolver;
	(void)name;
	(void)type;
	return false;
}

static _Atomic(const char *) trouble = "";
static atomic_uint generation;

void pending_servers(const char *their_trouble)
{
	atomic_store(&trouble, their_trouble);
	atomic_fetch_add(&generation, 1);
}

const char *resolver_trouble(const struct resolver *resolver)
{
	(void)resolver;
	return atomic_load(&trouble);
}

unsigned resolver_generation(const struct resolver *resolver)
{
	(void)resolver;
	return atomic_load(&generation);
}

struct resolver_load resolver_load(const struct resolver *resolver)
{
	int64_t under_way = 0;
	for (const struct pending *pending = resolver->open; pending != NULL; pending = pending->next)
		under_way++;
	return (struct resolver_load){ under_way, 4096 };
}

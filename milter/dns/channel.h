/* SPDX-License-Identifier: BSD-2-Clause
 *
 * channel: c-ares on the loop's sockets: one question out, one packet back. The one place that names c-ares. Loop
 * thread only, or before it starts, or after it has stopped.
 */
#ifndef PENSTOCK_CHANNEL_H
#define PENSTOCK_CHANNEL_H

#include "milter/dns/resolver.h"

struct dns_channel;
struct event_base;

struct channel_reply {
	const uint8_t *bytes; /* borrowed for the call; NULL: none that could be read */
	size_t length;
	bool timed_out; /* no server answered in time */
	int timeouts;	/* tries that got no answer in time */
};

/* Embed it in what waits for the reply; owned by the asker until `done` is called. */
struct channel_question {
	struct dns_channel *channel; /* the channel's */
	void (*done)(struct channel_question *question, const struct channel_reply *reply);
};

/* `settings` name one server or more; `first`: which of them is asked first. NULL with a sentence in `error`. */
struct dns_channel *channel_new(struct event_base *base, const struct resolver_settings *settings, int first,
				char *error, size_t error_size);
/* Never from inside `done`. Questions under way end without a reply. Clears the pointer; NULL is fine. */
void channel_free(struct dns_channel **channel);

/* `done` may be called before this returns. */
void channel_ask(struct dns_channel *channel, const char *name, enum dns_type type, struct channel_question *question);

/* To be called every few milliseconds while questions are under way: c-ares looks for those that are due. */
void channel_tick(struct dns_channel *channel);

int64_t channel_held(const struct dns_channel *channel); /* questions under way */

#endif

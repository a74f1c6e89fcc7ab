/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/tell/courier.h"

#include "milter/base/clock.h"
#include "milter/base/log.h"
#include "milter/base/wait.h"
#include "policy/base/text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum {
	SAID_AGAIN_MS = 3600000,
	LOOK_MS = 250,	    /* the clock is looked at so often while something waits */
	STACK = 512 * 1024, /* TLS is deeper than our own threads are */
};

struct courier {
	const char *name;
	courier_send *send;
	courier_done *done; /* NULL: nobody keeps what waits */
	pthread_t thread;
	atomic_bool stop;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t came;
	bool running;
	struct parcel *first, **last;
	int64_t waiting; /* in the list; the one in hand is not */
	bool in_hand, hurry;
	struct event_sink_stats stats; /* all but waiting and failing_s */
	int64_t failing_since_ms;      /* 0: it is not */
	/* the thread's own */
	unsigned tries;
	int64_t said_ms;       /* when a failure was said; 0: none was */
	uint64_t never_unsaid; /* given up since that was said last */
	int64_t never_said_ms;
};

int64_t courier_wait_ms(unsigned tries, uint32_t chance)
{
	int64_t wait_ms = COURIER_FIRST_MS;
	for (unsigned i = 1; i < tries && wait_ms < COURIER_MOST_MS; i++)
		wait_ms *= 2;
	if (wait_ms > COURIER_MOST_MS)
		wait_ms = COURIER_MOST_MS;
	return wait_ms / 2 + (int64_t)(chance % (uint32_t)(wait_ms / 2 + 1));
}

int64_t courier_longer_ms(int64_t wait_ms, int64_t asked_s)
{
	int64_t asked_ms = asked_s >= COURIER_MOST_MS / 1000 ? COURIER_MOST_MS : asked_s > 0 ? asked_s * 1000 : 0;
	return asked_ms > wait_ms ? asked_ms : wait_ms;
}

struct courier *courier_new(const char *name, courier_send *send, courier_done *done)
{
	struct courier *courier = calloc(1, sizeof *courier);
	if (courier == NULL)
		return NULL;
	courier->name = name;
	courier->send = send;
	courier->done = done;
	courier->last = &courier->first;
	pthread_mutex_init(&courier->lock, NULL);
	pthread_cond_init(&courier->came, NULL);
	return courier;
}

/* ---- the thread; those that say so hold the lock */

static struct parcel *courier_take_first(struct courier *courier) /* locked */
{
	struct parcel *parcel = courier->first;
	if (parcel == NULL)
		return NULL;
	courier->first = parcel->next;
	if (courier->first == NULL)
		courier->last = &courier->first;
	courier->waiting--;
	return parcel;
}

static struct parcel *courier_wait_for_parcel(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	while (courier->first == NULL && !atomic_load(&courier->stop))
		pthread_cond_wait(&courier->came, &courier->lock);
	struct parcel *parcel = atomic_load(&courier->stop) ? NULL : courier_take_first(courier);
	courier->in_hand |= parcel != NULL; /* at the end, the one that was not taken stays counted */
	pthread_mutex_unlock(&courier->lock);
	return parcel;
}

/* Until the time is there, somebody hurries, or the daemon ends. New parcels make no hurry. */
static void courier_wait_until(struct courier *courier, int64_t until_ms)
{
	pthread_mutex_lock(&courier->lock);
	while (!atomic_load(&courier->stop) && !courier->hurry && clock_monotonic_ms() < until_ms)
		wait_cond(&courier->came, &courier->lock, LOOK_MS);
	if (courier->hurry)
		courier->tries = 0;
	courier->hurry = false;
	pthread_mutex_unlock(&courier->lock);
}

static void courier_note_taken(struct courier *courier, const struct courier_answer *answer)
{
	pthread_mutex_lock(&courier->lock);
	courier->stats.sent++;
	courier->failing_since_ms = courier->stats.failing_since_s = 0;
	courier->stats.refused = 0;
	courier->stats.why[0] = '\0';
	courier->in_hand = false;
	long long waiting = courier->waiting;
	pthread_mutex_unlock(&courier->lock);
	if (courier->said_ms != 0)
		log_line(SEVERITY_INFO, "%s: %s takes events again; %lld more wait", courier->name, answer->whom,
			 waiting);
	courier->said_ms = 0;
	courier->tries = 0;
}

static void courier_note_failure(struct courier *courier, const struct courier_answer *answer) /* locked */
{
	text_copy(courier->stats.why, sizeof courier->stats.why, answer->why);
	if (courier->failing_since_ms != 0)
		return;
	courier->failing_since_ms = clock_monotonic_ms();
	courier->stats.failing_since_s = clock_now_ms() / 1000;
}

static void courier_note_later(struct courier *courier, const struct courier_answer *answer)
{
	int64_t now_ms = clock_monotonic_ms();
	pthread_mutex_lock(&courier->lock);
	courier->stats.retried++;
	courier_note_failure(courier, answer);
	long long waiting = courier->waiting + 1;
	pthread_mutex_unlock(&courier->lock);
	courier->tries++;
	if (courier->said_ms == 0 || now_ms - courier->said_ms >= SAID_AGAIN_MS) {
		log_line(SEVERITY_WARNING, "%s: %s %s; it is tried again, %lld %s", courier->name, answer->whom,
			 answer->why, waiting, text_noun(waiting, "event waits", "events wait"));
		courier->said_ms = now_ms;
	}
}

/* One that is not wanted says nothing about the next, but a server that wants none is said once a minute at most. */
static void courier_note_never(struct courier *courier, const struct parcel *parcel, bool refused,
			       const struct courier_answer *answer)
{
	int64_t now_ms = clock_monotonic_ms();
	pthread_mutex_lock(&courier->lock);
	courier->stats.given_up++;
	courier->stats.refused += refused;
	courier->stats.lost += !refused;
	courier_note_failure(courier, answer);
	courier->in_hand = false;
	pthread_mutex_unlock(&courier->lock);
	courier->tries = 0;
	if (courier->never_said_ms != 0 && now_ms - courier->never_said_ms < 60000) {
		courier->never_unsaid++;
		return;
	}
	log_line(SEVERITY_WARNING, "%s: %s %s; event %s is given up, %" PRIu64 " others since this was said last",
		 courier->name, answer->whom, answer->why, parcel->id, courier->never_unsaid);
	courier->never_said_ms = now_ms;
	courier->never_unsaid = 0;
}

/* Until it is taken, not wanted or too old; false: the daemon ends before. */
static bool courier_deliver(struct courier *courier, const struct parcel *parcel)
{
	for (;;) {
		struct courier_answer answer = { .wait_s = 0 };
		enum courier_said said = courier->send(parcel, &courier->stop, &answer);
		if (said == COURIER_TAKEN) {
			courier_note_taken(courier, &answer);
			return true;
		}
		if (atomic_load(&courier->stop))
			return false;
		if (said == COURIER_NEVER ||
		    clock_monotonic_ms() - parcel->since_ms > COURIER_AGE_MOST_S * INT64_C(1000)) {
			courier_note_never(courier, parcel, said == COURIER_NEVER, &answer);
			return true;
		}
		courier_note_later(courier, &answer);
		int64_t wait_ms = courier_wait_ms(courier->tries, (uint32_t)random());
		courier_wait_until(courier, clock_monotonic_ms() + courier_longer_ms(wait_ms, answer.wait_s));
		if (atomic_load(&courier->stop))
			return false;
	}
}

static void *courier_thread(void *arg)
{
	struct courier *courier = arg;
	struct parcel *parcel;
	while ((parcel = courier_wait_for_parcel(courier)) != NULL) {
		if (courier_deliver(courier, parcel) && courier->done != NULL)
			courier->done(parcel);
		free(parcel);
	}
	return NULL;
}

static bool courier_run_thread(struct courier *courier) /* locked */
{
	pthread_attr_t attributes;
	if (courier->running || atomic_load(&courier->stop))
		return true;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	courier->running = pthread_create(&courier->thread, &attributes, courier_thread, courier) == 0;
	pthread_attr_destroy(&attributes);
	return courier->running;
}

/* ---- what others call */

void courier_take(struct courier *courier, struct parcel *parcel, int64_t most)
{
	if (parcel == NULL)
		return;
	parcel->next = NULL;
	if (parcel->since_ms == 0)
		parcel->since_ms = clock_monotonic_ms();
	pthread_mutex_lock(&courier->lock);
	*courier->last = parcel;
	courier->last = &parcel->next;
	courier->waiting++;
	struct parcel *gone =
		courier->waiting > most || !courier_run_thread(courier) ? courier_take_first(courier) : NULL;
	courier->stats.given_up += gone != NULL;
	courier->stats.lost += gone != NULL;
	pthread_cond_signal(&courier->came);
	pthread_mutex_unlock(&courier->lock);
	if (gone != NULL && courier->done != NULL)
		courier->done(gone);
	free(gone);
}

void courier_hurry(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	courier->hurry = courier->in_hand;
	pthread_cond_signal(&courier->came);
	pthread_mutex_unlock(&courier->lock);
}

struct event_sink_stats courier_stats(struct courier *courier)
{
	pthread_mutex_lock(&courier->lock);
	struct event_sink_stats stats = courier->stats;
	stats.waiting = (uint64_t)courier->waiting + courier->in_hand;
	if (courier->failing_since_ms != 0)
		stats.failing_s = (uint64_t)(clock_monotonic_ms() - courier->failing_since_ms) / 1000;
	pthread_mutex_unlock(&courier->lock);
	return stats;
}

void courier_stop(struct courier *courier)
{
	if (courier == NULL)
		return;
	atomic_store(&courier->stop, true);
	pthread_mutex_lock(&courier->lock);
	bool running = courier->running;
	pthread_cond_signal(&courier->came);
	pthread_mutex_unlock(&courier->lock);
	if (running)
		pthread_join(courier->thread, NULL);
}

void courier_free(struct courier **courier)
{
	struct courier *freed = *courier;
	*courier = NULL;
	if (freed == NULL)
		return;
	int64_t lost = freed->waiting + freed->in_hand;
	if (lost > 0)
		log_line(SEVERITY_WARNING, "%s: %" PRId64 " %s that nobody has taken %s", freed->name, lost,
			 text_noun(lost, "event", "events"),
			 freed->done == NULL ? text_noun(lost, "is lost", "are lost")
					     : text_noun(lost, "waits for the next start, as far as Redis has it",
							 "wait for the next start, as far as Redis has them"));
	for (struct parcel *parcel; (parcel = courier_take_first(freed)) != NULL;)
		free(parcel);
	pthread_cond_destroy(&freed->came);
	pthread_mutex_destroy(&freed->lock);
	free(freed);
}

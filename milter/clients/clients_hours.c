/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include <pthread.h>
#include <stdlib.h>

#include "policy/base/banned.h"

enum { HOUR_S = 3600 };

static struct {
	pthread_mutex_t lock;
	struct clients_hour *ring; /* owned; by hour % CLIENTS_HOURS_MOST; NULL: it is not started */
	struct clients_totals since_start;
} hours = { .lock = PTHREAD_MUTEX_INITIALIZER };

bool clients_hours_start(void)
{
	struct clients_hour *ring = calloc(CLIENTS_HOURS_MOST, sizeof *ring);
	pthread_mutex_lock(&hours.lock);
	free(hours.ring);
	hours.ring = ring;
	hours.since_start = (struct clients_totals){ .event = { 0 } };
	pthread_mutex_unlock(&hours.lock);
	return ring != NULL;
}

void clients_hours_stop(void)
{
	pthread_mutex_lock(&hours.lock);
	free(hours.ring);
	hours.ring = NULL;
	pthread_mutex_unlock(&hours.lock);
}

/* With the lock held. An hour that stands in its place and is later than now is of a clock that was wrong. NULL: it is
 * too long ago to be kept. */
static struct clients_hour *hours_of(int64_t time_s, int64_t now_s)
{
	int64_t hour = time_s / HOUR_S, now = now_s / HOUR_S;
	if (hours.ring == NULL || hour <= 0 || hour > now || hour <= now - CLIENTS_HOURS_MOST)
		return NULL;
	struct clients_hour *row = &hours.ring[hour % CLIENTS_HOURS_MOST];
	if (row->hour != hour)
		*row = (struct clients_hour){ .hour = (uint32_t)hour };
	return row;
}

void clients_hours_note(const struct client_note *note, int64_t now_s)
{
	enum client_event event = client_event_as(note->event, note->service);
	bool hangs_up = note->event == CLIENT_EVENT_NO_QUIT, fails = note->event == CLIENT_EVENT_AUTH_FAILURE;
	pthread_mutex_lock(&hours.lock);
	struct clients_hour *hour = hours_of(note->time_s, now_s);
	if (hour != NULL) {
		hour->event[event]++;
		hour->stage[note->stage] += hangs_up;
		hour->failure[note->service] += fails;
	}
	hours.since_start.event[event]++;
	hours.since_start.stage[note->stage] += hangs_up;
	hours.since_start.failure[note->service] += fails;
	pthread_mutex_unlock(&hours.lock);
}

void clients_hours_session(enum client_standing standing, bool encrypted, int64_t now_s)
{
	pthread_mutex_lock(&hours.lock);
	struct clients_hour *hour = hours_of(now_s, now_s);
	if (hour != NULL)
		hour->session[standing][encrypted]++;
	hours.since_start.session[standing][encrypted]++;
	pthread_mutex_unlock(&hours.lock);
}

void clients_hours_message(enum client_standing standing, bool encrypted, bool spam, int64_t now_s)
{
	pthread_mutex_lock(&hours.lock);
	struct clients_hour *hour = hours_of(now_s, now_s);
	if (hour != NULL)
		hour->message[standing][encrypted][spam]++;
	hours.since_start.message[standing][encrypted][spam]++;
	pthread_mutex_unlock(&hours.lock);
}

/* ---- what was counted */

void clients_hour(int64_t hour, struct clients_hour *hour_out)
{
	*hour_out = (struct clients_hour){ .hour = hour > 0 ? (uint32_t)hour : 0 };
	pthread_mutex_lock(&hours.lock);
	if (hours.ring != NULL && hour > 0 && hours.ring[hour % CLIENTS_HOURS_MOST].hour == hour)
		*hour_out = hours.ring[hour % CLIENTS_HOURS_MOST];
	pthread_mutex_unlock(&hours.lock);
}

#define HOURS_ADD(to, from, count) \
	for (int i_ = 0; i_ < (int)(count); i_++) \
	(&(to))[i_] += (&(from))[i_]

static void hours_add(struct clients_totals *totals, const struct clients_hour *hour)
{
	HOURS_ADD(totals->event[0], hour->event[0], CLIENT_EVENT_COUNT);
	HOURS_ADD(totals->stage[0], hour->stage[0], CLIENT_STAGE_COUNT);
	HOURS_ADD(totals->failure[0], hour->failure[0], CLIENT_SERVICE_COUNT);
	for (int i = 0; i < CLIENT_STANDING_COUNT; i++)
		for (int j = 0; j < 2; j++) {
			totals->session[i][j] += hour->session[i][j];
			totals->message[i][j][0] += hour->message[i][j][0];
			totals->message[i][j][1] += hour->message[i][j][1];
		}
}

void clients_totals(int64_t first, int64_t last, struct clients_totals *totals_out)
{
	*totals_out = (struct clients_totals){ .event = { 0 } };
	if (first <= last - CLIENTS_HOURS_MOST)
		first = last - CLIENTS_HOURS_MOST + 1;
	for (int64_t hour = first; hour <= last; hour++) {
		struct clients_hour row;
		clients_hour(hour, &row);
		hours_add(totals_out, &row);
	}
}

double clients_hangup_share(const struct clients_totals *totals)
{
	uint64_t without = totals->event[CLIENT_EVENT_NO_QUIT], all = without + totals->event[CLIENT_EVENT_QUIT];
	return all > 0 ? (double)without / (double)all : 0;
}

void clients_hours_fill_stats(struct clients_stats *stats)
{
	pthread_mutex_lock(&hours.lock);
	stats->total = hours.since_start;
	pthread_mutex_unlock(&hours.lock);
}

/* ---- the snapshot */

bool clients_hours_copy(size_t place, struct clients_hour *hour_out)
{
	*hour_out = (struct clients_hour){ .hour = 0 };
	pthread_mutex_lock(&hours.lock);
	if (hours.ring != NULL && place < CLIENTS_HOURS_MOST)
		*hour_out = hours.ring[place];
	pthread_mutex_unlock(&hours.lock);
	return hour_out->hour != 0;
}

void clients_hours_jumped(int64_t hour)
{
	pthread_mutex_lock(&hours.lock);
	struct clients_hour *row = hours.ring != NULL && hour > 0 ? &hours.ring[hour % CLIENTS_HOURS_MOST] : NULL;
	if (row != NULL && row->hour == hour)
		row->jumped = 1;
	pthread_mutex_unlock(&hours.lock);
}

void clients_hours_restore(const struct clients_hour *hour)
{
	pthread_mutex_lock(&hours.lock);
	if (hours.ring != NULL && hour->hour != 0)
		hours.ring[hour->hour % CLIENTS_HOURS_MOST] = *hour;
	pthread_mutex_unlock(&hours.lock);
}

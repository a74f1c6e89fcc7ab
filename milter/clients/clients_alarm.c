/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/clients/clients_inside.h"

#include "milter/base/log.h"
#include "milter/tell/event.h"
#include "policy/base/text.h"
#include "policy/hangups.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

enum { MINUTES = 60, MINUTE_S = 60, HOUR_S = 3600, NETWORKS = 128, NAMED = 3 };
#define MINUTE_LEFT 0.98 /* of what a network did, a minute later: half of it after half an hour */
#define HARDLY_ANY 0.5

struct clients_minute {
	int64_t minute; /* Unix time / 60 */
	uint32_t sessions, hung_up, stage[CLIENT_STAGE_COUNT];
};

/* A network that hung up within about the last hour. */
struct clients_hanger {
	struct netblock network;
	uint32_t as_number;
	double sessions, hung_up;
};

static struct {
	pthread_mutex_t lock;
	struct hangups usual;
	int64_t learnt_hour;
	struct clients_minute minutes[MINUTES];
	int64_t decayed_minute;
	struct clients_hanger hangers[NETWORKS];
	struct clients_alarm told;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- what comes in; with the lock held */

static struct clients_minute *clients_minute_of(int64_t time_s)
{
	int64_t minute = time_s / MINUTE_S;
	struct clients_minute *row = &watch.minutes[minute % MINUTES];
	if (row->minute != minute)
		*row = (struct clients_minute){ .minute = minute };
	return row;
}

static struct netblock clients_alarm_network(const struct netaddr *client)
{
	int bits = client->family == NETADDR_V4 ? 24 : 48;
	return (struct netblock){ netaddr_network(client, bits), bits };
}

/* Who hung up least gives way: who does it often is there again at once, and stays. */
static struct clients_hanger *clients_hanger_of(const struct netaddr *client, bool make)
{
	struct netblock network = clients_alarm_network(client);
	struct clients_hanger *least = &watch.hangers[0];
	for (int i = 0; i < NETWORKS; i++) {
		if (netaddr_same(&watch.hangers[i].network.address, &network.address))
			return &watch.hangers[i];
		if (watch.hangers[i].hung_up < least->hung_up)
			least = &watch.hangers[i];
	}
	if (make)
		*least = (struct clients_hanger){ .network = network };
	return make ? least : NULL;
}

static void clients_alarm_count(const struct client_note *note, uint32_t as_number)
{
	bool hung_up = note->event == CLIENT_EVENT_NO_QUIT;
	struct clients_minute *minute = clients_minute_of(note->time_s);
	minute->sessions++;
	minute->hung_up += hung_up;
	minute->stage[note->stage] += hung_up;
	struct clients_hanger *hanger = clients_hanger_of(&note->client, hung_up);
	if (hanger != NULL) {
		hanger->sessions++;
		hanger->hung_up += hung_up;
		if (as_number != 0)
			hanger->as_number = as_number;
	}
}

void clients_alarm_note(const struct client_note *note, uint32_t as_number, int64_t now_s)
{
	bool hung_up = note->event == CLIENT_EVENT_NO_QUIT;
	if (!hung_up && note->event != CLIENT_EVENT_QUIT)
		return;
	pthread_mutex_lock(&watch.lock);
	if (note->time_s / HOUR_S <= watch.learnt_hour) /* an older log is read: all is learnt anew */
		watch.learnt_hour = 0;
	if (now_s - note->time_s < HOUR_S)
		clients_alarm_count(note, as_number);
	pthread_mutex_unlock(&watch.lock);
}

/* ---- who and where; with the lock held */

static void clients_alarm_decay(int64_t now_s)
{
	int64_t passed = now_s / MINUTE_S - watch.decayed_minute;
	double left = passed < 0 || passed > 24 * MINUTES ? 0 : pow(MINUTE_LEFT, (double)passed);
	watch.decayed_minute = now_s / MINUTE_S;
	for (int i = 0; i < NETWORKS; i++) {
		struct clients_hanger *hanger = &watch.hangers[i];
		hanger->sessions *= left;
		hanger->hung_up *= left;
		if (hanger->hung_up < HARDLY_ANY)
			*hanger = (struct clients_hanger){ .hung_up = 0 };
	}
}

static struct clients_minute clients_alarm_sum(int64_t now_s)
{
	struct clients_minute sum = { .minute = now_s / MINUTE_S };
	for (int i = 0; i < MINUTES; i++) {
		const struct clients_minute *minute = &watch.minutes[i];
		if (minute->minute > sum.minute || minute->minute <= sum.minute - MINUTES)
			continue;
		sum.sessions += minute->sessions;
		sum.hung_up += minute->hung_up;
		for (int j = 0; j < CLIENT_STAGE_COUNT; j++)
			sum.stage[j] += minute->stage[j];
	}
	return sum;
}

static void clients_alarm_add_hanger(struct text *text, const struct clients_hanger *hanger)
{
	char address[NETADDR_TEXT_MAX];
	netaddr_text(&hanger->network.address, address);
	text_addf(text, "%s%s/%d", text->length > 0 ? ", " : "", address, hanger->network.bits);
	if (hanger->as_number != 0)
		text_addf(text, " of AS%u", hanger->as_number);
	text_addf(text, " (%.0f of %.0f)", ceil(hanger->hung_up), ceil(hanger->sessions));
}

static void clients_alarm_who(char *who, size_t size)
{
	struct text text = text_over(who, size);
	const struct clients_hanger *before = NULL;
	for (int i = 0; i < NAMED; i++) {
		const struct clients_hanger *most = NULL;
		for (int j = 0; j < NETWORKS; j++) {
			const struct clients_hanger *hanger = &watch.hangers[j];
			bool is_next = before == NULL || hanger->hung_up < before->hung_up ||
				       (hanger > before && !(hanger->hung_up > before->hung_up));
			if (is_next && hanger->hung_up > 0 && (most == NULL || hanger->hung_up > most->hung_up))
				most = hanger;
		}
		if (most == NULL)
			return;
		clients_alarm_add_hanger(&text, most);
		before = most;
	}
}

static void clients_alarm_where(const struct clients_minute *sum, char *where, size_t size)
{
	struct text text = text_over(where, size);
	uint32_t stage[CLIENT_STAGE_COUNT];
	memcpy(stage, sum->stage, sizeof stage);
	for (int i = 0; i < NAMED; i++) {
		int most = 0;
		for (int j = 1; j < CLIENT_STAGE_COUNT; j++)
			if (stage[j] > stage[most])
				most = j;
		if (stage[most] == 0)
			return;
		text_addf(&text, "%s%s (%u)", i > 0 ? ", " : "", client_stage_word((enum client_stage)most),
			  stage[most]);
		stage[most] = 0;
	}
}

/* ---- is it as usual? */

/* Of hours that have ended; all that are kept at the start, then one by one. With the lock held. */
static void clients_alarm_learn(int64_t now_s)
{
	int64_t now = now_s / HOUR_S, since_s = watch.usual.alarm_s;
	if (watch.learnt_hour > now) /* of a clock that was wrong */
		watch.learnt_hour = 0;
	if (watch.learnt_hour == 0)
		watch.usual = (struct hangups){ .alarm_s = since_s };
	if (watch.learnt_hour < now - CLIENTS_HOURS_MOST)
		watch.learnt_hour = now - CLIENTS_HOURS_MOST;
	for (int64_t hour = watch.learnt_hour + 1; hour < now; hour++) {
		struct clients_hour row;
		clients_hour(hour, &row);
		double hung_up = row.event[CLIENT_EVENT_NO_QUIT];
		bool jumped = row.jumped != 0 || (since_s != 0 && (hour + 1) * HOUR_S > since_s);
		if (jumped && row.jumped == 0)
			clients_hours_jumped(hour);
		watch.usual.alarm_s = jumped ? 1 : 0;
		hangups_learn(&watch.usual, hour * HOUR_S,
			      (struct hangups_count){ hung_up + row.event[CLIENT_EVENT_QUIT], hung_up });
		watch.learnt_hour = hour;
	}
	watch.usual.alarm_s = since_s;
}

static void clients_alarm_tell(enum hangups_news news, const struct clients_alarm *alarm)
{
	struct notice event;
	notice_init(&event, EVENT_HANGUPS, "");
	if (news == HANGUPS_JUMPED)
		snprintf(event.reason, sizeof event.reason,
			 "%.2f %% of sessions ended without QUIT within the last hour, usual are %.2f %%: %s; they "
			 "ended "
			 "after: %s",
			 100 * alarm->now, 100 * alarm->usual, alarm->who, alarm->where);
	else
		snprintf(event.reason, sizeof event.reason,
			 "%.2f %% of sessions ended without QUIT within the last hour, which is as usual again",
			 100 * alarm->now);
	log_line(news == HANGUPS_JUMPED ? SEVERITY_WARNING : SEVERITY_INFO, "clients: %s", event.reason);
	event_tell(&event);
}

void clients_alarm_look(int64_t now_s)
{
	pthread_mutex_lock(&watch.lock);
	clients_alarm_decay(now_s);
	clients_alarm_learn(now_s);
	struct clients_minute sum = clients_alarm_sum(now_s);
	struct clients_alarm alarm = { .now = sum.sessions > 0 ? (double)sum.hung_up / sum.sessions : 0 };
	enum hangups_news news =
		hangups_judge(&watch.usual, now_s, (struct hangups_count){ sum.sessions, sum.hung_up });
	double usual = hangups_usual(&watch.usual, now_s);
	alarm.known = !isnan(usual);
	alarm.usual = alarm.known ? usual : 0;
	alarm.since_s = watch.usual.alarm_s;
	alarm.on = alarm.since_s != 0;
	if (alarm.on) {
		clients_alarm_who(alarm.who, sizeof alarm.who);
		clients_alarm_where(&sum, alarm.where, sizeof alarm.where);
	}
	watch.told = alarm;
	pthread_mutex_unlock(&watch.lock);
	if (news != HANGUPS_NOTHING)
		clients_alarm_tell(news, &alarm);
}

void clients_alarm(struct clients_alarm *alarm_out)
{
	pthread_mutex_lock(&watch.lock);
	*alarm_out = watch.told;
	pthread_mutex_unlock(&watch.lock);
}

/* ---- the snapshot */

int64_t clients_alarm_since_s(void)
{
	pthread_mutex_lock(&watch.lock);
	int64_t since_s = watch.usual.alarm_s;
	pthread_mutex_unlock(&watch.lock);
	return since_s;
}

void clients_alarm_restore(int64_t since_s)
{
	pthread_mutex_lock(&watch.lock);
	watch.usual = (struct hangups){ .alarm_s = since_s };
	watch.learnt_hour = 0;
	watch.told = (struct clients_alarm){ .known = false };
	memset(watch.minutes, 0, sizeof watch.minutes);
	memset(watch.hangers, 0, sizeof watch.hangers);
	pthread_mutex_unlock(&watch.lock);
}

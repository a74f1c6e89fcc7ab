/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays one kind of clients: its sessions in order of time, each with what the log and the daemon would note of it, and
 * what the maps, the hold and the block list would answer. Counts are kept as milter/clients keeps them: own, of the
 * network, of the AS.
 */
#include "t/eval/clients.h"

#include "policy/guess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { HOUR_S = 3600, DAY_S = 86400, DAYS = 30, BEGIN_S = 1925424000 /* a Monday */ };

struct play_client {
	struct client_counts own;
	struct guess_set names;
	size_t network;
	int64_t start_s, end_s, seen_s;
	enum client_standing standing;		    /* as it was last seen */
	struct clients_manner manner[MANNERS_MOST]; /* its own values are the low ones */
	struct clients_fate fate;
};

struct play_session {
	int64_t at_s;
	uint32_t client;
	uint8_t manner;
};

struct play_world {
	const struct clients_kind *kind;
	struct clients_dice dice;
	struct play_client *clients;
	struct client_counts *networks, as;
	struct play_session *sessions;
	size_t session_count, session_room;
	int64_t around_s; /* up to when the others did what they do */
};

/* ---- chance */

static uint64_t play_next(struct clients_dice *dice)
{
	uint64_t z = (dice->state += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double clients_chance(struct clients_dice *dice)
{
	return (double)(play_next(dice) >> 11) / 9007199254740992.0;
}

static bool play_happens(struct play_world *world, double share)
{
	return clients_chance(&world->dice) < share;
}

static int play_poisson(struct play_world *world, double mean)
{
	double left = exp(-mean), product = clients_chance(&world->dice);
	int count = 0;
	for (; product > left && count < 10000; count++)
		product *= clients_chance(&world->dice);
	return count;
}

/* Rates lie evenly by their logarithm, shares as they are. */
static void play_draw(struct play_world *world, struct clients_range *range, bool rate)
{
	double part = clients_chance(&world->dice);
	if (range->high <= range->low)
		return;
	range->low = rate ? range->low * pow(range->high / range->low, part)
			  : range->low + (range->high - range->low) * part;
}

/* ---- who is there, and when he comes */

static void *play_take(size_t count, size_t size)
{
	void *memory = calloc(count > 0 ? count : 1, size);
	if (memory == NULL)
		clients_die("there is no memory");
	return memory;
}

static void play_add_session(struct play_world *world, int64_t at_s, size_t client, size_t manner)
{
	if (world->session_count == world->session_room) {
		world->session_room = world->session_room > 0 ? 2 * world->session_room : 4096;
		world->sessions = realloc(world->sessions, world->session_room * sizeof *world->sessions);
		if (world->sessions == NULL)
			clients_die("there is no memory");
	}
	world->sessions[world->session_count++] =
		(struct play_session){ .at_s = at_s, .client = (uint32_t)client, .manner = (uint8_t)manner };
}

static void play_plan_manner(struct play_world *world, size_t number, size_t which)
{
	const struct play_client *client = &world->clients[number];
	const struct clients_manner *manner = &client->manner[which];
	int64_t end_s = manner->to_h > 0 ? client->start_s + (int64_t)(manner->to_h * HOUR_S) : client->end_s;
	double at_s = (double)client->start_s + manner->from_h * HOUR_S, gap_s = DAY_S / manner->per_day.low;
	if (end_s > client->end_s)
		end_s = client->end_s;
	if (manner->regular || manner->from_h > 0)
		at_s += gap_s * clients_chance(&world->dice);
	for (; at_s < (double)end_s; at_s += manner->regular ? gap_s : -gap_s * log(1 - clients_chance(&world->dice)))
		if (!manner->weekdays || ((int64_t)at_s - BEGIN_S) / DAY_S % 7 < 5)
			play_add_session(world, (int64_t)at_s, number, which);
}

static void play_plan_client(struct play_world *world, size_t number)
{
	const struct clients_kind *kind = world->kind;
	struct play_client *client = &world->clients[number];
	struct clients_range start = kind->start_h;
	int64_t end_s = BEGIN_S + (kind->days > 0 ? kind->days : DAYS) * (int64_t)DAY_S;
	play_draw(world, &start, false);
	client->network = number % (size_t)kind->networks;
	client->start_s = BEGIN_S + (int64_t)(start.low * HOUR_S);
	client->end_s = kind->life_h > 0 ? client->start_s + (int64_t)(kind->life_h * HOUR_S) : end_s;
	if (client->end_s > end_s)
		client->end_s = end_s;
	client->standing = CLIENT_UNKNOWN;
	client->fate = (struct clients_fate){ .poor_s = -1,
					      .bad_s = -1,
					      .good_s = -1,
					      .poor_until_s = -1,
					      .bad_until_s = -1,
					      .bad_sessions_to_poor = -1,
					      .bad_sessions_to_bad = -1 };
	client->fate.days = (double)(client->end_s - client->start_s) / DAY_S;
	for (size_t i = 0; i < MANNERS_MOST; i++) {
		struct clients_manner *manner = &client->manner[i];
		*manner = kind->manner[i];
		play_draw(world, &manner->per_day, true);
		play_draw(world, &manner->quit, false);
		play_draw(world, &manner->mails, false);
		play_draw(world, &manner->spam, false);
		play_draw(world, &manner->refused, false);
		if (manner->per_day.low > 0)
			play_plan_manner(world, number, i);
	}
}

static int play_compare(const void *left, const void *right)
{
	const struct play_session *a = left, *b = right;
	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? -1 : 1;
	if (a->client != b->client)
		return a->client < b->client ? -1 : 1;
	return (int)a->manner - (int)b->manner;
}

/* ---- who else is around */

/* What one of them does in a day, as its receiver sees it. */
static const double play_bot[CLIENT_EVENT_COUNT] = {
	[CLIENT_EVENT_QUIT] = 0.5,     [CLIENT_EVENT_NO_QUIT] = 5, [CLIENT_EVENT_SLOWED] = 5,
	[CLIENT_EVENT_GAVE_UP] = 3,    [CLIENT_EVENT_LISTED] = 2,  [CLIENT_EVENT_REFUSED] = 2,
	[CLIENT_EVENT_PROTOCOL] = 0.1, [CLIENT_EVENT_SPAM] = 1,	   [CLIENT_EVENT_AUTH_FAILURE] = 3,
	[CLIENT_EVENT_MAIL] = 0.3,
};
static const double play_server[CLIENT_EVENT_COUNT] = {
	[CLIENT_EVENT_QUIT] = 20,     [CLIENT_EVENT_NO_QUIT] = 0.05, [CLIENT_EVENT_SLOWED] = 0.2,
	[CLIENT_EVENT_REFUSED] = 0.4, [CLIENT_EVENT_MAIL] = 18,	     [CLIENT_EVENT_SPAM] = 0.2,
};

static void play_around_hour(struct client_counts *counts, const struct clients_around *around, int64_t at_s)
{
	for (int i = 0; i < CLIENT_EVENT_COUNT; i++)
		client_counts_add(counts, (enum client_event)i,
				  (around->bots * play_bot[i] + around->servers * play_server[i]) / 24, at_s);
}

static void play_around(struct play_world *world, int64_t now_s)
{
	const struct clients_kind *kind = world->kind;
	for (; world->around_s <= now_s; world->around_s += HOUR_S) {
		play_around_hour(&world->as, &kind->as, world->around_s);
		for (int i = 0; i < kind->networks; i++) {
			play_around_hour(&world->networks[i], &kind->network, world->around_s);
			play_around_hour(&world->as, &kind->network, world->around_s);
		}
	}
}

/* ---- one session */

static void play_note(struct play_world *world, struct play_client *client, enum client_event event, int64_t at_s)
{
	client_counts_add(&client->own, event, 1, at_s);
	client_counts_add(&world->networks[client->network], event, 1, at_s);
	client_counts_add(&world->as, event, 1, at_s);
}

static struct client_verdict play_judge(struct play_world *world, struct play_client *client, int64_t now_s)
{
	struct client_facts facts = { .now_s = now_s,
				      .own = client->own,
				      .network = world->networks[client->network],
				      .as = world->as,
				      .logins = guess_set_count(&client->names, now_s) };
	client_counts_decay(&facts.own, now_s);
	client_counts_decay(&facts.network, now_s);
	client_counts_decay(&facts.as, now_s);
	client_counts_without(&facts.network, &facts.own);
	client_counts_without(&facts.as, &facts.own);
	return client_judge(&facts);
}

static void play_see_bad(struct play_client *client, const struct client_verdict *verdict, int64_t life_s)
{
	struct clients_fate *fate = &client->fate;
	fate->bad_until_s = life_s;
	fate->bad_times += !client_is_listed(client->standing);
	if (fate->bad_s >= 0)
		return;
	fate->bad_s = life_s;
	fate->bad_sessions_to_bad = fate->bad_sessions;
	memcpy(fate->terms_bad, verdict->term, sizeof fate->terms_bad);
}

static void play_see_poor(struct clients_fate *fate, const struct client_verdict *verdict, int64_t life_s)
{
	fate->poor_until_s = life_s;
	if (fate->poor_s >= 0)
		return;
	fate->poor_s = life_s;
	fate->bad_sessions_to_poor = fate->bad_sessions;
	memcpy(fate->terms, verdict->term, sizeof fate->terms);
}

/* Who waits for QUIT is who is poor. */
static enum client_standing play_see(struct play_world *world, struct play_client *client, int64_t now_s)
{
	struct client_verdict verdict = play_judge(world, client, now_s);
	struct clients_fate *fate = &client->fate;
	int64_t life_s = now_s - client->start_s;
	if (client_waits_for_quit(client->standing))
		fate->poor_sum_s += now_s - client->seen_s;
	if (client_waits_for_quit(verdict.standing))
		play_see_poor(fate, &verdict, life_s);
	if (client_is_listed(verdict.standing))
		play_see_bad(client, &verdict, life_s);
	if (verdict.standing == CLIENT_GOOD && fate->good_s < 0)
		fate->good_s = life_s;
	client->standing = verdict.standing;
	client->seen_s = now_s;
	fate->slowed_last = client_slows(verdict.standing);
	fate->poor_last = client_waits_for_quit(verdict.standing);
	fate->bad_last = client_is_listed(verdict.standing);
	fate->good_last = verdict.standing == CLIENT_GOOD;
	return verdict.standing;
}

static int play_how_many(struct play_world *world, double mails)
{
	return mails <= 1 ? play_happens(world, mails) : 1 + play_poisson(world, mails - 1);
}

/* Turned away by a list, at each recipient. Ours refuses who is bad, and that is in the log as any list's refusal. */
static void play_refuse(struct play_world *world, struct play_client *client, const struct clients_manner *manner,
			bool ours, int64_t at_s)
{
	int mails = play_how_many(world, manner->mails.low), asked = mails > 0 ? mails : 1;
	for (int i = 0; i < asked; i++)
		play_note(world, client, CLIENT_EVENT_LISTED, at_s);
	if (!manner->attack) {
		client->fate.good_mails += mails;
		client->fate.refused += ours ? mails : 0;
	}
	play_note(world, client, play_happens(world, manner->quit.low) ? CLIENT_EVENT_QUIT : CLIENT_EVENT_NO_QUIT,
		  at_s);
}

static void play_logins(struct play_world *world, struct play_client *client, const struct clients_manner *manner,
			int64_t at_s)
{
	for (int left = play_poisson(world, manner->fails); left > 0; left--) {
		play_note(world, client, manner->unproven ? CLIENT_EVENT_UNPROVEN : CLIENT_EVENT_AUTH_FAILURE, at_s);
		struct clients_dice name = { (uint64_t)(clients_chance(&world->dice) * manner->names) };
		if (!manner->unproven)
			guess_set_add(&client->names, play_next(&name), at_s, at_s);
	}
}

static void play_message(struct play_world *world, struct play_client *client, const struct clients_manner *manner,
			 bool says_quit, int64_t at_s)
{
	struct clients_fate *fate = &client->fate;
	bool spam = play_happens(world, manner->spam.low), held = client_waits_for_quit(client->standing);
	play_note(world, client, spam ? CLIENT_EVENT_SPAM : CLIENT_EVENT_MAIL, at_s);
	if (manner->attack) {
		fate->spam_sent += !held || says_quit;
		fate->spam_free += client->standing == CLIENT_GOOD;
	} else if (!spam) {
		fate->good_mails++;
		fate->held += held;
		fate->lost += held && !says_quit;
	}
}

static void play_talk(struct play_world *world, struct play_client *client, const struct clients_manner *manner,
		      int64_t at_s)
{
	bool says_quit = play_happens(world, manner->quit.low);
	play_logins(world, client, manner, at_s);
	if (play_happens(world, manner->login)) {
		play_note(world, client, CLIENT_EVENT_LOGIN, at_s);
		client->fate.good_mails += !manner->attack;
		return;
	}
	for (int left = play_poisson(world, manner->refused.low); left > 0; left--)
		play_note(world, client, CLIENT_EVENT_REFUSED, at_s);
	for (int left = play_how_many(world, manner->mails.low); left > 0; left--)
		play_message(world, client, manner, says_quit, at_s);
	if (manner->elsewhere)
		return;
	play_note(world, client, says_quit ? CLIENT_EVENT_QUIT : CLIENT_EVENT_NO_QUIT, at_s);
}

static bool play_gives_up(struct play_world *world, struct play_client *client, const struct clients_manner *manner,
			  int64_t at_s)
{
	if (!client_slows(client->standing) || manner->elsewhere)
		return false;
	play_note(world, client, CLIENT_EVENT_SLOWED, at_s);
	if (!play_happens(world, manner->gives_up))
		return false;
	play_note(world, client, CLIENT_EVENT_NO_QUIT, at_s);
	play_note(world, client, CLIENT_EVENT_GAVE_UP, at_s);
	return true;
}

static void play_begin(struct play_client *client, const struct clients_manner *manner)
{
	struct clients_fate *fate = &client->fate;
	bool slowed = client_slows(client->standing);
	fate->sessions++;
	fate->bad_sessions += manner->attack;
	if (fate->sessions == 1) {
		fate->slowed_first = slowed;
		fate->poor_first = client_waits_for_quit(client->standing);
	}
	if (fate->sessions == 10)
		fate->slowed_tenth = slowed;
}

static void play_session(struct play_world *world, const struct play_session *session)
{
	struct play_client *client = &world->clients[session->client];
	const struct clients_manner *manner = &client->manner[session->manner];
	int64_t at_s = session->at_s;
	enum client_standing standing = play_see(world, client, at_s);
	play_begin(client, manner);
	if (client_is_listed(standing) && !manner->elsewhere) {
		play_refuse(world, client, manner, true, at_s);
	} else if (play_happens(world, manner->listed)) {
		play_refuse(world, client, manner, false, at_s);
	} else if (!play_gives_up(world, client, manner, at_s)) {
		if (play_happens(world, manner->protocol)) {
			play_note(world, client, CLIENT_EVENT_PROTOCOL, at_s);
			play_note(world, client, CLIENT_EVENT_NO_QUIT, at_s);
		} else {
			play_talk(world, client, manner, at_s);
		}
	}
	play_see(world, client, at_s + 1);
}

/* ---- a world */

static void play_world(const struct clients_kind *kind, uint64_t seed, struct clients_fate *fates_out)
{
	struct play_world world = { .kind = kind, .dice.state = seed, .around_s = BEGIN_S - 14 * (int64_t)DAY_S };
	world.clients = play_take((size_t)kind->clients, sizeof *world.clients);
	world.networks = play_take((size_t)kind->networks, sizeof *world.networks);
	for (size_t i = 0; i < (size_t)kind->clients; i++)
		play_plan_client(&world, i);
	qsort(world.sessions, world.session_count, sizeof *world.sessions, play_compare);
	for (size_t i = 0; i < world.session_count; i++) {
		play_around(&world, world.sessions[i].at_s);
		play_session(&world, &world.sessions[i]);
	}
	for (size_t i = 0; i < (size_t)kind->clients; i++)
		fates_out[i] = world.clients[i].fate;
	free(world.clients);
	free(world.networks);
	free(world.sessions);
}

struct clients_fate *clients_play(const struct clients_kind *kind, uint64_t seed, size_t *count_out)
{
	struct clients_dice dice = { .state = seed };
	size_t each = (size_t)kind->clients, count = each * (size_t)kind->worlds;
	struct clients_fate *fates = play_take(count, sizeof *fates);
	for (const char *at = kind->name; *at != '\0'; at++) /* a new kind changes no other */
		dice.state = play_next(&dice) ^ (uint64_t)(unsigned char)*at;
	for (size_t i = 0; i < (size_t)kind->worlds; i++)
		play_world(kind, play_next(&dice), fates + i * each);
	*count_out = count;
	return fates;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/lookup/check.h"

#include "milter/base/clock.h"
#include "milter/lookup/pump.h"
#include "milter/lookup/subject.h"
#include "milter/base/loop.h"
#include "policy/base/text.h"

#include <stdlib.h>

#include "policy/base/banned.h"

enum { HOSTS_MAX = 8, ERROR_MAX = 320, RCODE_NXDOMAIN = 3 };

/* An address that is to be checked. */
struct found {
	struct netaddr address;
	char from[DNS_NAME_MAX + 4]; /* "A", "AAAA", "MX mail.example.com" */
};

/* The addresses of a name. */
struct host {
	struct host_lookup {
		struct lookup lookup; /* first */
		struct check *check;
		const char *from; /* NULL: "A", "AAAA" */
	} a, aaaa;
	char from[DNS_NAME_MAX + 4];
};

/* What a name is looked up for. NULL where an address or a network is asked for. */
struct resolution {
	struct lookup mx; /* first */
	struct check *check;
	struct host self, hosts[HOSTS_MAX];
	int host_count;
	int open;     /* look-ups without an answer */
	bool exists;  /* an answer says so */
	bool nowhere; /* ... that it does not */
	bool unknown; /* the look-up of its own addresses was not answered */
	int found_count, next;
	struct found found[CHECK_ADDRESSES_MAX];
};

struct check {
	struct pump pump; /* first */
	struct subject_owner owner;
	struct check_settings settings;
	struct check_target target;
	check_listener *listener;
	void *arg;
	struct resolution *names; /* owned; NULL: no name */
	bool begun, paused, over, domain_begun;
	uint32_t next;		  /* of the addresses of a network, the next one; of an address, 1: it was */
	struct subject *subjects; /* owned, those that are under way */
	int active;
	struct check_sums sums;
	int64_t started_ms;
	char error[ERROR_MAX];
};

static void emit(struct check *check, struct check_event *event)
{
	if (!check->pump.ended && !check->over)
		check->listener(check->arg, event);
}

/* The sentence is in two parts; the first one of several is kept. */
static void check_fail(struct check *check, const char *what, const char *rest)
{
	if (check->error[0] != '\0')
		return;
	struct text text = text_over(check->error, sizeof check->error);
	text_add(&text, what);
	text_add(&text, rest);
}

static void check_finish(struct check *check)
{
	struct check_event event = {
		.kind = CHECK_EVENT_END,
		.sums = check->sums,
		.took_ms = clock_monotonic_ms() - check->started_ms,
		.error = check->error[0] != '\0' ? check->error : NULL,
	};
	emit(check, &event);
	check->over = true;
}

/* ---- subjects */

static void emit_of(struct subject_owner *owner, struct check_event *event)
{
	emit((struct check *)(void *)owner->pump, event);
}

void check_sums_add(struct check_sums *to, const struct check_sums *subject)
{
	if (subject->listed > 0)
		to->listed++;
	else if (subject->clean > 0 || subject->noted > 0)
		to->clean++;
	else if (subject->unknown > 0)
		to->unknown++;
	else
		to->skipped++;
	to->noted += subject->listed == 0 && subject->noted > 0;
	to->weight += subject->weight;
}

static void check_subject_done(struct subject_owner *owner, struct subject *subject, const struct check_sums *sums)
{
	struct check *check = (struct check *)(void *)owner->pump;
	check_sums_add(&check->sums, sums);
	subject_unlink(subject);
	subject_free(&subject);
	check->active--;
	pump_wake(&check->pump);
}

static void check_begin_subject(struct check *check, const struct subject_target *target)
{
	struct subject *subject = subject_new(&check->owner, target);
	if (subject == NULL) {
		check_fail(check, "There is not enough memory", " for the whole check.");
		return;
	}
	subject_link(&check->subjects, subject);
	check->active++;
}

static struct netaddr check_nth_address(const struct netaddr *first, uint32_t n)
{
	uint8_t bytes[4];
	uint32_t number = n;
	for (int i = 3; i >= 0; i--) {
		number += first->bytes[i];
		bytes[i] = (uint8_t)number;
		number >>= 8;
	}
	return netaddr_v4(bytes);
}

/* False: there is none at present. */
static bool check_begin_next_found(struct check *check)
{
	struct resolution *names = check->names;
	if (!check->domain_begun && names->exists) {
		check->domain_begun = true;
		check_begin_subject(check, &(struct subject_target){ .name = check->target.name, .from = "" });
		return true;
	}
	if (!check->domain_begun || names->next == names->found_count)
		return false;
	const struct found *found = &names->found[names->next++];
	check_begin_subject(check, &(struct subject_target){ .address = &found->address, .from = found->from });
	return true;
}

static bool check_begin_next(struct check *check)
{
	if (check->target.kind == CHECK_NAME)
		return check_begin_next_found(check);
	bool network = check->target.kind == CHECK_NETWORK;
	uint32_t most = network ? (uint32_t)check_cost(&check->target) : 1;
	if (check->next == most)
		return false;
	struct netaddr address = check->target.address;
	if (network)
		address = check_nth_address(&check->target.address, check->next);
	bool first = check->next++ == 0;
	check_begin_subject(check, &(struct subject_target){ .address = &address, .from = "", .origin = first });
	return true;
}

/* ---- addresses of a name */

static void check_add_found(struct check *check, const struct netaddr *address, const char *from)
{
	struct resolution *names = check->names;
	for (int i = 0; i < names->found_count; i++)
		if (netaddr_same(&names->found[i].address, address))
			return;
	if (names->found_count == CHECK_ADDRESSES_MAX) {
		check_fail(check, check->target.name, " has more addresses than are looked up at once.");
		return;
	}
	struct found *found = &names->found[names->found_count++];
	found->address = *address;
	text_copy(found->from, sizeof found->from, from);
}

/* What the answer to a question about the name itself says of it. */
static void check_note_existence(struct resolution *names, const struct dns_answer *answer)
{
	bool nowhere = answer->outcome == DNS_NONE && answer->rcode == RCODE_NXDOMAIN;
	names->nowhere = names->nowhere || nowhere;
	names->exists = names->exists || (dns_outcome_tells(answer->outcome) && !nowhere);
	names->unknown = names->unknown || !dns_outcome_tells(answer->outcome);
}

static void check_on_address(struct lookup *lookup, const struct dns_answer *answer)
{
	struct host_lookup *mine = (struct host_lookup *)(void *)lookup;
	struct resolution *names = mine->check->names;
	bool v4 = lookup->type == DNS_A;
	struct dns_record record;
	size_t at = 0;
	names->open--;
	if (mine->from == NULL)
		check_note_existence(names, answer);
	while (dns_answer_next(answer, &at, &record)) {
		if (record.address == NULL)
			continue;
		struct netaddr address = v4 ? netaddr_v4(record.address) : netaddr_v6(record.address);
		check_add_found(mine->check, &address, mine->from != NULL ? mine->from : v4 ? "A" : "AAAA");
	}
}

static void check_ask_host(struct check *check, struct host *host, const char *name, const char *from)
{
	host->a.check = host->aaaa.check = check;
	host->a.from = host->aaaa.from = from;
	check->names->open += lookup_ask(&host->a.lookup, &check->pump, name, "", DNS_A, check_on_address);
	check->names->open += lookup_ask(&host->aaaa.lookup, &check->pump, name, "", DNS_AAAA, check_on_address);
}

/* RFC 7505: a host that is the root means that the name takes no mail. A name that is its own host is looked up
 * already. */
static void check_on_mx(struct lookup *lookup, const struct dns_answer *answer)
{
	struct resolution *names = (struct resolution *)(void *)lookup;
	struct dns_record record;
	size_t at = 0;
	names->open--;
	check_note_existence(names, answer);
	while (names->host_count < HOSTS_MAX && dns_answer_next(answer, &at, &record)) {
		if (record.text == NULL || record.length == 0 ||
		    text_same_nocase(record.text, names->check->target.name))
			continue;
		struct host *host = &names->hosts[names->host_count++];
		struct text from = text_over(host->from, sizeof host->from);
		text_addf(&from, "MX %s", record.text);
		check_ask_host(names->check, host, record.text, host->from);
	}
}

static void check_ask_names(struct check *check)
{
	struct resolution *names = check->names;
	names->check = check;
	check_ask_host(check, &names->self, check->target.name, NULL);
	names->open += lookup_ask(&names->mx, &check->pump, check->target.name, "", DNS_MX, check_on_mx);
}

/* All look-ups are over: what did they come to? A name that nobody could say anything about is still looked up in the
 * lists of domains. */
static void check_judge_names(struct check *check)
{
	struct resolution *names = check->names;
	if (names->nowhere && !names->exists) {
		check_fail(check, check->target.name, " does not exist in DNS.");
		return;
	}
	if (names->unknown)
		check_fail(check, check->target.name, ": DNS did not answer for all of its addresses.");
	names->exists = true;
}

/* ---- the check */

static void check_begin_work(struct check *check)
{
	const struct check_target *target = &check->target;
	enum netaddr_family family = target->address.family;
	struct check_event event = { .kind = CHECK_EVENT_BEGIN, .target = target };
	check->begun = true;
	if (target->kind == CHECK_NAME) {
		event.lists = lists_count(check->settings.lists);
		check_ask_names(check);
	} else {
		event.lists = subject_lists(&check->settings, family);
		event.subjects = check_cost(target);
	}
	emit(check, &event);
}

static bool is_complete(const struct check *check)
{
	return check->active == 0 && (check->names == NULL || check->names->open == 0);
}

/* After each turn. Steps that wait come first: a subject more would only wait behind them. */
static void check_advance(struct pump *pump)
{
	struct check *check = (struct check *)(void *)pump;
	if (check->over)
		return;
	if (pump->engine == NULL) {
		check_fail(check, "The configuration was replaced", " meanwhile; ask again.");
		check_finish(check);
		return;
	}
	if (!check->begun)
		check_begin_work(check);
	bool more = true;
	if (!pump->ended && check->names != NULL && check->names->open == 0)
		check_judge_names(check);
	while (more && !pump->ended && !check->paused && check->active < CHECK_INFLIGHT && !pump_waits(pump))
		more = check_begin_next(check);
	if (!pump->ended && !more && is_complete(check))
		check_finish(check);
}

static void check_free(struct pump *pump)
{
	struct check *check = (struct check *)(void *)pump;
	while (check->subjects != NULL) {
		struct subject *subject = check->subjects;
		subject_unlink(subject);
		subject_free(&subject);
	}
	free(check->names);
	free(check);
}

struct check *check_start(struct loop *loop, const struct check_settings *settings, const struct check_target *target,
			  check_listener *listener, void *arg)
{
	struct check *check = calloc(1, sizeof *check);
	if (check == NULL)
		return NULL;
	check->settings = *settings;
	check->target = *target;
	check->listener = listener;
	check->arg = arg;
	check->started_ms = clock_monotonic_ms();
	check->owner = (struct subject_owner){ &check->pump, &check->settings, target->kind == CHECK_NETWORK, emit_of,
					       check_subject_done };
	check->pump.engine = settings->engine;
	check->pump.many = target->kind == CHECK_NETWORK;
	check->pump.after = check_advance;
	check->pump.free = check_free;
	if (target->kind == CHECK_NAME)
		check->names = calloc(1, sizeof *check->names);
	if (!pump_init(&check->pump, loop) || (target->kind == CHECK_NAME && check->names == NULL)) {
		pump_end(&check->pump);
		return NULL;
	}
	pump_wake(&check->pump);
	return check;
}

void check_pause(struct check *check, bool paused)
{
	check->paused = paused;
	pump_wake(&check->pump);
}

void check_end(struct check **check)
{
	struct check *old = *check;
	*check = NULL;
	if (old != NULL)
		pump_end(&old->pump);
}

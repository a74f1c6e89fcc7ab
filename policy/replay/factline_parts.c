/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values of a fact line that have parts: limits of the account's own, a group's breach, a campaign, listings, hosts of
 * links, and what was remembered of the account.
 */
#include "policy/replay/factline_inside.h"

#include <string.h>

#include "policy/base/banned.h"

/* ---- limits: rcpts_per_hour:500,over:slow,plan:gold */

/* Members that are numbers but no windows: word, member, what says that it is unset. */
static const struct {
	const char *word;
	size_t offset;
	int64_t unset;
} limit_rows[] = {
	{ "rcpts_per_message", offsetof(struct limits, rcpts_per_message), LIMIT_UNSET },
	{ "ramp_first_day", offsetof(struct limits, ramp_first_day), LIMIT_UNSET },
	{ "until", offsetof(struct limits, until_s), 0 },
	{ "created", offsetof(struct limits, created_s), 0 },
	{ "password_changed", offsetof(struct limits, password_changed_s), 0 },
};
enum { LIMIT_ROWS_COUNT = sizeof limit_rows / sizeof limit_rows[0] };

static void factline_parts_begin_limit(struct text *text, size_t start, const char *word)
{
	if (text->length > start)
		text_add(text, ",");
	text_add(text, word);
	text_add(text, ":");
}

void write_limits(struct text *text, const struct factline *line)
{
	const struct limits *limits = &line->facts.state.limits;
	size_t start = text->length;
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (limits->window[i] != LIMIT_UNSET) {
			factline_parts_begin_limit(text, start, window_word((enum window)i));
			add_int(text, limits->window[i]);
		}
	for (int i = 0; i < LIMIT_ROWS_COUNT; i++) {
		int64_t number;
		memcpy(&number, (const char *)limits + limit_rows[i].offset, sizeof number);
		if (number != limit_rows[i].unset) {
			factline_parts_begin_limit(text, start, limit_rows[i].word);
			add_int(text, number);
		}
	}
	if (limits->ramp_growth > 0) {
		factline_parts_begin_limit(text, start, "ramp_growth");
		add_real(text, limits->ramp_growth);
	}
	const struct {
		const char *word, *value;
	} words[] = { { "over", over_word(limits->over) }, { "plan", limits->plan }, { "customer", limits->customer } };
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (words[i].value[0] != '\0') {
			factline_parts_begin_limit(text, start, words[i].word);
			add_escaped(text, words[i].value);
		}
}

static bool factline_parts_read_window(struct value value, enum window *window_out)
{
	int i = 0;
	while (i < WINDOW_COUNT && !value_is(value, window_word((enum window)i)))
		i++;
	*window_out = (enum window)i;
	return i < WINDOW_COUNT;
}

static enum over factline_parts_find_over(struct value value)
{
	int over = OVER_DEFER;
	while (over < OVER_COUNT && !value_is(value, over_word((enum over)over)))
		over++;
	return over < OVER_COUNT ? (enum over)over : OVER_UNSET;
}

static bool in_range(int64_t number, int64_t least)
{
	return number >= least && number <= INT64_C(100000000000);
}

/* A word that is no limit of this version is skipped. */
static bool factline_parts_read_limit(struct limits *limits, struct value word, struct value value)
{
	enum window window;
	if (factline_parts_read_window(word, &window))
		return value_int(value, &limits->window[window]) && in_range(limits->window[window], LIMIT_UNSET);
	for (int i = 0; i < LIMIT_ROWS_COUNT; i++) {
		int64_t number;
		if (!value_is(word, limit_rows[i].word))
			continue;
		if (!value_int(value, &number) || !in_range(number, limit_rows[i].unset))
			return false;
		memcpy((char *)limits + limit_rows[i].offset, &number, sizeof number);
		return true;
	}
	if (value_is(word, "ramp_growth"))
		return value_real(value, &limits->ramp_growth);
	if (value_is(word, "over"))
		limits->over = factline_parts_find_over(value);
	else if (value_is(word, "plan"))
		return value_text(value, limits->plan, sizeof limits->plan);
	else if (value_is(word, "customer"))
		return value_text(value, limits->customer, sizeof limits->customer);
	return true;
}

bool read_limits(struct value value, struct factline *line)
{
	struct value part, word;
	while (value_part(&value, ',', &part))
		if (!value_part(&part, ':', &word) || !factline_parts_read_limit(&line->facts.state.limits, word, part))
			return false;
	return true;
}

/* ---- a group's breach: domain:rcpts_per_hour:500:499.5:1200:defer */

void write_breach(struct text *text, const struct factline *line)
{
	const struct breach *breach = &line->facts.breach;
	if (breach->window >= WINDOW_COUNT || breach->scope == SCOPE_ACCOUNT)
		return;
	text_add(text, scope_word(breach->scope));
	text_add(text, ":");
	text_add(text, window_word(breach->window));
	text_add(text, ":");
	add_int(text, breach->limit);
	text_add(text, ":");
	add_real(text, breach->used);
	text_add(text, ":");
	add_int(text, breach->frees_in_s);
	text_add(text, ":");
	text_add(text, over_word(breach->over == OVER_UNSET ? OVER_DEFER : breach->over));
}

bool read_breach(struct value value, struct factline *line)
{
	struct breach *breach = &line->facts.breach;
	struct value part[6];
	for (int i = 0; i < 6; i++)
		if (!value_part(&value, ':', &part[i]))
			return false;
	int scope = 0;
	while (scope < SCOPE_COUNT && !value_is(part[0], scope_word((enum scope)scope)))
		scope++;
	if (scope == SCOPE_COUNT || !factline_parts_read_window(part[1], &breach->window)) {
		breach->window = WINDOW_COUNT;
		return true;
	}
	breach->scope = (enum scope)scope;
	breach->over = factline_parts_find_over(part[5]);
	return value_int(part[2], &breach->limit) && value_real(part[3], &breach->used) &&
	       value_int(part[4], &breach->frees_in_s);
}

/* ---- campaign: messages:accounts:bad:bad accounts */

void write_campaign(struct text *text, const struct factline *line)
{
	const struct campaign *campaign = &line->facts.campaign;
	if (campaign->known == KNOWLEDGE_NONE)
		return;
	add_real(text, campaign->messages);
	text_add(text, ":");
	add_real(text, campaign->accounts);
	text_add(text, ":");
	add_real(text, campaign->bad);
	text_add(text, ":");
	add_real(text, campaign->bad_accounts);
}

bool read_campaign(struct value value, struct factline *line)
{
	struct campaign *campaign = &line->facts.campaign;
	struct value messages, accounts, bad, bad_accounts;
	campaign->known = KNOWLEDGE_FULL;
	return value_part(&value, ':', &messages) && value_real(messages, &campaign->messages) &&
	       value_part(&value, ':', &accounts) && value_real(accounts, &campaign->accounts) &&
	       value_part(&value, ':', &bad) && value_real(bad, &campaign->bad) &&
	       value_part(&value, ':', &bad_accounts) && value_real(bad_accounts, &campaign->bad_accounts);
}

/* ---- listings: name:kind:weight:action, of each list that lists the client */

void write_listings(struct text *text, const struct factline *line)
{
	const struct listings *listings = &line->facts.listings;
	for (int i = 0; i < listings->hit_count; i++) {
		const struct listing *hit = &listings->hits[i];
		text_add(text, i > 0 ? "," : "");
		add_escaped(text, hit->list->name);
		text_add(text, ":");
		text_add(text, list_kind_word(hit->kind));
		text_add(text, ":");
		add_real(text, hit->list->weight);
		text_add(text, hit->list->action == LIST_ACTION_REFUSE ? ":refuse" : ":signal");
	}
}

bool read_listings(struct value value, struct factline *line, factline_list *find_list, void *arg)
{
	struct listings *listings = &line->facts.listings;
	struct value hit, part[4];
	while (value_part(&value, ',', &hit)) {
		char name[LIST_NAME_MAX + 1], kind[32];
		double weight;
		for (int i = 0; i < 4; i++)
			if (!value_part(&hit, ':', &part[i]))
				return false;
		if (!value_text(part[0], name, sizeof name) || !value_text(part[1], kind, sizeof kind) ||
		    !value_real(part[2], &weight))
			return false;
		enum list_kind found = list_kind_find(kind);
		if (found == LIST_NONE || listings->hit_count == LISTING_HITS_MAX || find_list == NULL)
			continue;
		bool refuses = value_is(part[3], "refuse");
		const struct list *list =
			find_list(arg, name, found, weight, refuses ? LIST_ACTION_REFUSE : LIST_ACTION_SIGNAL);
		if (list != NULL)
			listings->hits[listings->hit_count++] = (struct listing){ list, found };
	}
	return true;
}

/* ---- hosts of links: hash:hash; "+" behind the last one: there were more */

void write_link_hosts(struct text *text, const struct factline *line)
{
	const struct facts *facts = &line->facts;
	for (int i = 0; i < facts->host_count && i < FACT_HOSTS_MAX; i++) {
		text_add(text, i > 0 ? ":" : "");
		add_hex(text, facts->hosts[i]);
	}
	if (facts->host_count > FACT_HOSTS_MAX)
		text_add(text, ":+");
}

bool read_link_hosts(struct value value, struct factline *line)
{
	struct facts *facts = &line->facts;
	struct value host;
	while (value_part(&value, ':', &host)) {
		bool more = value_is(host, "+");
		if (more != (facts->host_count == FACT_HOSTS_MAX) || (more && value.at < value.end))
			return false;
		if (!more && !value_hex(host, &facts->hosts[facts->host_count]))
			return false;
		facts->host_count++;
	}
	return true;
}

/* ---- what was remembered */

/* Numbers with ':' between them; `count` of them, fewer leave the rest as it is. */
static void factline_parts_add_reals(struct text *text, const double *numbers, int count)
{
	for (int i = 0; i < count; i++) {
		text_add(text, ":");
		add_real(text, numbers[i]);
	}
}

static bool factline_parts_read_reals(struct value *rest, double *numbers, int count)
{
	struct value part;
	for (int i = 0; i < count && value_part(rest, ':', &part); i++)
		if (!value_real(part, &numbers[i]))
			return false;
	return true;
}

void write_rates(struct text *text, const struct factline *line)
{
	const struct rates *rates = &line->facts.state.history.rates;
	if (rates->at_ms == 0)
		return;
	add_int(text, rates->at_ms);
	for (int i = 0; i < WINDOW_SUMS; i++) {
		factline_parts_add_reals(text, &rates->present[i], 1);
		factline_parts_add_reals(text, &rates->before[i], 1);
	}
}

bool read_rates(struct value value, struct factline *line)
{
	struct rates *rates = &line->facts.state.history.rates;
	struct value part;
	if (!value_part(&value, ':', &part) || !value_int(part, &rates->at_ms) || rates->at_ms < 0)
		return false;
	for (int i = 0; i < WINDOW_SUMS; i++)
		if (!factline_parts_read_reals(&value, &rates->present[i], 1) ||
		    !factline_parts_read_reals(&value, &rates->before[i], 1))
			return false;
	return true;
}

void write_counters(struct text *text, const struct factline *line)
{
	const struct counters *counters = &line->facts.state.history.counters;
	if (counters->at_ms == 0)
		return;
	add_int(text, counters->at_ms);
	factline_parts_add_reals(text, counters->value, COUNTER_COUNT);
}

bool read_counters(struct value value, struct factline *line)
{
	struct counters *counters = &line->facts.state.history.counters;
	struct value part;
	return value_part(&value, ':', &part) && value_int(part, &counters->at_ms) && counters->at_ms >= 0 &&
	       factline_parts_read_reals(&value, counters->value, COUNTER_COUNT); /* an older daemon had fewer */
}

static void factline_parts_write_habit(struct text *text, const struct factline *line, enum habit_part part)
{
	char bytes[HABIT_BYTES_MAX];
	size_t length = habits_write(&line->facts.state.history.habits, part, bytes);
	for (size_t i = 0; i < length; i++)
		text_addf(text, "%02x", (unsigned)(unsigned char)bytes[i]);
}

/* Habits of another version are read as if there were none. */
static bool factline_parts_read_habit(struct value value, struct factline *line, enum habit_part part)
{
	char bytes[HABIT_BYTES_MAX];
	size_t length = (size_t)(value.end - value.at) / 2;
	if ((value.end - value.at) % 2 != 0 || length > sizeof bytes)
		return false;
	for (size_t i = 0; i < length; i++) {
		uint64_t byte;
		if (!value_hex((struct value){ value.at + 2 * i, value.at + 2 * i + 2 }, &byte))
			return false;
		bytes[i] = (char)byte;
	}
	habits_read(&line->facts.state.history.habits, part, bytes, length);
	return true;
}

#define HABIT_ROW(name, part) \
	void write_##name(struct text *text, const struct factline *line) \
	{ \
		factline_parts_write_habit(text, line, part); \
	} \
	bool read_##name(struct value value, struct factline *line) \
	{ \
		return factline_parts_read_habit(value, line, part); \
	}
HABIT_ROW(places, HABIT_PLACES)
HABIT_ROW(week, HABIT_WEEK)
HABIT_ROW(known, HABIT_KNOWN)
HABIT_ROW(written, HABIT_TEXT)
#undef HABIT_ROW

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The part of the configuration that the rules read: what levels and signals ask for, what runs in shadow mode.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

#define COUNT_OF(rows) (sizeof(rows) / sizeof(rows)[0])

/* ---- levels */

struct level_row {
	enum level level;
	struct measure_setting does;
	double hold_hours; /* -1: as reputation.hold_hours says */
};

static bool config_policy_read_level_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	((struct level_row *)into)->level = level_find(word);
	return level_find(word) != LEVEL_UNKNOWN ||
	       read_error(reader, setting, "is \"%s\", expected good, new, suspect or blocked", word);
}

static bool config_policy_read_measure(struct reader *reader, const config_setting_t *setting, bool block,
				       enum measure *measure)
{
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	*measure = measure_find(word);
	if (block ? *measure != MEASURE_USUAL : measure_of_levels(*measure))
		return true;
	return read_error(reader, setting, "is \"%s\", expected pass, warm, suspect, slow, defer, reject%s hold%s",
			  word, block ? "," : " or", block ? " or block" : "");
}

static bool read_level_action(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_policy_read_measure(reader, setting, false, &((struct level_row *)into)->does.measure);
}

/* clang-format off */
const struct field level_fields[3] = {
	{ "level", FIELD_OWN, 0, 0, 0, config_policy_read_level_name, NULL, "good, new, suspect or blocked." },
	{ "action", FIELD_OWN, 0, 0, 0, read_level_action, NULL,
	  "pass, warm or suspect (by that pool), slow (the suspect pool, and the client waits), defer, reject "
	  "or hold." },
	{ "hold_hours", FIELD_FLOAT, offsetof(struct level_row, hold_hours), -1, 8760, NULL, "-1.0",
	  "Hours after which held mail is released; 0: only an admin releases it; -1: as in reputation.hold_hours." },
};
/* clang-format on */

static bool config_policy_read_level_row(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct level_row row = { .level = LEVEL_UNKNOWN };
	if (!read_group(reader, setting, level_fields, COUNT_OF(level_fields), &row))
		return false;
	struct measure_setting *does = &config->policy.level_does[row.level];
	if (does->measure != MEASURE_USUAL)
		return read_error(reader, setting, "is a second row of level %s: expected one", level_word(row.level));
	*does = row.does;
	does->hold_s = (int64_t)((row.hold_hours < 0 ? config->set.reputation_hold_hours : row.hold_hours) * 3600);
	return true;
}

bool read_level_rows(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, LEVEL_COUNT, config_policy_read_level_row, into);
}

/* ---- signals */

static bool signal_name(const void *arg, size_t i, char name[READ_NAME_MAX])
{
	(void)arg;
	return i < SIGNAL_COUNT && (text_copy(name, READ_NAME_MAX, signal_word((enum signal)i)) || true);
}

static bool config_policy_wrong_word(struct reader *reader, const config_setting_t *setting, const char *word,
				     read_name_function *names, const char *expected)
{
	char nearest[READ_NAME_MAX];
	if (read_nearest(word, names, NULL, nearest))
		return read_error(reader, setting, "is \"%s\", expected %s; did you mean \"%s\"?", word, expected,
				  nearest);
	return read_error(reader, setting, "is \"%s\", expected %s", word, expected);
}

struct signal_row {
	enum signal signal;
	struct signal_setting set;
	struct signal_does does;
	bool shadow;
};

static bool config_policy_read_signal_name(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct signal_row *row = into;
	const char *word = read_text(reader, setting);
	if (word == NULL)
		return false;
	row->signal = signal_find(word);
	if (row->signal == SIGNAL_COUNT)
		return config_policy_wrong_word(reader, setting, word, signal_name, "a signal of penstock.conf(5)");
	row->set = signal_defaults[row->signal];
	return true;
}

static bool read_signal_action(struct reader *reader, const config_setting_t *setting, void *into)
{
	return config_policy_read_measure(reader, setting, true, &((struct signal_row *)into)->does.measure);
}

/* The name comes first: it brings the values that hold where the row says nothing. */
/* clang-format off */
const struct field signal_fields[7] = {
	{ "signal", FIELD_OWN, 0, 0, 0, config_policy_read_signal_name, NULL, "Its name, of the list below." },
	{ "weight", FIELD_FLOAT, offsetof(struct signal_row, set.weight), 0, 100, NULL, "\"\"",
	  "Factor for its raw value." },
	{ "floor", FIELD_FLOAT, offsetof(struct signal_row, set.floor), 0, 100, NULL, "\"\"",
	  "A term below it is zero." },
	{ "cap", FIELD_FLOAT, offsetof(struct signal_row, set.cap), 0, 100, NULL, "\"\"",
	  "A term is never more than this." },
	{ "action", FIELD_OWN, 0, 0, 0, read_signal_action, "\"\"",
	  "What happens to a message where the term reaches from: pass (nothing), warm, suspect, slow, defer, "
	  "reject, hold, or block: reject, and the account's level becomes blocked." },
	{ "from", FIELD_FLOAT, offsetof(struct signal_row, does.from), 0.01, 100, NULL, "\"\"", "See action." },
	{ "shadow", FIELD_BOOL, offsetof(struct signal_row, shadow), 0, 0, NULL, "false",
	  "Shadow mode: what it would add and do is logged, and changes nothing." },
};
/* clang-format on */

static bool config_policy_read_signal_row(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	struct signal_row row = { .signal = SIGNAL_COUNT };
	if (!read_given(reader, setting, signal_fields, COUNT_OF(signal_fields), &row))
		return false;
	for (int i = 0; i < config_setting_index(setting) && row.signal != SIGNAL_COUNT; i++) {
		const char *word = NULL;
		const config_setting_t *other = config_setting_get_elem(config_setting_parent(setting), (unsigned)i);
		if (config_setting_lookup_string(other, "signal", &word) == CONFIG_TRUE &&
		    signal_find(word) == row.signal)
			return read_error(reader, setting, "is a second row of signal %s, expected one", word);
	}
	if (row.signal == SIGNAL_COUNT)
		return read_error(reader, setting, "has no \"signal\": expected its name");
	if ((row.does.measure != MEASURE_USUAL) != (row.does.from > 0))
		return read_error(reader, setting, "has one of action and from: expected both or neither");
	if (row.set.floor > row.set.cap)
		return read_error(reader, setting, "has a floor of %g and a cap of %g, expected no floor above the cap",
				  row.set.floor, row.set.cap);
	struct policy *real = &config->policy, *whole = &config->policy_whole;
	whole->signals[row.signal] = real->signals[row.signal] = row.set;
	whole->signal_does[row.signal] = real->signal_does[row.signal] = row.does;
	if (row.shadow) {
		real->signals[row.signal].weight = 0;
		real->signal_does[row.signal].measure = MEASURE_USUAL;
		real->in_shadow = true;
	}
	return true;
}

bool read_signal_rows(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	memcpy(config->policy.signals, signal_defaults, sizeof signal_defaults);
	memcpy(config->policy_whole.signals, signal_defaults, sizeof signal_defaults);
	return read_each(reader, setting, SIGNAL_COUNT, config_policy_read_signal_row, into);
}

/* ---- what runs in shadow mode */

static bool config_policy_rule_name(const void *arg, size_t i, char name[READ_NAME_MAX])
{
	(void)arg;
	const char *word = i < RULE_COUNT ? rule_word((enum rule)i) : "all";
	text_copy(name, READ_NAME_MAX, rules_find(word) != 0 ? word : "");
	return i <= RULE_COUNT;
}

/* "store, admin_block ... or all" */
static void config_policy_rule_words(char words[300])
{
	struct text text = text_over(words, 300);
	for (int i = 0; i < RULE_COUNT; i++) {
		char name[READ_NAME_MAX];
		config_policy_rule_name(NULL, (size_t)i, name);
		if (*name != '\0')
			text_addf(&text, "%s%s", text.length > 0 ? ", " : "", name);
	}
	text_add(&text, " or all");
}

static bool config_policy_read_shadow_word(struct reader *reader, const config_setting_t *setting, void *into)
{
	struct config *config = into;
	const char *word = read_text(reader, setting);
	char rules[300];
	if (word == NULL)
		return false;
	config->policy.shadow |= rules_find(word);
	config->policy.in_shadow = true;
	config_policy_rule_words(rules);
	return rules_find(word) != 0 || config_policy_wrong_word(reader, setting, word, config_policy_rule_name, rules);
}

bool read_shadow(struct reader *reader, const config_setting_t *setting, void *into)
{
	return read_each(reader, setting, RULE_COUNT, config_policy_read_shadow_word, into);
}

/* ---- all of it */

static enum action config_policy_usual_action(const struct config *config)
{
	static const enum action actions[] = {
		[BLOCKED_REJECT] = ACTION_REJECT,
		[BLOCKED_DEFER] = ACTION_DEFER,
		[BLOCKED_HOLD] = ACTION_HOLD,
	};
	return actions[config->set.reputation_blocked_action];
}

static void config_policy_fill_settings(const struct settings *set, struct policy *policy)
{
	policy->levels = (struct level_settings){
		.suspect_enter = set->reputation_suspect_enter,
		.suspect_leave = set->reputation_suspect_leave,
		.blocked_enter = set->reputation_blocked_enter,
		.blocked_leave = set->reputation_blocked_leave,
		.minimum_stay_s = set->reputation_minimum_stay_s,
		.new_for_s = (int64_t)(set->reputation_new_days * 86400),
		.new_messages = set->reputation_new_messages,
	};
	policy->prior_new = set->reputation_prior_new;
	policy->prior_good = set->reputation_prior_good;
	policy->hold_s = (int64_t)(set->reputation_hold_hours * 3600);
	policy->store_must_answer = set->redis_on_failure == REDIS_FAILED_DEFER;
	policy->lists_must_answer = set->dns_on_failure == DNS_FAILED_DEFER;
	policy->spf_refuses = set->spf_client == SPF_CLIENT_REFUSE;
	policy->tag_score = set->content_tag_score;
	policy->slow_score = set->content_slow_score;
	policy->require_quit = set->clients_require_quit;
	policy->hold_score = set->content_hold_score;
	policy->reject_score = set->content_reject_score;
}

void config_fill_policy(struct config *config)
{
	struct policy *policy = &config->policy, *whole = &config->policy_whole;
	config_policy_fill_settings(&config->set, policy);
	policy->blocked_action = judge_blocked_action(policy, config_policy_usual_action(config));
	policy->pools = config->pools;
	policy->pool_count = config->pool_count;
	for (int i = 0; i < config->scanner_count; i++)
		policy->content_must_answer |= config->scanners[i].must_answer;
	const struct policy shown = *whole;
	*whole = *policy;
	memcpy(whole->signals, shown.signals, sizeof whole->signals);
	memcpy(whole->signal_does, shown.signal_does, sizeof whole->signal_does);
	whole->shadow = 0;
	whole->in_shadow = false;
	whole->log_acts = true;
	policy->whole = whole;
}

const struct limits *config_plan(const struct config *config, const char *name)
{
	for (int i = 0; i < config->plan_count; i++)
		if (strcmp(config->plans[i].name, name) == 0)
			return &config->plans[i].limits;
	return NULL;
}

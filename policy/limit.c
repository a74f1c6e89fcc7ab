/* SPDX-License-Identifier: BSD-2-Clause */
#include "policy/limit.h"

#include "policy/account.h"
#include "policy/base/text.h"
#include "policy/date.h"

#include <string.h>

#include "policy/base/banned.h"

static const struct {
	const char *word, *one, *many;
	enum counted counted;
	int64_t seconds;
} windows[WINDOW_COUNT] = {
#define WINDOW_ROW(id, word, counted, seconds, one, many) \
	[WINDOW_##id] = { word, one, many, COUNTED_##counted, seconds },
	WINDOW_ROWS(WINDOW_ROW)
#undef WINDOW_ROW
};

static const char *const overs[OVER_COUNT] = {
#define OVER_ROW(id, word) [OVER_##id] = word,
	OVER_ROWS(OVER_ROW)
#undef OVER_ROW
};

/* clang-format off */
const struct limits limits_unset = {
#define WINDOW_UNSET(id, word, counted, seconds, one, many) .window[WINDOW_##id] = LIMIT_UNSET,
	WINDOW_ROWS(WINDOW_UNSET)
#undef WINDOW_UNSET
	.rcpts_per_message = LIMIT_UNSET,
	.ramp_first_day = LIMIT_UNSET,
};
/* clang-format on */

const struct breach breach_none = { .window = WINDOW_COUNT };
const struct breach breach_blocked = { .window = WINDOW_MSGS_PER_DAY, .over = OVER_REJECT, .blocked = true };

const char *window_word(enum window window)
{
	return windows[window].word;
}

const char *window_said(enum window window, int64_t limit)
{
	return text_noun(limit, windows[window].one, windows[window].many);
}

enum counted window_counted(enum window window)
{
	return windows[window].counted;
}

int64_t window_seconds(enum window window)
{
	return windows[window].seconds;
}

const char *over_word(enum over over)
{
	return overs[over];
}

enum over over_of(const struct limits *limits)
{
	return limits->over == OVER_UNSET ? OVER_DEFER : limits->over;
}

/* Fields that are numbers and no window's, and those that are dates. */
static const struct plain_field {
	const char *field;
	size_t offset;
	const char *meaning;
} numbers[] = {
	{ "rcpts_per_message", offsetof(struct limits, rcpts_per_message), "recipients of one message" },
	{ "ramp_first_day", offsetof(struct limits, ramp_first_day), "recipients of a new account on its first day" },
}, dates[] = {
	{ "until", offsetof(struct limits, until_s), "from then on the plan's limits apply again" },
	{ "created", offsetof(struct limits, created_s), "when the account was made" },
	{ "password_changed", offsetof(struct limits, password_changed_s), "when its password was last changed" },
};
enum { NUMBERS = sizeof numbers / sizeof numbers[0], DATES = sizeof dates / sizeof dates[0] };

static int64_t *limit_plain_field(struct limits *limits, const char *field, const struct plain_field *rows, int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(field, rows[i].field) == 0)
			return (int64_t *)(void *)((char *)limits + rows[i].offset);
	return NULL;
}

static int64_t *limit_number_field(struct limits *limits, const char *field)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (strcmp(field, windows[i].word) == 0)
			return &limits->window[i];
	return limit_plain_field(limits, field, numbers, NUMBERS);
}

static int64_t *date_field(struct limits *limits, const char *field)
{
	return limit_plain_field(limits, field, dates, DATES);
}

static bool limit_set_over(struct limits *limits, const char *value)
{
	for (int i = OVER_DEFER; i < OVER_COUNT; i++)
		if (strcmp(value, overs[i]) == 0) {
			limits->over = (enum over)i;
			return true;
		}
	return false;
}

static bool set_plan(struct limits *limits, const char *value)
{
	return strlen(value) <= PLAN_NAME_MAX && text_copy(limits->plan, sizeof limits->plan, value);
}

/* Digits, and at most three behind a point: what strtod(3) reads besides is of no use, and depends on the locale. */
static bool limit_set_growth(struct limits *limits, const char *value)
{
	double number = 0, part = 1;
	size_t whole = strspn(value, "0123456789");
	const char *behind = value[whole] == '.' ? &value[whole + 1] : &value[whole];
	size_t decimals = value[whole] == '.' ? strspn(behind, "0123456789") : 0;
	if (whole < 1 || whole > 2 || decimals > 3 || behind[decimals] != '\0' ||
	    (value[whole] == '.' && decimals == 0))
		return false;
	for (size_t i = 0; i < whole; i++)
		number = number * 10 + (value[i] - '0');
	for (size_t i = 0; i < decimals; i++)
		number += (behind[i] - '0') * (part /= 10);
	if (number < 1 || number > RAMP_GROWTH_MAX)
		return false;
	limits->ramp_growth = number;
	return true;
}

/* The name is part of a key: it has the form that account names have there. */
static bool limit_set_customer(struct limits *limits, const char *value)
{
	char name[ACCOUNT_MAX + 1];
	if (strlen(value) > CUSTOMER_MAX || !account_name(value, false, name) || strlen(name) > CUSTOMER_MAX)
		return false;
	return text_copy(limits->customer, sizeof limits->customer, name);
}

/* Fields that are words: their name, what they mean, what is expected, who reads them. */
static const struct {
	const char *field, *meaning, *expected;
	bool (*set)(struct limits *limits, const char *value);
} words[] = {
	{ "over", "what happens to a message over a limit", "defer, reject, hold, slow or log", limit_set_over },
	{ "plan", "the plan whose limits it has", "a plan's name of at most 63 bytes", set_plan },
	{ "ramp_growth", "growth of ramp_first_day with each day of good behaviour",
	  "a number from 1 to 10 with at most three decimals", limit_set_growth },
	{ "customer", "whose account it is", "a customer's name of 1 to 100 bytes", limit_set_customer },
};
enum { WORDS = sizeof words / sizeof words[0] };

static int limit_find_word(const char *field)
{
	int i = 0;
	while (i < WORDS && strcmp(field, words[i].field) != 0)
		i++;
	return i;
}

static const char number_expected[] = "a whole number from 0 to 1000000000";

bool limits_set(struct limits *limits, const char *field, const char *value, const char **expected_out)
{
	int64_t *number = limit_number_field(limits, field), *date = date_field(limits, field);
	int word = limit_find_word(field);
	if (number != NULL) {
		*expected_out = number_expected;
		return text_to_int(value, 0, LIMIT_MAX, number);
	}
	if (date != NULL) {
		*expected_out = DATE_EXPECTED;
		return date_read(value, date);
	}
	if (word == WORDS)
		return true;
	*expected_out = words[word].expected;
	return words[word].set(limits, value);
}

bool limits_have(const char *field)
{
	struct limits none = limits_unset;
	return limit_number_field(&none, field) != NULL || date_field(&none, field) != NULL ||
	       limit_find_word(field) < WORDS;
}

bool limits_is_date(const char *field)
{
	struct limits none = limits_unset;
	return date_field(&none, field) != NULL;
}

const char *limits_of_accounts(const struct limits *limits)
{
	return limits->rcpts_per_message != LIMIT_UNSET ? "rcpts_per_message"
	       : limits->customer[0] != '\0'		? "customer"
	       : limits->created_s != 0			? "created"
	       : limits->password_changed_s != 0	? "password_changed"
							: limits_not_of_groups(limits);
}

struct limit_field {
	const char *field, *expected, *meaning; /* NULL: behind the last */
};

static struct limit_field limit_field_at(int at)
{
	if (at < WINDOW_COUNT)
		return (struct limit_field){ windows[at].word, number_expected, windows[at].many };
	if ((at -= WINDOW_COUNT) < NUMBERS)
		return (struct limit_field){ numbers[at].field, number_expected, numbers[at].meaning };
	if ((at -= NUMBERS) < DATES)
		return (struct limit_field){ dates[at].field, DATE_EXPECTED, dates[at].meaning };
	if ((at -= DATES) < WORDS)
		return (struct limit_field){ words[at].field, words[at].expected, words[at].meaning };
	return (struct limit_field){ NULL, NULL, NULL };
}

const char *limits_field(int at, const char **expected_out)
{
	struct limit_field found = limit_field_at(at);
	*expected_out = found.expected;
	return found.field;
}

const char *limits_meaning(int at)
{
	return limit_field_at(at).meaning;
}

/* How many letters have to be put in, taken out, changed or exchanged with their neighbour; at most `most` + 1. */
static int limit_letters_apart(const char *a, const char *b, int most)
{
	enum { LETTERS_MAX = 32 };
	int rows[3][LETTERS_MAX + 1], m = (int)strlen(a), n = (int)strlen(b);
	if (m > LETTERS_MAX || n > LETTERS_MAX || m > n + most || n > m + most)
		return most + 1;
	for (int j = 0; j <= n; j++)
		rows[0][j] = j;
	for (int i = 1; i <= m; i++) {
		int *now = rows[i % 3], *before = rows[(i + 2) % 3], *first = rows[(i + 1) % 3];
		now[0] = i;
		for (int j = 1; j <= n; j++) {
			bool same = text_lower(a[i - 1]) == b[j - 1];
			int least = before[j - 1] + !same;
			if (before[j] + 1 < least)
				least = before[j] + 1;
			if (now[j - 1] + 1 < least)
				least = now[j - 1] + 1;
			if (i > 1 && j > 1 && text_lower(a[i - 2]) == b[j - 1] && text_lower(a[i - 1]) == b[j - 2] &&
			    first[j - 2] + 1 < least)
				least = first[j - 2] + 1;
			now[j] = least;
		}
	}
	return rows[m % 3][n];
}

const char *limits_near(const char *field)
{
	enum { MOST = 2 };
	const char *expected, *nearest = NULL, *known;
	int least = MOST + 1;
	for (int i = 0; (known = limits_field(i, &expected)) != NULL; i++) {
		int most = strlen(known) > 6 ? MOST : 1; /* "plan" is near to too much */
		int apart = limit_letters_apart(field, known, most);
		if (apart <= most && apart < least) {
			least = apart;
			nearest = known;
		}
	}
	if (nearest != NULL || (strstr(field, "_per_") == NULL && strstr(field, "-per-") == NULL))
		return nearest;
	return window_word((enum window)0);
}

bool limits_empty(const struct limits *limits)
{
	bool numbers_set = limits->rcpts_per_message != LIMIT_UNSET || limits->ramp_first_day != LIMIT_UNSET ||
			   limits->ramp_growth > 0 || limits->until_s != 0 || limits->created_s != 0 ||
			   limits->password_changed_s != 0;
	for (int i = 0; i < WINDOW_COUNT; i++)
		numbers_set |= limits->window[i] != LIMIT_UNSET;
	return !numbers_set && limits->over == OVER_UNSET && limits->plan[0] == '\0' && limits->customer[0] == '\0';
}

const char *limits_not_of_groups(const struct limits *limits)
{
	return limits->ramp_first_day != LIMIT_UNSET ? "ramp_first_day"
	       : limits->ramp_growth > 0	     ? "ramp_growth"
						     : NULL;
}

void limits_fill(struct limits *limits, const struct limits *under)
{
	for (int i = 0; i < WINDOW_COUNT; i++)
		if (limits->window[i] == LIMIT_UNSET)
			limits->window[i] = under->window[i];
	if (limits->rcpts_per_message == LIMIT_UNSET)
		limits->rcpts_per_message = under->rcpts_per_message;
	if (limits->ramp_first_day == LIMIT_UNSET)
		limits->ramp_first_day = under->ramp_first_day;
	if (limits->ramp_growth <= 0)
		limits->ramp_growth = under->ramp_growth;
	if (limits->over == OVER_UNSET)
		limits->over = under->over;
}

void limits_expire(struct limits *limits, int64_t now_s)
{
	if (limits->until_s == 0 || now_s < limits->until_s)
		return;
	memcpy(limits->window, limits_unset.window, sizeof limits->window);
	limits->rcpts_per_message = limits_unset.rcpts_per_message;
	limits->ramp_first_day = limits_unset.ramp_first_day;
	limits->ramp_growth = limits_unset.ramp_growth;
	limits->over = limits_unset.over;
}

/* clang-format off */
#define LIMIT_PATH(scope) { WINDOW_ROWS(scope) }
/* clang-format on */
#define OF_ACCOUNT(id, word, counted, seconds, one, many) [WINDOW_##id] = word,
#define OF_DOMAIN(id, word, counted, seconds, one, many) [WINDOW_##id] = "domain:" word,
#define OF_CUSTOMER(id, word, counted, seconds, one, many) [WINDOW_##id] = "customer:" word,
#define OF_SERVER(id, word, counted, seconds, one, many) [WINDOW_##id] = "server:" word,
#define OF_BOUNCE(id, word, counted, seconds, one, many) [WINDOW_##id] = "bounce:" word,
#define OF_FORWARD(id, word, counted, seconds, one, many) [WINDOW_##id] = "forward:" word,
#define OF_CLIENT(id, word, counted, seconds, one, many) [WINDOW_##id] = "client:" word,

const char *window_path(enum scope scope, enum window window)
{
	/* clang-format off */
	static const char *const paths[SCOPE_COUNT][WINDOW_COUNT] = {
		[SCOPE_ACCOUNT] = LIMIT_PATH(OF_ACCOUNT),
		[SCOPE_DOMAIN] = LIMIT_PATH(OF_DOMAIN),
		[SCOPE_CUSTOMER] = LIMIT_PATH(OF_CUSTOMER),
		[SCOPE_SERVER] = LIMIT_PATH(OF_SERVER),
		[SCOPE_BOUNCE] = LIMIT_PATH(OF_BOUNCE),
		[SCOPE_FORWARD] = LIMIT_PATH(OF_FORWARD),
		[SCOPE_CLIENT] = LIMIT_PATH(OF_CLIENT),
	};
	/* clang-format on */
	return paths[scope][window];
}

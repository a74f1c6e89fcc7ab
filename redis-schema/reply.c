/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/reply.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { LINE_MAX_BYTES = 600, PAIR_MAX = 159 };

struct sayer {
	store_say *say;
	void *arg;
	const char *of;	  /* "account" or "plan" */
	const char *name; /* NULL: the line begins with what is wrong */
	int useless;	  /* how many fields were of no use */
};

static struct text reply_line_begin(const struct sayer *sayer, char line[LINE_MAX_BYTES])
{
	struct text text = text_over(line, LINE_MAX_BYTES);
	if (sayer->name == NULL)
		return text;
	text_addf(&text, "redis: %s ", sayer->of);
	text_add_word(&text, sayer->name);
	text_add(&text, ": ");
	return text;
}

/* A panel's bytes, cut. */
static void reply_add_shown(struct text *text, const char *bytes)
{
	char shown[64];
	text_copy(shown, sizeof shown, bytes);
	text_add(text, "\"");
	text_add_word(text, shown);
	text_add(text, "\"");
}

static void reply_say_useless(const struct sayer *sayer, const char *field, const char *value, const char *expected)
{
	char line[LINE_MAX_BYTES];
	struct text text = reply_line_begin(sayer, line);
	text_addf(&text, "%s is ", field);
	reply_add_shown(&text, value);
	text_addf(&text, ", expected %s", expected);
	sayer->say(sayer->arg, line);
}

/* Panels keep notes of their own beside ours, in limits; in a plan nobody does. */
static void reply_read_unknown(struct sayer *sayer, const char *field)
{
	bool plan = strcmp(sayer->of, "plan") == 0;
	const char *near = limits_near(field);
	char line[LINE_MAX_BYTES];
	if (near == NULL && !plan)
		return;
	struct text text = reply_line_begin(sayer, line);
	reply_add_shown(&text, field);
	text_addf(&text, " is no field that is read, expected one such as %s", near != NULL ? near : "rcpts_per_hour");
	sayer->say(sayer->arg, line);
	sayer->useless++;
}

static void reply_read_limit(struct sayer *sayer, const char *field, const char *value, struct limits *limits)
{
	const char *expected;
	if (!limits_have(field)) {
		reply_read_unknown(sayer, field);
	} else if (!limits_set(limits, field, value, &expected)) {
		char longer[120];
		struct text text = text_over(longer, sizeof longer);
		text_addf(&text, "%s; the plan's value holds", expected);
		reply_say_useless(sayer, field, value, longer);
		sayer->useless++;
	}
}

int reply_read_limits(const char *account, bool named, int count, const char *const *items, store_say *say,
		      void *say_arg, struct limits *limits_out)
{
	bool group = account_is_group(account);
	struct sayer sayer = { say, say_arg, group ? "group" : "account", named ? account : NULL, 0 };
	char line[LINE_MAX_BYTES];
	for (int i = 0; i + 1 < count && i < 2 * REPLY_FIELDS_MAX; i += 2)
		if (items[i] != NULL && items[i + 1] != NULL)
			reply_read_limit(&sayer, items[i], items[i + 1], limits_out);
	const char *of_accounts = group ? limits_of_accounts(limits_out) : NULL;
	struct text text = reply_line_begin(&sayer, line);
	if (of_accounts != NULL)
		text_addf(&text, "%s is of accounts alone; it is not counted", of_accounts);
	else if (count > 2 * REPLY_FIELDS_MAX)
		text_addf(&text, "it has more than %d fields; the rest is not read", REPLY_FIELDS_MAX);
	else
		return sayer.useless;
	say(say_arg, line);
	return sayer.useless + 1;
}

/* One word of a plan's text. */
static void reply_read_pair(struct sayer *sayer, const char *text, size_t length, struct limits *limits_out)
{
	char pair[PAIR_MAX + 1];
	bool fits = length <= PAIR_MAX;
	size_t kept = fits ? length : PAIR_MAX;
	memcpy(pair, text, kept);
	pair[kept] = '\0';
	char *equals = fits ? strchr(pair, '=') : NULL;
	if (equals != NULL) {
		*equals = '\0';
		reply_read_limit(sayer, pair, equals + 1, limits_out);
	} else {
		reply_say_useless(sayer, "a word", pair, fits ? "field=value" : "field=value of at most 159 bytes");
		sayer->useless++;
	}
}

int reply_read_plan(const char *name, bool named, const char *text, store_say *say, void *say_arg,
		    struct limits *limits_out)
{
	static const char blanks[] = " \t\r\n";
	struct sayer sayer = { say, say_arg, "plan", named ? name : NULL, 0 };
	*limits_out = limits_unset;
	for (text += strspn(text, blanks); *text != '\0'; text += strspn(text, blanks)) {
		size_t length = strcspn(text, blanks);
		reply_read_pair(&sayer, text, length, limits_out);
		text += length;
	}
	return sayer.useless;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_element.h"

#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_spot.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

bool element_find(const struct postfix_check *check, const char *list, const char *ours, bool chroot,
		  struct milter_element *found_out)
{
	const char *rest = list, *words;
	char socket[ELEMENT_MAX];
	while ((found_out->at = postfix_next_element(&rest, found_out->text)) != NULL) {
		found_out->end = rest;
		found_out->whole = strlen(found_out->text) < ELEMENT_MAX - 1;
		words = found_out->text;
		if (postfix_next_element(&words, socket) != NULL && spot_same(check->wish.queue, socket, chroot, ours))
			return true;
	}
	return false;
}

/* ---- options */

enum { OPTION_NAME_MAX = 40, OPTION_VALUE_MAX = 200, COMMAND_S = 30, CONTENT_S = 300 };

struct element_option {
	char name[OPTION_NAME_MAX + 1], value[OPTION_VALUE_MAX + 1];
};

/* name=value, { name = value }. False where Postfix would not read it. */
static bool element_read_option(const char *word, struct element_option *option_out)
{
	const char *equals = strchr(word, '=');
	if (equals == NULL)
		return false;
	word += strspn(word, " \t");
	size_t name = strcspn(word, " \t="), value;
	const char *start = equals + 1 + strspn(equals + 1, " \t");
	for (value = strlen(start); value > 0 && strchr(" \t", start[value - 1]) != NULL;)
		value--;
	if (name == 0 || name > OPTION_NAME_MAX || value > OPTION_VALUE_MAX)
		return false;
	snprintf(option_out->name, sizeof option_out->name, "%.*s", (int)name, word);
	snprintf(option_out->value, sizeof option_out->value, "%.*s", (int)value, start);
	return true;
}

/* Postfix's notation of a time, in seconds. */
static double element_seconds_of(const char *text)
{
	static const struct {
		char letter;
		int seconds;
	} units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 },
	};
	char *end;
	double number = strtod(text, &end);
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (*end == units[i].letter)
			return number * units[i].seconds;
	return number;
}

/* An option of the element, or the parameter that holds without it. `wanted` NULL: a time of at least that of a step of
 * ours. */
/* clang-format off */
static const struct wanted_option {
	const char *name, *parameter, *wanted, *why;
	int usual_s;
	enum gravity gravity;
} wanted_options[] = {
	{ "default_action", "milter_default_action", "tempfail",
	  "when the milter dies, the rest of its sessions is treated so: with accept it goes out "
	  "unjudged", 0, GRAVITY_UNJUDGED },
	{ "protocol", "milter_protocol", "6", "with an older protocol the milter cannot ask for the login and the "
	  "recipient's mailer: users are strangers", 0, GRAVITY_MISJUDGED },
	{ "command_timeout", "milter_command_timeout", NULL,
	  "Postfix gives up before milter.deadline_ms, and defers the mail",
	  COMMAND_S, GRAVITY_DEFERRED },
	{ "content_timeout", "milter_content_timeout", NULL,
	  "Postfix gives up before milter.deadline_ms, and defers the mail",
	  CONTENT_S, GRAVITY_DEFERRED },
};
/* clang-format on */

enum { WANTED_OPTIONS = sizeof wanted_options / sizeof wanted_options[0] };

/* What stands there in place of what does: "" where it does. */
static void element_wanted_value(const struct postfix_check *check, const struct wanted_option *wanted,
				 const char *found, char value[20])
{
	*value = '\0';
	if (wanted->wanted != NULL && strcmp(found, wanted->wanted) != 0)
		text_copy(value, 20, wanted->wanted);
	double step_s = (double)check->wish.config->set.milter_deadline_ms / 1000;
	if (wanted->wanted == NULL && element_seconds_of(found) <= step_s)
		snprintf(value, 20, "%ds", step_s < wanted->usual_s ? wanted->usual_s : (int)step_s + 5);
}

/* The element as Postfix finds it, and as it should be. */
struct looked {
	const struct wanted_option *rows;
	char found[WANTED_OPTIONS][OPTION_VALUE_MAX + 1], value[WANTED_OPTIONS][20];
	char broken[ELEMENT_MAX]; /* the first word that is no option; "": all are */
	bool wrong;
};

static void element_look_at(const struct postfix_check *check, const struct milter_element *element,
			    const char *service, struct looked *looked)
{
	char word[ELEMENT_MAX];
	const char *words = element->text;
	struct element_option option;
	*looked = (struct looked){ .rows = wanted_options };
	for (int i = 0; i < WANTED_OPTIONS; i++) {
		const char *set = postfix_get(check->postfix, service, wanted_options[i].parameter);
		const char *usual = wanted_options[i].wanted != NULL ? wanted_options[i].wanted : "30s";
		text_copy(looked->found[i], sizeof looked->found[i], set != NULL ? set : usual);
	}
	for (int i = 0; postfix_next_element(&words, word) != NULL; i++) {
		if (i == 0)
			continue;
		if (!element_read_option(word, &option)) {
			if (looked->broken[0] == '\0')
				memcpy(looked->broken, word, sizeof word);
			looked->wrong = true;
			continue;
		}
		for (int j = 0; j < WANTED_OPTIONS; j++)
			if (strcmp(option.name, wanted_options[j].name) == 0)
				text_copy(looked->found[j], sizeof looked->found[j], option.value);
	}
	for (int i = 0; i < WANTED_OPTIONS; i++) {
		element_wanted_value(check, &wanted_options[i], looked->found[i], looked->value[i]);
		looked->wrong |= looked->value[i][0] != '\0';
	}
}

static void add_option(struct text *text, const char *name, const char *value)
{
	bool plain = value[strcspn(value, " \t,{}")] == '\0';
	text_addf(text, plain ? ", %s=%s" : ", { %s = %s }", name, value);
}

/* `list` with the element as it should be; "" where it does not fit. */
static void element_mend_list(const struct milter_element *element, const char *list, const char *socket,
			      const struct looked *looked, char *value, size_t size)
{
	char whole[ELEMENT_MAX + 400], word[ELEMENT_MAX];
	struct text text = text_over(whole, sizeof whole);
	struct element_option option;
	const char *words = element->text;
	int options = 0;
	for (int i = 0; postfix_next_element(&words, word) != NULL; i++) {
		bool bad = i > 0 && !element_read_option(word, &option);
		for (int j = 0; i > 0 && !bad && j < WANTED_OPTIONS; j++)
			bad = looked->value[j][0] != '\0' && strcmp(option.name, wanted_options[j].name) == 0;
		if (i == 0)
			text_add(&text, socket != NULL ? socket : word);
		else if (!bad)
			add_option(&text, option.name, option.value);
		options += i > 0 && !bad;
	}
	for (int j = 0; j < WANTED_OPTIONS; j++)
		if (looked->value[j][0] != '\0') {
			add_option(&text, wanted_options[j].name, looked->value[j]);
			options++;
		}
	int length = snprintf(value, size, "%.*s%s%s%s%s", (int)(element->at - list), list, options > 0 ? "{ " : "",
			      whole, options > 0 ? " }" : "", element->end);
	if (length >= (int)size || text.cut || !element->whole)
		*value = '\0';
}

void element_make(const struct postfix_check *check, const struct postfix_service *service, const char *socket,
		  char *value, size_t size)
{
	struct milter_element plain = { .whole = true };
	struct looked looked;
	snprintf(plain.text, sizeof plain.text, "%s", socket);
	plain.at = plain.text;
	plain.end = plain.text + strlen(plain.text);
	element_look_at(check, &plain, service->path, &looked);
	element_mend_list(&plain, plain.text, socket, &looked, value, size);
}

bool element_check(struct postfix_check *check, const struct milter_element *element, const char *list,
		   const struct postfix_service *service, const char *own, const struct postfix_line *line,
		   const char *socket)
{
	struct looked looked;
	char what[300], value[3000], word[ELEMENT_MAX], sought[ELEMENT_MAX], why[1400];
	const char *words = element->text;
	element_look_at(check, element, service->path, &looked);
	if (!looked.wrong && socket == NULL)
		return false;
	element_mend_list(element, list, socket, &looked, value, sizeof value);
	check_name_setting(what, sizeof what, own, line->name);
	postfix_next_element(&words, word);
	if (socket != NULL) {
		spot_place(check->wish.queue, word, service->chroot, sought, sizeof sought);
		snprintf(why, sizeof why,
			 "%s is%s chrooted and seeks the socket at %s: it is not there, and each session is deferred",
			 service->path, service->chroot ? "" : " not", sought);
		check_report(check,
			     (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, list,
					       *value != '\0' ? value : line->value, check_file_of(own), NULL, why },
			     check_fix_setting(check, own, line->name, value));
	}
	if (looked.broken[0] != '\0')
		check_report(check,
			     (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, looked.broken,
					       "NAME=VALUE, or { NAME = VALUE } with blanks", check_file_of(own), NULL,
					       "Postfix's processes end at such an option of a milter" },
			     check_fix_setting(check, own, line->name, value));
	for (int i = 0; i < WANTED_OPTIONS; i++) {
		if (looked.value[i][0] == '\0')
			continue;
		snprintf(what, sizeof what, "%s of our milter in %s%s%s", wanted_options[i].name,
			 own == NULL ? "" : own, own == NULL ? "" : ": ", line->name);
		check_report(check,
			     (struct finding){ DIFFERENCE, wanted_options[i].gravity, what, looked.found[i],
					       looked.value[i], check_file_of(own), NULL, wanted_options[i].why },
			     check_fix_setting(check, own, line->name, value));
	}
	return true;
}

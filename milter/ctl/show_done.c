/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What came of a change.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"

#include <stdbool.h>
#include <string.h>

#include "policy/base/banned.h"

/* Of the fields of a limit request those that were given a value, or those that were given none. */
static void show_fields(const json_t *set, bool removed, bool *any, FILE *to)
{
	const char *field, *before = "";
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)set, field, value)
	{
		if (json_is_null(value) != removed)
			continue;
		if (*before == '\0')
			fprintf(to, "%slimits %s: ", *any ? "; " : "", removed ? "removed" : "set");
		fprintf(to, "%s%s%s", before, field, removed ? "" : "=");
		clean_print(to, text_of(set, field));
		before = ", ";
		*any = true;
	}
}

void show_limited(const json_t *answer, const json_t *set, FILE *to)
{
	bool any = false;
	clean_print(to, text_of(answer, "account"));
	fputs(": ", to);
	show_fields(set, false, &any, to);
	show_fields(set, true, &any, to);
	fputc('\n', to);
}

/* What rules in shadow mode would do, nobody meets. */
static bool passes(const json_t *answer)
{
	return strcmp(text_of(answer, "action"), "pass") == 0;
}

static bool by_level(const json_t *answer)
{
	return strcmp(text_of(answer, "level"), "blocked") == 0 && *text_of(answer, "block") == '\0' && !passes(answer);
}

static void begin(const json_t *answer, const char *done, FILE *to)
{
	clean_print(to, text_of(answer, "account"));
	fprintf(to, ": %s", done);
}

/* "done", or how it was already. */
static void say(const json_t *answer, const char *done, const char *already, FILE *to)
{
	begin(answer, json_is_false(json_object_get(answer, "changed")) ? already : done, to);
}

void show_blocked(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	begin(answer, "blocked", to);
	if (passes(answer))
		fputs("; BUT ITS MAIL STILL LEAVES: the rule admin_block is in shadow mode\n  Option shadow of "
		      "penstock.conf(5) says which rules are.\n",
		      to);
	else
		fputs(*text_of(answer, "exempt") != '\0' ? "; it is exempt, too, but a block beats that\n" : "\n", to);
}

void show_unblocked(const json_t *answer, bool all, FILE *to)
{
	char form[FORM_MAX];
	(void)all;
	say(answer, "no longer blocked by an admin", "no admin had blocked it", to);
	if (!by_level(answer)) {
		fputc('\n', to);
		return;
	}
	fprintf(to,
		"; BUT STILL BLOCKED by its score of %.2f.\n  That ends with account reset, with a new password "
		"(account limit ... password_changed=DATE), or when\n  the score has faded below %.2f, after %s at "
		"least. What speaks against it: account show.\n",
		number_of(answer, "score"), number_of(answer, "blocked_leave"),
		form_span(form, whole_of(answer, "minimum_stay_s")));
}

void show_exempted(const json_t *answer, bool all, FILE *to)
{
	const char *block = text_of(answer, "block");
	(void)all;
	begin(answer, "exempt", to);
	if (*block != '\0') {
		fputs("; BUT STILL BLOCKED by an admin: ", to);
		clean_print(to, block);
		fputs("\n  A block beats an exemption; account unblock ends it.\n", to);
	} else if (json_object_get(answer, "level") == NULL) {
		fputs(": its limits stop nobody; those of its accounts do\n", to);
	} else {
		fputs(": neither its limits nor its groups' nor its level stop it, and it leaves as good mail does; "
		      "what content scanners say\n  of a message, and where its client is listed, counts as before\n",
		      to);
	}
}

void show_unexempted(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	say(answer, "no longer exempt", "it was not exempt", to);
	fputs(by_level(answer) ? "; its level is blocked: its mail is refused\n" : "\n", to);
}

void show_reset(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	say(answer, "history forgotten", "nothing was known of it", to);
	fputs(*text_of(answer, "block") != '\0' ? "; an admin's block stays: account unblock ends it\n" : "\n", to);
}

void show_feedback(const json_t *answer, bool all, FILE *to)
{
	(void)all;
	begin(answer, "counted\n", to);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_pitfalls.h"

#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_domains.h"
#include "milter/ctl/postfix/postfix_element.h"
#include "policy/address.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* A parameter as main.cf or one service has it. */
struct setting_seen {
	const char *own;   /* the service's path; NULL: main.cf's */
	const char *value; /* not "" */
};

/* What a test found wrong. */
struct pitfalls_trouble {
	enum weight weight;
	char found[ELEMENT_MAX + 300];
	const char *expected, *file; /* file NULL: that of the setting */
	char *fix;		     /* owned; NULL: none */
};

struct pitfall;
/* False: nothing is wrong. `trouble` comes as the row says. */
typedef bool pitfall_test(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
			  struct pitfalls_trouble *trouble);

/* ---- tests */

static bool is_there(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
		     struct pitfalls_trouble *trouble)
{
	(void)check, (void)row, (void)seen, (void)trouble;
	return true;
}

/* What main.cf says is told with the services of smtpd and pickup. */
static bool has_no_milters(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
			   struct pitfalls_trouble *trouble)
{
	(void)check, (void)row, (void)trouble;
	return seen->own != NULL && strstr(seen->value, "no_milters") != NULL;
}

/* name=value of macros that say who sends: whoever has none of his own is given that. */
static bool pitfalls_makes_somebody(struct postfix_check *check, const struct pitfall *row,
				    const struct setting_seen *seen, struct pitfalls_trouble *trouble)
{
	static const char *const macros[] = { "auth_authen", "cert_subject", "verify", "rcpt_mailer", "rcpt_addr" };
	char element[ELEMENT_MAX], value[3000];
	const char *raw = postfix_raw(check->postfix, seen->own, "milter_macro_defaults");
	const char *list = raw == NULL ? seen->value : raw, *rest = list, *at;
	(void)row;
	while ((at = postfix_next_element(&rest, element)) != NULL) {
		const char *name = element + strspn(element, " \t{");
		for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++) {
			size_t length = strlen(macros[i]);
			if (strncmp(name, macros[i], length) != 0 || strchr("} \t=", name[length]) == NULL)
				continue;
			if (check_cut(value, sizeof value, list, at, rest))
				trouble->fix = check_fix_set(check, seen->own, "milter_macro_defaults", value);
			return true;
		}
	}
	return false;
}

/* A transport by which mail leaves the host, and which is no mailer of ours. `text` is "transport:nexthop". */
static bool pitfalls_leaves_unmarked(const struct postfix_check *check, const char *text)
{
	static const char *const commands[] = { "smtp", "pipe" };
	char name[100];
	snprintf(name, sizeof name, "%.*s", (int)strcspn(text, ":"), text);
	enum rcpt_way way = config_rcpt_way(check->wish.config, name, "");
	if (*name == '\0' || (way != RCPT_WAY_LOCAL && way != RCPT_WAY_STRANGE))
		return false;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		const struct postfix_service *service;
		for (size_t at = 0; (service = check_next_service(check, commands[i], &at)) != NULL;)
			if (strcmp(service->name, name) == 0)
				return i == 0; /* what a program does with it nobody can tell */
	}
	return false;
}

static bool is_unmarked(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
			struct pitfalls_trouble *trouble)
{
	(void)row;
	trouble->file = check->wish.config_file;
	return pitfalls_leaves_unmarked(check, seen->value);
}

typedef bool line_test(struct postfix_check *check, const char *line, void *context);

/* The first line of a list's tables of which the test is true, named in `found`. False where there is none;
 * `unread_out`: a table that cannot be read. */
static bool pitfalls_find_line(struct postfix_check *check, const char *list, line_test *test, void *context,
			       struct pitfalls_trouble *trouble, bool *unread_out)
{
	char table[ELEMENT_MAX];
	bool is = false;
	*unread_out = false;
	while (!is && postfix_next_element(&list, table) != NULL) {
		char *text = postfix_text(check->postfix, table), *rest = text;
		if (text == NULL && !*unread_out) {
			*unread_out = true;
			snprintf(trouble->found, sizeof trouble->found, "%s", table);
		}
		for (char *line; !is && (line = postfix_next_line(&rest)) != NULL;) {
			line += strspn(line, " \t");
			is = *line != '#' && *line != '\0' && test(check, line, context);
			if (is)
				snprintf(trouble->found, sizeof trouble->found, "%.200s in %s", line, table);
		}
		free(text);
	}
	return is;
}

static bool line_leaves_unmarked(struct postfix_check *check, const char *line, void *context)
{
	(void)context;
	const char *value = line + strcspn(line, " \t");
	return pitfalls_leaves_unmarked(check, value + strspn(value, " \t"));
}

static bool pitfalls_maps_unmarked(struct postfix_check *check, const struct pitfall *row,
				   const struct setting_seen *seen, struct pitfalls_trouble *trouble)
{
	bool unread;
	(void)row;
	trouble->file = check->wish.config_file;
	return pitfalls_find_line(check, seen->value, line_leaves_unmarked, NULL, trouble, &unread);
}

/* A list of milters without ours, or DISABLE. */
static bool pitfalls_line_leaves_us_out(struct postfix_check *check, const char *line, void *context)
{
	struct milter_element element;
	char ours[200];
	(void)context;
	const char *value = line + strcspn(line, " \t");
	postfix_socket(check->wish.config->set.milter_socket, "", ours, sizeof ours);
	return !element_find(check, value, ours, false, &element) && !element_find(check, value, ours, true, &element);
}

static bool pitfalls_leaves_us_out(struct postfix_check *check, const struct pitfall *row,
				   const struct setting_seen *seen, struct pitfalls_trouble *trouble)
{
	bool unread, is = pitfalls_find_line(check, seen->value, pitfalls_line_leaves_us_out, NULL, trouble, &unread);
	(void)row;
	if (!is && unread)
		trouble->weight = WARNING;
	return is || unread;
}

static bool pitfalls_line_has_action(struct postfix_check *check, const char *line, void *context)
{
	(void)check;
	for (const char *const *action = context; *action != NULL; action++) {
		const char *at = strstr(line, *action);
		if (at != NULL && at > line && strchr(" \t", at[-1]) != NULL &&
		    strchr(" \t", at[strlen(*action)]) != NULL)
			return true;
	}
	return false;
}

static bool pitfalls_sends_elsewhere(struct postfix_check *check, const struct pitfall *row,
				     const struct setting_seen *seen, struct pitfalls_trouble *trouble)
{
	static const char *const actions[] = { "FILTER", NULL };
	bool unread;
	(void)row;
	return pitfalls_find_line(check, seen->value, pitfalls_line_has_action, (void *)(uintptr_t)actions, trouble,
				  &unread);
}

/* Rules of other files than ours, for the headers of other milters. */
static bool line_of_others(struct postfix_check *check, const char *line, void *context)
{
	static const char *const actions[] = { "FILTER", "REDIRECT", NULL };
	return strstr(line, check->wish.config->set.postfix_header) == NULL && strstr(line, "X\\-Penstock") == NULL &&
	       pitfalls_line_has_action(check, line, context != NULL ? context : (void *)(uintptr_t)actions);
}

static bool comes_after(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
			struct pitfalls_trouble *trouble)
{
	bool unread;
	(void)row;
	return pitfalls_find_line(check, seen->value, line_of_others, NULL, trouble, &unread);
}

/* A copy to an address of this host goes with the message where our header sends it. */
static bool pitfalls_copies(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen,
			    struct pitfalls_trouble *trouble)
{
	struct domains *domains = domains_new();
	const char *domain = address_domain(seen->value);
	char origin[DOMAIN_MAX + 1];
	(void)row;
	postfix_origin(check->postfix, origin);
	domain = *domain == '\0' ? origin : domain;
	domains_add(domains, domain);
	domains_classify(domains, check);
	const struct domain *found = domains_find(domains, domain);
	if (found != NULL && found->class != DOMAIN_OUTSIDE)
		trouble->weight = DIFFERENCE;
	domains_free(&domains);
	return true;
}

/* ---- rows */

struct pitfall {
	const char *name, *commands[2]; /* services that read it; none: of main.cf alone */
	pitfall_test *test;
	enum weight weight;
	enum gravity gravity;
	const char *expected, *why;
};

#define WHY_COPY \
	"who gets it is not counted, and it goes where our header sends the message: a mailbox of this host is then " \
	"sought " \
	"at its domain's MX, and the copy bounces or loops"
#define WHY_UNMARKED \
	"mail by this transport is not marked, and leaves by its address whatever its account has earned; name it in " \
	"postfix.remote_mailers of our configuration"
#define WHY_FILTER_FIRST "what these rules send to a filter our header sends on: it never gets there"

/* clang-format off */
static const struct pitfall pitfalls[] = {
	{ "smtpd_milter_maps", { "smtpd" }, pitfalls_leaves_us_out, DIFFERENCE, GRAVITY_UNJUDGED,
	  "lists of milters that name ours",
	  "for the clients that it names it holds instead of smtpd_milters: their mail is neither judged nor counted "
	  "nor marked" },
	{ "receive_override_options", { "qmqpd" }, has_no_milters, DIFFERENCE, GRAVITY_UNJUDGED,
	  "no_milters not among them",
	  "mail by this service is neither judged nor counted nor marked" },
	{ "default_transport", { "trivial-rewrite" }, is_unmarked, DIFFERENCE, GRAVITY_ASTRAY,
	  "a mailer of postfix.remote_mailers",
	  WHY_UNMARKED },
	{ "relay_transport", { "trivial-rewrite" }, is_unmarked, DIFFERENCE, GRAVITY_ASTRAY,
	  "a mailer of postfix.remote_mailers",
	  WHY_UNMARKED },
	{ "sender_dependent_default_transport_maps", { "trivial-rewrite" }, pitfalls_maps_unmarked, DIFFERENCE, GRAVITY_ASTRAY,
	  "mailers of postfix.remote_mailers", WHY_UNMARKED },
	{ "transport_maps", { "trivial-rewrite" }, pitfalls_maps_unmarked, DIFFERENCE, GRAVITY_ASTRAY,
	  "mailers of postfix.remote_mailers",
	  WHY_UNMARKED },
	{ "multi_instance_directories", { NULL }, is_there, WARNING, GRAVITY_UNJUDGED, "",
	  "each is a Postfix of its own with milters of its own: check it by penstockctl postfix check -d DIRECTORY" },
	{ "milter_macro_defaults", { "smtpd", "cleanup" }, pitfalls_makes_somebody, DIFFERENCE, GRAVITY_MISJUDGED,
	  "none of the macros by which accounts and recipients are known",
	  "who did not log in is taken for that account, and whom he writes to for that recipient" },
	{ "always_bcc", { "cleanup" }, pitfalls_copies, WARNING, GRAVITY_ASTRAY, "", WHY_COPY },
	{ "sender_bcc_maps", { "cleanup" }, is_there, WARNING, GRAVITY_ASTRAY, "", WHY_COPY },
	{ "recipient_bcc_maps", { "cleanup" }, is_there, WARNING, GRAVITY_ASTRAY, "", WHY_COPY },
	{ "header_checks", { "cleanup" }, pitfalls_sends_elsewhere, WARNING, GRAVITY_ASTRAY, "", WHY_FILTER_FIRST },
	{ "mime_header_checks", { "cleanup" }, pitfalls_sends_elsewhere, WARNING, GRAVITY_ASTRAY, "", WHY_FILTER_FIRST },
	{ "nested_header_checks", { "cleanup" }, pitfalls_sends_elsewhere, WARNING, GRAVITY_ASTRAY, "", WHY_FILTER_FIRST },
	{ "body_checks", { "cleanup" }, pitfalls_sends_elsewhere, WARNING, GRAVITY_ASTRAY, "", WHY_FILTER_FIRST },
	{ "milter_header_checks", { "cleanup" }, comes_after, WARNING, GRAVITY_ASTRAY, "",
	  "where a later milter adds that header, this holds and not our transport" },
};
/* clang-format on */

/* Does a parameter that is not set take another's value, of which it was told? */
static bool told_already(const struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen)
{
	bool derived = strcmp(row->name, "mime_header_checks") == 0 || strcmp(row->name, "nested_header_checks") == 0;
	const char *header = postfix_get(check->postfix, seen->own, "header_checks");
	return derived && header != NULL && strcmp(header, seen->value) == 0;
}

static void check_seen(struct postfix_check *check, const struct pitfall *row, const struct setting_seen *seen)
{
	struct pitfalls_trouble trouble = { .weight = row->weight, .expected = row->expected };
	char what[300];
	if (seen->value == NULL || *seen->value == '\0' || told_already(check, row, seen))
		return;
	if (!row->test(check, row, seen, &trouble))
		return;
	check_name_setting(what, sizeof what, seen->own, row->name);
	check_report(check,
		     (struct finding){ trouble.weight, row->gravity, what,
				       trouble.found[0] != '\0' ? trouble.found : seen->value, trouble.expected,
				       trouble.file != NULL ? trouble.file : check_file_of(seen->own), NULL, row->why },
		     trouble.fix);
}

void check_pitfalls(struct postfix_check *check)
{
	const struct postfix_service *service;
	for (size_t i = 0; i < sizeof pitfalls / sizeof pitfalls[0]; i++) {
		const struct pitfall *row = &pitfalls[i];
		struct setting_seen seen = { NULL, postfix_get(check->postfix, NULL, row->name) };
		check_seen(check, row, &seen);
		for (size_t j = 0; j < 2 && row->commands[j] != NULL; j++)
			for (size_t at = 0; (service = check_next_service(check, row->commands[j], &at)) != NULL;) {
				seen = (struct setting_seen){
					service->path, postfix_override(check->postfix, service->path, row->name)
				};
				check_seen(check, row, &seen);
			}
	}
}

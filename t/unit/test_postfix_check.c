/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Postfix held against a configuration of ours: what is given to type loses nothing of what is there.
 *
 * Takes the place of milter/ctl/tool/run.c.
 */
#include "milter/ctl/postfix/postfix_check.h"
#include "milter/ctl/postfix/postfix_remove.h"
#include "milter/ctl/tool/run.h"

#include "t/unit/tap.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIST_MAX = 20000 };

static const char conf[] = "milter: { socket = \"unix:/x.sock\"; };\n"
			   "socketmap: { listen = \"unix:/map.sock\"; };\n"
			   "postfix: { myorigin = \"Known.example\"; };\n";

static const char usual_master[] =
	"smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n";
static const char *master = usual_master;
static char settings[3 * LIST_MAX]; /* postconf -x */
static const char *overrides = "";  /* postconf -x -P */

/* A host's addresses as getent(1) tells them, and tables as postmap -s lists them. */
static const char hosts[] = "127.0.0.1       STREAM mail\n127.0.0.1       DGRAM  \n";
static const char *table = "";

char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size)
{
	bool services = strcmp(argv[1], "-M") == 0;
	bool own = strcmp(argv[1], "-P") == 0 || (argv[2] != NULL && strcmp(argv[2], "-P") == 0);
	(void)in, (void)most;
	*exit_out = 0;
	snprintf(said, said_size, "%s", "");
	if (strcmp(argv[0], "getent") == 0)
		return strdup(strcmp(argv[2], "mail.example.com") == 0 || strcmp(argv[2], "localhost") == 0 ? hosts
													    : "");
	if (strcmp(argv[0], "postmap") == 0)
		return strdup(strcmp(argv[1], "-s") == 0 ? table : "");
	return strdup(services ? master : own ? overrides : settings);
}

/* "inet:10.0.0.1:10000, ..." */
static void make_list(char *list, int count, const char *end)
{
	size_t length = 0;
	for (int i = 0; i < count; i++)
		length += (size_t)snprintf(list + length, LIST_MAX - length, "inet:10.0.0.1:%d, ", 10000 + i);
	snprintf(list + length, LIST_MAX - length, "%s", end);
}

static json_t *rows_of(const struct config *config, const char *kind)
{
	struct postfix_wish wish = { .config = config, .config_file = "/etc/penstock/penstock.conf" };
	char *text = NULL, error[600];
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	is_int(postfix_check(&wish, NULL, CHECK_JSON, to, error, sizeof error), 1, "it does not fit");
	fclose(to);
	json_t *whole = json_loadb(text, length, 0, NULL), *rows = json_incref(json_object_get(whole, kind));
	json_decref(whole);
	free(text);
	return rows;
}

static json_t *differences(const struct config *config)
{
	return rows_of(config, "differences");
}

/* The command for `what`; NULL: none is given. */
static const char *fix_of(const json_t *rows, const char *what)
{
	size_t index;
	json_t *row;
	json_array_foreach(rows, index, row) if (strcmp(json_string_value(json_object_get(row, "what")), what) ==
						 0) return json_string_value(json_object_get(row, "fix"));
	ok(false, "%s is a difference", what);
	return NULL;
}

static void test_lists(const struct config *config)
{
	static const struct {
		int others;
		const char *end, *want; /* what the list ends with, is to end with */
		bool fix;		/* false: it is too long to be put together */
	} rows[] = {
		{ 3, "inet:10.0.0.2:1", "inet:10.0.0.2:1, unix:/x.sock", true },
		{ 3, "{ unix:/x.sock, default_action=accept }", "{ unix:/x.sock, default_action=tempfail }", true },
		{ 100, "inet:10.0.0.2:1", "inet:10.0.0.2:1, unix:/x.sock", true },
		{ 200, "inet:10.0.0.2:1", "", false },
		{ 200, "{ unix:/x.sock, default_action=accept }", "", false },
	};
	static char list[LIST_MAX], whole[2 * LIST_MAX];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool accepts = rows[i].end[0] == '{';
		make_list(list, rows[i].others, rows[i].end);
		snprintf(settings, sizeof settings, "smtpd_milters = %s\nnon_smtpd_milters = %s\n", list, list);
		json_t *found = differences(config);
		const char *fix =
			fix_of(found, accepts ? "default_action of our milter in smtpd_milters" : "smtpd_milters");
		if (!rows[i].fix) {
			is_str(fix, NULL, "a list of %zu bytes: no command", strlen(list));
		} else {
			make_list(list, rows[i].others, rows[i].want);
			snprintf(whole, sizeof whole, "postconf -e 'smtpd_milters = %s'", list);
			is_str(fix, whole, "a list of %d others and %s", rows[i].others, rows[i].end);
		}
		json_decref(found);
	}
}

/* An element that is too long to be looked at as a whole. */
static void test_long_element(const struct config *config)
{
	snprintf(settings, sizeof settings,
		 "smtpd_milters = { unix:/x.sock, default_action=accept, %01100d=1 }, inet:10.0.0.2:1\n", 0);
	json_t *found = differences(config);
	is_str(fix_of(found, "default_action of our milter in smtpd_milters"), NULL, "a long element: no command");
	json_decref(found);
}

static void test_socketmap(const struct config *config)
{
	static char list[LIST_MAX];
	make_list(list, 200, "hash:/x");
	snprintf(settings, sizeof settings, "sender_dependent_default_transport_maps = %s\n", list);
	json_t *found = differences(config);
	is_str(fix_of(found, "sender_dependent_default_transport_maps"), NULL, "many maps: no command");
	json_decref(found);
}

/* Is a domain that sendmail(1) uses, and that the daemon does not take for its own, named? */
static void test_asn(const struct config *config)
{
	static const struct {
		const char *origin;
		bool named;
	} rows[] = {
		{ "example.org", true },    { "mx.example.com", false },   { "Example.COM", false },
		{ "known.example", false }, { "sub.known.example", true }, { "", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool named = false;
		size_t index;
		json_t *row;
		snprintf(settings, sizeof settings, "myhostname = mx.example.com\nmyorigin = %s\n", rows[i].origin);
		json_t *found = rows_of(config, "warnings");
		json_array_foreach(found, index,
				   row) if (strcmp(json_string_value(json_object_get(row, "what")), "myorigin") == 0)
		{
			named = true;
			is_str(json_string_value(json_object_get(row, "expected")), "known.example", "what we know");
			ok(strstr(json_string_value(json_object_get(row, "why")), "myorigin = \"example.org\"") !=
					   NULL ||
				   strcmp(rows[i].origin, "example.org") != 0,
			   "what penstock.conf is to say");
		}
		is_int(named, rows[i].named, "myorigin %s %s", rows[i].origin, rows[i].named ? "is named" : "is fine");
		json_decref(found);
	}
}

/* ---- a whole Postfix, and what is said of it */

static json_t *check_document(const struct config *config)
{
	struct postfix_wish wish = { .config = config,
				     .config_file = "/etc/penstock/penstock.conf",
				     .queue = "/var/spool/postfix" };
	char *text = NULL, error[600];
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	postfix_check(&wish, NULL, CHECK_JSON, to, error, sizeof error);
	fclose(to);
	json_t *whole = json_loadb(text, length, 0, NULL);
	free(text);
	return whole;
}

static const json_t *find_row(const json_t *whole, const char *kind, const char *what)
{
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(whole, kind), index,
			   row) if (strcmp(json_string_value(json_object_get(row, "what")), what) == 0) return row;
	return NULL;
}

static const char *member(const json_t *row, const char *name)
{
	const char *text = row == NULL ? NULL : json_string_value(json_object_get(row, name));
	return text == NULL ? "" : text;
}

#define MILTERS "smtpd_milters = unix:/x.sock\nnon_smtpd_milters = unix:/x.sock\n"
#define CLEANUP \
	"pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n"
#define SMTP "smtp inet n - n - - smtpd\n"
#define SUBMISSION "submission inet n - n - - smtpd\n"
#define BACK "127.0.0.1:10025 inet n - n - - smtpd\n"
#define BACK_P "127.0.0.1:10025/inet/"

struct case_row {
	const char *main, *overrides, *master, *table;
	const char *kind, *what, *gravity, *fix; /* kind "": nothing of that name is said; fix "": no command */
};

/* clang-format off */
static const struct case_row cases[] = {
	/* a service without milters */
	{ MILTERS, "submission/inet/smtpd_milters =\n", SMTP SUBMISSION CLEANUP, "", "differences",
	  "submission/inet: smtpd_milters",
	  "unjudged", "postconf -P submission/inet/smtpd_milters=unix:/x.sock" },
	{ MILTERS, "smtps/inet/smtpd_milters = inet:127.0.0.1:9\n", SMTP "smtps inet n - n - - smtpd\n" CLEANUP, "",
	  "differences",
	  "smtps/inet: smtpd_milters", "unjudged",
	  "postconf -P 'smtps/inet/smtpd_milters=inet:127.0.0.1:9,unix:/x.sock'" },
	{ MILTERS, "smtp/inet/smtpd_milters =\n", SMTP SUBMISSION CLEANUP, "", "warnings",
	  "smtp/inet: smtpd_milters", "unjudged",
	  "postconf -P smtp/inet/smtpd_milters=unix:/x.sock" },
	/* before a filter none of ours is needed */
	/* what signs stands before us */
	{ "smtpd_milters = inet:localhost:8891, unix:/x.sock\nnon_smtpd_milters = unix:/x.sock\n", "", SMTP CLEANUP, "",
	  "warnings", "order of smtpd_milters", "leak", "" },
	{ "smtpd_milters = unix:/x.sock, inet:localhost:8891\nnon_smtpd_milters = unix:/x.sock\n", "", SMTP CLEANUP, "", "",
	  "order of smtpd_milters", "", "" },
	{ "smtpd_milters =\nnon_smtpd_milters =\ncontent_filter = smtp:[127.0.0.1]:10024\n",
	  BACK_P "content_filter =\n" BACK_P "smtpd_milters = unix:/x.sock\nsubmission/inet/smtpd_milters =\n",
	  SMTP SUBMISSION BACK CLEANUP, "", "", "submission/inet: smtpd_milters", "", "" },
	{ MILTERS "milter_default_action = accept\n", "smtps/inet/smtpd_milters = inet:127.0.0.1:9 inet:127.0.0.1:8\n",
	  SMTP "smtps inet n - n - - smtpd\n" CLEANUP, "", "differences", "smtps/inet: smtpd_milters", "unjudged",
	  "postconf -P "
	  "'smtps/inet/smtpd_milters=inet:127.0.0.1:9,inet:127.0.0.1:8,{unix:/x.sock,default_action=tempfail}'" },
	{ MILTERS, "cleanup/unix/non_smtpd_milters = { unix:/x.sock, default_action=accept }\n", SMTP CLEANUP, "",
	  "differences",
	  "default_action of our milter in cleanup/unix: non_smtpd_milters", "unjudged",
	  "postconf -P 'cleanup/unix/non_smtpd_milters={unix:/x.sock,default_action=tempfail}'" },
	/* content filters */
	{ MILTERS "content_filter = smtp:[127.0.0.1]:10024\n", BACK_P "content_filter =\n" BACK_P "smtpd_milters =\n",
	  SMTP BACK CLEANUP, "", "differences", "smtp/inet: content_filter", "astray", "postconf -X smtpd_milters" },
	{ MILTERS "content_filter = smtp:[127.0.0.1]:10024\n", BACK_P "content_filter =\n" BACK_P "smtpd_milters =\n",
	  SMTP BACK CLEANUP, "", "differences", "127.0.0.1:10025/inet: smtpd_milters", "unjudged",
	  "postconf -P 127.0.0.1:10025/inet/smtpd_milters=unix:/x.sock" },
	{ MILTERS "content_filter = smtp:[127.0.0.1]:10024\n", BACK_P "content_filter =\n" BACK_P "smtpd_milters =\n",
	  SMTP BACK CLEANUP, "", "differences", "pickup/unix: content_filter", "astray",
	      "postconf -X non_smtpd_milters" },
	{ "smtpd_milters = inet:127.0.0.1:9, unix:/x.sock\nnon_smtpd_milters =\ncontent_filter = "
	  "smtp:[127.0.0.1]:10024\n",
	  BACK_P "content_filter =\n", SMTP BACK CLEANUP, "", "differences", "smtp/inet: content_filter", "misjudged",
	  "postconf -e 'smtpd_milters = inet:127.0.0.1:9'" },
	{ "smtpd_milters = inet:127.0.0.1:9, unix:/x.sock\nnon_smtpd_milters =\ncontent_filter = "
	  "smtp:[127.0.0.1]:10024\n",
	  BACK_P "content_filter =\n", SMTP BACK CLEANUP, "", "differences",
	  "127.0.0.1:10025/inet: smtpd_milters", "unjudged",
	  "postconf -P '127.0.0.1:10025/inet/smtpd_milters=inet:127.0.0.1:9,unix:/x.sock'" },
	{ MILTERS, "smtp/inet/content_filter = smtp:[10.0.0.1]:10024\n", SMTP SUBMISSION CLEANUP, "", "differences",
	  "smtp/inet: content_filter", "astray", "" },
	{ MILTERS, "smtp/inet/smtpd_proxy_filter = 127.0.0.1:10024\n" BACK_P "smtpd_proxy_filter =\n" BACK_P
	  "smtpd_milters = unix:/x.sock\nsmtp/inet/smtpd_milters = unix:/x.sock\n", SMTP BACK CLEANUP, "",
	  "differences",
	  "smtp/inet: smtpd_proxy_filter", "misjudged", "postconf -P smtp/inet/smtpd_milters=" },
	{ MILTERS, "smtp/inet/content_filter = filter:dummy\n", SMTP SUBMISSION CLEANUP
	  "filter unix - n n - 10 pipe flags=Rq\n", "",
	  "differences", "smtp/inet: content_filter", "misjudged", "postconf -X smtpd_milters" },
	/* switches */
	{ MILTERS "receive_override_options = no_milters, no_address_mappings\n", "", SMTP CLEANUP, "", "differences",
	  "receive_override_options", "unjudged", "postconf -e 'receive_override_options = no_address_mappings'" },
	{ MILTERS, "submission/inet/receive_override_options = no_milters\n", SMTP SUBMISSION CLEANUP, "",
	  "differences",
	  "submission/inet: receive_override_options", "unjudged",
	  "postconf -P submission/inet/receive_override_options=" },
	{ MILTERS, "pickup/unix/receive_override_options = no_milters\n", SMTP CLEANUP, "", "differences",
	  "pickup/unix: receive_override_options", "unjudged", "postconf -P pickup/unix/receive_override_options=" },
	{ MILTERS "receive_override_options = no_header_body_checks\n", "", SMTP CLEANUP, "", "",
	  "receive_override_options", "", "" },
	{ MILTERS "smtpd_milter_maps = hash:/x\n", "", SMTP CLEANUP, "10.0.0.1\tDISABLE\n", "differences",
	  "smtpd_milter_maps",
	  "unjudged", "" },
	{ MILTERS "smtpd_milter_maps = hash:/x\n", "", SMTP CLEANUP, "10.0.0.1\tinet:127.0.0.1:9, unix:/x.sock\n", "",
	  "smtpd_milter_maps", "", "" },
	{ MILTERS "smtpd_milter_maps = cidr:{{10.0.0.0/8 DISABLE}}\n", "", SMTP CLEANUP, "", "differences",
	  "smtpd_milter_maps",
	  "unjudged", "" },
	{ MILTERS "smtpd_milter_maps = ldap:x\n", "", SMTP CLEANUP, "", "warnings", "smtpd_milter_maps", "unjudged",
	  "" },
	{ MILTERS, "submission/inet/smtpd_milter_maps = hash:/x\n", SMTP SUBMISSION CLEANUP, "::1\tDISABLE\n",
	  "differences",
	  "submission/inet: smtpd_milter_maps", "unjudged", "" },
	{ MILTERS, "628/inet/receive_override_options = no_milters\n", SMTP "628 inet n - n - - qmqpd\n" CLEANUP, "",
	  "differences",
	  "628/inet: receive_override_options", "unjudged", "" },
	{ MILTERS "sender_dependent_default_transport_maps = hash:/x, socketmap:unix:/map.sock:transport\n", "",
	  SMTP CLEANUP "out unix - - n - - smtp\n", "a@x.test\tout:\n", "differences",
	      "sender_dependent_default_transport_maps",
	  "astray", "" },
	/* options of milters */
	{ MILTERS "milter_protocol = 4\n", "", SMTP CLEANUP, "", "differences",
	  "protocol of our milter in smtpd_milters", "misjudged",
	  "postconf -e 'smtpd_milters = { unix:/x.sock, protocol=6 }'" },
	{ MILTERS "milter_protocol = 6\n", "smtp/inet/milter_protocol = 2\n", SMTP CLEANUP, "", "differences",
	  "protocol of our milter in smtpd_milters", "misjudged",
	  "postconf -e 'smtpd_milters = { unix:/x.sock, protocol=6 }'" },
	{ MILTERS "milter_default_action = accept\n", "", SMTP CLEANUP, "", "differences",
	  "default_action of our milter in non_smtpd_milters", "unjudged",
	  "postconf -e 'non_smtpd_milters = { unix:/x.sock, default_action=tempfail }'" },
	{ "milter_default_action = accept\nsmtpd_milters = { unix:/x.sock, { default_action = tempfail }, "
	  "connect_timeout=1s }\n", "",
	  SMTP CLEANUP, "", "", "default_action of our milter in smtpd_milters", "", "" },
	{ MILTERS "milter_command_timeout = 3s\n", "", SMTP CLEANUP, "", "differences",
	  "command_timeout of our milter in smtpd_milters", "deferred",
	  "postconf -e 'smtpd_milters = { unix:/x.sock, command_timeout=30s }'" },
	{ MILTERS "milter_command_timeout = 1m\n", "", SMTP CLEANUP, "", "",
	  "command_timeout of our milter in smtpd_milters", "", "" },
	{ "smtpd_milters = { unix:/x.sock , default_action = accept }\n", "", SMTP CLEANUP, "", "differences",
	  "smtpd_milters", "deferred",
	  "postconf -e 'smtpd_milters = unix:/x.sock'" },
	{ MILTERS "milter_macro_defaults = v=1, { auth_authen = root }\n", "", SMTP CLEANUP, "", "differences",
	  "milter_macro_defaults",
	  "misjudged", "postconf -e 'milter_macro_defaults = v=1'" },
	{ MILTERS "milter_macro_defaults = v=1\n", "", SMTP CLEANUP, "", "", "milter_macro_defaults", "", "" },
	/* by another way */
	{ MILTERS "default_transport = out:[10.0.0.1]\n", "", SMTP CLEANUP "out unix - - n - - smtp\n", "",
	  "differences",
	  "default_transport", "astray", "" },
	{ MILTERS "relay_transport = out\n", "", SMTP CLEANUP "out unix - - n - - smtp\n", "", "differences",
	  "relay_transport",
	  "astray", "" },
	{ MILTERS "default_transport = smtp\nrelay_transport = relay\n", "", SMTP CLEANUP
	  "smtp unix - - n - - smtp\n", "", "",
	  "default_transport", "", "" },
	{ MILTERS "default_transport = error:no mail\n", "", SMTP CLEANUP "error unix - - n - - error\n", "", "",
	  "default_transport", "",
	  "" },
	{ MILTERS "transport_maps = hash:/x\n", "", SMTP CLEANUP "out unix - - n - - smtp\n",
	  "x.test\tout:[10.0.0.1]\n", "differences",
	  "transport_maps", "astray", "" },
	{ MILTERS "transport_maps = hash:/x\n", "", SMTP CLEANUP, "x.test\tsmtp:[10.0.0.1]\n", "warnings",
	  "transport_maps", "astray",
	  "" },
	{ MILTERS "multi_instance_directories = /etc/postfix-2\n", "", SMTP CLEANUP, "", "warnings",
	  "multi_instance_directories",
	  "unjudged", "" },
	{ MILTERS "always_bcc = archive@home.test\nmydestination = home.test\n", "", SMTP CLEANUP, "", "differences",
	  "always_bcc",
	  "astray", "" },
	{ MILTERS "always_bcc = archive@elsewhere.test\nmydestination = home.test\n", "", SMTP CLEANUP, "",
	  "warnings", "always_bcc",
	  "astray", "" },
	{ MILTERS "sender_bcc_maps = hash:/x\n", "", SMTP CLEANUP, "", "warnings", "sender_bcc_maps", "astray", "" },
	{ MILTERS "recipient_bcc_maps = hash:/x\n", "", SMTP CLEANUP, "", "warnings", "recipient_bcc_maps", "astray",
	  "" },
	{ MILTERS "header_checks = regexp:{{/^Subject:/ FILTER smtp:}}\n", "", SMTP CLEANUP, "", "warnings",
	  "header_checks", "astray",
	  "" },
	{ MILTERS "header_checks = regexp:{{/^Subject: FILTERED/ IGNORE}}\n", "", SMTP CLEANUP, "", "",
	  "header_checks", "", "" },
	{ MILTERS "body_checks = regexp:{{/x/ FILTER smtp:}}\n", "", SMTP CLEANUP, "", "warnings", "body_checks",
	  "astray", "" },
	{ MILTERS "milter_header_checks = regexp:{{/^X-Spam-Flag: YES/ REDIRECT spam@home.test}}\n", "", SMTP CLEANUP,
	  "", "warnings",
	  "milter_header_checks", "astray", "" },
	{ MILTERS "relayhost = [10.0.0.1]\ndefault_filter_nexthop = [10.0.0.1]\n",
	  "cleanup/unix/default_filter_nexthop =\n", SMTP CLEANUP,
	  "", "differences", "cleanup/unix: default_filter_nexthop", "astray",
	  "postconf -P 'cleanup/unix/default_filter_nexthop=$relayhost'" },
	{ MILTERS "sender_dependent_default_transport_maps = socketmap:unix:/map.sock:transport\n",
	  "rewrite/unix/sender_dependent_default_transport_maps =\n", SMTP CLEANUP, "", "differences",
	  "rewrite/unix: sender_dependent_default_transport_maps", "astray",
	  "postconf -P rewrite/unix/sender_dependent_default_transport_maps=socketmap:unix:/map.sock:transport" },
};
/* clang-format on */

static void test_cases(const struct config *config)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct case_row *row = &cases[i];
		snprintf(settings, sizeof settings, "compatibility_level = 3.6\n%s", row->main);
		overrides = row->overrides;
		master = row->master;
		table = row->table;
		json_t *whole = check_document(config);
		const json_t *found = find_row(whole, "differences", row->what),
			     *warning = find_row(whole, "warnings", row->what);
		if (*row->kind == '\0') {
			ok(found == NULL && warning == NULL, "case %zu: nothing of %s", i, row->what);
		} else {
			found = find_row(whole, row->kind, row->what);
			ok(found != NULL, "case %zu: %s has %s", i, row->kind, row->what);
			is_str(member(found, "gravity"), row->gravity, "... of that gravity");
			is_str(member(found, "fix"), row->fix, "... with that command");
		}
		json_decref(whole);
	}
	overrides = "";
	master = usual_master;
	table = "";
}

/* ---- the order of commands, and the way out */

static char *commands_of(const struct config *config, bool out)
{
	struct postfix_wish wish = { .config = config,
				     .config_file = "/etc/penstock/penstock.conf",
				     .queue = "/var/spool/postfix" };
	char *text = NULL, error[600];
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	if (out)
		postfix_remove(&wish, NULL, to, error, sizeof error);
	else
		postfix_check(&wish, NULL, CHECK_COMMANDS, to, error, sizeof error);
	fclose(to);
	return text;
}

static void test_commands(const struct config *config)
{
	/* clang-format off */
	static const struct {
		bool out;
		const char *main, *overrides, *commands;
	} rows[] = {
		/* who is to ask does before the others do not */
		{ false, MILTERS "content_filter = smtp:[127.0.0.1]:10024\nsender_dependent_default_transport_maps = "
		  "socketmap:unix:/map.sock:transport\n", BACK_P "content_filter =\n",
		  "postconf -P 127.0.0.1:10025/inet/smtpd_milters=unix:/x.sock\npostconf -X smtpd_milters\npostconf "
		  "-X non_smtpd_milters\npostfix reload\n" },
		{ true, "smtpd_milters = $dkim, unix:/x.sock, inet:127.0.0.1:9\nnon_smtpd_milters = $smtpd_milters\n"
		  "local_login_sender_maps = hash:/x, regexp:/etc/postfix/penstock_login_senders\n",
		  BACK_P "smtpd_milters = local:/x.sock\nsmtp/inet/smtpd_milters = "
		      "$dkim,inet:127.0.0.1:9,{unix:/x.sock,protocol=6}\n",
		  "# no more mail is judged or marked\npostconf -e 'smtpd_milters = $dkim, inet:127.0.0.1:9'\n"
		  "postconf -PX smtp/inet/smtpd_milters\npostconf -P 127.0.0.1:10025/inet/smtpd_milters=\n"
		  "postfix reload\nrm -f /etc/postfix/penstock_milter_header_checks "
		  "/etc/postfix/penstock_smtp_header_checks\npostfix reload\n" },
		{ true, "default_filter_nexthop = $relayhost\nsmtp_header_checks = "
		  "regexp:/etc/postfix/penstock_smtp_header_checks\ncontent_filter = x:\n", "",
		  "# no more mail is judged or marked\npostfix reload\npostconf -X smtp_header_checks\n"
		  "rm -f /etc/postfix/penstock_milter_header_checks /etc/postfix/penstock_smtp_header_checks "
		  "/etc/postfix/penstock_login_senders\npostfix reload\n" },
	};
	/* clang-format on */
	master = SMTP BACK CLEANUP;
	/* the shell reads them: a locale that cannot show a byte, as this one of C, changes none */
	static const char umlaut[] = "smtpd_milters = inet:m\xc3\xbchle:1\nnon_smtpd_milters = unix:/x.sock\n";
	snprintf(settings, sizeof settings, "compatibility_level = 3.6\n%s", umlaut);
	char *kept = commands_of(config, false);
	ok(strstr(kept, "postconf -e 'smtpd_milters = inet:m\xc3\xbchle:1, unix:/x.sock'\n") != NULL,
	   "bytes beyond ASCII stay: %s", kept);
	free(kept);
	snprintf(settings, sizeof settings,
		 "compatibility_level = 3.6\nsmtpd_milters = inet:m\xfchle:1\nnon_smtpd_milters = unix:/x.sock\n");
	kept = commands_of(config, false);
	ok(strstr(kept, "hle:1") == NULL, "of what is no UTF-8 none is given");
	free(kept);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(settings, sizeof settings, "compatibility_level = 3.6\n%s", rows[i].main);
		overrides = rows[i].overrides;
		char *text = commands_of(config, rows[i].out);
		is_str(text, rows[i].commands, "commands %zu", i);
		free(text);
	}
	overrides = "";
	master = usual_master;
}

/* ---- spellings of our socket */

static void test_spellings(struct config *config)
{
	static const struct {
		const char *ours, *theirs;
		bool chroot, fits;
	} rows[] = {
		{ "unix:/x.sock", "unix:/x.sock", false, true },
		{ "unix:/x.sock", "local:/x.sock", false, true },
		{ "unix:/x.sock", "{ local:/x.sock, default_action=tempfail }", false, true },
		{ "unix:/var/spool/postfix/p/m", "unix:p/m", true, true },
		{ "unix:/var/spool/postfix/p/m", "local:p/m", true, true },
		{ "unix:/var/spool/postfix/p/m", "unix:/p/m", true, true },
		{ "unix:/var/spool/postfix/p/m", "local:p/m", false, true },
		{ "unix:/var/spool/postfix/p/m", "unix:/p/m", false, false },
		{ "unix:/x.sock", "unix:/y.sock", false, false },
		{ "unix:/x.sock", "fifo:/x.sock", false, false },
		{ "inet:127.0.0.1:8890", "inet:127.0.0.1:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:[127.0.0.1]:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:localhost:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:mail.example.com:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:other.example.com:8890", false, false },
		{ "inet:127.0.0.1:25", "inet:localhost:smtp", false, true },
		{ "inet:[::1]:8890", "inet:[0:0:0:0:0:0:0:1]:8890", false, true },
		{ "inet:0.0.0.0:8890", "inet:localhost:8890", false, true },
		{ "inet:127.0.0.1:8890", "inet:127.0.0.1:8891", false, false },
		{ "inet:127.0.0.1:8890", "unix:127.0.0.1:8890", false, false },
	};
	const char *before = config->set.milter_socket;
	char rows_of_master[300];
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *ours = rows[i].ours;
		config->set.milter_socket = strncmp(ours, "inet:", 5) == 0 ? ours + 5 : ours;
		snprintf(settings, sizeof settings,
			 "compatibility_level = 3.6\nsmtpd_milters = %s\nnon_smtpd_milters = $smtpd_milters\n",
			 rows[i].theirs);
		snprintf(rows_of_master, sizeof rows_of_master, "smtp inet n - %c - - smtpd\n",
			 rows[i].chroot ? 'y' : 'n');
		master = rows_of_master;
		json_t *whole = check_document(config);
		ok((find_row(whole, "differences", "smtpd_milters") == NULL) == rows[i].fits, "%s is%s %s",
		   rows[i].theirs, rows[i].fits ? "" : " not", ours);
		json_decref(whole);
	}
	config->set.milter_socket = before;
	master = usual_master;
}

int main(void)
{
	char name[40], error[CONFIG_ERROR_MAX] = "";
	int fd = memfd_create("conf", 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ok(write(fd, conf, sizeof conf - 1) == (ssize_t)sizeof conf - 1, "a configuration");
	struct config *config = config_load(name, error);
	close(fd);
	if (!ok(config != NULL, "... is read: %s", error))
		return done_testing();
	test_lists(config);
	test_long_element(config);
	test_socketmap(config);
	test_asn(config);
	test_cases(config);
	test_commands(config);
	test_spellings(config);
	config_drop(&config);
	return done_testing();
}

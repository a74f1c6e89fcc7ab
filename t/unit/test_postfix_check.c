/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Postfix held against a configuration of ours: what is given to type loses nothing of what is there.
 *
 * Takes the place of milter/ctl/run.c.
 */
#include "milter/ctl/postfix_check.h"
#include "milter/ctl/run.h"

#include "t/unit/tap.h"

#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LIST_MAX = 20000 };

static const char conf[] =
	"milter: { socket = \"unix:/x.sock\"; };\n"
	"socketmap: { listen = \"unix:/map.sock\"; };\n"
	"postfix: { myorigin = \"Known.example\"; };\n";

static const char master[] = "smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n";
static char settings[3 * LIST_MAX];	/* postconf -x */
static const char *overrides = "";	/* postconf -x -P */

char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size)
{
	bool services = strcmp(argv[1], "-M") == 0, own = argv[2] != NULL && strcmp(argv[2], "-P") == 0;
	(void)in, (void)most;
	*exit_out = 0;
	snprintf(said, said_size, "%s", "");
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
	is_int(postfix_check(&wish, NULL, true, to, error, sizeof error), 1, "it does not fit");
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
	json_array_foreach(rows, index, row)
		if (strcmp(json_string_value(json_object_get(row, "what")), what) == 0)
			return json_string_value(json_object_get(row, "fix"));
	ok(false, "%s is a difference", what);
	return NULL;
}

static void test_lists(const struct config *config)
{
	static const struct {
		int others;
		const char *end, *want;	/* what the list ends with, is to end with */
		bool fix;		/* false: it is too long to be put together */
	} rows[] = {
		{ 3, "inet:10.0.0.2:1", "inet:10.0.0.2:1, unix:/x.sock", true },
		{ 3, "{ unix:/x.sock, default_action=accept }", "{unix:/x.sock, default_action=tempfail}", true },
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
		const char *fix = fix_of(found, accepts ? "default_action of our milter in smtpd_milters" : "smtpd_milters");
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
	snprintf(settings, sizeof settings, "smtpd_milters = { unix:/x.sock, default_action=accept, %01100d=1 }, inet:10.0.0.2:1\n", 0);
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
static void test_origin(const struct config *config)
{
	static const struct {
		const char *origin;
		bool named;
	} rows[] = {
		{ "example.org", true }, { "mx.example.com", false }, { "Example.COM", false }, { "known.example", false },
		{ "sub.known.example", true }, { "", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool named = false;
		size_t index;
		json_t *row;
		snprintf(settings, sizeof settings, "myhostname = mx.example.com\nmyorigin = %s\n", rows[i].origin);
		json_t *found = rows_of(config, "warnings");
		json_array_foreach(found, index, row)
			if (strcmp(json_string_value(json_object_get(row, "what")), "myorigin") == 0) {
				named = true;
				is_str(json_string_value(json_object_get(row, "expected")), "known.example", "what we know");
				ok(strstr(json_string_value(json_object_get(row, "why")), "myorigin = \"example.org\"") != NULL ||
				   strcmp(rows[i].origin, "example.org") != 0, "what penstock.conf is to say");
			}
		is_int(named, rows[i].named, "myorigin %s %s", rows[i].origin, rows[i].named ? "is named" : "is fine");
		json_decref(found);
	}
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
	test_origin(config);
	config_drop(&config);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who asks how clients stand, held against who should: rows of a Postfix, and what is said of it; what is printed, and
 * the way out.
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

static const char *master, *overrides;
static char settings[4000];

char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size)
{
	bool services = strcmp(argv[1], "-M") == 0;
	bool own = strcmp(argv[1], "-P") == 0 || (argv[2] != NULL && strcmp(argv[2], "-P") == 0);
	(void)in, (void)most;
	*exit_out = 0;
	snprintf(said, said_size, "%s", "");
	if (strcmp(argv[0], "getent") == 0 || strcmp(argv[0], "postmap") == 0)
		return strdup("");
	return strdup(services ? master : own ? overrides : settings);
}

#define MAP "socketmap:unix:/map.sock:"
#define CHEAP "clients: { slow_most = 10; };\n"
#define PORT25 "smtp inet n - n - 100 smtpd\n"
#define SUBMISSION "submission inet n - n - 100 smtpd\n"
#define OTHERS "pickup unix n - n 60 1 pickup\ncleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n"
#define KEYWORDS "smtpd_discard_ehlo_keyword_address_maps"
#define THROTTLED "smtpd_client_restrictions = permit_mynetworks, check_client_access " MAP "throttle\n"

struct door_row {
	const char *main, *overrides, *master, *conf; /* conf: what penstock.conf has besides its sockets */
	const char *kind, *what, *fix;		      /* kind "": nothing of that name; fix "": no command */
};

/* clang-format off */
static const struct door_row rows[] = {
	/* by the right map */
	{ "smtpd_recipient_restrictions = reject_unauth_destination, check_sasl_access " MAP "throttle\n", "", PORT25, CHEAP,
	  "differences", "smtpd_recipient_restrictions",
	  "postconf -e 'smtpd_recipient_restrictions = reject_unauth_destination, check_sasl_access " MAP
	  "account-throttle'" },
	{ "smtpd_recipient_restrictions = check_sasl_access " MAP "account-throttle\n", "", PORT25, CHEAP, "",
	  "smtpd_recipient_restrictions", "" },
	{ "smtpd_client_restrictions = check_client_access " MAP "account-throttle\n", "", PORT25, CHEAP, "differences",
	  "smtpd_client_restrictions", "postconf -e 'smtpd_client_restrictions = check_client_access " MAP "throttle'" },
	{ "smtpd_client_restrictions = check_client_access " MAP "throttle_client\n", "", PORT25, CHEAP, "",
	  "smtpd_client_restrictions", "" },
	{ "smtpd_sender_restrictions = check_sender_access " MAP "throttle\n", "", PORT25, CHEAP, "differences",
	  "smtpd_sender_restrictions", "" },
	{ "", "submission/inet/smtpd_recipient_restrictions = check_sasl_access," MAP "throttle\n", SUBMISSION, CHEAP,
	  "differences", "submission/inet: smtpd_recipient_restrictions",
	  "postconf -P 'submission/inet/smtpd_recipient_restrictions=check_sasl_access," MAP "account-throttle'" },
	{ KEYWORDS " = " MAP "throttle\n", "", PORT25, CHEAP, "differences", KEYWORDS,
	  "postconf -e '" KEYWORDS " = " MAP "starttls'" },
	{ "smtpd_client_restrictions = check_client_access socketmap:unix:/other.sock:throttle\n", "", PORT25, CHEAP, "",
	  "smtpd_client_restrictions", "" },
	/* STARTTLS is never hidden from people who log in */
	{ KEYWORDS " = " MAP "starttls\n", "", PORT25, CHEAP, "", "smtp/inet: " KEYWORDS, "" },
	{ KEYWORDS " = " MAP "starttls\n", "", PORT25 SUBMISSION, CHEAP, "differences", "submission/inet: " KEYWORDS,
	  "postconf -P submission/inet/" KEYWORDS "=" },
	{ KEYWORDS " = " MAP "starttls\n", "submission/inet/" KEYWORDS " =\n", PORT25 SUBMISSION, CHEAP, "",
	  "submission/inet: " KEYWORDS, "" },
	{ "", "192.0.2.1:587/inet/" KEYWORDS " = hash:/x," MAP "starttls\n", "192.0.2.1:587 inet n - n - 100 smtpd\n",
	  CHEAP, "differences", "192.0.2.1:587/inet: " KEYWORDS, "postconf -P 192.0.2.1:587/inet/" KEYWORDS "=" },
	{ KEYWORDS " = " MAP "starttls\n", "2525/inet/smtpd_sasl_auth_enable = yes\n", "2525 inet n - n - 100 smtpd\n",
	  CHEAP, "differences", "2525/inet: " KEYWORDS, "postconf -P 2525/inet/" KEYWORDS "=" },
	{ KEYWORDS " = " MAP "starttls\nsmtpd_sasl_auth_enable = yes\n", "", PORT25, CHEAP, "warnings",
	  "smtp/inet: " KEYWORDS, "" },
	{ KEYWORDS " = " MAP "starttls\nsmtpd_tls_security_level = encrypt\n", "", PORT25, CHEAP, "differences",
	  "smtp/inet: " KEYWORDS, "postconf -P smtp/inet/" KEYWORDS "=" },
	/* who waits */
	{ THROTTLED "smtpd_delay_reject = no\n", "", PORT25, CHEAP, "", "smtp/inet: smtpd_client_restrictions", "" },
	{ THROTTLED "smtpd_delay_reject = yes\n", "", PORT25, CHEAP, "warnings", "smtp/inet: smtpd_client_restrictions",
	  "" },
	{ THROTTLED "smtpd_delay_reject = no\n", "", PORT25 SUBMISSION, CHEAP, "warnings",
	  "submission/inet: smtpd_client_restrictions", "" },
	{ THROTTLED "smtpd_delay_reject = no\n",
	  "submission/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject\n", PORT25 SUBMISSION, CHEAP, "",
	  "submission/inet: smtpd_client_restrictions", "" },
	{ "smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, check_client_access " MAP "throttle\n",
	  "", SUBMISSION, CHEAP, "", "submission/inet: smtpd_client_restrictions", "" },
	{ "smtpd_client_restrictions = permit_sasl_authenticated, check_client_access " MAP "throttle\n", "", SUBMISSION,
	  CHEAP, "warnings", "submission/inet: smtpd_client_restrictions", "" },
	/* processes to spare */
	{ THROTTLED, "", PORT25, CHEAP, "", "smtp/inet: clients.slow_most", "" },
	{ THROTTLED, "", "smtp inet n - n - 50 smtpd\n", "", "warnings", "smtp/inet: clients.slow_most", "" },
	{ THROTTLED, "", "smtp inet n - n - 30 smtpd\n", "", "differences", "smtp/inet: clients.slow_most", "" },
	{ THROTTLED "default_process_limit = 20\n", "", "smtp inet n - n - - smtpd\n", "", "differences",
	  "smtp/inet: clients.slow_most", "" },
	{ THROTTLED, "", "smtp inet n - n - 0 smtpd\n", "", "", "smtp/inet: clients.slow_most", "" },
	{ "default_process_limit = 20\n", "", "smtp inet n - n - - smtpd\n", "", "", "smtp/inet: clients.slow_most", "" },
	{ THROTTLED, "", "smtpd pass - - n - 10 smtpd\n", "", "differences", "smtpd/pass: clients.slow_most", "" },
	/* the socket, as a chrooted smtpd finds it */
	{ THROTTLED, "", "smtp inet n - y - 100 smtpd\n", CHEAP, "differences", "smtp/inet: chroot",
	  "postconf -F smtp/inet/chroot=n" },
	{ THROTTLED, "", PORT25, CHEAP, "", "smtp/inet: chroot", "" },
	/* the follower */
	{ THROTTLED, "", PORT25, "follow: { state = \"/nowhere/penstock\"; };\n", "warnings", "penstock-follow", "" },
	{ "", "", PORT25, "follow: { state = \"/nowhere/penstock\"; };\n", "", "penstock-follow", "" },
	{ "", "", PORT25, "follow: { state = \"/tmp\"; queue_socket = \"/nowhere/q.sock\"; };\n"
	  "clients: { require_quit = true; };\n", "differences", "clients.require_quit", "" },
	{ "", "", PORT25, "follow: { state = \"/tmp\"; queue_socket = \"/tmp\"; };\nclients: { require_quit = true; };\n",
	  "", "clients.require_quit", "" },
};
/* clang-format on */

static struct config *config_of(const char *more)
{
	char text[1000], path[64], error[CONFIG_ERROR_MAX] = "";
	int length = snprintf(
		text, sizeof text,
		"milter: { socket = \"unix:/x.sock\"; };\nsocketmap: { listen = \"unix:/map.sock\"; };\n%s", more);
	int fd = memfd_create("conf", 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (write(fd, text, (size_t)length) != length)
		return NULL;
	struct config *config = config_load(path, error);
	ok(config != NULL, "the configuration is read %s", error);
	close(fd);
	return config;
}

static void postfix_of(const char *main, const char *own, const char *services)
{
	static char whole[2000];
	snprintf(settings, sizeof settings,
		 "compatibility_level = 3.6\nsmtpd_milters = unix:/x.sock\nnon_smtpd_milters = unix:/x.sock\n%s", main);
	snprintf(whole, sizeof whole, "%s" OTHERS, services);
	overrides = own;
	master = whole;
}

static struct postfix_wish wish_of(const struct config *config)
{
	return (struct postfix_wish){ .config = config,
				      .config_file = "/etc/penstock/penstock.conf",
				      .dir = "/etc/postfix",
				      .queue = "/var/spool/postfix" };
}

static json_t *document_of(const struct config *config)
{
	struct postfix_wish wish = wish_of(config);
	char *text = NULL, error[600];
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	postfix_check(&wish, NULL, CHECK_JSON, to, error, sizeof error);
	fclose(to);
	json_t *whole = json_loadb(text, length, 0, NULL);
	free(text);
	return whole;
}

static const json_t *row_of(const json_t *whole, const char *kind, const char *what)
{
	size_t index;
	json_t *row;
	json_array_foreach(json_object_get(whole, kind), index,
			   row) if (strcmp(json_string_value(json_object_get(row, "what")), what) == 0) return row;
	return NULL;
}

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct door_row *row = &rows[i];
		struct config *config = config_of(row->conf);
		postfix_of(row->main, row->overrides, row->master);
		json_t *whole = document_of(config);
		if (*row->kind == '\0') {
			ok(row_of(whole, "differences", row->what) == NULL &&
				   row_of(whole, "warnings", row->what) == NULL,
			   "row %zu: nothing of %s", i, row->what);
		} else {
			const json_t *found = row_of(whole, row->kind, row->what);
			const char *fix = found == NULL ? NULL : json_string_value(json_object_get(found, "fix"));
			ok(found != NULL, "row %zu: %s has %s", i, row->kind, row->what);
			is_str(fix == NULL ? "" : fix, row->fix, "... with that command");
		}
		json_decref(whole);
		config_drop(&config);
	}
}

/* ---- what is printed, and the way out */

static char *printed(const struct config *config, enum postfix_part part, bool out)
{
	struct postfix_wish wish = wish_of(config);
	char *text = NULL, error[600];
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);
	if (out)
		postfix_remove(&wish, NULL, to, error, sizeof error);
	else
		postfix_print(&wish, part, NULL, to);
	fclose(to);
	return text;
}

/* Nothing is switched on by lines that are put where they are printed for. */
static void test_print(void)
{
	struct config *config = config_of("");
	char *main = printed(config, POSTFIX_MAIN, false), *services = printed(config, POSTFIX_MASTER, false);
	ok(strstr(main, "\n# smtpd_recipient_restrictions = check_sasl_access " MAP "account-throttle, ...\n") != NULL,
	   "account-throttle is printed for main.cf, behind a #");
	ok(strstr(main, "throttle_s") == NULL, "that nobody waits is not said where somebody does");
	ok(strstr(services,
		  "\n#  -o smtpd_client_restrictions=permit_mynetworks,check_client_access," MAP "throttle\n") != NULL,
	   "throttle for port 25 in master.cf");
	ok(strstr(services, "\n#  -o " KEYWORDS "=" MAP "starttls\n") != NULL, "and starttls");
	ok(strstr(main, "starttls") == NULL && strstr(main, MAP "throttle") == NULL, "none of both for main.cf");
	config->set.socketmap_throttle_s = 0;
	char *nobody = printed(config, POSTFIX_MAIN, false);
	ok(strstr(nobody, "(nobody waits by this yet, nor by the map throttle: socketmap.throttle_s is 0)") != NULL,
	   "that nobody waits yet is said");
	free(nobody);
	free(main);
	free(services);
	config_drop(&config);
}

static void test_remove(void)
{
	struct config *config = config_of("");
	postfix_of("smtpd_recipient_restrictions = check_sasl_access " MAP "throttle, reject_unauth_destination\n"
		   "smtpd_client_restrictions = permit_mynetworks, check_client_access " MAP "throttle\n" KEYWORDS
		   " = hash:/x, " MAP "starttls\n",
		   "smtp/inet/smtpd_client_restrictions = check_client_access," MAP "throttle_client,sleep,1\n",
		   PORT25);
	char *text = printed(config, POSTFIX_MAIN, true);
	static const char *const lines[] = {
		"postconf -e 'smtpd_recipient_restrictions = reject_unauth_destination'\n",
		"postconf -e 'smtpd_client_restrictions = permit_mynetworks'\n",
		"postconf -e '" KEYWORDS " = hash:/x'\n",
		"postconf -P 'smtp/inet/smtpd_client_restrictions=sleep,1'\n",
	};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
		ok(strstr(text, lines[i]) != NULL, "taken out: %s", lines[i]);
	ok(strstr(text, "map.sock") == NULL, "none is left");
	free(text);
	config_drop(&config);
}

int main(void)
{
	test_rows();
	test_print();
	test_remove();
	return done_testing();
}

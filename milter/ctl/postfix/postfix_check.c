/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_check.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_aliases.h"
#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_domains.h"
#include "milter/ctl/postfix/postfix_door.h"
#include "milter/ctl/postfix/postfix_local.h"
#include "milter/ctl/postfix/postfix_mailers.h"
#include "milter/ctl/postfix/postfix_milters.h"
#include "milter/ctl/postfix/postfix_pitfalls.h"
#include "milter/ctl/postfix/postfix_sockets.h"
#include "milter/base/endpoint.h"
#include "policy/address.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* ---- single settings of main.cf ---- */

/* A transport that our header chose goes to default_filter_nexthop, or else to the recipient's domain. `own`: a service
 * that has its own. */
static void check_nexthop(struct postfix_check *check, const char *own)
{
	static const char name[] = "default_filter_nexthop";
	const char *relayhost = postfix_get(check->postfix, NULL, "relayhost");
	const char *found = postfix_get(check->postfix, own, name);
	char what[300];
	check_name_setting(what, sizeof what, own, name);
	if (relayhost != NULL && *relayhost != '\0' && (found == NULL || strcmp(found, relayhost) != 0))
		check_report(check,
			     (struct finding){ DIFFERENCE, GRAVITY_ASTRAY, what, found, relayhost, check_file_of(own),
					       NULL, "mail of our transports would not go by relayhost" },
			     check_fix_setting(check, own, name, check_wanted(check, name)->value));
}

/* For the same reason these are not asked about where marked mail goes. */
static void check_other_maps(struct postfix_check *check)
{
	static const struct {
		const char *name, *why;
	} maps[] = {
		{ "transport_maps",
		  "mail that our header marks does not go by its entries; those that name a transport not in our "
		  "postfix.remote_mailers hold, since mail to them is not marked" },
		{ "sender_dependent_relayhost_maps",
		  "mail that our header marks does not go by its entries, but by default_filter_nexthop" },
	};
	for (size_t i = 0; i < sizeof maps / sizeof maps[0]; i++) {
		const char *found = postfix_get(check->postfix, NULL, maps[i].name);
		if (found != NULL && *found != '\0')
			check_report(check,
				     (struct finding){ WARNING, GRAVITY_ASTRAY, maps[i].name, found, "", "main.cf",
						       NULL, maps[i].why },
				     NULL);
	}
}

/* ---- tables of header checks ---- */

static bool postfix_check_is_filter_to(const char *answer, const char *transport)
{
	size_t length = strlen(transport);
	if (strncasecmp(answer, "FILTER", 6) != 0)
		return false;
	answer += 6 + strspn(answer + 6, " \t");
	return strncmp(answer, transport, length) == 0 && strcmp(answer + length, ":") == 0;
}

enum { KEYS_MAX = 2 };

/* One of the two: its parameter, its file, and the headers that it is asked about. */
struct table_kind {
	const char *name, *file, *why;
	enum postfix_part part;
	enum gravity gravity;
	bool file_checked, file_right;
};

/* Headers of mail for a transport; the second, as the daemon writes it, is nothing to milter_header_checks. */
static int keys_of(const struct postfix_check *check, const struct table_kind *kind, const struct transport *transport,
		   char keys[KEYS_MAX][200])
{
	snprintf(keys[0], sizeof keys[0], "%s: %s", check->wish.config->set.postfix_header, transport->name);
	snprintf(keys[1], sizeof keys[1], "X-Penstock-Spam: yes, score=12.1");
	return kind->part == POSTFIX_SMTP_CHECKS ? 2 : 1;
}

/* The first header that a list answers wrongly. */
struct wrong_answer {
	int found; /* as postfix_lookup */
	char key[200], answer[ELEMENT_MAX], expected[100];
};

/* False where all are answered as they should be. */
static bool postfix_check_find_wrong_answer(const struct postfix_check *check, const struct table_kind *kind,
					    const char *list, const struct transport *transport,
					    struct wrong_answer *wrong)
{
	char keys[KEYS_MAX][200];
	int count = keys_of(check, kind, transport, keys);
	bool filter = kind->part == POSTFIX_MILTER_CHECKS;
	snprintf(wrong->expected, sizeof wrong->expected, filter ? "FILTER %s:" : "IGNORE", transport->name);
	for (int i = 0; i < count; i++) {
		memcpy(wrong->key, keys[i], sizeof wrong->key);
		wrong->found = postfix_lookup(check->postfix, list, wrong->key, wrong->answer);
		bool fits = filter ? postfix_check_is_filter_to(wrong->answer, transport->name)
				   : strncasecmp(wrong->answer, "IGNORE", 6) == 0;
		if (wrong->found <= 0 || !fits)
			return true;
	}
	return false;
}

/* Is the file there and right? Where a list needs it and it is not, this is reported, once. */
static bool postfix_check_need_file(struct postfix_check *check, struct table_kind *kind)
{
	struct wrong_answer wrong;
	const struct transport *transport;
	char what[400], path[512];
	if (kind->file_checked)
		return kind->file_right;
	kind->file_checked = kind->file_right = true;
	for (int i = 0; kind->file_right && (transport = postfix_transport(check->wish.config, i)) != NULL; i++) {
		if (!postfix_check_find_wrong_answer(check, kind, check_wanted(check, kind->name)->value, transport,
						     &wrong))
			continue;
		kind->file_right = false;
		snprintf(what, sizeof what, "%s for \"%s\"", kind->file, wrong.key);
		snprintf(path, sizeof path, "%.400s/%s", check->wish.dir, kind->file);
		check_report(check,
			     (struct finding){ DIFFERENCE, kind->gravity, what, wrong.found == 0 ? NULL : wrong.answer,
					       wrong.expected, path, NULL, kind->why },
			     check_fix_file(check, kind->part));
	}
	return kind->file_right;
}

/* `service` is the one that looks into the tables. `said` is set where main.cf's own list needs what was told,
 * so that this is told once and not for each transport. */
static void check_tables(struct postfix_check *check, struct table_kind *kind, const char *service,
			 const struct transport *transport, bool *said)
{
	struct wrong_answer wrong;
	char what[500], value[3000];
	const char *own = postfix_override(check->postfix, service, kind->name) != NULL ? service : NULL;
	const char *list = postfix_get(check->postfix, own, kind->name);
	const char *ours = check_wanted(check, kind->name)->value;
	list = list == NULL ? "" : list;
	if ((own == NULL && *said) || !postfix_check_find_wrong_answer(check, kind, list, transport, &wrong))
		return;
	bool right = postfix_check_need_file(check, kind), named = strstr(list, kind->file) != NULL;
	*said |= own == NULL && (!named || !right || wrong.found < 0);
	if (named && !right)
		return;
	check_name_setting(what, sizeof what, own, kind->name);
	if (*list != '\0')
		snprintf(what + strlen(what), sizeof what - strlen(what), " for \"%s\"", wrong.key);
	const char *raw = check_raw(check, own, kind->name);
	if (wrong.found > 0 && *raw != '\0') /* an earlier rule wins */
		check_append(value, sizeof value, ours, raw);
	else
		check_append(value, sizeof value, raw, ours);
	check_report(check,
		     (struct finding){ DIFFERENCE, kind->gravity, what, wrong.found == 0 ? NULL : wrong.answer,
				       *list == '\0' ? ours : wrong.expected, check_file_of(own), NULL,
				       wrong.found < 0 ? "the table cannot be read"
				       : named	       ? "another rule of the list stands before ours"
						       : kind->why },
		     named ? NULL : check_fix_setting(check, own, kind->name, value));
}

/* ---- transports ---- */

static void check_address(struct postfix_check *check, const struct transport *transport, const char *address)
{
	struct endpoint endpoint;
	char name[100], what[200], error[300];
	bool v6 = strchr(address, ':') != NULL;
	snprintf(name, sizeof name, "%s%s%s:1", v6 ? "[" : "", address, v6 ? "]" : "");
	snprintf(what, sizeof what, "%s: source address %s", transport->name, address);
	if (*address == '\0' || !endpoint_parse(name, &endpoint, error, sizeof error))
		return;
	/* Port 0 in place of that 1: any that is free. It lies at the same place in both kinds of address. */
	memset((char *)&endpoint.address + sizeof(sa_family_t), 0, 2);
	int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&endpoint.address, endpoint.length) != 0)
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_DEFERRED, what, strerror(errno),
					       "an address of this host", check->wish.config_file, NULL,
					       "Postfix cannot send from it" },
			     NULL);
	if (fd >= 0)
		close(fd);
}

/* A Postfix before 3.7 does not know how to keep to an address. */
static bool is_unknown(const struct postfix_check *check, const char *name)
{
	return strcmp(name, "smtp_bind_address_enforce") == 0 && postfix_get(check->postfix, NULL, name) == NULL;
}

static void check_options(struct postfix_check *check, const struct transport *transport, const char *service)
{
	struct postfix_line lines[POSTFIX_OPTIONS_MAX];
	int count = postfix_transport_lines(transport, lines);
	for (int i = 0; i < count; i++) {
		const char *found = postfix_get(check->postfix, service, lines[i].name);
		char what[300];
		if (found != NULL && strcmp(found, lines[i].value) == 0)
			continue;
		snprintf(what, sizeof what, "%s: %s", service, lines[i].name);
		bool cosmetic = strcmp(lines[i].name, "syslog_name") == 0, unknown = is_unknown(check, lines[i].name);
		check_report(check,
			     (struct finding){ cosmetic || unknown ? WARNING : DIFFERENCE, GRAVITY_ASTRAY, what,
					       unknown ? "a Postfix before 3.7, which does not know it" : found,
					       lines[i].value, "master.cf", NULL, lines[i].why },
			     unknown ? NULL : check_fix_setting(check, service, lines[i].name, lines[i].value));
	}
}

static void postfix_check_report_service(struct postfix_check *check, const struct transport *transport,
					 const char *found)
{
	char what[200], *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_service_command(transport, check->dir, to);
	fclose(to);
	snprintf(what, sizeof what, "%s/unix: service", transport->name);
	check_report(check,
		     (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, found, "smtp", "master.cf", NULL,
				       "mail for this transport would be deferred" },
		     command);
}

/* The service of a transport, if it is there as smtp; else it is reported. */
static bool check_service(struct postfix_check *check, const struct transport *transport)
{
	const struct postfix_service *service;
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++) {
		if (strcmp(service->name, transport->name) != 0 || strcmp(service->type, "unix") != 0)
			continue;
		if (strcmp(service->command, "smtp") == 0)
			return true;
		postfix_check_report_service(check, transport, service->command);
		return false;
	}
	postfix_check_report_service(check, transport, NULL);
	return false;
}

/* Each cleanup(8) service: one that says nothing itself is told of once, with main.cf. */
static void check_filters(struct postfix_check *check, struct table_kind *filters, const struct transport *transport,
			  bool *said)
{
	const struct postfix_service *service;
	size_t at = 0;
	bool none = true;
	while ((service = check_next_service(check, "cleanup", &at)) != NULL) {
		check_tables(check, filters, service->path, transport, said);
		none = false;
	}
	if (none)
		check_tables(check, filters, "", transport, said);
}

/* What Postfix's own transports say themselves: main.cf's list was looked at with ours. */
static void check_other_strippers(struct postfix_check *check, struct table_kind *strippers)
{
	const struct transport *any = postfix_transport(check->wish.config, 0);
	const struct postfix_service *service;
	bool said = true;
	for (size_t at = 0; any != NULL && (service = check_next_service(check, "smtp", &at)) != NULL;)
		if (postfix_override(check->postfix, service->path, strippers->name) != NULL &&
		    !postfix_is_transport(check->wish.config, service->name) &&
		    config_rcpt_way(check->wish.config, service->name, "") == RCPT_WAY_REMOTE)
			check_tables(check, strippers, service->path, any, &said);
}

static void check_transports(struct postfix_check *check)
{
	struct table_kind filters = {
		.name = "milter_header_checks",
		.file = POSTFIX_MILTER_FILE,
		.part = POSTFIX_MILTER_CHECKS,
		.gravity = GRAVITY_ASTRAY,
		.why = "mail would not leave by this transport",
	};
	struct table_kind strippers = {
		.name = "smtp_header_checks",
		.file = POSTFIX_SMTP_FILE,
		.part = POSTFIX_SMTP_CHECKS,
		.gravity = GRAVITY_LEAK,
		.why = "the header would leave the host",
	};
	bool unmarked = false, unstripped = false;
	const struct transport *transport;
	for (int i = 0; (transport = postfix_transport(check->wish.config, i)) != NULL; i++) {
		char service[TRANSPORT_NAME_MAX + 8];
		snprintf(service, sizeof service, "%s/unix", transport->name);
		check_filters(check, &filters, transport, &unmarked);
		if (check_service(check, transport))
			check_options(check, transport, service);
		else
			*service = '\0'; /* the one to come has nothing of its own: main.cf's hold */
		check_tables(check, &strippers, service, transport, &unstripped);
		if (*transport->address != '\0') {
			check_address(check, transport, transport->address);
			check_address(check, transport, transport->address6);
		}
	}
	check_other_strippers(check, &strippers);
}

/* ---- users of the host */

static bool postfix_check_counts_logins(const struct config *config)
{
	for (int i = 0; i < config->source_count; i++)
		if (config->sources[i] == SOURCE_UID)
			return true;
	return false;
}

/* Source uid believes the sender's login name; postdrop(1) can see to it that it is true. */
static void check_logins(struct postfix_check *check)
{
	static const char name[] = "local_login_sender_maps", file[] = POSTFIX_LOGIN_FILE;
	static const char why[] =
		"accounts.sources has uid, and any local user can send in another's name by sendmail -f";
	const char *found = postfix_get(check->postfix, NULL, name);
	char origin[DOMAIN_MAX + 1], value[600], setting[700], *command = NULL;
	size_t size = 0;
	if (!postfix_check_counts_logins(check->wish.config) || (found != NULL && strcmp(found, "static:*") != 0))
		return;
	if (found == NULL) {
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_MISJUDGED, name,
					       "a Postfix before 3.6, which does not know it", "", "main.cf", NULL,
					       why },
			     NULL);
		return;
	}
	postfix_origin(check->postfix, origin);
	snprintf(value, sizeof value, "inline:{ { root = * }, { postfix = * } }, regexp:%.400s/%s", check->wish.dir,
		 file);
	FILE *to = have_memory(open_memstream(&command, &size));
	fprintf(to, "echo '/(.+)/ $1%s%s' > ", *origin != '\0' ? " $1@" : "", origin);
	snprintf(setting, sizeof setting, "%.400s/%s", check->wish.dir, file);
	postfix_print_quoted(setting, to);
	fputs(" && ", to);
	snprintf(setting, sizeof setting, "%s = %s", name, value);
	postfix_print_postconf(check->dir, "-e", setting, to);
	fclose(to);
	check_report(check, (struct finding){ WARNING, GRAVITY_MISJUDGED, name, found, value, "main.cf", NULL, why },
		     command);
}

/* Their mail bears what Postfix calls its origin; identify.c has to know it. */
static void check_origin(struct postfix_check *check)
{
	const char *host = postfix_get(check->postfix, NULL, "myhostname"), *known = check->wish.config->origin;
	char origin[DOMAIN_MAX + 1], why[2 * DOMAIN_MAX];
	postfix_origin(check->postfix, origin);
	if (!postfix_check_counts_logins(check->wish.config) || *origin == '\0' || text_same_nocase(origin, known) ||
	    (host != NULL && domain_within(host, origin)))
		return;
	snprintf(why, sizeof why,
		 "mail of sendmail(1) bears it, and is of no uid until penstock.conf says "
		 "postfix: { myorigin = \"%s\"; }",
		 origin);
	const char *expected = *known != '\0' || host == NULL ? known : host;
	check_report(check,
		     (struct finding){ WARNING, GRAVITY_MISJUDGED, "myorigin", origin, expected, "main.cf", NULL, why },
		     NULL);
}

static char *postfix_check_reload_command(const char *dir)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	fputs("postfix ", to);
	if (dir != NULL) {
		fputs("-c ", to);
		postfix_print_quoted(dir, to);
		fputc(' ', to);
	}
	fputs("reload", to);
	fclose(to);
	return command;
}

/* The command that prints the commands alone. */
static char *postfix_check_again_command(const struct postfix_wish *wish, const char *dir)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	fputs("penstockctl -c ", to);
	postfix_print_quoted(wish->config_file, to);
	fputs(" postfix check --commands", to);
	if (dir != NULL) {
		fputs(" -d ", to);
		postfix_print_quoted(dir, to);
	}
	fclose(to);
	return command;
}

static void check_all(struct postfix_check *check)
{
	const struct postfix_service *service;
	check_milters(check);
	check_pitfalls(check);
	check_nexthop(check, NULL);
	for (size_t at = 0; (service = check_next_service(check, "cleanup", &at)) != NULL;)
		if (postfix_override(check->postfix, service->path, "default_filter_nexthop") != NULL)
			check_nexthop(check, service->path);
	check_other_maps(check);
	check_transports(check);
	check_socketmap(check);
	check_door(check);
	check_logins(check);
	check_origin(check);
	check_mailers(check);
	check_local_domains(check);
	check_aliases(check);
}

void check_begin(struct postfix_check *check, const struct postfix_wish *wish, const struct postfix *postfix,
		 const char *postfix_dir)
{
	const char *place = postfix_get(postfix, NULL, "config_directory");
	const char *queue = postfix_get(postfix, NULL, "queue_directory");
	place = postfix_dir != NULL ? postfix_dir : place != NULL ? place : POSTFIX_DIR;
	char *last = postfix_check_reload_command(postfix_dir);
	*check = (struct postfix_check){ .wish = *wish, .postfix = postfix, .dir = postfix_dir };
	check->findings = findings_new(place, last);
	free(last);
	check->wish.dir = wish->dir != NULL ? wish->dir : place;
	check->wish.queue = wish->queue != NULL ? wish->queue : queue != NULL ? queue : POSTFIX_QUEUE;
	check->line_count = postfix_main_lines(&check->wish, check->lines);
}

int postfix_check(const struct postfix_wish *wish, const char *postfix_dir, enum check_form form, FILE *to, char *error,
		  size_t error_size)
{
	struct postfix *postfix = postfix_read(postfix_dir, error, error_size);
	struct postfix_check check;
	if (postfix == NULL)
		return -1;
	check_begin(&check, wish, postfix, postfix_dir);
	check_all(&check);
	char *again = postfix_check_again_command(wish, postfix_dir);
	if (form == CHECK_JSON)
		findings_print_json(check.findings, to);
	else if (form == CHECK_COMMANDS)
		findings_print_commands(check.findings, to);
	else
		findings_print(check.findings, wish->config_file, again, to);
	free(again);
	bool fits = findings_count(check.findings, DIFFERENCE) == 0;
	findings_free(&check.findings);
	postfix_free(&postfix);
	return fits ? 0 : 1;
}

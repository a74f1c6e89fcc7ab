/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_door.h"

#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_sockets.h"
#include "policy/base/text.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/base/banned.h"

const char *const door_lists[DOOR_LISTS] = {
	"smtpd_client_restrictions",	  "smtpd_helo_restrictions",	  "smtpd_sender_restrictions",
	"smtpd_relay_restrictions",	  "smtpd_recipient_restrictions", "smtpd_data_restrictions",
	"smtpd_end_of_data_restrictions",
};
static const char keywords[] = "smtpd_discard_ehlo_keyword_address_maps";

/* Our socketmap in a list, and what was before it. */
struct door_use {
	const char *before_at, *at, *end;
	char before[ELEMENT_MAX], map[40];
	bool reachable;	    /* as a process with this chroot finds it */
	bool logins_passed; /* permit_sasl_authenticated comes first */
	bool own_passed;    /* permit_mynetworks does */
};

/* The next of ours behind `rest`; false: no more. `use` is kept from one to the next. */
static bool door_next(const struct postfix_check *check, const char **rest, bool chroot, struct door_use *use)
{
	char element[ELEMENT_MAX], map[40];
	if (*check->wish.config->set.socketmap_listen == '\0')
		return false;
	while ((use->at = postfix_next_element(rest, element)) != NULL) {
		use->end = *rest;
		use->reachable = socketmap_is_ours(check, element, chroot, map, sizeof map);
		if (use->reachable || socketmap_is_ours(check, element, !chroot, map, sizeof map)) {
			text_copy(use->map, sizeof use->map, map);
			return true;
		}
		use->logins_passed |= strcmp(element, "permit_sasl_authenticated") == 0;
		use->own_passed |= strcmp(element, "permit_mynetworks") == 0;
		use->before_at = use->at;
		text_copy(use->before, sizeof use->before, element);
	}
	return false;
}

bool door_find_restriction(const struct postfix_check *check, const char *list, const char **at_out,
			   const char **end_out)
{
	struct door_use use = { 0 };
	if (!door_next(check, &list, false, &use))
		return false;
	bool named = strncmp(use.before, "check_", 6) == 0;
	*at_out = named ? use.before_at : use.at;
	*end_out = use.end;
	return true;
}

bool door_find_map(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out)
{
	struct door_use use = { 0 };
	if (!door_next(check, &list, false, &use))
		return false;
	*at_out = use.at;
	*end_out = use.end;
	return true;
}

/* ---- a setting, as main.cf or one service has it */

static const char *door_get(const struct postfix_check *check, const char *service, const char *name)
{
	const char *value = postfix_get(check->postfix, service, name);
	return value == NULL ? "" : value;
}

static bool door_says_yes(const struct postfix_check *check, const char *service, const char *name)
{
	return strcmp(door_get(check, service, name), "yes") == 0;
}

/* The list with another table in the place of one of ours; NULL where that is not written there, but in a $name. */
static char *door_fix_map(const struct postfix_check *check, const char *own, const char *name,
			  const struct door_use *seen, const char *table)
{
	char value[3000];
	const char *raw = check_raw(check, own, name), *rest = raw;
	struct door_use use = { 0 };
	while (door_next(check, &rest, false, &use))
		if (strcmp(use.map, seen->map) == 0 && strcmp(use.before, seen->before) == 0) {
			int length =
				snprintf(value, sizeof value, "%.*s%s%s", (int)(use.at - raw), raw, table, use.end);
			return length < (int)sizeof value ? check_fix_setting(check, own, name, value) : NULL;
		}
	return NULL;
}

/* ---- by the right map */

static const char *door_wanted_map(const char *name, const struct door_use *use)
{
	if (strcmp(name, keywords) == 0)
		return "starttls";
	if (strcmp(use->before, "check_sasl_access") == 0)
		return "account-throttle";
	return strcmp(use->before, "check_client_access") == 0 ? "throttle" : NULL;
}

static bool door_is_map(const char *map, const char *wanted)
{
	bool old_name = strcmp(map, "throttle_client") == 0 && wanted != NULL && strcmp(wanted, "throttle") == 0;
	return old_name || (wanted != NULL && strcmp(map, wanted) == 0);
}

/* Why it is wrong there. */
static const char *door_map_fault(const char *map, const char *wanted)
{
	static const char *const known[] = { "transport", "throttle", "throttle_client", "account-throttle",
					     "starttls" };
	bool is_known = false;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		is_known |= strcmp(map, known[i]) == 0;
	if (!is_known)
		return "Penstock has no map of this name: it finds nothing there, and nothing comes of it";
	if (wanted != NULL && strcmp(wanted, "account-throttle") == 0)
		return "the map throttle is asked with addresses: a login without @ is none, and never waits";
	return "this map is not asked with what it knows: nothing comes of it, or the wrong thing";
}

static void door_report_map(struct postfix_check *check, const char *own, const char *name, const struct door_use *use,
			    const char *wanted)
{
	char what[300], table[300] = "", found[ELEMENT_MAX + 100];
	check_name_setting(what, sizeof what, own, name);
	snprintf(found, sizeof found, "%.200s%s%.*s", use->before, *use->before != '\0' ? " " : "",
		 (int)(use->end - use->at), use->at);
	if (wanted != NULL)
		postfix_map(&check->wish, wanted, table, sizeof table);
	check_report(check,
		     (struct finding){ DIFFERENCE, GRAVITY_MISJUDGED, what, found,
				       wanted != NULL ? table : "behind check_client_access or check_sasl_access",
				       check_file_of(own), NULL, door_map_fault(use->map, wanted) },
		     wanted != NULL ? door_fix_map(check, own, name, use, table) : NULL);
}

static void door_check_maps(struct postfix_check *check, const char *own, const char *name, const char *list)
{
	struct door_use use = { 0 };
	while (list != NULL && door_next(check, &list, false, &use)) {
		const char *wanted = door_wanted_map(name, &use);
		if (!door_is_map(use.map, wanted))
			door_report_map(check, own, name, &use, wanted);
		use.before[0] = '\0';
	}
}

/* ---- what one service asks */

/* Is it for people who log in? */
static bool door_is_submission(const struct postfix_check *check, const struct postfix_service *service)
{
	static const char *const names[] = { "submission", "submissions", "smtps", "587", "465" };
	const char *colon = strrchr(service->name, ':'), *name = colon != NULL ? colon + 1 : service->name;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	const char *own = postfix_override(check->postfix, service->path, "smtpd_sasl_auth_enable");
	return own != NULL && strcmp(own, "yes") == 0;
}

static const char *door_own(const struct postfix_check *check, const struct postfix_service *service, const char *name)
{
	return postfix_override(check->postfix, service->path, name) != NULL ? service->path : NULL;
}

/* A chrooted smtpd that does not find the socket answers each session with a temporary error. */
static void door_report_unreachable(struct postfix_check *check, const struct postfix_service *service,
				    const char *name, const struct door_use *use)
{
	char what[300], table[300];
	struct postfix_line line = { .name = name };
	const char *own = door_own(check, service, name);
	postfix_map(&check->wish, use->map, table, sizeof table);
	if (service->chroot && strstr(table, "unix:/") != NULL) {
		socket_report_chroot(check, service, &line);
		return;
	}
	check_name_setting(what, sizeof what, service->path, name);
	check_report(check,
		     (struct finding){ DIFFERENCE, GRAVITY_DEFERRED, what, use->map, table, check_file_of(own), NULL,
				       "smtpd seeks the socket elsewhere, and defers each session" },
		     door_fix_map(check, own, name, use, table));
}

static void door_check_starttls(struct postfix_check *check, const struct postfix_service *service)
{
	static const char why_login[] =
		"STARTTLS would be hidden from people by how their address stands, and without it they cannot log in";
	static const char why_demand[] = "TLS is demanded there: who is not offered it could not send at all";
	char what[300];
	bool submission = door_is_submission(check, service);
	bool demanded = strcmp(door_get(check, service->path, "smtpd_tls_security_level"), "encrypt") == 0 ||
			door_says_yes(check, service->path, "smtpd_enforce_tls");
	bool logins = door_says_yes(check, service->path, "smtpd_sasl_auth_enable");
	if (!submission && !demanded && !logins)
		return;
	check_name_setting(what, sizeof what, service->path, keywords);
	check_report(check,
		     (struct finding){ submission || demanded ? DIFFERENCE : WARNING, GRAVITY_DEFERRED, what,
				       door_get(check, service->path, keywords), "", "master.cf", NULL,
				       submission || !demanded ? why_login : why_demand },
		     submission || demanded ? check_fix_set(check, service->path, keywords, "") : NULL);
}

static void door_check_processes(struct postfix_check *check, const struct postfix_service *service)
{
	char what[300], found[100], expected[100];
	int64_t most = check->wish.config->set.clients_slow_most;
	if (service->most == 0 || 2 * most <= service->most)
		return;
	snprintf(what, sizeof what, "%s: clients.slow_most", service->path);
	snprintf(found, sizeof found, "%lld of %d processes", (long long)most, service->most);
	snprintf(expected, sizeof expected, "at most %d", service->most / 2);
	check_report(
		check,
		(struct finding){ most >= service->most ? DIFFERENCE : WARNING, GRAVITY_DEFERRED, what, found, expected,
				  check->wish.config_file, NULL,
				  "each client that waits takes one of the service's processes: those who may come "
				  "at once have to find others" },
		NULL);
}

static void door_check_throttle(struct postfix_check *check, const struct postfix_service *service, const char *name,
				const struct door_use *use)
{
	char what[300];
	if (strcmp(use->map, "throttle") != 0 && strcmp(use->map, "throttle_client") != 0)
		return;
	door_check_processes(check, service);
	check_name_setting(what, sizeof what, service->path, name);
	if (!use->own_passed)
		check_report(
			check,
			(struct finding){ WARNING, GRAVITY_DEFERRED, what, "the map throttle",
					  "permit_mynetworks in front of it",
					  check_file_of(door_own(check, service, name)), NULL,
					  "hosts of mynetworks that are not in accounts.own_networks would wait as "
					  "strangers do" },
			NULL);
	if (door_is_submission(check, service) && !use->logins_passed)
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_DEFERRED, what, "the map throttle",
					       "permit_sasl_authenticated in front of it, or a list of its own",
					       "master.cf", NULL, "people who log in would wait as strangers do" },
			     NULL);
	else if (!door_is_submission(check, service) && door_says_yes(check, service->path, "smtpd_delay_reject"))
		check_report(check,
			     (struct finding){ WARNING, GRAVITY_DEFERRED, what, "smtpd_delay_reject = yes",
					       "smtpd_delay_reject = no for this service", "master.cf", NULL,
					       "a client waits before each recipient instead of once, and one that "
					       "would give up before the greeting is not found out" },
			     NULL);
}

/* smtpd passes over it with a warning for each recipient where nobody can log in. */
static void door_check_logins(struct postfix_check *check, const struct postfix_service *service, const char *name,
			      const struct door_use *use)
{
	char what[300];
	if (strcmp(use->before, "check_sasl_access") != 0 ||
	    door_says_yes(check, service->path, "smtpd_sasl_auth_enable"))
		return;
	check_name_setting(what, sizeof what, service->path, name);
	check_report(check,
		     (struct finding){ WARNING, GRAVITY_DEFERRED, what, "check_sasl_access",
				       "it only where smtpd_sasl_auth_enable = yes",
				       check_file_of(door_own(check, service, name)), NULL,
				       "nobody logs in at this service: smtpd ignores it, and logs a warning for each "
				       "recipient" },
		     NULL);
}

static void door_check_service(struct postfix_check *check, const struct postfix_service *service)
{
	bool slow_said = false;
	for (int i = 0; i <= DOOR_LISTS; i++) {
		const char *name = i < DOOR_LISTS ? door_lists[i] : keywords,
			   *list = door_get(check, service->path, name);
		struct door_use use = { 0 };
		while (door_next(check, &list, service->chroot, &use)) {
			if (!use.reachable)
				door_report_unreachable(check, service, name, &use);
			socket_check_access(check, name, check->wish.config->set.socketmap_listen);
			door_check_logins(check, service, name, &use);
			if (i == DOOR_LISTS)
				door_check_starttls(check, service);
			else if (!slow_said)
				door_check_throttle(check, service, name, &use);
			slow_said |= i < DOOR_LISTS && strncmp(use.map, "throttle", 8) == 0;
			use.before[0] = '\0';
		}
	}
}

/* ---- what it all lives by */

static bool door_is_used(const struct postfix_check *check)
{
	const struct postfix_service *service;
	for (size_t at = 0; (service = check_next_service(check, "smtpd", &at)) != NULL;)
		for (int i = 0; i <= DOOR_LISTS; i++) {
			const char *list = door_get(check, service->path, i < DOOR_LISTS ? door_lists[i] : keywords);
			struct door_use use = { 0 };
			while (door_next(check, &list, service->chroot, &use))
				if (strcmp(use.map, "account-throttle") != 0)
					return true;
		}
	return false;
}

static void door_check_follower(struct postfix_check *check)
{
	const struct settings *set = &check->wish.config->set;
	struct stat about;
	char checkpoint[300];
	snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", set->follow_state);
	if ((door_is_used(check) || set->clients_require_quit) && stat(checkpoint, &about) != 0 && errno == ENOENT)
		check_report(
			check,
			(struct finding){ WARNING, GRAVITY_UNJUDGED, "penstock-follow", "it has never run here",
					  checkpoint, check->wish.config_file, NULL,
					  "the log alone tells who hangs up, gives up and is refused: without it all "
					  "strangers stay unknown, and nothing is held for QUIT (penstock-follow(8), "
					  "INSTALLATION)" },
			NULL);
	if (set->clients_require_quit && stat(set->follow_queue_socket, &about) != 0)
		check_report(
			check,
			(struct finding){ DIFFERENCE, GRAVITY_DEFERRED, "clients.require_quit", "no penstock-queue",
					  set->follow_queue_socket, check->wish.config_file, NULL,
					  "it releases mail once its session ended with QUIT: without it, that stays "
					  "on hold for hours (systemctl enable --now penstock-queue.socket)" },
			NULL);
}

void check_door(struct postfix_check *check)
{
	const struct postfix_service *service;
	for (int i = 0; i <= DOOR_LISTS; i++) {
		const char *name = i < DOOR_LISTS ? door_lists[i] : keywords;
		door_check_maps(check, NULL, name, postfix_get(check->postfix, NULL, name));
		for (size_t at = 0; (service = check_next_service(check, "smtpd", &at)) != NULL;)
			door_check_maps(check, service->path, name,
					postfix_override(check->postfix, service->path, name));
	}
	for (size_t at = 0; (service = check_next_service(check, "smtpd", &at)) != NULL;)
		door_check_service(check, service);
	door_check_follower(check);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix_sockets.h"

#include "milter/ctl/postfix_difference.h"
#include "policy/base/text.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/base/banned.h"

/* Where a process of Postfix finds "unix:PATH": below the queue directory when it is relative or the process
 * is chrooted. Another text stays as it is, without the brackets and the name that mean the same. */
static void resolve(const struct check *check, const char *socket, bool chroot, char *place, size_t size)
{
	struct text text = text_over(place, size);
	if (strncmp(socket, "unix:", 5) == 0) {
		bool below = chroot || socket[5] != '/';
		text_add(&text, below ? check->wish.queue : "");
		text_add(&text, below && socket[5] != '/' ? "/" : "");
		text_add(&text, socket + 5);
		return;
	}
	if (strncmp(socket, "inet:localhost:", 15) == 0) {
		text_addf(&text, "inet:127.0.0.1:%s", socket + 15);
		return;
	}
	for (; *socket != '\0'; socket++)
		if (*socket != '[' && *socket != ']')
			text_add_bytes(&text, socket, 1);
}

/* `ours` is our socket without any chroot. A file under two names (a bind mount, a link) is the same. */
static bool same_socket(const struct check *check, const char *socket, bool chroot, const char *ours)
{
	char a[ELEMENT_MAX], b[ELEMENT_MAX];
	struct stat stat_a, stat_b;
	resolve(check, socket, chroot, a, sizeof a);
	resolve(check, ours, false, b, sizeof b);
	if (strcmp(a, b) == 0)
		return true;
	return *a == '/' && *b == '/' && stat(a, &stat_a) == 0 && stat(b, &stat_b) == 0 &&
	       stat_a.st_dev == stat_b.st_dev && stat_a.st_ino == stat_b.st_ino;
}

/* A path outside of the queue directory: a chrooted process cannot be told of it. */
static bool out_of_chroot(const struct postfix_line *line)
{
	return strstr(line->value, "unix:/") != NULL;
}

static void report_chroot(struct check *check, const struct postfix_service *service,
			  const struct postfix_line *line)
{
	char path[200], what[300], setting[300], why[1200];
	snprintf(path, sizeof path, "%s/%s", service->name, service->type);
	snprintf(what, sizeof what, "%s: chroot", path);
	snprintf(setting, sizeof setting, "%s/chroot=n", path);
	snprintf(why, sizeof why, "chrooted into %.400s it cannot reach the socket of %s; or put that below the "
		 "folder, and let our configuration name it there", check->wish.queue, line->name);
	check_report(check, (struct finding){ DIFFERENCE, what, "y", "n", "master.cf", NULL, why },
		   check_fix_postconf(check, "-F", setting));
}

/* ---- milters ---- */

/* A service that asks milters, by which list, and our element there: "unix:/x, default_action=accept". */
struct asker {
	const struct postfix_service *service;
	char path[200];
	const struct postfix_line *line;	/* what main.cf is to say */
	const char *ours;			/* our socket as the daemon names it */
	const char *list;			/* not NULL */
	const char *own;			/* `path` where it is the service's own list; NULL: main.cf's */
	const char *at;				/* in `list` */
	char element[ELEMENT_MAX];
};

static bool find_milter(const struct check *check, struct asker *asker, bool chroot)
{
	const char *rest = asker->list;
	while ((asker->at = postfix_next_element(&rest, asker->element)) != NULL) {
		char socket[ELEMENT_MAX];
		const char *words = asker->element;
		if (postfix_next_element(&words, socket) != NULL &&
		    same_socket(check, socket, chroot, asker->ours))
			return true;
	}
	return false;
}

/* { unix:/x, default_action=accept } overrides milter_default_action for one milter. */
static bool overrides_action(const char *word)
{
	return strncmp(word, "default_action=", 15) == 0 && strcmp(word + 15, "tempfail") != 0;
}

/* The list with our element as it should be; "" where it does not fit. */
static void mend_list(const struct asker *asker, bool misplaced, char *value, size_t size)
{
	struct text text = text_over(value, size);
	char word[ELEMENT_MAX];
	const char *words = asker->element;
	text_add_bytes(&text, asker->list, (size_t)(asker->at - asker->list));
	for (int i = 0; postfix_next_element(&words, word) != NULL; i++)
		text_addf(&text, "%s%s", i == 0 ? "" : ", ", i == 0 && misplaced ? asker->line->value :
			  overrides_action(word) ? "default_action=tempfail" : word);
	text_add(&text, asker->at + strlen(asker->element));
	if (text.cut || strlen(asker->element) == sizeof asker->element - 1)	/* the element itself may be cut */
		*value = '\0';
}

/* Our element: named so that this service would not find it, and what it says beside the socket. */
static void check_element(struct check *check, const struct asker *asker, bool misplaced)
{
	char word[ELEMENT_MAX], sought[ELEMENT_MAX], what[200], value[3000], why[1400];
	const char *words = asker->element, *name = asker->line->name;
	mend_list(asker, misplaced, value, sizeof value);
	postfix_next_element(&words, word);
	if (misplaced) {
		check_name_setting(what, sizeof what, asker->own, name);
		resolve(check, word, asker->service->chroot, sought, sizeof sought);
		snprintf(why, sizeof why, "%s is%s chrooted, and seeks the socket at %s", asker->path,
			 asker->service->chroot ? "" : " not", sought);
		check_report(check, (struct finding){ DIFFERENCE, what, asker->list,
						      *value != '\0' ? value : asker->line->value,
						      check_file_of(asker->own), NULL, why },
			   check_fix_setting(check, asker->own, name, value));
	}
	while (postfix_next_element(&words, word) != NULL)
		if (overrides_action(word)) {
			snprintf(what, sizeof what, "default_action of our milter in %s", name);
			check_report(check, (struct finding){ DIFFERENCE, what, word + 15, "tempfail",
							    check_file_of(asker->own), NULL, WHY_NOT_ACCEPT },
				   check_fix_setting(check, asker->own, name, value));
		}
}

/* An smtpd that names other milters, or none, may be meant so: behind a content filter. */
static void report_not_asked(struct check *check, const struct asker *asker, bool no_milters)
{
	char what[300], value[3000];
	const char *ours = asker->line->value;
	const char *found = no_milters ? "receive_override_options=no_milters" : asker->list;
	check_name_setting(what, sizeof what, asker->path, asker->line->name);
	check_append(value, sizeof value, asker->list, ours);
	check_report(check, (struct finding){ WARNING, what, found, ours, "master.cf", NULL,
					    "mail by this service is not judged" },
		   no_milters ? NULL : check_fix_setting(check, asker->path, asker->line->name, value));
}

static void check_service_action(struct check *check, const char *path)
{
	static const char name[] = "milter_default_action";
	const char *action = postfix_override(check->postfix, path, name);
	char what[300];
	check_name_setting(what, sizeof what, path, name);
	if (action != NULL && strcmp(action, "tempfail") != 0)
		check_report(check, (struct finding){ DIFFERENCE, what, action, "tempfail", "master.cf", NULL,
						    WHY_NOT_ACCEPT },
			   check_fix_setting(check, path, name, "tempfail"));
}

/* What one smtpd or cleanup service makes of its list. `said` is set once main.cf's own list was told of. */
static void check_asker(struct check *check, struct asker *asker, bool *said)
{
	const char *receive = postfix_override(check->postfix, asker->path, "receive_override_options");
	bool chroot = asker->service->chroot, reachable = !chroot || !out_of_chroot(asker->line);
	check_service_action(check, asker->path);
	if (receive != NULL && strstr(receive, "no_milters") != NULL) {
		report_not_asked(check, asker, true);
		return;
	}
	bool right = find_milter(check, asker, chroot), named = right || find_milter(check, asker, !chroot);
	if (named && (asker->own != NULL || !*said)) {
		size_t count = findings_count(check->findings, DIFFERENCE);
		check_element(check, asker, !right && reachable);
		*said |= asker->own == NULL && findings_count(check->findings, DIFFERENCE) > count;
	} else if (!named && asker->own != NULL) {
		report_not_asked(check, asker, false);
		return;
	} else if (!named && !*said) {
		char value[3000];
		check_append(value, sizeof value, asker->list, asker->line->value);
		*said = true;
		check_report(check, (struct finding){ DIFFERENCE, asker->line->name, asker->list,
						    asker->line->value, "main.cf", NULL, "our milter is not asked" },
			   check_fix_main(check, asker->line->name, value));
	}
	if (!right && !reachable)
		report_chroot(check, asker->service, asker->line);
}

void check_milters(struct check *check, const char *name, const char *command)
{
	char ours[200];
	struct asker asker = { .line = check_wanted(check, name), .ours = ours };
	bool any = false, said = false;
	postfix_socket(check->wish.config->set.milter_socket, "", ours, sizeof ours);	/* as the daemon names it */
	for (size_t i = 0; (asker.service = postfix_service(check->postfix, i)) != NULL; i++) {
		if (strcmp(asker.service->command, command) != 0)
			continue;
		any = true;
		snprintf(asker.path, sizeof asker.path, "%s/%s", asker.service->name, asker.service->type);
		asker.own = postfix_override(check->postfix, asker.path, name) != NULL ? asker.path : NULL;
		asker.list = postfix_get(check->postfix, asker.own, name);
		asker.list = asker.list == NULL ? "" : asker.list;
		check_asker(check, &asker, &said);
	}
	if (!any)
		check_report(check, (struct finding){ DIFFERENCE, name, NULL, asker.line->value, "master.cf", NULL,
						    "no service of master.cf would ask our milter" }, NULL);
}

/* ---- the socketmap ---- */

/* Where our element of a list of tables begins, without its end in `element`; NULL where it is not there. */
static const char *find_socketmap(const struct check *check, const char *list, bool chroot,
				  char element[ELEMENT_MAX])
{
	static const char tail[] = ":transport";
	const char *at;
	char ours[ELEMENT_MAX];
	postfix_socket(check->wish.config->set.socketmap_listen, "", ours, sizeof ours);
	while ((at = postfix_next_element(&list, element)) != NULL) {
		size_t length = strlen(element);
		if (strncmp(element, "socketmap:", 10) != 0 || length < 10 + sizeof tail ||
		    strcmp(element + length - strlen(tail), tail) != 0)
			continue;
		element[length - strlen(tail)] = '\0';
		if (same_socket(check, element + 10, chroot, ours))
			return at;
	}
	return NULL;
}

void check_socketmap(struct check *check)
{
	static const char name[] = "sender_dependent_default_transport_maps";
	const struct postfix_line *line = check_wanted(check, name);
	const struct postfix_service *service, *rewrite = NULL;
	char element[ELEMENT_MAX], value[3000];
	const char *list = postfix_get(check->postfix, NULL, name);
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++)
		if (strcmp(service->command, "trivial-rewrite") == 0)
			rewrite = service;
	bool chroot = rewrite != NULL && rewrite->chroot;
	list = list == NULL ? "" : list;
	if (line == NULL || find_socketmap(check, list, chroot, element) != NULL)
		return;
	const char *at = find_socketmap(check, list, !chroot, element);
	bool reachable = !chroot || !out_of_chroot(line);
	if (!reachable)
		report_chroot(check, rewrite, line);
	if (at == NULL)
		check_append(value, sizeof value, list, line->value);
	else if (snprintf(value, sizeof value, "%.*s%s%s", (int)(at - list), list, line->value,
			  at + strlen(element) + strlen(":transport")) >= (int)sizeof value)
		*value = '\0';
	if (at == NULL || reachable)
		check_report(check, (struct finding){ DIFFERENCE, name, list,
						      at == NULL || *value == '\0' ? line->value : value,
						      "main.cf", NULL, at == NULL ? line->why :
						      "trivial-rewrite seeks the socket elsewhere" },
			   check_fix_main(check, name, value));
}

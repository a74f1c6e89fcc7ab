/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_remove.h"

#include "milter/ctl/postfix/postfix_difference.h"
#include "milter/ctl/postfix/postfix_door.h"
#include "milter/ctl/postfix/postfix_element.h"
#include "milter/ctl/postfix/postfix_sockets.h"
#include "policy/base/text.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* Where the first element of ours is in a list; false: nowhere. */
typedef bool find_ours(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out);

static bool remove_find_milter(const struct postfix_check *check, const char *list, const char **at_out,
			       const char **end_out)
{
	struct milter_element found;
	char ours[200];
	postfix_socket(check->wish.config->set.milter_socket, "", ours, sizeof ours);
	if (!element_find(check, list, ours, false, &found) && !element_find(check, list, ours, true, &found))
		return false;
	*at_out = found.at;
	*end_out = found.end;
	return true;
}

static bool find_map(const struct postfix_check *check, const char *list, const char **at_out, const char **end_out)
{
	return *check->wish.config->set.socketmap_listen != '\0' && socketmap_find(check, list, at_out, end_out);
}

/* Tables in files of ours, wherever they lie. */
static bool remove_find_file(const struct postfix_check *check, const char *list, const char **at_out,
			     const char **end_out)
{
	char element[ELEMENT_MAX];
	(void)check;
	while ((*at_out = postfix_next_element(&list, element)) != NULL) {
		const char *slash = strrchr(element, '/');
		*end_out = list;
		if (slash != NULL && strncmp(slash + 1, POSTFIX_FILE_START, strlen(POSTFIX_FILE_START)) == 0)
			return true;
	}
	return false;
}

enum { LIST_MAX = 3000 };

/* A list without all of ours. False where there is none of ours in it, or it does not fit. */
static bool remove_without_ours(const struct postfix_check *check, const char *list, find_ours *find,
				char rest[LIST_MAX])
{
	char cut[LIST_MAX];
	const char *at, *end;
	bool any = false;
	if (list == NULL || !text_copy(rest, LIST_MAX, list))
		return false;
	while (find(check, rest, &at, &end)) {
		if (!check_cut(cut, sizeof cut, rest, at, end))
			return false;
		memcpy(rest, cut, sizeof cut);
		any = true;
	}
	return any;
}

static void print_command(const struct postfix_check *check, const char *option, const char *setting, FILE *to)
{
	postfix_print_postconf(check->dir, option, setting, to);
	fputc('\n', to);
}

static void remove_print_set(const struct postfix_check *check, const char *service, const char *name,
			     const char *value, FILE *to)
{
	char *command = check_fix_set(check, service, name, value);
	if (command != NULL)
		fprintf(to, "%s\n", command);
	free(command);
}

static bool is_transport(const struct postfix_check *check, const struct postfix_service *service)
{
	return strcmp(service->type, "unix") == 0 && strcmp(service->command, "smtp") == 0 &&
	       postfix_is_transport(check->wish.config, service->name);
}

/* Blanks do not matter: postconf -P takes none. */
static bool remove_same_list(const char *a, const char *b)
{
	char element_a[ELEMENT_MAX], element_b[ELEMENT_MAX];
	const char *at_a, *at_b;
	do {
		at_a = postfix_next_element(&a, element_a);
		at_b = postfix_next_element(&b, element_b);
	} while (at_a != NULL && at_b != NULL && strcmp(element_a, element_b) == 0);
	return at_a == NULL && at_b == NULL;
}

/* A list of main.cf, and those of services that have one of their own. One that then is as main.cf's says nothing any
 * more. */
static void remove_print_list(const struct postfix_check *check, const char *name, const char *command, find_ours *find,
			      FILE *to)
{
	char main_rest[LIST_MAX], rest[LIST_MAX], setting[300];
	const struct postfix_service *service;
	const char *main_list = postfix_raw(check->postfix, NULL, name);
	bool in_main = remove_without_ours(check, main_list, find, main_rest);
	if (in_main)
		remove_print_set(check, NULL, name, main_rest, to);
	else
		text_copy(main_rest, sizeof main_rest, main_list == NULL ? "" : main_list);
	for (size_t at = 0; (service = check_next_service(check, command, &at)) != NULL;) {
		if (is_transport(check, service) ||
		    !remove_without_ours(check, postfix_raw(check->postfix, service->path, name), find, rest))
			continue;
		snprintf(setting, sizeof setting, "%s/%s", service->path, name);
		if (*rest != '\0' && remove_same_list(rest, main_rest))
			print_command(check, "-PX", setting, to);
		else
			remove_print_set(check, service->path, name, rest, to);
	}
}

/* As check_logins of postfix_check.c gives it: a part of it alone would let nobody send. False where another list names
 * our file: it stays. */
static bool remove_print_logins(const struct postfix_check *check, const char *raw, FILE *to)
{
	static const char name[] = "local_login_sender_maps";
	char ours[LIST_MAX];
	snprintf(ours, sizeof ours, "inline:{ { root = * }, { postfix = * } }, regexp:%.400s/" POSTFIX_LOGIN_FILE,
		 check->wish.dir);
	if (raw == NULL || strcmp(raw, ours) != 0)
		return raw == NULL || strstr(raw, POSTFIX_LOGIN_FILE) == NULL;
	remove_print_set(check, NULL, name, "", to);
	return true;
}

/* Another filter without a next hop may live by it. */
static void remove_print_nexthop(const struct postfix_check *check, FILE *to)
{
	static const char name[] = "default_filter_nexthop";
	const char *raw = postfix_raw(check->postfix, NULL, name),
		   *filter = postfix_get(check->postfix, NULL, "content_filter");
	const struct postfix_service *service;
	bool used = filter != NULL && *filter != '\0';
	for (size_t i = 0; !used && (service = postfix_service(check->postfix, i)) != NULL; i++)
		used = (filter = postfix_override(check->postfix, service->path, "content_filter")) != NULL &&
		       *filter != '\0';
	if (raw != NULL && strcmp(raw, "$relayhost") == 0 && !used)
		remove_print_set(check, NULL, name, "", to);
}

static void remove_print_tool(const struct postfix_check *check, const char *tool, const char *rest, FILE *to)
{
	fputs(tool, to);
	if (check->dir != NULL) {
		fputs(" -c ", to);
		postfix_print_quoted(check->dir, to);
	}
	fputs(rest, to);
}

/* Ends the shell where a queued message is bound for one of the rows that go next. */
static void remove_print_queue_check(const struct postfix_check *check, FILE *to)
{
	const struct transport *transport;
	fputs("if for id in $(", to);
	remove_print_tool(check, "postqueue", " -j | sed -n 's/.*\"queue_id\": \"\\([^\"]*\\)\".*/\\1/p'); do ", to);
	remove_print_tool(check, "postcat", " -e -q \"$id\"; done 2>/dev/null | grep -q", to);
	for (int i = 0; (transport = postfix_transport(check->wish.config, i)) != NULL; i++)
		fprintf(to, " -e '^content_filter: %s:'", transport->name);
	fputs("; then echo 'Mail that Penstock has marked is still queued or on hold (see postqueue -p); do this again "
	      "when it has left.' >&2; "
	      "exit 1; fi\n",
	      to);
}

static void remove_print_rows(const struct postfix_check *check, FILE *to)
{
	const struct postfix_service *service;
	for (size_t at = 0; (service = check_next_service(check, "smtp", &at)) != NULL;)
		if (is_transport(check, service))
			print_command(check, "-MX", service->path, to);
}

static void remove_print_files(const struct postfix_check *check, bool logins, FILE *to)
{
	static const char *const files[] = { POSTFIX_MILTER_FILE, POSTFIX_SMTP_FILE, POSTFIX_LOGIN_FILE };
	char path[600];
	fputs("rm -f", to);
	for (size_t i = 0; i < sizeof files / sizeof files[0] - !logins; i++) {
		snprintf(path, sizeof path, "%.400s/%s", check->wish.dir, files[i]);
		fputc(' ', to);
		postfix_print_quoted(path, to);
	}
	fputc('\n', to);
}

int postfix_remove(const struct postfix_wish *wish, const char *postfix_dir, FILE *to, char *error, size_t error_size)
{
	struct postfix *postfix = postfix_read(postfix_dir, error, error_size);
	struct postfix_check check;
	if (postfix == NULL)
		return -1;
	check_begin(&check, wish, postfix, postfix_dir);
	fputs("# no more mail is judged or marked\n", to);
	remove_print_list(&check, "smtpd_milters", "smtpd", remove_find_milter, to);
	remove_print_list(&check, "non_smtpd_milters", "cleanup", remove_find_milter, to);
	remove_print_list(&check, "milter_header_checks", "cleanup", remove_find_file, to);
	remove_print_list(&check, "sender_dependent_default_transport_maps", "trivial-rewrite", find_map, to);
	remove_print_list(&check, "smtpd_discard_ehlo_keyword_address_maps", "smtpd", remove_find_file, to);
	remove_print_list(&check, "smtpd_discard_ehlo_keyword_address_maps", "smtpd", door_find_map, to);
	for (int i = 0; i < DOOR_LISTS; i++)
		remove_print_list(&check, door_lists[i], "smtpd", door_find_restriction, to);
	remove_print_nexthop(&check, to);
	bool logins = remove_print_logins(&check, postfix_raw(postfix, NULL, "local_login_sender_maps"), to);
	remove_print_tool(&check, "postfix", " reload\n", to);
	if (wish->config->pool_count > 0) {
		fputs("# what marked mail needs goes when none is left\n", to);
		remove_print_queue_check(&check, to);
		remove_print_rows(&check, to);
	}
	remove_print_list(&check, "smtp_header_checks", "smtp", remove_find_file, to);
	remove_print_files(&check, logins, to);
	remove_print_tool(&check, "postfix", " reload\n", to);
	findings_free(&check.findings);
	postfix_free(&postfix);
	return 0;
}

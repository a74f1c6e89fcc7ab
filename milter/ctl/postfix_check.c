/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix_check.h"

#include "milter/ctl/finding.h"
#include "milter/ctl/postfix_read.h"
#include "milter/ctl/table.h"
#include "milter/endpoint.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { ELEMENT_MAX = 1024 };

struct check {
	struct postfix_wish wish;
	const struct postfix *postfix;
	const char *dir;			/* for -c in what is to be typed; NULL: not needed */
	struct findings *findings;		/* borrowed */
	struct postfix_line lines[POSTFIX_LINES_MAX];	/* what main.cf is to say */
	int line_count;
};

static char *fix_postconf(const struct check *check, const char *option, const char *format, const char *name,
			  const char *value)
{
	char *command = NULL, setting[4096];
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	snprintf(setting, sizeof setting, format, name, value);
	fputs("postconf ", to);
	if (check->dir != NULL) {
		fputs("-c ", to);
		postfix_print_quoted(check->dir, to);
		fputc(' ', to);
	}
	fprintf(to, "%s ", option);
	postfix_print_quoted(setting, to);
	fclose(to);
	return command;
}

static char *fix_main(const struct check *check, const char *name, const char *value)
{
	return fix_postconf(check, "-e", "%s = %s", name, value);
}

static char *fix_override(const struct check *check, const char *service, const char *name, const char *value)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", service, name);
	return fix_postconf(check, "-P", "%s=%s", path, value);
}

/* A list of main.cf keeps what it has; ours comes behind it. */
static char *fix_list(const struct check *check, const char *name, const char *has, const char *ours)
{
	char value[3000];
	snprintf(value, sizeof value, "%s%s%s", has, *has == '\0' ? "" : ", ", ours);
	return fix_main(check, name, value);
}

static char *fix_file(const struct check *check, enum postfix_part part)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_file_command(&check->wish, part, to);
	fclose(to);
	return command;
}

static void report_fix(struct check *check, struct finding finding, char *fix)
{
	finding.fix = fix;
	findings_add(check->findings, &finding);
	free(fix);
}

static const struct postfix_line *wanted(const struct check *check, const char *name)
{
	for (int i = 0; i < check->line_count; i++)
		if (strcmp(check->lines[i].name, name) == 0)
			return &check->lines[i];
	return NULL;
}

/* The next element of a list; one in braces is given without them. False at the end. */
static bool next_element(const char **rest, char element[ELEMENT_MAX])
{
	const char *start = *rest + strspn(*rest, ", \t\r\n");
	const char *end = start;
	for (int depth = 0; *end != '\0' && (depth > 0 || strchr(", \t\r\n", *end) == NULL); end++)
		depth += *end == '{' ? 1 : *end == '}' ? -1 : 0;
	*rest = end;
	if (end == start)
		return false;
	bool braces = *start == '{' && end[-1] == '}' && end - start >= 2;
	snprintf(element, ELEMENT_MAX, "%.*s", (int)(end - start) - (braces ? 2 : 0), start + (braces ? 1 : 0));
	return true;
}

/* Where a process of Postfix finds "unix:PATH": below the queue directory when it is relative or the process is
 * chrooted. Another text stays as it is, without the brackets and the name that mean the same. */
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

/* `ours` is our socket without any chroot. The same file under two names (a bind mount, a link) is the same. */
static bool same_socket(const struct check *check, const char *socket, bool chroot, const char *ours)
{
	char a[ELEMENT_MAX], b[ELEMENT_MAX];
	struct stat stat_a, stat_b;
	resolve(check, socket, chroot, a, sizeof a);
	resolve(check, ours, false, b, sizeof b);
	return strcmp(a, b) == 0 || (*a == '/' && *b == '/' && stat(a, &stat_a) == 0 && stat(b, &stat_b) == 0 &&
				     stat_a.st_dev == stat_b.st_dev && stat_a.st_ino == stat_b.st_ino);
}

/* Our element of a list of milters, whole: "unix:/x, default_action=accept". */
static bool find_milter(const struct check *check, const char *list, bool chroot, const char *ours,
			char element[ELEMENT_MAX])
{
	while (next_element(&list, element)) {
		char socket[ELEMENT_MAX];
		const char *words = element;
		if (next_element(&words, socket) && same_socket(check, socket, chroot, ours))
			return true;
	}
	return false;
}

static bool find_socketmap(const struct check *check, const char *list, bool chroot, const char *ours)
{
	char element[ELEMENT_MAX];
	static const char tail[] = ":transport";
	while (next_element(&list, element)) {
		size_t length = strlen(element);
		if (strncmp(element, "socketmap:", 10) != 0 || length < 10 + sizeof tail ||
		    strcmp(element + length - strlen(tail), tail) != 0)
			continue;
		element[length - strlen(tail)] = '\0';
		if (same_socket(check, element + 10, chroot, ours))
			return true;
	}
	return false;
}

static const char why_chroot[] = "the process is chrooted into the queue directory and seeks the socket there: put it below "
				 "that folder, or say \"n\" for chroot";
static const char why_accept[] = "with accept, the rest of a session whose milter died goes out unjudged";

/* { unix:/x, default_action=accept } overrides milter_default_action for one milter. */
static void check_element_action(struct check *check, const char *name, const char *list, const char *element)
{
	char word[ELEMENT_MAX], what[200], value[3000];
	const char *words = element;
	while (next_element(&words, word)) {
		const char *at = strstr(list, word);
		if (strncmp(word, "default_action=", 15) != 0 || strcmp(word + 15, "tempfail") == 0 || at == NULL)
			continue;
		snprintf(value, sizeof value, "%.*sdefault_action=tempfail%s", (int)(at - list), list, at + strlen(word));
		snprintf(what, sizeof what, "default_action of our milter in %s", name);
		report_fix(check, (struct finding){ DIFFERENCE, what, word + 15, "tempfail", "main.cf", NULL, why_accept },
			   fix_main(check, name, value));
	}
}

/* What one smtpd or cleanup service makes of the list. False: main.cf's list, which it uses, does not name us. */
static bool check_milter_service(struct check *check, const struct postfix_service *service, const char *name,
				 const char *ours)
{
	char path[200], what[400], element[ELEMENT_MAX], socket[ELEMENT_MAX], sought[ELEMENT_MAX];
	snprintf(path, sizeof path, "%s/%s", service->name, service->type);
	const char *list = postfix_get(check->postfix, path, name);
	const char *own = postfix_override(check->postfix, path, name);
	const char *action = postfix_override(check->postfix, path, "milter_default_action");
	const char *receive = postfix_override(check->postfix, path, "receive_override_options");
	if (action != NULL && strcmp(action, "tempfail") != 0) {
		snprintf(what, sizeof what, "%s: milter_default_action", path);
		report_fix(check, (struct finding){ DIFFERENCE, what, action, "tempfail", "master.cf", NULL, why_accept },
			   fix_override(check, path, "milter_default_action", "tempfail"));
	}
	snprintf(what, sizeof what, "%s: %s", path, name);
	struct finding finding = { WARNING, what, own, wanted(check, name)->value, "master.cf", NULL,
				   "mail by this service is not judged" };
	if (receive != NULL && strstr(receive, "no_milters") != NULL) {
		finding.found = "receive_override_options=no_milters";
		findings_add(check->findings, &finding);
	} else if (list != NULL && find_milter(check, list, service->chroot, ours, element)) {
		check_element_action(check, name, list, element);
	} else if (list != NULL && find_milter(check, list, !service->chroot, ours, element)) {
		const char *words = element;
		next_element(&words, socket);
		resolve(check, socket, service->chroot, sought, sizeof sought);
		finding.weight = DIFFERENCE;
		finding.found = sought;
		finding.why = service->chroot ? why_chroot : "that is where the service seeks the socket";
		findings_add(check->findings, &finding);
	} else if (own != NULL) {
		snprintf(sought, sizeof sought, "%s%s%s", own, *own == '\0' ? "" : ",", finding.expected);
		report_fix(check, finding, fix_override(check, path, name, sought));
	} else {
		return false;
	}
	return true;
}

static void check_milters(struct check *check, const char *name, const char *command)
{
	struct postfix_wish plain = check->wish;
	struct postfix_line lines[POSTFIX_LINES_MAX];
	plain.queue = "";	/* our socket as the daemon names it */
	postfix_main_lines(&plain, lines);
	const char *ours = lines[0].value, *list = postfix_get(check->postfix, NULL, name);
	const struct postfix_service *service;
	bool named = true, any = false;
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++)
		if (strcmp(service->command, command) == 0) {
			any = true;
			named &= check_milter_service(check, service, name, ours);
		}
	if (named && any)
		return;
	list = list == NULL ? "" : list;
	report_fix(check, (struct finding){ DIFFERENCE, name, list, wanted(check, name)->value, "main.cf", NULL,
					    any ? "our milter is not asked" : "no service of master.cf would ask our milter" },
		   fix_list(check, name, list, wanted(check, name)->value));
}

static void check_main_value(struct check *check, const char *name, const char *why)
{
	const char *found = postfix_get(check->postfix, NULL, name);
	const char *expected = wanted(check, name)->value;
	if (found == NULL || strcmp(found, expected) != 0)
		report_fix(check, (struct finding){ DIFFERENCE, name, found, expected, "main.cf", NULL, why },
			   fix_main(check, name, expected));
}

static void check_socketmap(struct check *check)
{
	static const char name[] = "sender_dependent_default_transport_maps";
	const struct postfix_line *line = wanted(check, name);
	const char *list = postfix_get(check->postfix, NULL, name), *listen = check->wish.config->set.socketmap_listen;
	const struct postfix_service *service;
	char ours[ELEMENT_MAX];
	bool chroot = false;
	if (line == NULL)
		return;
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++)
		chroot |= strcmp(service->command, "trivial-rewrite") == 0 && service->chroot;
	bool typed = strncmp(listen, "unix:", 5) == 0 || strncmp(listen, "inet:", 5) == 0;
	snprintf(ours, sizeof ours, "%s%s", typed ? "" : "inet:", listen);
	list = list == NULL ? "" : list;
	if (find_socketmap(check, list, chroot, ours))
		return;
	bool chroot_only = find_socketmap(check, list, !chroot, ours);
	report_fix(check, (struct finding){ DIFFERENCE, name, list, line->value, chroot_only ? "master.cf" : "main.cf", NULL,
					    chroot_only && chroot ? why_chroot : line->why },
		   chroot_only ? NULL : fix_list(check, name, list, line->value));
}

/* The first answer of the tables of a list, as postfix_lookup. */
static int ask_tables(const struct check *check, const char *list, const char *key, char answer[ELEMENT_MAX])
{
	char table[ELEMENT_MAX];
	*answer = '\0';
	while (next_element(&list, table)) {
		int found = postfix_lookup(check->postfix, table, key, answer, ELEMENT_MAX);
		if (found != 0)
			return found;
	}
	return 0;
}

static bool is_filter_to(const char *answer, const char *transport)
{
	size_t length = strlen(transport);
	if (strncasecmp(answer, "FILTER", 6) != 0)
		return false;
	answer += 6 + strspn(answer + 6, " \t");
	return strncmp(answer, transport, length) == 0 && strcmp(answer + length, ":") == 0;
}

static char *fix_checks(const struct check *check, const char *name, const char *list, enum postfix_part part,
			const char *file)
{
	return strstr(list, file) != NULL ? fix_file(check, part) :
					    fix_list(check, name, list, wanted(check, name)->value);
}

/* False: the tables themselves are missing or broken, which was said once and holds for each transport. */
static bool check_filter(struct check *check, const struct transport *transport)
{
	static const char name[] = "milter_header_checks";
	char key[200], answer[ELEMENT_MAX], expected[100], what[300];
	const char *list = postfix_get(check->postfix, "cleanup/unix", name);
	list = list == NULL ? "" : list;
	snprintf(key, sizeof key, "%s: %s", check->wish.config->set.postfix_header, transport->name);
	snprintf(expected, sizeof expected, "FILTER %s:", transport->name);
	snprintf(what, sizeof what, "%s for \"%s\"", name, key);
	int found = ask_tables(check, list, key, answer);
	struct finding finding = { DIFFERENCE, what, found == 0 ? NULL : answer, expected, "main.cf", NULL,
				   "mail would not leave by this transport" };
	if (*list == '\0') {
		finding.what = name;
		finding.expected = wanted(check, name)->value;
		finding.why = "our header would not choose the transport";
	}
	if (found <= 0 || !is_filter_to(answer, transport->name))
		report_fix(check, finding, fix_checks(check, name, list, POSTFIX_MILTER_CHECKS, POSTFIX_MILTER_FILE));
	return *list != '\0' && found >= 0;
}

/* `said` is set where main.cf's own tables fail, so that this is said once and not for each transport. */
static void check_stripped(struct check *check, const struct transport *transport, const char *service, bool *said)
{
	static const char name[] = "smtp_header_checks";
	char keys[2][200] = { "", "X-Penstock-Spam: yes score=12.1" }, answer[ELEMENT_MAX], what[500];
	const char *own = postfix_override(check->postfix, service, name);
	const char *list = postfix_get(check->postfix, service, name);
	list = list == NULL ? "" : list;
	if (own == NULL && *said)
		return;
	snprintf(keys[0], sizeof keys[0], "%s: %s", check->wish.config->set.postfix_header, transport->name);
	for (int i = 0; i < 2; i++) {
		int found = ask_tables(check, list, keys[i], answer);
		if (found > 0 && strncasecmp(answer, "IGNORE", 6) == 0)
			continue;
		snprintf(what, sizeof what, "%s%s%s for \"%s\"", own == NULL ? "" : service, own == NULL ? "" : ": ", name,
			 keys[i]);
		*said |= own == NULL;
		report_fix(check, (struct finding){ DIFFERENCE, what, found == 0 ? NULL : answer, "IGNORE",
						    own == NULL ? "main.cf" : "master.cf", NULL,
						    "the header would leave the host" },
			   own == NULL ? fix_checks(check, name, list, POSTFIX_SMTP_CHECKS, POSTFIX_SMTP_FILE) :
					 fix_override(check, service, name, wanted(check, name)->value));
		return;
	}
}

static void check_address(struct check *check, const struct transport *transport)
{
	struct endpoint endpoint;
	char name[100], what[200], error[300];
	bool v6 = strchr(transport->address, ':') != NULL;
	snprintf(name, sizeof name, "%s%s%s:1", v6 ? "[" : "", transport->address, v6 ? "]" : "");
	snprintf(what, sizeof what, "%s: source address %s", transport->name, transport->address);
	if (!endpoint_parse(name, &endpoint, error, sizeof error))
		return;
	/* Port 0 in place of that 1: any that is free. It lies at the same place in both kinds of address. */
	memset((char *)&endpoint.address + sizeof(sa_family_t), 0, 2);
	int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&endpoint.address, endpoint.length) != 0)
		findings_add(check->findings, &(struct finding){ WARNING, what, strerror(errno), "an address of this host",
						 check->wish.config_file, NULL, "Postfix cannot send from it" });
	if (fd >= 0)
		close(fd);
}

static void check_enforced(struct check *check, const char *service, bool *said)
{
	static const char name[] = "smtp_bind_address_enforce", why[] = "mail may leave by another address";
	const char *own = postfix_override(check->postfix, service, name);
	const char *found = postfix_get(check->postfix, service, name);
	char what[300];
	if ((found != NULL && strcmp(found, "yes") == 0) || (own == NULL && *said))
		return;
	*said |= own == NULL;
	snprintf(what, sizeof what, "%s%s%s", own == NULL ? "" : service, own == NULL ? "" : ": ", name);
	if (found == NULL)
		findings_add(check->findings, &(struct finding){ WARNING, what, "a Postfix before 3.7, which does not know it", "yes",
						 "main.cf", NULL, why });
	else
		report_fix(check, (struct finding){ DIFFERENCE, what, found, "yes", own == NULL ? "main.cf" : "master.cf",
						    NULL, why },
			   own == NULL ? fix_main(check, name, "yes") : fix_override(check, service, name, "yes"));
}

static void check_options(struct check *check, const struct transport *transport, const char *service)
{
	struct postfix_line lines[POSTFIX_OPTIONS_MAX];
	int count = postfix_transport_lines(transport, lines);
	for (int i = 0; i < count; i++) {
		const char *found = postfix_get(check->postfix, service, lines[i].name);
		char what[300];
		if (found != NULL && strcmp(found, lines[i].value) == 0)
			continue;
		snprintf(what, sizeof what, "%s: %s", service, lines[i].name);
		bool cosmetic = strcmp(lines[i].name, "syslog_name") == 0;
		report_fix(check, (struct finding){ cosmetic ? WARNING : DIFFERENCE, what, found, lines[i].value, "master.cf",
						    NULL, lines[i].why },
			   fix_override(check, service, lines[i].name, lines[i].value));
	}
}

static void report_service(struct check *check, const struct transport *transport, const char *found)
{
	char what[200], *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_service_command(transport, check->dir, to);
	fclose(to);
	snprintf(what, sizeof what, "%s/unix: service", transport->name);
	report_fix(check, (struct finding){ DIFFERENCE, what, found, "smtp", "master.cf", NULL,
					    "mail for this transport would be deferred" }, command);
}

/* The service of a transport, if it is there as smtp; else it is reported. */
static bool check_service(struct check *check, const struct transport *transport)
{
	const struct postfix_service *service;
	for (size_t i = 0; (service = postfix_service(check->postfix, i)) != NULL; i++) {
		if (strcmp(service->name, transport->name) != 0 || strcmp(service->type, "unix") != 0)
			continue;
		if (strcmp(service->command, "smtp") == 0)
			return true;
		report_service(check, transport, service->command);
		return false;
	}
	report_service(check, transport, NULL);
	return false;
}

static void check_transports(struct check *check)
{
	const struct config *config = check->wish.config;
	bool filters = true, unstripped = false, unenforced = false;
	for (int i = 0; i < config->pool_count; i++)
		for (int j = 0; j < config->pools[i].transport_count; j++) {
			const struct transport *transport = &config->pools[i].transports[j];
			char service[TRANSPORT_NAME_MAX + 8];
			snprintf(service, sizeof service, "%s/unix", transport->name);
			if (filters)
				filters = check_filter(check, transport);
			if (!check_service(check, transport))
				continue;
			check_options(check, transport, service);
			check_stripped(check, transport, service, &unstripped);
			if (*transport->address != '\0') {
				check_enforced(check, service, &unenforced);
				check_address(check, transport);
			}
		}
}

int postfix_check(const struct postfix_wish *wish, const char *postfix_dir, bool json, FILE *to, char *error,
		  size_t error_size)
{
	struct postfix *postfix = postfix_read(postfix_dir, error, error_size);
	struct check check = { .wish = *wish, .postfix = postfix, .dir = postfix_dir };
	if (postfix == NULL)
		return -1;
	const char *place = postfix_get(postfix, NULL, "config_directory");
	const char *queue = postfix_get(postfix, NULL, "queue_directory");
	place = postfix_dir != NULL ? postfix_dir : place != NULL ? place : POSTFIX_DIR;
	check.findings = findings_new(place);
	check.wish.dir = wish->dir != NULL ? wish->dir : place;
	check.wish.queue = wish->queue != NULL ? wish->queue : queue != NULL ? queue : POSTFIX_QUEUE;
	check.line_count = postfix_main_lines(&check.wish, check.lines);
	check_milters(&check, "smtpd_milters", "smtpd");
	check_milters(&check, "non_smtpd_milters", "cleanup");
	check_main_value(&check, "milter_default_action", why_accept);
	check_main_value(&check, "milter_protocol", "libmilter and Postfix must speak the same protocol");
	check_transports(&check);
	check_socketmap(&check);
	if (json)
		findings_print_json(check.findings, to);
	else
		findings_print(check.findings, wish->config_file, to);
	bool fits = findings_count(check.findings, DIFFERENCE) == 0;
	findings_free(&check.findings);
	postfix_free(&postfix);
	return fits ? 0 : 1;
}

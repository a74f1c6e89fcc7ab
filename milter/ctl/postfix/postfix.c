/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix.h"

#include "milter/ctl/postfix/postfix_read.h"
#include "milter/base/endpoint.h"
#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

/* clang-format off */
static const struct { const char *word, *file; } parts[POSTFIX_PART_COUNT] = {
#define POSTFIX_PART_ROW(id, word, file) { word, file },
	POSTFIX_PART_ROWS(POSTFIX_PART_ROW)
#undef POSTFIX_PART_ROW
};
/* clang-format on */

bool postfix_part_find(const char *word, enum postfix_part *part_out)
{
	for (int i = 0; i < POSTFIX_PART_COUNT; i++)
		if (strcmp(word, parts[i].word) == 0) {
			*part_out = (enum postfix_part)i;
			return true;
		}
	return false;
}

bool postfix_folder_fine(const char *folder)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=@";
	size_t length = strspn(folder, plain);
	return *folder == '/' && folder[length] == '\0' && length <= POSTFIX_FOLDER_MAX;
}

/* Postfix's processes work in the queue directory, and a chrooted one has it as its root. A path below it that
 * is written without the folder means the same file to both; any other path only works without chroot. */
static const char *postfix_path_for(const char *path, const char *queue)
{
	size_t length = strlen(queue);
	while (length > 0 && queue[length - 1] == '/')
		length--;
	bool below = length > 0 && strncmp(path, queue, length) == 0 && path[length] == '/';
	return below ? path + length + 1 : path;
}

void postfix_socket(const char *setting, const char *queue, char *name, size_t size)
{
	struct endpoint endpoint;
	char whole[200], error[300];
	*name = '\0';
	if (!endpoint_parse(setting, &endpoint, error, sizeof error))
		return; /* the configuration was read: it is one */
	endpoint_for_postfix(&endpoint, whole, sizeof whole);
	if (strncmp(whole, "unix:", 5) == 0)
		snprintf(name, size, "unix:%s", postfix_path_for(whole + 5, queue));
	else
		text_copy(name, size, whole);
}

static void milter_name(const struct postfix_wish *wish, struct postfix_line *line)
{
	postfix_socket(wish->config->set.milter_socket, wish->queue, line->value, sizeof line->value);
}

void postfix_map(const struct postfix_wish *wish, const char *map, char *name, size_t size)
{
	char socket[200];
	*name = '\0';
	if (*wish->config->set.socketmap_listen == '\0')
		return;
	postfix_socket(wish->config->set.socketmap_listen, wish->queue, socket, sizeof socket);
	snprintf(name, size, "socketmap:%s:%s", socket, map);
}

static struct postfix_line *postfix_line_after(struct postfix_line *lines, int *count, const char *name,
					       const char *why)
{
	struct postfix_line *line = &lines[(*count)++];
	line->name = name;
	line->why = why;
	line->value[0] = '\0';
	return line;
}

static void set_line(struct postfix_line *lines, int *count, const char *name, const char *why, const char *value)
{
	text_copy(postfix_line_after(lines, count, name, why)->value, sizeof lines->value, value);
}

int postfix_main_lines(const struct postfix_wish *wish, struct postfix_line lines[POSTFIX_LINES_MAX])
{
	int count = 0;
	milter_name(wish, postfix_line_after(lines, &count, "smtpd_milters",
					     "mail by SMTP; behind other milters, but in front of one that signs: DKIM "
					     "has to cover our headers"));
	milter_name(wish, postfix_line_after(lines, &count, "non_smtpd_milters",
					     "mail by sendmail(1), as PHP's mail() sends it"));
	struct postfix_line *line = postfix_line_after(lines, &count, "milter_header_checks",
						       "our header chooses the transport; only milters' headers count");
	snprintf(line->value, sizeof line->value, "regexp:%.400s/" POSTFIX_MILTER_FILE, wish->dir);
	set_line(lines, &count, "default_filter_nexthop",
		 "a transport chosen so does not look at relayhost; where that is empty, nothing changes",
		 "$relayhost");
	line = postfix_line_after(lines, &count, "smtp_header_checks", "our headers do not leave the host");
	snprintf(line->value, sizeof line->value, "regexp:%.400s/" POSTFIX_SMTP_FILE, wish->dir);
	if (*wish->config->set.socketmap_listen != '\0') {
		line = postfix_line_after(lines, &count, "sender_dependent_default_transport_maps",
					  "messages with local recipients, bounces, requeued mail");
		postfix_map(wish, "transport", line->value, sizeof line->value);
	}
	return count;
}

int postfix_transport_lines(const struct transport *transport, struct postfix_line lines[POSTFIX_OPTIONS_MAX])
{
	int count = 0;
	bool both = *transport->address6 != '\0';
	if (*transport->address != '\0')
		set_line(lines, &count, "smtp_bind_address", "the source address", transport->address);
	if (both)
		set_line(lines, &count, "smtp_bind_address6", "the source address of IPv6", transport->address6);
	if (*transport->address != '\0')
		set_line(lines, &count, "inet_protocols",
			 both ? "it has an address of each protocol"
			      : "to hosts of the other protocol mail would leave by the system's choice of address",
			 both ? "all" : "ipv4");
	if (*transport->address != '\0')
		set_line(lines, &count, "smtp_bind_address_enforce",
			 "where that address cannot be had, mail would leave by another one instead of being deferred",
			 "yes");
	if (*transport->helo != '\0')
		set_line(lines, &count, "smtp_helo_name", "the name in HELO", transport->helo);
	snprintf(postfix_line_after(lines, &count, "syslog_name", "names the transport in each delivery line")->value,
		 sizeof lines->value, "postfix/%s", transport->name);
	return count;
}

const struct transport *postfix_transport(const struct config *config, int index)
{
	for (int i = 0; i < config->pool_count; index -= config->pools[i++].transport_count)
		if (index < config->pools[i].transport_count)
			return &config->pools[i].transports[index];
	return NULL;
}

bool postfix_is_transport(const struct config *config, const char *name)
{
	const struct transport *transport;
	for (int i = 0; (transport = postfix_transport(config, i)) != NULL; i++)
		if (strcmp(transport->name, name) == 0)
			return true;
	return false;
}

/* A parameter that comes twice makes each command and process of Postfix complain: what is there is said. */
static void postfix_print_main_line(const struct postfix_line *line, const char *there, FILE *to)
{
	fprintf(to, "# %s\n", line->why);
	if (there != NULL && strcmp(there, line->value) == 0) {
		fprintf(to, "# (it is there: %s)\n", line->name);
		return;
	}
	if (there != NULL)
		fprintf(to, "# in place of: %s = %s\n", line->name, there);
	fprintf(to, "%s = %s\n", line->name, line->value);
}

static void postfix_print_main(const struct postfix_wish *wish, const struct postfix *postfix, FILE *to)
{
	struct postfix_line lines[POSTFIX_LINES_MAX];
	int count = postfix_main_lines(wish, lines);
	bool said = false;
	for (int i = 0; i < count; i++) {
		if (strstr(lines[i].value, "unix:/") != NULL && !said)
			fprintf(to,
				"# a chrooted process (Debian's smtpd, cleanup and trivial-rewrite are)\n"
				"# seeks this path below %s: put the socket there, or say\n"
				"# \"n\" for chroot in master.cf; inet needs neither, but is slower\n",
				wish->queue);
		said |= strstr(lines[i].value, "unix:/") != NULL;
		postfix_print_main_line(&lines[i], postfix == NULL ? NULL : postfix_raw(postfix, NULL, lines[i].name),
					to);
	}
}

static void postfix_print_service(const struct transport *transport, FILE *to)
{
	struct postfix_line lines[POSTFIX_OPTIONS_MAX];
	int count = postfix_transport_lines(transport, lines);
	fprintf(to, "%-15s unix  -       -       n       -       -       smtp\n", transport->name);
	for (int i = 0; i < count; i++)
		fprintf(to, "  -o %s=%s\n", lines[i].name, lines[i].value);
}

/* What changes what clients see is the admin's to switch on: lines to choose. Where an account is known is any port;
 * what goes by the client's address is of port 25 alone. */
static void postfix_print_door_main(const struct postfix_wish *wish, FILE *to)
{
	char map[300];
	postfix_map(wish, "account-throttle", map, sizeof map);
	if (*map == '\0')
		return;
	fprintf(to,
		"# to make accounts wait that are to be slowed (penstock(7), AT THE DOOR), before what is there; with "
		"an -o\n"
		"# of master.cf where people log in at some services alone: elsewhere smtpd ignores it with a "
		"warning:\n"
		"# smtpd_recipient_restrictions = check_sasl_access %s, ...\n",
		map);
	if (wish->config->set.socketmap_throttle_s <= 0)
		fputs("# (nobody waits by this yet, nor by the map throttle: socketmap.throttle_s is 0)\n", to);
}

static void postfix_print_door_master(const struct postfix_wish *wish, FILE *to)
{
	char throttle[300], starttls[300];
	postfix_map(wish, "throttle", throttle, sizeof throttle);
	postfix_map(wish, "starttls", starttls, sizeof starttls);
	if (*throttle == '\0')
		return;
	fprintf(to,
		"# to make strangers wait by their standing, and to hide STARTTLS from some (penstock(7), AT THE "
		"DOOR):\n"
		"# options of the service of port 25, in front of what its restrictions are, and never of submission\n"
		"#  -o smtpd_client_restrictions=permit_mynetworks,check_client_access,%s\n"
		"#  -o smtpd_delay_reject=no\n"
		"#  -o smtpd_discard_ehlo_keyword_address_maps=%s\n",
		throttle, starttls);
}

/* Whether complaints come by Postfix, and by which address, is the admin's to say: lines to choose. */
static void postfix_print_feedback(const struct postfix_wish *wish, FILE *to)
{
	const struct settings *set = &wish->config->set;
	if (*set->feedback_address == '\0')
		return;
	fprintf(to,
		"# complaints to %s (feedback.address): this, and in the table of transport_maps the line\n"
		"#   %s    penstock-feedback:\n"
		"# penstock-feedback unix - n n - 2 pipe\n"
		"#   flags=q user=%s argv=" SBINDIR "/penstockctl -c %s feedback\n",
		set->feedback_address, set->feedback_address, set->user, wish->config_file);
}

/* A string as a regular expression that matches it alone. */
static void print_literal(const char *string, FILE *to)
{
	for (; *string != '\0'; string++)
		fprintf(to, strchr("\\^$.[]|()?*+{}/", *string) != NULL ? "\\%c" : "%c", *string);
}

static void postfix_print_filter(const struct transport *transport, const struct postfix_wish *wish, FILE *to)
{
	fputs("/^", to);
	print_literal(wish->config->set.postfix_header, to);
	fputs(": ", to);
	print_literal(transport->name, to);
	fprintf(to, "$/ FILTER %s:\n", transport->name);
}

void postfix_print_quoted(const char *word, FILE *to)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:=@";
	if (*word != '\0' && word[strspn(word, plain)] == '\0') {
		fputs(word, to);
		return;
	}
	fputc('\'', to);
	for (; *word != '\0'; word++)
		if (*word == '\'')
			fputs("'\\''", to);
		else
			fputc(*word, to);
	fputc('\'', to);
}

void postfix_print_postconf(const char *dir, const char *option, const char *setting, FILE *to)
{
	fputs("postconf ", to);
	if (dir != NULL) {
		fputs("-c ", to);
		postfix_print_quoted(dir, to);
		fputc(' ', to);
	}
	fprintf(to, "%s ", option);
	postfix_print_quoted(setting, to);
}

void postfix_print_service_command(const struct transport *transport, const char *dir, FILE *to)
{
	struct postfix_line lines[POSTFIX_OPTIONS_MAX];
	int count = postfix_transport_lines(transport, lines);
	char service[4096];
	struct text text = text_over(service, sizeof service);
	text_addf(&text, "%s/unix=%s unix - - n - - smtp", transport->name, transport->name);
	for (int i = 0; i < count; i++)
		text_addf(&text, " -o %s=%s", lines[i].name, lines[i].value);
	postfix_print_postconf(dir, "-M", service, to);
}

void postfix_print_file_command(const struct postfix_wish *wish, enum postfix_part part, FILE *to)
{
	char path[512];
	snprintf(path, sizeof path, "%.400s/%s", wish->dir, parts[part].file);
	fputs("penstockctl -c ", to);
	postfix_print_quoted(wish->config_file, to);
	fprintf(to, " postfix print %s > ", parts[part].word);
	postfix_print_quoted(path, to);
}

static void postfix_print_transports(const struct postfix_wish *wish, enum postfix_part part, FILE *to)
{
	const struct transport *transport;
	for (int i = 0; (transport = postfix_transport(wish->config, i)) != NULL; i++)
		if (part == POSTFIX_MASTER)
			postfix_print_service(transport, to);
		else
			postfix_print_filter(transport, wish, to);
	if (part != POSTFIX_MASTER)
		return;
	postfix_print_door_master(wish, to);
	postfix_print_feedback(wish, to);
}

void postfix_print(const struct postfix_wish *wish, enum postfix_part part, const struct postfix *postfix, FILE *to)
{
	switch (part) {
	case POSTFIX_MAIN:
		postfix_print_main(wish, postfix, to);
		postfix_print_door_main(wish, to);
		break;
	case POSTFIX_MASTER:
	case POSTFIX_MILTER_CHECKS:
		postfix_print_transports(wish, part, to);
		break;
	case POSTFIX_SMTP_CHECKS:
		fputs("/^X-Penstock-/ IGNORE\n", to);
		break;
	case POSTFIX_COMMANDS:
	case POSTFIX_PART_COUNT:
		break;
	}
}

void postfix_print_head(const struct postfix_wish *wish, enum postfix_part part, FILE *to)
{
	bool in_dir = part == POSTFIX_MILTER_CHECKS || part == POSTFIX_SMTP_CHECKS;
	fprintf(to, "%s# ---- %s%s%s\n", part > 0 ? "\n" : "", in_dir ? wish->dir : "", in_dir ? "/" : "",
		parts[part].file);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/start/trial.h"

#include "milter/base/endpoint.h"
#include "milter/base/plain_file.h"
#include "milter/daemon/logins.h"
#include "milter/base/privilege.h"
#include "milter/daemon/traps.h"
#include "policy/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* What the unit makes with each start (RuntimeDirectory=, LogsDirectory=, StateDirectory=): it need not be there
 * before. */
static const char *const made_at_start[] = { "/run/penstock", "/var/log/penstock", "/var/lib/penstock" };

enum { SAID_MOST = 2000 };

struct trial {
	const struct config *config;
	const char *file;
	bool running;	   /* a Penstock answers at the control socket */
	char sockets[800]; /* where it listens, as it says it; "": it does not say */
	FILE *to;	   /* lines: 'f' or 'w', and a sentence */
};

static void trial_say(const struct trial *trial, char kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void trial_say(const struct trial *trial, char kind, const char *format, ...)
{
	char said[SAID_MOST];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	for (char *at = said; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	fprintf(trial->to, "%c%s\n", kind, said);
}

/* ---- names */

static void trial_try_plans(const struct trial *trial)
{
	const struct settings *set = &trial->config->set;
	const struct {
		const char *option, *plan;
	} rows[] = {
		{ "limits.domain_plan", set->limits_domain_plan },
		{ "limits.customer_plan", set->limits_customer_plan },
		{ "limits.server_plan", set->limits_server_plan },
		{ "limits.client_plan", set->limits_client_plan },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (*rows[i].plan != '\0' && config_plan(trial->config, rows[i].plan) == NULL)
			trial_say(trial, 'w',
				  "%s is \"%s\": no plan of this file has that name; without one in Redis (%s:plans) "
				  "it limits nothing",
				  rows[i].option, rows[i].plan, set->redis_prefix);
	if (trial->config->forwarder_count == 0 &&
	    config_plan(trial->config, mail_class_word(MAIL_CLASS_FORWARD)) != NULL)
		trial_say(trial, 'w',
			  "plan \"%s\" limits nothing: it is that of accounts.forwarders, which names nobody",
			  mail_class_word(MAIL_CLASS_FORWARD));
}

/* ---- addresses */

/* Postfix binds it (smtp_bind_address and smtp_bind_address6); where it cannot, it sends from another, and says so in a
 * warning. */
static void trial_try_address(const struct trial *trial, const struct pool *pool, const struct transport *transport,
			      const char *option, const char *address)
{
	char text[NETADDR_TEXT_MAX + 8];
	struct endpoint endpoint;
	char why[300];
	snprintf(text, sizeof text, strchr(address, ':') != NULL ? "[%s]:1" : "%s:1", address);
	if (address[0] == '\0' || !endpoint_parse(text, &endpoint, why, sizeof why))
		return;
	/* the port: the first two bytes behind the family, of both kinds */
	memset((char *)&endpoint.address + sizeof(sa_family_t), 0, 2);
	int fd = socket(endpoint.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&endpoint.address, endpoint.length) != 0)
		trial_say(trial, 'w',
			  "pool \"%s\", transport \"%s\": %s is \"%s\", from which this host cannot send: %s; expected "
			  "one of this host's (ip addr), behind NAT the inner one, and the outer in public_%s",
			  pool->name, transport->name, option, address, strerror(errno), option);
	if (fd >= 0)
		close(fd);
}

static void try_transport(const struct trial *trial, const struct pool *pool, const struct transport *transport)
{
	trial_try_address(trial, pool, transport, "address", transport->address);
	trial_try_address(trial, pool, transport, "address6", transport->address6);
}

static void try_transports(const struct trial *trial)
{
	for (int i = 0; i < trial->config->pool_count; i++)
		for (int j = 0; j < trial->config->pools[i].transport_count; j++)
			try_transport(trial, &trial->config->pools[i], &trial->config->pools[i].transports[j]);
}

/* ---- files, as the daemon's account */

static const char *account_of(const struct trial *trial)
{
	return trial->config->set.user[0] != '\0' ? trial->config->set.user : "this account";
}

static void trial_try_files(const struct trial *trial)
{
	const struct settings *set = &trial->config->set;
	/* clang-format off */
	const struct { const char *option, *file; char kind; } rows[] = {
		{ "the configuration", trial->file, 'f' },
		{ "catalogue.file", trial->config->catalogue_file, 'f' },
		{ "webhook.ca_file", set->webhook_ca_file, 'f' },
	};
	/* clang-format on */
	char why[600];
	const char *odd;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int fd = *rows[i].file != '\0' ? plain_file_open(rows[i].file, O_RDONLY, &odd) : -1;
		if (*rows[i].file != '\0' && fd < 0 && (i != 1 || errno != ENOENT))
			trial_say(trial, rows[i].kind,
				  "%s: %s cannot be read by %s, as which it is read at each reload: %s", rows[i].option,
				  rows[i].file, account_of(trial), odd);
		if (fd >= 0)
			close(fd);
	}
	struct traps *traps = traps_read(set->traps_file, why, sizeof why);
	if (traps == NULL)
		trial_say(trial, 'f', "traps.file: read as %s: %s", account_of(trial), why);
	traps_free(&traps);
	struct logins *logins = logins_read(set->accounts_passwd, why, sizeof why);
	if (logins == NULL)
		trial_say(trial, 'f', "accounts.passwd: read as %s: %s", account_of(trial), why);
	logins_free(&logins);
}

static bool trial_is_made_at_start(const char *folder)
{
	for (size_t i = 0; i < sizeof made_at_start / sizeof made_at_start[0]; i++)
		if (strcmp(folder, made_at_start[i]) == 0)
			return true;
	return false;
}

/* "-m 2750 -o penstock -g postfix": Postfix reaches a socket by the group of its folder. A folder of the daemon alone
 * needs none. */
static void trial_folder_form(const struct trial *trial, const char *option, char form[200])
{
	const struct settings *set = &trial->config->set;
	const char *user = *set->user != '\0' ? set->user : "root";
	bool zone = strcmp(option, "clients.zone") == 0; /* rbldnsd reads it */
	if (zone || strcmp(option, "facts.file") == 0 || strcmp(option, "control.socket") == 0 ||
	    strcmp(option, "clients.state") == 0)
		snprintf(form, 200, "-m %s -o %s", zone ? "755" : "750", user);
	else
		snprintf(form, 200, "-m 2750 -o %s -g %s", user,
			 *set->milter_socket_group != '\0' ? set->milter_socket_group : "GROUP");
}

/* Could the account make a file in this folder? `kind`: of what is said where it could not. */
static void trial_try_folder(const struct trial *trial, char kind, const char *option, const char *folder)
{
	struct stat now;
	char form[200];
	if (stat(folder, &now) != 0 && errno == ENOENT && trial_is_made_at_start(folder))
		return;
	trial_folder_form(trial, option, form);
	if (stat(folder, &now) != 0)
		trial_say(trial, kind, "%s: its folder %s cannot be used by %s: %s; expected: install -d %s %s", option,
			  folder, account_of(trial), strerror(errno), form, folder);
	else if (!S_ISDIR(now.st_mode))
		trial_say(trial, kind, "%s: %s is no folder", option, folder);
	else if (access(folder, W_OK | X_OK) != 0)
		trial_say(trial, kind, "%s: nothing can be made in its folder %s by %s: %s", option, folder,
			  account_of(trial), strerror(errno));
}

/* Could it make this file? */
static void trial_try_folder_of(const struct trial *trial, const char *option, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	trial_try_folder(trial, 'f', option, folder);
}

/* The daemon starts without them, and goes on trying. */
static void trial_try_clients(const struct trial *trial)
{
	const struct settings *set = &trial->config->set;
	if (*set->clients_state != '\0')
		trial_try_folder(trial, 'w', "clients.state", set->clients_state);
	if (*set->clients_zone != '\0')
		trial_try_folder(trial, 'w', "clients.zone", set->clients_zone);
}

static void trial_try_facts(const struct trial *trial)
{
	const char *why, *file = trial->config->set.facts_file;
	if (*file == '\0')
		return;
	int fd = plain_file_open(file, O_WRONLY | O_APPEND, &why);
	if (fd >= 0)
		close(fd);
	else if (errno == ENOENT)
		trial_try_folder_of(trial, "facts.file", file);
	else
		trial_say(trial, 'f', "facts.file: %s cannot be written by %s: %s", file, account_of(trial), why);
}

/* ---- sockets, as the daemon's account */

static bool trial_answers(const struct endpoint *endpoint)
{
	int fd = endpoint_connect(endpoint);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Does the Penstock that runs listen at this port? It may do so at another of the host's addresses, which a start
 * with this configuration would leave. */
static bool trial_is_ours(const struct trial *trial, const char *where)
{
	char port[16];
	const char *colon = strrchr(where, ':');
	snprintf(port, sizeof port, "%s\"", colon != NULL ? colon : "");
	return colon != NULL && strstr(trial->sockets, port) != NULL;
}

static void trial_try_inet(const struct trial *trial, const char *option, const struct endpoint *endpoint)
{
	char where[160];
	int yes = 1;
	endpoint_text(endpoint, where, sizeof where);
	int fd = socket(endpoint->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&endpoint->address, endpoint->length) != 0) {
		bool taken = errno == EADDRINUSE;
		if (!taken || !trial_is_ours(trial, where))
			trial_say(trial, errno == EACCES ? 'w' : 'f', "%s is %s, where %s cannot listen: %s%s", option,
				  where, account_of(trial), strerror(errno),
				  taken		    ? "; no Penstock that answers at control.socket has it"
				  : errno == EACCES ? "; a port below 1024 wants CAP_NET_BIND_SERVICE in the unit"
						    : "");
	}
	if (fd >= 0)
		close(fd);
}

static void trial_try_socket(const struct trial *trial, const char *option, const char *value)
{
	struct endpoint endpoint;
	char why[300], path[160];
	if (*value == '\0' || !endpoint_parse(value, &endpoint, why, sizeof why))
		return;
	if (endpoint.address.ss_family != AF_UNIX) {
		trial_try_inet(trial, option, &endpoint);
		return;
	}
	endpoint_text(&endpoint, path, sizeof path);
	trial_try_folder_of(trial, option, path);
	if (!trial->running && trial_answers(&endpoint))
		trial_say(trial, 'w',
			  "%s: somebody listens at %s, and no Penstock answers at control.socket; systemd does so for "
			  "penstock.socket",
			  option, path);
}

static void trial_try_sockets(const struct trial *trial)
{
	const struct settings *set = &trial->config->set;
	char control[256];
	snprintf(control, sizeof control, "unix:%s", set->control_socket);
	trial_try_socket(trial, "milter.socket", set->milter_socket);
	trial_try_socket(trial, "socketmap.listen", set->socketmap_listen);
	trial_try_socket(trial, "control.socket", control);
	trial_try_socket(trial, "http.listen", set->http_listen);
}

/* ---- all */

/* Who answers at the control socket, and where he listens. */
static void trial_ask(struct trial *trial)
{
	static const char question[] = "{\"do\": \"sockets\"}\n";
	static const struct timeval patience = { .tv_sec = 5 };
	struct endpoint endpoint;
	char control[256], why[300];
	snprintf(control, sizeof control, "unix:%s", trial->config->set.control_socket);
	int fd = endpoint_parse(control, &endpoint, why, sizeof why) ? endpoint_connect(&endpoint) : -1;
	trial->running = fd >= 0;
	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	size_t used = 0;
	ssize_t got = send(fd, question, sizeof question - 1, MSG_NOSIGNAL);
	while (got > 0 && used + 1 < sizeof trial->sockets && memchr(trial->sockets, '\n', used) == NULL) {
		got = recv(fd, trial->sockets + used, sizeof trial->sockets - 1 - used, 0);
		used += got > 0 ? (size_t)got : 0;
	}
	close(fd);
}

/* In a process of its own: root's rights are lost there. */
static void trial_try_all(const struct trial *trial)
{
	const struct settings *set = &trial->config->set;
	char why[500];
	trial_try_plans(trial);
	try_transports(trial);
	if (!privilege_group(set->milter_socket_group, why, sizeof why))
		trial_say(trial, 'f', "milter.socket_group is %s", why);
	if (!privilege_user(set->user, why, sizeof why)) {
		trial_say(trial, 'f', "%s", why);
		return;
	}
	if (privilege_other(set->user))
		return;
	if (!privilege_drop(set->user, "", why, sizeof why)) {
		trial_say(trial, 'f', "%s", why);
		return;
	}
	trial_try_files(trial);
	trial_try_facts(trial);
	trial_try_clients(trial);
	trial_try_sockets(trial);
}

void trial(const struct config *config, const char *file, void (*fail)(const char *line),
	   void (*warn)(const char *line))
{
	int ends[2], status = 0;
	char line[SAID_MOST + 2];
	struct trial trial = { .config = config, .file = file };
	trial_ask(&trial);
	pid_t child = pipe(ends) == 0 ? fork() : -1;
	if (child == 0) {
		trial.to = fdopen(ends[1], "w");
		if (trial.to != NULL) {
			trial_try_all(&trial);
			fclose(trial.to);
		}
		_exit(trial.to == NULL);
	}
	FILE *from = child < 0 ? NULL : fdopen(ends[0], "r");
	if (child > 0)
		close(ends[1]);
	while (from != NULL && fgets(line, sizeof line, from) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		(line[0] == 'f' ? fail : warn)(line + 1);
	}
	if (from != NULL)
		fclose(from);
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		fail("files and sockets cannot be tried: the process for it failed");
}

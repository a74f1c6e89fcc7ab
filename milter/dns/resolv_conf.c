/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/dns/resolv_conf.h"

#include "milter/base/endpoint.h"
#include "policy/base/text.h"
#include "policy/netaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { FILE_MOST = 16 * 1024 };

static const char here[] = "127.0.0.1:53";

static struct stat look(const char *path)
{
	struct stat now;
	return stat(path, &now) == 0 ? now : (struct stat){ 0 };
}

/* Its length, what is behind FILE_MOST left out; -1 with errno. */
static ssize_t resolv_read_file(const char *path, char memory[FILE_MOST + 1])
{
	ssize_t length = 0, got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	while (length < FILE_MOST && (got = read(fd, memory + length, (size_t)(FILE_MOST - length))) > 0)
		length += got;
	int error = errno;
	close(fd);
	errno = error;
	memory[length] = '\0';
	return got < 0 ? -1 : length;
}

static bool resolv_read_server(const char *word, char server[RESOLV_SERVER_MAX])
{
	char plain[NETADDR_TEXT_MAX], error[200];
	struct endpoint endpoint;
	struct netaddr address;
	struct text to = text_over(server, RESOLV_SERVER_MAX);
	if (*word == '[') {
		text_add(&to, word);
	} else if (netaddr_parse(word, &address)) {
		netaddr_text(&address, plain);
		text_addf(&to, address.family == NETADDR_V6 ? "[%s]:53" : "%s:53", plain);
	}
	return !to.cut && endpoint_parse(server, &endpoint, error, sizeof error) && !endpoint_is_link_local(&endpoint);
}

/* The address of a line "nameserver ADDRESS"; NULL: it is another line. It ends where the address does. */
static char *resolv_server_of(char *line)
{
	static const char keyword[] = "nameserver";
	size_t length = sizeof keyword - 1;
	line += strspn(line, " \t");
	if (strncmp(line, keyword, length) != 0 || (line[length] != ' ' && line[length] != '\t'))
		return NULL;
	line += length + strspn(line + length, " \t");
	line[strcspn(line, " \t\r")] = '\0';
	return line;
}

/* `skipped`: the first address that cannot be asked. */
static void resolv_read_lines(char *text, struct resolv_conf *conf, struct text *skipped)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");
		char *next = text + length + (text[length] == '\n');
		text[length] = '\0';
		const char *word = resolv_server_of(text);
		if (word != NULL && conf->count < RESOLV_SERVERS_MAX &&
		    resolv_read_server(word, conf->servers[conf->count]))
			conf->count++;
		else if (word != NULL && conf->count < RESOLV_SERVERS_MAX && skipped->length == 0)
			text_add_word(skipped, word);
		text = next;
	}
}

static void resolv_explain(const char *path, bool readable, int error, const char *skipped, struct resolv_conf *conf)
{
	struct text to = text_over(conf->trouble, sizeof conf->trouble);
	if (!readable)
		text_addf(&to, "%s cannot be read (%s)", path, strerror(error));
	else if (*skipped != '\0')
		text_addf(&to,
			  "%s names \"%s\", which cannot be asked: expected an IPv4 or IPv6 address without a zone",
			  path, skipped);
	else if (conf->none)
		text_addf(&to, "%s names no name server", path);
	if (conf->none)
		text_add(&to, "; this host, 127.0.0.1, is asked");
}

void resolv_conf_read(const char *path, struct resolv_conf *conf_out)
{
	char memory[FILE_MOST + 1], word[80];
	struct text skipped = text_over(word, sizeof word);
	*conf_out =
		(struct resolv_conf){ .seen = look(path) }; /* before it is read: a change meanwhile is seen later */
	ssize_t length = resolv_read_file(path, memory);
	int error = errno;
	if (length > 0)
		resolv_read_lines(memory, conf_out, &skipped);
	conf_out->none = conf_out->count == 0;
	if (conf_out->none)
		text_copy(conf_out->servers[conf_out->count++], RESOLV_SERVER_MAX, here);
	resolv_explain(path, length >= 0, error, word, conf_out);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool resolv_conf_changed(const char *path, const struct resolv_conf *conf)
{
	struct stat now = look(path);
	const struct stat *seen = &conf->seen;
	return now.st_dev != seen->st_dev || now.st_ino != seen->st_ino || now.st_size != seen->st_size ||
	       !same_time(&now.st_mtim, &seen->st_mtim) || !same_time(&now.st_ctim, &seen->st_ctim);
}

bool resolv_conf_same_servers(const struct resolv_conf *a, const struct resolv_conf *b)
{
	bool same = a->count == b->count && a->none == b->none;
	for (int i = 0; same && i < a->count; i++)
		same = strcmp(a->servers[i], b->servers[i]) == 0;
	return same;
}

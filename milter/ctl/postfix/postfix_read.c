/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_read.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/tool/run.h"
#include "milter/base/plain_file.h"
#include "policy/base/text.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/base/banned.h"

enum { ASKED_MAIN, ASKED_OVERRIDES, ASKED_SERVICES, ASKED_RAW_MAIN, ASKED_RAW_OVERRIDES, ASKED_COUNT };
enum { OUTPUT_MAX = 4 << 20, TABLE_MAX = 64 << 20, FILE_MAX = 1 << 20, RUN_ARGUMENTS_MAX = 8 };

struct setting {
	const char *name, *value; /* in the text of postconf; of a service: "clean-1/unix/smtp_helo_name" */
};

struct postfix {
	char *dir;		 /* owned; NULL: postconf's own choice */
	char *text[ASKED_COUNT]; /* owned: the answers that the rest points into */
	struct postfix_read_settings {
		struct setting *rows; /* owned */
		size_t count;
	} expanded, raw;
	struct postfix_service *services; /* owned */
	size_t service_count;
};

/* A Postfix command with -c where a folder was named; `arguments` end with NULL, `in` is its input or -1. */
static char *postfix_read_run(const struct postfix *postfix, const char *command, const char *const *arguments, int in,
			      size_t most, int *exit_out, char *said, size_t said_size)
{
	const char *argv[RUN_ARGUMENTS_MAX + 1];
	int count = 0;
	argv[count++] = command;
	if (postfix->dir != NULL) {
		argv[count++] = "-c";
		argv[count++] = postfix->dir;
	}
	while (*arguments != NULL && count < RUN_ARGUMENTS_MAX)
		argv[count++] = *arguments++;
	argv[count] = NULL;
	return run_program(argv, in, most, exit_out, said, said_size);
}

char *postfix_next_line(char **rest)
{
	char *line = *rest, *end = line == NULL ? NULL : strchr(line, '\n');
	if (line == NULL || *line == '\0')
		return NULL;
	*rest = end == NULL ? line + strlen(line) : end + 1;
	if (end != NULL)
		*end = '\0';
	return line;
}

/* "name = value", "name =" */
static void read_settings(struct postfix_read_settings *settings, char *text)
{
	for (char *line; (line = postfix_next_line(&text)) != NULL;) {
		char *equals = strstr(line, " =");
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (settings->count % 256 == 0)
			settings->rows =
				have_memory(realloc(settings->rows, (settings->count + 256) * sizeof *settings->rows));
		settings->rows[settings->count++] = (struct setting){ line, equals + (equals[2] == ' ' ? 3 : 2) };
	}
}

/* How many processes it may have: its own number, or Postfix's default. */
static int postfix_read_most(const struct postfix *postfix, const char *field)
{
	const char *common = postfix_get(postfix, NULL, "default_process_limit");
	int64_t most = 0;
	text_to_int(*field != '-' ? field : common != NULL ? common : "100", 0, 1000000, &most);
	return (int)most;
}

/* master(5): service type private unpriv chroot wakeup maxproc command ... */
static void read_services(struct postfix *postfix, char *text)
{
	const char *compatible = postfix_get(postfix, NULL, "compatibility_level");
	bool chroot_default = compatible == NULL || strtod(compatible, NULL) < 1;
	for (char *line; (line = postfix_next_line(&text)) != NULL;) {
		char *fields[8] = { 0 }, *rest = NULL;
		for (int i = 0; i < 8; i++)
			fields[i] = strtok_r(i == 0 ? line : NULL, " \t", &rest);
		if (fields[7] == NULL)
			continue;
		if (postfix->service_count % 64 == 0)
			postfix->services = have_memory(
				realloc(postfix->services, (postfix->service_count + 64) * sizeof *postfix->services));
		bool chroot = *fields[4] == 'y' || (*fields[4] == '-' && chroot_default);
		struct postfix_service *service = &postfix->services[postfix->service_count++];
		*service = (struct postfix_service){
			.name = fields[0],
			.type = fields[1],
			.command = fields[7],
			.chroot = chroot,
			.most = postfix_read_most(postfix, fields[6]),
		};
		snprintf(service->path, sizeof service->path, "%s/%s", service->name, service->type);
	}
}

struct postfix *postfix_read(const char *dir, char *error, size_t error_size)
{
	static const char *const asked[ASKED_COUNT][4] = {
		[ASKED_MAIN] = { "-x", NULL },		[ASKED_OVERRIDES] = { "-x", "-P", NULL },
		[ASKED_SERVICES] = { "-M", NULL },	[ASKED_RAW_MAIN] = { "-n", NULL },
		[ASKED_RAW_OVERRIDES] = { "-P", NULL },
	};
	struct postfix *postfix = have_memory(calloc(1, sizeof *postfix));
	postfix->dir = dir == NULL ? NULL : have_memory(strdup(dir));
	for (int i = 0; i < ASKED_COUNT; i++) {
		char said[400];
		int code = 0;
		postfix->text[i] =
			postfix_read_run(postfix, "postconf", asked[i], -1, OUTPUT_MAX, &code, said, sizeof said);
		if (postfix->text[i] == NULL || code != 0) {
			snprintf(error, error_size, "cannot read the configuration of Postfix: %s",
				 *said != '\0' ? said : "postconf failed without a word");
			postfix_free(&postfix);
			return NULL;
		}
		if (i == ASKED_SERVICES)
			read_services(postfix, postfix->text[i]);
		else
			read_settings(i < ASKED_SERVICES ? &postfix->expanded : &postfix->raw, postfix->text[i]);
	}
	return postfix;
}

void postfix_free(struct postfix **postfix)
{
	if (*postfix == NULL)
		return;
	for (int i = 0; i < ASKED_COUNT; i++)
		free((*postfix)->text[i]);
	free((*postfix)->expanded.rows);
	free((*postfix)->raw.rows);
	free((*postfix)->services);
	free((*postfix)->dir);
	free(*postfix);
	*postfix = NULL;
}

static const char *postfix_read_find_setting(const struct postfix_read_settings *settings, const char *service,
					     const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s%s%s", service == NULL ? "" : service, service == NULL ? "" : "/", name);
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->rows[i].name, path) == 0)
			return settings->rows[i].value;
	return NULL;
}

const char *postfix_raw(const struct postfix *postfix, const char *service, const char *name)
{
	return postfix_read_find_setting(&postfix->raw, service, name);
}

const char *postfix_override(const struct postfix *postfix, const char *service, const char *name)
{
	return postfix_read_find_setting(&postfix->expanded, service, name);
}

const char *postfix_get(const struct postfix *postfix, const char *service, const char *name)
{
	const char *own = service == NULL ? NULL : postfix_override(postfix, service, name);
	return own != NULL ? own : postfix_read_find_setting(&postfix->expanded, NULL, name);
}

const struct postfix_service *postfix_service(const struct postfix *postfix, size_t index)
{
	return index < postfix->service_count ? &postfix->services[index] : NULL;
}

const char *postfix_next_element(const char **rest, char element[ELEMENT_MAX])
{
	const char *start = *rest + strspn(*rest, ", \t\r\n");
	const char *end = start;
	for (int depth = 0; *end != '\0' && (depth > 0 || strchr(", \t\r\n", *end) == NULL); end++)
		depth += *end == '{' ? 1 : *end == '}' ? -1 : 0;
	*rest = end;
	if (end == start)
		return NULL;
	bool braces = *start == '{' && end[-1] == '}' && end - start >= 2;
	snprintf(element, ELEMENT_MAX, "%.*s", (int)(end - start) - (braces ? 2 : 0), start + (braces ? 1 : 0));
	return start;
}

/* Exit code 1 is both "not in it" and "cannot read it"; the latter is told on standard error, where every command also
 * tells of a parameter that stands in main.cf twice. */
static bool failed(const char *text, int code, const char *said)
{
	bool twice = strstr(said, "overriding earlier entry") != NULL;
	return text == NULL || (code != 0 && *said != '\0' && !twice);
}

static int postfix_read_ask_table(const struct postfix *postfix, const char *table, const char *key,
				  char answer[ELEMENT_MAX])
{
	int code = 0;
	char said[400];
	char *text = postfix_read_run(postfix, "postmap", (const char *const[]){ "-q", key, table, NULL }, -1,
				      OUTPUT_MAX, &code, said, sizeof said);
	bool broken = failed(text, code, said);
	text_copy(answer, ELEMENT_MAX, broken ? said : text);
	answer[strcspn(answer, "\n")] = '\0';
	free(text);
	return broken ? -1 : code == 0;
}

int postfix_lookup(const struct postfix *postfix, const char *list, const char *key, char answer[ELEMENT_MAX])
{
	char table[ELEMENT_MAX];
	*answer = '\0';
	while (postfix_next_element(&list, table) != NULL) {
		int found = postfix_read_ask_table(postfix, table, key, answer);
		if (found != 0)
			return found;
	}
	return 0;
}

/* Frees `text` where postmap failed. */
static char *postfix_read_answer_of(char *text, int code, const char *said)
{
	if (!failed(text, code, said))
		return text;
	free(text);
	return NULL;
}

char *postfix_list(const struct postfix *postfix, const char *table, char *said, size_t said_size)
{
	int code = 0;
	char *text = postfix_read_run(postfix, "postmap", (const char *const[]){ "-s", table, NULL }, -1, TABLE_MAX,
				      &code, said, said_size);
	return postfix_read_answer_of(text, code, said);
}

bool postfix_listable(const char *table)
{
	static const char *const types[] = { "btree", "cdb", "dbm", "hash", "inline", "lmdb", "sdbm", "texthash" };
	size_t length = strcspn(table, ":");
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strlen(types[i]) == length && strncmp(types[i], table, length) == 0)
			return true;
	return false;
}

/* NULL where it is no plain file that can be read. */
static char *read_file(const char *path)
{
	const char *why;
	int fd = plain_file_open(path, O_RDONLY, &why);
	if (fd < 0)
		return NULL;
	char *text = have_memory(calloc(1, FILE_MAX));
	ssize_t length = read(fd, text, FILE_MAX - 1);
	text[length > 0 ? length : 0] = '\0';
	close(fd);
	return text;
}

char *postfix_text(const struct postfix *postfix, const char *table)
{
	static const char *const files[] = { "regexp:", "pcre:", "cidr:" };
	char said[400];
	table += strncmp(table, "proxy:", 6) == 0 ? 6 : 0;
	if (postfix_listable(table))
		return postfix_list(postfix, table, said, sizeof said);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		size_t length = strlen(files[i]);
		if (strncmp(table, files[i], length) == 0)
			return table[length] == '{' ? have_memory(strdup(table + length)) : read_file(table + length);
	}
	return NULL;
}

char *postfix_ask_all(const struct postfix *postfix, const char *table, const char *keys, size_t length, char *said,
		      size_t said_size)
{
	int code = 0, in = memfd_create("keys", MFD_CLOEXEC);
	snprintf(said, said_size, "no memory for what is to be looked up");
	bool written = in >= 0 && write(in, keys, length) == (ssize_t)length && lseek(in, 0, SEEK_SET) == 0;
	char *text = !written ? NULL
			      : postfix_read_run(postfix, "postmap", (const char *const[]){ "-q", "-", table, NULL },
						 in, TABLE_MAX, &code, said, said_size);
	if (in >= 0)
		close(in);
	return postfix_read_answer_of(text, code, said);
}

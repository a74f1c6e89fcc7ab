/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix_read.h"

#include "milter/ctl/memory.h"
#include "milter/ctl/postfix_run.h"
#include "policy/base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { ARGUMENTS_MAX = 8 };

struct setting {
	const char *name, *value;	/* in the text of postconf; of a service: "clean-1/unix/smtp_helo_name" */
};

struct postfix {
	char *dir;			/* owned; NULL: postconf's own choice */
	char *text[3];			/* owned: the answers that the rest points into */
	struct setting *settings;	/* owned */
	size_t setting_count;
	struct postfix_service *services;	/* owned */
	size_t service_count;
};

/* A Postfix command with -c where a folder was named; `arguments` end with NULL. */
static char *run_postfix(const struct postfix *postfix, const char *command, const char *const *arguments,
			 int *exit_out, char *said, size_t said_size)
{
	const char *argv[ARGUMENTS_MAX + 1];
	int count = 0;
	argv[count++] = command;
	if (postfix->dir != NULL) {
		argv[count++] = "-c";
		argv[count++] = postfix->dir;
	}
	while (*arguments != NULL && count < ARGUMENTS_MAX)
		argv[count++] = *arguments++;
	argv[count] = NULL;
	return postfix_run(argv, exit_out, said, said_size);
}

static char *next_text_line(char **rest)
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
static void read_settings(struct postfix *postfix, char *text)
{
	for (char *line; (line = next_text_line(&text)) != NULL;) {
		char *equals = strstr(line, " =");
		if (equals == NULL)
			continue;
		*equals = '\0';
		if (postfix->setting_count % 256 == 0)
			postfix->settings = have_memory(realloc(postfix->settings,
				(postfix->setting_count + 256) * sizeof *postfix->settings));
		postfix->settings[postfix->setting_count++] =
			(struct setting){ line, equals + (equals[2] == ' ' ? 3 : 2) };
	}
}

/* master(5): service type private unpriv chroot wakeup maxproc command ... */
static void read_services(struct postfix *postfix, char *text)
{
	const char *compatible = postfix_get(postfix, NULL, "compatibility_level");
	bool chroot_default = compatible == NULL || strtod(compatible, NULL) < 1;
	for (char *line; (line = next_text_line(&text)) != NULL;) {
		char *fields[8] = { 0 }, *rest = NULL;
		for (int i = 0; i < 8; i++)
			fields[i] = strtok_r(i == 0 ? line : NULL, " \t", &rest);
		if (fields[7] == NULL)
			continue;
		if (postfix->service_count % 64 == 0)
			postfix->services = have_memory(realloc(postfix->services,
				(postfix->service_count + 64) * sizeof *postfix->services));
		bool chroot = *fields[4] == 'y' || (*fields[4] == '-' && chroot_default);
		postfix->services[postfix->service_count++] =
			(struct postfix_service){ fields[0], fields[1], fields[7], chroot };
	}
}

struct postfix *postfix_read(const char *dir, char *error, size_t error_size)
{
	static const char *const asked[3][4] = { { "-x", NULL }, { "-x", "-P", NULL }, { "-M", NULL } };
	struct postfix *postfix = have_memory(calloc(1, sizeof *postfix));
	postfix->dir = dir == NULL ? NULL : have_memory(strdup(dir));
	for (int i = 0; i < 3; i++) {
		char said[400];
		int code = 0;
		postfix->text[i] = run_postfix(postfix, "postconf", asked[i], &code, said, sizeof said);
		if (postfix->text[i] == NULL || code != 0) {
			snprintf(error, error_size, "cannot read the configuration of Postfix: %s",
				 *said != '\0' ? said : "postconf failed without a word");
			postfix_free(&postfix);
			return NULL;
		}
		if (i < 2)
			read_settings(postfix, postfix->text[i]);
		else
			read_services(postfix, postfix->text[i]);
	}
	return postfix;
}

void postfix_free(struct postfix **postfix)
{
	if (*postfix == NULL)
		return;
	for (int i = 0; i < 3; i++)
		free((*postfix)->text[i]);
	free((*postfix)->settings);
	free((*postfix)->services);
	free((*postfix)->dir);
	free(*postfix);
	*postfix = NULL;
}

static const char *find_setting(const struct postfix *postfix, const char *name)
{
	for (size_t i = 0; i < postfix->setting_count; i++)
		if (strcmp(postfix->settings[i].name, name) == 0)
			return postfix->settings[i].value;
	return NULL;
}

const char *postfix_override(const struct postfix *postfix, const char *service, const char *name)
{
	char path[512];
	snprintf(path, sizeof path, "%s/%s", service, name);
	return find_setting(postfix, path);
}

const char *postfix_get(const struct postfix *postfix, const char *service, const char *name)
{
	const char *own = service == NULL ? NULL : postfix_override(postfix, service, name);
	return own != NULL ? own : find_setting(postfix, name);
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
	start += braces ? 1 : 0;
	snprintf(element, ELEMENT_MAX, "%.*s", (int)(end - start) - (braces ? 1 : 0), start);
	return start;
}

static int ask_table(const struct postfix *postfix, const char *table, const char *key, char answer[ELEMENT_MAX])
{
	int code = 0;
	char said[400];
	char *text = run_postfix(postfix, "postmap", (const char *const[]){ "-q", key, table, NULL }, &code, said,
				 sizeof said);
	/* Exit code 1 is both "not in it" and "cannot read it"; the latter is told on standard error, where every
	 * command also tells of a parameter that stands in main.cf twice. */
	bool twice = strstr(said, "overriding earlier entry") != NULL;
	bool broken = text == NULL || (code != 0 && *said != '\0' && !twice);
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
		int found = ask_table(postfix, table, key, answer);
		if (found != 0)
			return found;
	}
	return 0;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What postconf(1) and postmap(1) say of a Postfix, held against a configuration of ours. The input are their outputs,
 * which a line "--" ends: of postconf -x, -x -P, -M, -n and -P, then of each other program in its turn.
 *
 * Takes the place of milter/ctl/tool/run.c.
 */
#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix_check.h"
#include "milter/ctl/postfix/postfix_remove.h"
#include "milter/ctl/tool/run.h"

#include "t/fuzz/fuzz.h"

#include <jansson.h>

enum { RUNS_MAX = 1000 };

static const char conf[] = "milter: { socket = \"unix:/var/spool/postfix/penstock/milter.sock\"; };\n"
			   "socketmap: { listen = \"unix:/var/spool/postfix/penstock/socketmap.sock\"; };\n"
			   "redis: { server = \"127.0.0.1:1\"; };\n"
			   "pools = ( { name = \"clean\"; levels = [\"good\", \"new\", \"suspect\"]; transports = (\n"
			   "  { name = \"clean-1\"; address = \"127.0.0.1\"; helo = \"out1.example.com\"; }, { name = "
			   "\"clean-2\"; } ); } );\n";

static const char *left;
static size_t left_size;
static int runs;

static void check_words(const char *const *argv)
{
	static const char *const kinds[] = { "-x", "-M", "-n", "-P" };
	if (strcmp(argv[0], "postconf") == 0) {
		bool known = false;
		for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
			known |= strcmp(argv[1], kinds[i]) == 0;
		MUST(known);
		return;
	}
	if (strcmp(argv[0], "getent") == 0) {
		MUST(strcmp(argv[1], "ahosts") == 0 && argv[2][0] != '\0' && argv[2][0] != '-' && argv[3] == NULL);
		return;
	}
	if (strcmp(argv[0], "setpriv") == 0)
		return;
	bool lists = strcmp(argv[1], "-s") == 0; /* all of a table; else a key of it is asked for */
	MUST(strcmp(argv[0], "postmap") == 0 && (lists || (strcmp(argv[1], "-q") == 0 && argv[2] != NULL)));
	const char *const *table = argv + (lists ? 2 : 3);
	MUST(table[0] != NULL && table[0][0] != '\0' && table[1] == NULL);
}

char *run_program(const char *const *argv, int in, size_t most, int *exit_out, char *said, size_t said_size)
{
	(void)in, (void)most;
	check_words(argv);
	MUST(++runs < RUNS_MAX);
	const char *end = memmem(left, left_size, "--\n", 3);
	size_t size = end != NULL ? (size_t)(end - left) : left_size, whole = size + (end != NULL ? 3 : 0);
	char *text = string_of(left, size);
	bool fails = text[0] == '!';
	left += whole;
	left_size -= whole;
	*exit_out = fails;
	snprintf(said, said_size, "%.100s", fails ? text + 1 : "");
	return text;
}

/* A line for a shell: words that are plain or in quotes, and one '>' where a file is written. */
static void check_fix(const char *fix)
{
	bool quoted = false;
	int files = 0;
	bool opens = strncmp(fix, "chgrp ", 6) == 0, sets = opens || strncmp(fix, "postconf ", 9) == 0;
	MUST(sets || strncmp(fix, "penstockctl -c ", 15) == 0 || strncmp(fix, "echo '", 6) == 0);
	for (const char *at = fix; *at != '\0'; at++) {
		bool escaped = !quoted && *at == '\\';
		if (escaped)
			MUST(*++at == '\'');
		else if (*at == '\'')
			quoted = !quoted;
		else if (!quoted)
			MUST(strchr("_-+./:=@>& ", *at) != NULL || (*at >= '0' && *at <= '9') ||
			     (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z'));
		files += !quoted && *at == '>';
	}
	MUST(!quoted && files == !sets);
}

static void check_rows(const json_t *rows)
{
	size_t index;
	json_t *row;
	MUST(json_is_array(rows));
	json_array_foreach(rows, index, row)
	{
		const char *fix = json_string_value(json_object_get(row, "fix"));
		MUST(json_is_string(json_object_get(row, "what")) && json_is_string(json_object_get(row, "file")));
		MUST(json_is_string(json_object_get(row, "expected")) && json_is_string(json_object_get(row, "why")));
		if (fix != NULL)
			check_fix(fix);
	}
}

/* 1: differences, 0: none, -1: it cannot be read. */
static int check(const struct postfix_wish *wish, const uint8_t *data, size_t size, enum check_form form)
{
	char *shown = NULL, error[600] = "";
	size_t length = 0;
	FILE *to = have_memory(open_memstream(&shown, &length));
	left = (const char *)data;
	left_size = size;
	runs = 0;
	int result = postfix_check(wish, NULL, form, to, error, sizeof error);
	fclose(to);
	if (form != CHECK_COMMANDS)
		must_be_clean(shown, length);
	for (size_t i = 0; i < length; i++) /* the shell gets the commands: they keep their bytes */
		MUST(((unsigned char)shown[i] >= ' ' && shown[i] != 0x7f) || shown[i] == '\n');
	MUST((result == -1) == (error[0] != '\0') && (length == 0 || result >= 0));
	if (form == CHECK_JSON && result >= 0) {
		json_t *whole = json_loadb(shown, length, JSON_REJECT_DUPLICATES, NULL);
		MUST(json_is_true(json_object_get(whole, "ok")) == (result == 0));
		check_rows(json_object_get(whole, "differences"));
		check_rows(json_object_get(whole, "warnings"));
		json_decref(whole);
	}
	free(shown);
	return result;
}

static void remove_share(const struct postfix_wish *wish, const uint8_t *data, size_t size)
{
	char *shown = NULL, error[600] = "";
	size_t length = 0;
	FILE *to = have_memory(open_memstream(&shown, &length));
	left = (const char *)data;
	left_size = size;
	runs = 0;
	int result = postfix_remove(wish, NULL, to, error, sizeof error);
	fclose(to);
	MUST((result == -1) == (error[0] != '\0'));
	free(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config;
	char name[MEMORY_FILE_NAME], error[CONFIG_ERROR_MAX] = "";
	if (config == NULL) {
		int fd = memory_file(conf, sizeof conf - 1, name);
		config = config_load(name, error);
		close(fd);
		if (config == NULL)
			fprintf(stderr, "%s\n", error);
		MUST(config != NULL);
	}
	struct postfix_wish wish = { .config = config, .config_file = "/etc/penstock/penstock.conf" };
	int result = check(&wish, data, size, CHECK_TEXT);
	MUST(check(&wish, data, size, CHECK_JSON) == result && check(&wish, data, size, CHECK_COMMANDS) == result);
	remove_share(&wish, data, size);
	return 0;
}

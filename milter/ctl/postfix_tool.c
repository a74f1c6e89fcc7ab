/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix_tool.h"

#include "milter/ctl/memory.h"
#include "milter/ctl/postfix.h"
#include "milter/ctl/postfix_check.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

/* A path as it is told to others, who may be in another folder; to be freed. */
static char *whole_path(const char *path)
{
	char *whole = realpath(path, NULL);
	return whole != NULL ? whole : have_memory(strdup(path));
}

/* Folders that stand in lines of Postfix's configuration. */
static bool folders_fine(const struct call *call)
{
	const struct { const char *option, *folder; } rows[] = {
		{ "--dir", call->option[OPTION_DIR] },
		{ "--queue", call->option[OPTION_QUEUE] },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].folder != NULL && !postfix_folder_fine(rows[i].folder)) {
			complain(call, "%s is \"%.100s\", expected an absolute path of at most %d letters, digits and . _ - + = @: "
				 "it stands in Postfix's configuration", rows[i].option, rows[i].folder, POSTFIX_FOLDER_MAX);
			return false;
		}
	return true;
}

int postfix_print_run(const struct call *call)
{
	enum postfix_part part = POSTFIX_MAIN;
	if (call->count > 0 && !postfix_part_find(call->arguments[0], &part))
		return complain(call, "\"%.100s\": expected main, master, milter-header-checks, header-checks or "
				"commands", call->arguments[0]);
	struct config *config = folders_fine(call) ? call_config(call) : NULL;
	if (config == NULL)
		return EXIT_USAGE;
	const char *dir = call->option[OPTION_DIR], *queue = call->option[OPTION_QUEUE];
	char *file = whole_path(call_config_file(call)), *checks = whole_path(dir != NULL ? dir : POSTFIX_DIR);
	struct postfix_wish wish = { config, file, checks, queue != NULL ? queue : POSTFIX_QUEUE };
	if (call->count > 0)
		postfix_print(&wish, part, stdout);
	else
		postfix_print_all(&wish, stdout);
	free(file);
	free(checks);
	config_drop(&config);
	return EXIT_FINE;
}

int postfix_check_run(const struct call *call)
{
	char error[600];
	struct config *config = folders_fine(call) ? call_config(call) : NULL;
	if (config == NULL)
		return EXIT_USAGE;
	const char *dir = call->option[OPTION_DIR], *given = call->option[OPTION_POSTFIX];
	char *file = whole_path(call_config_file(call)), *checks = dir == NULL ? NULL : whole_path(dir);
	char *postfix_dir = given == NULL ? NULL : whole_path(given);
	struct postfix_wish wish = { config, file, checks, call->option[OPTION_QUEUE] };
	bool json = call->option[OPTION_JSON] != NULL;
	int result = postfix_check(&wish, postfix_dir, json, stdout, error, sizeof error);
	free(file);
	free(checks);
	free(postfix_dir);
	config_drop(&config);
	return result < 0 ? complain(call, "%s", error) : result == 0 ? EXIT_FINE : EXIT_NO;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_tool.h"

#include "milter/ctl/tool/memory.h"
#include "milter/ctl/postfix/postfix.h"
#include "milter/ctl/postfix/postfix_check.h"
#include "milter/ctl/postfix/postfix_read.h"
#include "milter/ctl/postfix/postfix_remove.h"

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
static bool postfix_tool_folders_fine(const struct call *call)
{
	const struct {
		const char *option, *folder;
	} rows[] = {
		{ "--dir", call->option[OPTION_DIR] },
		{ "--queue", call->option[OPTION_QUEUE] },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (rows[i].folder != NULL && !postfix_folder_fine(rows[i].folder)) {
			complain(call,
				 "%s is \"%.100s\", expected an absolute path of at most %d letters, digits and . _ - "
				 "+ = @: it stands in Postfix's configuration",
				 rows[i].option, rows[i].folder, POSTFIX_FOLDER_MAX);
			return false;
		}
	return true;
}

/* What a command about a Postfix is made from; owns what it points to. */
struct about {
	struct postfix_wish wish;
	struct config *config;
	char *file, *checks, *postfix_dir;
};

/* False with the complaint made. */
static bool postfix_tool_about_read(struct about *about, const struct call *call)
{
	const char *dir = call->option[OPTION_DIR], *given = call->option[OPTION_POSTFIX];
	struct config *config = postfix_tool_folders_fine(call) ? call_config(call) : NULL;
	if (config == NULL)
		return false;
	*about = (struct about){ .config = config,
				 .file = whole_path(call_config_file(call)),
				 .checks = dir == NULL ? NULL : whole_path(dir),
				 .postfix_dir = given == NULL ? NULL : whole_path(given) };
	about->wish = (struct postfix_wish){ config, about->file, about->checks, call->option[OPTION_QUEUE] };
	return true;
}

static int postfix_tool_about_end(struct about *about, int code)
{
	free(about->file);
	free(about->checks);
	free(about->postfix_dir);
	config_drop(&about->config);
	return code;
}

static int check_run(const struct call *call, struct about *about, enum check_form form)
{
	char error[600];
	int result = postfix_check(&about->wish, about->postfix_dir, form, stdout, error, sizeof error);
	return result < 0 ? complain(call, "%s", error) : result == 0 ? EXIT_FINE : EXIT_NO;
}

/* All parts, each under its name. The commands depend on what is there: without a Postfix there are none. */
static void postfix_tool_print_all(struct about *about, const struct postfix_wish *wish, const struct postfix *postfix)
{
	char error[600];
	for (int i = 0; i < POSTFIX_PART_COUNT; i++) {
		postfix_print_head(wish, (enum postfix_part)i, stdout);
		postfix_print(wish, (enum postfix_part)i, postfix, stdout);
		if (i == POSTFIX_COMMANDS &&
		    postfix_check(&about->wish, about->postfix_dir, CHECK_COMMANDS, stdout, error, sizeof error) < 0)
			printf("# %s\n", error);
	}
}

int postfix_print_run(const struct call *call)
{
	enum postfix_part part = POSTFIX_MAIN;
	struct about about;
	char error[600];
	if (call->count > 0 && !postfix_part_find(call->arguments[0], &part))
		return complain(call,
				"\"%.100s\": expected main, master, milter-header-checks, header-checks or "
				"commands",
				call->arguments[0]);
	if (!postfix_tool_about_read(&about, call))
		return EXIT_USAGE;
	if (call->count > 0 && part == POSTFIX_COMMANDS) {
		int code = check_run(call, &about, CHECK_COMMANDS);
		return postfix_tool_about_end(&about, code == EXIT_NO ? EXIT_FINE : code);
	}
	struct postfix *postfix = postfix_read(about.postfix_dir, error, sizeof error);
	struct postfix_wish wish = about.wish;
	wish.dir = wish.dir != NULL ? wish.dir : about.postfix_dir != NULL ? about.postfix_dir : POSTFIX_DIR;
	wish.queue = wish.queue != NULL ? wish.queue : POSTFIX_QUEUE;
	if (call->count > 0)
		postfix_print(&wish, part, postfix, stdout);
	else
		postfix_tool_print_all(&about, &wish, postfix);
	postfix_free(&postfix);
	return postfix_tool_about_end(&about, EXIT_FINE);
}

int postfix_check_run(const struct call *call)
{
	struct about about;
	bool json = call->option[OPTION_JSON] != NULL, commands = call->option[OPTION_COMMANDS] != NULL;
	if (json && commands)
		return complain(call, "--json and --commands: expected one of them");
	if (!postfix_tool_about_read(&about, call))
		return EXIT_USAGE;
	return postfix_tool_about_end(&about, check_run(call, &about,
							json	   ? CHECK_JSON
							: commands ? CHECK_COMMANDS
								   : CHECK_TEXT));
}

int postfix_remove_run(const struct call *call)
{
	struct about about;
	char error[600];
	if (!postfix_tool_about_read(&about, call))
		return EXIT_USAGE;
	int result = postfix_remove(&about.wish, about.postfix_dir, stdout, error, sizeof error);
	return postfix_tool_about_end(&about, result < 0 ? complain(call, "%s", error) : EXIT_FINE);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/throttle/throttle_command.h"

#include "milter/clients/study.h"
#include "milter/ctl/throttle/throttle_export.h"
#include "milter/ctl/throttle/throttle_form.h"
#include "milter/ctl/throttle/throttle_show.h"
#include "milter/ctl/tool/progress.h"
#include "policy/base/text.h"

#include <time.h>

#include "policy/base/banned.h"

enum { DAYS_MOST = 3660 };

static void throttle_command_progress(int64_t done, int64_t total)
{
	const struct progress progress = {
		.what = "history", .done = done * 100 / total, .total = 100, .unit = "parts"
	};
	progress_show(&progress);
}

/* What the options and the configuration say. The configuration is not read where --state names the folder: a history
 * of another host is studied, too. */
static bool throttle_command_ask(const struct call *call, struct config **config_out, struct study_asked *asked)
{
	const char *days = call->option[OPTION_DAYS], *state = call->option[OPTION_STATE];
	*config_out = NULL;
	*asked = (struct study_asked){ .now_s = (int64_t)time(NULL), .progress = throttle_command_progress };
	if (days != NULL && !text_to_int(days, 1, DAYS_MOST, &asked->days)) {
		complain(call, "--days \"%.100s\": expected a whole number from 1 to %d", days, DAYS_MOST);
		return false;
	}
	if (state == NULL) {
		*config_out = call_config(call);
		if (*config_out == NULL)
			return false;
	}
	asked->folder = state != NULL ? state : (*config_out)->set.clients_state;
	if (*asked->folder != '\0')
		return true;
	if (state != NULL)
		complain(call, "--state \"\": expected a folder");
	else
		complain(call, "clients.state is empty, so no history is kept; set it and clients.history_days, and "
			       "restart Penstock");
	return false;
}

static void throttle_command_none(const struct call *call, const struct config *config, const struct study_asked *asked,
				  const struct study *study)
{
	if (study->files > 0)
		complain(call, "%s has no row of a client %s", asked->folder,
			 asked->days > 0 ? "in the days that --days asks for" : "yet");
	else if (asked->days > 0 || study->foreign_files > 0)
		complain(call, "%s has no history that can be read%s", asked->folder,
			 asked->days > 0 ? " of the days that --days asks for" : "");
	else if (config == NULL)
		complain(call, "%s has no history; expected files such as history-2026-11-28", asked->folder);
	else if (config->set.clients_history_days == 0)
		complain(call,
			 "%s has no history: clients.history_days is 0. Set it to 90, say, restart Penstock, and look "
			 "again in a few weeks",
			 asked->folder);
	else
		complain(call,
			 "%s has no history yet. The daemon writes it as soon as a client is refused by a list, made "
			 "to wait, or its mail taken: was Penstock restarted since clients.history_days was set, and "
			 "does "
			 "penstock-follow run (penstockctl status)?",
			 asked->folder);
}

static void throttle_command_warn_count(const struct call *call, uint64_t count, const char *one, const char *many)
{
	char number[THROTTLE_FORM_MAX];
	if (count > 0)
		complain(call, "%s %s", throttle_form_count(number, count), count == 1 ? one : many);
}

/* What the files lack; the report goes on without. */
static void throttle_command_warn(const struct call *call, const struct config *config, const struct study *study)
{
	throttle_command_warn_count(call, study->damaged_rows, "row is damaged, and was not counted",
				    "rows are damaged, and were not counted");
	throttle_command_warn_count(
		call, study->other_rows,
		"row has a time that is not of its day, of the period, or yet to come, and was not "
		"counted",
		"rows have a time that is not of their day, of the period, or yet to come, and were "
		"not counted");
	throttle_command_warn_count(call, (uint64_t)study->foreign_files,
				    "file does not begin as a file of the history does, and was not read",
				    "files do not begin as files of the history do, and were not read");
	throttle_command_warn_count(call, (uint64_t)study->cut_files,
				    "file ends within a row: the daemon or the host crashed, or the disk was full",
				    "files end within a row: the daemon or the host crashed, or the disk was full");
	throttle_command_warn_count(call, (uint64_t)study->missing_days, "day has no file: nobody wrote then",
				    "days have no file: nobody wrote then");
	if (config != NULL && study->files > 0 && config->set.clients_history_days == 0)
		complain(call, "clients.history_days is 0 now: this history is not continued");
}

int throttle_command_run(const struct call *call)
{
	struct config *config;
	struct study_asked asked;
	struct study study;
	char error[600];
	int code = EXIT_USAGE;
	bool fine = throttle_command_ask(call, &config, &asked);
	if (fine) {
		progress_begin();
		fine = study_read(&asked, &study, error, sizeof error);
		progress_wipe();
		if (!fine)
			complain(call, "%s", error);
	}
	if (fine) {
		throttle_command_warn(call, config, &study);
		if (study.rows == 0) {
			throttle_command_none(call, config, &asked, &study);
		} else if (call->option[OPTION_JSON] != NULL) {
			json_t *json = throttle_export(&study);
			call_print_json(json, stdout);
			json_decref(json);
			code = EXIT_FINE;
		} else {
			throttle_show(&study, stdout);
			code = EXIT_FINE;
		}
	}
	if (config != NULL)
		config_drop(&config);
	return code;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/call.h"

#include "milter/config/config.h"
#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/memory.h"
#include "policy/base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* The daemon begins a refusal with the word of its command ("account.limit: "), which the command line has named
 * already. */
static const char *call_without_command(const struct call *call, const char *sentence)
{
	size_t first = call->words == NULL ? 0 : strcspn(call->words, " ");
	size_t length = strspn(sentence, "abcdefghijklmnopqrstuvwxyz.");
	bool named =
		first > 0 && strncmp(sentence, call->words, first) == 0 && (length == first || sentence[first] == '.');
	return named && strncmp(sentence + length, ": ", 2) == 0 ? sentence + length + 2 : sentence;
}

int complain(const struct call *call, const char *format, ...)
{
	char sentence[1200];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	fputs("penstockctl: ", stderr);
	if (call->words != NULL)
		fprintf(stderr, "%s: ", call->words);
	clean_print(stderr, call_without_command(call, sentence));
	fputc('\n', stderr);
	return EXIT_USAGE;
}

int64_t call_seconds(const char *text)
{
	static const char letters[] = "smhd";
	static const int64_t of[] = { 1, 60, 3600, 86400 };
	char number[32];
	size_t length = strlen(text);
	const char *unit = length > 1 ? strchr(letters, text[length - 1]) : NULL;
	int64_t factor = unit == NULL ? 1 : of[unit - letters], count;
	if (!text_copy(number, sizeof number, text))
		return -1;
	if (unit != NULL)
		number[length - 1] = '\0';
	return text_to_int(number, 1, CALL_DAYS_MAX * INT64_C(86400) / factor, &count) ? count * factor : -1;
}

void call_print_json(const json_t *json, FILE *to)
{
	json_dumpf(json, to, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
	fputc('\n', to);
}

const char *call_config_file(const struct call *call)
{
	const char *given = call->option[OPTION_CONFIG];
	return given != NULL ? given : SYSCONFDIR "/penstock/penstock.conf";
}

/* The default of an option of the configuration file. */
static const char *call_setting_default(const char *path)
{
	/* clang-format off */
	static const struct { const char *path, *text; } settings[] = {
#define SETTING_DEFAULT(path, member, type, text, least, most, help) { path, text },
		SETTING_ROWS(SETTING_DEFAULT, SETTING_DEFAULT)
#undef SETTING_DEFAULT
	};
	/* clang-format on */
	size_t i = 0;
	while (i + 1 < sizeof settings / sizeof settings[0] && strcmp(settings[i].path, path) != 0)
		i++;
	return settings[i].text;
}

struct config *call_config(const struct call *call)
{
	char error[CONFIG_ERROR_MAX];
	struct config *config = config_load(call_config_file(call), error);
	if (config == NULL)
		complain(call, "%s", error);
	return config;
}

char *call_socket(const struct call *call)
{
	char error[CONFIG_ERROR_MAX];
	if (call->option[OPTION_SOCKET] != NULL)
		return have_memory(strdup(call->option[OPTION_SOCKET]));
	const char *file = call_config_file(call), *usual = call_setting_default("control.socket");
	struct config *config = config_load(file, error);
	if (config != NULL) {
		char *path = have_memory(strdup(config->set.control_socket));
		config_drop(&config);
		return path;
	}
	/* after a reload that failed, the daemon knows what the mistake is: status has to reach it */
	char *path = config_string(file, "control.socket", usual);
	if (path == NULL && call->option[OPTION_CONFIG] != NULL) {
		complain(call, "%s", error);
		return NULL;
	}
	if (access(path != NULL ? path : usual, F_OK) != 0 && errno == ENOENT) {
		complain(call,
			 path != NULL
				 ? "%s; and its control.socket %s does not exist"
				 : "%s; so control.socket is not known, and its default %s does not exist; name it "
				   "with -s",
			 error, path != NULL ? path : usual);
		free(path);
		return NULL;
	}
	return path != NULL ? path : have_memory(strdup(usual));
}

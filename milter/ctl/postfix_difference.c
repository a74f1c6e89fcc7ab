/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix_difference.h"

#include "milter/ctl/memory.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

char *check_fix_postconf(const struct check *check, const char *option, const char *setting)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_postconf(check->dir, option, setting, to);
	fclose(to);
	return command;
}

char *check_fix_main(const struct check *check, const char *name, const char *value)
{
	char setting[4096];
	int length = snprintf(setting, sizeof setting, "%s = %s", name, value);
	return *value == '\0' || length >= (int)sizeof setting ? NULL : check_fix_postconf(check, "-e", setting);
}

/* Of main.cf where `service` is NULL, else of that service in master.cf. */
char *check_fix_setting(const struct check *check, const char *service, const char *name, const char *value)
{
	char setting[4096];
	if (service == NULL)
		return check_fix_main(check, name, value);
	int length = snprintf(setting, sizeof setting, "%s/%s=%s", service, name, value);
	return *value == '\0' || length >= (int)sizeof setting ? NULL : check_fix_postconf(check, "-P", setting);
}

const char *check_file_of(const char *service)
{
	return service == NULL ? "main.cf" : "master.cf";
}

/* "clean-1/unix: smtp_header_checks", or the name alone for main.cf. */
void check_name_setting(char *what, size_t size, const char *service, const char *name)
{
	snprintf(what, size, "%s%s%s", service == NULL ? "" : service, service == NULL ? "" : ": ", name);
}

void check_append(char *value, size_t size, const char *list, const char *ours)
{
	int length = snprintf(value, size, "%s%s%s", list, *list == '\0' ? "" : ", ", ours);
	if (length >= (int)size)
		*value = '\0';
}

char *check_fix_file(const struct check *check, enum postfix_part part)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_file_command(&check->wish, part, to);
	fclose(to);
	return command;
}

void check_report(struct check *check, struct finding finding, char *fix)
{
	finding.fix = fix;
	findings_add(check->findings, &finding);
	free(fix);
}

const struct postfix_line *check_wanted(const struct check *check, const char *name)
{
	for (int i = 0; i < check->line_count; i++)
		if (strcmp(check->lines[i].name, name) == 0)
			return &check->lines[i];
	return NULL;
}

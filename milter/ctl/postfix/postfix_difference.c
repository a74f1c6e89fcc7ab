/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/postfix_difference.h"

#include "milter/ctl/tool/memory.h"

#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

char *check_fix_postconf(const struct postfix_check *check, const char *option, const char *setting)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_postconf(check->dir, option, setting, to);
	fclose(to);
	return command;
}

static char *check_fix_main(const struct postfix_check *check, const char *name, const char *value)
{
	char setting[4096];
	int length = snprintf(setting, sizeof setting, "%s = %s", name, value);
	return *value == '\0' || length >= (int)sizeof setting ? NULL : check_fix_postconf(check, "-e", setting);
}

/* postconf -P takes no blanks: those of a list become its commas. False where one stands for itself: in braces, between
 * words. */
static bool difference_without_blanks(const char *value, char *to, size_t size)
{
	size_t length = 0;
	int depth = 0;
	for (const char *at = value; *at != '\0'; at++) {
		char before = length == 0 ? ',' : to[length - 1];
		const char *next = at + strspn(at, " \t");
		bool blank = next > at, idle = strchr(",{", before) != NULL || strchr(",}", *next) != NULL;
		if (blank && !idle && depth > 0)
			return false;
		depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
		if (length + 2 > size)
			return false;
		if (!blank)
			to[length++] = *at;
		else if (!idle)
			to[length++] = ',';
		at = blank ? next - 1 : at;
	}
	to[length] = '\0';
	return true;
}

/* Of main.cf where `service` is NULL, else of that service in master.cf. */
char *check_fix_setting(const struct postfix_check *check, const char *service, const char *name, const char *value)
{
	char setting[4096], plain[3500];
	if (service == NULL)
		return check_fix_main(check, name, value);
	if (*value == '\0' || !difference_without_blanks(value, plain, sizeof plain))
		return NULL;
	int length = snprintf(setting, sizeof setting, "%s/%s=%s", service, name, plain);
	return length >= (int)sizeof setting ? NULL : check_fix_postconf(check, "-P", setting);
}

char *check_fix_set(const struct postfix_check *check, const char *service, const char *name, const char *value)
{
	char setting[4096];
	if (*value != '\0')
		return check_fix_setting(check, service, name, value);
	if (service == NULL)
		return check_fix_postconf(check, "-X", name);
	snprintf(setting, sizeof setting, "%s/%s=", service, name);
	return check_fix_postconf(check, "-P", setting);
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

const char *check_raw(const struct postfix_check *check, const char *service, const char *name)
{
	const char *raw = postfix_raw(check->postfix, service, name);
	return raw == NULL ? "" : raw;
}

bool check_cut(char *value, size_t size, const char *list, const char *at, const char *end)
{
	static const char between[] = ", \t\r\n";
	size_t before = (size_t)(at - list);
	end += strspn(end, between);
	while (*end == '\0' && before > 0 && strchr(between, list[before - 1]) != NULL)
		before--;
	return snprintf(value, size, "%.*s%s", (int)before, list, end) < (int)size;
}

const struct postfix_service *check_next_service(const struct postfix_check *check, const char *command, size_t *index)
{
	const struct postfix_service *service;
	while ((service = postfix_service(check->postfix, (*index)++)) != NULL)
		if (strcmp(service->command, command) == 0)
			return service;
	return NULL;
}

char *check_fix_file(const struct postfix_check *check, enum postfix_part part)
{
	char *command = NULL;
	size_t size = 0;
	FILE *to = have_memory(open_memstream(&command, &size));
	postfix_print_file_command(&check->wish, part, to);
	fclose(to);
	return command;
}

void check_report(struct postfix_check *check, struct finding finding, char *fix)
{
	finding.fix = fix;
	findings_add(check->findings, &finding);
	free(fix);
}

const struct postfix_line *check_wanted(const struct postfix_check *check, const char *name)
{
	for (int i = 0; i < check->line_count; i++)
		if (strcmp(check->lines[i].name, name) == 0)
			return &check->lines[i];
	return NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Takes the place of milter/base/log.c.
 */
#include "milter/base/log.h"

#include "t/fake/fake.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

enum { LINE_MAX_BYTES = 4096, SHOWN_MOST = 10 };

struct line {
	struct line *next;
	char text[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct line *first, **last = &first, **marked = &first;

void log_open(enum log_target target, enum log_facility facility)
{
	(void)target;
	(void)facility;
}

bool log_start(void)
{
	return true;
}

void log_end(void)
{
}

struct log_stats log_stats(void)
{
	return (struct log_stats){ 0 };
}

void log_line(enum severity severity, const char *format, ...)
{
	static const char *const words[] = {
		[SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning", [SEVERITY_ERROR] = "error"
	};
	char text[LINE_MAX_BYTES];
	va_list values;
	int length = snprintf(text, sizeof text, "%s: ", words[severity]);
	va_start(values, format);
	vsnprintf(text + length, sizeof text - (size_t)length, format, values);
	va_end(values);
	size_t size = strlen(text) + 1;
	struct line *line = malloc(sizeof *line + size);
	if (line == NULL)
		abort();
	line->next = NULL;
	memcpy(line->text, text, size);
	pthread_mutex_lock(&lock);
	*last = line;
	last = &line->next;
	pthread_mutex_unlock(&lock);
}

void fake_log_mark(void)
{
	pthread_mutex_lock(&lock);
	marked = last;
	pthread_mutex_unlock(&lock);
}

static int count_from(const struct line *line, const char *part)
{
	int count = 0;
	for (; line != NULL; line = line->next)
		count += strstr(line->text, part) != NULL;
	return count;
}

bool fake_log_find(const char *part)
{
	pthread_mutex_lock(&lock);
	int count = count_from(*marked, part);
	pthread_mutex_unlock(&lock);
	return count > 0;
}

int fake_log_count(const char *part)
{
	pthread_mutex_lock(&lock);
	int count = count_from(first, part);
	pthread_mutex_unlock(&lock);
	return count;
}

void fake_log_show(const char *before)
{
	pthread_mutex_lock(&lock);
	int left = count_from(*marked, "");
	for (const struct line *line = *marked; line != NULL; line = line->next)
		if (left-- <= SHOWN_MOST)
			printf("%s%s\n", before, line->text);
	pthread_mutex_unlock(&lock);
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/trouble.h"

#include "milter/base/log.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/base/banned.h"

static pthread_mutex_t troubles_lock = PTHREAD_MUTEX_INITIALIZER;
static char troubles[TROUBLE_COUNT][TROUBLE_TEXT_MAX]; /* "": none */

const char *trouble_word(enum trouble trouble)
{
	static const char *const words[] = {
#define TROUBLE_WORD(id, word) [TROUBLE_##id] = word,
		TROUBLE_ROWS(TROUBLE_WORD)
#undef TROUBLE_WORD
	};
	return words[trouble];
}

void trouble_set(enum trouble trouble, const char *format, ...)
{
	char said[TROUBLE_TEXT_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(said, sizeof said, format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&troubles_lock);
	bool new = strcmp(troubles[trouble], said) != 0;
	text_copy(troubles[trouble], sizeof troubles[trouble], said);
	pthread_mutex_unlock(&troubles_lock);
	if (new)
		log_line(SEVERITY_WARNING, "%s", said);
}

void trouble_clear(enum trouble trouble)
{
	pthread_mutex_lock(&troubles_lock);
	bool was = troubles[trouble][0] != '\0';
	troubles[trouble][0] = '\0';
	pthread_mutex_unlock(&troubles_lock);
	if (was)
		log_line(SEVERITY_INFO, "%s: it works again", trouble_word(trouble));
}

bool trouble_is(enum trouble trouble, char text[TROUBLE_TEXT_MAX])
{
	pthread_mutex_lock(&troubles_lock);
	bool is = troubles[trouble][0] != '\0';
	if (text != NULL)
		text_copy(text, TROUBLE_TEXT_MAX, troubles[trouble]);
	pthread_mutex_unlock(&troubles_lock);
	return is;
}

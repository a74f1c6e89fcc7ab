/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/daemon/mailers.h"

#include "milter/base/log.h"
#include "policy/base/text.h"

#include <pthread.h>
#include <stdbool.h>

#include "policy/base/banned.h"

static pthread_mutex_t strange_lock = PTHREAD_MUTEX_INITIALIZER;
static struct mailers_strange strange;

static bool mailers_is_named(const char *name)
{
	for (int i = 0; i < strange.count && i < MAILERS_STRANGE_MAX; i++)
		if (text_same_nocase(strange.names[i], name))
			return true;
	return false;
}

void mailers_note(const char *mailer)
{
	char name[MAILER_NAME_MAX + 1];
	text_copy(name, sizeof name, mailer);
	pthread_mutex_lock(&strange_lock);
	int at = strange.count <= MAILERS_STRANGE_MAX && !mailers_is_named(name) ? strange.count++ : -1;
	if (at >= 0 && at < MAILERS_STRANGE_MAX)
		text_copy(strange.names[at], sizeof name, name);
	pthread_mutex_unlock(&strange_lock);
	if (at == MAILERS_STRANGE_MAX)
		log_line(SEVERITY_WARNING, "postfix: more mailers are neither in postfix.remote_mailers nor in "
					   "postfix.local_mailers; they are not named");
	else if (at >= 0)
		log_line(SEVERITY_WARNING,
			 "postfix: mailer \"%s\" is neither in postfix.remote_mailers nor in "
			 "postfix.local_mailers: its recipients count as leaving, and their mail is not marked",
			 name);
}

void mailers_forget(void)
{
	pthread_mutex_lock(&strange_lock);
	strange.count = 0;
	pthread_mutex_unlock(&strange_lock);
}

struct mailers_strange mailers_strange(void)
{
	pthread_mutex_lock(&strange_lock);
	struct mailers_strange copy = strange;
	pthread_mutex_unlock(&strange_lock);
	return copy;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/start/permission.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/base/banned.h"

enum { LINE_MOST = 3 * PATH_MAX + 300 };

/* The group that may read what the daemon must: its account's. */
static const char *reading_group(const char *user)
{
	const struct passwd *account = *user != '\0' ? getpwnam(user) : NULL;
	const struct group *group = account != NULL ? getgrgid(account->pw_gid) : NULL;
	return group != NULL ? group->gr_name : *user != '\0' ? user : "root";
}

struct permission_file {
	const char *name;
	const char *secret; /* what others must not read in it; NULL: nothing */
	const char *owner;
};

static void permission_check_file(const struct permission_file *file, const char *user, void (*say)(const char *line))
{
	struct stat now;
	char line[LINE_MOST];
	const char *name = file->name;
	if (*name == '\0' || stat(name, &now) != 0 || !S_ISREG(now.st_mode))
		return;
	unsigned mode = now.st_mode & 07777;
	if (file->secret != NULL && (mode & S_IROTH) != 0)
		snprintf(line, sizeof line,
			 "%s holds %s, and its mode is %04o: everybody on this host can read it; expected 0640: chown "
			 "%s:%s %s; chmod 640 %s",
			 name, file->secret, mode, file->owner, reading_group(user), name, name);
	else if ((mode & (S_IWGRP | S_IWOTH)) != 0)
		snprintf(line, sizeof line,
			 "%s has mode %04o: others than its owner can change it; expected at most %s: chmod g-w,o-w %s",
			 name, mode, file->secret != NULL ? "0640" : "0644", name);
	else
		return;
	say(line);
}

/* An address that has a user's name or a query has the password with it. */
static const char *secret_of(const struct config *config)
{
	if (config->secret == NULL && strpbrk(config->set.webhook_url, "@?") != NULL)
		return "a key in webhook.url";
	return config->secret;
}

void permission_check(const struct config *config, const char *file, void (*say)(const char *line))
{
	const struct settings *set = &config->set;
	const struct permission_file files[] = {
		{ file, secret_of(config), "root" },
		{ config->catalogue_file, NULL, "root" },
		{ set->accounts_passwd, NULL, "root" },
		{ set->traps_file, "addresses of traps", "root" },
		{ set->webhook_ca_file, NULL, "root" },
		{ set->facts_file, "who writes to whom", *set->user != '\0' ? set->user : "root" },
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		permission_check_file(&files[i], set->user, say);
}

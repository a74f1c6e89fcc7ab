/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/base/banned.h"

/* A file made in a folder with the set-group-ID bit has the group already; to say so again wants rights all the same.
 */
static bool privilege_give_to_group(const char *path, const char *group, char *error, size_t error_size)
{
	struct stat now;
	struct group *found = getgrnam(group);
	if (found != NULL && stat(path, &now) == 0 && now.st_gid == found->gr_gid)
		return true;
	if (found != NULL && chown(path, (uid_t)-1, found->gr_gid) == 0)
		return true;
	snprintf(error, error_size, "%s: cannot give it to group \"%s\": %s", path, group,
		 found == NULL	  ? "there is no such group"
		 : errno == EPERM ? "the daemon's account is not in it, and its folder has not that group and mode 2750"
				  : strerror(errno));
	return false;
}

unsigned privilege_mode(const char *digits)
{
	return (unsigned)strtoul(digits, NULL, 8);
}

bool privilege_share(const char *path, unsigned mode, const char *group, char *error, size_t error_size)
{
	if (*group != '\0' && !privilege_give_to_group(path, group, error, error_size))
		return false;
	if (chmod(path, mode) == 0)
		return true;
	snprintf(error, error_size, "%s: chmod: %s", path, strerror(errno));
	return false;
}

bool privilege_user(const char *user, char *error, size_t error_size)
{
	if (*user == '\0' || getpwnam(user) != NULL)
		return true;
	snprintf(error, error_size,
		 "user is \"%s\": there is no such account; make it (useradd --system %s) or name another", user, user);
	return false;
}

bool privilege_group(const char *group, char *error, size_t error_size)
{
	if (*group == '\0' || getgrnam(group) != NULL)
		return true;
	snprintf(error, error_size, "\"%s\": there is no such group; expected Postfix's, \"postfix\"", group);
	return false;
}

bool privilege_other(const char *user)
{
	const struct passwd *found = *user != '\0' && geteuid() != 0 ? getpwnam(user) : NULL;
	return found != NULL && found->pw_uid != geteuid();
}

bool privilege_drop(const char *user, const char *keep, char *error, size_t error_size)
{
	if (*user == '\0' || geteuid() != 0)
		return true;
	if (!privilege_user(user, error, error_size))
		return false;
	struct passwd *found = getpwnam(user);
	if ((*keep == '\0' || chown(keep, found->pw_uid, found->pw_gid) == 0) && initgroups(user, found->pw_gid) == 0 &&
	    setgid(found->pw_gid) == 0 && setuid(found->pw_uid) == 0 && (found->pw_uid == 0 || setuid(0) != 0))
		return true;
	snprintf(error, error_size, "cannot become user \"%s\": %s", user, strerror(errno));
	return false;
}

uint64_t privilege_files(uint64_t wanted)
{
	struct rlimit limit, now;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return wanted;
	if (limit.rlim_max < wanted && geteuid() == 0)
		limit.rlim_max = wanted;
	limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &now);
	if (now.rlim_cur < now.rlim_max &&
	    now.rlim_cur < wanted) { /* a container may keep root from raising the hard one */
		now.rlim_cur = now.rlim_max;
		setrlimit(RLIMIT_NOFILE, &now);
		getrlimit(RLIMIT_NOFILE, &now);
	}
	return now.rlim_cur;
}

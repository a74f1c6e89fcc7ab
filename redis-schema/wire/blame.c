/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/blame.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "policy/base/banned.h"

/* clang-format off */
static const struct {
	const char *words; /* the text begins with them */
	enum blame blame;
} rows[] = {
	{ "READONLY", BLAME_SERVER },    /* replica */
	{ "LOADING", BLAME_SERVER },     /* starting */
	{ "OOM", BLAME_SERVER },         /* full */
	{ "MASTERDOWN", BLAME_SERVER },  /* stale */
	{ "NOREPLICAS", BLAME_SERVER },  /* alone */
	{ "MISCONF", BLAME_SERVER },     /* unsaved */
	{ "BUSY", BLAME_SERVER },        /* stuck; BUSYKEY and BUSYGROUP are other words */
	{ "NOAUTH", BLAME_SERVER },      /* locked */
	{ "WRONGPASS", BLAME_SERVER },   /* locked */
	{ "CLUSTERDOWN", BLAME_SERVER }, /* parted */
	{ "TRYAGAIN", BLAME_SERVER },    /* moving */
	{ "MOVED", BLAME_SERVER },       /* elsewhere */
	{ "ASK", BLAME_SERVER },         /* elsewhere */
	{ "ERR max number of clients reached", BLAME_SERVER }, /* crowded */

	{ "WRONGTYPE", BLAME_KEY },
	{ "ERR hash value is not", BLAME_KEY },
	{ "ERR value is not an integer", BLAME_KEY },
	{ "ERR value is not a valid float", BLAME_KEY },
	{ "ERR increment or decrement would overflow", BLAME_KEY },
	{ "ERR increment would produce NaN or Infinity", BLAME_KEY },
	{ "ERR The stream has exhausted the last possible ID", BLAME_KEY },

	{ "NOSCRIPT", BLAME_SCRIPT },

	{ "NOPERM", BLAME_USER },
	{ "ERR ACL failure in script", BLAME_USER },         /* Redis 7.2 */
	{ "ERR The user executing the script", BLAME_USER }, /* Redis 7.0 */
	{ "The user executing the script", BLAME_USER },     /* Redis 6, behind its own words */
};
/* clang-format on */

/* Redis 6 says an error of a command that a script called as "ERR Error running script (call to f_SHA):
 * @user_script:1: WRONGTYPE ...", some with a "-" before the word. */
static const char *blame_inner(const char *error)
{
	static const char outer[] = "ERR Error running script", place[] = "user_script:";
	if (strncmp(error, outer, sizeof outer - 1) != 0)
		return error;
	const char *at = strstr(error, place);
	if (at == NULL)
		return error;
	at += sizeof place - 1;
	while (*at == ' ' || isdigit((unsigned char)*at))
		at++;
	while (*at == ':' || *at == ' ' || *at == '-')
		at++;
	return at;
}

enum blame blame_of(const char *error)
{
	const char *inner = blame_inner(error);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t length = strlen(rows[i].words);
		if (strncmp(inner, rows[i].words, length) == 0 && !isalnum((unsigned char)inner[length]))
			return rows[i].blame;
	}
	return BLAME_COMMAND;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "redis-schema/wire/blame.h"

#include "t/unit/tap.h"

#include <stddef.h>

#define IN_REDIS_6 "ERR Error running script (call to f_583f74c88e13ef11248f548e6a0be0b3d1099df4): @user_script:1: "
#define OF_REDIS_7 " script: 583f74c88e13ef11248f548e6a0be0b3d1099df4, on @user_script:1."

/* As Redis 7.0.15 says them, where nothing else is said. */
/* clang-format off */
static const struct {
	const char *error;
	enum blame want;
} rows[] = {
	{ "READONLY You can't write against a read only replica.", BLAME_SERVER },
	{ "READONLY You can't write against a read only replica." OF_REDIS_7, BLAME_SERVER },
	{ IN_REDIS_6 "-READONLY You can't write against a read only replica.", BLAME_SERVER },
	{ "ERR Error running script (call to f_1): @user_script: 12: -OOM command not allowed", BLAME_SERVER },
	{ "LOADING Redis is loading the dataset in memory", BLAME_SERVER },
	{ "LOADING", BLAME_SERVER },
	{ "OOM command not allowed when used memory > 'maxmemory'.", BLAME_SERVER },
	{ "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", BLAME_SERVER },
	{ "NOREPLICAS Not enough good replicas to write.", BLAME_SERVER },
	{ "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", BLAME_SERVER },
	{ "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", BLAME_SERVER },
	{ "NOAUTH Authentication required.", BLAME_SERVER },
	{ "WRONGPASS invalid username-password pair or user is disabled.", BLAME_SERVER },
	{ "CLUSTERDOWN Hash slot not served", BLAME_SERVER },
	{ "TRYAGAIN Multiple keys request during rehashing of slot", BLAME_SERVER },
	{ "MOVED 3999 127.0.0.1:6381", BLAME_SERVER },
	{ "ASK 3999 127.0.0.1:6381", BLAME_SERVER },
	{ "ERR max number of clients reached", BLAME_SERVER },

	{ "WRONGTYPE Operation against a key holding the wrong kind of value", BLAME_KEY },
	{ "WRONGTYPE Operation against a key holding the wrong kind of value" OF_REDIS_7, BLAME_KEY },
	{ IN_REDIS_6 "WRONGTYPE Operation against a key holding the wrong kind of value", BLAME_KEY },
	{ "WRONGTYPE Key is not a valid HyperLogLog string value.", BLAME_KEY },
	{ "ERR hash value is not an integer", BLAME_KEY },
	{ "ERR hash value is not an integer" OF_REDIS_7, BLAME_KEY },
	{ IN_REDIS_6 "ERR hash value is not an integer", BLAME_KEY },
	{ "ERR hash value is not a float", BLAME_KEY },
	{ "ERR value is not an integer or out of range", BLAME_KEY },
	{ "ERR value is not a valid float", BLAME_KEY },
	{ "ERR increment or decrement would overflow", BLAME_KEY },
	{ "ERR The stream has exhausted the last possible ID, unable to add more items", BLAME_KEY },

	{ "NOSCRIPT No matching script. Please use EVAL.", BLAME_SCRIPT },

	{ "NOPERM this user has no permissions to run the 'hset' command", BLAME_USER },
	{ "NOPERM this user has no permissions to access one of the keys used as arguments", BLAME_USER },
	{ "ERR The user executing the script can't run this command or subcommand" OF_REDIS_7, BLAME_USER },
	{ "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
	  BLAME_USER },
	{ IN_REDIS_6 "The user executing the script can't run this command or subcommand", BLAME_USER },
	{ "ERR ACL failure in script: User u has no permissions to run the 'hset' command" OF_REDIS_7, BLAME_USER },

	{ "ERR unknown command 'NOSUCH', with args beginning with: ", BLAME_COMMAND },
	{ "ERR wrong number of arguments for 'hset' command", BLAME_COMMAND },
	{ "ERR bit is not an integer or out of range", BLAME_COMMAND }, /* a word of the request */
	{ "ERR bit offset is not an integer or out of range", BLAME_COMMAND },
	{ "ERR Unknown Redis command called from script" OF_REDIS_7, BLAME_COMMAND },
	{ IN_REDIS_6 "Unknown Redis command called from Lua script", BLAME_COMMAND },
	{ "ERR Error running script", BLAME_COMMAND },
	{ "ERR Error running script (call to f_1): @user_script:", BLAME_COMMAND },
	{ "ERR syntax error", BLAME_COMMAND },
	{ "CROSSSLOT Keys in request don't hash to the same slot", BLAME_COMMAND },
	{ "BUSYKEY Target key name already exists.", BLAME_COMMAND },
	{ "BUSYGROUP Consumer Group name already exists", BLAME_COMMAND },
	{ "ASKING", BLAME_COMMAND },
	{ "OOMPH", BLAME_COMMAND },
	{ "said of a WRONGTYPE", BLAME_COMMAND },
	{ "", BLAME_COMMAND },
};
/* clang-format on */

int main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		is_int(blame_of(rows[i].error), rows[i].want, "%s", rows[i].error);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said of a wrong configuration file: its place, the option, the value, and what was expected.
 */
#include "milter/config/config.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static char error[CONFIG_ERROR_MAX];

static struct config *load(const char *text, size_t length, char file[40])
{
	snprintf(file, 40, "/tmp/penstock-config-XXXXXX");
	int fd = mkstemp(file);
	if (fd < 0 || write(fd, text, length) != (ssize_t)length)
		printf("Bail out! %s cannot be written\n", file);
	close(fd);
	struct config *config = config_load(file, error);
	unlink(file);
	return config;
}

/* `said`: the error behind the file's name */
/* clang-format off */
static const struct {
	const char *text, *said;
} rows[] = {
	{ "\nredis: {\n server = \"127.0.0.1:6379\";\n\nplans = ( );\n",
	  ":2: '{' is never closed: expected '}' before the end of the file" },
	{ "\nplans = ( { name = \"a\"; rcpts_per_hour = 5; \n);\n",
	  ":3: ')' is found, expected '}': the '{' of line 2 is still open" },
	{ "\nredis: { server = \"127.0.0.1:6379; };\n",
	  ":2: a string has no closing quote: expected \"...\" on one line" },
	{ "\nblocklists = [ \"a\", 5 ];\n",
	  ":2: an array has elements of several kinds, expected strings or numbers alone, or a list ( ... ); found "
	  "at or before: blocklists = [ \"...\", 5 ];" },
	{ "\nblocklists = [ { list = \"x\" } ];\n",
	  ":2: syntax error, expected NAME = VALUE or NAME: { ... }; found at or before: blocklists = [ { list = "
	  "\"...\" } ];" },
	{ "\nredis_typo: { };\n",
	  ":2: unknown option \"redis_typo\"; see penstock.conf(5)" },
	{ "\nredis: { sever = \"x\"; };\n",
	  ":2: unknown option \"sever\" in section redis; did you mean \"server\"?" },
	{ "\ndns: { timeout = 5; };\n",
	  ":2: unknown option \"timeout\" in section dns; did you mean \"timeout_ms\"?" },
	{ "\nplans = ( { name = \"a\"; rcpt_per_hour = 5; } );\n",
	  ":2: unknown option \"rcpt_per_hour\" in section plans[0]; did you mean \"rcpts_per_hour\"?" },
	{ "\nplans = ( { name = \"a\"; }, { name = \"a\"; } );\n",
	  ":2: plans[1] is a second plan \"a\", expected another name than that of line 2" },
	{ "\nfacts: { accounts = \"hashed\"; };\n",
	  ":2: facts.accounts is \"hashed\", and facts.salt has 0 bytes, expected at least 16" },
	{ "\nfacts: { accounts = \"hash\"; };\n",
	  ":2: facts.accounts is \"hash\", expected clear or hashed" },
	{ "log: {\n facility = \"local8\"; };\n",
	  ":2: log.facility is \"local8\", expected mail, daemon, local0, local1, local2, local3, local4, local5, "
	  "local6 or local7" },
	{ "log: {\n target = \"\"; };\n", ":2: log.target is \"\", expected syslog or stderr" },
	{ "redis: {\n on_failure = 1; };\n", ":2: redis.on_failure is a whole number, expected a string" },
	{ "\nfacts: { file = \"facts.log\"; };\n",
	  ":2: facts.file is \"facts.log\", expected an absolute path" },
	{ "\ntraps: { file = \"traps\"; };\n",
	  ":2: traps.file is \"traps\", expected an absolute path" },
	{ "\naccounts: { passwd = \"passwd\"; };\n",
	  ":2: accounts.passwd is \"passwd\", expected an absolute path" },
	{ "\nredis: { database = 99999999999; };\n",
	  ":2: database: 99999999999 is too large: expected at most 2147483647, or an L behind it" },
	{ "\nredis: { database = 0x1ffffffff; };\n",
	  ":2: database: 0x1ffffffff is too large: expected at most 2147483647, or an L behind it" },
	{ "\nplans = ( { name = \"a\"; msgs_per_hour = 9999999999L; } );\n",
	  ":2: plans[0].msgs_per_hour is 9999999999, expected -1 to 1000000000" },
	{ "\nshadow = [ \"limit\" ];\n",
	  ":2: shadow[0] is \"limit\", expected store, admin_block, listed, spf_client, rcpts_per_message, limits, "
	  "content, signals, level, quit, pool or all; did you mean \"limits\"?" },
	{ "\nsignals = ( { signal = \"brust\"; } );\n",
	  ":2: signals[0].signal is \"brust\", expected a signal of penstock.conf(5); did you mean \"burst\"?" },
	{ "\nsignals = ( { signal = \"burst\"; }, { signal = \"burst\"; } );\n",
	  ":2: signals[1] is a second row of signal burst, expected one" },
	{ "\nshadow = [ \"limits\", \"limits\" ];\n",
	  ":2: shadow[1] is \"limits\" again, expected it once" },
	{ "\naccounts: { sources = []; };\n",
	  ":2: accounts.sources is empty, expected at least one of auth, certificate, network, uid and sender" },
	{ "\naccounts: { sources = [ \"auth\", \"auth\" ]; };\n",
	  ":2: accounts.sources[1] is \"auth\" again, expected it once" },
	{ "\naccounts: { own_networks = [ \"10.0.0.0/8\", \"10.0.0.0/8\" ]; };\n",
	  ":2: accounts.own_networks[1] is \"10.0.0.0/8\" again, expected it once" },
	{ "\nhttp: { hosts = [ \"a\", \"A\" ]; };\n",
	  ":2: http.hosts[1] is \"A\" again, expected it once" },
	{ "\ndns: { servers = [ \"127.0.0.1:53\", \"127.0.0.1:53\" ]; };\n",
	  ":2: dns.servers[1] is \"127.0.0.1:53\" again, expected it once" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\", \"good\"]; transports = ( { name = \"x\"; } ); } );\n",
	  ":2: pools[0].levels[1] is \"good\" again, expected it once" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( ); } );\n",
	  ":2: pools[0] has no transport, expected at least one" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"x\"; }, { name = \"x\"; } ); "
	  "} );\n",
	  ":2: pools[0].transports[1] is a second transport \"x\", expected another name than that of line 2" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"x\"; } ); },\n { name = \"q\"; "
	  "levels = [\"good\"]; transports = ( { name = \"y\"; } ); } );\n",
	  ":3: pools[1] is pool \"q\" with level good, which pool \"p\" of line 2 has, expected one pool for "
	  "each level" },
	{ "\npools = ( { name = \"p\"; levels = [5]; } );\n",
	  ":2: pools[0].levels[0] is a whole number, expected a string" },
	{ "\npools = ( { name = \"p\"; levels = [\"\"]; } );\n",
	  ":2: pools[0].levels[0] is \"\", expected good, new, suspect, blocked, bounce or forward" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"x\"; helo = \"out3_example "
	  "com\"; } ); } );\n",
	  ":2: pools[0].transports[0].helo is \"out3_example com\", expected a host name, or an address as "
	  "[192.0.2.1] or [IPv6:2001:db8::1]" },
	{ "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"smtp\"; } ); } );\n",
	  ":2: pools[0].transports[0].name is \"smtp\", a service of Postfix's own master.cf, which it would "
	  "replace; expected another name, as \"clean-1\"" },
	{ "\nredis: { server = \"unix:/a\\nb\"; };\n",
	  ":2: redis.server has a control character at byte 8, expected none" },
	{ "\ncontrol: { socket = \"/a\\tb\"; };\n",
	  ":2: control.socket has a control character at byte 3, expected none" },
	{ "\ntraps: { file = \"/a\\nb\"; };\n",
	  ":2: traps.file has a control character at byte 3, expected none" },
	{ "\nredis: { server = 5; };\n",
	  ":2: redis.server is a whole number, expected a string" },
	{ "\nredis = \"x\";\n",
	  ":2: redis is no section, expected redis: { ... };" },
	{ "\nplans = { name = \"x\"; };\n",
	  ":2: plans is a group { }, expected a list: [ \"...\" ] or ( { ... } )" },
	{ "\nmilter: { socket_mode = \"999\"; };\n",
	  ":2: milter.socket_mode is \"999\", expected three octal digits" },
	{ "\nmilter: { socket_mode = \"abc\"; };\n",
	  ":2: milter.socket_mode is \"abc\", expected three octal digits" },
	{ "\nlevels = ( { level = \"god\"; action = \"pass\"; } );\n",
	  ":2: levels[0].level is \"god\", expected good, new, suspect or blocked" },
	{ "\nlevels = ( { level = \"good\"; action = \"pas\"; } );\n",
	  ":2: levels[0].action is \"pas\", expected pass, warm, suspect, slow, defer, reject or hold" },
	{ "\nsocketmap: { listen = \"inet:1\"; };\n",
	  ":2: socketmap.listen is \"inet:1\": expected unix:/path, address:port or [v6]:port, the address in "
	  "numbers" },
	{ "\n@include \"x\"\n",
	  ":2: @include is not allowed: expected one file" },
	{ "\nuser2 : 5;\n",
	  ":2: unknown option \"user2\"; did you mean \"user\"?" },
	{ "\npools: { };\n",
	  ":2: pools is a group { }, expected a list: [ \"...\" ] or ( { ... } )" },
	{ "\naccounts: { own_networks = \"10.0.0.0/8\"; };\n",
	  ":2: accounts.own_networks is a string, expected a list: [ \"...\" ] or ( { ... } )" },
	{ "\nredis: { timeout_ms = 5.5; };\n",
	  ":2: redis.timeout_ms is a number, expected a whole number" },
	{ "\nmonitor: { weight = nan; };\n",
	  ":2: syntax error, expected NAME = VALUE or NAME: { ... }; found at or before: monitor: { weight = nan; };" },
	{ "\nmonitor: { weight = 1e400; };\n",
	  ":2: monitor.weight is inf, expected 0.01 to 1000" },
	{ "\nwebhook: { url = \"ftp://x\"; };\n",
	  ":2: webhook.url is not a web address, expected http://HOST/... or https://HOST/..., blanks and the like "
	  "written %XX" },
	{ "\n/* never ends\n",
	  ":2: a comment is never closed: expected */ behind its /*" },
	{ "\nredis: { server = \"x\"; } }\n",
	  ":2: '}' closes nothing: expected one opened before it" },
	{ "\nlimits: { domain_plan = \"d\"; };\nplans = ( { name = \"d\"; ramp_first_day = 5; } );\n",
	  ":3: plans[0] is plan \"d\", that of limits.domain_plan, and sets ramp_first_day, which is of accounts "
	  "alone; expected a plan without it" },
	{ "\nplans = (\n{ name = \"forward\"; ramp_first_day = 5; } );\n",
	  ":3: plans[0] is plan \"forward\", that of class forward, and sets ramp_first_day, which is of accounts "
	  "alone; expected a plan without it" },
	{ "\nscanners = ( { name = \"s\"; address = \"127.0.0.1:783\"; },\n{ name = \"s\"; address = "
	  "\"127.0.0.1:784\"; } );\n",
	  ":3: scanners[1] is a second scanner \"s\", expected another name" },
};
/* clang-format on */

static void test_rows(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char file[40];
		struct config *config = load(rows[i].text, strlen(rows[i].text), file);
		ok(config == NULL, "row %zu is refused", i);
		ok(strncmp(error, file, strlen(file)) == 0, "... by its file");
		is_str(error + strlen(file), rows[i].said, "... and says");
		config_drop(&config);
	}
}

static void test_bytes(void)
{
	static const char utf16[] = "u\0s\0", late[] = "\n\n\0";
	char file[40], said[200];
	ok(load("\xef\xbb\xbfuser = \"\";", 13, file) == NULL, "a byte-order mark is refused");
	snprintf(said, sizeof said,
		 "%s:1: a byte-order mark (BOM) is at the beginning, expected plain text: LC_ALL=C sed -i '1s/^...//' "
		 "%s takes it off",
		 file, file);
	is_str(error, said, "... and said");
	ok(load(utf16, sizeof utf16 - 1, file) == NULL, "UTF-16 is refused");
	is_str(error + strlen(file), ":1: a byte of value 0 is there: expected a text in UTF-8 or ASCII, not UTF-16",
	       "... and said");
	ok(load(late, sizeof late - 1, file) == NULL, "a byte of value 0 is refused");
	ok(strncmp(error + strlen(file), ":3: ", 4) == 0, "... where it is: %s", error);
}

/* What is in quotes may be a password. */
static void test_secrets(void)
{
	static const char *const texts[] = {
		"redis: { password = \"hush-hush\" \"x\" oops; };",
		"webhook: { secret = \"hush\\nhush\"; };",
		"facts: { salt = \"hush; };",
		"webhook: { url = \"ftp://me:hush@example.com/\"; };",
	};
	char file[40];
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		ok(load(texts[i], strlen(texts[i]), file) == NULL, "refused: row %zu", i);
		ok(strstr(error, "hush") == NULL, "... without what may be secret: %s", error);
	}
}

int main(void)
{
	test_rows();
	test_bytes();
	test_secrets();
	return done_testing();
}

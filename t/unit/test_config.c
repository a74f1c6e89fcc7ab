/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What of the configuration file becomes a line of Postfix's configuration, a word of a shell or a regular expression,
 * and who counts as leaving.
 */
#include "milter/config/config.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

static char error[CONFIG_ERROR_MAX];

static struct config *load(const char *text)
{
	char file[] = "/tmp/penstock-config-XXXXXX";
	int fd = mkstemp(file);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		printf("Bail out! %s cannot be written\n", file);
	close(fd);
	struct config *config = config_load(file, error);
	unlink(file);
	return config;
}

#define TRANSPORT(words) "\npools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { " words " } ); } );"
#define NAMED(name) TRANSPORT("name = \"" name "\";")
#define HELO(helo) TRANSPORT("name = \"t-1\"; helo = \"" helo "\";")
#define ADDRESS(address) TRANSPORT("name = \"t-1\"; address = \"" address "\";")
#define MILTER(socket) "\nmilter: { socket = \"" socket "\"; };"
#define SOCKETMAP(socket) "\nsocketmap: { listen = \"" socket "\"; };"
#define HEADER(header) "\npostfix: { header = \"" header "\"; };"
#define LABEL63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

/* `wrong`: what stands behind FILE:2: ; NULL: it is fine. */
/* clang-format off */
static const struct {
	const char *text, *wrong;
} rows[] = {
	{ HELO(""), NULL },
	{ HELO("out1.example.com"), NULL },
	{ HELO("OUT-1.Example.com"), NULL },
	{ HELO("localhost"), NULL },
	{ HELO("[192.0.2.1]"), NULL },
	{ HELO("[IPv6:2001:db8::1]"), NULL },
	{ HELO(LABEL63 ".example.com"), NULL },
	{ HELO("a b"), "pools[0].transports[0].helo is \"a b\", expected a host name, or an address as [192.0.2.1] or "
	  "[IPv6:2001:db8::1]" },
	{ HELO("a -o smtp_tls_security_level=none"), "helo is \"a -o" },
	{ HELO("a.example\\n  -o content_filter=x:"),
	  "helo is \"a.example?  -o content_filter=x:\", expected a host name" },
	{ HELO("$myhostname"), "helo is \"$myhostname\"" },
	{ HELO("out1.example.com."), "helo is" },
	{ HELO(".example.com"), "helo is" },
	{ HELO("a..example.com"), "helo is" },
	{ HELO("-a.example.com"), "helo is" },
	{ HELO("a-.example.com"), "helo is" },
	{ HELO("a_b.example.com"), "helo is" },
	{ HELO(LABEL63 "l.example.com"), "helo is" },
	{ HELO("b\xc3\xbc" "cher.example"), "helo is" },
	{ HELO("{a}"), "helo is" },
	{ HELO("a'b"), "helo is" },
	{ HELO("[192.0.2.1"), "helo is" },
	{ HELO("[2001:db8::1]"), "helo is" },
	{ HELO("[192.0.2.1 ]"), "helo is" },
	{ HELO("[]"), "helo is" },

	{ NAMED("clean-1"), NULL },
	{ NAMED("smtp"), "pools[0].transports[0].name is \"smtp\", a service of Postfix's own master.cf, which it "
	  "would replace; expected another name, as \"clean-1\"" },
	{ NAMED("relay"), "name is \"relay\", a service" },
	{ NAMED("submission"), "name is \"submission\", a service" },
	{ NAMED("mailman"), "name is \"mailman\", a service" },
	{ NAMED("smtp-1"), NULL },
	{ NAMED("-x"), "pools[0].transports[0].name is \"-x\", expected" },
	{ NAMED("."), "name is \".\"" },
	{ NAMED(".."), "name is \"..\"" },
	{ NAMED("a/b"), "name is \"a/b\"" },
	{ NAMED("cleanup"), "pools[0].transports[0].name is \"cleanup\", a service of Postfix's own master.cf, which "
	  "it would replace; expected another name" },
	{ NAMED("local"), "name is \"local\", a service" },
	{ NAMED("error"), "name is \"error\", a service" },
	{ NAMED("Retry"), "name is \"Retry\", a service" },
	{ "pools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"a-1\"; }, { name = \"A-1\"; } "
	  "); } );",
	  "transports[1] is a second transport \"A-1\"" },

	{ ADDRESS("192.0.2.1"), NULL },
	{ ADDRESS("192.0.2.1 "), "address is" },
	{ ADDRESS("$x"), "address is" },
	{ ADDRESS("2001:db8::1"), "address is \"2001:db8::1\", expected an IPv4 address of this host; one of IPv6 is "
	  "address6, and goes with one of IPv4: mail to hosts that have IPv4 alone would bounce" },
	{ ADDRESS("192.0.2.1\"; address6 = \"192.0.2.2"),
	  "address6 is \"192.0.2.2\", expected an IPv6 address of this host" },
	{ TRANSPORT("name = \"t-1\"; address6 = \"2001:db8::1\";"),
	  "has address6 and no address: mail to hosts that have IPv4 alone" },
	{ ADDRESS("192.0.2.1\"; public_address6 = \"2001:db8::1"),
	  "has public_address6 and no address6: expected both" },
	{ ADDRESS("192.0.2.1\"; address6 = \"fd00::1\"; public_address6 = \"2001:db8::1"), NULL },

	{ MILTER("unix:/run/penstock/milter.sock"), NULL },
	{ MILTER("unix:/var/spool/postfix/penstock_1/m+i=l@t.sock"), NULL },
	{ MILTER("inet:8890@127.0.0.1"), NULL },
	{ MILTER("inet:127.0.0.1:8890"), NULL },
	{ MILTER("unix:/run/a b.sock"), "milter.socket is \"unix:/run/a b.sock\", expected a path of letters, digits "
	  "and . _ - + = @ alone: it stands in Postfix's configuration" },
	{ MILTER("unix:/run/a,b"), "milter.socket is" },
	{ MILTER("unix:/run/a\\nb"), "milter.socket has a control character at byte 12, expected none" },
	{ MILTER("unix:/run/$b"), "milter.socket is" },
	{ MILTER("unix:/run/{b"), "milter.socket is" },
	{ MILTER("unix:/run/a'b"), "milter.socket is" },
	{ MILTER("unix:/run/a:b"), "milter.socket is" },
	{ MILTER("unix:run/b"), "milter.socket is" },
	{ MILTER("inet:8890@127.0.0.1 "), "milter.socket is" },
	{ MILTER("inet:8890@127.0.0.1, inet:1@127.0.0.1"), "milter.socket is" },
	{ MILTER("inet:88 90@127.0.0.1"), "milter.socket is" },
	{ SOCKETMAP(""), NULL },
	{ SOCKETMAP("unix:/run/penstock/socketmap.sock"), NULL },
	{ SOCKETMAP("unix:/run/a b"), "socketmap.listen is \"unix:/run/a b\", expected a path of" },
	{ SOCKETMAP("unix:/run/a\\tb"), "socketmap.listen has a control character" },

	{ "\npostfix: { alias_domains = [ \"a.example\", \"b.example\" ]; };", NULL },
	{ "\npostfix: { alias_domains = [ \"a.example\", \"@b.example\" ]; };",
	  "postfix.alias_domains[1] is \"@b.example\", expected a domain name" },
	{ "\npostfix: { local_domains = [ \"a.example\", \"B.example\" ]; };", NULL },
	{ "\npostfix: { local_domains = [ \"a b\" ]; };",
	  "postfix.local_domains[0] is \"a b\", expected a domain name" },
	{ "\npostfix: { alias_domains = [ \"\" ]; };", "alias_domains[0] is \"\"" },
	{ "\npostfix: { alias_domains = [ 5 ]; };", "alias_domains[0] is a whole number, expected a string" },

	{ "\naccounts: { own_networks = [ \"192.0.2.0/24\", \"10.0.0.0/8\", \"2001:db8::/32\" ]; };", NULL },
	{ "\naccounts: { own_networks = [ \"0.0.0.0/0\" ]; };",
	  "own_networks[0] is \"0.0.0.0/0\", expected a network no larger than a /8" },
	{ "\naccounts: { own_networks = [ \"::/0\" ]; };", "expected a network no larger than a /16" },
	{ "\naccounts: { forwarders = [ \"192.0.2.0/24\", \"lists@example.com\", \"uid:38\", "
	  "\"sender:example.org\" ]; };", NULL },
	{ "\naccounts: { forwarders = [ \"lists@ex\xc3\xa4mple.org\" ]; tagged_domains = [ "
	  "\"Ex\xc3\xa4mple.org\" ]; };", NULL },
	{ "\naccounts: { forwarders = [ \"192.0.2.300\" ]; };",
	  "forwarders[0] is \"192.0.2.300\", expected a network such as" },
	{ "\naccounts: { forwarders = [ \"a b\" ]; };", "forwarders[0] is \"a b\"" },
	{ "\naccounts: { forwarders = [ \"Lists@example.com\" ]; };", "forwarders[0] is \"Lists@example.com\"" },
	{ "\naccounts: { forwarders = [ \"domain:example.com\" ]; };", "forwarders[0] is \"domain:example.com\"" },
	{ "\naccounts: { forwarders = [ \"\" ]; };", "forwarders[0] is \"\"" },

	{ HEADER("X-Penstock-Pool"), NULL },
	{ HEADER("X-Penstock-Pool-2"), NULL },
	{ "postfix: { myorigin = \"two words\"; };", "postfix.myorigin is \"two words\", expected a domain name" },
	{ "postfix: { myorigin = \"/dev/null\"; };",
	  "postfix.myorigin is \"/dev/null\", expected a domain name, or a file that begins" },
	{ "postfix: { myorigin = \"/\"; };", "postfix.myorigin is \"/\"" },
	{ "accounts: { tagged_domains = [ \"a b\" ]; };", "tagged_domains[0] is \"a b\", expected a domain name" },
	{ HEADER("X-Penstock-Po ol"), "postfix.header is \"X-Penstock-Po ol\", expected a name that begins with "
	  "X-Penstock-, of letters, digits and dashes" },
	{ HEADER("X-Penstock-Po:ol"), "postfix.header is" },
	{ HEADER("X-Penstock-.*/"), "postfix.header is" },
	{ HEADER("X-Penstock-a\\n/./ REJECT"), "postfix.header has a control character at byte 13" },
	{ HEADER("X-Penstock-"), "postfix.header has 11 bytes" },
	{ HEADER("X-Penstock-Spam"), "postfix.header is \"X-Penstock-Spam\"" },
	{ HEADER("X-Other-Header"), "postfix.header is" },
};
/* clang-format on */

static void test_words(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config *config = load(rows[i].text);
		const char *said = strstr(error, ": ");
		ok((config == NULL) == (rows[i].wrong != NULL), "row %zu is %s: %s", i,
		   rows[i].wrong == NULL ? "fine" : "refused", error);
		if (config == NULL && rows[i].wrong != NULL)
			ok(said != NULL && strstr(error, rows[i].wrong) != NULL && strchr(error, '\n') == NULL,
			   "... says so in one line: %s", rows[i].wrong);
		config_drop(&config);
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *text, *address, *address6;
	} forms[] = {
		{ ADDRESS("192.0.2.1"), "192.0.2.1", "" },
		{ ADDRESS("::ffff:192.0.2.1"), "192.0.2.1", "" },
		{ ADDRESS("192.0.2.1\"; address6 = \"2001:DB8:0:0::1"), "192.0.2.1", "2001:db8::1" },
		{ ADDRESS("192.0.2.1\"; address6 = \"IPv6:2001:db8::1"), "192.0.2.1", "2001:db8::1" },
		{ ADDRESS("192.0.2.1\"; address6 = \""), "192.0.2.1", "" },
	};
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct config *config = load(forms[i].text);
		if (ok(config != NULL, "an address: %s", error))
			is_str(config->pools[0].transports[0].address, forms[i].address, "as Postfix reads it");
		if (config != NULL)
			is_str(config->pools[0].transports[0].address6, forms[i].address6, "... and of IPv6");
		config_drop(&config);
	}
}

static void test_ways(void)
{
	/* clang-format off */
	static const struct {
		const char *mailer, *rcpt;
		enum rcpt_way want;
	} ways[] = {
		{ "smtp", "<bob@far.example>", RCPT_WAY_REMOTE },	  { "relay", "<bob@far.example>", RCPT_WAY_REMOTE },
		{ "SMTP", "<bob@far.example>", RCPT_WAY_REMOTE },	  { "t-1", "<bob@far.example>", RCPT_WAY_REMOTE },
		{ NULL, "<bob@far.example>", RCPT_WAY_UNKNOWN },	  { "error", "<sales@virtual.example>", RCPT_WAY_ALIAS },
		{ "retry", "<bob@far.example>", RCPT_WAY_UNKNOWN },	  { "discard", "<bob@far.example>", RCPT_WAY_LOCAL },
		{ "local", "<bob@here.example>", RCPT_WAY_LOCAL },	  { "virtual", "<bob@here.example>", RCPT_WAY_LOCAL },
		{ "lmtp", "<bob@here.example>", RCPT_WAY_LOCAL },	  { "dovecot", "<bob@here.example>", RCPT_WAY_LOCAL },
		{ "local", "<bob@alias.example>", RCPT_WAY_ALIAS },  { "lmtp", "<\"b\"@Alias.EXAMPLE.>", RCPT_WAY_ALIAS },
		{ "virtual", "bob@other.example", RCPT_WAY_ALIAS },  { "local", "<bob@sub.alias.example>", RCPT_WAY_LOCAL },
		{ "smtp", "<bob@alias.example>", RCPT_WAY_REMOTE },	  { "local", "<bob>", RCPT_WAY_LOCAL },
		{ "local", "<>", RCPT_WAY_LOCAL },
		/* Sendmail's */
		{ "esmtp", "<bob@far.example>", RCPT_WAY_REMOTE },	  { "ESMTP", "<bob@far.example>", RCPT_WAY_REMOTE },
		{ "smtp8", "<bob@far.example>", RCPT_WAY_REMOTE },	  { "dsmtp", "<bob@far.example>", RCPT_WAY_REMOTE },
		{ "esmtps", "<bob@far.example>", RCPT_WAY_REMOTE },	  { "prog", "<bob>", RCPT_WAY_LOCAL },
		{ "*file*", "<bob>", RCPT_WAY_LOCAL },			  { "*include*", "<bob>", RCPT_WAY_LOCAL },
		{ "cyrusv2", "<bob>", RCPT_WAY_LOCAL },			  { "uucp-dom", "<bob@far.example>", RCPT_WAY_UNKNOWN },
		/* where the MTA names none */
		{ NULL, "<bob@Here.EXAMPLE>", RCPT_WAY_LOCAL },		  { NULL, "<bob@both.example>", RCPT_WAY_ALIAS },
		{ NULL, "<bob@alias.example>", RCPT_WAY_ALIAS },	  { NULL, "<bob@sub.here.example>", RCPT_WAY_UNKNOWN },
		{ NULL, "<bob>", RCPT_WAY_UNKNOWN },			  { "smtp", "<bob@here.example>", RCPT_WAY_REMOTE },
		/* ... where Postfix sends what the local part says on */
		{ NULL, "<bob%far.example@here.example>", RCPT_WAY_UNKNOWN },
		{ NULL, "<far.example!bob@here.example>", RCPT_WAY_UNKNOWN },
		{ NULL, "<\"bob@far.example\"@here.example>", RCPT_WAY_UNKNOWN },
		{ NULL, "<bob%far.example@both.example>", RCPT_WAY_ALIAS },
		{ "local", "<bob%far.example@here.example>", RCPT_WAY_LOCAL },
		/* an admin's own */
		{ "mlmmj", "<list@here.example>", RCPT_WAY_STRANGE },	  { "spamfilter", "<bob@far.example>", RCPT_WAY_STRANGE },
		{ "", "<bob@far.example>", RCPT_WAY_STRANGE },		  { "mlmmj", "<list@alias.example>", RCPT_WAY_ALIAS },
	};
	/* clang-format on */
	struct config *config =
		load("pools = ( { name = \"p\"; levels = [\"good\"]; transports = ( { name = \"t-1\"; } ); } "
		     ");\npostfix: { alias_domains = [ \"other.example\", \"Alias.example\", \"both.example\", "
		     "\"z.example\" ]; local_domains = [ \"here.example\", \"both.example\" ]; };");
	if (!ok(config != NULL, "a list of domains: %s", error))
		return;
	for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
		is_int(config_rcpt_way(config, ways[i].mailer, ways[i].rcpt), ways[i].want, "%s by %s", ways[i].rcpt,
		       ways[i].mailer != NULL ? ways[i].mailer : "none");
	config_drop(&config);
}

/* Is the option in the sample, in its group? */
static bool is_in_sample(const char *sample, const char *path)
{
	char head[40], line[60];
	const char *dot = strchr(path, '.');
	snprintf(head, sizeof head, "\n%.*s:\n{\n", (int)(dot - path), path);
	snprintf(line, sizeof line, "\t#%s = ", dot + 1);
	const char *group = strstr(sample, head), *end = group != NULL ? strstr(group, "\n};") : NULL;
	const char *at = group != NULL ? strstr(group, line) : NULL;
	return at != NULL && at < end;
}

static void test_rare(void)
{
	static const char *const rare[] = {
		"dns.breaker_failures",	    "dns.retry_ms",  "redis.breaker_failures", "redis.retry_ms",
		"redis.recent_accounts",    "webhook.queue", "webhook.timeout_ms",     "reputation.suspect_leave",
		"reputation.blocked_leave",
	};
	char *sample = NULL, *manual = NULL;
	size_t size;
	FILE *to = open_memstream(&sample, &size);
	config_print_sample(to);
	fclose(to);
	to = open_memstream(&manual, &size);
	config_print_man(to);
	fclose(to);
	const char *heading = strstr(manual, ".Ss Rarely needed\n"), *lists = strstr(manual, ".Sh LISTS\n");
	ok(heading != NULL && lists != NULL && heading < lists,
	   "the manual page has a heading for what is rarely needed");
	const char *plans = strstr(manual, ".Ss plans\n"), *once = strstr(plans, "from -1 to 1000000000");
	ok(once != NULL && once < strstr(plans, ".It Cm msgs_per_minute\n") &&
		   strstr(once + 1, "from -1 to 1000000000") == NULL,
	   "what a limit may be stands once in the manual page, above the limits");
	ok(is_in_sample(sample, "redis.timeout_ms") && is_in_sample(sample, "reputation.suspect_enter"),
	   "the sample has the rest");
	for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++) {
		char item[60];
		snprintf(item, sizeof item, ".It Cm %s\n", rare[i]);
		const char *at = strstr(manual, item);
		ok(!is_in_sample(sample, rare[i]), "%s is not in the sample", rare[i]);
		ok(at != NULL && at > heading && at < lists, "... and under that heading in the manual page");
	}
	free(sample);
	free(manual);
	struct config *config = load("dns: { retry_ms = 77; };");
	ok(config != NULL && config->set.dns_retry_ms == 77, "one is taken from the file: %s", error);
	config_drop(&config);
}

int main(void)
{
	test_rare();
	test_ways();
	test_words();
	test_addresses();
	return done_testing();
}

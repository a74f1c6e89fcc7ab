/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The catalogue of block lists, and what the configuration file says of its lists: the real one, and bad ones.
 */
#include "milter/config/config.h"

#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

#define KEY "s3cretKey"

static char folder[] = "/tmp/penstock-test-XXXXXX";
static char main_file[100], catalogue_file[100];
static char error[CONFIG_ERROR_MAX];

static void write_file(const char *name, const char *text)
{
	FILE *to = fopen(name, "we");
	if (to == NULL || fputs(text, to) < 0 || fclose(to) != 0)
		printf("Bail out! %s cannot be written\n", name);
}

/* NULL for the catalogue: the file is not there. */
static struct config *load(const char *text, const char *catalogue)
{
	unlink(catalogue_file);
	if (catalogue != NULL)
		write_file(catalogue_file, catalogue);
	write_file(main_file, text);
	return config_load(main_file, error);
}

/* What the list's answer means. */
static enum list_kind kind_of(const struct list *list, uint32_t code)
{
	struct listings listings = { .hit_count = 0 };
	listings_add(&listings, list, &code, 1);
	return listings.hit_count > 0 ? listings.hits[0].kind : LIST_NONE;
}

static const struct list *find_list(const struct config *config, const char *name)
{
	for (int i = 0; config != NULL && i < config->list_count; i++)
		if (strcmp(config->lists[i].name, name) == 0)
			return &config->lists[i];
	return NULL;
}

/* ---- the real one */

static int times(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, part)) != NULL; at++)
		count++;
	return count;
}

static char *read_real(const char *name)
{
	FILE *from = fopen(name, "re");
	char *text = calloc(1, 1 << 20);
	if (from == NULL || text == NULL || fread(text, 1, (1 << 20) - 1, from) == 0)
		printf("Bail out! %s cannot be read\n", name);
	if (from != NULL)
		fclose(from);
	return text;
}

static void check_lists(const struct config *config, bool keyed)
{
	int unasked = 0, shown = 0, strange = 0, asked_with = 0, mail = 0;
	for (int i = 0; i < config->list_count; i++) {
		const struct list *list = &config->lists[i];
		unasked += list->name[0] == '\0' || list->zone[0] == '\0' || list->asked_zone[0] == '\0';
		shown += strstr(list->zone, KEY) != NULL || strchr(list->zone, '{') != NULL;
		asked_with += strncmp(list->asked_zone, KEY ".", strlen(KEY ".")) == 0;
		strange += (list->domain && (list->ipv4 || list->ipv6)) ||
			   (list->whole != NULL && list->whole->whole != NULL);
		mail += list->mail;
	}
	is_int(unasked, 0, "each has a name, a zone and what is asked");
	is_int(shown, 0, "no zone for people shows a key");
	is_int(strange, 0, "each is of addresses or of domains, and part of one whole at most");
	is_int(mail, 0, "the milter asks none of them by itself");
	ok(keyed == (asked_with > 0), "%d are asked with a key", asked_with);
}

static void test_real(void)
{
	const char *top = getenv("srcdir");
	char name[300], text[600];
	snprintf(name, sizeof name, "%s/etc/blocklists.conf", top != NULL ? top : ".");
	char *real = read_real(name);
	int rows = times(real, "{ name = \""), open = times(real, "\"; zone = \"");
	ok(rows >= 60 && open >= 60, "%d lists, %d of them without a key", rows, open);
	struct config *config = load("", real);
	if (ok(config != NULL, "it loads: %s", error)) {
		is_int(config->list_count, open, "all lists that need no key");
		is_int(config->mail_list_count, 0, "none for the mail");
		check_lists(config, false);
		const struct list *zen = find_list(config, "spamhaus-zen"), *sbl = find_list(config, "spamhaus-sbl");
		ok(zen != NULL && sbl != NULL && sbl->whole == zen && zen->whole == NULL, "sbl is part of zen");
		is_str(zen->asked_zone, "zen.spamhaus.org", "zen without a key");
		is_int(kind_of(zen, 0x7f000004), LIST_EXPLOIT, "its code of XBL");
		is_int(kind_of(zen, 0x7f00000a), LIST_POLICY, "of PBL");
		const struct list *surbl = find_list(config, "surbl");
		ok(list_code_refuses(surbl, 0x7f000001) && surbl->domain && !surbl->ipv4, "surbl refuses by 127.0.0.1");
		is_str(surbl->test_name, "test.surbl.org", "the name that it lists for tests");
		ok(surbl->test && !find_list(config, "swinog-uribl")->test,
		   "a list of domains without one is not tested");
		ok(list_code_refuses(find_list(config, "dnswl"), 0x7f0000ff), "dnswl by 127.0.0.255");
		is_int(kind_of(find_list(config, "spamrats-dyna"), 0x7f000002), LIST_NONE,
		       "of kind none, only named answers count");
		ok(find_list(config, "abusix-black") == NULL, "a list for subscribers is left out");
	}
	config_drop(&config);
	snprintf(text, sizeof text, "catalogue: { keys = ( { lists = \"*\"; key = \"%s\"; } ); };", KEY);
	config = load(text, real);
	if (ok(config != NULL, "with keys: %s", error)) {
		is_int(config->list_count, rows, "every list");
		check_lists(config, true);
		is_str(find_list(config, "spamhaus-zen")->asked_zone, KEY ".zen.dq.spamhaus.net", "zen as it is asked");
		is_str(find_list(config, "spamhaus-zen")->zone, "zen.spamhaus.org", "for people");
		is_str(find_list(config, "abusix-black")->zone, "black.mail.abusix.zone", "one that has no other");
		is_str(find_list(config, "psbl")->asked_zone, "psbl.surriel.com", "one without keys");
	}
	config_drop(&config);
	free(real);
}

/* ---- what `blocklists`, keys and skip do */

#define ROW(name, zone, more) \
	"{ name = \"" name "\"; zone = \"" zone "\"; kind = \"spam\"; families = \"46\"; weight = 0.5; " more "}"
/* clang-format off */
#define THREE "catalogue = ( " ROW("one", "one.test", \
    "keyed_zone = \"{key}.one.dq.test\"; codes = [ \"127.0.0.9 exploit\" ]; ") ",\n" \
	ROW("one-part", "part.one.test", "part_of = \"one\"; budget = 7; ") ",\n" ROW("two", "two.test", "") ");"
/* clang-format on */

static const char *names_of(const struct config *config)
{
	static char text[400];
	text[0] = '\0';
	for (int i = 0; config != NULL && i < config->list_count; i++) {
		size_t length = strlen(text);
		snprintf(text + length, sizeof text - length, "%s%s%s", i > 0 ? " " : "", config->lists[i].name,
			 config->lists[i].mail ? "!" : "");
	}
	return text;
}

/* Lists that the milter asks have a "!". */
/* clang-format off */
static const struct {
	const char *name, *text, *want;
} places[] = {
	{ "nothing said", "", "one one-part two" },
	{ "no catalogue wanted", "catalogue: { file = \"\"; };", "" },
	{ "by its name", "catalogue: { file = \"blocklists.conf\"; };", "one one-part two" },
	{ "named lists come first, in their order", "blocklists = ( { list = \"two\"; }, { list = \"one\"; } );",
	  "two! one! one-part" },
	{ "under another name", "blocklists = ( { list = \"two\"; name = \"zwei\"; } );", "zwei! one one-part" },
	{ "twice", "blocklists = ( { list = \"two\"; }, { list = \"two\"; name = \"zwei\"; } );",
	  "two! zwei! one one-part" },
	{ "a zone of one's own", "blocklists = ( { zone = \"own.test\"; kind = \"spam\"; } );",
	  "own.test! one one-part two" },
	{ "a zone that the catalogue has", "blocklists = ( { zone = \"TWO.test\"; kind = \"spam\"; } );",
	  "TWO.test! one one-part" },
	{ "a name that it has", "blocklists = ( { zone = \"own.test\"; name = \"two\"; kind = \"spam\"; } );",
	  "two! one one-part" },
	{ "skipped", "catalogue: { skip = [ \"two\" ]; };", "one one-part" },
	{ "all that begin so", "catalogue: { skip = [ \"one*\" ]; };", "two" },
	{ "all", "catalogue: { skip = [ \"*\" ]; };", "" },
	{ "skipped, but named", "catalogue: { skip = [ \"*\" ]; }; blocklists = ( { list = \"two\"; } );", "two!" },
};
/* clang-format on */

static void test_places(void)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct config *config = load(places[i].text, THREE);
		ok(config != NULL, "%s: %s", places[i].name, error);
		is_str(names_of(config), places[i].want, "%s", places[i].name);
		config_drop(&config);
	}
	struct config *config = load("", NULL);
	ok(config != NULL && config->list_count == 0, "the default may be missing: %s", error);
	config_drop(&config);
}

static void test_override(void)
{
	struct config *config = load("blocklists = ( { list = \"one\"; }, { list = \"one-part\"; action = \"refuse\";"
				     " kind = \"policy\"; codes = []; weight = 2; budget = 0; ipv6 = false;"
				     " site = \"https://two.example.test/\"; errors = [ \"127.0.0.1\" ]; },"
				     " { list = \"one\"; name = \"again\"; } );",
				     THREE);
	const struct list *one = find_list(config, "one"), *part = find_list(config, "one-part");
	if (!ok(one != NULL && part != NULL, "lists that were taken: %s", error))
		return;
	is_int(kind_of(one, 0x7f000009), LIST_EXPLOIT, "what is not given is as there");
	is_int(kind_of(one, 0x7f000002), LIST_SPAM, "its kind too");
	is_near(one->weight, 0.5, 0, "its weight");
	ok(one->ipv6 && one->test && one->action == LIST_ACTION_SIGNAL, "its families, its test; it signals");
	is_int(part->kind, LIST_POLICY, "what is given is as here");
	is_near(part->weight, 2, 0, "its weight");
	ok(part->budget == 0 && part->ipv4 && !part->ipv6 && part->action == LIST_ACTION_REFUSE, "and all the rest");
	ok(list_code_refuses(part, 0x7f000001), "its errors");
	ok(part->whole == one, "it is still part of the whole");
	ok(find_list(config, "again")->whole == one, "the same zone under another name weighs once");
	config_drop(&config);
	config = load("blocklists = ( { zone = \"one.test\"; kind = \"spam\"; } );", THREE);
	ok(config != NULL && find_list(config, "one-part")->whole == find_list(config, "one.test"),
	   "nor is a part counted beside a row of one's own for its whole");
	config_drop(&config);
	config = load("catalogue: { keys = ( { lists = \"one\"; key = \"" KEY
		      "\"; }, { lists = \"o*\"; key = \"x\"; } ); };blocklists = ( { list = \"one\"; } );",
		      THREE);
	is_str(config != NULL ? config->lists[0].asked_zone : error, KEY ".one.dq.test",
	       "the first key that fits holds");
	is_str(config != NULL ? config->lists[0].zone : error, "one.test", "people see the zone without it");
	config_drop(&config);
}

static void test_networks(void)
{
	struct config *config =
		load("accounts: { own_networks = [ \"192.0.2.0/24\", \"2001:db8::/32\" ]; };"
		     "http: { proxies = [ \"127.0.0.1\" ]; hosts = [ \"lists.Example.com\", \"mx\" ]; };",
		     NULL);
	struct netaddr inside, outside;
	netaddr_parse("192.0.2.7", &inside);
	netaddr_parse("192.0.3.7", &outside);
	if (!ok(config != NULL, "networks: %s", error))
		return;
	is_int(config->own_network_count, 2, "our own networks");
	ok(netblock_has(&config->own_networks[0], &inside), "one of ours");
	ok(!netblock_has(&config->own_networks[0], &outside), "not one of ours");
	is_int(config->proxy_count, 1, "a proxy");
	is_int(config->host_count, 2, "names");
	is_str(config->hosts[0], "lists.Example.com", "... as they are written");
	config_drop(&config);
}

/* ---- errors: each says where */

#define BEFORE "catalogue = (\n"
#define LIST(fields) \
	BEFORE "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; families = \"4\"; weight = 1;\n" fields " }\n);"
#define KEYS(lists, key) "catalogue: {\n keys = ( { lists = \"" lists "\";\n key = " key "; } );\n};"

/* clang-format off */
static const struct {
	const char *name, *text, *catalogue, *want;
} errors[] = {
	{ "no catalogue in it", "", "", "/blocklists.conf: has no list \"catalogue\"" },
	{ "something else", "", "\nlists = ();", "/blocklists.conf:2: lists is nothing a catalogue has" },
	{ "something beside it", "", "catalogue = ();\nplans = ();",
	  "/blocklists.conf:2: plans is nothing a catalogue has" },
	{ "no list", "", "catalogue = \"x\";", "/blocklists.conf:1: catalogue is a string, expected a list" },
	{ "no group", "", BEFORE "\"x\" );", "/blocklists.conf:2: catalogue[0] is a string, expected a group" },
	{ "syntax", "", BEFORE "{ name = \"a\" zone }\n);", "/blocklists.conf:2: syntax error" },
	{ "a number too large", "", LIST("budget = 99999999999;"),
	  "/blocklists.conf:3: budget: 99999999999 is too large" },
	{ "an include", "", "@include \"x\"\n", "/blocklists.conf:1: @include is not allowed" },
	{ "an unknown field", "", LIST("action = \"refuse\";"),
	  "/blocklists.conf:3: unknown option \"action\" in section catalogue[0]; see penstock.conf(5)" },
	{ "no name", "", BEFORE "{ zone = \"a.test\"; kind = \"spam\"; families = \"4\"; weight = 1; });",
	  "/blocklists.conf:2: catalogue[0] has no \"name\", which must be given" },
	{ "an empty name", "", BEFORE
	  "{ name = \"\"; zone = \"a.test\"; kind = \"spam\"; families = \"4\"; weight = 1; });",
	  "/blocklists.conf:2: catalogue[0] has an empty name" },
	{ "a name with a blank", "", BEFORE "{ name = \"a b\"; });",
	  "/blocklists.conf:2: catalogue[0].name is \"a b\"" },
	{ "no kind", "", BEFORE "{ name = \"a\"; zone = \"a.test\"; families = \"4\"; weight = 1; });",
	  "has no \"kind\"" },
	{ "no families", "", BEFORE "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; weight = 1; });",
	  "has no \"families\"" },
	{ "no weight", "", BEFORE "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; families = \"4\"; });",
	  "has no \"weight\"" },
	{ "no zone", "", BEFORE "{ name = \"a\"; kind = \"spam\"; families = \"4\"; weight = 1; });",
	  "/blocklists.conf:2: catalogue[0] has neither zone nor keyed_zone" },
	{ "neither kind nor codes", "", BEFORE
	  "{ name = \"a\"; zone = \"a.test\"; kind = \"none\"; families = \"4\"; weight = 1; });",
	  "/blocklists.conf:2: catalogue[0] has neither kind nor codes" },
	{ "a bad kind", "", BEFORE "{ name = \"a\"; zone = \"a.test\";\nkind = \"bad\"; });",
	  "/blocklists.conf:3: catalogue[0].kind is \"bad\", expected one of: none exploit policy spam auth "
	  "reputation allow domain" },
	{ "bad families", "", BEFORE "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; families = \"64\"; });",
	  "/blocklists.conf:2: catalogue[0].families is \"64\", expected 4, 6, 46 or domain" },
	{ "a bad zone", "", BEFORE "{ name = \"a\"; zone = \"a..test\"; });",
	  "/blocklists.conf:2: catalogue[0].zone is \"a..test\", expected a domain name" },
	{ "a zone with a key that is no key's", "", LIST("keyed_zone = \"key.a.test\";"),
	  "/blocklists.conf:3: catalogue[0].keyed_zone is \"key.a.test\", expected {key}. and a domain name" },
	{ "a key in its midst", "", LIST("keyed_zone = \"{key}.a.{key}.test\";"), "keyed_zone is \"a.{key}.test\"" },
	{ "a bad code", "", LIST("codes = [ \"127.0.0.2 spam\",\n\"127.0.0.3\" ];"),
	  "/blocklists.conf:4: catalogue[0].codes[1] is \"127.0.0.3\", expected \"127.0.0.2 spam\"" },
	{ "a bad error", "", LIST("errors = [ \"127.0.0.2 spam\" ];"),
	  "/blocklists.conf:3: catalogue[0].errors[0] is \"127.0.0.2 spam\", expected \"127.0.0.1\"" },
	{ "too many errors", "", LIST("errors = [ \"127.0.0.1\", \"127.0.0.2\", \"127.0.0.3\", \"127.0.0.4\", "
	  "\"127.0.0.5\" ];"),
	  "/blocklists.conf:3: catalogue[0].errors has 5 elements, expected at most 4" },
	{ "a weight that is no number", "", BEFORE
	  "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; families = \"4\"; weight = \"1\"; });",
	  "/blocklists.conf:2: catalogue[0].weight is a string, expected a number" },
	{ "a weight out of range", "", BEFORE
	  "{ name = \"a\"; zone = \"a.test\"; kind = \"spam\"; families = \"4\"; weight = -1.0; });",
	  "/blocklists.conf:2: catalogue[0].weight is -1, expected 0 to 100" },
	{ "a negative budget", "", LIST("budget = -1;"), "/blocklists.conf:3: catalogue[0].budget is -1" },
	{ "a script for a site", "", LIST("site = \"javascript:alert(1)\";"),
	  "/blocklists.conf:3: catalogue[0].site is not a web address" },
	{ "markup in a page", "", LIST("removal = \"https://a.test/\\\"><script>\";"),
	  "/blocklists.conf:3: catalogue[0].removal is not a web address" },
	{ "terms of two lines", "", LIST("terms = \"a\\nb\";"),
	  "/blocklists.conf:3: catalogue[0].terms is not a line of text" },
	{ "a name for tests, of a list of addresses", "", LIST("test_name = \"test\";"),
	  "/blocklists.conf:2: catalogue[0] has a test_name, which only a list of domains needs" },
	{ "part of itself", "", LIST("part_of = \"a\";"),
	  "/blocklists.conf:3: catalogue[0].part_of is \"a\", expected another list" },
	{ "part of nothing", "", LIST("part_of = \"b\";"), "/blocklists.conf:3: catalogue[0].part_of is \"b\"" },
	{ "part of a part", "", "catalogue = ( " ROW("a", "a.test", "part_of = \"b\"; ") ", " ROW("b", "b.test",
	  "part_of = \"c\"; ")
	  ", " ROW("c", "c.test", "") " );", "part_of is \"b\", expected another list that is itself no part of one" },
	{ "one name twice", "", "catalogue = ( " ROW("a", "a.test", "") ",\n" ROW("a", "b.test", "") " );",
	  "/blocklists.conf:2: catalogue[1] is a second list \"a\"" },

	{ "a file that is named has to be there", "catalogue: {\n file = \"blocklists.conf\"; };", NULL,
	  "/penstock.conf:2: catalogue.file is \"blocklists.conf\", but /" },
	{ "a list in the form of a group", "\nblocklists = { list = \"one\"; };", THREE,
	  "/penstock.conf:2: blocklists is a group { }, expected a list: [ \"...\" ] or ( { ... } )" },
	{ "a list of domains", "\nblocklists = ( { zone = \"a.test\"; kind = \"domain\"; } );", NULL,
	  "/penstock.conf:2: blocklists[0] is \"a.test\", a list of domains" },
	{ "a word that is none", "\nspf: { client = \"reject\"; };", NULL,
	  "/penstock.conf:2: spf.client is \"reject\", expected off, signal or refuse" },
	{ "a DNS server by its name", "dns: {\nservers = [ \"127.0.0.1:53\",\n\"localhost:53\" ]; };", NULL,
	  "/penstock.conf:3: dns.servers[1] is \"localhost:53\", expected address:port or [v6]:port" },
	{ "a DNS server of one link", "dns: {\nservers = [ \"[fe80::1%lo]:53\" ]; };", NULL,
	  "/penstock.conf:2: dns.servers[0] is \"[fe80::1%lo]:53\", expected an address that is not link-local" },
	{ "an origin that is no zone", "\norigin: { zone4 = \"https://origin.test\"; };", NULL,
	  "/penstock.conf:2: origin.zone4 is \"https://origin.test\", expected a domain name" },
	{ "numbers in the wrong order", "\nreputation: { blocked_enter = 0.25; };", NULL,
	  "/penstock.conf:2: reputation.blocked_enter is 0.25, expected more than reputation.blocked_leave, 1.5" },
	{ "a large bound", "\nblocklists = ( { zone = \"a.test\"; kind = \"spam\"; budget = -1; } );", NULL,
	  "/penstock.conf:2: blocklists[0].budget is -1, expected 0 to 1000000000000000" },
	{ "a folder", "catalogue: { file = \"/\"; };", NULL,
	  "/: cannot be read: it is a folder, expected a regular file" },
	{ "a list of a catalogue that is missing", "\nblocklists = ( { list = \"one\"; } );", NULL,
	  "/penstock.conf:2: blocklists[0].list is \"one\", but the catalogue " },
	{ "of none", "catalogue: { file = \"\"; };\nblocklists = ( { list = \"one\"; } );", NULL,
	  "/penstock.conf:2: blocklists[0].list is \"one\", but catalogue.file is empty" },
	{ "a list that it does not have", "\nblocklists = ( { list = \"tow\"; } );", THREE,
	  "/penstock.conf:2: blocklists[0].list is \"tow\", which the catalogue " },
	{ "list and zone", "\nblocklists = ( { list = \"one\"; zone = \"one.test\"; } );", THREE,
	  "/penstock.conf:2: blocklists[0] has both list and zone" },
	{ "neither", "\nblocklists = ( { kind = \"spam\"; } );", THREE,
	  "/penstock.conf:2: blocklists[0] has neither list nor zone" },
	{ "an empty one", "\nblocklists = ( { list = \"\"; } );", THREE,
	  "/penstock.conf:2: blocklists[0] has neither list nor zone" },
	{ "a list twice", "\nblocklists = ( { list = \"one\"; }, { list = \"one\"; } );", THREE,
	  "/penstock.conf:2: blocklists[1] is a second list \"one\": expected another name" },
	{ "a zone twice", "\nblocklists = ( { zone = \"a.test\"; kind = \"spam\"; }, { zone = \"A.test\"; kind = "
	  "\"spam\"; } );", NULL,
	  "/penstock.conf:2: blocklists[1] is a second list \"A.test\": expected another name" },
	{ "a list of domains", "\nblocklists = ( { list = \"d\"; } );",
	  "catalogue = ( { name = \"d\"; zone = \"d.test\"; kind = \"domain\"; families = \"domain\"; weight = 1; } );",
	  "/penstock.conf:2: blocklists[0] is \"d\", a list of domains: a client's address is not on it" },
	{ "one of one's own", "\nblocklists = ( { zone = \"d.test\"; kind = \"domain\"; } );", NULL,
	  "/penstock.conf:2: blocklists[0] is \"d.test\", a list of domains" },
	{ "a field that is not taken over", "\nblocklists = ( { list = \"one\"; keyed_zone = \"{key}.a\"; } );", THREE,
	  "/penstock.conf:2: unknown option \"keyed_zone\" in section blocklists[0]" },
	{ "all meaning taken away", "\nblocklists = ( { list = \"one\"; kind = \"none\"; codes = []; } );", THREE,
	  "/penstock.conf:2: blocklists[0] has neither kind nor codes" },
	{ "a list for subscribers without a key", "\nblocklists = ( { list = \"s\"; } );",
	  "catalogue = ( { name = \"s\"; keyed_zone = \"{key}.s.test\"; kind = \"spam\"; families = \"4\"; weight = "
	  "1; } );",
	  "/penstock.conf:2: blocklists[0].list is \"s\", a list for subscribers: expected its key in catalogue.keys" },

	{ "a key that is no label", KEYS("one", "\"" KEY ".x\""), THREE,
	  "/penstock.conf:3: catalogue.keys[0].key is not a key" },
	{ "an empty key", KEYS("one", "\"\""), THREE, "/penstock.conf:3: catalogue.keys[0].key is not a key" },
	{ "a key without quotes", KEYS("one", "12345"), THREE,
	  "/penstock.conf:3: catalogue.keys[0].key is a whole number, expected a string" },
	{ "a key without quotes that is a large number", KEYS("one", "123456789012345678901234567"), THREE,
	  "/penstock.conf:3: key: it is too large" },
	{ "a key that makes the zone too long", KEYS("s", "\"" KEY KEY KEY KEY KEY KEY "\""),
	  "catalogue = ( { name = \"s\"; keyed_zone = "
	  "\"{key}.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaa.test\"; kind = \"spam\"; families = \"4\"; weight = 1; } );",
	  "/penstock.conf:2: catalogue.keys[0].lists is \"s\": with its key, the zone of s has over 180 bytes" },
	{ "a key of 64 bytes", KEYS("one", "\"" KEY KEY KEY KEY KEY KEY KEY "a\""), THREE,
	  "catalogue.keys[0].key is not a key" },
	{ "no key", "catalogue: {\n keys = ( { lists = \"one\"; } ); };", THREE,
	  "/penstock.conf:2: catalogue.keys[0] has no \"key\", which must be given" },
	{ "a key for a list that is not there", KEYS("three", "\"" KEY "\""), THREE,
	  "/penstock.conf:2: catalogue.keys[0].lists is \"three\", which the catalogue " },
	{ "for lists that begin so", KEYS("three*", "\"" KEY "\""), THREE,
	  "/penstock.conf:2: catalogue.keys[0].lists is \"three*\", which the catalogue " },
	{ "a star in the midst", KEYS("o*e", "\"" KEY "\""), THREE,
	  "/penstock.conf:2: catalogue.keys[0].lists is \"o*e\"" },
	{ "for a list that needs none", KEYS("two", "\"" KEY "\""), THREE,
	  "/penstock.conf:2: catalogue.keys[0].lists is \"two\", which needs no key" },
	{ "without a catalogue", KEYS("one", "\"" KEY "\""), NULL,
	  "catalogue.keys[0].lists is \"one\", but the catalogue" },
	{ "an unknown list is skipped", "catalogue: {\n skip = [ \"two\", \"tow\" ]; };", THREE,
	  "/penstock.conf:2: catalogue.skip[1] is \"tow\", which the catalogue " },
	{ "skip is a string", "catalogue: {\n skip = \"two\"; };", THREE,
	  "/penstock.conf:2: catalogue.skip is a string, expected a list" },
	{ "a network with bits behind it", "accounts: {\n own_networks = [ \"192.0.2.1/24\" ]; };", NULL,
	  "/penstock.conf:2: accounts.own_networks[0] is \"192.0.2.1/24\", expected an address, or a network" },
	{ "a proxy by its name", "http: {\n proxies = [ \"localhost\" ]; };", NULL,
	  "/penstock.conf:2: http.proxies[0] is \"localhost\", expected an address, or a network" },
	{ "a host with its port", "http: {\n hosts = [ \"mx\", \"mx:8494\" ]; };", NULL,
	  "/penstock.conf:2: http.hosts[1] is \"mx:8494\", expected a host name as \"lists.example.com\", without "
	  "a port" },
	{ "a host without a name", "http: {\n hosts = [ \"\" ]; };", NULL,
	  "/penstock.conf:2: http.hosts[0] is \"\", expected" },
	{ "a host with a star", "http: {\n hosts = [ \"*.example.com\" ]; };", NULL,
	  "/penstock.conf:2: http.hosts[0] is \"*.example.com\", expected" },
	{ "a host that ends with a dot", "http: {\n hosts = [ \"mx.\" ]; };", NULL,
	  "/penstock.conf:2: http.hosts[0] is \"mx.\", expected" },
};
/* clang-format on */

static void test_errors(void)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		struct config *config = load(errors[i].text, errors[i].catalogue);
		if (!ok(config == NULL && strstr(error, errors[i].want) != NULL, "%s", errors[i].name))
			is_str(error, errors[i].want, "its sentence");
		ok(strstr(error, KEY) == NULL && strstr(error, "12345") == NULL, "it shows no key");
		config_drop(&config);
	}
}

static void test_many(void)
{
	size_t size = (size_t)(LISTS_MAX + 2) * 120 + 100;
	char *text = calloc(1, size);
	if (text == NULL)
		return;
	for (int most = LISTS_MAX; most <= LISTS_MAX + 1; most++) {
		size_t length = (size_t)snprintf(text, size, "catalogue = (");
		for (int i = 0; i < most; i++)
			length += (size_t)snprintf(text + length, size - length,
						   "%s{ name = \"l%d\"; zone = \"l%d.test\"; kind = \"spam\"; families "
						   "= \"4\"; weight = 1; }",
						   i > 0 ? ", " : "", i, i);
		snprintf(text + length, size - length, ");");
		struct config *config = load("", text);
		is_int(config != NULL ? config->list_count : -1, most == LISTS_MAX ? most : -1, "%d lists: %s", most,
		       error);
		config_drop(&config);
		if (most > LISTS_MAX)
			continue;
		config = load("blocklists = ( { zone = \"own.test\"; kind = \"spam\"; } );", text);
		ok(config == NULL && strstr(error, "have more than 256 lists together") != NULL, "and one more: %s",
		   error);
		config_drop(&config);
	}
	free(text);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(main_file, sizeof main_file, "%s/penstock.conf", folder);
	snprintf(catalogue_file, sizeof catalogue_file, "%s/blocklists.conf", folder);
	test_real();
	test_places();
	test_override();
	test_networks();
	test_errors();
	test_many();
	unlink(main_file);
	unlink(catalogue_file);
	rmdir(folder);
	return done_testing();
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The block list: who is on it and for how long, its references, its files, and what is left of it after a restart.
 */
#include "milter/clients/zone_file.h"

#include "policy/base/text.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { T0 = 1764483108, KEEP = 3600 };

static char folder[] = "/tmp/penstock-zone-XXXXXX";

static struct netaddr address(const char *text)
{
	struct netaddr parsed = { 0 };
	if (!netaddr_parse(text, &parsed))
		ok(false, "%s is an address", text);
	return parsed;
}

static void add(struct zone_list *list, const char *text, enum client_code code, int64_t since_s, int64_t seen_s)
{
	struct zone_entry entry = { .client = address(text), .code = code, .since_s = since_s, .seen_s = seen_s };
	zone_list_add(list, &entry);
}

/* ---- who may be told of */

static void test_listable(void)
{
	static const struct {
		const char *client;
		bool may;
	} rows[] = {
		{ "192.0.2.7", true },
		{ "10.1.2.3", true },
		{ "127.0.0.1", false },
		{ "127.0.0.2", false },
		{ "127.255.0.9", false },
		{ "0.0.0.0", false },
		{ "224.0.0.1", false },
		{ "255.255.255.255", false },
		{ "223.255.255.255", true },
		{ "::1", false },
		{ "::2", false },
		{ "::ffff:192.0.2.7", true },
		{ "::ffff:127.0.0.2", false },
		{ "2001:db8::1", true },
		{ "fe80::1", false },
		{ "febf::1", false },
		{ "fec0::1", true },
		{ "ff02::1", false },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct netaddr client = address(rows[i].client);
		is_int(client_listable(&client), rows[i].may, "%s may be listed: %d", rows[i].client, rows[i].may);
	}
}

static void test_codes(void)
{
	struct client_verdict verdict = { .standing = CLIENT_BAD };
	verdict.term[CLIENT_TERM_SPAM] = 3;
	verdict.term[CLIENT_TERM_LOGINS] = 2;
	is_int(client_code_of(&verdict), CLIENT_CODE_MAIL, "bad by its spam");
	verdict.term[CLIENT_TERM_LOGINS] = 4;
	is_int(client_code_of(&verdict), CLIENT_CODE_LOGINS, "bad by its logins");
	verdict.standing = CLIENT_POOR;
	is_int(client_code_of(&verdict), CLIENT_CODE_NONE, "poor is not listed");
	is_int(client_code_of_account(LEVEL_SUSPECT, false), CLIENT_CODE_SUSPECT, "a suspect account");
	is_int(client_code_of_account(LEVEL_BLOCKED, false), CLIENT_CODE_BLOCKED, "a blocked account");
	is_int(client_code_of_account(LEVEL_GOOD, true), CLIENT_CODE_BLOCKED, "one that an admin blocked");
	is_int(client_code_of_account(LEVEL_NEW, false), CLIENT_CODE_NONE, "a new account");
	is_int(client_code_of_account(LEVEL_UNKNOWN, false), CLIENT_CODE_NONE, "an unknown account");
	is_str(client_code_word(CLIENT_CODE_LOGINS), "logins", "a word");
	is_str(client_code_word(CLIENT_CODE_NONE), "none", "the word of none");
	is_int(client_code_of_byte(5), CLIENT_CODE_BLOCKED, "of a byte");
	is_int(client_code_of_byte(260), CLIENT_CODE_NONE, "of no byte");
}

/* ---- references */

static void test_references(void)
{
	static const char *const clients[] = { "192.0.2.7", "1.0.0.0", "223.255.255.255",
					       "2001:db8:1:2::", "2a00:ffff:ffff:ffff::" };
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
		char reference[ZONE_REFERENCE_MAX + 1], text[NETADDR_TEXT_MAX];
		struct zone_entry entry = { .client = address(clients[i]), .since_s = T0 + 59 };
		struct netaddr client;
		int64_t since_s;
		zone_reference(&entry, reference);
		ok(zone_reference_read(reference, &client, &since_s), "%s is a reference", reference);
		netaddr_text(&client, text);
		is_str(text, clients[i], "... of the client");
		is_int(since_s, (T0 + 59) / 60 * 60, "... and the minute");
		int wrong = 0, same = 0;
		for (size_t at = 2; reference[at] != '\0'; at++)
			for (const char *other = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; *other != '\0'; other++) {
				char typed[ZONE_REFERENCE_MAX + 1];
				text_copy(typed, sizeof typed, reference);
				typed[at] = *other;
				if (*other != reference[at] && zone_reference_read(typed, &client, &since_s))
					wrong++;
				same += *other == reference[at];
			}
		/* two digits that are 31 apart have one remainder */
		ok(wrong <= 2 * same / 3, "... and of %d mistyped ones %d are not seen", 31 * same, wrong);
		for (char *at = reference; *at != '\0'; at++)
			*at = text_lower(*at);
		ok(zone_reference_read(reference, &client, &since_s), "%s is one, too", reference);
	}
	static const char *const none[] = { "",
					    "C",
					    "C-",
					    "C-0",
					    "192.0.2.7",
					    "2001:db8::1",
					    "1T4Q9M-2K0B7F",
					    "C-!!!!!!!!!!!!!",
					    "C-00000000000000000000000000000000" };
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
		struct netaddr client;
		int64_t since_s;
		ok(!zone_reference_read(none[i], &client, &since_s), "\"%s\" is none", none[i]);
	}
}

/* ---- who is on it */

static const char *listed(const struct zone_list *list)
{
	static char all[1000];
	struct text text = text_over(all, sizeof all);
	for (size_t i = 0; i < list->count; i++) {
		char one[NETADDR_TEXT_MAX];
		netaddr_text(&list->entries[i].client, one);
		text_addf(&text, "%s%s=%d", i > 0 ? " " : "", one, (int)list->entries[i].code);
	}
	return all;
}

static bool renew(struct zone_list *list, const struct zone_list *found, const struct zone_rules *rules)
{
	struct zone_list next;
	if (!zone_list_renew(list, found, rules, &next))
		return false;
	bool changed = !zone_list_same(list, &next);
	zone_list_free(list);
	*list = next;
	return changed;
}

static void test_renew(void)
{
	static struct config config;
	struct zone_list list = { 0 }, found = { 0 }, none = { 0 }, exempt = { 0 };
	struct zone_rules rules = { .now_s = T0, .keep_s = KEEP, .config = &config, .exempt = &exempt };
	netblock_parse("198.51.100.0/24", &config.own_networks[0]);
	netblock_parse("2001:db8:5:5::25", &config.own_networks[1]);
	config.own_network_count = 2;

	add(&found, "2001:db8:1:2:3:4:5:6", CLIENT_CODE_MAIL, T0, T0);
	add(&found, "192.0.2.9", CLIENT_CODE_MAIL, T0, T0);
	add(&found, "192.0.2.7", CLIENT_CODE_LOGINS, T0, T0);
	add(&found, "192.0.2.9", CLIENT_CODE_BLOCKED, T0, T0);
	add(&found, "192.0.2.9", CLIENT_CODE_LOGINS, T0, T0);
	add(&found, "198.51.100.7", CLIENT_CODE_MAIL, T0, T0);
	add(&found, "2001:db8:5:5::1", CLIENT_CODE_MAIL, T0, T0);
	add(&found, "127.0.0.1", CLIENT_CODE_MAIL, T0, T0);
	zone_list_sort(&found);
	ok(renew(&list, &found, &rules), "there is a change");
	is_str(listed(&list), "192.0.2.7=3 192.0.2.9=5 2001:db8:1:2::=2",
	       "each once with the worse code, IPv6 by its /64, and none of ours");
	ok(!renew(&list, &found, &rules), "the same again is no change");

	struct netaddr inside = address("2001:db8:1:2:ffff::1"), outside = address("2001:db8:1:3::1");
	ok(zone_list_find(&list, &inside) != NULL, "another address of the /64 is listed");
	ok(zone_list_find(&list, &outside) == NULL, "one of the next /64 is not");

	zone_list_free(&found);
	add(&found, "192.0.2.7", CLIENT_CODE_LOGINS, T0, T0);
	rules.now_s = T0 + KEEP - 1;
	ok(!renew(&list, &found, &rules), "they stay");
	is_int(list.entries[0].since_s, T0, "since then");
	is_int(list.entries[0].seen_s, T0 + KEEP - 1, "seen now");
	rules.now_s = T0 + KEEP;
	ok(renew(&list, &none, &rules), "their time has passed");
	is_str(listed(&list), "192.0.2.7=3", "but that of the one that was seen again");

	rules.now_s = T0 - 86400;
	ok(renew(&list, &none, &rules), "the clock goes back by a day");
	is_int(list.entries[0].since_s, T0 - 86400, "nobody is listed since a time to come");
	is_int(list.entries[0].seen_s, T0 - 86400, "... or for longer because of it");
	add(&exempt, "192.0.2.7", CLIENT_CODE_NONE, 0, 0);
	ok(renew(&list, &found, &rules), "an admin exempts it");
	is_str(listed(&list), "", "it is off the list, bad or not");
	zone_list_free(&list);
	zone_list_free(&found);
	zone_list_free(&exempt);
}

/* A flood ends at the size of the list. */
static void test_most(void)
{
	struct zone_list list = { 0 };
	for (uint32_t i = 0; i < ZONE_MOST + 10; i++) {
		uint8_t bytes[4] = { 20, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		struct zone_entry entry = { .client = netaddr_v4(bytes), .code = CLIENT_CODE_MAIL };
		zone_list_add(&list, &entry);
	}
	is_int((int64_t)list.count, ZONE_MOST, "so many are on it");
	is_int((int64_t)list.left_out, 10, "the rest is counted");
	zone_list_free(&list);
}

/* ---- files */

static char *content(const char *name)
{
	static char text[4096];
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	size_t length = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
	text[length] = '\0';
	if (file != NULL)
		fclose(file);
	return text;
}

static void put(const char *name, const char *text)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	if (file != NULL) {
		fputs(text, file);
		fclose(file);
	}
}

static void test_text(void)
{
	struct zone_entry entry = { .client = address("192.0.2.7"), .since_s = T0 };
	char reference[ZONE_REFERENCE_MAX + 1], text[ZONE_TEXT_MAX + 1], expected[300], many[600];
	zone_reference(&entry, reference);
	zone_file_text("Bad, see https://x.example/?r=$", &entry, text);
	snprintf(expected, sizeof expected, "Bad, see https://x.example/?r=%s", reference);
	is_str(text, expected, "$ is the reference");
	zone_file_text("a\n1.2.3.4 :127.0.0.9:x\t\xc3\xa4", &entry, text);
	is_str(text, "a?1.2.3.4 :127.0.0.9:x???", "a text cannot end its line");
	memset(many, '$', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	zone_file_text(many, &entry, text);
	is_int((int64_t)strlen(text), ZONE_TEXT_MAX, "one that is too long is cut");
}

static void test_files(void)
{
	struct zone_list list = { 0 }, again = { 0 };
	char error[300] = "";
	struct zone_file_rules rules = { .text = "bad", .now_s = T0, .until_s = 1764550923 };
	add(&list, "192.0.2.7", CLIENT_CODE_LOGINS, T0, T0 + 5);
	add(&list, "2001:db8:1:2::", CLIENT_CODE_MAIL, T0, T0 + 6);
	ok(zone_file_write(folder, &list, &rules, error, sizeof error), "zones are written %s", error);
	is_str(content(ZONE_FILE_V4),
	       "# Written by penstock: what is changed here is lost. penstock.conf(5), clients.zone\n"
	       "$TIMESTAMP 0 2025:12:01:01:02:03\n$TTL 300\n"
	       "# the test entries of RFC 5782: 127.0.0.2 is listed, 127.0.0.1 is not\n"
	       "127.0.0.2 :127.0.0.2:Test entry\n"
	       "192.0.2.7 :127.0.0.3:bad\n",
	       "the zone of IPv4");
	is_str(content(ZONE_FILE_V6),
	       "# Written by penstock: what is changed here is lost. penstock.conf(5), clients.zone\n"
	       "$TIMESTAMP 0 2025:12:01:01:02:03\n$TTL 300\n"
	       "# the test entries of RFC 5782: ::ffff:7f00:2 is listed, ::ffff:7f00:1 is not\n"
	       "::ffff:7f00:2 :127.0.0.2:Test entry\n"
	       "2001:db8:1:2::/64 :127.0.0.2:bad\n",
	       "the zone of IPv6");
	struct stat about;
	char path[300];
	snprintf(path, sizeof path, "%s/%s", folder, ZONE_FILE_V4);
	ok(stat(path, &about) == 0 && (about.st_mode & 0777) == 0644, "another user may read it");

	ok(zone_file_save(folder, &list, error, sizeof error), "the list is saved");
	zone_file_load(folder, &again, error, sizeof error);
	is_str(error, "", "and read again");
	ok(zone_list_same(&list, &again) && again.entries[0].seen_s == T0 + 5, "as it was");
	zone_list_free(&again);
	ok(!zone_file_write("/nonexistent/folder", &list, &rules, error, sizeof error), "no folder");
	is_str(error,
	       "clients.zone: \"/nonexistent/folder/clients.ip4set.new\" cannot be written: No such file or "
	       "directory; expected a folder that the daemon's user may write",
	       "is said");
	zone_list_free(&list);
}

static void test_damaged(void)
{
	static const struct {
		const char *text, *list, *error;
	} rows[] = {
		{ "penstock listed 1\nend 0\n", "", "" },
		{ "", "", "0 rows of it are read, 0 are not, and its end is missing" },
		{ "something else\n192.0.2.7 2 1 1\nend 1\n", "",
		  "0 rows of it are read, 0 are not, and its end is missing" },
		{ "penstock listed 1\n192.0.2.7 2 1 1\n192.0.2.", "192.0.2.7=2",
		  "1 rows of it are read, 1 are not, and its end is missing" },
		{ "penstock listed 1\n192.0.2.7 2 1 1\n192.0.2.8 99 1 1\n192.0.2.9 2 -1 1\nx\n\nend 5\n", "192.0.2.7=2",
		  "1 rows of it are read, 4 are not" },
		{ "penstock listed 1\n192.0.2.7 2 1 1\nend 2\n", "192.0.2.7=2",
		  "1 rows of it are read, 1 are not, and its end is missing" },
		{ "penstock listed 1\n192.0.2.9 2 1 1\n192.0.2.7 2 1 1\n192.0.2.9 4 1 1\nend 3\n",
		  "192.0.2.7=2 192.0.2.9=4", "" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct zone_list list = { 0 };
		char error[300], expected[500] = "";
		put(ZONE_FILE_LISTED, rows[i].text);
		zone_file_load(folder, &list, error, sizeof error);
		if (rows[i].error[0] != '\0')
			snprintf(expected, sizeof expected, "\"%s/listed\" is damaged: %s", folder, rows[i].error);
		is_str(error, expected, "file %zu", i);
		is_str(listed(&list), rows[i].list, "... and what of it is whole");
		zone_list_free(&list);
	}
	struct zone_list list = { 0 };
	char path[300], error[300];
	snprintf(path, sizeof path, "%s/%s", folder, ZONE_FILE_LISTED);
	unlink(path);
	zone_file_load(folder, &list, error, sizeof error);
	is_str(error, "", "no file is none");
	mkfifo(path, 0600);
	zone_file_load(folder, &list, error, sizeof error);
	ok(strstr(error, "FIFO") != NULL, "a FIFO is not waited for: %s", error);
	unlink(path);
}

int main(void)
{
	if (mkdtemp(folder) == NULL)
		return 1;
	test_listable();
	test_codes();
	test_references();
	test_renew();
	test_most();
	test_text();
	test_files();
	test_damaged();
	static const char *const names[] = { ZONE_FILE_V4, ZONE_FILE_V6 };
	for (int i = 0; i < 2; i++) {
		char path[300];
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	return done_testing();
}

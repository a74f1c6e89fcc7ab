/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The table of mistakes: each option of penstock.conf has one at least, and what is said of it is a whole sentence.
 * t/lint/sentences.t asks that each sentence of config*.c is in it.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"
#include "t/unit/tap.h"

#include <stdlib.h>
#include <unistd.h>

/* `option`: "redis.server", "plans.name"; "": of the file itself. `said`: the error behind the name of the file, which
 * is that of the catalogue where there is no `text`; @FOLDER@ is the folder of both. */
struct mistake {
	const char *option, *text, *catalogue, *said;
};

#define LISTED "kind = \"spam\"; families = \"4\"; weight = 1; "
#define THREE \
	"catalogue = ( { name = \"one\"; zone = \"one.test\"; " LISTED "}, " \
	"{ name = \"keyed\"; keyed_zone = \"{key}.keyed.test\"; " LISTED "} );"

#define LISTED_A(fields) "catalogue = ( { name = \"a\"; zone = \"a.test\"; " LISTED fields "} );"
#define POOL(transport) "pools = ( { name = \"p\"; levels = [ \"good\" ]; transports = ( { " transport " } ); } );"

static const struct mistake mistakes[] = {
#include "t/unit/config_mistakes.h"
};
static const size_t mistake_count = sizeof mistakes / sizeof mistakes[0];

static char folder[] = "/tmp/penstock-mistakes-XXXXXX";
static char error[CONFIG_ERROR_MAX];

static const char *path_of(const char *name)
{
	static char path[100];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t length)
{
	FILE *to = fopen(path_of(name), "we");
	if (to == NULL || fwrite(text, 1, length, to) != length || fclose(to) != 0)
		printf("Bail out! %s cannot be written\n", path_of(name));
}

static bool load(const char *text, const char *catalogue)
{
	write_file("penstock.conf", text, strlen(text));
	if (catalogue != NULL)
		write_file("blocklists.conf", catalogue, strlen(catalogue));
	struct config *config = config_load(path_of("penstock.conf"), error);
	bool fine = config != NULL;
	config_drop(&config);
	if (catalogue != NULL)
		unlink(path_of("blocklists.conf"));
	return fine;
}

/* `text` with the folder in place of its mark. */
static const char *with_folder(const char *text)
{
	static char whole[CONFIG_ERROR_MAX + 100];
	static const char mark[] = "@FOLDER@";
	const char *at = strstr(text, mark);
	snprintf(whole, sizeof whole, "%.*s%s%s", at != NULL ? (int)(at - text) : (int)strlen(text), text,
		 at != NULL ? folder : "", at != NULL ? at + strlen(mark) : "");
	return whole;
}

static void test_mistakes(void)
{
	for (size_t i = 0; i < mistake_count; i++) {
		const struct mistake *row = &mistakes[i];
		bool of_catalogue = row->text[0] == '\0';
		ok(!load(row->text, row->catalogue), "refused: %s", of_catalogue ? row->catalogue : row->text);
		const char *file = path_of(of_catalogue ? "blocklists.conf" : "penstock.conf");
		ok(strncmp(error, file, strlen(file)) == 0, "... by its file: %s", error);
		is_str(error + strlen(file), with_folder(row->said), "... and says");
		ok(strchr(error, '\n') == NULL && strlen(error) < CONFIG_ERROR_MAX - 1,
		   "... in one line that is not cut");
	}
}

/* ---- is the table whole? */

static bool has_row(const char *option)
{
	for (size_t i = 0; i < mistake_count; i++)
		if (strcmp(mistakes[i].option, option) == 0)
			return true;
	return false;
}

static void test_each_option_has_one(void)
{
	char option[120];
	for (size_t i = 0; i < config_field_count; i++)
		ok(has_row(config_fields[i].path), "%s has a row in config_mistakes.h", config_fields[i].path);
	for (size_t i = 0; i < config_list_count; i++) {
		const struct config_list *list = &config_lists[i];
		if (list->field_count == 0)
			ok(has_row(list->path), "%s has a row in config_mistakes.h", list->path);
		for (size_t j = 0; j < list->field_count; j++) {
			snprintf(option, sizeof option, "%s.%s", list->path, list->fields[j].path);
			ok(has_row(option), "%s has a row in config_mistakes.h", option);
		}
	}
}

/* ---- what can be wrong with every setting */

enum { LONGEST = 1000 }; /* bytes of a string, as its row says */

/* redis.server as "redis: { server = VALUE; };" */
static void set_option(const char *path, const char *value, const char *said, const char *name)
{
	char text[LONGEST + 100], expected[CONFIG_ERROR_MAX];
	const char *dot = strchr(path, '.');
	snprintf(text, sizeof text, dot != NULL ? "%.*s: { %s = %s; };" : "%.*s%s = %s;",
		 dot != NULL ? (int)(dot - path) : 0, path, dot != NULL ? dot + 1 : path, value);
	snprintf(expected, sizeof expected, "%s:1: %s", path_of("penstock.conf"), said);
	ok(!load(text, NULL), "%s: %s", name, path);
	is_str(error, expected, "... and says");
}

static void test_wrong_type(const struct field *field)
{
	static const struct {
		const char *value, *is, *expected;
	} types[] = {
		[FIELD_STRING] = { "5", "a whole number", "a string" },
		[FIELD_OWN] = { "5", "a whole number", "a string" },
		[FIELD_INT] = { "\"5\"", "a string", "a whole number" },
		[FIELD_FLOAT] = { "true", "true or false", "a number" },
		[FIELD_BOOL] = { "( )", "a list", "true or false" },
	};
	char said[200];
	snprintf(said, sizeof said, "%s is %s, expected %s", field->path, types[field->type].is,
		 types[field->type].expected);
	set_option(field->path, types[field->type].value, said, "a value of another type");
}

static void test_beyond(const struct field *field, double value)
{
	char said[200], text[NUMBER_TEXT_MAX + 2], shown[NUMBER_TEXT_MAX], least[NUMBER_TEXT_MAX],
		most[NUMBER_TEXT_MAX];
	snprintf(said, sizeof said, "%s is %s, expected %s to %s", field->path, read_number_text(value, shown),
		 read_number_text(field->least, least), read_number_text(field->most, most));
	snprintf(text, sizeof text, "%s%s", shown,
		 field->type == FIELD_INT     ? "L"
		 : strchr(shown, '.') == NULL ? ".0"
					      : "");
	set_option(field->path, text, said, "a value out of range");
}

static void test_too_long(const struct field *field)
{
	char said[200], text[LONGEST + 4];
	size_t length = (size_t)field->most + 1;
	memset(text, 'x', length + 2);
	text[0] = text[length + 1] = '"';
	text[length + 2] = '\0';
	snprintf(said, sizeof said, "%s has %zu bytes, expected %.0f to %.0f", field->path, length, field->least,
		 field->most);
	set_option(field->path, text, said, "too long a value");
}

/* Its last letter twice. */
static void test_misspelt(const struct field *field)
{
	char path[100], said[300];
	const char *dot = strchr(field->path, '.'), *word = dot != NULL ? dot + 1 : field->path;
	const char last = word[strlen(word) - 1];
	snprintf(path, sizeof path, "%s%c", field->path, last);
	snprintf(said, sizeof said, "unknown option \"%s%c\"%s%.*s; did you mean \"%s\"?", word, last,
		 dot != NULL ? " in section " : "", dot != NULL ? (int)(dot - field->path) : 0, field->path, word);
	set_option(path, "5", said, "a misspelt name");
}

static void test_each_setting(void)
{
	for (size_t i = 0; i < config_field_count; i++) {
		const struct field *field = &config_fields[i];
		test_wrong_type(field);
		test_misspelt(field);
		if (field->type == FIELD_STRING)
			test_too_long(field);
		if (field->type != FIELD_INT && field->type != FIELD_FLOAT)
			continue;
		test_beyond(field, field->least - 1);
		test_beyond(field, field->most + 1);
	}
}

/* ---- what takes more than a line */

/* `count` lists "a0.test" ... of a catalogue or of blocklists */
static void add_lists(struct text *text, const char *opening, int count, const char *row)
{
	text_add(text, opening);
	for (int i = 0; i < count; i++) {
		text_add(text, i > 0 ? ", " : "");
		text_addf(text, row, i, i);
	}
	text_add(text, " );");
}

static void expect_said(const char *file, const char *said, const char *name)
{
	char expected[CONFIG_ERROR_MAX];
	snprintf(expected, sizeof expected, "%s%s", file, with_folder(said));
	is_str(error, expected, "%s", name);
}

static void test_too_many_lists(void)
{
	static char own[LISTS_MAX * 60], catalogue[LISTS_MAX * 120];
	struct text text = text_over(own, sizeof own), listed = text_over(catalogue, sizeof catalogue);
	add_lists(&text, "blocklists = ( ", LISTS_MAX - 1, "{ zone = \"a%d.test\"; kind = \"spam\"; name = \"a%d\"; }");
	add_lists(&listed, "catalogue = ( ", 2, "{ name = \"b%d\"; zone = \"b%d.test\"; " LISTED "}");
	ok(!load(own, catalogue), "more lists than fit");
	expect_said(path_of("penstock.conf"),
		    ": blocklists and the catalogue @FOLDER@/blocklists.conf have more than 256 lists together",
		    "... and it is said");
}

static void test_long_zone(void)
{
	char key[64], zone[LIST_ZONE_MAX], text[200], catalogue[400], said[300];
	memset(key, 'k', 63);
	key[63] = '\0';
	for (int i = 0; i < LIST_ZONE_MAX - 20; i++)
		zone[i] = i % 30 == 29 ? '.' : 'z';
	zone[LIST_ZONE_MAX - 20] = '\0';
	snprintf(text, sizeof text, "catalogue: { keys = ( { lists = \"k*\"; key = \"%s\"; } ); };", key);
	snprintf(catalogue, sizeof catalogue,
		 "catalogue = ( { name = \"keyed\"; keyed_zone = \"{key}.%s\"; " LISTED "} );", zone);
	ok(!load(text, catalogue), "a zone that is too long with its key");
	snprintf(said, sizeof said,
		 ":1: catalogue.keys[0].lists is \"k*\": with its key, the zone of keyed has over %d bytes",
		 LIST_ZONE_MAX);
	expect_said(path_of("penstock.conf"), said, "... and it is said");
}

/* A file of 4 MiB, and one whose name leaves no room for a catalogue beside it. */
static void test_long_files(void)
{
	enum { SIZE = 4 << 20, SLASHES = 3900 };
	static char blanks[SIZE], name[SLASHES + 100];
	memset(blanks, ' ', SIZE);
	write_file("penstock.conf", blanks, SIZE);
	ok(config_load(path_of("penstock.conf"), error) == NULL, "a file of 4 MiB");
	expect_said(path_of("penstock.conf"), ": is too long: expected less than 4194304 bytes", "... and it is said");
	struct text text = text_over(name, sizeof name);
	text_add(&text, folder);
	for (int i = 0; i < SLASHES; i++)
		text_add(&text, "/");
	text_add(&text, "penstock.conf");
	memset(blanks, 'x', 255);
	int length = snprintf(blanks + 300, 400, "catalogue: { file = \"%.255s\"; };", blanks);
	write_file("penstock.conf", blanks + 300, (size_t)length);
	ok(config_load(name, error) == NULL && strstr(error, "///") != NULL, "a catalogue far away");
	ok(config_load("/nowhere/penstock.conf", error) == NULL, "a file that is not there");
	is_str(error, "/nowhere/penstock.conf: cannot be read: No such file or directory", "... and it is said");
}

int main(void)
{
	if (mkdtemp(folder) == NULL) {
		printf("Bail out! no folder\n");
		return 1;
	}
	test_mistakes();
	test_each_option_has_one();
	test_each_setting();
	test_too_many_lists();
	test_long_zone();
	test_long_files();
	unlink(path_of("penstock.conf"));
	rmdir(folder);
	return done_testing();
}

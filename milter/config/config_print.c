/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sample file and the manual page's list of options, printed from the rows that the reading goes by.
 */
#include "milter/config/config_read.h"

#include <string.h>

#include "policy/base/banned.h"

/* The group of "group.word"; *length_out 0 for a word at the top. */
static const char *group_of(const char *path, size_t *length_out)
{
	const char *dot = strchr(path, '.');
	*length_out = dot != NULL ? (size_t)(dot - path) : 0;
	return path;
}

static bool in_group(const char *path, const char *group, size_t length)
{
	size_t own;
	group_of(path, &own);
	return own == length && strncmp(path, group, length) == 0;
}

static const char *word_of(const char *path)
{
	const char *dot = strchr(path, '.');
	return dot != NULL ? dot + 1 : path;
}

static void print_help(FILE *to, const char *indent, const char *help)
{
	enum { WIDTH = 100 };
	while (*help != '\0') {
		size_t length = strlen(help);
		if (length > WIDTH)
			for (length = WIDTH; length > 0 && help[length] != ' ';)
				length--;
		fprintf(to, "%s# %.*s\n", indent, (int)length, help);
		help += length + (help[length] == ' ');
	}
}

static void print_group(FILE *to, const char *group, size_t length)
{
	fprintf(to, "%.*s:\n{\n", (int)length, group);
	for (size_t i = 0; i < config_field_count; i++)
		if (!config_is_rare(i) && in_group(config_fields[i].path, group, length)) {
			print_help(to, "\t", config_fields[i].help);
			fprintf(to, "\t#%s = %s;\n", word_of(config_fields[i].path), config_fields[i].text);
		}
	for (size_t i = 0; i < config_list_count; i++)
		if (config_lists[i].read != NULL && in_group(config_lists[i].path, group, length)) {
			print_help(to, "\t", config_lists[i].help);
			fprintf(to, "\t#%s = %s;\n", word_of(config_lists[i].path), config_lists[i].example);
		}
	fprintf(to, "};\n\n");
}

static bool config_print_group_is_first(const char *path, size_t before)
{
	size_t length;
	group_of(path, &length);
	for (size_t i = 0; i < before; i++)
		if (in_group(config_fields[i].path, path, length))
			return false;
	return true;
}

/* The plan stands in README.md and in penstock.conf(5), EXAMPLES, too: t/lint/readme.t compares them. */
#define SAMPLE_PLAN \
	"\t{ name = \"default\"; rcpts_per_hour = 3000; rcpts_per_day = 20000; rcpts_per_message = 100;\n" \
	"\t  ramp_first_day = 1000; over = \"slow\"; }\n"

static const char sample_lists[] =
	"# Rules that are judged and do not act. Begin with all of them; penstock(7), Shadow mode, says what comes "
	"next.\n"
	"shadow = [ \"all\" ];\n\n"
	"# Block lists that are asked about the client's address: some of the catalogue, by their names, or lists of "
	"your "
	"own.\n# Without them nothing is asked.\nblocklists = (\n"
	"#\t{ list = \"spamhaus-zen\"; action = \"signal\"; },\n"
	"#\t{ zone = \"bl.example.com\"; kind = \"spam\"; action = \"refuse\"; test = false; }\n);\n\n"
	"# Sets of limits. They are wide, so that newsletters and mailing lists pass: accounts are judged by what they "
	"do.\n"
	"# A new account begins with ramp_first_day recipients a day, and has 1.4 times as many after each day on "
	"which it\n"
	"# sent and behaved well. An account's own limits are Redis keys: see redis-schema/README.md.\n"
	"plans = (\n" SAMPLE_PLAN ");\n\n"
	"# Content scanners.\nscanners = (\n"
	"#\t{ name = \"spamd\"; kind = \"spamd\"; address = \"127.0.0.1:783\"; on_failure = \"unknown\"; }\n);\n\n"
	"# Whose mail leaves by which address. Without pools nothing is marked: put your own addresses in, then run\n"
	"# `penstockctl postfix print`.\npools = (\n"
	"#\t{ name = \"clean\"; levels = [\"good\"]; transports = (\n"
	"#\t\t{ name = \"clean-1\"; address = \"192.0.2.11\"; helo = \"out1.example.com\"; weight = 1.0; } ); },\n"
	"#\t{ name = \"warm\"; levels = [\"new\"]; transports = (\n"
	"#\t\t{ name = \"warm-1\"; address = \"192.0.2.21\"; helo = \"out2.example.com\"; } ); },\n"
	"#\t{ name = \"suspect\"; levels = [\"suspect\"]; transports = (\n"
	"#\t\t{ name = \"suspect-1\"; address = \"192.0.2.31\"; helo = \"out3.example.com\"; } ); }\n);\n";

void config_print_sample(FILE *to)
{
	fprintf(to, "# Configuration of penstock; see penstock.conf(5). Lines that begin with # show the defaults.\n"
		    "# `penstock -t -c FILE` checks a file, `systemctl reload penstock` puts it in force.\n\n");
	for (size_t i = 0; i < config_field_count; i++) {
		size_t length;
		const char *group = group_of(config_fields[i].path, &length);
		if (length == 0) {
			print_help(to, "", config_fields[i].help);
			fprintf(to, "#%s = %s;\n\n", config_fields[i].path, config_fields[i].text);
		} else if (config_print_group_is_first(group, i)) {
			print_group(to, group, length);
		}
	}
	fputs(sample_lists, to);
}

/* mdoc(7) text: a leading dot or quote would be a request, a backslash an escape. */
static void print_man_text(FILE *to, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", to);
	for (; *text != '\0'; text++) {
		bool sentence_ends = text[0] == '.' && text[1] == ' '; /* the next one begins on a line of its own */
		if (*text == '\\')
			fputs("\\e", to);
		else if (sentence_ends)
			fputs(".\n", to);
		else
			fputc(*text, to);
		text += sentence_ends;
	}
	fputc('\n', to);
}

static const char *config_print_type_word(enum field_type type)
{
	static const char *const words[] = {
		[FIELD_STRING] = "string", [FIELD_TEXT] = "string",	   [FIELD_INT] = "whole number",
		[FIELD_FLOAT] = "number",  [FIELD_BOOL] = "true or false", [FIELD_OWN] = "",
	};
	return words[type];
}

/* A limit of a plan: what its number may be stands once above them all. */
static bool config_print_is_limit(const struct field *field)
{
	return field->type == FIELD_INT && field->least <= LIMIT_UNSET && field->most >= LIMIT_MAX;
}

static void print_man_field(FILE *to, const struct field *field)
{
	fprintf(to, ".It Cm %s\n", field->path);
	print_man_text(to, field->help);
	if (config_print_is_limit(field))
		return;
	bool number = field->type == FIELD_INT || field->type == FIELD_FLOAT;
	char least[NUMBER_TEXT_MAX], most[NUMBER_TEXT_MAX];
	if (number)
		fprintf(to, "A %s from %s to %s.\n", config_print_type_word(field->type),
			read_number_text(field->least, least), read_number_text(field->most, most));
	if (field->text == NULL)
		fprintf(to, "Required.\n");
	else if (strcmp(field->text, "\"\"") != 0)
		fprintf(to, "Default: %s\n", field->text);
}

/* What holds where no row of `signals` says otherwise. */
static void print_man_signals(FILE *to)
{
	fprintf(to, ".Pp\nSignals, what they watch, and their weight, floor and cap:\n.Bl -tag -width 4n\n");
	for (int i = 0; i < SIGNAL_COUNT; i++) {
		const struct signal_setting *set = &signal_defaults[i];
		fprintf(to, ".It Cm %s\n", signal_word((enum signal)i));
		print_man_text(to, signal_help((enum signal)i));
		fprintf(to, ".Pq %g, %g, %g\n", set->weight, set->floor, set->cap);
	}
	fprintf(to, ".El\n");
}

static void print_man_options(FILE *to, bool rare)
{
	fputs(rare ? ".Ss Rarely needed\nThe defaults of these options fit nearly every host; the sample file leaves "
		     "them out.\n"
		   : ".Sh OPTIONS\n",
	      to);
	fputs(".Bl -tag -width 4n\n", to);
	for (size_t i = 0; i < config_field_count; i++)
		if (config_is_rare(i) == rare)
			print_man_field(to, &config_fields[i]);
	fputs(".El\n", to);
}

void config_print_man(FILE *to)
{
	print_man_options(to, false);
	print_man_options(to, true);
	fprintf(to, ".Sh LISTS\n");
	for (size_t i = 0; i < config_list_count; i++) {
		fprintf(to, ".Ss %s\n", config_lists[i].path);
		print_man_text(to, config_lists[i].help);
		if (config_lists[i].fields == NULL) {
			fprintf(to, "Default: %s\n", config_lists[i].example);
			continue;
		}
		fprintf(to, ".Bl -tag -width 4n\n");
		for (size_t j = 0; j < config_lists[i].field_count; j++)
			print_man_field(to, &config_lists[i].fields[j]);
		fprintf(to, ".El\n");
		if (strcmp(config_lists[i].path, "signals") == 0)
			print_man_signals(to);
	}
}

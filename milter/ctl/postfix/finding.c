/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/postfix/finding.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/memory.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct findings {
	char *place, *last; /* owned */
	bool fixable;	    /* a difference has a fix */
	json_t *rows[2];    /* owned arrays, by weight */
};

/* clang-format off */
static const struct { const char *word, *title; } gravities[GRAVITY_COUNT] = {
#define GRAVITY_ROW(id, word, title) { word, title },
	GRAVITY_ROWS(GRAVITY_ROW)
#undef GRAVITY_ROW
};
/* clang-format on */

struct findings *findings_new(const char *place, const char *last)
{
	struct findings *findings = have_memory(calloc(1, sizeof *findings));
	findings->place = have_memory(strdup(place));
	findings->last = have_memory(strdup(last));
	findings->rows[DIFFERENCE] = have_memory(json_array());
	findings->rows[WARNING] = have_memory(json_array());
	return findings;
}

static void set(json_t *row, const char *name, const char *text)
{
	char *clean = text == NULL ? NULL : clean_text(text);
	json_object_set_new(row, name, clean == NULL ? json_null() : json_string(clean));
	free(clean);
}

static const char *get(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));
	return text == NULL ? "" : text;
}

/* What a setting names must be there before it. */
static int step_of(const json_t *row)
{
	const char *slash = strrchr(get(row, "file"), '/');
	return slash == NULL || strcmp(slash, "/main.cf") == 0 ? 2 : strcmp(slash, "/master.cf") == 0 ? 1 : 0;
}

/* Of one line, and for a terminal, too. */
static bool has_control(const char *text)
{
	while ((unsigned char)*text >= 0x20 && *text != 0x7f)
		text++;
	return *text != '\0';
}

void findings_add(struct findings *findings, const struct finding *finding)
{
	char file[1100];
	bool whole = *finding->file == '/';
	snprintf(file, sizeof file, "%s%s%s", whole ? "" : findings->place, whole ? "" : "/", finding->file);
	json_t *row = have_memory(json_object());
	set(row, "what", finding->what);
	set(row, "found", finding->found);
	set(row, "expected", finding->expected);
	set(row, "file", file);
	/* the shell gets it: none of its bytes may change. Of what is no UTF-8 there is none, as JSON cannot say it. */
	json_t *fix = finding->fix == NULL || has_control(finding->fix) ? NULL : json_string(finding->fix);
	json_object_set_new(row, "fix", fix == NULL ? json_null() : fix);
	set(row, "why", finding->why);
	set(row, "gravity", gravities[finding->gravity].word);
	json_t *rows = findings->rows[finding->weight];
	size_t at = json_array_size(rows);
	while (at > 0 && step_of(json_array_get(rows, at - 1)) > step_of(row))
		at--;
	json_array_insert_new(rows, at, row);
	findings->fixable |= finding->weight == DIFFERENCE && fix != NULL;
}

size_t findings_count(const struct findings *findings, enum weight weight)
{
	return json_array_size(findings->rows[weight]);
}

/* "nothing", or the text in quotes. */
static void finding_print_text(const char *text, FILE *to)
{
	if (*text == '\0')
		fputs("nothing", to);
	else
		fprintf(to, "\"%s\"", text);
}

static void finding_print_row(const char *kind, const char *lead, const json_t *row, FILE *to)
{
	const char *fix = get(row, "fix");
	char *shown = clean_text(fix);
	fprintf(to, "%s: %s: found ", kind, get(row, "what"));
	finding_print_text(get(row, "found"), to);
	fputs(", expected ", to);
	finding_print_text(get(row, "expected"), to);
	fprintf(to, " in %s\n    %s\n", get(row, "file"), get(row, "why"));
	if (*fix != '\0' && strcmp(shown, fix) == 0) /* else it would be typed with a question mark */
		fprintf(to, "    %s: %s\n", lead, fix);
	free(shown);
}

static void finding_print_rows(const struct findings *findings, enum weight weight, FILE *to)
{
	size_t index;
	json_t *row;
	for (int i = 0; i < GRAVITY_COUNT; i++) {
		bool titled = weight == WARNING;
		json_array_foreach(findings->rows[weight], index, row)
		{
			if (strcmp(get(row, "gravity"), gravities[i].word) != 0)
				continue;
			if (!titled)
				fprintf(to, "%s:\n", gravities[i].title);
			titled = true;
			finding_print_row(weight == WARNING ? "warning" : "difference",
					  weight == WARNING ? "if it is not intended, type" : "type", row, to);
		}
	}
}

void findings_print(const struct findings *findings, const char *config_file, const char *again, FILE *to)
{
	size_t differences = findings_count(findings, DIFFERENCE), warnings = findings_count(findings, WARNING);
	finding_print_rows(findings, DIFFERENCE, to);
	if (warnings > 0)
		fputs("What may be intended:\n", to);
	finding_print_rows(findings, WARNING, to);
	if (differences == 0)
		fprintf(to, "Postfix fits %s\n", config_file);
	else
		fprintf(to, "%zu difference%s%s%s\n", differences, differences == 1 ? "" : "s",
			findings->fixable ? "; these commands alone, in an order that works: " : "",
			findings->fixable ? again : "");
}

void findings_print_commands(const struct findings *findings, FILE *to)
{
	const json_t *rows = findings->rows[DIFFERENCE];
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *fix = get(json_array_get(rows, i), "fix");
		bool said = *fix == '\0';
		for (size_t j = 0; !said && j < i; j++)
			said = strcmp(fix, get(json_array_get(rows, j), "fix")) == 0;
		if (!said)
			fprintf(to, "%s\n", fix);
	}
	if (findings->fixable)
		fprintf(to, "%s\n", findings->last);
}

void findings_print_json(const struct findings *findings, FILE *to)
{
	json_t *whole =
		have_memory(json_pack("{s:b, s:O, s:O}", "ok", findings_count(findings, DIFFERENCE) == 0, "differences",
				      findings->rows[DIFFERENCE], "warnings", findings->rows[WARNING]));
	set(whole, "last", findings->fixable ? findings->last : NULL);
	json_dumpf(whole, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', to);
	json_decref(whole);
}

void findings_free(struct findings **findings)
{
	if (*findings == NULL)
		return;
	json_decref((*findings)->rows[DIFFERENCE]);
	json_decref((*findings)->rows[WARNING]);
	free((*findings)->place);
	free((*findings)->last);
	free(*findings);
	*findings = NULL;
}

/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/csv.h"

#include <string.h>

#include "policy/base/banned.h"

static void csv_begin(struct csv *csv)
{
	if (csv->begun)
		fputc(',', csv->to);
	csv->begun = true;
}

void csv_text(struct csv *csv, const char *text)
{
	csv_begin(csv);
	if (text == NULL || *text == '\0')
		return;
	bool formula = strchr("=+-@\t\r", *text) != NULL;
	if (!formula && strpbrk(text, "\",\r\n ") == NULL) {
		fputs(text, csv->to);
		return;
	}
	fputs(formula ? "\"'" : "\"", csv->to);
	for (; *text != '\0'; text++)
		fprintf(csv->to, *text == '"' ? "\"%c" : "%c", *text);
	fputc('"', csv->to);
}

void csv_number(struct csv *csv, int64_t number)
{
	csv_begin(csv);
	fprintf(csv->to, "%lld", (long long)number);
}

void csv_end(struct csv *csv)
{
	fputs("\r\n", csv->to);
	csv->begun = false;
}

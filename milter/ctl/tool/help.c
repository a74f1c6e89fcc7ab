/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/ctl/tool/help.h"

#include <string.h>

#include "policy/base/banned.h"

/* The words of `text` from column `column` on, each further line from column `indent` on. */
static void help_words(FILE *to, int column, int indent, const char *text)
{
	for (const char *gap = ""; *text != '\0'; gap = " ") {
		int length = (int)strcspn(text, " ");
		if (column + (int)strlen(gap) + length > HELP_WIDTH && column > indent) {
			fprintf(to, "\n%*s", indent, "");
			column = indent;
			gap = "";
		}
		column += fprintf(to, "%s%.*s", gap, length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

void help_row(FILE *to, const char *term, int at, const char *what)
{
	int column = fprintf(to, "  %s", term);
	if (column + 2 > at) {
		fputc('\n', to);
		column = 0;
	}
	fprintf(to, "%*s", at - column, "");
	help_words(to, at, at, what);
}

void help_text(FILE *to, int first, int indent, const char *text)
{
	fprintf(to, "%*s", first, "");
	help_words(to, first, indent, text);
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What speaks for an account: why terms of its score are missing, or smaller than they might be.
 */
#include "milter/ctl/show.h"

#include "milter/ctl/tool/clean.h"
#include "milter/ctl/tool/member.h"
#include "milter/ctl/tool/table.h"
#include "policy/base/text.h"
#include "policy/spoke.h"

#include <math.h>
#include <string.h>

#include "policy/base/banned.h"

enum { SIGNALS_A_LINE = 4, LINE_MAX = 400 };

/* It speaks neither for nor against it. */
static bool spoke_of_nothing_known(const char *word)
{
	return strcmp(word, spoke_word(SPOKE_UNKNOWN)) == 0 || strcmp(word, spoke_word(SPOKE_YOUNG)) == 0;
}

/* Did a row before this one say the same? */
static bool spoke_was_said(const json_t *terms, size_t before, const char *word)
{
	for (size_t i = 0; i < before; i++)
		if (strcmp(text_of(json_array_get(terms, i), "spoke"), word) == 0)
			return true;
	return false;
}

static void spoke_end_line(struct table *table, const char **word, struct text *line, char *bytes)
{
	table_add(table, *word);
	table_add(table, bytes);
	*word = "";
	*line = text_over(bytes, LINE_MAX);
}

/* "to people it knows   burst +0.40, campaign +1.20" */
static void show_spoke_add(struct table *table, const json_t *terms, const char *member, const char *word)
{
	char bytes[LINE_MAX];
	struct text line = text_over(bytes, sizeof bytes);
	const char *said = word;
	int count = 0;
	size_t index;
	json_t *row;
	json_array_foreach(terms, index, row)
	{
		double term = number_of(row, member);
		if (strcmp(text_of(row, "spoke"), word) != 0)
			continue;
		if (count > 0)
			text_add(&line, count % SIGNALS_A_LINE == 0 ? "," : ", ");
		if (count > 0 && count % SIGNALS_A_LINE == 0)
			spoke_end_line(table, &said, &line, bytes);
		text_add(&line, text_of(row, "name"));
		if (fabs(term) >= 0.005)
			text_addf(&line, " %+.2f", term);
		count++;
	}
	spoke_end_line(table, &said, &line, bytes);
}

void show_spoke(const json_t *terms, const char *member, int indent, FILE *to)
{
	static const char *const titles[][3] = { { "WHAT SPEAKS FOR IT", "SIGNALS", NULL },
						 { "WHAT CANNOT BE JUDGED", "SIGNALS", NULL } };
	for (int nothing_known = 0; nothing_known < 2; nothing_known++) {
		struct table *table = table_new(titles[nothing_known]);
		bool any = false;
		size_t index;
		json_t *row;
		json_array_foreach(terms, index, row)
		{
			const char *word = text_of(row, "spoke");
			if (*word == '\0' || spoke_of_nothing_known(word) != nothing_known ||
			    spoke_was_said(terms, index, word))
				continue;
			show_spoke_add(table, terms, member, word);
			any = true;
		}
		if (any) {
			fputc('\n', to);
			table_print(table, to, indent);
		}
		table_free(&table);
	}
}

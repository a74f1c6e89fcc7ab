/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/follow/tally.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "policy/base/banned.h"

struct tally_row {
	double count;
	char word[];
};

struct tally {
	void *root; /* of tsearch(3) */
	size_t rows;
	double others;
};

/* What is sought and what is there are both rows. */
static int tally_compare(const void *a, const void *b)
{
	return strcmp(((const struct tally_row *)a)->word, ((const struct tally_row *)b)->word);
}

struct tally *tally_new(void)
{
	return calloc(1, sizeof(struct tally));
}

void tally_free(struct tally **tally)
{
	if (*tally == NULL)
		return;
	tdestroy((*tally)->root, free);
	free(*tally);
	*tally = NULL;
}

static struct tally_row *tally_row(const char *word)
{
	size_t length = strnlen(word, TALLY_WORD_MAX);
	struct tally_row *row = calloc(1, sizeof *row + length + 1);
	if (row != NULL)
		memcpy(row->word, word, length);
	return row;
}

void tally_add(struct tally *tally, const char *word, double count)
{
	struct tally_row *row = tally_row(word);
	struct tally_row **found = row != NULL ? tfind(row, &tally->root, tally_compare) : NULL;
	if (row != NULL && found == NULL && tally->rows < TALLY_ROWS_MOST) {
		found = tsearch(row, &tally->root, tally_compare);
		tally->rows += found != NULL;
	}
	if (found != NULL)
		(*found)->count += count;
	else
		tally->others += count;
	if (found == NULL || *found != row)
		free(row);
}

struct tally_walk {
	tally_show *show;
	void *arg;
};

static void tally_visit(const void *node, VISIT visit, void *closure)
{
	const struct tally_walk *walk = closure;
	const struct tally_row *row = *(struct tally_row *const *)node;
	if (visit == postorder || visit == leaf) /* the second of three visits, of which this is the name */
		walk->show(walk->arg, row->word, row->count);
}

void tally_each(const struct tally *tally, tally_show *show, void *arg)
{
	struct tally_walk walk = { show, arg };
	twalk_r(tally->root, tally_visit, &walk);
	if (tally->others > 0)
		show(arg, "(others)", tally->others);
}

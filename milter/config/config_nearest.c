/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Words that the configuration file has and nobody knows: which may be meant.
 */
#include "milter/config/config_read.h"

#include "policy/base/text.h"

#include <string.h>

#include "policy/base/banned.h"

enum { WORD_MOST = 40 };

/* Letters to change, add, leave out or swap, Damerau's distance; more than WORD_MOST for what is too long to be
 * compared. */
static size_t nearest_distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MOST + 1], m = strlen(a), n = strlen(b);
	if (m > WORD_MOST || n > WORD_MOST)
		return WORD_MOST + 1;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *now = rows[i % 3], *before = rows[(i - 1) % 3], *older = rows[(i + 1) % 3];
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = before[j - 1] + (text_lower(a[i - 1]) != text_lower(b[j - 1]));
			best = before[j] + 1 < best ? before[j] + 1 : best;
			best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && older[j - 2] + 1 < best)
				best = older[j - 2] + 1;
			now[j] = best;
		}
	}
	return rows[m % 3][n];
}

bool read_nearest(const char *word, read_name_function *names, const void *arg, char nearest_out[READ_NAME_MAX])
{
	char name[READ_NAME_MAX];
	bool found = false;
	size_t least = strlen(word) / 3 + 2; /* less than that is near */
	nearest_out[0] = '\0';
	for (size_t i = 0; names(arg, i, name); i++) {
		bool begins =
			strlen(word) > 3 && strncmp(name, word, strlen(word)) == 0; /* "timeout" for "timeout_ms" */
		size_t far = name[0] == '\0' ? WORD_MOST : begins ? 1 : nearest_distance(word, name);
		if (far >= least)
			continue;
		least = far;
		found = text_copy(nearest_out, READ_NAME_MAX, name);
	}
	return found;
}

/* SPDX-License-Identifier: BSD-2-Clause
 *
 * finding: what does not fit, row by row, for people and for programs. A warning is what may be meant so.
 */
#ifndef PENSTOCK_FINDING_H
#define PENSTOCK_FINDING_H

#include <stddef.h>
#include <stdio.h>

struct findings;

enum weight { DIFFERENCE, WARNING };

/* All texts are copied, and cleaned. */
struct finding {
	enum weight weight;
	const char *what;
	const char *found;	/* NULL or "": nothing was found */
	const char *expected;	/* "": nothing */
	const char *file;	/* below `place`, or a whole path */
	const char *fix;	/* what to type; NULL: nothing that one could */
	const char *why;
};

/* `place` is the folder of the files that findings name; `last` is to be typed after the fixes of differences.
 * Both are copied. */
struct findings *findings_new(const char *place, const char *last);
/* Differences are kept in the order in which their fixes work: other files first, then services of master.cf,
 * then the settings of main.cf that name both; of one kind, in the order of their coming. */
void findings_add(struct findings *findings, const struct finding *finding);
size_t findings_count(const struct findings *findings, enum weight weight);

/* A line for each; the last one begins with "N differences", or is "Postfix fits CONFIG_FILE". */
void findings_print(const struct findings *findings, const char *config_file, FILE *to);
/* {"ok", "differences": [{"what", "found", "expected", "file", "fix", "why"}], "warnings": [the same],
 * "last": what is to be typed after the fixes, null where there is nothing to fix} */
void findings_print_json(const struct findings *findings, FILE *to);
void findings_free(struct findings **findings);

#endif

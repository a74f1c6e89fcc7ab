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
	const char *expected;
	const char *file;	/* below `place`, or a whole path */
	const char *fix;	/* what to type; NULL: nothing that one could */
	const char *why;
};

/* `place` is the folder of the files that findings name. */
struct findings *findings_new(const char *place);
void findings_add(struct findings *findings, const struct finding *finding);
size_t findings_count(const struct findings *findings, enum weight weight);

/* A line for each; the last one is "N differences", or "Postfix fits CONFIG_FILE". */
void findings_print(const struct findings *findings, const char *config_file, FILE *to);
/* {"ok", "differences": [{"what", "found", "expected", "file", "fix", "why"}], "warnings": [the same]} */
void findings_print_json(const struct findings *findings, FILE *to);
void findings_free(struct findings **findings);

#endif

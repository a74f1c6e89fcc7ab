/* SPDX-License-Identifier: BSD-2-Clause
 *
 * finding: what does not fit, row by row, for people and for programs. A warning is what may be intended.
 */
#ifndef PENSTOCK_FINDING_H
#define PENSTOCK_FINDING_H

#include <stddef.h>
#include <stdio.h>

struct findings;

enum weight { DIFFERENCE, WARNING };

/* What becomes of mail, the worst first: id, word of JSON, title for people */
#define GRAVITY_ROWS(ROW) \
	ROW(UNJUDGED, "unjudged", "Mail that nobody judges or counts") \
	ROW(MISJUDGED, "misjudged", "Mail that is charged to the wrong account, or twice") \
	ROW(ASTRAY, "astray", "Mail that leaves by another way than it should") \
	ROW(DEFERRED, "deferred", "Mail that is deferred") \
	ROW(LEAK, "leak", "What leaves with the mail")

/* clang-format off */
enum gravity {
#define GRAVITY_ENUM(id, word, title) GRAVITY_##id,
	GRAVITY_ROWS(GRAVITY_ENUM)
#undef GRAVITY_ENUM
	GRAVITY_COUNT
};
/* clang-format on */

/* All texts are copied, and cleaned. */
struct finding {
	enum weight weight;
	enum gravity gravity;
	const char *what;
	const char *found;    /* NULL or "": nothing was found */
	const char *expected; /* "": nothing */
	const char *file;     /* below `place`, or a whole path */
	const char *fix; /* what to type, byte for byte; NULL: nothing that one could, and so where it is no UTF-8 */
	const char *why;
};

/* `place` is the folder of the files that findings name; `last` is to be typed after the fixes of differences.
 * Both are copied. */
struct findings *findings_new(const char *place, const char *last);
/* Differences are kept in the order in which their fixes work: other files first, then services of master.cf,
 * then the settings of main.cf that name both; of one kind, in the order of their coming. */
void findings_add(struct findings *findings, const struct finding *finding);
size_t findings_count(const struct findings *findings, enum weight weight);

/* For people: by weight and gravity, each with its reason and its command. The last line begins with "N differences",
 * or is "Postfix fits CONFIG_FILE". `again` is the command that prints the commands alone. */
void findings_print(const struct findings *findings, const char *config_file, const char *again, FILE *to);
/* The commands of the differences alone, one a line, in the order in which they work, each once; then `last`. */
void findings_print_commands(const struct findings *findings, FILE *to);
/* {"ok", "differences": [{"what", "found", "expected", "file", "fix", "why", "gravity"}], "warnings": [the same],
 * "last": what is to be typed after the fixes, null where there is nothing to fix} */
void findings_print_json(const struct findings *findings, FILE *to);
void findings_free(struct findings **findings);

#endif

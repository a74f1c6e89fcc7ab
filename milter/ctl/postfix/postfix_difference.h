/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix_difference: what the parts of postfix_check share: the check under way, the commands that mend a
 * difference, and how one is reported.
 */
#ifndef PENSTOCK_POSTFIX_DIFFERENCE_H
#define PENSTOCK_POSTFIX_DIFFERENCE_H

#include "milter/ctl/postfix/finding.h"
#include "milter/ctl/postfix/postfix.h"
#include "milter/ctl/postfix/postfix_read.h"

enum { CHECK_PLACES_MAX = 4 };

struct postfix_check {
	struct postfix_wish wish;
	const struct postfix *postfix;		      /* borrowed */
	const char *dir;			      /* for -c in what is to be typed; NULL: not needed */
	struct findings *findings;		      /* borrowed */
	struct postfix_line lines[POSTFIX_LINES_MAX]; /* what main.cf is to say */
	int line_count;
	char places[CHECK_PLACES_MAX][ELEMENT_MAX]; /* of sockets that were looked at */
	int place_count;
};

/* Findings are to be freed. */
void check_begin(struct postfix_check *check, const struct postfix_wish *wish, const struct postfix *postfix,
		 const char *postfix_dir);

/* One for the services whose command that is ("smtpd"), in their order; `index` goes on behind it. NULL: no more. */
const struct postfix_service *check_next_service(const struct postfix_check *check, const char *command, size_t *index);

/* What main.cf is to say of a parameter; NULL: nothing. */
const struct postfix_line *check_wanted(const struct postfix_check *check, const char *name);

/* Commands, to be freed. `service` NULL: of main.cf, else of that service in master.cf. A setting of which a part would
 * be lost is NULL, as is one whose `value` is "". */
char *check_fix_postconf(const struct postfix_check *check, const char *option, const char *setting);
char *check_fix_setting(const struct postfix_check *check, const char *service, const char *name, const char *value);
/* The same with "" as a value, which takes the parameter out of main.cf. */
char *check_fix_set(const struct postfix_check *check, const char *service, const char *name, const char *value);
char *check_fix_file(const struct postfix_check *check, enum postfix_part part);

/* "main.cf" or "master.cf"; "clean-1/unix: smtp_header_checks", or the name alone for main.cf. */
const char *check_file_of(const char *service);
void check_name_setting(char *what, size_t size, const char *service, const char *name);
/* A list keeps what it has; ours comes behind it. "" where that does not fit. */
void check_append(char *value, size_t size, const char *list, const char *ours);
/* A list as it is written, with its $names: what a new one is made from. "" where nothing is said. */
const char *check_raw(const struct postfix_check *check, const char *service, const char *name);
/* The list without the element that begins at `at` and ends with `end`. False where it does not fit. */
bool check_cut(char *value, size_t size, const char *list, const char *at, const char *end);

/* Frees `fix`, which may be NULL. */
void check_report(struct postfix_check *check, struct finding finding, char *fix);

#endif

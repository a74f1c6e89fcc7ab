/* SPDX-License-Identifier: BSD-2-Clause
 *
 * postfix: what Postfix must be told so that it fits a configuration of ours: the lines of main.cf and master.cf,
 * the header check files, and the commands that put them there.
 */
#ifndef PENSTOCK_POSTFIX_H
#define PENSTOCK_POSTFIX_H

#include "milter/config/config.h"

struct postfix;

#define POSTFIX_DIR "/etc/postfix"
#define POSTFIX_QUEUE "/var/spool/postfix"
#define POSTFIX_MILTER_FILE "penstock_milter_header_checks" /* file names below the folder of Postfix */
#define POSTFIX_SMTP_FILE "penstock_smtp_header_checks"
#define POSTFIX_LOGIN_FILE "penstock_login_senders"
#define POSTFIX_FILE_START "penstock_" /* so begins the name of each */

/* id, word on the command line, which file it belongs in */
#define POSTFIX_PART_ROWS(ROW) \
	ROW(MAIN, "main", "main.cf") \
	ROW(MASTER, "master", "master.cf") \
	ROW(MILTER_CHECKS, "milter-header-checks", POSTFIX_MILTER_FILE) \
	ROW(SMTP_CHECKS, "header-checks", POSTFIX_SMTP_FILE) \
	ROW(COMMANDS, "commands", "the same as commands")

/* clang-format off */
enum postfix_part {
#define POSTFIX_PART_ENUM(id, word, file) POSTFIX_##id,
	POSTFIX_PART_ROWS(POSTFIX_PART_ENUM)
#undef POSTFIX_PART_ENUM
	POSTFIX_PART_COUNT
};
/* clang-format on */

/* What the lines are made from; all borrowed. */
struct postfix_wish {
	const struct config *config;
	const char *config_file; /* named in the commands */
	const char *dir;	 /* where the header check files lie */
	const char *queue;	 /* Postfix's queue directory */
};

struct postfix_line {
	const char *name; /* constant */
	const char *why;  /* constant */
	char value[640];
};

enum { POSTFIX_LINES_MAX = 6, POSTFIX_OPTIONS_MAX = 6, POSTFIX_FOLDER_MAX = 400 };

/* Can it stand in a line of main.cf? A whole path without what has a meaning there. */
bool postfix_folder_fine(const char *folder);

/* A socket of our configuration as Postfix names it: "unix:PATH", relative where it is below `queue`,
 * "inet:ADDRESS:PORT". */
void postfix_socket(const char *setting, const char *queue, char *name, size_t size);

/* One of our maps as an element of a list; "" where socketmap.listen is not set. */
void postfix_map(const struct postfix_wish *wish, const char *map, char *name, size_t size);

/* The parameters of main.cf; returns how many. */
int postfix_main_lines(const struct postfix_wish *wish, struct postfix_line lines[POSTFIX_LINES_MAX]);
/* The -o options of a transport's service in master.cf; returns how many. */
int postfix_transport_lines(const struct transport *transport, struct postfix_line lines[POSTFIX_OPTIONS_MAX]);

/* False where `word` is no part. The commands are those of a check: postfix_check.h. */
bool postfix_part_find(const char *word, enum postfix_part *part_out);
/* Says what stands in main.cf already; `postfix` NULL: it is not known. */
void postfix_print(const struct postfix_wish *wish, enum postfix_part part, const struct postfix *postfix, FILE *to);
void postfix_print_head(const struct postfix_wish *wish, enum postfix_part part, FILE *to);

/* The transport at that place, of all pools; NULL behind the last one. */
const struct transport *postfix_transport(const struct config *config, int index);
/* Is it the name of one? */
bool postfix_is_transport(const struct config *config, const char *name);

/* Single commands, without a newline: postconf OPTION SETTING (dir NULL: without -c), a transport's service, a
 * header check file. */
void postfix_print_postconf(const char *dir, const char *option, const char *setting, FILE *to);
void postfix_print_service_command(const struct transport *transport, const char *dir, FILE *to);
void postfix_print_file_command(const struct postfix_wish *wish, enum postfix_part part, FILE *to);

/* A word for a POSIX shell, in quotes where it needs them. */
void postfix_print_quoted(const char *word, FILE *to);

#endif
